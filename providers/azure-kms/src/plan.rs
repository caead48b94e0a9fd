//! Phase one: the key's version, its vault and whose credentials use it, or the reason why not.

use portolan_azure::{Application, Environment, SERVER};
use portolan_sdk::{
    Failure, Kind, Operation, Options, Plan, Secret, TlsVerification, UriPieces, Value,
    is_dns_label, joined, refuse_userinfo,
};

/// The number of the vault's endpoint.
pub(crate) const VAULT: u32 = 0;

/// The setting with the key's name.
pub(crate) const KEY: &str = "key";

/// The setting with the key's version.
pub(crate) const VERSION: &str = "key-version";

/// The longest name of a key and of a version, in bytes.
const MAX_NAME_BYTES: usize = 127;

/// How a URI is written.
const HINT: &str = "Write azure-kms:///KEY/VERSION?AZURE_VAULT_NAME=…, with the key's name and \
                    the id of its version.";

/// What the options say of credentials; an empty one is as if it were not there.
struct Credentials<'uri> {
    client_id: Option<&'uri str>,
    client_secret: Option<&'uri Secret>,
    tenant: Option<&'uri str>,
}

/// The plan of an `azure-kms` URI, checked in the order in which users know the errors.
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
    let implicit = is_implicit(options.text("AUTH")?)?;
    let vault = options.text("AZURE_VAULT_NAME")?;
    let environment = options.text("AZURE_ENVIRONMENT")?;
    let credentials = Credentials {
        client_id: options.text("AZURE_CLIENT_ID")?,
        client_secret: options.secret("AZURE_CLIENT_SECRET"),
        tenant: options.text("AZURE_TENANT_ID")?,
    };
    options.refuse_unknown("KMS")?;
    let (vault, application) = match implicit {
        false => credentials.beside(vault)?,
        true => {
            let vault = vault.ok_or_else(|| not_received(&["AZURE_VAULT_NAME"]))?;
            credentials.refuse_beside_implicit()?;
            (vault, None)
        }
    };
    let environment = Environment::of(environment, "azure kms environment")?;
    let (key, version) = version(name)?;
    // What users know is checked; from here on it is what no service could make sense of.
    refuse_userinfo(uri)?;
    if !uri.authority.is_empty() {
        return Err(Failure::invalid_uri("an azure-kms URI names no host").with_hint(HINT));
    }
    if !is_name(key) || !is_name(version) {
        return Err(Failure::invalid_uri(
            "the path of the azure-kms URI is not the version of a key",
        )
        .with_hint(HINT));
    }
    let vault = checked_vault(vault)?;
    let plan = Plan::new(Kind::Kms)
        .supports([Operation::EncryptedBackup])
        .tls(SERVER, TlsVerification::Full)
        .endpoint(
            &joined(&[&vault, ".", environment.vaults]),
            443,
            Some(SERVER),
        )
        .set("environment", environment.name);
    let plan = match application {
        None => plan
            .set("credentials", "implicit")
            .implicit_access("the Azure credentials of the server"),
        Some(application) => {
            options.word("AZURE_CLIENT_ID")?;
            application.planned(plan.set("credentials", "specified"), environment)?
        }
    };
    Ok(plan.set(KEY, key).set(VERSION, version))
}

fn is_implicit(auth: Option<&str>) -> Result<bool, Failure> {
    match auth {
        None | Some("specified") => Ok(false),
        Some("implicit") => Ok(true),
        Some(_) => Err(Failure::invalid_uri(
            "azure kms requires explicit auth (RBAC) or implicit auth",
        )
        .with_hint("Write AUTH=specified or AUTH=implicit.")
        .with_option("AUTH")),
    }
}

impl<'uri> Credentials<'uri> {
    /// All of them, and the vault; or what of it is missing.
    fn beside(
        &self,
        vault: Option<&'uri str>,
    ) -> Result<(&'uri str, Option<Application<'uri>>), Failure> {
        match (vault, self.client_id, self.client_secret, self.tenant) {
            (Some(vault), Some(client_id), Some(client_secret), Some(tenant)) => Ok((
                vault,
                Some(Application {
                    tenant,
                    client_id,
                    client_secret,
                }),
            )),
            _ => {
                let mut missing = self.names(false);
                if vault.is_none() {
                    missing.insert(0, "AZURE_VAULT_NAME");
                }
                Err(not_received(&missing))
            }
        }
    }

    fn refuse_beside_implicit(&self) -> Result<(), Failure> {
        let given = self.names(true);
        let Some(first) = given.first() else {
            return Ok(());
        };
        Err(
            Failure::invalid_uri(joined(&["kms URI does not support: ", &given.join(", ")]))
                .with_hint("Leave them out, or leave out AUTH=implicit.")
                .with_option(*first),
        )
    }

    /// The options that are there, or those that are not.
    fn names(&self, given: bool) -> Vec<&'static str> {
        [
            ("AZURE_CLIENT_ID", self.client_id.is_some()),
            ("AZURE_CLIENT_SECRET", self.client_secret.is_some()),
            ("AZURE_TENANT_ID", self.tenant.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| (is_given == given).then_some(name))
        .collect()
    }
}

fn not_received(missing: &[&str]) -> Failure {
    let failure = Failure::invalid_uri(joined(&[
        "kms URI expected but did not receive: ",
        &missing.join(", "),
    ]))
    .with_hint("Give them; with AUTH=implicit only AZURE_VAULT_NAME is needed.");
    match missing.first() {
        Some(first) => failure.with_option(*first),
        None => failure,
    }
}

/// The name and the version of a key.
fn version(name: &str) -> Result<(&str, &str), Failure> {
    match name.split_once('/') {
        Some((key, version)) if !version.contains('/') => Ok((key, version)),
        _ => {
            Err(Failure::invalid_uri("azure kms key must be of form 'id/version'").with_hint(HINT))
        }
    }
}

/// Whether it can be the name of a key or of a version, which become segments of a path.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A vault's name becomes a label of a host. It may be shown with capitals, which a host has not.
fn checked_vault(vault: &str) -> Result<String, Failure> {
    let label = vault.to_ascii_lowercase();
    if is_dns_label(&label) {
        return Ok(label);
    }
    Err(
        Failure::invalid_uri("AZURE_VAULT_NAME is not the name of a vault")
            .with_hint(
                "Write the vault's name alone, letters, digits and hyphens, without a domain.",
            )
            .with_option("AZURE_VAULT_NAME"),
    )
}

#[cfg(test)]
mod tests;
