//! Keys of AWS, with moto as the service.

use portolan::{EgressOptions, Encrypted, Policy, SqlState};
use portolan_servers::{Authority, Moto, MotoUser};

use super::setting::{key, name, plaintext, there_and_back, told, world};
use super::support::World;
use super::told::{escaped, ways};

const KMS: &str = "kms.eu-central-1.amazonaws.com";

struct Setting {
    authority: Authority,
    moto: Moto,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        Self {
            moto: Moto::start(&authority, &[KMS, "127.0.0.1"]),
            authority,
        }
    }

    fn options(&self) -> EgressOptions {
        ways(
            &self.authority,
            &[(&format!("{KMS}:443"), self.moto.address())],
        )
    }

    fn user(&self, name: &str) -> MotoUser {
        self.moto.user(name)
    }

    async fn world(&self, key: &str, user: &MotoUser) -> World {
        world(self.options(), &uri(key, user)).await
    }
}

fn uri(key: &str, user: &MotoUser) -> String {
    format!(
        "aws-kms:///{key}?REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={}",
        Moto::REGION,
        user.id,
        escaped(&user.secret)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_goes_there_and_back_by_id_alias_and_arn() {
    let setting = Setting::new();
    let all = setting.user("all");
    let world = setting.world(Moto::ALIAS, &all).await;
    name(&world, "by_id", &uri(setting.moto.key(), &all)).await;
    name(&world, "by_arn", &uri(setting.moto.arn(), &all)).await;
    let by_alias = key(&world).await;
    assert_eq!(by_alias.key_id().as_deref(), Some(Moto::ALIAS));
    assert_eq!(by_alias.provider(), "aws-kms");
    let encrypted = there_and_back(&by_alias, &[1, 32, 4096]).await;
    assert_eq!(encrypted.key, setting.moto.arn());
    assert_eq!(encrypted.key_version, None);
    for name in ["by_id", "by_arn"] {
        let same = super::setting::open(&world.root(), name)
            .await
            .expect("opened");
        let decrypted = same.decrypt(&encrypted).await.expect("the same key");
        assert_eq!(decrypted, plaintext(4096));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_4_kib_is_refused_before_anything_is_sent() {
    let setting = Setting::new();
    let nobody = MotoUser {
        id: "AKIAUNKNOWNUNKNOWN00".to_owned(),
        secret: "a-secret-of-20-letters".to_owned(),
        token: None,
    };
    let world = setting.world(Moto::ALIAS, &nobody).await;
    told(
        key(&world).await.encrypt(&plaintext(4097)).await,
        SqlState::InvalidParameterValue,
        "encrypts at most 4 KiB",
        "encrypt a data key with it",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_missing_permissions_are_told_and_hold_no_secret() {
    let setting = Setting::new();
    let all = setting.user("all");
    let wrong = MotoUser {
        secret: "wrong+secret/of-20-letters".to_owned(),
        ..all.clone()
    };
    let world = setting.world(Moto::ALIAS, &wrong).await;
    name(
        &world,
        "expired",
        &format!("{}&AWS_SESSION_TOKEN=bogus12345", uri(Moto::ALIAS, &all)),
    )
    .await;
    name(
        &world,
        "encrypts",
        &uri(Moto::ALIAS, &setting.user("encrypts")),
    )
    .await;
    name(&world, "whole", &uri(Moto::ALIAS, &all)).await;
    let open = async |name| {
        super::setting::open(&world.root(), name)
            .await
            .expect("opened")
    };
    let plaintext = plaintext(32);
    let refused = open("key").await.encrypt(&plaintext).await;
    let shown = format!("{refused:?}");
    assert!(
        !shown.contains("wrong+secret") && !shown.contains(&escaped(&wrong.secret)),
        "{shown}"
    );
    told(
        refused,
        SqlState::InvalidAuthorization,
        "AWS KMS answered",
        "AWS_SECRET_ACCESS_KEY",
    );
    told(
        open("expired").await.encrypt(&plaintext).await,
        SqlState::InvalidAuthorization,
        "AWS KMS answered",
        "",
    );
    let only = open("encrypts").await;
    let encrypted = only.encrypt(&plaintext).await.expect("it may");
    told(
        only.decrypt(&encrypted).await,
        SqlState::InvalidAuthorization,
        "AWS KMS answered",
        "what it may do with this key",
    );
    let whole = open("whole").await;
    assert_eq!(whole.decrypt(&encrypted).await.expect("it may"), plaintext);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_made_with_another_key_is_not_decrypted() {
    let setting = Setting::new();
    let world = setting
        .world(setting.moto.key(), &setting.user("all"))
        .await;
    let key = key(&world).await;
    let good = key.encrypt(&plaintext(32)).await.expect("encrypted");
    let mut tampered = good.clone();
    let last = tampered.ciphertext.len() - 1;
    tampered.ciphertext[last] ^= 1;
    told(
        key.decrypt(&tampered).await,
        SqlState::ProtocolViolation,
        "AWS KMS answered",
        "",
    );
    let other = Encrypted {
        key: setting
            .moto
            .arn()
            .replace(setting.moto.key(), "0000aaaa-1111-2222-3333-444455556666"),
        ..good.clone()
    };
    told(
        key.decrypt(&other).await,
        SqlState::InvalidParameterValue,
        "another key",
        "the key that encrypted",
    );
    for broken in [
        Encrypted {
            ciphertext: Vec::new(),
            ..good.clone()
        },
        Encrypted {
            ciphertext: vec![1; (64 << 10) + 1],
            ..good.clone()
        },
        Encrypted {
            key: String::new(),
            ..good
        },
    ] {
        told(
            key.decrypt(&broken).await,
            SqlState::InvalidParameterValue,
            "what is to be decrypted has",
            "answered when it encrypted",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_policy_ends_a_handle_at_its_next_operation() {
    let setting = Setting::new();
    let address = setting.moto.address();
    let rule: portolan::Rule = address.to_string().parse().expect("a rule");
    let options = EgressOptions {
        policy: Policy::with_rules(vec![rule]),
        ..setting.options()
    };
    let uri = format!(
        "{}&AWS_ENDPOINT=https://{address}",
        uri(Moto::ALIAS, &setting.user("all"))
    );
    let world = world(options, &uri).await;
    let key = key(&world).await;
    there_and_back(&key, &[32]).await;
    world.host.set_policy(Policy::default());
    told(
        key.encrypt(&plaintext(32)).await,
        SqlState::InsufficientPrivilege,
        "127.0.0.1",
        "if it is meant",
    );
    assert!(!key.is_current().await);
}
