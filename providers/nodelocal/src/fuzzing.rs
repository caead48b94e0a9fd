//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::plan_by_the_laws;

use crate::Nodelocal;

/// One URI for the provider's plan and redaction, compiled natively.
///
/// # Panics
///
/// Where a law of either does not hold for the text.
pub fn plan(data: &[u8]) {
    let Ok(uri) = std::str::from_utf8(data) else {
        return;
    };
    let Some(plan) = plan_by_the_laws::<Nodelocal>(uri, &["COCKROACH_LOCALITY"]) else {
        return;
    };
    let prefix = plan.store().map_or("", |store| &store.prefix);
    assert!(
        !prefix.split('/').any(|name| name.len() > 255),
        "a name is longer than a file's"
    );
}
