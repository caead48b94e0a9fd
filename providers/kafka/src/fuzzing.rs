//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::{pieces, plan_by_the_common_laws, public_options};
use portolan_sdk::{PlanEntry, check_host};

use crate::Kafka;

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
    let Some(plan) = plan_by_the_common_laws::<Kafka>(uri, &public) else {
        return;
    };
    let authority = pieces(uri, &public).authority;
    let brokers = plan.setting("brokers").and_then(|count| count.parse().ok());
    let brokers: usize = brokers.unwrap_or_default();
    assert!(brokers > 0, "a plan has brokers");
    let endpoints = plan.entries().iter().filter_map(|entry| match entry {
        PlanEntry::Endpoint(endpoint) => Some(endpoint),
        _ => None,
    });
    for (place, endpoint) in endpoints.enumerate() {
        assert_eq!(check_host(&endpoint.host), Ok(()), "an endpoint is no host");
        if place < brokers {
            assert!(
                authority.contains(&endpoint.host) && endpoint.port > 0,
                "a broker is not the URI's own"
            );
        } else {
            assert!(
                endpoint.tls_profile.is_some(),
                "a token is asked for in clear"
            );
        }
    }
}
