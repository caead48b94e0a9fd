//! What the fuzzers try, as ordinary functions: a test replays their corpora with them.

use std::net::IpAddr;

use crate::{AddressClass, Host, Policy, Rule, Verdict};

/// One input for the policy: a rule, a host and the text of an address, a line each.
///
/// # Panics
///
/// Where a law of the policy does not hold for the input.
#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let rule = lines.next().and_then(|line| line.parse::<Rule>().ok());
    if let Some(rule) = &rule
        && rule.to_string().parse().as_ref() != Ok(rule)
    {
        panic!("a rule does not read back as it is printed");
    }
    let policy = Policy::with_rules(rule.into_iter().collect());
    let Some(host) = lines.next() else { return };
    let by_name = policy.judge_name(host, 443);
    let none = Policy::default();
    if let Ok(parsed) = Host::parse(host) {
        if Host::parse(&parsed.to_string()) != Ok(parsed.clone()) {
            panic!("a host does not read back as it is printed");
        }
        if let Host::Address(address) = parsed {
            if by_name != policy.judge_address(host, address, 443) {
                panic!("a literal is judged in two ways");
            }
            let public = AddressClass::of(address) == AddressClass::Public;
            if none.judge_name(host, 443).is_denied() == public {
                panic!("without rules, public and allowed are not the same");
            }
        }
    } else if !by_name.is_denied() {
        panic!("what is no host is allowed");
    }
    let Some(address) = lines.next().and_then(|line| line.parse::<IpAddr>().ok()) else {
        return;
    };
    if policy.judge_address(host, address, 443) == Verdict::NeedsResolution {
        panic!("an address needs resolution");
    }
}
