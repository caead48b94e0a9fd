//! The servers, and the ways of a host to them.

use portolan::{ConnectTo, EgressOptions, TrustRoots};
use portolan_broker::Cluster;
use portolan_servers::{
    Authority, AwsStandIn, Azurite, EntraApplication, EntraStandIn, GoogleStandIn, KeyVaultStandIn,
    Moto, Postgres, ServiceAccount, WebhookStandIn, s3,
};

pub(crate) const MOTO: &str = "aws.example";
const KMS: &str = "kms.eu-central-1.amazonaws.com";
const STS: &str = "sts.eu-central-1.amazonaws.com";
const BLOBS: &str = "portolantest.blob.core.windows.net";
const VAULT: &str = "harbour-1.vault.azure.net";
const LOGIN: &str = "login.microsoftonline.com";
pub(crate) const BROKER: &str = "kafka.example";

/// The service account that may use what Google has.
pub(crate) const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";

/// A key that lasts, and one of a session with its token.
pub(crate) const AWS_USER: [&str; 2] = ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+lasting"];
pub(crate) const AWS_SESSION: [&str; 3] = [
    "ASIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+session",
    "IQoJb3JpZ2luX2VjEXAMPLE/+token==",
];
pub(crate) const AWS_ROLE: &str = "arn:aws:iam::123456789012:role/backup";

/// The secret of the application that Entra knows.
pub(crate) const APPLICATION: &str = "abC8Q~s3cr3t+/&=of%client";

/// What the webhook's path ends with.
pub(crate) const HOOK: &str = "s3cr3t-p4th";

pub(crate) struct Servers {
    pub(crate) moto: Moto,
    pub(crate) aws: AwsStandIn,
    pub(crate) google: GoogleStandIn,
    /// The key of the account that may use the bucket.
    pub(crate) account: String,
    pub(crate) azurite: Azurite,
    pub(crate) entra: EntraStandIn,
    pub(crate) vault: KeyVaultStandIn,
    pub(crate) webhook: WebhookStandIn,
    pub(crate) cluster: Cluster,
    pub(crate) postgres: Postgres,
    pub(crate) authority: Authority,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let azurite = Azurite::start(&authority, &[BLOBS]);
        azurite.make_container("harbour");
        let application = EntraApplication {
            tenant: "contoso.example".to_owned(),
            client: "backup-client".to_owned(),
            secret: APPLICATION.to_owned(),
        };
        let entra = EntraStandIn::start(&authority, &[LOGIN], application);
        let cluster = Cluster::builder().brokers(1).host(BROKER);
        let cluster = cluster.topic("orders", 1).mechanisms(&["PLAIN"]);
        Self {
            moto: Moto::start(&authority, &[MOTO, s3::HOST]),
            aws: aws(&authority),
            account: account.json(),
            google: GoogleStandIn::start(&authority, "harbour", account),
            azurite,
            vault: KeyVaultStandIn::start(&authority, &[VAULT], &entra),
            entra,
            webhook: WebhookStandIn::start(&authority, &["hooks.example"], &format!("/T0/{HOOK}")),
            cluster: cluster
                .tls(&authority.issue(&[BROKER]))
                .user("ada", "p4ss+w0rd/of=ada")
                .start(),
            postgres: Postgres::start(
                Some(&authority.issue(&["db.example"])),
                &Authority::new("of the clients"),
            ),
            authority,
        }
    }

    pub(crate) fn options(&self) -> EgressOptions {
        let broker = self.cluster.addresses()[0];
        let google = ["storage", "oauth2", "cloudkms"];
        let google = google.map(|service| format!("{service}.googleapis.com"));
        let lines = [
            (MOTO, 443, self.moto.address()),
            (s3::HOST, 443, self.moto.address()),
            (KMS, 443, self.aws.address()),
            (STS, 443, self.aws.address()),
            (&google[0], 443, self.google.address()),
            (&google[1], 443, self.google.address()),
            (&google[2], 443, self.google.address()),
            (BLOBS, 443, self.azurite.address()),
            (VAULT, 443, self.vault.address()),
            (LOGIN, 443, self.entra.address()),
            ("hooks.example", 443, self.webhook.address()),
            (BROKER, broker.port(), broker),
            ("db.example", 5432, self.postgres.address()),
        ];
        let mut connect_to = ConnectTo::default();
        for (host, port, to) in lines {
            let from = format!("{host}:{port}");
            connect_to.add(&from, &to.to_string()).expect("a line");
        }
        let roots = TrustRoots::nobody().with_pem(self.authority.pem().as_bytes());
        EgressOptions {
            connect_to,
            roots: roots.expect("an authority"),
            ..EgressOptions::default()
        }
    }

    /// What the host was given for its credentials, which nobody typed.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let given = [
            self.aws.sessions(),
            self.google.tokens(),
            self.entra.tokens(),
        ];
        for given in &given {
            assert!(!given.is_empty(), "a service was not asked");
        }
        given.concat()
    }
}

/// AWS with one key, which a user, a session and a role may use.
fn aws(authority: &Authority) -> AwsStandIn {
    let aws = AwsStandIn::start(authority, &["eu-central-1"]);
    let [id, secret] = AWS_USER;
    aws.add_key(id, secret, None);
    let [session, secret, token] = AWS_SESSION;
    aws.add_key(session, secret, Some(token));
    aws.add_role(AWS_ROLE, id, None);
    for principal in [session, AWS_ROLE] {
        aws.allow(principal, &["Encrypt", "Decrypt"]);
    }
    aws
}
