//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::{plan_by_the_common_laws, public_options};
use portolan_sdk::{PlanEntry, check_host};

use crate::Postgres;

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
    let Some(plan) = plan_by_the_common_laws::<Postgres>(uri, &public) else {
        return;
    };
    for name in ["user", "dbname"] {
        let text = plan.setting(name).unwrap_or_default();
        assert!(
            !text.is_empty() && !text.contains('\0'),
            "{name} is no name"
        );
    }
    let mut dialled = 0;
    for entry in plan.entries() {
        if let PlanEntry::Endpoint(endpoint) = entry {
            assert_eq!(check_host(&endpoint.host), Ok(()), "an endpoint is no host");
            assert_ne!(endpoint.port, 0, "an endpoint is no port");
            dialled += 1;
        }
    }
    assert!((1..=64).contains(&dialled), "{dialled} endpoints");
}
