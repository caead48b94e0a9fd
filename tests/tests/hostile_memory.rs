//! Ten thousand hostile calls leave nothing behind. Resident memory is the process's, so this test
//! has a process of its own.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use portolan_contract::{Depth, RuleContext, SplitUri, StoredPlan, split};
use portolan_egress::credentials::Lent;
use portolan_sandbox::{
    Component, Fault, Limits, ProbeRequest, Provider, ProviderError, Sandbox, SandboxOptions,
};
use portolan_secret::SecretText;
use portolan_tests::hostile;

#[allow(
    unused_macros,
    unused_imports,
    reason = "one of the two lists is enough"
)]
#[path = "../guests/hostile/src/misdeeds.rs"]
mod misdeeds;

const CALLS: usize = 10_000;
const WARM: usize = 1_000;
const MOST_MORE: usize = 4 << 20;

macro_rules! names {
    (
        planning { $($plan:ident,)* }
        redacting { $($redact:ident,)* }
        probing { $($probe:ident,)* }
        $($group:ident { $($other:ident,)* })*
    ) => {
        /// Everything that a guest may try while it plans.
        const PLANNING: &[&str] = &[$(stringify!($plan),)* $(stringify!($redact),)*];
        /// Everything that it may try in a probe: handles, steps, log, markers, random bytes.
        const PROBING: &[&str] = &[$(stringify!($probe),)*];
    };
}
misdeeds::for_each_misdeed!(names);

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("the second number");
    pages.parse::<usize>().expect("a number") * 4096
}

/// Plans as a good provider does, and probes with a store of its own.
async fn probe(provider: &Provider, uri: &SplitUri) -> Result<(), ProviderError> {
    let planned = provider.plan(uri).await.expect("a plan");
    let manifest = provider.manifest();
    let plan = StoredPlan::new(
        &manifest.name,
        manifest.version,
        planned.plan,
        RuleContext::new(&uri.pieces),
        &uri.secrets,
    );
    let probed = provider.probe(ProbeRequest {
        plan: plan.expect("a plan to store"),
        depth: Depth::Full,
        store: Some(Arc::new(InMemory::new())),
        egress: None,
        lent: Lent::default(),
        timeout: None,
    });
    probed.await.result
}

#[tokio::test]
async fn ten_thousand_hostile_calls_leave_no_memory_behind() {
    let mut limits = Limits::default();
    limits.guest_time = Duration::from_millis(20);
    let options = SandboxOptions {
        limits,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    let component = hostile::with_manifest(hostile::MANIFEST).expect("a component");
    let provider = sandbox
        .load(Component::new(component))
        .await
        .expect("it loads");
    let uri = |misdeed: &&str| {
        let uri = format!("hostile://host/{misdeed}?key=first-secret&second=another-secret");
        split(&SecretText::new(uri), provider.manifest()).expect("it splits")
    };
    let planning: Vec<_> = PLANNING.iter().map(uri).collect();
    // One waits for three seconds, which is no misdeed.
    let probing = PROBING.iter().filter(|name| **name != "waits_honestly");
    let probing: Vec<_> = probing.map(uri).collect();

    let (mut stopped, mut warm) = (0, 0);
    for call in 0..CALLS {
        let ended = match call % 2 {
            0 => provider
                .plan(&planning[call / 2 % planning.len()])
                .await
                .map(drop),
            _ => probe(&provider, &probing[call / 2 % probing.len()]).await,
        };
        if let Err(ProviderError::Fault { fault, .. }) = ended {
            assert!(!matches!(fault, Fault::Host(_)), "{fault:?}");
            stopped += 1;
        }
        if call + 1 == WARM {
            warm = resident();
        }
    }
    let after = resident();
    println!(
        "{CALLS} calls, {stopped} stopped: {} KiB resident after {WARM} calls, {} KiB after all",
        warm >> 10,
        after >> 10
    );
    assert!(stopped > CALLS / 4, "{stopped}");
    assert!(
        after <= warm + MOST_MORE,
        "{after} bytes are resident, {warm} after {WARM} calls"
    );
}
