//! Phase one: the bucket and the credentials, or the reason why not.
//!
//! What stands in CREDENTIALS is for the host alone, which judges it when it uses it; here only the
//! verdict on its format is known.

use portolan_sdk::{
    AssumedRole, Failure, Kind, Options, Plan, PlanEntry, TlsVerification, UriPieces, joined,
    object_prefix, refuse_userinfo,
};

/// The number of the endpoint that serves every bucket.
pub(crate) const STORAGE: u32 = 0;

/// The TLS profile of every endpoint.
const SERVER: &str = "server";

/// The longest name of a bucket, in bytes.
const MAX_BUCKET_BYTES: usize = 222;

/// No chain that anybody has is longer.
const MOST_ROLES: usize = 32;

/// The plan of a `gs` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let auth = options.text("AUTH")?;
    let billing_project = options.text("GOOGLE_BILLING_PROJECT")?;
    let chain = options.text("ASSUME_ROLE")?;
    let credentials = options.secret("CREDENTIALS");
    let token = options.secret("BEARER_TOKEN");
    options.refuse_unknown("GS")?;

    let plan = Plan::new(Kind::Storage)
        .supports(Plan::STORAGE_OPERATIONS)
        .tls(SERVER, TlsVerification::Full)
        .endpoint("storage.googleapis.com", 443, Some(SERVER));
    let plan = match (auth, credentials, token) {
        (Some("implicit"), _, _) => plan
            .set("credentials", "implicit")
            .implicit_access("the Google Cloud credentials of the server"),
        (_, Some(key), _) => match key.base64_problem() {
            Some(problem) => {
                return Err(Failure::invalid_uri(joined(&[
                    "error getting credentials from CREDENTIALS: ",
                    &problem,
                ]))
                .with_hint("Write the JSON key as base64 prints it: base64 --wrap=0 KEY.json.")
                .with_option("CREDENTIALS"));
            }
            None => specified(plan, auth)
                .secret_as_given("credentials", key)
                .endpoint("oauth2.googleapis.com", 443, Some(SERVER)),
        },
        (_, None, Some(token)) => specified(plan, auth).secret_as_given("bearer-token", token),
        (_, None, None) => {
            return Err(Failure::invalid_uri(
                "CREDENTIALS or BEARER_TOKEN must be set if \"AUTH\" is \"specified\"",
            )
            .with_hint("Give one of them, or AUTH=implicit to use the credentials of the server.")
            .with_option("CREDENTIALS"));
        }
    };
    // What users know is checked; from here on it is what no server could make sense of.
    refuse_userinfo(uri)?;
    options.word("GOOGLE_BILLING_PROJECT")?;
    check_bucket(&uri.authority)?;
    let plan = match chain {
        Some(chain) => roles(chain)?.fold(plan, Plan::with).endpoint(
            "iamcredentials.googleapis.com",
            443,
            Some(SERVER),
        ),
        None => plan,
    };
    let plan = match billing_project {
        Some(project) => plan.set("billing-project", project),
        None => plan,
    };
    Ok(plan.object_store("gs", &uri.authority, &object_prefix(uri)?))
}

/// Only a URI that says so is explicit: others need the right to implicit access, as users of this
/// feature know it.
fn specified(plan: Plan, auth: Option<&str>) -> Plan {
    let plan = plan.set("credentials", "specified");
    match auth {
        Some("specified") => plan,
        _ => plan.implicit_access("credentials without AUTH=specified"),
    }
}

fn check_bucket(bucket: &str) -> Result<(), Failure> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let named = bucket.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if named && bucket.len() <= MAX_BUCKET_BYTES && bucket.bytes().all(in_name) {
        return Ok(());
    }
    Err(
        Failure::invalid_uri("the host of the gs URI is not the name of a bucket").with_hint(
            "Write gs://BUCKET/PATH; a bucket's name is letters, digits, hyphens, underscores and \
             dots.",
        ),
    )
}

/// Service accounts with commas between them: the last one reads and writes.
fn roles(chain: &str) -> Result<impl Iterator<Item = PlanEntry>, Failure> {
    let accounts = chain.split(',');
    let is_account = |text: &str| {
        let in_name = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b'/');
        !text.is_empty() && text.bytes().all(in_name)
    };
    if !accounts.clone().all(is_account) || accounts.clone().count() > MOST_ROLES {
        return Err(
            Failure::invalid_uri("ASSUME_ROLE is no list of service accounts")
                .with_hint("Write their addresses, NAME@PROJECT.iam.gserviceaccount.com, with commas between them; at most 32.")
                .with_option("ASSUME_ROLE"),
        );
    }
    Ok(accounts.map(|account| {
        PlanEntry::AssumeRole(AssumedRole {
            role: account.to_owned(),
            external_id: None,
        })
    }))
}

#[cfg(test)]
mod tests;
