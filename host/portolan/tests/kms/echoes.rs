//! Services that send back what they were sent: a token that the host fetched, or the very plaintext.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use portolan::{EgressOptions, SqlState};
use portolan_servers::{
    Authority, AwsStandIn, EntraApplication, EntraStandIn, GoogleStandIn, HttpServer,
    KeyVaultStandIn, ServiceAccount, answer, aws_machine,
};
use serde_json::{Value, json};

use super::setting::{open, plaintext};
use super::support::{World, text};
use super::told::{escaped, metadata, ways};

const HOSTS: [&str; 3] = [
    "kms.eu-central-1.amazonaws.com",
    "cloudkms.googleapis.com",
    "harbour-1.vault.azure.net",
];
const TOKENS: &str = "oauth2.googleapis.com";
const LOGIN: &str = "login.microsoftonline.com";
/// The key that AWS gives to a machine. Its token has the form of a key's id, and stands in an ARN.
const MACHINE: [&str; 3] = [
    "ASIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLEtoken",
];
const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const APPLICATION: &str = "abC8Q~s3cr3t+/&=of%client";

/// The token services of the three clouds, and a server of somebody else in the place of their keys.
struct Setting {
    authority: Authority,
    machine: HttpServer,
    google: GoogleStandIn,
    entra: EntraStandIn,
    keys: HttpServer,
    /// The connections to a key of each cloud.
    uris: [(&'static str, String); 3],
}

impl Setting {
    /// `respond` gives a status and a body for each request.
    fn new(respond: impl Fn(&Request<Bytes>) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let authority = Authority::new("of the servers");
        let keys = HttpServer::encrypted(&authority, &HOSTS, move |request| {
            let (status, body) = respond(&request);
            let told = token(&request).unwrap_or_default();
            let headers = [
                ("content-type", "application/json"),
                ("x-ms-request-id", &*told),
                ("x-amzn-requestid", &*told),
            ];
            let answered = answer(status, &headers, body.to_string());
            async move { answered }.boxed()
        });
        let account = ServiceAccount::new(ACCOUNT);
        let uris = uris(&account);
        let application = EntraApplication {
            tenant: "contoso.example".to_owned(),
            client: "backup-client".to_owned(),
            secret: APPLICATION.to_owned(),
        };
        Self {
            google: GoogleStandIn::start(&authority, "harbour", account),
            entra: EntraStandIn::start(&authority, &[LOGIN], application),
            machine: aws_machine(MACHINE),
            authority,
            keys,
            uris,
        }
    }

    fn options(&self) -> EgressOptions {
        let hosts = HOSTS.map(|host| (format!("{host}:443"), self.keys.address()));
        let tokens = [
            (TOKENS, self.google.address()),
            (LOGIN, self.entra.address()),
        ];
        let tokens = tokens.map(|(host, address)| (format!("{host}:443"), address));
        let all: Vec<_> = hosts
            .iter()
            .chain(&tokens)
            .map(|(host, address)| (&**host, *address))
            .collect();
        EgressOptions {
            metadata: metadata(&self.machine),
            ..ways(&self.authority, &all)
        }
    }
}

fn uris(account: &ServiceAccount) -> [(&'static str, String); 3] {
    use base64::Engine;
    let key = base64::prelude::BASE64_STANDARD.encode(account.json());
    let aws = format!(
        "aws-kms:///{}?AUTH=implicit&REGION=eu-central-1",
        AwsStandIn::ALIAS
    );
    let google = format!(
        "gcp-kms:///{}?AUTH=specified&CREDENTIALS={}",
        GoogleStandIn::KEY,
        escaped(&key)
    );
    let azure = format!(
        "azure-kms:///{}/{}?AZURE_VAULT_NAME=harbour-1&AZURE_TENANT_ID=contoso.example&\
         AZURE_CLIENT_ID=backup-client&AZURE_CLIENT_SECRET={}",
        KeyVaultStandIn::KEY,
        KeyVaultStandIn::VERSION,
        escaped(APPLICATION)
    );
    [("aws", aws), ("google", google), ("azure", azure)]
}

/// The token that a request came with.
fn token(request: &Request<Bytes>) -> Option<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = header("x-amz-security-token").or(bearer);
    token.map(str::to_owned)
}

/// Whatever a statement tells, an error or rows.
async fn told(world: &World, sql: &str) -> String {
    match world.root().execute(sql, &[]).await {
        Err(error) => format!("{error:?}"),
        Ok(outcome) => match outcome.into_rows() {
            None => "done".to_owned(),
            Some(rows) => {
                let rows = rows.collect_all().await.expect("rows");
                let rows = rows.into_iter().flatten().map(text);
                rows.collect::<Vec<_>>().join("|")
            }
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_fetched_is_told_and_kept_nowhere_where_a_service_sends_it_back() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let setting = Setting::new(move |request| {
        let token = token(request).expect("a token");
        let arn = format!("arn:aws:kms:eu-central-1:123456789012:key/{token}");
        let kid = format!("https://harbour-1.vault.azure.net/keys/backups/{token}");
        match counted.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => (
                200,
                json!({
                    "KeyId": arn, "CiphertextBlob": "AQID", "name": token, "ciphertext": "AQID",
                    "kid": kid, "value": "AQID",
                }),
            ),
            1 => (
                400,
                json!({
                    "__type": token, "message": token,
                    "error": {"code": token, "status": token, "message": token},
                }),
            ),
            _ => (
                403,
                json!({"__type": "AccessDeniedException", "message": token,
                       "error": {"code": "Forbidden", "innererror": {"code": token}, "message": token}}),
            ),
        }
    });
    let world =
        World::with(|builder| builder.egress(setting.options()).lend_host_credentials()).await;
    let mut all = String::new();
    for (name, uri) in &setting.uris {
        let create = |depth| {
            format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = '{depth}'")
        };
        all += &told(&world, &create("none")).await;
        for _ in 0..3 {
            let sql = format!("VALIDATE EXTERNAL CONNECTION {name}");
            all += &told(&world, &sql).await;
            let sql = create("full").replace(&format!("CONNECTION {name}"), "CONNECTION no");
            all += &told(&world, &sql).await;
            let key = open(&world.root(), name).await.expect("opened");
            all += &format!("{:?}", key.encrypt(&plaintext(32)).await);
        }
    }
    all += &format!("{:?}", world.audit().await);
    assert!(asked.load(Ordering::Relaxed) > 20, "it was not asked");
    let tokens = [
        vec![MACHINE[2].to_owned()],
        setting.google.tokens(),
        setting.entra.tokens(),
    ];
    for given in tokens {
        assert!(!given.is_empty(), "no token was given");
        for token in given {
            assert!(!all.contains(&token), "{token} in {all}");
        }
    }
    assert!(
        all.contains("key: arn:aws:kms:eu-central-1:123456789012:key/redacted"),
        "nothing of it was told: {all}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_answers_with_the_plaintext_is_found_out_before_anything_is_kept() {
    let setting = Setting::new(|request| {
        let asked: Value = serde_json::from_slice(request.body()).expect("JSON");
        let sent = [
            "Plaintext",
            "plaintext",
            "value",
            "CiphertextBlob",
            "ciphertext",
        ];
        let sent = sent.iter().find_map(|name| asked[name].as_str());
        let sent = sent.expect("what was sent");
        (
            200,
            json!({
                "CiphertextBlob": sent, "KeyId": AwsStandIn::ARN, "Plaintext": sent,
                "ciphertext": sent, "name": GoogleStandIn::KEY, "plaintext": sent,
                "kid": format!(
                    "https://harbour-1.vault.azure.net/keys/{}/{}",
                    KeyVaultStandIn::KEY,
                    KeyVaultStandIn::VERSION
                ),
                "value": sent,
            }),
        )
    });
    let world =
        World::with(|builder| builder.egress(setting.options()).lend_host_credentials()).await;
    let root = world.root();
    for (name, uri) in &setting.uris {
        let create = |depth| {
            format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = '{depth}'")
        };
        let says = "answered with the very content that was to be encrypted or decrypted";
        let error = super::support::refused(&root, &create("full")).await;
        assert_eq!(error.sqlstate(), SqlState::ProtocolViolation, "{error:?}");
        assert!(error.message().contains(says), "{error:?}");
        super::support::run(&root, &create("none")).await;
        let key = open(&root, name).await.expect("opened");
        let error = key.encrypt(&plaintext(32)).await.expect_err("refused");
        assert_eq!(error.sqlstate(), SqlState::ProtocolViolation, "{error:?}");
        assert!(error.message().contains(says), "{error:?}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.starts_with("do not use this service"), "{hint}");
    }
}
