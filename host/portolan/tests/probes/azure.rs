//! `azure-blob`: Azurite, and a stand-in for Entra.

use portolan::EgressOptions;
use portolan_servers::{
    AZURITE_ACCOUNT, Answer, Authority, Azurite, EntraApplication, EntraStandIn, HttpServer, answer,
};

use super::told::{checked, escaped, expect, failing, made, named, nobody, ways};

const HOST: &str = "portolantest.blob.core.windows.net";
const LOGIN: &str = "login.microsoftonline.com";
const SECRET: &str = "abC8Q~s3cr3t+/&=of%client";
const CHATTER: &str = "hunter2-of-the-server";

struct Servers {
    azurite: Azurite,
    entra: EntraStandIn,
    authority: Authority,
}

impl Servers {
    fn start() -> Self {
        let authority = Authority::new("of the servers");
        let application = EntraApplication {
            tenant: "contoso.example".to_owned(),
            client: "backup-client".to_owned(),
            secret: SECRET.to_owned(),
        };
        let azurite = Azurite::start(&authority, &[HOST]);
        azurite.make_container("harbour");
        Self {
            azurite,
            entra: EntraStandIn::start(&authority, &[LOGIN], application),
            authority,
        }
    }

    fn options(&self) -> EgressOptions {
        self.account_at(self.azurite.address())
    }

    /// The account is what listens at this address.
    fn account_at(&self, address: std::net::SocketAddr) -> EgressOptions {
        ways(
            &self.authority,
            &[
                (&format!("{HOST}:443"), address),
                (&format!("{LOGIN}:443"), self.entra.address()),
            ],
        )
    }

    fn with_key(&self) -> String {
        with_key("harbour", self.azurite.key())
    }

    async fn failing(&self, options: EgressOptions, uri: &str) -> String {
        failing(options, uri, &[SECRET, CHATTER, self.azurite.key()]).await
    }
}

fn with_key(container: &str, key: &str) -> String {
    let key = escaped(key);
    format!(
        "azure-blob://{container}/in/here?AZURE_ACCOUNT_NAME={AZURITE_ACCOUNT}&\
         AZURE_ACCOUNT_KEY={key}"
    )
}

fn with_client(secret: &str) -> String {
    let secret = escaped(secret);
    format!(
        "azure://harbour/in/here?AZURE_ACCOUNT_NAME={AZURITE_ACCOUNT}&\
         AZURE_TENANT_ID=contoso.example&AZURE_CLIENT_ID=backup-client&\
         AZURE_CLIENT_SECRET={secret}"
    )
}

/// An error as Azure's documentation writes it.
fn refusal(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>{CHATTER}</Message></Error>");
    answer(status, &[("x-ms-error-code", code)], body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_a_client_go_all_the_way() {
    let servers = Servers::start();
    for uri in [servers.with_key(), with_client(SECRET)] {
        assert_eq!(
            made(servers.options(), &uri).await,
            "resolve ok, dial ok, tls ok, write ok, list ok, read back ok, compare ok"
        );
        checked(servers.options(), &uri).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_and_secrets_are_told_as_azurite_and_the_stand_in_for_entra_say_it() {
    let servers = Servers::start();
    let wrong = with_key("harbour", "bm90IHRoZSBrZXkgb2YgdGhlIGFjY291bnQ=");
    expect(
        &servers.failing(servers.options(), &wrong).await,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "28000",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: Azure Blob Storage refused AZURE_ACCOUNT_KEY: it is not that of \
             AZURE_ACCOUNT_NAME (InvalidAuthenticationInfo)",
            "give one of the two keys of the account AZURE_ACCOUNT_NAME as they are now; in a URI \
             a + is written %2B",
        ],
    );
    expect(
        &servers
            .failing(servers.options(), &with_client(CHATTER))
            .await,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "28000",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: login.microsoftonline.com refused the credentials: the client \
             secret is wrong",
            "give the value of the client's secret, not the secret's ID, and check that it belongs \
             to this client",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_container_is_told() {
    let servers = Servers::start();
    let missing = with_key("nowhere", servers.azurite.key());
    expect(
        &servers.failing(servers.options(), &missing).await,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "42704",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: the container does not exist (ContainerNotFound)",
            "check the name of the container, or create it",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn why_the_account_is_not_reached_is_told() {
    let servers = Servers::start();
    let uri = servers.with_key();
    let untrusting = EgressOptions {
        roots: portolan::TrustRoots::nobody(),
        ..servers.options()
    };
    expect(
        &servers.failing(untrusting, &uri).await,
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "failed to create azure external connection: portolantest.blob.core.windows.net:443: \
             the server's certificate comes from an authority that is not trusted",
            "give the connection the certificate of the server's own authority, or add it to [tls] \
             extra_ca; if the authority should be known, look for a proxy that breaks TLS",
        ],
    );
    let misnamed = servers.account_at(servers.entra.address());
    expect(
        &servers.failing(misnamed, &uri).await,
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "failed to create azure external connection: portolantest.blob.core.windows.net:443: \
             the server's certificate is for another name",
            "write the host as the server's certificate names it, or have the certificate issued \
             for this name",
        ],
    );
    expect(
        &servers.failing(servers.account_at(nobody()), &uri).await,
        [
            "resolve ok, dial failed",
            "08001",
            "failed to create azure external connection: portolantest.blob.core.windows.net:443 \
             refused the connection",
            "check the port, and that the server is running",
        ],
    );
    expect(
        &servers.failing(named(&[]), &uri).await,
        [
            "resolve failed",
            "08001",
            "failed to create azure external connection: the name \
             portolantest.blob.core.windows.net does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ],
    );
    expect(
        &servers.failing(named(&[[10, 0, 0, 1]]), &uri).await,
        [
            "resolve failed",
            "42501",
            "failed to create azure external connection: the policy denies \
             portolantest.blob.core.windows.net:443: the name stands for a private address",
            "if it is meant, allow it with the rule portolantest.blob.core.windows.net:443 in the \
             host's policy",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_and_a_missing_role_are_told_in_the_words_of_azures_documentation() {
    let servers = Servers::start();
    let redirecting = HttpServer::encrypted(&servers.authority, &[HOST], |_| {
        let location = "https://hunter2-of-the-server:x@elsewhere.example/";
        Box::pin(async move { answer(307, &[("location", location)], "") })
    });
    let options = servers.account_at(redirecting.address());
    expect(
        &servers.failing(options, &servers.with_key()).await,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "08P01",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: portolantest.blob.core.windows.net redirects to \
             elsewhere.example",
            "name the host that is meant: redirects are not followed, so that credentials go \
             nowhere else",
        ],
    );
    let denying = HttpServer::encrypted(&servers.authority, &[HOST], |_| {
        Box::pin(async { refusal(403, "AuthorizationPermissionMismatch") })
    });
    let options = servers.account_at(denying.address());
    expect(
        &servers.failing(options, &with_client(SECRET)).await,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "42501",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: Azure Blob Storage does not allow blobs/write \
             (AuthorizationPermissionMismatch)",
            "grant the client the role Storage Blob Data Contributor on the container, and allow \
             this host in the account's network rules",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told_in_the_words_of_azures_documentation() {
    let servers = Servers::start();
    let ahead = HttpServer::encrypted(&servers.authority, &[HOST], |_| {
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(7200);
        let ahead = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut told = refusal(403, "AuthenticationFailed");
        told.headers_mut()
            .insert("date", ahead.parse().expect("a value"));
        Box::pin(async move { told })
    });
    let options = servers.account_at(ahead.address());
    let told = servers.failing(options, &servers.with_key()).await;
    let (_, seconds) = told.split_once("clock is ").expect("the skew");
    let (seconds, _) = seconds.split_once(' ').expect("a number");
    // A busy machine may take a while to read the answer.
    let number: u32 = seconds.parse().expect("a number");
    assert!((7000..=7200).contains(&number), "{seconds}");
    let told = told.replace(&format!(" {seconds} s "), " 7200 s ");
    expect(
        &told,
        [
            "resolve ok, dial ok, tls ok, write failed",
            "28000",
            "failed to create azure external connection: failed to write a sentinel \
             ExternalStorage file: this host's clock is 7200 s behind that of Azure Blob Storage \
             (AuthenticationFailed)",
            "set this host's clock, and keep it by NTP",
        ],
    );
}
