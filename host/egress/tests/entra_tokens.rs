//! Tokens of Microsoft Entra, from a stand-in for its token endpoint that checks tenant, client and
//! secret; and from a stand-in for the metadata service of a machine. That the real services answer
//! like them is not proved.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::time::Duration;

use common::{client, client_of, plan};
use http::Uri;
use portolan_contract::StoredPlan;
use portolan_egress::MetadataClient;
use portolan_egress::credentials::aws::HostEnvironment;
use portolan_egress::credentials::{AzureService, CredentialError, EntraTokens, TokenRefusal};
use portolan_servers::{Authority, EntraApplication, EntraStandIn, HttpServer, answer};

const LOGIN: &str = "login.microsoftonline.com";
const STORAGE: &str = "acct.blob.core.windows.net";
const SECRET: &str = "abC8Q~s3cr3t+/&=of%client";

struct Setting {
    authority: Authority,
    entra: EntraStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("tests");
        let application = EntraApplication {
            tenant: "tenant-1".to_owned(),
            client: "client-1".to_owned(),
            secret: SECRET.to_owned(),
        };
        Self {
            entra: EntraStandIn::start(&authority, &[LOGIN, STORAGE], application),
            authority,
        }
    }

    fn tokens(&self, plan: &StoredPlan) -> Result<EntraTokens, CredentialError> {
        let client = client(plan, &self.authority, self.entra.address());
        EntraTokens::of_plan(&client, plan, AzureService::Storage)
    }

    /// The token that the host lends by these variables, and by its machine.
    #[expect(
        clippy::disallowed_methods,
        reason = "the machine's service is a stand-in"
    )]
    async fn lent(
        &self,
        variables: &[(&str, &str)],
        machine: Option<&HttpServer>,
    ) -> Result<String, CredentialError> {
        let plan = plan(&[STORAGE], &[("credentials", "implicit")], &[], &[]);
        let hosts = [STORAGE, LOGIN];
        let client = client_of(&plan, &hosts, &self.authority, self.entra.address());
        let machine = machine.map(|machine| {
            MetadataClient::on_loopback(machine.address().port(), Duration::from_secs(30))
        });
        let environment = HostEnvironment::of(variables.iter().copied());
        let tokens =
            EntraTokens::lent(&client, &plan, AzureService::Storage, environment, machine)?;
        bearer(&tokens).await
    }

    async fn token(
        &self,
        tenant: &str,
        client: &str,
        secret: &str,
    ) -> Result<String, CredentialError> {
        let tokens = self.tokens(&application(tenant, client, secret))?;
        bearer(&tokens).await
    }
}

fn application(tenant: &str, client: &str, secret: &str) -> StoredPlan {
    let settings = [("tenant", tenant), ("client-id", client)];
    plan(
        &[STORAGE, LOGIN],
        &settings,
        &[("client-secret", secret)],
        &[],
    )
}

async fn bearer(tokens: &EntraTokens) -> Result<String, CredentialError> {
    let uri = Uri::from_static("https://acct.blob.core.windows.net/container/blob");
    let value = tokens.authorization(&uri).await?;
    assert!(value.is_sensitive());
    Ok(value.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn a_client_s_secret_becomes_one_token_that_is_renewed_before_it_ends() {
    let setting = Setting::new();
    let plan = application("tenant-1", "client-1", SECRET);
    let tokens = setting.tokens(&plan).expect("a client");
    let first = bearer(&tokens).await.expect("a token");
    assert!(first.starts_with("Bearer ey"), "{first}");
    assert_eq!(bearer(&tokens.clone()).await, Ok(first.clone()));
    assert_eq!(setting.entra.given(), 1);

    tokens.forget();
    setting.entra.set_lifetime(2);
    bearer(&tokens).await.expect("a token");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    bearer(&tokens).await.expect("a token");
    assert_eq!(setting.entra.given(), 3);
    assert!(!format!("{tokens:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_the_number_of_the_refusal() {
    let setting = Setting::new();
    for (tenant, client, secret, refusal, hint) in [
        (
            "tenant-1",
            "client-1",
            "hunter2",
            TokenRefusal::WrongSecret,
            "give the value of the client's secret, not the secret's ID",
        ),
        (
            "tenant-1",
            "client-2",
            "hunter2",
            TokenRefusal::UnknownClient,
            "check the client's ID, and that it belongs to this tenant",
        ),
        (
            "tenant-2",
            "client-1",
            "hunter2",
            TokenRefusal::UnknownTenant,
            "check the tenant, and the Azure environment that it is in",
        ),
        (
            "../../tenant-1",
            "client-1",
            "hunter2",
            TokenRefusal::UnknownTenant,
            "check the tenant",
        ),
    ] {
        let error = setting
            .token(tenant, client, secret)
            .await
            .expect_err("refused");
        let host = LOGIN.to_owned();
        let shown = format!("{error} {error:?} {:?}", error.failure());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(error.failure().class.sqlstate(), "28000");
        assert!(error.hint().starts_with(hint), "{}", error.hint());
        assert_eq!(error, CredentialError::Refused { host, refusal });
    }
}

#[tokio::test]
async fn further_numbers_and_clocks_have_their_own_words() {
    let setting = Setting::new();
    let plan = application("tenant-1", "client-1", SECRET);
    let now = "Thu, 01 Jan 2032 00:00:00 GMT";
    for (date, body, expected) in [
        (
            None,
            r#"{"error":"invalid_client","error_codes":[7000222]}"#,
            "has expired",
        ),
        (
            None,
            r#"{"error":"invalid_client","error_codes":[7000112]}"#,
            "is disabled",
        ),
        (
            None,
            r#"{"error":"access_denied","error_codes":[53003]}"#,
            "a rule of the tenant",
        ),
        (
            None,
            r#"{"error":"invalid_client","error_codes":[1]}"#,
            "the client secret is wrong",
        ),
        (
            None,
            r#"{"error":"hunter2"}"#,
            "the reason is none that this host knows",
        ),
        (
            Some(now),
            r#"{"error":"invalid_client","error_codes":[1]}"#,
            " s behind that of",
        ),
        (
            Some(now),
            r#"{"error":"invalid_client","error_codes":[7000215]}"#,
            "secret is wrong",
        ),
    ] {
        let headers: Vec<_> = date.iter().map(|date| ("date", *date)).collect();
        setting.entra.answer_with(401, &headers, body);
        let tokens = setting.tokens(&plan).expect("a client");
        let error = bearer(&tokens).await.expect_err("refused");
        assert!(error.to_string().contains(expected), "{body}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn the_secret_goes_to_the_cloud_s_own_login_and_the_token_under_its_suffix() {
    let setting = Setting::new();
    // A plan that names another login host: the cloud's own is asked, which is not in it.
    let settings = [("tenant", "tenant-1"), ("client-id", "client-1")];
    let evil = plan(
        &[STORAGE, "login.evil.example"],
        &settings,
        &[("client-secret", SECRET)],
        &[],
    );
    let error = bearer(&setting.tokens(&evil).expect("a client")).await;
    let error = error.expect_err("not planned");
    assert!(
        error.to_string().contains("no endpoint of the connection"),
        "{error}"
    );

    let tokens = setting
        .tokens(&application("tenant-1", "client-1", SECRET))
        .expect("a client");
    let uri = Uri::from_static("https://kv.vault.azure.net/keys");
    let error = tokens.authorization(&uri).await.expect_err("elsewhere");
    assert_eq!(
        error.to_string(),
        "the connection's token is not sent to kv.vault.azure.net: it is for \
         *.blob.core.windows.net over TLS only"
    );
    assert_eq!(setting.entra.given(), 0);
}

#[tokio::test]
async fn a_plan_that_is_not_whole_is_told() {
    let setting = Setting::new();
    let whole = [
        ("tenant", "t"),
        ("client-id", "c"),
        ("environment", "AzureChinaCloud"),
    ];
    let secret = [("client-secret", "s")];
    for (settings, secrets, expected) in [
        (&whole[..1], &secret[..], "has no client"),
        (&whole[1..2], &secret[..], "has no tenant"),
        (&whole[..2], &[][..], "has no client secret"),
        (
            &[("tenant", "t"), ("client-id", "c"), ("environment", "Mars")][..],
            &secret[..],
            "an Azure environment that this host does not know",
        ),
        (
            &[("credentials", "implicit")][..],
            &[][..],
            "lends its connections no credentials of Azure",
        ),
    ] {
        let error = setting
            .tokens(&plan(&[STORAGE], settings, secrets, &[]))
            .expect_err("refused");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// Answers as the metadata service of a machine in Azure is documented to.
fn machine() -> HttpServer {
    HttpServer::plain(|request| {
        let line = format!("{} {}", request.method(), request.uri());
        let asked = "GET /metadata/identity/oauth2/token?api-version=2018-02-01&\
                     resource=https%3A%2F%2Fstorage.azure.com%2F";
        let told = match request.headers().get("metadata") {
            Some(value) if value == "true" && line == asked => answer(
                200,
                &[],
                r#"{"access_token":"of-the-machine","expires_in":"86399","token_type":"Bearer"}"#,
            ),
            Some(value) if value == "true" && line == format!("{asked}&client_id=second") => {
                answer(
                    200,
                    &[],
                    r#"{"access_token":"of-the-second","expires_in":"86399"}"#,
                )
            }
            _ => answer(
                400,
                &[],
                r#"{"error":"invalid_request","hunter2":"hunter2"}"#,
            ),
        };
        Box::pin(async move { told })
    })
}

#[tokio::test]
async fn a_host_lends_what_its_variables_say_and_else_what_its_machine_is_given() {
    let setting = Setting::new();
    let machine = machine();
    let application = [
        ("AZURE_TENANT_ID", "tenant-1"),
        ("AZURE_CLIENT_ID", "client-1"),
    ];
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "who I am\n").expect("written");
    let path = file.path().to_str().expect("a path");
    setting.entra.trust("who I am");
    for (more, expected) in [
        (&[("AZURE_CLIENT_SECRET", SECRET)][..], "Bearer ey"),
        (&[("AZURE_FEDERATED_TOKEN_FILE", path)], "Bearer ey"),
    ] {
        let variables = [&application[..], more].concat();
        let token = setting.lent(&variables, Some(&machine)).await;
        assert!(token.expect("a token").starts_with(expected));
    }
    assert_eq!(setting.entra.given(), 2);
    for (variables, expected) in [
        (&[][..], "Bearer of-the-machine"),
        (&[("AZURE_CLIENT_ID", "second")], "Bearer of-the-second"),
        // No authority that a variable names is asked.
        (
            &[
                ("AZURE_AUTHORITY_HOST", "https://evil.example/"),
                ("AZURE_TENANT_ID", "t"),
            ],
            "Bearer of-the-machine",
        ),
    ] {
        let token = setting.lent(variables, Some(&machine)).await;
        assert_eq!(token.expect("a token"), expected);
    }
    assert_eq!(setting.entra.given(), 2);
}

#[tokio::test]
async fn what_a_host_cannot_lend_is_told_with_what_to_do() {
    let setting = Setting::new();
    let machine = machine();
    let application = [
        ("AZURE_TENANT_ID", "tenant-1"),
        ("AZURE_CLIENT_ID", "client-1"),
    ];
    let with = |name, value| [&application[..], &[(name, value)]].concat();
    for (variables, machine, state, message) in [
        (
            vec![],
            None,
            "0A000",
            "this host lends its connections no credentials of Azure",
        ),
        (
            vec![("AZURE_CLIENT_ID", "third")],
            Some(&machine),
            "0A000",
            "the metadata service of this machine gives no credentials of Azure",
        ),
        (
            with("AZURE_CLIENT_SECRET", "hunter2"),
            Some(&machine),
            "28000",
            "login.microsoftonline.com refused the credentials: the client secret is wrong",
        ),
        (
            with("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/hunter2"),
            Some(&machine),
            "0A000",
            "the file with the identity of this host cannot be read",
        ),
    ] {
        let error = setting.lent(&variables, machine).await;
        let failure = error.expect_err(message).failure();
        assert_eq!(
            (failure.class.sqlstate(), failure.message.as_str()),
            (state, message)
        );
        assert!(failure.hint.is_some(), "{failure:?}");
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    }
}
