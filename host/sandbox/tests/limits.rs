//! Limits around an honest provider: time, turns, calls and answers. What only a hostile guest can
//! hit is tested with the hostile guests, and below `src`.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use portolan_contract::{Depth, FailureClass, Outcome, RuleContext, SplitUri, StoredPlan, split};
use portolan_sandbox::{
    Allocation, Component, Fault, Limits, ProbeRequest, Probed, Provider, ProviderError, Sandbox,
    SandboxOptions,
};
use portolan_secret::SecretText;

type Change = fn(&mut Limits);

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn nodelocal() -> &'static portolan_plugins::BuiltIn {
    portolan_plugins::built_in_named("nodelocal").expect("it is built in")
}

async fn provider(limits: Limits) -> Provider {
    let options = SandboxOptions {
        limits,
        allocation: Allocation::OnDemand,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    let component = Component::new(nodelocal().component);
    sandbox.load(component).await.expect("it loads")
}

fn uri(provider: &Provider) -> SplitUri {
    let text = SecretText::new("nodelocal://self/x");
    split(&text, provider.manifest()).expect("it splits")
}

async fn request(provider: &Provider, put: Duration, timeout: Option<Duration>) -> ProbeRequest {
    let uri = uri(provider);
    let planned = provider.plan(&uri).await.expect("a plan");
    let plan = StoredPlan::new(
        &provider.manifest().name,
        provider.manifest().version,
        planned.plan,
        RuleContext::new(&uri.pieces),
        &uri.secrets,
    );
    let config = ThrottleConfig {
        wait_put_per_call: put,
        ..ThrottleConfig::default()
    };
    let store: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(InMemory::new(), config));
    ProbeRequest {
        plan: plan.expect("a stored plan"),
        depth: Depth::Full,
        store: Some(store),
        egress: None,
        lent: portolan_egress::credentials::Lent::default(),
        timeout,
    }
}

async fn probe(provider: &Provider, put: Duration, timeout: Option<Duration>) -> Probed {
    provider.probe(request(provider, put, timeout).await).await
}

fn fault(probed: &Probed) -> &Fault {
    match &probed.result {
        Err(ProviderError::Fault { fault, .. }) => fault,
        other => panic!("it was not stopped: {other:?}"),
    }
}

#[tokio::test]
async fn waiting_for_the_host_is_not_computing() {
    let limits = limits(|limits| limits.guest_time = Duration::from_millis(100));
    let provider = provider(limits).await;
    let started = Instant::now();
    let probed = probe(&provider, Duration::from_secs(1), None).await;
    assert_eq!(probed.failure(), None);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(probed.steps[0].duration >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_step_that_takes_too_long_fails_and_leaves_time_to_tell_of_it() {
    let limits = limits(|limits| limits.step_wall_time = Duration::from_millis(50));
    let provider = provider(limits).await;
    let probed = probe(&provider, Duration::from_secs(60), None).await;
    assert_eq!(probed.result, Ok(()));
    let Outcome::Failed(failure) = &probed.steps[0].outcome else {
        panic!("it failed");
    };
    assert_eq!(failure.class, FailureClass::Timeout);
    assert!(
        failure
            .message
            .ends_with("the step did not finish within 50 ms"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_probe_that_takes_too_long_is_stopped_and_its_open_step_says_so() {
    let provider = provider(Limits::default()).await;
    let wall = Duration::from_millis(200);
    let probed = probe(&provider, Duration::from_secs(60), Some(wall)).await;
    assert_eq!(fault(&probed), &Fault::WallTime(wall));
    let failure = probed.failure().expect("a failure");
    assert_eq!(
        failure.to_string(),
        "provider nodelocal 0.1.0 did not finish within 200 ms"
    );
    assert_eq!(failure.sqlstate(), "57014");
    assert_eq!(probed.steps.len(), 1);
    let Outcome::Failed(step) = &probed.steps[0].outcome else {
        panic!("it failed");
    };
    assert_eq!(step.message, "the provider did not finish within 200 ms");
}

#[tokio::test]
async fn operations_beyond_the_most_of_a_provider_wait_and_are_told_why() {
    let limits = limits(|limits| {
        limits.operations_per_provider = 1;
        limits.planning_wall_time = Duration::from_millis(100);
    });
    let provider = provider(limits).await;
    let request = request(&provider, Duration::from_secs(60), None).await;
    let slow = tokio::spawn({
        let provider = provider.clone();
        async move { provider.probe(request).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = provider
        .plan(&uri(&provider))
        .await
        .expect_err("its turn never came");
    assert_eq!(
        error.to_string(),
        "provider nodelocal 0.1.0 had to wait too long: 1 operations were running, the most at once"
    );
    assert_eq!(error.sqlstate(), "53200");
    // A caller that gives up ends the instance, and the next one's turn has come.
    slow.abort();
    assert!(slow.await.expect_err("aborted").is_cancelled());
    provider.plan(&uri(&provider)).await.expect("a plan");
}

#[tokio::test]
async fn operations_beyond_the_most_of_the_host_wait_as_well() {
    let limits = limits(|limits| {
        limits.operations = 1;
        limits.planning_wall_time = Duration::from_millis(100);
    });
    let provider = provider(limits).await;
    let request = request(&provider, Duration::from_secs(60), None).await;
    let slow = tokio::spawn({
        let provider = provider.clone();
        async move { provider.probe(request).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = provider
        .plan(&uri(&provider))
        .await
        .expect_err("its turn never came");
    let ProviderError::Fault { fault, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(fault, Fault::Busy(1));
    slow.abort();
}

#[tokio::test]
async fn calls_answers_and_handles_are_counted() {
    let cases: [(Change, Fault); 3] = [
        (|limits| limits.host_calls = 3, Fault::HostCalls(3)),
        (
            |limits| limits.response_bytes = 40,
            Fault::ResponseBytes(40),
        ),
        (|limits| limits.handles = 1, Fault::Handles(1)),
    ];
    for (change, expected) in cases {
        let provider = provider(limits(change)).await;
        let probed = probe(&provider, Duration::ZERO, None).await;
        assert_eq!(fault(&probed), &expected);
        // The host and the provider go on as if nothing had been.
        provider.plan(&uri(&provider)).await.expect("a plan");
    }
}

#[tokio::test]
async fn a_component_that_begins_with_too_much_is_not_loaded() {
    let cases: [(Change, &str); 4] = [
        (
            |limits| limits.memory = 64 << 10,
            "bytes of memory to begin with; the most is 64 KiB",
        ),
        (
            |limits| limits.table_elements = 3,
            "table elements to begin with; the most is 3",
        ),
        (
            |limits| limits.component_size = 1000,
            "bytes; the most is 1000 bytes",
        ),
        (
            |limits| limits.component_functions = 10,
            "functions; the most is 10",
        ),
    ];
    for (change, text) in cases {
        for allocation in [Allocation::Pooling, Allocation::OnDemand] {
            let options = SandboxOptions {
                limits: limits(change),
                allocation,
                ..SandboxOptions::default()
            };
            let sandbox = Sandbox::new(options).expect("a sandbox");
            let component = Component::new(nodelocal().component);
            let error = sandbox.load(component).await.expect_err("too much");
            assert!(error.to_string().ends_with(text), "{error}");
            assert_eq!(error.sqlstate(), "53200");
        }
    }
}

#[tokio::test]
async fn compiling_that_takes_too_long_is_given_up() {
    let options = SandboxOptions {
        limits: limits(|limits| limits.compile_time = Duration::from_millis(1)),
        allocation: Allocation::OnDemand,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    let component = Component::new(nodelocal().component);
    let error = sandbox.load(component).await.expect_err("too long");
    assert_eq!(
        error.to_string(),
        "the component was not compiled within 1 ms"
    );
}

#[tokio::test]
async fn planning_runs_side_by_side_in_any_number() {
    let provider = provider(Limits::default()).await;
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.plan(&uri(&provider)).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("it ran").expect("a plan");
    }
}
