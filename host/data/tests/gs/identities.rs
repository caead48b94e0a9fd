//! Who a connection is: keys, users, tokens, and chains of accounts.
//!
//! The token service and that of impersonation are a stand-in, which checks signatures, times, scopes
//! and links.

use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use portolan_contract::FailureClass;
use portolan_servers::ServiceAccount;

use crate::server::*;

const SECOND: &str = "second@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";

fn object() -> Path {
    Path::from("one")
}

async fn put(store: &Store) -> Result<(), Error> {
    store.put(&object(), "content".into()).await.map(drop)
}

#[tokio::test]
async fn a_key_becomes_one_token_for_all_requests_to_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    let puts = (0..20).map(|_| put(&store));
    for done in futures::future::join_all(puts).await {
        done.expect("put");
    }
    assert_eq!(setting.google.given(), 1);
}

#[tokio::test]
async fn a_user_who_has_logged_in_once_is_known_to_a_stand_in() {
    let setting = Setting::new();
    let user = setting.google.user();
    let store = setting.store(&Planned::with(("credentials", &user)));
    put(&store).await.expect("put");
    assert_eq!(setting.google.given(), 1);
}

#[tokio::test]
async fn a_token_is_sent_to_a_stand_in_as_it_was_given() {
    let setting = Setting::new();
    let token = setting.google.give(ACCOUNT);
    let store = setting.store(&Planned::with(("bearer-token", &token)));
    put(&store).await.expect("put");
    assert_eq!(setting.google.given(), 1, "that of the test");
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_told_and_not_sent_again_to_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&Planned::given());
    let error = put(&store).await.expect_err("refused");
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    expect(
        &failure(&error),
        "28000",
        "Google Cloud Storage refused the connection's token",
        "give the connection a token that is still valid, or a key, whose tokens are renewed",
    );
    assert_eq!(setting.methods(), ["PUT"]);
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_renewed_before_it_is_sent_to_a_stand_in() {
    let setting = Setting::new();
    setting.google.set_lifetime(2);
    let store = setting.store(&setting.planned());
    put(&store).await.expect("put");
    // From now on nobody takes it, which would be told by a request that is refused.
    setting.google.revoke_tokens();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    put(&store).await.expect("put");
    assert_eq!(setting.google.given(), 2);
    assert_eq!(setting.methods(), ["PUT", "PUT"], "none was refused");
}

#[tokio::test]
async fn a_token_that_was_revoked_is_replaced_once_by_a_stand_in() {
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    put(&store).await.expect("put");
    setting.google.revoke_tokens();
    put(&store).await.expect("put");
    assert_eq!(setting.google.given(), 2);
    assert_eq!(setting.methods().len(), 3);

    // Where a new one is not taken either, that is the end.
    setting.google.answer_with(STORAGE, 401, &[], "");
    let error = put(&store).await.expect_err("refused");
    assert_eq!(failure(&error).class, FailureClass::RefusedCredentials);
    assert_eq!(setting.google.given(), 3);
}

#[tokio::test]
async fn a_chain_of_accounts_acts_as_its_last_in_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_bucket(LAST);
    setting.google.allow(ACCOUNT, SECOND);
    setting.google.allow(SECOND, LAST);
    let store = setting.store(&setting.planned().through(&[SECOND, LAST]));
    put(&store).await.expect("put");
    put(&store).await.expect("put");
    assert_eq!(
        setting.google.given(),
        2,
        "one of the key, one of the chain"
    );

    // Both tokens are gone, and both are replaced.
    setting.google.revoke_tokens();
    put(&store).await.expect("put");
    assert_eq!(setting.google.given(), 4);

    let error = put(&setting.store(&setting.planned())).await;
    expect(
        &failure(&error.expect_err("not the owner")),
        "42501",
        "Google Cloud Storage does not allow storage.objects.create (AccessDenied)",
        "grant the connection's credentials storage.objects.create on the bucket, and look for a \
         policy that denies it",
    );
}

#[tokio::test]
async fn a_chain_that_does_not_hold_asks_the_bucket_nothing_in_a_stand_in() {
    let setting = Setting::new();
    setting.google.allow(ACCOUNT, SECOND);
    let store = setting.store(&setting.planned().through(&[SECOND, LAST]));
    let error = put(&store).await.expect_err("denied");
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    expect(
        &failure(&error),
        "42501",
        &format!(
            "failed to assume role: iamcredentials.googleapis.com refused the credentials: it is \
             not allowed to act as `{LAST}`"
        ),
        "grant the account before it in the chain the role Service Account Token Creator on it",
    );
    assert!(setting.methods().is_empty());
}

#[tokio::test]
async fn wrong_keys_are_refused_by_a_stand_in_for_the_token_service() {
    let setting = Setting::new();
    let other = ServiceAccount::new(ACCOUNT).json();
    let user = setting.google.user();
    let cases = [
        (
            other,
            "the service account's key is not accepted",
            "create a new key for the service account, unless the account itself was disabled or \
             deleted",
        ),
        (
            user.replace("r3fr3sh-t0k3n", "another"),
            "the refresh token has expired or was revoked",
            "let the user log in again, and give the new credentials",
        ),
        (
            user.replace("s3cr3t-of-client", "another"),
            "the client secret is wrong",
            "give the value of the client's secret, not the secret's ID, and check that it \
             belongs to this client",
        ),
    ];
    for (key, reason, hint) in cases {
        let store = setting.store(&Planned::with(("credentials", &key)));
        let error = put(&store).await.expect_err("refused");
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
        expect(
            &failure(&error),
            "28000",
            &format!("oauth2.googleapis.com refused the credentials: {reason}"),
            hint,
        );
    }
    assert!(setting.methods().is_empty());
    assert_eq!(setting.google.given(), 0);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_in_seconds_by_the_date_of_a_stand_in() {
    let setting = Setting::new();
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    setting.google.answer_with(
        TOKENS,
        400,
        &[("date", &date)],
        r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#,
    );
    let store = setting.store(&setting.planned());
    let failure = failure(&put(&store).await.expect_err("refused"));
    let message = "oauth2.googleapis.com refused the credentials: this host's clock is ";
    let skew = failure.message.strip_prefix(message).expect("the skew");
    let (seconds, rest) = skew.split_once(' ').expect("a number");
    // A few seconds may pass on the way.
    let seconds: u32 = seconds.parse().expect("a number");
    assert!((3540..=3600).contains(&seconds), "{seconds}");
    assert_eq!(rest, "s behind that of the server");
    assert_eq!(failure.class, FailureClass::RefusedCredentials);
    assert_eq!(
        failure.hint.as_deref(),
        Some("set this host's clock, and have it kept by NTP")
    );
}

#[tokio::test]
async fn a_key_that_would_lead_elsewhere_is_refused_before_anybody_is_asked() {
    let setting = Setting::new();
    let key = setting.key.replace(
        "https://oauth2.googleapis.com/token",
        "https://evil.example/token",
    );
    let plan = Planned::with(("credentials", &key)).plan();
    let error = backends(setting.options())
        .build(&plan)
        .expect_err("refused");
    assert_eq!(
        (error.sqlstate().as_str(), error.to_string().as_str()),
        (
            "22023",
            "the field `token_uri` of the Google credentials has a value that is not taken"
        )
    );
}
