//! Misdeeds in `plan`.

use std::hint::black_box;
use std::mem::forget;

use crate::bindings::portolan::host::{http, log, net, parts, random, sasl, sign, steps};
use crate::bindings::portolan::types::types::{
    Endpoint, Failure, FailureClass, Fragment, Kind, NamedSecret, ObjectStore, Operation,
    PlanEntry, TlsProfile, TlsVerification, UriPieces, Value,
};
use crate::{Planned, good_plan, good_plan_at, refusal};

/// Takes over a terminal: the title, the colours, a link, the order of the letters.
pub(crate) const ESCAPES: &str =
    "a\u{1b}]0;title\u{7}\u{1b}[31;1mb\u{1b}[2J\u{9b}2J\u{202e}c\u{200b}\r\nd\u{0}";

const MIB: usize = 1 << 20;

pub(crate) fn spins_forever(_: &UriPieces) -> Planned {
    spin()
}

pub(crate) fn spin() -> ! {
    loop {
        black_box(());
    }
}

pub(crate) fn grows_its_memory(_: &UriPieces) -> Planned {
    grow()
}

pub(crate) fn grow() -> ! {
    loop {
        if core::arch::wasm32::memory_grow(0, 16) == usize::MAX {
            core::arch::wasm32::unreachable();
        }
    }
}

pub(crate) fn recurses(_: &UriPieces) -> Planned {
    Err(refusal(recurse(0).to_string()))
}

/// Keeps next to nothing in linear memory, so that it is the host's stack that runs out.
#[allow(unconditional_recursion, reason = "the misdeed")]
#[inline(never)]
pub(crate) fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth) + 1)) + depth
}

pub(crate) fn executes_unreachable(_: &UriPieces) -> Planned {
    core::arch::wasm32::unreachable()
}

pub(crate) fn panics(_: &UriPieces) -> Planned {
    panic!("a provider may not know better")
}

pub(crate) fn returns_a_string_of_40_mib(_: &UriPieces) -> Planned {
    Err(refusal("a".repeat(40 * MIB)))
}

/// The texts share their bytes, so that the guest's memory does not bound what the host copies.
pub(crate) fn returns_one_mebibyte_a_hundred_times(uri: &UriPieces) -> Planned {
    let mut text = "a".repeat(MIB);
    let mut plan = good_plan(uri);
    for _ in 0..100 {
        // SAFETY: the copies are never freed: the host takes them or ends the instance.
        let copy = unsafe { String::from_raw_parts(text.as_mut_ptr(), MIB, MIB) };
        plan.push(PlanEntry::Warning(copy));
    }
    forget(text);
    Ok(plan)
}

pub(crate) fn returns_a_hundred_thousand_entries(_: &UriPieces) -> Planned {
    Ok(vec![PlanEntry::Kind(Kind::Storage); 100_000])
}

pub(crate) fn invalid_utf8() -> String {
    // SAFETY: nothing here reads it as text; the host is to find out.
    unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xc0, 0x80]) }
}

pub(crate) fn returns_invalid_utf8(_: &UriPieces) -> Planned {
    Err(refusal(invalid_utf8()))
}

pub(crate) fn calls_log(uri: &UriPieces) -> Planned {
    log::write(&log::Level::Info, "a byte leaves");
    Ok(good_plan(uri))
}

pub(crate) fn calls_random(uri: &UriPieces) -> Planned {
    black_box(random::bytes(1));
    Ok(good_plan(uri))
}

pub(crate) fn calls_steps(uri: &UriPieces) -> Planned {
    steps::begin("plan");
    Ok(good_plan(uri))
}

pub(crate) fn calls_parts(uri: &UriPieces) -> Planned {
    forget(parts::named("key"));
    Ok(good_plan(uri))
}

pub(crate) fn calls_net(uri: &UriPieces) -> Planned {
    forget(net::connect(0));
    Ok(good_plan(uri))
}

pub(crate) fn calls_http(uri: &UriPieces) -> Planned {
    forget(send());
    Ok(good_plan(uri))
}

/// A request that no rule describes.
pub(crate) fn send() -> Result<http::Response, Failure> {
    http::send(http::Request {
        rule: "exfiltrate".to_owned(),
        endpoint: 0,
        method: "POST".to_owned(),
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        keep_opaque: Vec::new(),
    })
}

pub(crate) fn calls_sasl(uri: &UriPieces) -> Planned {
    forget(sasl::start("PLAIN", &[], None));
    Ok(good_plan(uri))
}

pub(crate) fn calls_sign(uri: &UriPieces) -> Planned {
    forget(sign::sign("key", &sign::Algorithm::HmacSha256, b"a byte"));
    Ok(good_plan(uri))
}

pub(crate) fn plans_nothing(_: &UriPieces) -> Planned {
    Ok(Vec::new())
}

pub(crate) fn plans_too_much(uri: &UriPieces) -> Planned {
    let mut plan = good_plan(uri);
    plan.resize(257, PlanEntry::Warning("more".to_owned()));
    Ok(plan)
}

pub(crate) fn with(uri: &UriPieces, entry: PlanEntry) -> Planned {
    let mut plan = good_plan(uri);
    plan.push(entry);
    Ok(plan)
}

pub(crate) fn endpoint(host: &str, port: u16, profile: Option<&str>) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    })
}

/// Two endpoints, where the authority names a port: 0 is in clear, 1 speaks TLS. A profile that
/// neither names is planned as well.
pub(crate) fn plan_endpoints(uri: &UriPieces, plan: &mut Vec<PlanEntry>) {
    let Some((host, port)) = uri.authority.rsplit_once(':') else {
        return;
    };
    let Ok(port) = port.parse() else {
        return;
    };
    plan.push(endpoint(host, port, None));
    plan.push(endpoint(host, port, Some("server")));
    let authority = uri.options.iter().any(|option| option.name == "ca");
    for name in ["server", "another"] {
        plan.push(PlanEntry::Tls(TlsProfile {
            name: name.to_owned(),
            certificate_authority: authority.then(|| "ca".to_owned()),
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::Full,
        }));
    }
}

pub(crate) fn plans_an_endpoint_outside_its_rules(uri: &UriPieces) -> Planned {
    with(uri, endpoint("169.254.169.254", 443, None))
}

pub(crate) fn plans_a_port_outside_its_rules(uri: &UriPieces) -> Planned {
    with(uri, endpoint("a.example.com", 22, None))
}

pub(crate) fn plans_a_kind_that_its_manifest_lacks(uri: &UriPieces) -> Planned {
    with(uri, PlanEntry::Kind(Kind::Kms))
}

pub(crate) fn plans_an_operation_that_its_manifest_lacks(uri: &UriPieces) -> Planned {
    with(uri, PlanEntry::Supports(Operation::Replication))
}

pub(crate) fn plans_a_kind_of_a_later_contract(uri: &UriPieces) -> Planned {
    with(uri, PlanEntry::Kind(Kind::Other(ESCAPES.to_owned())))
}

fn secret(name: &str, fragments: Vec<Fragment>) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments,
    })
}

fn first_secret(uri: &UriPieces) -> Fragment {
    let number = uri.options.iter().find_map(|option| match &option.value {
        Value::Secret(secret) => Some(secret.number),
        Value::Text(_) => None,
    });
    Fragment::Secret(number.unwrap_or_default())
}

pub(crate) fn names_a_secret_that_it_was_not_given(uri: &UriPieces) -> Planned {
    with(uri, secret("stolen", vec![Fragment::Secret(4_000_000_000)]))
}

pub(crate) fn names_a_secret_twice(uri: &UriPieces) -> Planned {
    with(uri, secret("again", vec![first_secret(uri)]))
}

pub(crate) fn names_two_secrets_alike(uri: &UriPieces) -> Planned {
    with(uri, secret("key", vec![Fragment::Text("other".to_owned())]))
}

/// A parameter of a request is an option's name behind `query.`, and no longer.
pub(crate) fn names_too_long_a_parameter(uri: &UriPieces) -> Planned {
    let name = format!("query.{}", "a".repeat(65));
    with(uri, secret(&name, vec![Fragment::Text("x".to_owned())]))
}

pub(crate) fn names_a_tls_profile_that_it_does_not_plan(uri: &UriPieces) -> Planned {
    with(uri, endpoint("a.example.com", 443, Some("missing")))
}

pub(crate) fn names_a_certificate_that_it_does_not_plan(uri: &UriPieces) -> Planned {
    with(
        uri,
        PlanEntry::Tls(TlsProfile {
            name: "profile".to_owned(),
            certificate_authority: Some("missing".to_owned()),
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::Full,
        }),
    )
}

pub(crate) fn composes_too_long_a_secret(uri: &UriPieces) -> Planned {
    with(
        uri,
        secret("long", vec![Fragment::Text("a".to_owned()); 17]),
    )
}

pub(crate) fn object_store(prefix: &str) -> PlanEntry {
    PlanEntry::ObjectStore(ObjectStore {
        backend: "nodelocal".to_owned(),
        container: "self".to_owned(),
        prefix: prefix.to_owned(),
    })
}

pub(crate) fn plans_two_object_stores(uri: &UriPieces) -> Planned {
    with(uri, object_store("another"))
}

pub(crate) fn plans_a_path_that_climbs_out(uri: &UriPieces) -> Planned {
    Ok(good_plan_at(uri, "a/../../etc"))
}

pub(crate) fn plans_an_endpoint_with_a_userinfo(uri: &UriPieces) -> Planned {
    with(uri, endpoint("evil.org/@a.example.com", 443, None))
}

pub(crate) fn refuses_with_terminal_escapes(_: &UriPieces) -> Planned {
    Err(hostile_failure())
}

/// Terminal escapes in every text of a failure.
pub(crate) fn hostile_failure() -> Failure {
    Failure {
        class: FailureClass::Other(ESCAPES.to_owned()),
        message: ESCAPES.to_owned(),
        hint: Some(ESCAPES.to_owned()),
        option_name: Some(ESCAPES.to_owned()),
        facts: vec![(ESCAPES.to_owned(), ESCAPES.to_owned())],
    }
}

pub(crate) fn refuses_at_great_length(_: &UriPieces) -> Planned {
    let text = "long ".repeat(2_000);
    Err(Failure {
        class: FailureClass::InvalidUri,
        message: text.clone(),
        hint: Some(text.clone()),
        option_name: Some(text.clone()),
        facts: vec![("name".to_owned(), "value".to_owned()); 100],
    })
}

pub(crate) fn plans_terminal_escapes(uri: &UriPieces) -> Planned {
    let mut plan = good_plan(uri);
    plan.push(PlanEntry::Warning(ESCAPES.to_owned()));
    plan.push(PlanEntry::ImplicitAccess(ESCAPES.to_owned()));
    plan.push(PlanEntry::Setting((ESCAPES.to_owned(), ESCAPES.to_owned())));
    plan.push(PlanEntry::Other((ESCAPES.to_owned(), ESCAPES.to_owned())));
    Ok(plan)
}
