//! What the fuzzer tries, as an ordinary function: a test replays its corpus with it.

use portolan_sdk::testing::pieces;
use portolan_sdk::{FailureClass, PlanEntry, Provider, print_redacted};

use crate::{Userfile, set};

/// One URI for the provider's plan and redaction, compiled natively.
///
/// # Panics
///
/// Where a law of either does not hold for the text.
pub fn plan(data: &[u8]) {
    let Ok(uri) = std::str::from_utf8(data) else {
        return;
    };
    let planned = Userfile::plan(&pieces(uri, &["COCKROACH_LOCALITY"]));
    assert_eq!(
        planned,
        Userfile::plan(&pieces(uri, &["COCKROACH_LOCALITY"])),
        "a URI is planned in two ways"
    );
    match planned {
        Ok(plan) => {
            let mut stores = 0;
            for entry in plan.into_entries() {
                assert!(
                    !matches!(entry, PlanEntry::ImplicitAccess(_)),
                    "the access is explicit"
                );
                let PlanEntry::ObjectStore(store) = entry else {
                    continue;
                };
                stores += 1;
                assert_eq!(
                    set::name(&store.container).as_ref(),
                    Ok(&store.container),
                    "a set has two names"
                );
                let climbs = |name: &str| matches!(name, "." | "..") || name.len() > 255;
                assert!(!store.prefix.split('/').any(climbs), "a prefix climbs");
                assert!(!store.prefix.contains("//"), "a prefix is not normalised");
                assert!(!store.prefix.starts_with('/'), "a prefix is absolute");
                assert!(
                    !store.prefix.contains(|c: char| c.is_control() || c == '\\'),
                    "a prefix is no name of a file"
                );
            }
            assert_eq!(stores, 1, "a plan has one store");
        }
        Err(failure) => {
            assert_eq!(failure.class, FailureClass::InvalidUri);
            assert!(!failure.message.is_empty(), "a refusal says nothing");
        }
    }
    let shown = print_redacted(&Userfile::redact(pieces(uri, &["COCKROACH_LOCALITY"])));
    // The SDK's splitter is for well-formed URIs; what it makes of others may be shown as another.
    if shown.starts_with("userfile://") && !shown.contains(['%', '#', '+']) {
        let again = Userfile::redact(pieces(&shown, &["COCKROACH_LOCALITY"]));
        assert_eq!(
            print_redacted(&again),
            shown,
            "what is shown is not shown the same again"
        );
    }
}
