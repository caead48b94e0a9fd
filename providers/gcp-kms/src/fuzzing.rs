//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::PlanEntry;
use portolan_sdk::testing::{plan_by_the_common_laws, public_options};

use crate::GcpKms;

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
    let Some(plan) = plan_by_the_common_laws::<GcpKms>(uri, &public) else {
        return;
    };
    let key = plan.setting(crate::plan::KEY).unwrap_or_default();
    assert!(
        key.split('/').count() == 8 && !key.contains(['?', '#', '%', '\\', '"', ' ']),
        "a key is no name"
    );
    for entry in plan.entries() {
        if let PlanEntry::Endpoint(endpoint) = entry {
            assert!(
                endpoint.host.ends_with(".googleapis.com") && endpoint.port == 443,
                "an endpoint is not Google's"
            );
        }
    }
}
