//! The built-in provider of `nodelocal`, loaded, planned, probed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use futures::StreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use portolan_contract::{
    Depth, FailureClass, Operation, Outcome, RuleContext, SplitUri, StoredPlan, split,
};
use portolan_sandbox::{
    Allocation, Component, LoadError, ProbeRequest, Probed, Provider, ProviderError, Sandbox,
    SandboxOptions, manifest_of,
};
use portolan_secret::SecretText;

fn component() -> &'static [u8] {
    let nodelocal = portolan_plugins::built_in_named("nodelocal");
    nodelocal.expect("it is built in").component
}

async fn provider(allocation: Allocation) -> Provider {
    let options = SandboxOptions {
        allocation,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    let loaded = sandbox.load(Component::new(component())).await;
    loaded.expect("it loads")
}

fn uri(provider: &Provider, text: &str) -> SplitUri {
    split(&SecretText::new(text), provider.manifest()).expect("it splits")
}

async fn probe(provider: &Provider, depth: Depth, store: &Arc<InMemory>) -> Probed {
    let uri = uri(provider, "nodelocal://self/x");
    let planned = provider.plan(&uri).await.expect("a plan");
    let plan = StoredPlan::new(
        &provider.manifest().name,
        provider.manifest().version,
        planned.plan,
        RuleContext::new(&uri.pieces),
        &uri.secrets,
    );
    provider
        .probe(ProbeRequest {
            plan: plan.expect("a stored plan"),
            depth,
            store: Some(Arc::clone(store) as _),
            egress: None,
            lent: portolan_egress::credentials::Lent::default(),
            timeout: None,
        })
        .await
}

fn words(probed: &Probed) -> Vec<(&str, &str)> {
    let steps = probed.steps.iter();
    steps
        .map(|step| (step.name.as_str(), step.outcome.word()))
        .collect()
}

#[tokio::test]
async fn a_uri_becomes_a_plan_and_a_redacted_uri_with_either_allocation() {
    for allocation in [Allocation::Pooling, Allocation::OnDemand] {
        let provider = provider(allocation).await;
        let uri = uri(
            &provider,
            "nodelocal://1/a%20b?z=hunter2&COCKROACH_LOCALITY=region%3Dx",
        );
        let planned = provider.plan(&uri).await.expect("a plan");
        let store = planned.plan.object_store().expect("a store");
        assert_eq!(
            (store.container.as_str(), store.prefix.as_str()),
            ("1", "a b")
        );
        assert!(planned.plan.operations().contains(&Operation::Transfer));
        assert_eq!(
            planned.redacted_uri,
            "nodelocal://1/a%20b?COCKROACH_LOCALITY=region%3Dx&z=redacted"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_the_providers_own_words() {
    let provider = provider(Allocation::OnDemand).await;
    // A short secret is no reason to drop the words of a provider that cannot see it.
    let uri = uri(&provider, "nodelocal://a/x?file_size=1MB");
    let error = provider.plan(&uri).await.expect_err("no node");
    let ProviderError::Refused(failure) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert_eq!(
        error.to_string(),
        "invalid `nodelocal` URI: host component of nodelocal URI must be a node ID: \
         nodelocal://a/x?file_size=redacted"
    );
    assert_eq!(error.sqlstate(), "22023");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn a_full_probe_writes_lists_reads_back_and_compares() {
    let provider = provider(Allocation::OnDemand).await;
    let store = Arc::new(InMemory::new());
    let probed = probe(&provider, Depth::Full, &store).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(probed.failure(), None);
    assert_eq!(
        words(&probed),
        [
            ("write", "ok"),
            ("list", "ok"),
            ("read back", "ok"),
            ("compare", "ok")
        ]
    );
}

#[tokio::test]
async fn a_probe_of_depth_read_writes_nothing() {
    let provider = provider(Allocation::OnDemand).await;
    let store = Arc::new(InMemory::new());
    let probed = probe(&provider, Depth::Read, &store).await;
    assert_eq!(words(&probed), [("list", "ok"), ("read back", "skipped")]);
    assert_eq!(store.list(None).count().await, 0);
    assert!(matches!(probed.steps[1].outcome, Outcome::Skipped(_)));
}

#[tokio::test]
async fn a_component_that_was_not_approved_is_never_loaded() {
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    let component = Component {
        expected_digest: Some("0".repeat(64)),
        ..Component::new(component())
    };
    let error = sandbox.load(component).await.expect_err("another digest");
    assert!(matches!(error, LoadError::Digest { .. }));
    assert_eq!(error.sqlstate(), "XX001");
}

#[tokio::test]
async fn an_inspection_says_what_a_component_may_do() {
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    let inspection = sandbox.inspect(component()).await.expect("it is well");
    assert_eq!(
        inspection.manifest(),
        &manifest_of(component()).expect("one")
    );
    assert!(inspection.size() <= 80_000, "{} bytes", inspection.size());
    let text = inspection.to_string();
    for sentence in [
        "Provider nodelocal 0.1.0 was built for contract 0.1.",
        "It declares these options public: COCKROACH_LOCALITY.",
        "It may name no endpoint to dial.",
        "It asks to see no secret in clear.",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
    for import in inspection.imports() {
        assert!(import.starts_with("portolan:"), "{import}");
    }
}
