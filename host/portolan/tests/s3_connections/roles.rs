//! Roles, sessions and policies, against moto: it verifies signatures, tokens, policies and whom a
//! role trusts. It compares no clocks, regions or hashes of bodies, lets a missing external id pass
//! and never ends a session; its token service refuses in a form that is not AWS's, without a code.

use portolan_servers::s3::{CHATTER, HOST, REGION, TOKEN_HOST};
use portolan_servers::{Authority, Moto, MotoUser};

use crate::causes::{reached, written};
use crate::told::{Told, step, told, uri, ways};

const ROLE_TWO: &str = Moto::ROLE_TWO;
const EXTERNAL_ID: &str = Moto::EXTERNAL_ID;

/// Moto, and the authority of its certificate.
struct Setting {
    moto: Moto,
    authority: Authority,
}

async fn full(setting: &Setting, key: &MotoUser, options: &[(&str, &str)]) -> Told {
    let mut all = vec![
        ("AWS_ACCESS_KEY_ID", key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ("AWS_REGION", REGION),
    ];
    if let Some(token) = &key.token {
        all.push(("AWS_SESSION_TOKEN", token));
    }
    for (name, value) in options {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    let hosts = [HOST, TOKEN_HOST].map(|host| (format!("{host}:443"), setting.moto.address()));
    let options = ways(&setting.authority.pem(), &hosts);
    let told = told(options, &uri(&all), "full").await;
    let shown = format!("{:?} {:?}", told.error, told.steps);
    for forbidden in [&key.secret, key.token.as_ref().unwrap_or(&key.secret)] {
        assert!(!shown.contains(forbidden.as_str()), "{shown}");
    }
    assert!(!shown.contains(CHATTER));
    told
}

fn chain(external_id: &str) -> String {
    let role_one = Moto::ROLE_ONE;
    format!("{role_one};external_id={external_id},{ROLE_TWO}")
}

#[tokio::test]
async fn roles_and_policies_of_moto_which_ends_no_session_and_lets_a_missing_external_id_pass() {
    let authority = Authority::new("tests");
    let moto = Moto::start(&authority, &[HOST, TOKEN_HOST]);
    let (user, session) = (moto.user("ana"), moto.user("session"));
    let moto = Setting { moto, authority };
    let mut well = written();
    well.extend([
        step("list", "ok", "found: 1"),
        step("read back", "ok", "NULL"),
        step("compare", "ok", "NULL"),
    ]);

    // The user's own policy lets it write and read, and not list.
    let told = full(&moto, &user, &[]).await;
    told.is(&written(), "list", "42501", 
"failed to list sentinel ExternalStorage file: S3 does not allow s3:ListBucket (AccessDenied)",
"grant the connection's credentials s3:ListBucket on the bucket, and look for a policy that denies \
 it",
);

    let roles = chain(EXTERNAL_ID);
    let told = full(&moto, &user, &[("ASSUME_ROLE", &roles)]).await;
    told.is_well(&well);

    let roles = chain("another");
    let told = full(&moto, &user, &[("ASSUME_ROLE", &roles)]).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: role 1 of 2, \
 `arn:aws:iam::123456789012:role/one`: the token service answered with status 403",
        "look at the account's CloudTrail for the reason",
    );

    // The second role does not trust the user.
    let told = full(&moto, &user, &[("ASSUME_ROLE", ROLE_TWO)]).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: role 1 of 1, \
 `arn:aws:iam::123456789012:role/two`: the token service answered with status 403",
        "look at the account's CloudTrail for the reason",
    );

    // The first may do nothing in the bucket.
    let roles = format!("{};external_id={EXTERNAL_ID}", Moto::ROLE_ONE);
    let told = full(&moto, &user, &[("ASSUME_ROLE", &roles)]).await;
    told.is(&reached(), "write", "42501", 
"failed to write a sentinel ExternalStorage file: S3 does not allow s3:PutObject (AccessDenied)",
"grant the connection's credentials s3:PutObject on the bucket, and look for a policy that denies \
 it",
);

    let told = full(&moto, &session, &[]).await;
    told.is_well(&well);

    let token = "swordfish/of+another+session";
    let told = full(&moto, &session, &[("AWS_SESSION_TOKEN", token)]).await;
    told.is(&reached(), "write", "28000", 
"failed to write a sentinel ExternalStorage file: S3 refused AWS_SESSION_TOKEN (InvalidToken)",
"give AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN as they were issued together",
);

    let secret = "swordfish-of-another-key";
    let told = full(&moto, &user, &[("AWS_SECRET_ACCESS_KEY", secret)]).await;
    told.is(&reached(), "write", "28000", 
"failed to write a sentinel ExternalStorage file: S3 refused AWS_SECRET_ACCESS_KEY: it is not that \
 of AWS_ACCESS_KEY_ID (SignatureDoesNotMatch)",
"give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a URI a + is written \
 %2B",
);

    let id = "AKIANOBODYKNOWSTHIS1";
    let told = full(&moto, &user, &[("AWS_ACCESS_KEY_ID", id)]).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: S3 does not know AWS_ACCESS_KEY_ID \
 (InvalidAccessKeyId)",
        "check AWS_ACCESS_KEY_ID: it may have been deleted, or be one of another service",
    );

    let roles = chain(EXTERNAL_ID);
    let wrong = [
        ("ASSUME_ROLE", roles.as_str()),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ];
    let told = full(&moto, &user, &wrong).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: role 1 of 2, \
 `arn:aws:iam::123456789012:role/one`: the token service answered with status 403",
        "look at the account's CloudTrail for the reason",
    );
}
