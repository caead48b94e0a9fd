//! A host among others: nothing of it is global, and nothing runs before it is needed.
//!
//! One test, because it counts the threads of the process.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::time::Duration;

use portolan::{ConnectTo, EgressOptions, Operation, Principal, TrustRoots};
use portolan_servers::{Authority, WebhookStandIn};
use support::{World, rows, run};

/// How many clocks of engines tick in this process.
fn tickers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.trim() == "portolan-epochs")
        .count()
}

async fn until_tickers(wanted: usize) {
    for _ in 0..200 {
        if tickers() == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tickers(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_a_process_with_each_other_and_with_another_engine() {
    // An engine of somebody else, with a trap of its own.
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, TRAPS).expect("a module");
    let traps = || {
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("an instance");
        let run = instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .expect("a function");
        let error = run.call(&mut store, ()).expect_err("it traps");
        assert_eq!(
            error.downcast_ref::<wasmtime::Trap>(),
            Some(&wasmtime::Trap::UnreachableCodeReached)
        );
    };
    traps();

    let one = World::new().await;
    let two = World::new().await;
    assert_eq!(tickers(), 0, "no sandbox before one is needed");
    for world in [&one, &two] {
        run(
            &world.root(),
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
        )
        .await;
        traps();
    }
    run(&two.root(), "DROP EXTERNAL CONNECTION a").await;
    assert_eq!(
        rows(&one.root(), "SHOW EXTERNAL CONNECTIONS").await.len(),
        1
    );
    assert!(
        rows(&two.root(), "SHOW EXTERNAL CONNECTIONS")
            .await
            .is_empty()
    );

    // The clock ends with the last clone of its host.
    let clone = two.host.clone();
    drop(two);
    clone
        .session(Principal::new("root"))
        .execute(
            "EXPLAIN CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            &[],
        )
        .await
        .expect("the host is still there");
    drop(clone);
    let fresh = one.another().await;
    let (host, directory) = one.into_host();
    drop(host);
    until_tickers(0).await;
    opens_without_a_guest(fresh).await;
    asks_a_server_over_tls().await;
    assert!(
        rustls::crypto::CryptoProvider::get_default().is_none(),
        "the process's own choice of a TLS provider was made for it"
    );
    drop(directory);
    traps();
}

/// What needs no provider starts none: neither a guest nor the clock that would watch it.
async fn opens_without_a_guest(fresh: portolan::Host) {
    let root = fresh.session(Principal::new("root"));
    let opened = root
        .open("external://a/b", Operation::Backup)
        .await
        .expect("opened");
    let storage = opened.into_storage().expect("a store");
    let name = object_store::path::Path::from("c");
    object_store::ObjectStoreExt::put(&*storage.object_store(), &name, "d".into())
        .await
        .expect("written");
    assert_eq!(
        rows(&root, "SHOW EXTERNAL CONNECTIONS").await,
        [["a", "nodelocal://1/a", "STORAGE"]]
    );
    assert_eq!(
        rows(&root, "SHOW PROVIDERS").await.len(),
        portolan_plugins::built_in().len()
    );
    assert_eq!(tickers(), 0, "a guest was started");
}

/// TLS is spoken with a provider that the host brings, so that the process's choice is left to it.
async fn asks_a_server_over_tls() {
    let authority = Authority::new("of the servers");
    let server = WebhookStandIn::start(&authority, &["hooks.example"], "/in");
    let mut connect_to = ConnectTo::default();
    connect_to
        .add("hooks.example:443", &server.address().to_string())
        .expect("a line");
    let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
    let options = EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        ..EgressOptions::default()
    };
    let world = World::with(|builder| builder.egress(options)).await;
    let create = "CREATE EXTERNAL CONNECTION hook AS 'webhook-https://hooks.example/in'";
    run(&world.root(), create).await;
    let steps = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION hook").await;
    assert!(
        steps.iter().any(|step| step[0] == "tls" && step[1] == "ok"),
        "{steps:?}"
    );
}

/// `(module (func (export "run") unreachable))`
const TRAPS: &[u8] = &[
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic and version
    1, 4, 1, 0x60, 0, 0, // one type: () -> ()
    3, 2, 1, 0, // one function of it
    7, 7, 1, 3, b'r', b'u', b'n', 0, 0, // exported as run
    10, 5, 1, 3, 0, 0, 0x0b, // its body: unreachable, end
];

/// What a server keeps and hands from thread to thread; that it may is decided when this compiles.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<portolan::Host>();
    shared::<portolan::Session>();
    shared::<portolan::StorageConnection>();
    shared::<portolan::Kms>();
    shared::<portolan::Sink>();
    shared::<portolan::Registry>();
    shared::<portolan::Database>();
};
