//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::{plan_by_the_common_laws, public_options};
use portolan_sdk::{PlanEntry, check_host};

use crate::AwsKms;

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
    let Some(plan) = plan_by_the_common_laws::<AwsKms>(uri, &public) else {
        return;
    };
    let key = plan.setting(crate::plan::KEY).unwrap_or_default();
    let ends_a_string = |byte: u8| byte.is_ascii_control() || matches!(byte, b'"' | b'\\');
    assert!(
        !key.is_empty() && !key.bytes().any(ends_a_string),
        "a key is no name"
    );
    let is_custom = plan.setting(crate::plan::CUSTOM_ENDPOINT) == Some("true");
    let endpoints = plan.entries().iter().filter_map(|entry| match entry {
        PlanEntry::Endpoint(endpoint) => Some(endpoint),
        _ => None,
    });
    for (number, endpoint) in endpoints.enumerate() {
        assert_eq!(check_host(&endpoint.host), Ok(()), "an endpoint is no host");
        let is_of_amazon = [".amazonaws.com", ".amazonaws.com.cn"]
            .into_iter()
            .any(|domain| endpoint.host.ends_with(domain));
        assert!(
            is_of_amazon && endpoint.port == 443 || is_custom && number == 0,
            "an endpoint is not Amazon's"
        );
    }
}
