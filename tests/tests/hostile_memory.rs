//! Ten thousand hostile calls leave nothing behind. Resident memory is the process's, so this test
//! has a process of its own.

#![cfg(test)]

use std::time::Duration;

use portolan_contract::split;
use portolan_sandbox::{Component, Fault, Limits, ProviderError, Sandbox, SandboxOptions};
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
        $($group:ident { $($other:ident,)* })*
    ) => {
        /// Everything that a guest may try while it plans.
        const MISDEEDS: &[&str] = &[$(stringify!($plan),)* $(stringify!($redact),)*];
    };
}
misdeeds::for_each_misdeed!(names);

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("the second number");
    pages.parse::<usize>().expect("a number") * 4096
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
    let uris: Vec<_> = MISDEEDS
        .iter()
        .map(|misdeed| {
            let uri = format!("hostile://host/{misdeed}?key=first-secret&second=another-secret");
            split(&SecretText::new(uri), provider.manifest()).expect("it splits")
        })
        .collect();

    let (mut stopped, mut warm) = (0, 0);
    for call in 0..CALLS {
        let planned = provider.plan(&uris[call % uris.len()]).await;
        if let Err(ProviderError::Fault { fault, .. }) = planned {
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
