//! The connections, one for each way to say who one is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::Operation;
use portolan_servers::{
    AZURITE_ACCOUNT, AwsStandIn, GoogleStandIn, KeyVaultStandIn, Moto, Postgres, s3,
};

use super::escaped;
use super::servers::{
    ACCOUNT, APPLICATION, AWS_ROLE, AWS_SESSION, AWS_USER, BROKER, HOOK, MOTO, Servers,
};

/// What one of these connections needs, and may not be told of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The URI, with `{secret}` where the secret stands.
    pub(crate) uri: String,
    pub(crate) secret: String,
    /// The other secrets of the URI.
    pub(crate) more: Vec<String>,
    pub(crate) operation: Operation,
}

impl Case {
    fn new(
        name: &'static str,
        operation: Operation,
        uri: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self {
            name,
            uri: uri.into(),
            secret: secret.into(),
            more: Vec::new(),
            operation,
        }
    }
}

pub(crate) fn all(servers: &Servers) -> Vec<Case> {
    let mut all = keys(servers);
    all.extend(storage(servers));
    all.extend(others(servers));
    all
}

fn keys(servers: &Servers) -> Vec<Case> {
    let key = |name, uri, secret: &str| Case::new(name, Operation::EncryptedBackup, uri, secret);
    let user = servers.moto.user("all");
    let aws = |key: &str, id: &str| {
        format!(
            "aws-kms:///{key}?REGION={}&AWS_ACCESS_KEY_ID={id}&AWS_SECRET_ACCESS_KEY={{secret}}",
            Moto::REGION
        )
    };
    let over_moto = format!("{}&AWS_ENDPOINT=https://{MOTO}", aws(Moto::ALIAS, &user.id));
    let [session, session_secret, token] = AWS_SESSION;
    let as_session = format!(
        "{}&AWS_SESSION_TOKEN={}",
        aws(AwsStandIn::ALIAS, session),
        escaped(token)
    );
    let [id, secret] = AWS_USER;
    let as_role = format!("{}&ASSUME_ROLE={AWS_ROLE}", aws(AwsStandIn::ALIAS, id));
    let google = |secret: &str| {
        let name = GoogleStandIn::KEY;
        format!("gcp-kms:///{name}?AUTH=specified&{secret}={{secret}}")
    };
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let bearer = servers.google.give_for(ACCOUNT, scope);
    let azure = format!(
        "azure-kms:///{}/{}?AZURE_VAULT_NAME=harbour-1&AZURE_TENANT_ID=contoso.example\
         &AZURE_CLIENT_ID=backup-client&AZURE_CLIENT_SECRET={{secret}}",
        KeyVaultStandIn::KEY,
        KeyVaultStandIn::VERSION
    );
    vec![
        key("aws", over_moto, &user.secret),
        Case {
            more: vec![token.to_owned()],
            ..key("aws_session", as_session, session_secret)
        },
        key("aws_role", as_role, secret),
        key("google", google("CREDENTIALS"), &account_key(servers)),
        key("google_bearer", google("BEARER_TOKEN"), &bearer),
        key("azure", azure, APPLICATION),
    ]
}

fn storage(servers: &Servers) -> Vec<Case> {
    let user = servers.moto.user("ships");
    let bucket = format!(
        "s3://{}/in?AWS_REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={{secret}}",
        s3::BUCKET,
        s3::REGION,
        user.id
    );
    let container = format!(
        "azure-blob://harbour/in?AZURE_ACCOUNT_NAME={AZURITE_ACCOUNT}&AZURE_ACCOUNT_KEY={{secret}}"
    );
    vec![
        Case::new("lake", Operation::Backup, bucket, user.secret),
        Case::new(
            "bucket",
            Operation::Backup,
            "gs://harbour/in?AUTH=specified&CREDENTIALS={secret}",
            account_key(servers),
        ),
        Case::new(
            "container",
            Operation::Backup,
            container,
            servers.azurite.key(),
        ),
    ]
}

fn others(servers: &Servers) -> Vec<Case> {
    let broker = servers.cluster.addresses()[0].port();
    let topic = format!(
        "kafka://{BROKER}:{broker}?topic_name=orders&tls_enabled=true&sasl_enabled=true\
         &sasl_mechanism=PLAIN&sasl_user=ada&sasl_password={{secret}}"
    );
    let (reader, password) = Postgres::user();
    let bank = format!("postgres://{reader}:{{secret}}@db.example/bank?sslmode=require");
    vec![
        Case::new(
            "hook",
            Operation::Changefeed,
            "webhook-https://hooks.example/T0/{secret}",
            HOOK,
        ),
        Case::new("topic", Operation::Changefeed, topic, "p4ss+w0rd/of=ada"),
        Case::new("bank", Operation::Replication, bank, password),
    ]
}

/// A key of Google as an option wants it.
fn account_key(servers: &Servers) -> String {
    BASE64_STANDARD.encode(&servers.account)
}
