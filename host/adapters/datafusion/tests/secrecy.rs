//! No error of a query, and nothing that a registry shows of itself, holds a secret.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::prelude::ParquetReadOptions;
use portolan::{Policy, SqlState};
use portolan_datafusion::{Connections, refusal};
use support::{World, query};

const SECRET: &str = "hunter2hunter2/hunter2";

/// Refuses every request, in words of S3 that repeat the secret. Ends with the process.
#[allow(clippy::disallowed_methods, reason = "a server, which only a test has")]
fn indiscreet(asked: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a reader")).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            asked.fetch_add(1, Ordering::Relaxed);
            let body = format!(
                "<Error><Code>AccessDenied</Code><Message>{SECRET} may not</Message></Error>"
            );
            let length = body.len();
            // A client that has gone away is none that is told anything.
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_holds_a_secret_though_the_server_repeats_it() {
    let asked = Arc::<AtomicUsize>::default();
    let port = indiscreet(Arc::clone(&asked));
    let rule = format!("127.0.0.1:{port}").parse().expect("a rule");
    let policy = Policy::with_rules(vec![rule]);
    let world = World::with(|builder| builder.policy(policy)).await;
    let escaped = SECRET.replace('/', "%2F");
    let options = format!(
        "AWS_ENDPOINT=http%3A%2F%2F127.0.0.1%3A{port}&AWS_USE_PATH_STYLE=true\
         &AWS_REGION=us-east-1&AWS_ACCESS_KEY_ID=AKIAEXAMPLE&AWS_SECRET_ACCESS_KEY={escaped}"
    );
    let create = format!(
        "CREATE EXTERNAL CONNECTION lake AS 's3://bucket/lake?{options}' WITH VALIDATE = 'none'"
    );
    world.run(&["CREATE USER eve", &create]).await;

    let mut told = Vec::new();
    let statements = [
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'external://lake/t/'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'external://lake/t/1.parquet'",
        "COPY (SELECT 1) TO 'external://lake/t/2.parquet' STORED AS PARQUET",
    ];
    for user in ["root", "eve"] {
        for sql in statements {
            let error = query(&world.context(user), sql).await.expect_err(sql);
            assert_eq!(refusal(&error).is_some(), user == "eve", "{error:?}");
            told.push(format!("{error} {error:?} {:?}", refusal(&error)));
        }
    }
    assert!(asked.load(Ordering::Relaxed) >= statements.len());

    world.host.set_policy(Policy::default());
    let error = query(&world.context("root"), statements[0]).await;
    let error = error.expect_err("against the policy");
    let denied = refusal(&error).expect("a refusal");
    assert_eq!(denied.sqlstate(), SqlState::InsufficientPrivilege);
    told.push(format!("{error} {error:?} {denied:?}"));

    for location in [
        "external://eve:hunter2hunter2%2Fhunter2@lake/t/",
        "external://lake:hunter2/t/",
        "external:///t/",
    ] {
        let root = world.context("root");
        let read = root.read_parquet(location, ParquetReadOptions::default());
        let error = read.await.expect_err(location);
        told.push(format!("{error} {error:?}"));
    }
    for told in told {
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_shows_of_itself_holds_no_url() {
    use datafusion::execution::object_store::ObjectStoreRegistry;
    use url::Url;

    let world = World::new().await;
    let connections = Connections::new(world.session("root"));
    let url = Url::parse("external://eve:hunter2@lake/").expect("a URL");
    let store = connections.get_store(&url).expect("a store");
    let shown = format!("{connections:?} {store:?} {store}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
