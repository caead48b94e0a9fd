//! Misdeeds on connections, against real servers on loopback that a rule of the policy admits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::memory::InMemory;
use portolan_contract::{
    Depth, Failure, FailureClass, Outcome, RuleContext, SplitUri, StoredPlan, split,
};
use portolan_egress::{BrokerRule, Egress, Policy};
use portolan_sandbox::{Fault, Limits, ProbeRequest, Probed};
use portolan_secret::SecretText;
use portolan_tests::hostile;

use crate::bench::{Bench, SECRET, is_fault, patient, sandbox, told};
use crate::leaking::is_clean;
use crate::server::{Manner, Server};

const REPORT: &str = "report it to the provider's author, or use another version of the provider";

/// The URI that chooses a misdeed, with the server as its authority.
fn uri(bench: &Bench, misdeed: &str, server: &Server, secret: &str) -> SplitUri {
    let escaped =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let mut text = format!(
        "hostile://127.0.0.1:{}/{misdeed}?key={}",
        server.port,
        escaped(secret)
    );
    if let Some(authority) = &server.authority {
        text.push_str("&ca=");
        text.push_str(&escaped(authority));
    }
    split(&SecretText::new(text), bench.provider.manifest()).expect("it splits")
}

async fn probe_out(bench: &Bench, uri: &SplitUri, egress: Egress) -> Probed {
    let store = Arc::new(InMemory::new());
    bench.probe_out(uri, Depth::Full, store, Some(egress)).await
}

pub(crate) async fn probe(bench: &Bench, misdeed: &str, server: &Server) -> Probed {
    let uri = uri(bench, misdeed, server, SECRET);
    probe_out(bench, &uri, server.admitted()).await
}

pub(crate) fn failure(probed: &Probed, place: usize) -> &Failure {
    match &probed.steps[place].outcome {
        Outcome::Failed(failure) => failure,
        outcome => panic!("step {place}: {outcome:?} of {probed:?}"),
    }
}

pub(crate) fn reported(class: FailureClass, message: &str) -> Failure {
    Failure::new(class, message).with_hint(REPORT)
}

pub(crate) fn detail<'a>(probed: &'a Probed, place: usize, name: &str) -> &'a str {
    let details = &probed.steps[place].details;
    let found = details.iter().find(|(other, _)| other == name);
    &found.expect("a detail").1
}

/// Each misdeed with how its server behaves, why it is stopped, the sentence, the SQLSTATE, and the
/// steps that are told. Afterwards no connection is left open.
macro_rules! stopped {
    ($($misdeed:ident: $manner:ident, $fault:expr, $sentence:expr, $sqlstate:expr, $steps:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = Server::plain(Manner::$manner).await;
            let probed = probe(&bench, stringify!($misdeed), &server).await;
            let error = probed.result.clone().expect_err("it is stopped");
            is_fault(&error, &$fault, $sentence, $sqlstate);
            let steps: &[(&str, &str)] = &$steps;
            assert_eq!(told(&probed), steps);
            server.all_ended().await;
            bench.still_answers().await;
        }
    )*};
}

stopped! {
    dials_an_endpoint_that_is_not_planned: Echoes,
        Fault::Contract("named endpoint 2, and its plan has 2, counted from 0".to_owned()),
        "broke the contract: it named endpoint 2, and its plan has 2, counted from 0", "08P01",
        [("dial", "failed")];
    holds_65_connections: IsSilent, Fault::Connections(64), "used up its 64 open connections",
        "53200", [];
    dials_65_further_hosts: IsSilent, Fault::Brokers(64), "used up its 64 further brokers", "53200",
        [];
    dials_without_end: IsSilent, Fault::Dials(256), "used up its 256 look-ups and dials", "53200",
        [];
    crashes_with_open_connections: IsSilent,
        Fault::Trap("wasm trap: wasm `unreachable` instruction executed".to_owned()),
        "crashed: wasm trap: wasm `unreachable` instruction executed", "08P01",
        [("dial", "ok"); 3];
    uses_a_connection_that_it_dropped: IsSilent, Fault::Malformed,
        "handed over a value that cannot be read", "08P01", [("dial", "ok")];
    waits_for_65_connections: IsSilent,
        Fault::Contract("waited for more than 64 connections at once".to_owned()),
        "broke the contract: it waited for more than 64 connections at once", "08P01",
        [("dial", "ok")];
    looks_without_end: IsSilent, Fault::HostCalls(10_000), "used up its 10000 calls to the host",
        "53200", [("dial", "ok")];
    reads_a_flood: Floods, Fault::ResponseBytes(16 << 20), "used up its 16 MiB of answers",
        "53200", [("dial", "ok")];
    writes_a_secret_twice: IsSilent, Fault::Malformed, "handed over a value that cannot be read",
        "08P01", [("dial", "ok"), ("name", "ok"), ("write", "ok"), ("write", "failed")];
    makes_opaque_handles_without_end: IsSilent, Fault::Handles(256), "used up its 256 handles",
        "53200", [("name", "ok")];
    encodes_without_end: IsSilent, Fault::OpaqueBytes(16 << 20),
        "used up its 16 MiB of opaque parts", "53200", [];
}

/// Each misdeed with its server, and the failure of its last step, whole.
macro_rules! failed {
    ($($misdeed:ident: $server:expr, $failure:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = $server.await;
            let probed = probe(&bench, stringify!($misdeed), &server).await;
            assert_eq!(probed.result, Ok(()));
            assert_eq!(failure(&probed, probed.steps.len() - 1), &$failure);
            server.all_ended().await;
            assert_eq!(server.received(), b"", "nothing was sent");
            bench.still_answers().await;
        }
    )*};
}

failed! {
    dials_what_is_no_host: Server::plain(Manner::IsSilent),
        Failure::new(FailureClass::Protocol, "the server names a broker that is no host and port")
            .with_hint("correct what the server's brokers advertise");
    dials_a_host_with_a_secret_in_its_name: Server::plain(Manner::IsSilent),
        Failure::new(
            FailureClass::Denied,
            "a broker that the server names was not reached; its name is left out, because a \
             secret of the connection may stand in it",
        )
        .with_hint(
            "see which brokers the server advertises, and write [[egress.brokers]] into \
             portolan.toml for those that are meant",
        );
    writes_after_it_closed: Server::plain(Manner::IsSilent),
        reported(FailureClass::Protocol, "nothing can be sent after the connection was closed");
    writes_65_parts: Server::plain(Manner::IsSilent),
        reported(FailureClass::Budget, "more than 64 parts are written at once");
    writes_more_than_16_mib: Server::plain(Manner::IsSilent),
        reported(FailureClass::Budget, "more than 16777216 bytes are written at once");
    starts_tls_with_another_profile: Server::plain(Manner::IsSilent),
        reported(
            FailureClass::Denied,
            "TLS is spoken with the profile that the endpoint names, and with no other",
        );
    starts_tls_over_waiting_bytes: Server::plain(Manner::Greets),
        Failure::new(
            FailureClass::Denied,
            "the server sent something in clear that would pass for encrypted",
        )
        .with_hint(
            "check the port; if it is right, look for something on the way that adds to what the \
             server says",
        );
    offers_nine_protocols: Server::plain(Manner::IsSilent),
        reported(FailureClass::Budget, "more than 8 protocols are offered");
    writes_a_secret_before_tls: Server::plain(Manner::IsSilent),
        reported(
            FailureClass::Denied,
            "a secret is not sent to this endpoint before TLS is spoken",
        );
    asks_for_a_secret_that_is_not_planned: Server::plain(Manner::IsSilent),
        Failure::new(FailureClass::NotFound, "the plan has no named secret of this name")
            .with_hint(
                "report it to the provider's author, or create the connection again",
            );
    encodes_as_a_later_contract_does: Server::plain(Manner::IsSilent),
        Failure::new(
            FailureClass::Unsupported,
            "this host does not know the encoding that a secret is to be written in",
        )
        .with_hint("update this host, or use another version of the provider");
}

/// The plan was made when the policy was another one: the guard judges when it is dialled.
#[tokio::test]
pub(crate) async fn dials_what_the_policy_denies() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Echoes).await;
    let egress = server.admitted();
    egress.policy().set(Policy::default());
    let denied = egress
        .resolve("127.0.0.1", server.port)
        .await
        .expect_err("it is denied")
        .failure();
    assert_eq!(denied.class, FailureClass::Denied);
    // What the guest could have told itself is dropped while so short a secret is in play.
    for secret in [SECRET, "abc"] {
        let uri = uri(&bench, "dials_what_the_policy_denies", &server, secret);
        let probed = probe_out(&bench, &uri, egress.clone()).await;
        assert_eq!(told(&probed), [("resolve", "failed"), ("dial", "failed")]);
        assert_eq!(failure(&probed, 0), &denied);
        assert_eq!(failure(&probed, 1), &denied);
    }
    assert_eq!(server.all_ended().await, 0, "nobody dialled");
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn dials_a_further_host() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::IsSilent).await;
    let probed = probe(&bench, "dials_a_further_host", &server).await;
    let bootstrap = format!("127.0.0.1:{}", server.port);
    assert_eq!(
        failure(&probed, 0),
        &Failure::new(
            FailureClass::Denied,
            "the server names the broker b-2.example.com:9092, which is neither a host of the \
             connection's URI nor below the parent domain of one",
        )
        .with_hint(format!(
            "if it is meant, write into portolan.toml: [[egress.brokers]] bootstrap = \
             \"{bootstrap}\" allow = [\"b-2.example.com:9092\"], on three lines; else correct what \
             the brokers advertise"
        ))
    );
    // What the operator lets a server name is resolved and judged as everything else is.
    let rule = BrokerRule {
        bootstrap: bootstrap.parse().expect("a rule"),
        allow: vec!["b-2.example.com".parse().expect("a rule")],
    };
    let egress = server.admitted();
    let (_, policy) = egress.policy().get();
    egress
        .policy()
        .set(Policy::clone(&policy).with_brokers(vec![rule]));
    let uri = uri(&bench, "dials_a_further_host", &server, SECRET);
    let probed = probe_out(&bench, &uri, egress).await;
    let message = &failure(&probed, 0).message;
    assert!(
        message.starts_with("the name b-2.example.com "),
        "it is looked up: {message}"
    );
    assert_eq!(server.all_ended().await, 0, "nobody dialled");
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn dials_a_further_port() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::IsSilent).await;
    let probed = probe(&bench, "dials_a_further_port", &server).await;
    let failure = failure(&probed, 0);
    assert_eq!(failure.class, FailureClass::Denied);
    assert_eq!(
        failure.message,
        "the policy denies 127.0.0.1:1, a loopback address"
    );
    assert_eq!(server.all_ended().await, 0, "nobody dialled");
    bench.still_answers().await;
}

/// A plan may be older than the manifest that is in force.
#[tokio::test]
async fn an_endpoint_that_no_rule_of_the_manifest_admits_any_more_is_not_dialled() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Echoes).await;
    let uri = uri(&bench, "reads_after_it_closed", &server, SECRET);
    let manifest = bench.provider.manifest();
    let planned = bench.provider.plan(&uri).await.expect("a plan");
    let plan = StoredPlan::new(
        &manifest.name,
        manifest.version,
        planned.plan,
        // What the rule refers to is another authority.
        RuleContext::default(),
        &uri.secrets,
    );
    let probed = bench
        .provider
        .probe(ProbeRequest {
            plan: plan.expect("a plan to store"),
            depth: Depth::Full,
            store: Some(Arc::new(InMemory::new())),
            egress: Some(server.admitted()),
            lent: portolan_egress::credentials::Lent::default(),
            timeout: None,
        })
        .await;
    assert_eq!(told(&probed), [("dial", "failed")]);
    assert_eq!(
        failure(&probed, 0),
        &Failure::new(
            FailureClass::Denied,
            format!(
                "no rule of the provider's manifest admits 127.0.0.1:{}",
                server.port
            )
        )
        .with_hint("create the connection again with this version of the provider")
    );
    assert_eq!(server.all_ended().await, 0, "nobody dialled");
    bench.still_answers().await;
}

/// Whoever stops waiting for a probe ends it, and its sockets.
#[tokio::test]
pub(crate) async fn waits_with_open_connections() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::IsSilent).await;
    tokio::select! {
        probed = probe(&bench, "waits_with_open_connections", &server) => panic!("{probed:?}"),
        () = server.has_accepted(3) => {}
    }
    assert_eq!(server.all_ended().await, 3);
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn reads_after_it_closed() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Echoes).await;
    let probed = probe(&bench, "reads_after_it_closed", &server).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        told(&probed),
        [("dial", "ok"), ("close", "ok"), ("read", "ok")]
    );
    assert_eq!(detail(&probed, 2, "answer"), "hello");
    assert_eq!(detail(&probed, 2, "more"), "0");
    bench.still_answers().await;
}

/// A failure of `try-read` is not kept; one of `read` is.
#[tokio::test]
pub(crate) async fn reads_no_bytes() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::IsSilent).await;
    let probed = probe(&bench, "reads_no_bytes", &server).await;
    assert_eq!(
        told(&probed),
        [
            ("dial", "ok"),
            ("look", "failed"),
            ("look", "ok"),
            ("read", "failed")
        ]
    );
    let nothing = reported(FailureClass::Protocol, "a read asks for one byte at least");
    assert_eq!(failure(&probed, 1), &nothing);
    assert_eq!(failure(&probed, 3), &nothing);
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn goes_on_after_a_failure() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Greets).await;
    let probed = probe(&bench, "goes_on_after_a_failure", &server).await;
    assert_eq!(probed.result, Ok(()));
    let first = failure(&probed, 1).clone();
    assert_eq!(first.class, FailureClass::Denied);
    for place in 2..6 {
        assert_eq!(failure(&probed, place), &first);
    }
    assert_eq!(detail(&probed, 6, "ready"), "1");
    server.all_ended().await;
    assert_eq!(server.received(), b"");
    bench.still_answers().await;
}

/// A host whose steps are short.
async fn hasty() -> Bench {
    let mut limits: Limits = patient();
    limits.step_wall_time = Duration::from_millis(400);
    Bench::with(sandbox(limits), hostile::MANIFEST).await
}

#[tokio::test]
pub(crate) async fn reads_from_a_silent_server() {
    let bench = hasty().await;
    let server = Server::plain(Manner::IsSilent).await;
    let started = Instant::now();
    let probed = probe(&bench, "reads_from_a_silent_server", &server).await;
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        failure(&probed, 1),
        &Failure::new(
            FailureClass::Timeout,
            "the step did not finish within 400 ms"
        )
        .with_hint("see whether the service is slow, or raise the limit of a step")
    );
    server.all_ended().await;
}

#[tokio::test]
pub(crate) async fn waits_for_a_silent_server() {
    let bench = hasty().await;
    let server = Server::plain(Manner::IsSilent).await;
    let probed = probe(&bench, "waits_for_a_silent_server", &server).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(detail(&probed, 1, "now"), "0");
    assert_eq!(detail(&probed, 1, "later"), "0");
    assert!(probed.steps[1].duration >= Duration::from_millis(400));
}

#[tokio::test]
pub(crate) async fn starts_tls_twice() {
    let bench = Bench::new().await;
    let server = Server::encrypted(Manner::Echoes).await;
    let probed = probe(&bench, "starts_tls_twice", &server).await;
    assert_eq!(
        told(&probed),
        [("dial", "ok"), ("tls", "ok"), ("tls", "failed")]
    );
    assert_eq!(detail(&probed, 1, "version"), "TLSv1.3");
    assert_eq!(detail(&probed, 1, "protocol"), "postgresql");
    assert_eq!(detail(&probed, 1, "binding"), "32");
    assert_eq!(
        failure(&probed, 2),
        &reported(
            FailureClass::Protocol,
            "TLS is spoken on this connection already"
        )
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn tells_an_echoed_secret() {
    let bench = Bench::new().await;
    let server = Server::encrypted(Manner::Echoes).await;
    let probed = probe(&bench, "tells_an_echoed_secret", &server).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(told(&probed), [("tell", "failed"); 5]);
    is_clean(SECRET, &probed);
    for (place, step) in probed.steps.iter().enumerate() {
        let message = &failure(&probed, place).message;
        assert!(message.starts_with("it is redacted"), "{message}");
        assert!(step.details[0].1.starts_with("redacted"), "{step:?}");
    }
    // The server had the secret itself, in every encoding.
    server.all_ended().await;
    let received = String::from_utf8(server.received()).expect("text");
    assert_eq!(
        received,
        [
            "p@ss/w\u{f6}rd\\7\"+&=x",
            "p@ss/w\u{f6}rd\\\\7\\\"+&=x",
            "cEBzcy93w7ZyZFw3IismPXg=",
            "cEBzcy93w7ZyZFw3IismPXg",
            "704073732f77c3b672645c37222b263d78",
        ]
        .concat()
    );
    bench.still_answers().await;
}

/// A failure of the host stays whole where the guest passes it on unchanged, and is a text of the
/// guest where it does not.
#[tokio::test]
pub(crate) async fn adds_to_a_failure_of_the_host() {
    let mut closed = Server::plain(Manner::IsSilent).await;
    closed.port = unbound().await;
    let egress = closed.admitted();
    let found = egress.resolve("127.0.0.1", closed.port).await;
    let refused = egress
        .connect(&found.expect("an address"))
        .await
        .expect_err("nobody listens")
        .failure();
    assert_eq!(refused.class, FailureClass::Unreachable);

    let bench = Bench::acting().await;
    let sighted = uri(&bench, "adds_to_a_failure_of_the_host", &closed, SECRET);
    let probed = probe_out(&bench, &sighted, egress.clone()).await;
    assert_eq!(failure(&probed, 0), &refused);
    assert_eq!(failure(&probed, 1), &refused.clone().with_hint("redacted"));

    let bench = Bench::new().await;
    let short = uri(&bench, "adds_to_a_failure_of_the_host", &closed, "abc");
    let probed = probe_out(&bench, &short, egress).await;
    assert_eq!(failure(&probed, 0), &refused);
    let dropped = failure(&probed, 1);
    assert_eq!(dropped.class, FailureClass::Unreachable);
    assert_eq!(dropped.message, "the service is not to be had");
    let hint = dropped.hint.as_deref().expect("a hint");
    assert!(hint.starts_with("check the host and port"), "{hint}");
    assert!(hint.contains("fewer than 6 bytes"), "{hint}");
    bench.still_answers().await;
}

/// A port that was free a moment ago.
async fn unbound() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("an address").port()
}
