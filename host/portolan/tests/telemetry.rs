//! What the host counts and traces, and that the documentation lists all of it.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use portolan::Operation;
use support::{World, refused, run};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

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

/// What the code counts under, in every crate that counts.
const COUNTING: [&str; 2] = [
    include_str!("../src/metrics.rs"),
    include_str!("../../sandbox/src/metrics.rs"),
];

#[test]
fn every_metric_stands_in_the_one_table_of_the_documentation_and_no_other() {
    let counted: BTreeSet<_> = COUNTING
        .iter()
        .flat_map(|code| code.split('"'))
        .filter(|text| text.starts_with("portolan_"))
        .collect();
    let listed: BTreeSet<_> = include_str!("../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `")?.split('`').next())
        .collect();
    assert!(counted.len() > 20, "{counted:?}");
    assert_eq!(counted, listed);
}

/// The names of the fields of each span of ours, by the span's name.
#[derive(Clone, Default)]
struct Fields(Arc<Mutex<BTreeMap<&'static str, Vec<&'static str>>>>);

impl<S: tracing::Subscriber> Layer<S> for Fields {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = span.metadata();
        if metadata.target().starts_with("portolan") {
            let fields = metadata.fields().iter().map(|field| field.name()).collect();
            let mut seen = self.0.lock().expect("no panic meanwhile");
            seen.insert(metadata.name(), fields);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_have_the_documented_fields_and_no_others() {
    let fields = Fields::default();
    tracing_subscriber::registry()
        .with(fields.clone())
        .try_init()
        .expect("the only one of this process");
    // What it counts is another test's business.
    let world = World::with(|builder| builder.metrics_recorder(DebuggingRecorder::new())).await;
    let root = world.root();
    run(&root, "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'").await;
    refused(&root, "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'").await;
    run(&root, "CHECK EXTERNAL CONNECTION 'external://a'").await;
    root.open("external://a", Operation::Backup)
        .await
        .expect("opened");
    root.open("external://none", Operation::Backup)
        .await
        .expect_err("there is none");
    let seen = fields.0.lock().expect("no panic meanwhile");
    let expected: [(&str, &[&str]); 2] = [
        (
            "portolan",
            &[
                "action",
                "principal",
                "on_behalf_of",
                "client_address",
                "request_id",
                "deadline",
                "object",
                "provider",
                "sqlstate",
            ],
        ),
        ("provider", &["provider", "version", "phase"]),
    ];
    let expected = expected.map(|(name, fields)| (name, fields.to_vec()));
    assert_eq!(*seen, BTreeMap::from(expected));
}
