//! Misdeeds in `plan`.

use std::time::Duration;

use portolan_contract::{Failure, FailureClass, PlanEntry};
use portolan_sandbox::{AnswerProblem, Fault, ProviderError};

use crate::bench::{Bench, is_answer, is_fault};

const CLEAN: &str = "abc  d";

macro_rules! stopped {
    ($($misdeed:ident: $fault:expr, $sentence:expr, $sqlstate:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let error = bench.plan(stringify!($misdeed)).await.expect_err("it is stopped");
            is_fault(&error, &$fault, $sentence, $sqlstate);
            bench.still_answers().await;
        }
    )*};
}

macro_rules! refused {
    ($($misdeed:ident: $problem:expr, $sentence:expr, $sqlstate:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let error = bench.plan(stringify!($misdeed)).await.expect_err("it is refused");
            is_answer(&error, &$problem, $sentence, $sqlstate);
            bench.still_answers().await;
        }
    )*};
}

fn unreachable() -> Fault {
    Fault::Trap("wasm trap: wasm `unreachable` instruction executed".to_owned())
}

fn import(name: &str) -> Fault {
    Fault::PlanningImport(format!("portolan:host/{name}"))
}

stopped! {
    grows_its_memory: Fault::Memory(64 << 20), "used up its 64 MiB of memory", "53200";
    recurses: Fault::Stack(512 << 10), "used up its 512 KiB of stack", "53200";
    executes_unreachable: unreachable(),
        "crashed: wasm trap: wasm `unreachable` instruction executed", "08P01";
    panics: unreachable(),
        "crashed: wasm trap: wasm `unreachable` instruction executed", "08P01";
    returns_a_string_of_40_mib: Fault::HostCopy(4 << 20),
        "handed over more than 4 MiB in one call", "53200";
    returns_one_mebibyte_a_hundred_times: Fault::HostCopy(4 << 20),
        "handed over more than 4 MiB in one call", "53200";
    returns_a_hundred_thousand_entries: Fault::HostCopy(4 << 20),
        "handed over more than 4 MiB in one call", "53200";
    returns_invalid_utf8: Fault::Text, "handed over text that is not UTF-8", "08P01";
    calls_log: import("log@0.1.0#write"),
        "called portolan:host/log@0.1.0#write while planning, where nothing may be called", "08P01";
    calls_random: import("random@0.1.0#bytes"),
        "called portolan:host/random@0.1.0#bytes while planning, where nothing may be called", "08P01";
    calls_steps: import("steps@0.1.0#begin"),
        "called portolan:host/steps@0.1.0#begin while planning, where nothing may be called", "08P01";
    calls_parts: import("parts@0.1.0#named"),
        "called portolan:host/parts@0.1.0#named while planning, where nothing may be called", "08P01";
    calls_net: import("net@0.1.0#connect"),
        "called portolan:host/net@0.1.0#connect while planning, where nothing may be called", "08P01";
    calls_http: import("http@0.1.0#send"),
        "called portolan:host/http@0.1.0#send while planning, where nothing may be called", "08P01";
    calls_sasl: import("sasl@0.1.0#start"),
        "called portolan:host/sasl@0.1.0#start while planning, where nothing may be called", "08P01";
    calls_sign: import("sign@0.1.0#sign"),
        "called portolan:host/sign@0.1.0#sign while planning, where nothing may be called", "08P01";
}

refused! {
    plans_nothing: AnswerProblem::NoKind, "plans no kind", "08P01";
    plans_too_much: AnswerProblem::TooManyEntries(256), "plans more than 256 entries", "08P01";
    plans_an_endpoint_outside_its_rules:
        AnswerProblem::Endpoint { host: "169.254.169.254".to_owned(), port: 443 },
        "plans the endpoint 169.254.169.254:443, which no rule of its manifest admits", "42501";
    plans_a_port_outside_its_rules:
        AnswerProblem::Endpoint { host: "a.example.com".to_owned(), port: 22 },
        "plans the endpoint a.example.com:22, which no rule of its manifest admits", "42501";
    plans_a_kind_that_its_manifest_lacks: AnswerProblem::Kind("kms".to_owned()),
        "plans the kind kms, which its manifest does not list", "08P01";
    plans_an_operation_that_its_manifest_lacks: AnswerProblem::Operation("replication".to_owned()),
        "plans the operation replication, which its manifest does not list", "08P01";
    plans_a_kind_of_a_later_contract: AnswerProblem::Kind(CLEAN.to_owned()),
        "plans the kind abc  d, which its manifest does not list", "08P01";
    names_a_secret_that_it_was_not_given: AnswerProblem::NoSuchSecret(4_000_000_000),
        "plans secret 4000000000, which the URI does not have", "08P01";
    names_a_secret_twice: AnswerProblem::SecretTwice(1), "plans secret 1 twice", "08P01";
    names_two_secrets_alike: AnswerProblem::SecretName("key".to_owned()),
        "plans a secret under the name \"key\", which is empty, too long or taken", "08P01";
    names_too_long_a_parameter: AnswerProblem::SecretName(format!("query.{}", "a".repeat(58))),
        "plans a secret under the name \"query.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", which is empty, too long or taken", "08P01";
    names_a_tls_profile_that_it_does_not_plan: AnswerProblem::TlsProfile("missing".to_owned()),
        "plans the TLS profile \"missing\" not at all or twice", "08P01";
    names_a_certificate_that_it_does_not_plan: AnswerProblem::MissingSecret("missing".to_owned()),
        "uses the named secret \"missing\", which it does not plan", "08P01";
    composes_too_long_a_secret: AnswerProblem::TooManyFragments(16),
        "plans a secret of more than 16 pieces", "08P01";
    plans_two_object_stores: AnswerProblem::ObjectStore("more than one object store"),
        "plans more than one object store", "08P01";
    plans_a_path_that_climbs_out:
        AnswerProblem::ObjectStore("an object store whose path may lead out of it"),
        "plans an object store whose path may lead out of it", "08P01";
    plans_an_endpoint_with_a_userinfo:
        AnswerProblem::Endpoint { host: "evil.org/@a.example.com".to_owned(), port: 443 },
        "plans the endpoint evil.org/@a.example.com:443, which no rule of its manifest admits", "42501";
}

#[tokio::test]
pub(crate) async fn spins_forever() {
    let bench = Bench::with_default_limits().await;
    let error = bench
        .plan("spins_forever")
        .await
        .expect_err("it is stopped");
    is_fault(
        &error,
        &Fault::GuestTime(Duration::from_millis(250)),
        "used up its 250 ms of computing time",
        "53200",
    );
    Bench::new().await.still_answers().await;
    let again = bench.plan("spins_forever").await;
    assert_eq!(again.expect_err("it is stopped"), error);
}

#[tokio::test]
pub(crate) async fn refuses_with_terminal_escapes() {
    let bench = Bench::new().await;
    let error = bench.plan("refuses_with_terminal_escapes").await;
    let error = error.expect_err("it is refused");
    assert_eq!(error.sqlstate(), "08P01");
    assert_eq!(
        error,
        ProviderError::Refused(Failure {
            class: FailureClass::Other(CLEAN.to_owned()),
            message: CLEAN.to_owned(),
            hint: Some(CLEAN.to_owned()),
            option_name: Some(CLEAN.to_owned()),
            facts: vec![(CLEAN.to_owned(), CLEAN.to_owned())],
        })
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn refuses_at_great_length() {
    let bench = Bench::new().await;
    let error = bench.plan("refuses_at_great_length").await;
    let Err(ProviderError::Refused(failure)) = error else {
        panic!("{error:?}");
    };
    let text = "long ".repeat(2_000);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert_eq!(failure.message, text[..4096]);
    assert_eq!(failure.hint.as_deref(), Some(&text[..4096]));
    assert_eq!(failure.option_name.as_deref(), Some(&text[..64]));
    assert_eq!(failure.facts.len(), 16);
    bench.still_answers().await;
}

/// What people read is cleaned; what the host looks up by name is used as it is.
#[tokio::test]
pub(crate) async fn plans_terminal_escapes() {
    let bench = Bench::new().await;
    let planned = bench.plan("plans_terminal_escapes").await.expect("a plan");
    let clean = || CLEAN.to_owned();
    for entry in [
        PlanEntry::Warning(clean()),
        PlanEntry::ImplicitAccess(clean()),
        PlanEntry::Other(clean(), clean()),
    ] {
        assert!(planned.plan.entries.contains(&entry), "{planned:?}");
    }
    bench.still_answers().await;
}
