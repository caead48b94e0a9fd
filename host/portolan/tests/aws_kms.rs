//! Keys of AWS: a connection is created, validated and refused, with moto as the service.
//!
//! Moto checks signatures, permissions and session tokens, but neither the SHA-256 of a body nor the
//! time of a request, and it encrypts with a disabled key: none of that is proved here.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write as _;

use portolan::{ConnectTo, EgressOptions, TrustRoots};
use portolan_servers::{Authority, Moto, MotoUser};
use support::{World, refused, rows, run};

const KMS: &str = "kms.eu-central-1.amazonaws.com";
const STS: &str = "sts.eu-central-1.amazonaws.com";

/// A host that reaches moto under the names of the product.
struct Setting {
    moto: Moto,
    world: World,
}

impl Setting {
    async fn new() -> Self {
        let authority = Authority::new("tests");
        let moto = Moto::start(&authority, &[KMS, STS]);
        let mut connect_to = ConnectTo::default();
        for host in [KMS, STS] {
            let from = format!("{host}:443");
            connect_to
                .add(&from, &moto.address().to_string())
                .expect("a line");
        }
        let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
        let egress = EgressOptions {
            connect_to,
            roots: roots.expect("an authority"),
            ..EgressOptions::default()
        };
        let world = World::with(|builder| builder.egress(egress)).await;
        Self { moto, world }
    }

    /// The statement that creates a connection to a key.
    fn create(&self, name: &str, key: &str, user: &MotoUser, more: &str) -> String {
        let uri = uri(key, user, more);
        format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}'")
    }

    /// The code, the message and the hint that creating a connection to a key is refused with.
    async fn refusal(&self, key: &str, user: &MotoUser, more: &str) -> (String, String, String) {
        let sql = self.create("refused", key, user, more);
        let error = refused(&self.world.root(), &sql).await;
        let told = format!("{error:?} {error}");
        assert!(!told.contains(&user.secret), "{told}");
        assert!(!told.contains(&escaped(&user.secret)), "{told}");
        (
            error.sqlstate().code().to_owned(),
            error.message().to_owned(),
            error.hint().unwrap_or_default().to_owned(),
        )
    }
}

fn uri(key: &str, user: &MotoUser, more: &str) -> String {
    format!(
        "aws-kms:///{key}?REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={}{more}",
        Moto::REGION,
        user.id,
        escaped(&user.secret)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        let _ = write!(escaped, "%{byte:02X}");
    }
    escaped
}

const PREFIX: &str = "failed to construct External Connection details: failed to create AWS KMS \
                      external connection: ";

#[tokio::test]
async fn a_key_is_tried_out_by_its_id_its_alias_and_its_arn() {
    let setting = Setting::new().await;
    let root = setting.world.root();
    let user = setting.moto.user("all");
    for (name, key) in [
        ("by_id", setting.moto.key()),
        ("by_alias", Moto::ALIAS),
        ("by_arn", setting.moto.arn()),
    ] {
        run(&root, &setting.create(name, key, &user, "")).await;
        let steps = rows(&root, &format!("VALIDATE EXTERNAL CONNECTION {name}")).await;
        let told: Vec<_> = steps
            .iter()
            .map(|row| (row[0].as_str(), row[1].as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("plan", "ok"),
                ("policy", "ok"),
                ("resolve", "ok"),
                ("dial", "ok"),
                ("tls", "ok"),
                ("encrypt", "ok"),
                ("decrypt", "ok"),
                ("compare", "ok"),
            ],
            "{steps:?}"
        );
        assert!(steps[5][3].contains(setting.moto.arn()), "{steps:?}");
    }
    let read = "VALIDATE EXTERNAL CONNECTION by_id WITH VALIDATE = 'read'";
    let steps = rows(&root, read).await;
    assert_eq!(
        (steps[5][0].as_str(), steps[5][1].as_str()),
        ("encrypt", "skipped")
    );
    let shown = rows(&root, "SHOW EXTERNAL CONNECTION by_alias").await;
    assert!(shown[0].contains(&"KMS".to_owned()), "{shown:?}");
    assert!(!format!("{shown:?}").contains(&user.secret));
}

#[tokio::test]
async fn a_role_and_a_chain_of_two_are_taken_on_before_the_key_is_used() {
    let setting = Setting::new().await;
    let user = setting.moto.user("assumes");
    let role = format!("&ASSUME_ROLE={}", setting.moto.role());
    let sql = setting.create("by_role", Moto::ALIAS, &user, &role);
    run(&setting.world.root(), &sql).await;
    // Of these two, the first may only take on the second.
    let (first, id) = (Moto::ROLE_ONE, escaped(Moto::EXTERNAL_ID));
    let chain = format!(
        "&ASSUME_ROLE={first}%3Bexternal_id={id},{}",
        setting.moto.role()
    );
    let ana = setting.moto.user("ana");
    let sql = setting.create("by_chain", Moto::ALIAS, &ana, &chain);
    run(&setting.world.root(), &sql).await;
    // The user itself may not use the key.
    let (code, message, _) = setting.refusal(Moto::ALIAS, &user, "").await;
    assert!(
        matches!(code.as_str(), "28000" | "42501"),
        "{code} {message}"
    );
}

#[tokio::test]
async fn what_the_service_refuses_is_told_with_what_to_do() {
    let setting = Setting::new().await;
    let all = setting.moto.user("all");
    let wrong = MotoUser {
        secret: "wrong+secret/of-20-letters".to_owned(),
        ..all.clone()
    };
    let unknown = MotoUser {
        id: "AKIAUNKNOWNUNKNOWN00".to_owned(),
        ..all.clone()
    };
    let encrypting = "failed to encrypt marker content when setting up External Connection: ";
    let decrypting = "failed to decrypt marker content when setting up External Connection: ";
    for (key, user, doing, state, hint) in [
        (
            Moto::ALIAS,
            &wrong,
            encrypting,
            "28000",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            Moto::ALIAS,
            &unknown,
            encrypting,
            "28000",
            "AWS_ACCESS_KEY_ID",
        ),
        ("alias/missing", &all, encrypting, "42704", "REGION"),
        (
            Moto::ALIAS,
            &setting.moto.user("encrypts"),
            decrypting,
            "28000",
            "what it may do with this key",
        ),
    ] {
        let (code, message, told) = setting.refusal(key, user, "").await;
        assert_eq!(code, state, "{message}");
        let expected = format!("{PREFIX}{doing}AWS KMS answered ");
        assert!(message.starts_with(&expected), "{message}");
        assert!(told.contains(hint), "{message}: {told}");
    }
    let (code, message, _) = setting
        .refusal(Moto::ALIAS, &all, "&AWS_SESSION_TOKEN=bogus12345")
        .await;
    assert_eq!(code, "28000", "{message}");
}
