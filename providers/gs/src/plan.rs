//! Phase one: the bucket and the credentials, or the reason why not.

use portolan_google::{Credentials, SERVER, acting_as};
use portolan_sdk::{
    Failure, Kind, Options, Plan, TlsVerification, UriPieces, object_prefix, refuse_userinfo,
};

/// The number of the endpoint that serves every bucket.
pub(crate) const STORAGE: u32 = 0;

/// The longest name of a bucket, in bytes.
const MAX_BUCKET_BYTES: usize = 222;

/// The plan of a `gs` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let credentials = Credentials::read(&mut options)?;
    let billing_project = options.text("GOOGLE_BILLING_PROJECT")?;
    let chain = options.text("ASSUME_ROLE")?;
    options.refuse_unknown("GS")?;

    let plan = Plan::new(Kind::Storage)
        .supports(Plan::STORAGE_OPERATIONS)
        .tls(SERVER, TlsVerification::Full)
        .endpoint("storage.googleapis.com", 443, Some(SERVER));
    let plan = credentials.planned(plan)?;
    // Only a URI that says so is explicit: others need the right to implicit access, as users of
    // this feature know it.
    let plan = match credentials.auth() {
        Some("specified" | "implicit") => plan,
        _ => plan.implicit_access("credentials without AUTH=specified"),
    };
    // What users know is checked; from here on it is what no server could make sense of.
    refuse_userinfo(uri)?;
    options.word("GOOGLE_BILLING_PROJECT")?;
    check_bucket(&uri.authority)?;
    let plan = acting_as(plan, chain)?;
    let plan = match billing_project {
        Some(project) => plan.set("billing-project", project),
        None => plan,
    };
    Ok(plan.object_store("gs", &uri.authority, &object_prefix(uri)?))
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

#[cfg(test)]
mod tests;
