//! Misdeeds in `probe`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use portolan_contract::{Depth, Failure, FailureClass, Outcome};
use portolan_data::MARKER_NAME;
use portolan_sandbox::{AnswerProblem, Fault};

use crate::bench::{Bench, is_answer, is_fault, told};
use crate::log::Log;

const CLEAN: &str = "abc  d";

/// Each misdeed with why it is stopped, the sentence, the SQLSTATE, and the steps that are told.
macro_rules! stopped {
    ($($misdeed:ident: $fault:expr, $sentence:expr, $sqlstate:expr, $steps:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let probed = bench.probe(stringify!($misdeed)).await;
            let error = probed.result.clone().expect_err("it is stopped");
            is_fault(&error, &$fault, $sentence, $sqlstate);
            let steps: &[(&str, &str)] = &$steps;
            assert_eq!(told(&probed), steps);
            bench.still_answers().await;
        }
    )*};
}

fn ungranted(name: &str) -> Fault {
    Fault::NotGranted(format!("portolan:host/{name}"))
}

fn contract(what: &str) -> Fault {
    Fault::Contract(what.to_owned())
}

stopped! {
    grows_its_memory_in_a_probe: Fault::Memory(64 << 20), "used up its 64 MiB of memory", "53200",
        [("before", "ok")];
    recurses_in_a_probe: Fault::Stack(512 << 10), "used up its 512 KiB of stack", "53200", [];
    crashes_in_a_probe: Fault::Trap("wasm trap: wasm `unreachable` instruction executed".to_owned()),
        "crashed: wasm trap: wasm `unreachable` instruction executed", "08P01",
        [("crash", "failed")];
    logs_a_line_of_40_mib: Fault::HostCopy(17 << 20), "handed over more than 17 MiB in one call",
        "53200", [];
    tells_invalid_utf8: Fault::Text, "handed over text that is not UTF-8", "08P01",
        [("tell", "failed")];
    calls_the_host_without_end: Fault::HostCalls(10_000), "used up its 10000 calls to the host",
        "53200", [];
    lists_without_end: Fault::HostCalls(10_000), "used up its 10000 calls to the host", "53200",
        [("list", "failed")];
    asks_for_too_much_random: contract("asked for more than 1024 random bytes at once"),
        "broke the contract: it asked for more than 1024 random bytes at once", "08P01", [];
    asks_for_too_much_random_in_all: Fault::RandomBytes(64 << 10),
        "used up its 64 KiB of random bytes", "53200", [];
    calls_parts_without_a_grant: ungranted("parts@0.1.0#named"),
        "called portolan:host/parts@0.1.0#named, which was not granted", "42501", [];
    calls_net_without_a_grant: ungranted("net@0.1.0#connect"),
        "called portolan:host/net@0.1.0#connect, which was not granted", "42501", [];
    calls_http_without_a_grant: ungranted("http@0.1.0#send"),
        "called portolan:host/http@0.1.0#send, which was not granted", "42501", [];
    calls_sasl_without_a_grant: ungranted("sasl@0.1.0#start"),
        "called portolan:host/sasl@0.1.0#start, which was not granted", "42501", [];
    calls_sign_without_a_grant: ungranted("sign@0.1.0#sign"),
        "called portolan:host/sign@0.1.0#sign, which was not granted", "42501", [];
    uses_a_reader_as_a_writer: Fault::Malformed, "handed over a value that cannot be read", "08P01",
        [];
    uses_a_handle_that_is_used_up: Fault::Malformed, "handed over a value that cannot be read",
        "08P01", [];
    begins_a_step_within_a_step: contract("began a step while another was open"),
        "broke the contract: it began a step while another was open", "08P01",
        [("outer", "failed")];
    ends_a_step_that_was_not_begun: contract("ended a step while none was open"),
        "broke the contract: it ended a step while none was open", "08P01", [];
    tells_65_steps: contract("began more than 64 steps"),
        "broke the contract: it began more than 64 steps", "08P01", [("again", "ok"); 64];
    tells_too_many_details: contract("told more than 16 details of a step"),
        "broke the contract: it told more than 16 details of a step", "08P01", [("tell", "failed")];
    names_a_step_with_terminal_escapes:
        contract("began a step whose name is not one of the contract's"),
        "broke the contract: it began a step whose name is not one of the contract's", "08P01", [];
}

#[tokio::test]
pub(crate) async fn spins_in_a_probe() {
    let bench = Bench::with_default_limits().await;
    let probed = bench.probe("spins_in_a_probe").await;
    is_fault(
        probed.result.as_ref().expect_err("it is stopped"),
        &Fault::GuestTime(Duration::from_millis(250)),
        "used up its 250 ms of computing time",
        "53200",
    );
    assert_eq!(told(&probed), [("before", "ok"), ("spin", "failed")]);
    assert_eq!(
        probed.steps[1].outcome,
        Outcome::Failed(Failure::new(
            FailureClass::Budget,
            "the provider used up its 250 ms of computing time"
        ))
    );
    Bench::new().await.still_answers().await;
}

/// It computes for far less than 250 ms, and what it waits for is not its own time.
#[tokio::test]
pub(crate) async fn waits_honestly() {
    let bench = Bench::with_default_limits().await;
    let store = InMemory::new();
    let marker = Path::from(MARKER_NAME);
    store.put(&marker, "good".into()).await.expect("written");
    let slow = ThrottleConfig {
        wait_get_per_call: Duration::from_secs(3),
        ..ThrottleConfig::default()
    };
    let slow: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(store, slow));
    let started = Instant::now();
    let probed = bench.probe_on("waits_honestly", Depth::Read, slow).await;
    assert!(started.elapsed() >= Duration::from_secs(3));
    assert_eq!(probed.result, Ok(()));
    assert_eq!(told(&probed), [("read", "ok")]);
    assert!(probed.steps[0].duration >= Duration::from_secs(3));
    Bench::new().await.still_answers().await;
}

#[tokio::test]
pub(crate) async fn floods_the_log() {
    let bench = Bench::new().await;
    let (log, recording) = Log::record();
    let probed = bench.probe("floods_the_log").await;
    drop(recording);
    assert_eq!(probed.result, Ok(()));
    assert_eq!(told(&probed), [("flooded", "ok")]);
    let lines = log.of_providers();
    assert_eq!(lines.len(), 65);
    assert!(
        lines[..64]
            .iter()
            .all(|line| line.contains(&"x".repeat(1024)))
    );
    assert!(lines[64].contains("dropped=936"), "{}", lines[64]);
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn logs_terminal_escapes() {
    let bench = Bench::new().await;
    let (log, recording) = Log::record();
    let probed = bench.probe("logs_terminal_escapes").await;
    drop(recording);
    assert_eq!(probed.result, Ok(()));
    let lines = log.of_providers();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert!(
            line.contains(&format!("message={CLEAN} "))
                || line.ends_with(&format!("message={CLEAN}")),
            "{line:?}"
        );
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn reads_without_end() {
    let bench = Bench::new().await;
    let store = Arc::new(InMemory::new());
    let marker = Path::from(MARKER_NAME);
    store
        .put(&marker, vec![7; 64 << 10].into())
        .await
        .expect("written");
    let probed = bench
        .probe_on("reads_without_end", Depth::Read, store)
        .await;
    is_fault(
        probed.result.as_ref().expect_err("it is stopped"),
        &Fault::ResponseBytes(16 << 20),
        "used up its 16 MiB of answers",
        "53200",
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn writes_too_large_a_marker() {
    let bench = Bench::new().await;
    let store = Arc::new(InMemory::new());
    let marker = Path::from(MARKER_NAME);
    let probed = bench
        .probe_on(
            "writes_too_large_a_marker",
            Depth::Full,
            Arc::clone(&store) as Arc<dyn ObjectStore>,
        )
        .await;
    assert_eq!(probed.result, Ok(()));
    let Outcome::Failed(failure) = &probed.steps[0].outcome else {
        panic!("{probed:?}");
    };
    assert_eq!(failure.class, FailureClass::Budget);
    assert_eq!(
        failure.message,
        "a marker to write has more than 65536 bytes"
    );
    assert!(store.head(&marker).await.is_err(), "nothing was written");
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn lists_without_bound() {
    let bench = Bench::new().await;
    let store = Arc::new(InMemory::new());
    for number in 0..1_010 {
        let name = Path::from(format!("{MARKER_NAME}_{number}"));
        store.put(&name, "".into()).await.expect("written");
    }
    let probed = bench
        .probe_on("lists_without_bound", Depth::Read, store)
        .await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        probed.steps[0].details,
        [("names".to_owned(), "1000".to_owned())]
    );
    bench.still_answers().await;
}

/// At depth `read` no writer exists, so that no number stands for one.
#[tokio::test]
pub(crate) async fn forges_a_writer() {
    let bench = Bench::new().await;
    let store = Arc::new(InMemory::new());
    let marker = Path::from(MARKER_NAME);
    let probed = bench
        .probe_on(
            "forges_a_writer",
            Depth::Read,
            Arc::clone(&store) as Arc<dyn ObjectStore>,
        )
        .await;
    is_fault(
        probed.result.as_ref().expect_err("it is stopped"),
        &Fault::Malformed,
        "handed over a value that cannot be read",
        "08P01",
    );
    let good = bench
        .probe_on(
            "good",
            Depth::Read,
            Arc::clone(&store) as Arc<dyn ObjectStore>,
        )
        .await;
    assert_eq!(told(&good), [("write", "skipped"), ("read back", "failed")]);
    assert!(store.head(&marker).await.is_err(), "nothing was written");
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn leaves_a_step_open() {
    let bench = Bench::new().await;
    let probed = bench.probe("leaves_a_step_open").await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(told(&probed), [("before", "ok"), ("left open", "failed")]);
    let failure = probed.failure().expect("a failure");
    assert_eq!(
        failure.to_string(),
        "the provider returned without ending this step"
    );
    assert_eq!(failure.sqlstate(), "08P01");
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn tells_no_step() {
    let bench = Bench::new().await;
    let probed = bench.probe("tells_no_step").await;
    is_answer(
        probed.result.as_ref().expect_err("it is no success"),
        &AnswerProblem::NoStep,
        "ended its probe without telling a step",
        "08P01",
    );
    assert!(probed.steps.is_empty());
    let failure = probed.failure().expect("a failure");
    assert_eq!(
        failure.to_string(),
        "provider hostile 6.6.6 ended its probe without telling a step"
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn tells_terminal_escapes() {
    let bench = Bench::new().await;
    let probed = bench.probe("tells_terminal_escapes").await;
    assert_eq!(probed.result, Ok(()));
    let clean = || CLEAN.to_owned();
    assert_eq!(probed.steps[0].outcome, Outcome::Skipped(clean()));
    assert_eq!(probed.steps[0].details, [(clean(), clean())]);
    assert_eq!(
        probed.steps[1].outcome,
        Outcome::Failed(Failure {
            class: FailureClass::Other(clean()),
            message: clean(),
            hint: Some(clean()),
            option_name: Some(clean()),
            facts: vec![(clean(), clean())],
        })
    );
    bench.still_answers().await;
}

/// What this host does not know is not passed off as success.
#[tokio::test]
pub(crate) async fn tells_an_outcome_of_a_later_contract() {
    let bench = Bench::new().await;
    let probed = bench.probe("tells_an_outcome_of_a_later_contract").await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        probed.steps[0].outcome,
        Outcome::Skipped("the step ended in a way that this host does not know".to_owned())
    );
    bench.still_answers().await;
}
