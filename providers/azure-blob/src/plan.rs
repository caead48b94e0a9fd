//! Phase one: the container, its account and the credentials, or the reason why not.

use portolan_azure::{Application, Environment, SERVER};
use portolan_sdk::{
    Failure, Kind, Options, Plan, Secret, TlsVerification, UriPieces, is_dns_label, joined,
    object_prefix, refuse_userinfo,
};

/// The number of the account's endpoint.
pub(crate) const ACCOUNT: u32 = 0;

/// The containers whose names no other container can have.
const SPECIAL_CONTAINERS: [&str; 3] = ["$root", "$web", "$logs"];

/// What the options say of credentials; an empty one is as if it were not there.
struct Credentials<'uri> {
    account_key: Option<&'uri Secret>,
    tenant: Option<&'uri str>,
    client_id: Option<&'uri str>,
    client_secret: Option<&'uri Secret>,
}

/// Whose credentials are used.
enum Access<'uri> {
    AccountKey(&'uri Secret),
    Application(Application<'uri>),
    Implicit,
}

/// The plan of an `azure-blob` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let implicit = is_implicit(options.text("AUTH")?)?;
    let account = options.text("AZURE_ACCOUNT_NAME")?;
    let credentials = Credentials {
        account_key: options.secret("AZURE_ACCOUNT_KEY"),
        tenant: options.text("AZURE_TENANT_ID")?,
        client_id: options.text("AZURE_CLIENT_ID")?,
        client_secret: options.secret("AZURE_CLIENT_SECRET"),
    };
    let environment = options.text("AZURE_ENVIRONMENT")?;
    options.refuse_unknown("azure")?;
    let account = account.ok_or_else(|| {
        Failure::invalid_uri("azure uri missing \"AZURE_ACCOUNT_NAME\" parameter")
            .with_hint("Give AZURE_ACCOUNT_NAME: the storage account that holds the container.")
            .with_option("AZURE_ACCOUNT_NAME")
    })?;
    let access = match implicit {
        true => credentials.refuse_beside_implicit()?,
        false => credentials.access()?,
    };
    let environment = Environment::of(environment, "azure environment")?;
    if let Access::AccountKey(key) = access
        && let Some(problem) = key.base64_problem()
    {
        return Err(Failure::invalid_uri(joined(&[
            "azure shared key credential: decode account key: ",
            &problem,
        ]))
        .with_hint("Write the key as the portal shows it, with + as %2B, / as %2F and = as %3D.")
        .with_option("AZURE_ACCOUNT_KEY"));
    }
    // What users know is checked; from here on it is what no server could make sense of.
    refuse_userinfo(uri)?;
    check_account(account)?;
    check_container(&uri.authority)?;
    let plan = Plan::new(Kind::Storage)
        .supports(Plan::STORAGE_OPERATIONS)
        .tls(SERVER, TlsVerification::Full)
        .endpoint(
            &joined(&[account, ".", environment.storage]),
            443,
            Some(SERVER),
        )
        .set("account", account)
        .set("environment", environment.name);
    let plan = match access {
        Access::Implicit => plan
            .set("credentials", "implicit")
            .implicit_access("the Azure credentials of the server"),
        Access::AccountKey(key) => plan
            .set("credentials", "specified")
            .secret_as_given("account-key", key),
        Access::Application(application) => {
            options.word("AZURE_CLIENT_ID")?;
            let plan = plan.set("credentials", "specified");
            application.planned(plan, environment)?
        }
    };
    Ok(plan.object_store("azure", &uri.authority, &object_prefix(uri)?))
}

fn is_implicit(auth: Option<&str>) -> Result<bool, Failure> {
    match auth {
        None | Some("specified") => Ok(false),
        Some("implicit") => Ok(true),
        Some(other) => {
            Err(
                Failure::invalid_uri(joined(&["unsupported value ", other, " for AUTH"]))
                    .with_hint("Write specified or implicit.")
                    .with_option("AUTH"),
            )
        }
    }
}

impl<'uri> Credentials<'uri> {
    /// The one way that the URI chose.
    fn access(&self) -> Result<Access<'uri>, Failure> {
        match (
            self.account_key,
            self.tenant,
            self.client_id,
            self.client_secret,
        ) {
            (Some(key), None, None, None) => Ok(Access::AccountKey(key)),
            (None, Some(tenant), Some(client_id), Some(client_secret)) => {
                Ok(Access::Application(Application {
                    tenant,
                    client_id,
                    client_secret,
                }))
            }
            _ => Err(Failure::invalid_uri(
                "explicit azure uri requires exactly one authentication method: \
                 \"AZURE_ACCOUNT_KEY\" OR all three of \"AZURE_TENANT_ID\", \"AZURE_CLIENT_ID\", \
                 and \"AZURE_CLIENT_SECRET\"",
            )
            .with_hint(
                "Give one of them whole, or AUTH=implicit to use the credentials of the server.",
            )),
        }
    }

    fn refuse_beside_implicit(&self) -> Result<Access<'uri>, Failure> {
        let given: Vec<&str> = [
            ("AZURE_ACCOUNT_KEY", self.account_key.is_some()),
            ("AZURE_TENANT_ID", self.tenant.is_some()),
            ("AZURE_CLIENT_ID", self.client_id.is_some()),
            ("AZURE_CLIENT_SECRET", self.client_secret.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
        let Some(first) = given.first() else {
            return Ok(Access::Implicit);
        };
        Err(Failure::invalid_uri(joined(&[
            "implicit azure auth does not support uri param ",
            &given.join(", "),
        ]))
        .with_hint("Leave them out, or leave out AUTH=implicit.")
        .with_option(*first))
    }
}

/// An account's name becomes a label of a host.
fn check_account(account: &str) -> Result<(), Failure> {
    if is_dns_label(account) {
        return Ok(());
    }
    Err(
        Failure::invalid_uri("AZURE_ACCOUNT_NAME is not the name of a storage account")
            .with_hint(
                "Write the account's name alone, lower-case letters and digits, without a domain.",
            )
            .with_option("AZURE_ACCOUNT_NAME"),
    )
}

/// A container becomes a segment of a path.
fn check_container(container: &str) -> Result<(), Failure> {
    if is_dns_label(container) || SPECIAL_CONTAINERS.contains(&container) {
        return Ok(());
    }
    Err(
        Failure::invalid_uri("the host of the azure URI is not the name of a container").with_hint(
            "Write azure-blob://CONTAINER/PATH; a container's name is lower-case letters, digits \
             and hyphens. The account is named by AZURE_ACCOUNT_NAME.",
        ),
    )
}

#[cfg(test)]
mod tests;
