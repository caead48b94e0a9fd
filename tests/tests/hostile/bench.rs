//! One sandbox for all tests, and the calls that they make.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use portolan_contract::{Depth, Outcome, RuleContext, SplitUri, StoredPlan, split};
use portolan_egress::Egress;
use portolan_sandbox::{
    AnswerProblem, Component, Fault, Limits, LoadError, Planned, ProbeRequest, Probed, Provider,
    ProviderError, Sandbox, SandboxOptions,
};
use portolan_secret::SecretText;
use portolan_tests::hostile;
use tempfile::TempDir;

/// The first secret, with letters that every encoder writes in another way.
pub(crate) const SECRET: &str = "p@ss/w\u{f6}rd\\7\"+&=x";

/// A sandbox, and the guest in it.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) provider: Provider,
}

/// Where all sandboxes of this process keep what they compiled.
fn cache() -> &'static TempDir {
    static CACHE: OnceLock<TempDir> = OnceLock::new();
    CACHE.get_or_init(|| tempfile::tempdir().expect("a directory"))
}

/// A sandbox with limits of its own.
pub(crate) fn sandbox(limits: Limits) -> Sandbox {
    let options = SandboxOptions {
        limits,
        cache_dir: Some(cache().path().to_owned()),
        ..SandboxOptions::default()
    };
    Sandbox::new(options).expect("a sandbox")
}

/// The limits of a host, but for time: what is not about time does not fail on a slow machine.
pub(crate) fn patient() -> Limits {
    let mut limits = Limits::default();
    limits.guest_time = Duration::from_secs(20);
    limits.planning_wall_time = Duration::from_secs(60);
    limits.probe_wall_time = Duration::from_secs(60);
    limits.call_wall_time = Duration::from_secs(60);
    limits.step_wall_time = Duration::from_secs(60);
    limits
}

/// The sandbox that all tests share.
pub(crate) fn shared() -> Sandbox {
    static SHARED: OnceLock<Sandbox> = OnceLock::new();
    SHARED.get_or_init(|| sandbox(patient())).clone()
}

/// The guest's manifest, with `[reveal]` for the option `key`.
pub(crate) fn revealing() -> String {
    format!("{}\n[reveal]\nplanning = [\"key\"]\n", hostile::MANIFEST)
}

impl Bench {
    /// The guest in the shared sandbox.
    pub(crate) async fn new() -> Self {
        Self::with(shared(), hostile::MANIFEST).await
    }

    /// The guest in a sandbox with the limits of a host, for what is about time.
    pub(crate) async fn with_default_limits() -> Self {
        Self::with(sandbox(Limits::default()), hostile::MANIFEST).await
    }

    /// The guest with a manifest that reveals a secret to it.
    pub(crate) async fn sighted() -> Self {
        Self::with(shared(), &revealing()).await
    }

    /// The guest with a manifest that reveals the secret to it only while it acts.
    pub(crate) async fn acting() -> Self {
        let manifest = format!("{}\n[reveal]\nacting = [\"key\"]\n", hostile::MANIFEST);
        Self::with(shared(), &manifest).await
    }

    pub(crate) async fn with(sandbox: Sandbox, manifest: &str) -> Self {
        let mut component = Component::new(hostile::with_manifest(manifest).expect("a component"));
        component.allow_reveal = true;
        let provider = sandbox.load(component).await.expect("it loads");
        Self { sandbox, provider }
    }

    pub(crate) async fn load(&self, bytes: Vec<u8>) -> Result<Provider, LoadError> {
        self.sandbox.load(Component::new(bytes)).await
    }

    pub(crate) async fn plan(&self, misdeed: &str) -> Result<Planned, ProviderError> {
        plan(&self.provider, misdeed, SECRET).await
    }

    /// Plans as a good provider and then does a misdeed in the probe.
    pub(crate) async fn probe(&self, misdeed: &str) -> Probed {
        self.probe_on(misdeed, Depth::Full, Arc::new(InMemory::new()))
            .await
    }

    pub(crate) async fn probe_on(
        &self,
        misdeed: &str,
        depth: Depth,
        store: Arc<dyn ObjectStore>,
    ) -> Probed {
        let uri = uri(&self.provider, misdeed, SECRET);
        self.probe_uri(&uri, depth, store).await
    }

    /// As [`Bench::probe`], with a secret of its own.
    pub(crate) async fn probe_with(&self, misdeed: &str, form: &str, secret: &str) -> Probed {
        let uri = uri(&self.provider, &format!("{misdeed}/{form}"), secret);
        self.probe_uri(&uri, Depth::Full, Arc::new(InMemory::new()))
            .await
    }

    async fn probe_uri(&self, uri: &SplitUri, depth: Depth, store: Arc<dyn ObjectStore>) -> Probed {
        self.probe_out(uri, depth, store, None).await
    }

    /// Probes with a way out to the endpoints of the plan.
    pub(crate) async fn probe_out(
        &self,
        uri: &SplitUri,
        depth: Depth,
        store: Arc<dyn ObjectStore>,
        egress: Option<Egress>,
    ) -> Probed {
        let planned = self.provider.plan(uri).await.expect("a plan");
        let plan = StoredPlan::new(
            &self.provider.manifest().name,
            self.provider.manifest().version,
            planned.plan,
            RuleContext::new(&uri.pieces),
            &uri.secrets,
        )
        .expect("a plan to store");
        self.provider
            .probe(ProbeRequest {
                plan,
                depth,
                store: Some(store),
                egress,
                lent: portolan_egress::credentials::Lent::default(),
                timeout: None,
            })
            .await
    }

    /// The same sandbox, and the same provider in it, go on as if nothing had happened.
    pub(crate) async fn still_answers(&self) {
        let planned = self.plan("good").await.expect("a plan");
        assert_eq!(
            planned.redacted_uri,
            "hostile://user:redacted@host/good?key=redacted&region=eu&second=redacted"
        );
        let probed = self.probe("good").await;
        assert_eq!(probed.result, Ok(()));
        assert_eq!(told(&probed), [("write", "ok"), ("read back", "ok")]);
    }
}

/// The URI that chooses a misdeed.
pub(crate) fn uri(provider: &Provider, misdeed: &str, secret: &str) -> SplitUri {
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let text = format!(
        "hostile://user:pass-word-1@host/{misdeed}?key={escaped}&region=eu&second=another-secret"
    );
    split(&SecretText::new(text), provider.manifest()).expect("it splits")
}

pub(crate) async fn plan(
    provider: &Provider,
    misdeed: &str,
    secret: &str,
) -> Result<Planned, ProviderError> {
    provider.plan(&uri(provider, misdeed, secret)).await
}

/// The names and outcomes of the steps.
pub(crate) fn told(probed: &Probed) -> Vec<(&str, &str)> {
    let word = |outcome: &Outcome| outcome.word();
    let steps = probed.steps.iter();
    steps
        .map(|step| (step.name.as_str(), word(&step.outcome)))
        .collect()
}

/// The host stopped the provider for this reason, and says so.
pub(crate) fn is_fault(error: &ProviderError, expected: &Fault, sentence: &str, sqlstate: &str) {
    let ProviderError::Fault { fault, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(fault, expected);
    assert_eq!(
        error.to_string(),
        format!("provider hostile 6.6.6 {sentence}")
    );
    assert_eq!(error.sqlstate(), sqlstate);
}

/// The provider's answer is refused for this reason.
pub(crate) fn is_answer(
    error: &ProviderError,
    expected: &AnswerProblem,
    sentence: &str,
    sqlstate: &str,
) {
    let ProviderError::Answer { problem, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(problem, expected);
    assert_eq!(
        error.to_string(),
        format!("provider hostile 6.6.6 {sentence}")
    );
    assert_eq!(error.sqlstate(), sqlstate);
}
