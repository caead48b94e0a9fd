//! Tokens of Microsoft Entra, from a stand-in for its token endpoint that checks tenant, client and
//! secret. That the real service answers like it is not proved.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::time::Duration;

use common::{client, plan};
use http::Uri;
use portolan_contract::StoredPlan;
use portolan_egress::credentials::{AzureService, CredentialError, EntraTokens, TokenRefusal};
use portolan_servers::{Authority, EntraApplication, EntraStandIn};

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
