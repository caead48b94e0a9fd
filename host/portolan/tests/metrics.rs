//! What the host counts, in a recorder of its own.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use portolan::Operation;
use support::{World, refused, run};

#[tokio::test(flavor = "multi_thread")]
async fn all_is_counted_in_the_host_s_own_recorder_and_nothing_in_the_process_s() {
    let of_process = DebuggingRecorder::new();
    let of_process_snapshotter = of_process.snapshotter();
    of_process.install().expect("the only one of this process");
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let world = World::with(|builder| builder.metrics_recorder(recorder)).await;
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
    )
    .await;
    refused(
        &world.root(),
        "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
    )
    .await;
    let handle = world
        .root()
        .open("external://a", Operation::Backup)
        .await
        .expect("opened");

    let own = counted(&snapshotter);
    for (name, value) in [
        (
            "portolan_statements_total statement=CREATE EXTERNAL CONNECTION,sqlstate=00000",
            "1",
        ),
        (
            "portolan_statements_total statement=CREATE EXTERNAL CONNECTION,sqlstate=42710",
            "1",
        ),
        (
            "portolan_statement_seconds statement=CREATE EXTERNAL CONNECTION",
            "2 values",
        ),
        (
            "portolan_plans_total provider=nodelocal,sqlstate=00000",
            "1",
        ),
        ("portolan_plan_seconds provider=nodelocal", "1 values"),
        (
            "portolan_probes_total provider=nodelocal,sqlstate=00000",
            "1",
        ),
        ("portolan_probe_seconds provider=nodelocal", "1 values"),
        ("portolan_opens_total operation=backup,sqlstate=00000", "1"),
        ("portolan_open_seconds operation=backup", "1 values"),
        ("portolan_open_handles ", "1"),
        (
            "portolan_sandbox_operations_total provider=nodelocal,phase=planning,outcome=ok",
            "1",
        ),
        (
            "portolan_sandbox_operations_total provider=nodelocal,phase=acting,outcome=ok",
            "1",
        ),
        (
            "portolan_sandbox_guest_seconds provider=nodelocal,phase=acting",
            "1 values",
        ),
    ] {
        assert_eq!(own.get(name).map(String::as_str), Some(value), "{name}");
    }
    let loads = |name: &String| name.starts_with("portolan_sandbox_loads_total ");
    assert!(own.keys().any(loads), "{own:?}");
    drop(handle);
    assert_eq!(counted(&of_process_snapshotter), BTreeMap::new());
}

/// What a recorder has, by name and labels.
fn counted(snapshotter: &Snapshotter) -> BTreeMap<String, String> {
    let mut counted = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let (key, labels) = key.key().clone().into_parts();
        let labels: Vec<_> = labels
            .iter()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Gauge(value) => value.to_string(),
            DebugValue::Histogram(values) => format!("{} values", values.len()),
        };
        counted.insert(format!("{} {}", key.as_str(), labels.join(",")), value);
    }
    counted
}
