//! Phase one: the key and whose credentials use it, or the reason why not.

use portolan_google::{Credentials, SERVER, acting_as};
use portolan_sdk::{
    Failure, Kind, Operation, Options, Plan, TlsVerification, UriPieces, Value, joined,
    refuse_userinfo,
};

use crate::name::{is_key, is_version, split_version};

/// The number of the service's endpoint.
pub(crate) const SERVICE: u32 = 0;

/// The setting with the key's name, without a version.
pub(crate) const KEY: &str = "key";

/// How a URI is written.
const HINT: &str = "Write gcp-kms:///projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/\
                    KEY.";

/// The plan of a `gcp-kms` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let Value::Text(path) = &uri.path else {
        return Err(Failure::invalid_uri("the name of a key is no secret"));
    };
    let name = path.strip_prefix('/').unwrap_or(path);
    if name.is_empty() {
        return Err(Failure::invalid_uri(
            "path component of the KMS cannot be empty; must contain the Customer Managed Key",
        )
        .with_hint(HINT));
    }
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let credentials = Credentials::read(&mut options)?;
    let chain = options.text("ASSUME_ROLE")?;
    options.refuse_unknown("KMS")?;
    check_auth(credentials.auth())?;
    let plan = Plan::new(Kind::Kms)
        .supports([Operation::EncryptedBackup])
        .tls(SERVER, TlsVerification::Full)
        .endpoint("cloudkms.googleapis.com", 443, Some(SERVER));
    let plan = credentials.planned(plan)?;
    // What users know is checked; from here on it is what no service could make sense of.
    refuse_userinfo(uri)?;
    if !uri.authority.is_empty() {
        return Err(Failure::invalid_uri("a gcp-kms URI names no host").with_hint(HINT));
    }
    // The service encrypts with the primary version, and finds that of a ciphertext by itself.
    let (key, version) = split_version(name);
    if !is_key(key) || !version.is_none_or(is_version) {
        return Err(
            Failure::invalid_uri("the path of the gcp-kms URI is not the name of a key")
                .with_hint(HINT),
        );
    }
    Ok(acting_as(plan, chain)?.set(KEY, key))
}

fn check_auth(auth: Option<&str>) -> Result<(), Failure> {
    match auth {
        None | Some("specified" | "implicit") => Ok(()),
        Some(other) => {
            Err(
                Failure::invalid_uri(joined(&["unsupported value ", other, " for AUTH"]))
                    .with_hint("Write specified or implicit.")
                    .with_option("AUTH"),
            )
        }
    }
}

#[cfg(test)]
mod tests;
