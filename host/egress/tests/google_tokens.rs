//! Tokens of Google's, from a stand-in for its token endpoint and its impersonation that checks
//! signatures, times, scopes and links. That the real services answer like it is not proved.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::time::Duration;

use common::{client, plan};
use http::Uri;
use portolan_contract::{FailureClass, StoredPlan};
use portolan_egress::credentials::{CredentialError, GoogleTokens, STORAGE_SCOPE, TokenRefusal};
use portolan_servers::{Authority, GoogleStandIn, ServiceAccount};

const STORAGE: &str = "storage.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";
const ROLES: &str = "iamcredentials.googleapis.com";
const FIRST: &str = "first@p.iam.gserviceaccount.com";

struct Setting {
    authority: Authority,
    google: GoogleStandIn,
    json: String,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("tests");
        let account = ServiceAccount::new(FIRST);
        let json = account.json();
        Self {
            google: GoogleStandIn::start(&authority, "bucket", account),
            authority,
            json,
        }
    }

    fn plan(&self, secret: (&str, &str), roles: &[&str]) -> StoredPlan {
        plan(&[STORAGE, TOKENS, ROLES], &[], &[secret], roles)
    }

    fn tokens(&self, plan: &StoredPlan) -> Result<GoogleTokens, CredentialError> {
        let client = client(plan, &self.authority, self.google.address());
        GoogleTokens::of_plan(&client, plan, STORAGE_SCOPE)
    }

    /// The token that a plan with these credentials sends to storage.
    async fn token(&self, secret: (&str, &str), roles: &[&str]) -> Result<String, CredentialError> {
        let tokens = self.tokens(&self.plan(secret, roles))?;
        bearer(&tokens).await
    }
}

async fn bearer(tokens: &GoogleTokens) -> Result<String, CredentialError> {
    let value = tokens.authorization(&storage()).await?;
    assert!(value.is_sensitive());
    Ok(value.to_str().expect("text").to_owned())
}

fn storage() -> Uri {
    Uri::from_static("https://storage.googleapis.com/bucket/object")
}

/// The refusal, after a look at everything that could be shown.
fn refusal(error: &CredentialError, secrets: &[&str]) -> TokenRefusal {
    let shown = format!("{error} {error:?} {:?}", error.failure());
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
    match error {
        CredentialError::Refused { refusal, .. } => refusal.clone(),
        other => panic!("{other:?}"),
    }
}

/// The refusal of the last account of a chain.
fn refusal_of_role(error: &CredentialError, secrets: &[&str]) -> TokenRefusal {
    assert!(
        error.to_string().starts_with("failed to assume role: "),
        "{error}"
    );
    match error {
        CredentialError::Role(cause) => refusal(cause, secrets),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_service_account_s_key_becomes_one_token_for_all_requests() {
    let setting = Setting::new();
    let tokens = setting
        .tokens(&setting.plan(("credentials", &setting.json), &[]))
        .expect("a key");
    let first = bearer(&tokens).await.expect("a token");
    assert_eq!(first, format!("Bearer ya29.t0k3n-1-{FIRST}"));
    assert_eq!(bearer(&tokens.clone()).await, Ok(first));
    assert_eq!(setting.google.given(), 1);
    assert!(!format!("{tokens:?}").contains("PRIVATE"));
    tokens.forget();
    bearer(&tokens).await.expect("another token");
    assert_eq!(setting.google.given(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let setting = Setting::new();
    setting.google.set_lifetime(2);
    let tokens = setting
        .tokens(&setting.plan(("credentials", &setting.json), &[]))
        .expect("a key");
    let first = bearer(&tokens).await.expect("a token");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = bearer(&tokens).await.expect("a token");
    assert_ne!(
        first, second,
        "the first still lives, for less than half of its life"
    );
}

#[tokio::test]
async fn a_user_s_refresh_token_becomes_a_token_and_a_given_one_stays_as_it_is() {
    let setting = Setting::new();
    let user = setting.google.user();
    let token = setting.token(("credentials", &user), &[]).await;
    assert_eq!(token, Ok(format!("Bearer ya29.t0k3n-1-{FIRST}")));
    let given = setting.token(("bearer-token", "ya29.given"), &[]).await;
    assert_eq!(given, Ok("Bearer ya29.given".to_owned()));
    assert_eq!(setting.google.given(), 1);
}

#[tokio::test]
async fn a_chain_acts_as_its_last_account_through_those_before() {
    let setting = Setting::new();
    let chain = ["second@p.example", "third@p.example", "last@p.example"];
    for (caller, target) in [
        (FIRST, chain[0]),
        (chain[0], chain[1]),
        (chain[1], chain[2]),
    ] {
        setting.google.allow(caller, target);
    }
    let token = setting.token(("credentials", &setting.json), &chain).await;
    assert_eq!(token, Ok("Bearer ya29.t0k3n-2-last@p.example".to_owned()));
    let token = setting
        .token(("credentials", &setting.json), &chain[..1])
        .await;
    assert_eq!(token, Ok("Bearer ya29.t0k3n-4-second@p.example".to_owned()));
}

#[tokio::test]
async fn a_link_that_does_not_hold_is_told_with_the_account_and_the_role_to_grant() {
    let setting = Setting::new();
    setting.google.allow(FIRST, "second@p.example");
    let chain = ["second@p.example", "last@p.example"];
    let error = setting
        .token(("credentials", &setting.json), &chain)
        .await
        .expect_err("no link");
    let failure = error.failure();
    assert_eq!(failure.class, FailureClass::Denied);
    assert_eq!(
        failure.message,
        "failed to assume role: iamcredentials.googleapis.com refused the credentials: it is not \
         allowed to act as `last@p.example`"
    );
    assert_eq!(
        failure.hint.as_deref(),
        Some(
            "grant the account before it in the chain the role Service Account Token Creator on it"
        )
    );
    let error = setting
        .token(("credentials", &setting.json), &["nobody@p.example"])
        .await
        .expect_err("no account");
    assert_eq!(error.failure().class, FailureClass::NotFound);

    let error = setting
        .token(("bearer-token", "ya29.made-up"), &["last@p.example"])
        .await
        .expect_err("no token");
    assert_eq!(
        refusal_of_role(&error, &["made-up"]),
        TokenRefusal::TokenNotAccepted
    );
    assert_eq!(error.failure().class, FailureClass::RefusedCredentials);

    // What the first identity itself is refused is no matter of roles.
    let other = ServiceAccount::new(FIRST).json();
    let error = setting
        .token(("credentials", &other), &["last@p.example"])
        .await
        .expect_err("a wrong key");
    assert_eq!(refusal(&error, &[]), TokenRefusal::KeyNotAccepted);

    setting.google.answer_with(
        ROLES,
        403,
        &[],
        r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
    );
    let error = setting
        .token(("credentials", &setting.json), &["last@p.example"])
        .await
        .expect_err("disabled");
    assert_eq!(refusal_of_role(&error, &[]), TokenRefusal::ApiDisabled);
}

#[tokio::test]
async fn wrong_keys_are_refused_with_what_to_do() {
    let setting = Setting::new();
    let other = ServiceAccount::new(FIRST);
    let user = setting.google.user();
    let secret = user.replace("s3cr3t-of-client", "hunter2");
    let refresh = user.replace("r3fr3sh-t0k3n", "hunter2");
    for (json, expected, hint) in [
        (
            other.json(),
            TokenRefusal::KeyNotAccepted,
            "create a new key",
        ),
        (
            secret,
            TokenRefusal::WrongSecret,
            "give the value of the client's secret",
        ),
        (
            refresh,
            TokenRefusal::RefreshTokenEnded,
            "let the user log in again",
        ),
    ] {
        let error = setting
            .token(("credentials", &json), &[])
            .await
            .expect_err("refused");
        assert_eq!(refusal(&error, &["hunter2", "PRIVATE"]), expected);
        assert_eq!(error.failure().class.sqlstate(), "28000");
        assert!(error.hint().starts_with(hint), "{}", error.hint());
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_in_seconds() {
    let setting = Setting::new();
    setting.google.answer_with(
        TOKENS,
        400,
        &[("date", "Thu, 01 Jan 2032 00:00:00 GMT")],
        r#"{"error":"invalid_grant","error_description":"Token must be short-lived"}"#,
    );
    let error = setting
        .token(("credentials", &setting.json), &[])
        .await
        .expect_err("refused");
    let TokenRefusal::ClockSkew { ahead } = refusal(&error, &[]) else {
        panic!("{error:?}");
    };
    assert!(ahead < -3600 * 24 * 365, "{ahead}");
    assert!(
        error.to_string().contains(" s behind that of the server"),
        "{error}"
    );
    assert_eq!(
        error.hint(),
        "set this host's clock, and have it kept by NTP"
    );
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_without_a_word_of_it() {
    let setting = Setting::new();
    let endless = "{\"access_token\":\"".to_owned() + &"x".repeat(100_000);
    for (status, headers, body, class) in [
        (200, vec![], "<html>hunter2</html>", FailureClass::Protocol),
        (200, vec![], "{\"access_token\":5}", FailureClass::Protocol),
        (200, vec![], endless.as_str(), FailureClass::Protocol),
        (
            302,
            vec![("location", "https://evil.example/hunter2")],
            "",
            FailureClass::Protocol,
        ),
        (400, vec![], "hunter2", FailureClass::Protocol),
        (
            400,
            vec![],
            "{\"error\":\"hunter2\"}",
            FailureClass::RefusedCredentials,
        ),
        (503, vec![], "hunter2", FailureClass::Unreachable),
    ] {
        setting.google.answer_with(TOKENS, status, &headers, body);
        let error = setting
            .token(("credentials", &setting.json), &[])
            .await
            .expect_err("no token");
        assert_eq!(error.class(), class, "{error}");
        let shown = format!("{error} {error:?} {:?}", error.failure());
        assert!(
            !shown.contains("hunter2") && !shown.contains("evil"),
            "{shown}"
        );
        assert!(shown.contains(TOKENS), "{shown}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_and_sent_in_googles_family_alone_whatever_the_plan_says() {
    let setting = Setting::new();
    let evil = plan(
        &["storage.evil.example"],
        &[],
        &[("credentials", &setting.json)],
        &[],
    );
    let tokens = setting.tokens(&evil).expect("a key");
    // The plan's own endpoint is not one of Google's, and Google's is not in the plan.
    let uri = Uri::from_static("https://storage.evil.example/bucket/object");
    let error = tokens.authorization(&uri).await.expect_err("elsewhere");
    assert_eq!(
        error.to_string(),
        "the connection's token is not sent to storage.evil.example: it is for \
         *.googleapis.com over TLS only"
    );
    assert_eq!(error.failure().class.sqlstate(), "42501");
    let error = bearer(&tokens).await.expect_err("not planned");
    assert!(
        error.to_string().contains("no endpoint of the connection"),
        "{error}"
    );
    assert_eq!(setting.google.given(), 0);
}

#[tokio::test]
async fn what_the_host_does_not_lend_is_told() {
    let setting = Setting::new();
    let implicit = plan(&[STORAGE], &[("credentials", "implicit")], &[], &[]);
    let error = setting.tokens(&implicit).expect_err("nothing lent");
    assert_eq!(error.failure().class.sqlstate(), "0A000");
    let error = setting
        .tokens(&plan(&[STORAGE], &[], &[], &[]))
        .expect_err("nothing");
    assert_eq!(
        error.to_string(),
        "the plan of the connection has no Google credentials"
    );
}
