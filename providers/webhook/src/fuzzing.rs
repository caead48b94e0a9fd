//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::{pieces, plan_by_the_common_laws, public_options};
use portolan_sdk::{PlanEntry, check_host};

use crate::Webhook;

/// One URI for the provider's plan and redaction, compiled natively. Its path is a text here, as
/// everywhere in the kit for tests; the host hides it.
///
/// # Panics
///
/// Where a law of either does not hold for the text.
pub fn plan(data: &[u8]) {
    let Ok(uri) = std::str::from_utf8(data) else {
        return;
    };
    let public = public_options(include_str!("../manifest.toml"));
    let Some(plan) = plan_by_the_common_laws::<Webhook>(uri, &public) else {
        return;
    };
    let authority = pieces(uri, &public).authority;
    let mut count = 0;
    for entry in plan.entries() {
        match entry {
            PlanEntry::Endpoint(endpoint) => {
                count += 1;
                assert_eq!(check_host(&endpoint.host), Ok(()), "an endpoint is no host");
                assert!(
                    authority.contains(&endpoint.host) && endpoint.port > 0,
                    "an endpoint is not the URI's own"
                );
                assert!(endpoint.tls_profile.is_some(), "an endpoint is in clear");
            }
            PlanEntry::Setting((name, _)) => unreachable!("a setting is shown: {name}"),
            _ => {}
        }
    }
    assert_eq!(count, 1, "a plan has one endpoint");
}
