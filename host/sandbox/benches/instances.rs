//! What the sandbox costs: plan and redact one URI natively, in a warm guest, in fresh instances
//! with and without the host's checks, and load a provider from the cache.
//!
//! Ways that are compared run in turns. "Bare" is wasmtime alone: an instance from its pool, `plan`
//! and `redact` as often as the host calls it, no limits and no checks.

#![allow(
    missing_docs,
    reason = "Criterion's macros make undocumented functions"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portolan_contract::{SplitUri, split};
use portolan_figures::{Figure, Quantity, alternate};
use portolan_nodelocal::Nodelocal;
use portolan_sandbox::{Component, Provider, Sandbox, SandboxOptions};
use portolan_sdk::{Plan, Provider as _};
use portolan_secret::SecretText;
use tokio::runtime::Runtime;
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};

mod generated {
    #![allow(
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        reason = "generated"
    )]
    wasmtime::component::bindgen!({ path: "wit", world: "portolan:provider/planner" });
}
use generated::PlannerPre;
use generated::exports::portolan::provider::planning as bare;

const URI: &str = "nodelocal://1/backups/2026/november?COCKROACH_LOCALITY=region%3Dx&other=hunter2";
/// Calls in one turn: a single one is near to what a clock can tell.
const CALLS: usize = 50;
const ROUNDS: usize = 200;

fn component() -> &'static [u8] {
    let nodelocal = portolan_plugins::built_in_named("nodelocal");
    nodelocal.expect("it is built in").component
}

/// Wasmtime alone.
struct Bare {
    engine: Engine,
    planner: PlannerPre<()>,
}

impl Bare {
    fn new() -> Self {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // What the sandbox keeps of a place between two instances.
        let mut pool = PoolingAllocationConfig::new();
        pool.pagemap_scan(Enabled::Auto);
        pool.linear_memory_keep_resident(128 << 10);
        pool.table_keep_resident(16 << 10);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).expect("an engine");
        let component =
            wasmtime::component::Component::new(&engine, component()).expect("it compiles");
        let mut linker = Linker::new(&engine);
        linker
            .define_unknown_imports_as_traps(&component)
            .expect("imports");
        let planner = PlannerPre::new(linker.instantiate_pre(&component).expect("it links"));
        Self {
            engine,
            planner: planner.expect("it plans"),
        }
    }

    fn start(&self) -> (Store<()>, generated::Planner) {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        let planner = self.planner.instantiate(&mut store).expect("an instance");
        (store, planner)
    }

    fn plan_in_a_fresh_instance(&self, uri: &bare::UriPieces) {
        let (mut store, planner) = self.start();
        let planning = planner.portolan_provider_planning();
        let plan = planning.call_plan(&mut store, uri).expect("it answers");
        black_box(plan.expect("a plan"));
        for _ in 0..2 {
            black_box(planning.call_redact(&mut store, uri).expect("it answers"));
        }
    }
}

/// The pieces of [`URI`] as the guest's bindings write them.
fn bare_pieces() -> bare::UriPieces {
    use generated::portolan::types::types::{FormatVerdict, OptionPair, Secret, Value};
    bare::UriPieces {
        scheme: "nodelocal".to_owned(),
        user: None,
        password: None,
        authority: "1".to_owned(),
        path: Value::Text("/backups/2026/november".to_owned()),
        options: vec![
            OptionPair {
                name: "COCKROACH_LOCALITY".to_owned(),
                value: Value::Text("region=x".to_owned()),
            },
            OptionPair {
                name: "other".to_owned(),
                value: Value::Secret(Secret {
                    number: 0,
                    empty: false,
                    verdict: FormatVerdict::Unchecked,
                }),
            },
        ],
    }
}

fn repeated(mut call: impl FnMut()) -> impl FnMut() {
    move || {
        for _ in 0..CALLS {
            call();
        }
    }
}

fn planning(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    let provider: Provider = runtime
        .block_on(sandbox.load(Component::new(component())))
        .expect("it loads");
    let uri: SplitUri = split(&SecretText::new(URI), provider.manifest()).expect("it splits");
    let native_pieces = portolan_sdk::testing::pieces(URI, &["COCKROACH_LOCALITY"]);
    let bare = Bare::new();
    let bare_pieces = bare_pieces();
    let (mut store, warm) = bare.start();
    let warm = warm.portolan_provider_planning();

    let mut native = || {
        // As the contract has it: pieces that belong to the function, and a list of entries.
        let plan = Nodelocal::plan(&black_box(native_pieces.clone())).map(Plan::into_entries);
        black_box(plan.expect("a plan"));
        black_box(Nodelocal::redact(black_box(native_pieces.clone())));
    };
    let mut in_a_warm_guest = || {
        let plan = warm.call_plan(&mut store, black_box(&bare_pieces));
        black_box(plan.expect("it answers").expect("a plan"));
        let redacted = warm.call_redact(&mut store, black_box(&bare_pieces));
        black_box(redacted.expect("it answers"));
    };
    let mut by_the_host = || {
        let planned = runtime.block_on(provider.plan(black_box(&uri)));
        black_box(planned.expect("a plan"));
    };
    let mut by_wasmtime_alone = || bare.plan_in_a_fresh_instance(black_box(&bare_pieces));

    let mut group = criterion.benchmark_group("plan and redact");
    group.measurement_time(Duration::from_secs(2));
    group.bench_function("native", |bencher| bencher.iter(&mut native));
    group.bench_function("warm guest", |bencher| bencher.iter(&mut in_a_warm_guest));
    group.bench_function("fresh, with checks", |bencher| {
        bencher.iter(&mut by_the_host)
    });
    group.bench_function("fresh, bare", |bencher| {
        bencher.iter(&mut by_wasmtime_alone)
    });
    group.finish();

    let medians = alternate(
        ROUNDS,
        &mut [
            &mut repeated(&mut in_a_warm_guest),
            &mut repeated(&mut native),
            &mut repeated(&mut by_the_host),
            &mut repeated(&mut by_wasmtime_alone),
        ],
    );
    for (name, median) in ["warm guest", "native", "fresh, with checks", "fresh, bare"]
        .iter()
        .zip(&medians)
    {
        println!("  {name}: median {:?}", *median / CALLS as u32);
    }
    for (name, measured, reference, most) in [
        ("plan and redact in a warm guest against native", 0, 1, 5.0),
        (
            "plan and redact in fresh instances, with checks against bare",
            2,
            3,
            1.5,
        ),
    ] {
        let ratio = Quantity::ratio_of(medians[measured], medians[reference]);
        println!("{}", Figure::new(name, ratio, Quantity::ratio(most)));
    }
}

fn loading(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let options = SandboxOptions {
        cache_dir: Some(directory.path().join("cache")),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    // Nobody keeps the provider, so each load but the first reads the file.
    let mut load = || {
        let loaded = runtime.block_on(sandbox.load(Component::new(component())));
        black_box(loaded.expect("it loads"));
    };
    load();
    criterion.bench_function("load from the cache", |bencher| bencher.iter(&mut load));
    let median = alternate(ROUNDS, &mut [&mut load])[0];
    println!("  load from the cache: median {median:?}");
    let most = Duration::from_micros(500);
    println!(
        "{}",
        Figure::new("load of a provider from the cache, verified", median, most)
    );
}

criterion_group!(benches, planning, loading);
criterion_main!(benches);
