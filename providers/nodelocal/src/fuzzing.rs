//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::pieces;
use portolan_sdk::{FailureClass, PlanEntry, Provider, print_redacted};

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
    let planned = Nodelocal::plan(&pieces(uri, &["COCKROACH_LOCALITY"]));
    assert_eq!(
        planned,
        Nodelocal::plan(&pieces(uri, &["COCKROACH_LOCALITY"])),
        "a URI is planned in two ways"
    );
    match planned {
        Ok(plan) => {
            let stores = plan
                .into_entries()
                .into_iter()
                .filter_map(|entry| match entry {
                    PlanEntry::ObjectStore(store) => Some(store),
                    _ => None,
                });
            let stores: Vec<_> = stores.collect();
            assert_eq!(stores.len(), 1, "a plan has one store");
            for store in stores {
                let climbs = |name: &str| matches!(name, "." | "..") || name.len() > 255;
                assert!(!store.prefix.split('/').any(climbs), "a prefix climbs");
                assert!(!store.prefix.starts_with('/'), "a prefix is absolute");
                assert!(
                    !store
                        .prefix
                        .contains(|c: char| c.is_ascii_control() || c == '\\'),
                    "a prefix is no name of a file"
                );
            }
        }
        Err(failure) => {
            assert_eq!(failure.class, FailureClass::InvalidUri);
            assert!(!failure.message.is_empty(), "a refusal says nothing");
        }
    }
    let shown = print_redacted(&Nodelocal::redact(pieces(uri, &["COCKROACH_LOCALITY"])));
    // The SDK's splitter is for well-formed URIs; what it makes of others may be shown as another.
    if shown.starts_with("nodelocal://") && !shown.contains(['%', '#', '+']) {
        let again = Nodelocal::redact(pieces(&shown, &["COCKROACH_LOCALITY"]));
        assert_eq!(
            print_redacted(&again),
            shown,
            "what is shown is not shown the same again"
        );
    }
}
