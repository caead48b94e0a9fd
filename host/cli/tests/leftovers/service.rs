//! The servers, and a home whose configuration leads to them.

use std::fmt::Write as _;
use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan_servers::s3::{BUCKET, HOST, REGION, TOKEN_HOST};
use portolan_servers::{
    AZURITE_ACCOUNT, Authority, Azurite, GoogleStandIn, Moto, Nginx, ServiceAccount,
};

use crate::home::Home;

/// What serves the objects of the connection; it ends with this.
#[allow(dead_code, reason = "not every server is asked what it has")]
pub(crate) enum Server {
    S3(Moto),
    Gs(GoogleStandIn),
    Azure(Azurite),
    Http(Nginx),
}

/// A home with the connection `cloud`, whose objects lie below `daily`.
pub(crate) struct Service {
    pub(crate) home: Home,
    pub(crate) server: Server,
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl Service {
    pub(crate) fn s3() -> Self {
        let authority = Authority::new("of the servers");
        let moto = Moto::start(&authority, &[HOST, TOKEN_HOST]);
        let ways = [(HOST, moto.address())];
        let user = moto.user("ships");
        let uri = format!(
            "s3://{BUCKET}/daily?AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={}&AWS_REGION={REGION}",
            user.id,
            escaped(&user.secret)
        );
        Self::of(Server::S3(moto), &authority, &ways, &uri)
    }

    pub(crate) fn gs() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new("backup@p.iam.gserviceaccount.com");
        let key = escaped(&BASE64_STANDARD.encode(account.json()));
        let google = GoogleStandIn::start(&authority, BUCKET, account);
        let hosts = ["storage.googleapis.com", "oauth2.googleapis.com"];
        let ways = hosts.map(|host| (host, google.address()));
        let uri = format!("gs://{BUCKET}/daily?AUTH=specified&CREDENTIALS={key}");
        Self::of(Server::Gs(google), &authority, &ways, &uri)
    }

    pub(crate) fn azure() -> Self {
        let authority = Authority::new("of the servers");
        let host = format!("{AZURITE_ACCOUNT}.blob.core.windows.net");
        let azurite = Azurite::start(&authority, &[&host]);
        azurite.make_container(BUCKET);
        let ways = [(host.as_str(), azurite.address())];
        let uri = format!(
            "azure-blob://{BUCKET}/daily?AZURE_ACCOUNT_NAME={AZURITE_ACCOUNT}&AZURE_ACCOUNT_KEY={}",
            escaped(azurite.key())
        );
        Self::of(Server::Azure(azurite), &authority, &ways, &uri)
    }

    pub(crate) fn http() -> Self {
        let authority = Authority::new("of the servers");
        let nginx = Nginx::start(&authority, &["files.example"], &authority);
        let ways = [("files.example", nginx.encrypted())];
        let uri = "https://files.example/daily".to_owned();
        Self::of(Server::Http(nginx), &authority, &ways, &uri)
    }

    fn of(server: Server, authority: &Authority, ways: &[(&str, SocketAddr)], uri: &str) -> Self {
        let home = Home::new();
        std::fs::write(home.path("authority.pem"), authority.pem()).expect("written");
        let mut config = format!(
            "[tls]\nextra_ca = [\"{}\"]\n[egress.connect_to]\n",
            home.path("authority.pem").display()
        );
        for (host, address) in ways {
            writeln!(config, "\"{host}:443\" = \"{address}\"").expect("text");
        }
        std::fs::write(home.path("store/portolan.toml"), config).expect("written");
        let create = format!("CREATE EXTERNAL CONNECTION cloud AS '{uri}'");
        home.done(&["sql", "-e", &create]);
        Self { home, server }
    }

    /// What doctor says of the connection and of all of them together: outcome, detail and hint.
    pub(crate) fn doctor(&self, arguments: &[&str]) -> Vec<[String; 4]> {
        let all = [&["doctor", "--format", "json"], arguments].concat();
        let told = self.home.done(&all);
        let rows: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let rows = rows.as_array().expect("rows").iter().map(|row| {
            ["check", "outcome", "detail", "hint"]
                .map(|column| row[column].as_str().unwrap_or_default().to_owned())
        });
        rows.filter(|row| row[0] == "uploads" || row[0].starts_with("external://"))
            .collect()
    }

    /// The objects that the connection lists.
    pub(crate) fn objects(&self) -> String {
        self.home
            .done(&["ls", "-r", "external://cloud", "--format", "csv"])
            .lines()
            .filter_map(|line| line.split(',').next())
            .filter(|name| !name.starts_with("crdb_"))
            .collect::<Vec<_>>()
            .join(" ")
    }
}
