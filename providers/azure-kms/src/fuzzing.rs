//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::PlanEntry;
use portolan_sdk::testing::{plan_by_the_common_laws, public_options};

use crate::AzureKms;

/// What an endpoint ends in, after the vault or as the login host.
const CLOUDS: [&str; 6] = [
    "vault.azure.net",
    "vault.usgovcloudapi.net",
    "vault.azure.cn",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
];

/// One URI for the provider's plan and redaction, compiled natively.
///
/// # Panics
///
/// Where a law of either does not hold for the text.
pub fn plan(data: &[u8]) {
    let Ok(uri) = std::str::from_utf8(data) else {
        return;
    };
    let public = public_options(include_str!("../manifest.toml"));
    let Some(plan) = plan_by_the_common_laws::<AzureKms>(uri, &public) else {
        return;
    };
    for name in [crate::plan::KEY, crate::plan::VERSION] {
        let name = plan.setting(name).unwrap_or_default();
        assert!(crate::plan::is_name(name), "a key is no name");
    }
    for entry in plan.entries() {
        if let PlanEntry::Endpoint(endpoint) = entry {
            let host = endpoint.host.as_str();
            let is_login = CLOUDS.contains(&host) && host.starts_with("login.");
            let is_vault = host
                .split_once('.')
                .is_some_and(|(_, suffix)| CLOUDS.contains(&suffix));
            assert!(
                (is_login || is_vault) && endpoint.port == 443,
                "an endpoint is not Azure's"
            );
        }
    }
}
