//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::PlanEntry;
use portolan_sdk::testing::{plan_by_the_common_laws, public_options};

use crate::GcPubSub;
use crate::name::is_project;
use crate::plan::PROJECT;

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
    let Some(plan) = plan_by_the_common_laws::<GcPubSub>(uri, &public) else {
        return;
    };
    assert!(
        plan.setting(PROJECT).is_some_and(is_project),
        "a project is no name"
    );
    for entry in plan.entries() {
        if let PlanEntry::Endpoint(endpoint) = entry {
            assert!(
                endpoint.host.ends_with(".googleapis.com")
                    && endpoint.host.split('.').count() == 3
                    && endpoint.port == 443,
                "an endpoint is not Google's"
            );
        }
    }
}
