//! The clouds of Azure and their hosts.

use portolan_sdk::{Failure, joined};

/// One cloud.
#[derive(Debug, PartialEq, Eq)]
pub struct Environment {
    /// As Azure writes it.
    pub name: &'static str,
    /// What stands behind an account's name.
    pub storage: &'static str,
    /// What stands behind a vault's name.
    pub vaults: &'static str,
    /// Where applications log in.
    pub login: &'static str,
}

/// The clouds by their names, as `EnvironmentFromName` in `autorest/azure/environments.go` of
/// <https://github.com/Azure/go-autorest> knows them; the hosts are its `StorageEndpointSuffix`,
/// with the service before it, its `KeyVaultDNSSuffix` and its `ActiveDirectoryEndpoint`. Germany's is left out: it was
/// switched off in October 2021.
const ENVIRONMENTS: [Environment; 3] = [
    Environment {
        name: "AzurePublicCloud",
        storage: "blob.core.windows.net",
        vaults: "vault.azure.net",
        login: "login.microsoftonline.com",
    },
    Environment {
        name: "AzureUSGovernmentCloud",
        storage: "blob.core.usgovcloudapi.net",
        vaults: "vault.usgovcloudapi.net",
        login: "login.microsoftonline.us",
    },
    Environment {
        name: "AzureChinaCloud",
        storage: "blob.core.chinacloudapi.cn",
        vaults: "vault.azure.cn",
        login: "login.chinacloudapi.cn",
    },
];

impl Environment {
    /// The cloud of a name, in any case; without one, the public cloud. The refusal begins with
    /// `what`.
    ///
    /// # Errors
    ///
    /// In the words that users know: no cloud has this name.
    pub fn of(name: Option<&str>, what: &str) -> Result<&'static Self, Failure> {
        let Some(name) = name else {
            return Ok(&ENVIRONMENTS[0]);
        };
        let named = ENVIRONMENTS
            .iter()
            .find(|environment| environment.name.eq_ignore_ascii_case(name));
        named.ok_or_else(|| {
            Failure::invalid_uri(joined(&[
                what,
                ": autorest/azure: There is no cloud environment matching the name \"",
                &name.to_ascii_uppercase(),
                "\"",
            ]))
            .with_hint("Write AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud.")
            .with_option("AZURE_ENVIRONMENT")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_found_in_any_case() {
        let login = |name| Environment::of(name, "azure environment").map(|it| it.login);
        assert_eq!(login(None), Ok("login.microsoftonline.com"));
        assert_eq!(
            login(Some("azurepubliccloud")),
            Ok("login.microsoftonline.com")
        );
        assert_eq!(
            login(Some("AZUREUSGOVERNMENTCLOUD")),
            Ok("login.microsoftonline.us")
        );
        assert_eq!(login(Some("AzureChinaCloud")), Ok("login.chinacloudapi.cn"));
    }

    #[test]
    fn a_name_that_no_cloud_has_is_told_in_capitals() {
        for name in ["random-env", "RANDOM-ENV"] {
            let failure = Environment::of(Some(name), "azure environment").expect_err(name);
            assert_eq!(
                failure.message,
                "azure environment: autorest/azure: There is no cloud environment matching the \
                 name \"RANDOM-ENV\""
            );
        }
    }
}
