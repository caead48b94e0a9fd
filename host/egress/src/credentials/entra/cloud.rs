//! The clouds of Azure, their servers and the scopes of their tokens.

use portolan_contract::StoredPlan;

use crate::credentials::CredentialError;

/// One of Azure's clouds, each with its own servers and its own tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AzureCloud {
    /// `AzurePublicCloud`.
    Public,
    /// `AzureUSGovernmentCloud`.
    UsGovernment,
    /// `AzureChinaCloud`.
    China,
}

/// A service that tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AzureService {
    /// Blob storage.
    Storage,
    /// Key Vault.
    KeyVault,
}

impl AzureService {
    /// The service of a name in a manifest.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "storage" => Some(Self::Storage),
            "key-vault" => Some(Self::KeyVault),
            _ => None,
        }
    }
}

impl AzureCloud {
    /// The cloud of an environment's name; case is ignored, as the ancestor ignores it.
    #[must_use]
    pub fn named(environment: &str) -> Option<Self> {
        const NAMES: [(&str, AzureCloud); 5] = [
            ("AzureCloud", AzureCloud::Public),
            ("AzurePublicCloud", AzureCloud::Public),
            ("AzureUSGovernment", AzureCloud::UsGovernment),
            ("AzureUSGovernmentCloud", AzureCloud::UsGovernment),
            ("AzureChinaCloud", AzureCloud::China),
        ];
        NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(environment))
            .map(|(_, cloud)| *cloud)
    }

    /// The cloud of a plan: its setting `environment`, the public one without.
    ///
    /// # Errors
    ///
    /// [`CredentialError::UnknownCloud`].
    pub fn of_plan(plan: &StoredPlan) -> Result<Self, CredentialError> {
        match plan.plan.setting("environment") {
            None => Ok(Self::Public),
            Some(name) => Self::named(name).ok_or(CredentialError::UnknownCloud),
        }
    }

    /// The host that gives this cloud's tokens.
    #[must_use]
    pub fn login_host(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::UsGovernment => "login.microsoftonline.us",
            Self::China => "login.chinacloudapi.cn",
        }
    }

    /// What the names of a service's hosts end with; a token of the service is sent to these only.
    #[must_use]
    pub fn suffix(self, service: AzureService) -> &'static str {
        match (service, self) {
            (AzureService::Storage, Self::Public) => "blob.core.windows.net",
            (AzureService::Storage, Self::UsGovernment) => "blob.core.usgovcloudapi.net",
            (AzureService::Storage, Self::China) => "blob.core.chinacloudapi.cn",
            (AzureService::KeyVault, Self::Public) => "vault.azure.net",
            (AzureService::KeyVault, Self::UsGovernment) => "vault.usgovcloudapi.net",
            (AzureService::KeyVault, Self::China) => "vault.azure.cn",
        }
    }

    /// The scope to ask for.
    pub(super) fn scope(self, service: AzureService) -> String {
        match service {
            // One resource for storage in every cloud.
            AzureService::Storage => "https://storage.azure.com/.default".to_owned(),
            AzureService::KeyVault => format!("https://{}/.default", self.suffix(service)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_known_by_its_name_in_any_case() {
        for (name, cloud) in [
            ("AzurePublicCloud", Some(AzureCloud::Public)),
            ("AZURECHINACLOUD", Some(AzureCloud::China)),
            ("azureusgovernmentcloud", Some(AzureCloud::UsGovernment)),
            ("RANDOM-ENV", None),
        ] {
            assert_eq!(AzureCloud::named(name), cloud, "{name}");
        }
    }

    #[test]
    fn no_two_clouds_share_a_host_or_a_suffix() {
        use AzureCloud::{China, Public, UsGovernment};
        let mut seen = std::collections::HashSet::new();
        for cloud in [Public, UsGovernment, China] {
            assert!(seen.insert(cloud.login_host()));
            for service in [AzureService::Storage, AzureService::KeyVault] {
                assert!(seen.insert(cloud.suffix(service)));
            }
        }
    }
}
