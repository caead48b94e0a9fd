use super::*;

fn policy(rules: &[&str]) -> Policy {
    Policy::with_rules(
        rules
            .iter()
            .map(|rule| rule.parse().expect("a rule"))
            .collect(),
    )
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn reason(verdict: &Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Denied(denial) => Some(denial.reason()),
        _ => None,
    }
}

/// One address of each class, in the order of the page's table.
const ONE_OF_EACH: [(AddressClass, &str); 9] = [
    (AddressClass::Public, "93.184.215.14"),
    (AddressClass::Loopback, "127.0.0.1"),
    (AddressClass::Private, "10.1.2.3"),
    (AddressClass::Shared, "100.64.0.1"),
    (AddressClass::LinkLocal, "169.254.7.7"),
    (AddressClass::Metadata, "169.254.169.254"),
    (AddressClass::Multicast, "224.0.0.1"),
    (AddressClass::Documentation, "192.0.2.1"),
    (AddressClass::Reserved, "240.0.0.1"),
];

#[test]
fn without_rules_only_public_addresses_are_allowed() {
    for (class, text) in ONE_OF_EACH {
        let verdict = Policy::default().judge_address("db.example", address(text), 443);
        let expected = match class {
            AddressClass::Public => None,
            class => Some(Reason::Class(class)),
        };
        assert_eq!(reason(&verdict), expected, "{text}");
    }
}

#[test]
fn a_host_rule_admits_what_the_name_resolves_to_but_link_local_and_metadata() {
    let policy = policy(&["db.example:443"]);
    for (class, text) in ONE_OF_EACH {
        let by_name = policy.judge_address("db.example", address(text), 443);
        let forbidden = matches!(class, AddressClass::LinkLocal | AddressClass::Metadata);
        assert_eq!(by_name.is_denied(), forbidden, "{text}");
        // Neither another name, nor another port, nor the bare address profits from it.
        let public = class == AddressClass::Public;
        for (host, port) in [("other.example", 443), ("db.example", 80), (text, 443)] {
            let verdict = policy.judge_address(host, address(text), port);
            assert_eq!(verdict.is_denied(), !public, "{host}:{port} at {text}");
        }
    }
}

#[test]
fn a_network_rule_admits_every_address_of_it_whatever_its_class() {
    for (class, text) in ONE_OF_EACH {
        for rule in [
            text.to_owned(),
            format!("{text}/32"),
            "0.0.0.0/0:443".to_owned(),
        ] {
            let policy = policy(&[&rule]);
            let verdict = policy.judge_address("db.example", address(text), 443);
            assert!(!verdict.is_denied(), "{class} by {rule}: {verdict}");
        }
    }
}

#[test]
fn a_rule_with_a_port_is_for_this_port_alone() {
    for rule in ["10.0.0.0/8:9000", "10.1.2.3:9000"] {
        let policy = policy(&[rule]);
        assert!(!policy.judge_name("10.1.2.3", 9000).is_denied());
        assert!(policy.judge_name("10.1.2.3", 9001).is_denied());
    }
    assert!(!policy(&["10.1.2.3"]).judge_name("10.1.2.3", 1).is_denied());
}

#[test]
fn a_star_stands_for_exactly_one_label() {
    let policy = policy(&["*.minio.internal:9000"]);
    let allowed = |name| matches!(policy.judge_name(name, 9000), Verdict::Allowed { .. });
    assert!(allowed("a.minio.internal"));
    assert!(allowed("A.MinIO.internal."));
    for name in [
        "minio.internal",
        "a.b.minio.internal",
        "xminio.internal",
        "a.minio.internal.evil",
    ] {
        assert_eq!(
            policy.judge_name(name, 9000),
            Verdict::NeedsResolution,
            "{name}"
        );
    }
}

#[test]
fn a_name_is_judged_without_network_and_again_by_each_address() {
    let policy = policy(&["db.internal:5432"]);
    assert_eq!(
        policy.judge_name("other.example", 5432),
        Verdict::NeedsResolution
    );
    assert!(matches!(
        policy.judge_name("db.internal", 5432),
        Verdict::Allowed { rule: Some(rule) } if rule.to_string() == "db.internal:5432"
    ));
    // The name was allowed; where it leads is judged again.
    let metadata = policy.judge_address("db.internal", address("169.254.169.254"), 5432);
    assert_eq!(
        reason(&metadata),
        Some(Reason::Class(AddressClass::Metadata))
    );
}

#[test]
fn names_whose_address_is_known_are_denied_before_any_look_up() {
    let none = Policy::default();
    for name in ["localhost", "LOCALHOST.", "x.localhost"] {
        let verdict = none.judge_name(name, 80);
        assert_eq!(
            reason(&verdict),
            Some(Reason::Class(AddressClass::Loopback)),
            "{name}"
        );
    }
    for name in METADATA_NAMES {
        let verdict = none.judge_name(name, 80);
        assert_eq!(
            reason(&verdict),
            Some(Reason::Class(AddressClass::Metadata)),
            "{name}"
        );
        // A rule with such a name admits nothing.
        let named = policy(&[name]).judge_name(name, 80);
        assert_eq!(
            reason(&named),
            Some(Reason::Class(AddressClass::Metadata)),
            "{name}"
        );
    }
}

#[test]
fn a_known_name_is_admitted_by_its_own_rule_or_by_its_address() {
    assert!(matches!(
        policy(&["localhost:9000"]).judge_name("localhost", 9000),
        Verdict::Allowed { rule: Some(_) }
    ));
    assert_eq!(
        policy(&["127.0.0.0/8"]).judge_name("localhost", 9000),
        Verdict::NeedsResolution
    );
    assert_eq!(
        policy(&["169.254.169.254"]).judge_name("metadata.google.internal", 80),
        Verdict::NeedsResolution
    );
    assert!(
        policy(&["localhost:9000"])
            .judge_name("127.0.0.1", 9000)
            .is_denied()
    );
}

#[test]
fn a_tunnel_is_what_it_carries_and_a_rule_names_the_tunnel() {
    let nat64 = address("64:ff9b::a01:203");
    let inner = policy(&["10.0.0.0/8"]).judge_address("db.example", nat64, 443);
    assert_eq!(reason(&inner), Some(Reason::Class(AddressClass::Private)));
    assert!(
        !policy(&["[64:ff9b::/96]"])
            .judge_address("db.example", nat64, 443)
            .is_denied()
    );
    // A mapped address is no tunnel: the system dials the inner one.
    let mapped = address("::ffff:10.1.2.3");
    assert!(
        !policy(&["10.0.0.0/8"])
            .judge_address("db.example", mapped, 443)
            .is_denied()
    );
}

#[test]
fn port_zero_is_denied_whatever_the_rules_say() {
    let policy = policy(&["0.0.0.0/0", "db.example"]);
    for host in ["10.0.0.1", "db.example"] {
        assert_eq!(
            reason(&policy.judge_name(host, 0)),
            Some(Reason::InvalidPort)
        );
    }
    let verdict = policy.judge_address("db.example", address("8.8.8.8"), 0);
    assert_eq!(reason(&verdict), Some(Reason::InvalidPort));
}

#[test]
fn a_refusal_says_what_to_do_and_never_which_address_was_found() {
    let none = Policy::default();
    let by_address = none.judge_address("db.internal", address("10.9.8.7"), 5432);
    assert_eq!(
        by_address.to_string(),
        "denied: the policy denies db.internal:5432: the name stands for a private address; if it \
         is meant, allow it with the rule db.internal:5432 in the host's policy"
    );
    assert_eq!(
        none.judge_name("[fd00::1]", 443).to_string(),
        "denied: the policy denies [fd00::1]:443, a private address; if it is meant, allow it with \
         the rule [fd00::1]:443 in the host's policy"
    );
    assert_eq!(
        none.judge_name("metadata.google.internal", 80).to_string(),
        "denied: the policy denies metadata.google.internal:80: the name stands for a metadata \
         address; no rule with a name admits a metadata address; if it is meant, allow the address \
         itself with the rule ADDRESS:80 in the host's policy"
    );
    let advised = none.clone().advising("with --flag {rule}");
    assert_eq!(
        advised.judge_name("[fd00::1]", 443).to_string(),
        "denied: the policy denies [fd00::1]:443, a private address; if it is meant, allow it with \
         --flag [fd00::1]:443"
    );
    let Verdict::Denied(secret) = none.judge_name("user:hunter2@db.internal", 443) else {
        panic!("userinfo is no part of a host");
    };
    assert_eq!(secret.sqlstate(), "22023");
    assert_eq!(
        secret.to_string(),
        "an endpoint of the connection is neither a DNS name nor an address"
    );
    let Verdict::Denied(denial) = none.judge_name("10.0.0.1", 443) else {
        panic!("a private address is denied");
    };
    assert_eq!(denial.sqlstate(), "42501");
}

#[test]
fn every_hint_s_rule_admits_what_was_denied() {
    for host in [
        "10.1.2.3",
        "[fd00::1]",
        "localhost",
        "169.254.169.254",
        "::ffff:127.0.0.1",
    ] {
        let none = Policy::default().advising("with {rule}");
        let Verdict::Denied(denial) = none.judge_name(host, 9000) else {
            panic!("{host} is allowed");
        };
        let hint = denial.hint();
        let rule = hint.rsplit(' ').next().expect("a last word");
        assert_eq!(
            denial.rule().map(|rule| rule.to_string()).as_deref(),
            Some(rule)
        );
        assert!(
            !policy(&[rule]).judge_name(host, 9000).is_denied(),
            "{hint}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_a_law_of_the_policy(text in "[ -~\n]{0,80}|(?s).{0,60}") {
        crate::fuzzing::policy(text.as_bytes());
    }

    #[test]
    fn an_address_is_judged_alike_as_itself_and_as_text(
        bits: u128,
        place in 0_u8..8,
        port in 1_u16..,
    ) {
        // Most of the 2^128 addresses are dull; half of these begin like the interesting ones.
        let heads: [u128; 8] =
            [0, 0xffff << 32, 0x64_ff9b << 96, 0x2002 << 112, 0x2001 << 112, 0xfe80 << 112, 0xfd00 << 112, bits];
        let head = heads[usize::from(place)];
        let address = Ipv6Addr::from_bits(head | (bits & ((1 << 64) - 1)));
        let none = Policy::default();
        let by_text = none.judge_name(&format!("[{address}]"), port);
        proptest::prop_assert_eq!(&by_text, &none.judge_name(&address.to_string(), port));
        let direct = none.judge_address(&address.to_string(), IpAddr::V6(address), port);
        proptest::prop_assert_eq!(by_text, direct);
    }
}
