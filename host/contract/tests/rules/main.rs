//! Every rule for a request of every provider that the binary carries: a request that it describes,
//! made from the rule itself, and each request just outside it.
//!
//! A rule that is written anew is walked by itself. That what is refused here is neither signed nor
//! sent is shown with a real server in `tests/tests/hostile/requesting.rs`.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod conforming;
mod outside;

use portolan_contract::{Difference, Manifest, RequestRule};

use conforming::{Request, conforming};

/// The manifests of the providers, sorted by name.
fn manifests() -> Vec<Manifest> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../providers");
    let entries = std::fs::read_dir(folder).expect("the providers");
    let texts = entries.filter_map(|entry| {
        let path = entry.expect("an entry").path().join("manifest.toml");
        std::fs::read_to_string(path).ok()
    });
    let manifests = texts.map(|text| Manifest::parse(&text).expect("a manifest"));
    let mut manifests: Vec<_> = manifests.collect();
    manifests.sort_by(|one, other| one.name.cmp(&other.name));
    manifests
}

/// Does something with each rule and the requests that it describes, one for each of its hosts. How
/// many rules there were.
fn walk(mut each: impl FnMut(&Manifest, &RequestRule, &Request)) -> usize {
    let mut walked = 0;
    for manifest in &manifests() {
        for rule in &manifest.requests {
            for host in &rule.host {
                each(manifest, rule, &conforming(manifest, rule, host.as_str()));
            }
            walked += 1;
        }
    }
    assert!(walked >= 14, "{walked} rules");
    walked
}

/// The rule's own words for a field, as an answer tells them.
fn words(rule: &RequestRule, field: Difference) -> String {
    let hosts: Vec<_> = rule.host.iter().map(|host| host.as_str()).collect();
    let sent = |what: &str, allowed: &[String], how: &str| match allowed {
        [] => format!("its {what} (the rule lets a provider send none)"),
        allowed => {
            let allowed = allowed.join(", ");
            format!("its {what} (the rule lets a provider send {allowed}{how})")
        }
    };
    match field {
        Difference::Host => format!("its host (the rule's is {})", hosts.join(" or ")),
        Difference::Method => format!("its method (the rule's is {})", rule.method),
        Difference::Path => format!("its path (the rule's is {})", rule.path),
        Difference::Query => sent("query", &rule.allow_query, ", in clear"),
        Difference::Headers => sent("headers", &rule.allow_headers, ""),
        Difference::Body if rule.opaque_body.is_empty() => {
            "its body (the rule lets no opaque part stand there)".to_owned()
        }
        Difference::Body => {
            let pointers: Vec<_> = rule.opaque_body.iter().map(|one| one.as_str()).collect();
            let pointers = pointers.join(", ");
            format!("its body (the rule's is JSON whose opaque parts are {pointers} and no others)")
        }
        other => panic!("{other:?} is tested by itself"),
    }
}

#[test]
fn a_request_that_a_rule_describes_is_that_rules() {
    walk(|manifest, rule, request| {
        let found = request.judge(manifest).expect("it is described");
        assert_eq!(found.name, rule.name, "{}", manifest.name);
    });
}

#[test]
fn a_request_just_outside_a_rule_is_refused_and_told_in_which_field() {
    let mut tried = 0;
    let walked = walk(|manifest, rule, request| {
        for (field, request) in outside::requests(rule, request) {
            let what = format!("{} {}: {request:?}", manifest.name, rule.name);
            let Err(refusal) = request.judge(manifest) else {
                panic!("{what} is described");
            };
            let differing = [field];
            let nearest = Some((rule.name.as_str(), differing.as_slice()));
            assert_eq!(refusal.nearest(), nearest, "{what}");
            let expected = format!(
                "the request {} to {}:443 is not sent: it differs from its rule in {}",
                rule.name,
                request.host(),
                words(rule, field)
            );
            assert_eq!(refusal.to_string(), expected, "{what}");
            assert_eq!(refusal.failure().class.sqlstate(), "42501");
            tried += 1;
        }
    });
    assert!(tried > 20 * walked, "{tried} requests");
}

#[test]
fn a_request_under_another_name_is_refused_and_told_the_rule_that_it_resembles() {
    walk(|manifest, rule, request| {
        let refusal = request.named("swordfish").judge(manifest);
        let refusal = refusal.expect_err("nothing is called so");
        let nearest = refusal.nearest().expect("a rule");
        assert_eq!(nearest.1, [Difference::Name], "{refusal}");
        assert_eq!(nearest.0, rule.name, "{refusal}");
        let shown = refusal.to_string();
        assert!(shown.starts_with("a request to "), "{shown}");
        assert!(shown.ends_with(", it differs in its name"), "{shown}");
        assert!(!shown.contains("swordfish"), "{shown}");
        for other in &manifest.requests {
            if other.name != rule.name {
                let refusal = request.named(&other.name).judge(manifest);
                refusal.expect_err("it is the other one's");
            }
        }
    });
}
