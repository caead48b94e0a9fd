//! Phase one: the bucket, where it is served, and as whom, or the reason why not.

use portolan_aws::{Credentials, TOKENS, roles, token_service};
use portolan_sdk::{
    Failure, Kind, Options, Plan, PlanEntry, TlsVerification, UriPieces, is_dns_label, joined,
    object_prefix, refuse_userinfo,
};

use crate::server::Server;

/// The number of the bucket's endpoint.
pub(crate) const BUCKET: u32 = 0;

/// The TLS profile of the bucket's endpoint.
const SERVER: &str = "server";

/// The region of a server that has none: signatures name one all the same.
const NO_REGION: &str = "us-east-1";

/// The longest name of a bucket, in bytes: of the oldest ones.
const MAX_BUCKET_BYTES: usize = 255;

/// What the options say, read in the order in which users know the errors.
struct Given<'uri> {
    path_style: bool,
    skip_checksum: bool,
    skip_tls_verify: bool,
    credentials: Credentials<'uri>,
    endpoint: Option<&'uri str>,
    region: Option<&'uri str>,
    encryption: Option<&'uri str>,
    kms_key: Option<&'uri str>,
    storage_class: Option<&'uri str>,
    roles: Option<&'uri str>,
}

impl<'uri> Given<'uri> {
    fn read(options: &mut Options<'uri>) -> Result<Self, Failure> {
        options.value("COCKROACH_LOCALITY");
        let mut flag = |name| options.boolean(name).map(Option::unwrap_or_default);
        let path_style = flag("AWS_USE_PATH_STYLE")?;
        let skip_checksum = flag("AWS_SKIP_CHECKSUM")?;
        let skip_tls_verify = flag("AWS_SKIP_TLS_VERIFY")?;
        let given = Self {
            path_style,
            skip_checksum,
            skip_tls_verify,
            credentials: Credentials::read(options)?,
            endpoint: options.text("AWS_ENDPOINT")?,
            region: options.text("AWS_REGION")?,
            encryption: options.text("AWS_SERVER_ENC_MODE")?,
            kms_key: options.text("AWS_SERVER_KMS_ID")?,
            storage_class: options.text("S3_STORAGE_CLASS")?,
            roles: options.text("ASSUME_ROLE")?,
        };
        options.refuse_unknown("S3")?;
        Ok(given)
    }
}

/// The plan of an `s3` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let bucket = uri.authority.as_str();
    if bucket.is_empty() {
        return Err(Failure::invalid_uri(
            "empty host component; s3 URI must specify a target bucket",
        )
        .with_hint("Write s3://BUCKET/PATH."));
    }
    let mut options = Options::of(uri);
    let given = Given::read(&mut options)?;
    let plan = Plan::new(Kind::Storage).supports(Plan::STORAGE_OPERATIONS);
    let plan = given.credentials.planned(plan)?;
    let encryption = encryption(&given)?;
    // What users know is checked; from here on it is what no server could make sense of.
    refuse_userinfo(uri)?;
    for header in ["AWS_ACCESS_KEY_ID", "AWS_SERVER_KMS_ID", "S3_STORAGE_CLASS"] {
        options.word(header)?;
    }
    check_bucket(bucket)?;
    let plan = endpoints(plan, bucket, &given)?;
    let plan = [
        ("server-side-encryption", encryption),
        ("kms-key", encryption.and(given.kms_key)),
        ("storage-class", given.storage_class),
        ("checksum", given.skip_checksum.then_some("skip")),
    ]
    .into_iter()
    .fold(plan, |plan, (name, value)| match value {
        Some(value) => plan.set(name, value),
        None => plan,
    });
    Ok(plan.object_store("s3", bucket, &object_prefix(uri)?))
}

fn encryption<'uri>(given: &Given<'uri>) -> Result<Option<&'uri str>, Failure> {
    match given.encryption {
        Some("aws:kms") if given.kms_key.is_none() => Err(Failure::invalid_uri(
            "AWS_SERVER_KMS_ID param must be set when using aws:kms server side encryption mode.",
        )
        .with_hint("Give AWS_SERVER_KMS_ID, the key's id or ARN, or write AES256.")
        .with_option("AWS_SERVER_KMS_ID")),
        None | Some("aws:kms" | "AES256") => Ok(given.encryption),
        Some(other) => Err(Failure::invalid_uri(joined(&[
            "unsupported server encryption mode ",
            other,
            ". Supported values are `aws:kms` and `AES256`.",
        ]))
        .with_hint("Write aws:kms or AES256.")
        .with_option("AWS_SERVER_ENC_MODE")),
    }
}

/// A bucket becomes a label of a host or a segment of a path, and may lead nowhere else.
fn check_bucket(bucket: &str) -> Result<(), Failure> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let named = bucket.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if named && bucket.len() <= MAX_BUCKET_BYTES && bucket.bytes().all(in_name) {
        return Ok(());
    }
    Err(
        Failure::invalid_uri("the host of the s3 URI is not the name of a bucket").with_hint(
            "Write s3://BUCKET/PATH; a bucket's name is letters, digits, hyphens and dots. Another \
             server than Amazon's is named by AWS_ENDPOINT.",
        ),
    )
}

fn endpoints(plan: Plan, bucket: &str, given: &Given<'_>) -> Result<Plan, Failure> {
    if given.region.is_some_and(|region| !is_dns_label(region)) {
        return Err(
            Failure::invalid_uri("AWS_REGION is not the name of a region")
                .with_hint("Write a name such as eu-central-1.")
                .with_option("AWS_REGION"),
        );
    }
    let server = match given.endpoint {
        None => Server::of_amazon(bucket, given.region, given.path_style),
        Some(endpoint) => Server::of_endpoint(bucket, endpoint, given.path_style)?,
    };
    let verify = match given.skip_tls_verify {
        true => TlsVerification::None,
        false => TlsVerification::Full,
    };
    let mut plan = match server.encrypted {
        true => plan
            .tls(SERVER, verify)
            .endpoint(&server.host, server.port, Some(SERVER)),
        false => plan.endpoint(&server.host, server.port, None),
    };
    if let Some(chain) = given.roles {
        let tokens = token_service(given.region);
        plan = roles(chain)?
            .into_iter()
            .map(PlanEntry::AssumeRole)
            .fold(plan, Plan::with)
            .tls(TOKENS, TlsVerification::Full)
            .endpoint(&tokens, 443, Some(TOKENS));
    }
    if given.endpoint.is_some() {
        plan = plan
            .set("custom-endpoint", "true")
            .implicit_access("a server of the URI's own choice");
    }
    plan = match (given.region, given.endpoint) {
        (Some(region), _) => plan.set("region", region),
        (None, Some(_)) => plan.set("region", NO_REGION),
        (None, None) => plan.set("region-discovery", "true"),
    };
    if given.skip_tls_verify && server.encrypted {
        plan = plan.warn("AWS_SKIP_TLS_VERIFY: whoever stands between here and the server can read and change everything.");
    }
    Ok(plan.set(
        "path-style",
        if server.path_style { "true" } else { "false" },
    ))
}

#[cfg(test)]
mod tests;
