//! `webhook-https`: a scripted endpoint, and servers that lie. That any product answers like the
//! endpoint is not proved; nginx asks for client certificates.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::{EgressOptions, Limits, Message, Operation, SqlState};
use portolan_servers::{Authority, Nginx, RawServer, Scripted, WebhookStandIn};
use serde_json::json;

use crate::support::{World, refused, rows, run};
use crate::told::{escaped, expect, failing, made, nobody, ways};
use crate::{numbered, sink};

const HOST: &str = "hooks.example";
const TARGET: &str = "/services/T0/s3cr3tpath?token=s3cr3t%20one&token=s3cr3t-two&empty=";
const URI: &str = "webhook-https://hooks.example/services/T0/s3cr3tpath?token=s3cr3t+one\
                   &token=s3cr3t-two&empty=";

struct Setting {
    authority: Authority,
    endpoint: WebhookStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        Self {
            endpoint: WebhookStandIn::start(&authority, &[HOST], TARGET),
            authority,
        }
    }

    fn options(&self) -> EgressOptions {
        to(&self.authority, self.endpoint.address())
    }

    /// A host with the connection `hook`.
    async fn world(&self) -> World {
        self.world_with(Limits::default()).await
    }

    async fn world_with(&self, limits: Limits) -> World {
        world_over(self.options(), limits).await
    }
}

fn to(authority: &Authority, address: SocketAddr) -> EgressOptions {
    ways(authority, &[("hooks.example:443", address)])
}

async fn world_over(options: EgressOptions, limits: Limits) -> World {
    let world = World::with(|builder| builder.egress(options).limits(limits)).await;
    let sql = format!("CREATE EXTERNAL CONNECTION hook AS '{URI}' WITH VALIDATE = 'none'");
    run(&world.root(), &sql).await;
    world
}

fn numbers(endpoint: &WebhookStandIn) -> Vec<u64> {
    let messages = endpoint.messages().into_iter();
    messages
        .map(|message| message["number"].as_u64().expect("a number"))
        .collect()
}

/// Each number came, and the last time that each came they were in order.
fn arrived_in_order(endpoint: &WebhookStandIn, count: u64) {
    let came = numbers(endpoint);
    let last = |number| came.iter().rposition(|one| *one == number);
    let places: Option<Vec<_>> = (0..count).map(last).collect();
    assert!(places.expect("a message was lost").is_sorted(), "{came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_looked_at_and_gets_an_empty_payload_when_it_is_asked_for() {
    let setting = Setting::new();
    assert_eq!(
        made(setting.options(), URI).await,
        "resolve ok, dial ok, tls ok, look ok, post ok"
    );
    let empty = json!({"payload": [], "length": 0});
    assert_eq!(setting.endpoint.taken(), [empty.clone(), empty]);

    let (world, before) = (setting.world().await, setting.endpoint.asked());
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION hook").await;
    let told: Vec<_> = told
        .iter()
        .map(|row| (&*row[0], &*row[1], &*row[3]))
        .collect();
    assert_eq!(told[5], ("look", "ok", "status: 405"));
    assert_eq!((told.len(), setting.endpoint.asked()), (6, before));
    assert_eq!(setting.endpoint.looked(), 3);
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION hook").await[0][1],
        "webhook-https://hooks.example/redacted?empty=redacted&token=redacted&token=redacted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn why_an_endpoint_takes_nothing_is_told_without_the_secrets_of_its_uri() {
    let setting = Setting::new();
    let options = || setting.options();
    let secrets = ["s3cr3t", "s3cr3tpath", "hunter2", "a text of the endpoint"];
    let posting = "resolve ok, dial ok, tls ok, look ok, post failed";
    let other = "webhook-https://hooks.example/services/hunter2?token=s3cr3t+one";
    expect(
        &failing(options(), other, &secrets).await,
        [
            posting,
            "42704",
            "invalid changefeed sink URI: the endpoint answered 404",
            "Check the path of the URI.",
        ],
    );
    setting.endpoint.require("Basic YW5hOnMzY3IzdA==");
    let wrong = URI.replace("://", "://ana:hunter2@");
    expect(
        &failing(options(), &wrong, &secrets).await,
        [
            posting,
            "28000",
            "invalid changefeed sink URI: the endpoint answered 401",
            "Check the credentials in the URI: user and password, client certificate, parameters.",
        ],
    );
    let right = URI.replace("://", "://ana:s3cr3t@");
    assert!(made(options(), &right).await.ends_with("post ok"));
    expect(
        &failing(to(&setting.authority, nobody()), URI, &secrets).await,
        [
            "resolve ok, dial failed",
            "08001",
            "invalid changefeed sink URI: hooks.example:443 refused the connection",
            "check the port, and that the server is running",
        ],
    );
    let stranger = to(&Authority::new("of nobody"), setting.endpoint.address());
    let told = failing(stranger, URI, &secrets).await;
    assert!(
        told.starts_with("resolve ok, dial ok, tls failed\n08001\n"),
        "{told}"
    );
    assert!(told.contains("an authority that is not trusted"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_the_options_are_used_and_checking_can_be_left_out() {
    let encoded = |pem: &str| escaped(&BASE64_STANDARD.encode(pem));
    let (authority, clients) = (
        Authority::new("of the servers"),
        Authority::new("of clients"),
    );
    let nginx = Nginx::start(&authority, &[HOST], &clients);
    let options = || EgressOptions {
        roots: portolan::TrustRoots::nobody(),
        ..to(&authority, nginx.mutual())
    };
    let client = clients.issue_client("client");
    let ca = format!("ca_cert={}", encoded(&authority.pem()));
    let pair = format!(
        "client_cert={}&client_key={}",
        encoded(&client.certificate),
        encoded(&client.key)
    );
    // nginx answers 400 where it misses a certificate, and looks for a file where it has one.
    for (query, status) in [
        (format!("{ca}&{pair}"), "status: 404"),
        (ca.clone(), "status: 400"),
        (
            format!("insecure_tls_skip_verify=true&{pair}"),
            "status: 404",
        ),
    ] {
        let world = World::with(|builder| builder.egress(options())).await;
        let sql = format!(
            "CREATE EXTERNAL CONNECTION hook AS 'webhook-https://{HOST}/nothing/here?{query}'"
        );
        run(&world.root(), &sql).await;
        let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION hook").await;
        assert_eq!(told[5][3], status, "{told:?}");
    }
    let none = format!("webhook-https://{HOST}/nothing/here");
    let told = failing(options(), &none, &[]).await;
    assert!(told.contains("tls failed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_too_short_to_be_found_leaves_the_names_of_the_steps() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let sql = "CREATE EXTERNAL CONNECTION hook AS 'webhook-https://hooks.example/x?t=y'";
    run(&world.root(), sql).await;
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION hook").await;
    assert_eq!(told[5][..2], ["look", "ok"]);
    assert_eq!(told[5][3], "NULL", "what else is said is left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_text_is_refused_with_what_to_write() {
    let world = World::new().await;
    let sql = "CREATE EXTERNAL CONNECTION hook AS 'webhook-http://hooks.example/hunter2'";
    let error = refused(&world.root(), sql).await;
    assert_eq!(error.sqlstate().code(), "22023");
    assert!(
        error.message().ends_with("this sink requires https"),
        "{error:?}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.starts_with("Write webhook-https://"))
    );
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_in_order_and_are_counted_when_they_are_acknowledged() {
    let setting = Setting::new();
    let world = setting.world().await;
    let hook = sink(&world.root(), "hook").await;
    assert_eq!(
        setting.endpoint.asked(),
        0,
        "nothing is posted before a message"
    );
    let delivered = hook.emit(numbered(0..2_500)).await.expect("emitted");
    assert_eq!((delivered.taken, delivered.acknowledged), (2_500, 2_500));
    hook.emit(vec![Message::new("t", "hello").with_key("k")])
        .await
        .expect("emitted");
    assert_eq!(hook.close().await.expect("closed").acknowledged, 2_501);
    let mut messages = setting.endpoint.messages();
    let text = messages.pop().expect("a message");
    assert_eq!(text, json!({"topic": "t", "key": "k", "value": "hello"}));
    assert_eq!(messages.len(), 2_500);
    assert_eq!(numbers_of(&messages), (0..2_500).collect::<Vec<_>>());
    let handles = world.host.open_handles();
    assert_eq!(
        (handles.len(), handles[0].operation),
        (1, Operation::Changefeed)
    );
}

fn numbers_of(messages: &[serde_json::Value]) -> Vec<u64> {
    let numbers = messages.iter().map(|message| message["number"].as_u64());
    numbers.map(|number| number.expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_an_endpoint_fails_and_recovers() {
    let setting = Setting::new();
    let world = setting.world().await;
    let hook = sink(&world.root(), "hook").await;
    for (round, script) in [
        vec![Scripted::Status(503), Scripted::Status(429)],
        vec![Scripted::TakeAndFail, Scripted::Status(500)],
        vec![
            Scripted::Status(200),
            Scripted::TakeAndFail,
            Scripted::Status(503),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        setting.endpoint.script(script);
        let start = round * 1_500;
        hook.emit(numbered(start..start + 1_500))
            .await
            .expect("it recovers");
        let delivered = hook.flush().await.expect("flushed");
        assert_eq!(delivered.acknowledged, (round as u64 + 1) * 1_500);
        arrived_in_order(&setting.endpoint, delivered.acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_endpoint_refuses_for_good_stays_with_the_sink_until_it_is_taken() {
    let setting = Setting::new();
    let world = setting.world().await;
    let hook = sink(&world.root(), "hook").await;
    setting.endpoint.script([
        Scripted::Status(200),
        Scripted::Status(400),
        Scripted::Status(401),
    ]);
    let delivered = hook.emit(numbered(0..1_200)).await.expect("half of it");
    assert_eq!((delivered.taken, delivered.acknowledged), (1_200, 1_000));
    let error = hook.flush().await.expect_err("refused");
    assert_eq!(error.sqlstate(), SqlState::FeatureNotSupported);
    assert_eq!(error.message(), "the endpoint answered 400");
    assert_eq!(
        setting.endpoint.asked(),
        2,
        "it is not tried again by itself"
    );
    let error = hook.flush().await.expect_err("refused");
    assert_eq!(error.sqlstate(), SqlState::InvalidAuthorization);
    assert_eq!(hook.flush().await.expect("taken").acknowledged, 1_200);
    arrived_in_order(&setting.endpoint, 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_loses_nothing() {
    let setting = Setting::new();
    let world = setting.world().await;
    let hook = sink(&world.root(), "hook").await;
    hook.emit(numbered(0..10)).await.expect("emitted");
    setting
        .endpoint
        .script([Scripted::Late(Duration::from_secs(60))]);
    let emitting = hook.emit(numbered(10..20));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), emitting)
            .await
            .is_err()
    );
    let delivered = hook.delivered().await;
    assert_eq!((delivered.taken, delivered.acknowledged), (20, 10));
    assert_eq!(hook.flush().await.expect("flushed").acknowledged, 20);
    arrived_in_order(&setting.endpoint, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_endpoint_is_given_up_after_the_time_of_a_step() {
    let setting = Setting::new();
    let mut limits = Limits::default();
    limits.step_wall_time = Duration::from_millis(200);
    let world = setting.world_with(limits).await;
    let hook = sink(&world.root(), "hook").await;
    let late = Scripted::Late(Duration::from_secs(60));
    setting.endpoint.script([late, late, late, late, late]);
    let error = hook.emit(numbered(0..1)).await.expect_err("silent");
    assert_eq!(error.sqlstate(), SqlState::QueryCanceled, "{error:?}");
    assert_eq!(
        hook.flush().await.expect("it answers again").acknowledged,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_lie_cut_off_or_overflow_acknowledge_nothing() {
    let authority = Authority::new("of the servers");
    type Script = fn(&mut dyn portolan_servers::ReadWrite);
    let scripts: [Script; 5] = [
        // Half-closed: the head is read, and nothing is said.
        |_| {},
        |stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")),
        |stream| drop(stream.write_all(b"SSH-2.0-lie\r\n\r\n")),
        |stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n");
            while stream.write_all(&[b'x'; 65_536]).is_ok() {}
        },
        |stream| {
            let _ = stream.write_all(
                b"HTTP/1.1 307 Temporary Redirect\r\nlocation: https://evil.example/\r\n\
                  content-length: 0\r\n\r\n",
            );
        },
    ];
    for (place, script) in scripts.into_iter().enumerate() {
        let server = RawServer::encrypted(&authority, &[HOST], move |stream, _| script(stream));
        let world = world_over(to(&authority, server.address()), Limits::default()).await;
        let hook = sink(&world.root(), "hook").await;
        let error = hook.emit(numbered(0..1)).await.expect_err("a lie");
        let lies = SqlState::ProtocolViolation;
        assert_eq!(error.sqlstate(), lies, "script {place}: {error:?}");
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        let delivered = hook.delivered().await;
        assert_eq!(
            (delivered.taken, delivered.acknowledged),
            (1, 0),
            "script {place}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_revoke_and_drop_nothing_more_is_posted() {
    let setting = Setting::new();
    let world = setting.world().await;
    world
        .run(&[
            "CREATE USER carl",
            "GRANT USAGE ON EXTERNAL CONNECTION hook TO carl",
        ])
        .await;
    let hook = sink(&world.session("carl"), "hook").await;
    hook.emit(numbered(0..1)).await.expect("emitted");
    world
        .run(&["REVOKE USAGE ON EXTERNAL CONNECTION hook FROM carl"])
        .await;
    let error = hook.emit(numbered(1..2)).await.expect_err("revoked");
    assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    assert_eq!(hook.delivered().await.taken, 1);
    world
        .run(&["GRANT USAGE ON EXTERNAL CONNECTION hook TO carl"])
        .await;
    hook.emit(numbered(1..2)).await.expect("granted again");
    world.run(&["DROP EXTERNAL CONNECTION hook"]).await;
    let error = hook.flush().await.expect_err("dropped");
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    assert_eq!(setting.endpoint.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_sinks_are_open_at_once_and_another_waits_for_its_place() {
    let setting = Setting::new();
    let mut limits = Limits::default();
    limits.open_instances = 1;
    limits.call_wall_time = Duration::from_millis(400);
    let world = setting.world_with(limits).await;
    let (one, other) = (
        sink(&world.root(), "hook").await,
        sink(&world.root(), "hook").await,
    );
    one.emit(numbered(0..1)).await.expect("emitted");
    let error = other.emit(numbered(1..2)).await.expect_err("no place");
    assert_eq!(error.sqlstate(), SqlState::OutOfBudget, "{error:?}");
    one.close().await.expect("closed");
    assert_eq!(other.flush().await.expect("its turn").acknowledged, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_break_a_bound_are_not_taken() {
    let setting = Setting::new();
    let world = setting.world().await;
    let hook = sink(&world.root(), "hook").await;
    for batch in [
        numbered(0..10_001),
        vec![Message::new("t", vec![b'x'; 16 << 20])],
        vec![Message::new("", "x")],
    ] {
        let error = hook.emit(batch).await.expect_err("too much");
        assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue);
    }
    assert_eq!(hook.delivered().await.taken, 0);
    let error = hook
        .emit(vec![Message::new("t", vec![0xff])])
        .await
        .expect_err("no text");
    assert_eq!(error.sqlstate(), SqlState::FeatureNotSupported);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_is_opened_for_changefeeds_and_for_nothing_else() {
    let setting = Setting::new();
    let world = setting.world().await;
    let root = world.root();
    let error = root
        .open("external://hook", Operation::SchemaRegistry)
        .await;
    assert_eq!(
        error.expect_err("no registry").message(),
        "SCHEMA REGISTRY cannot use external connection hook: provider webhook supports CHANGEFEED"
    );
    let error = root
        .open("external://hook/below", Operation::Changefeed)
        .await;
    assert_eq!(
        error.expect_err("a path").sqlstate(),
        SqlState::InvalidParameterValue
    );
}
