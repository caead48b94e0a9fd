//! Misdeeds in requests, against real servers on loopback that a rule of the policy admits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::memory::InMemory;
use portolan_contract::{Depth, Failure, FailureClass, Outcome, split};
use portolan_sandbox::{Fault, Limits, Probed};
use portolan_secret::SecretText;
use portolan_tests::hostile;

use crate::bench::{Bench, SECRET, is_fault, patient, sandbox, told};
use crate::server::{Manner, Server};

const REPORT: &str = "report it to the provider's author, or use another version of the provider";
const EMPTY: Manner = Manner::Answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");

async fn probe(bench: &Bench, misdeed: &str, server: &Server) -> Probed {
    let key: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let uri = format!("hostile://127.0.0.1:{}/{misdeed}?key={key}", server.port);
    let uri = split(&SecretText::new(uri), bench.provider.manifest()).expect("it splits");
    let store = Arc::new(InMemory::new());
    let egress = server.admitted();
    bench
        .probe_out(&uri, Depth::Full, store, Some(egress))
        .await
}

fn failure(probed: &Probed) -> &Failure {
    match &probed.steps[0].outcome {
        Outcome::Failed(failure) => failure,
        outcome => panic!("{outcome:?} of {probed:?}"),
    }
}

/// What is told of a request that no rule describes; nothing of it is the guest's own word.
fn outside(server: &Server, name: &str, differs: &str) -> Failure {
    let nearest = match name {
        "a request" => {
            "no rule of the provider's manifest describes it; from the nearest, look, it \
                        differs in "
        }
        _ => "it differs from its rule in ",
    };
    Failure::new(
        FailureClass::Denied,
        format!(
            "{name} to 127.0.0.1:{} is not sent: {nearest}{differs}",
            server.port
        ),
    )
    .with_hint(
        "report it to the provider's author, or use a version of the provider whose manifest has \
         a rule for it",
    )
}

fn reported(class: FailureClass, message: &str) -> Failure {
    Failure::new(class, message).with_hint(REPORT)
}

/// Each misdeed with the whole failure that its request ends with. Nothing was sent.
macro_rules! refused {
    ($($misdeed:ident: $failure:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = Server::plain(EMPTY).await;
            let probed = probe(&bench, stringify!($misdeed), &server).await;
            assert_eq!(probed.result, Ok(()));
            let expected: fn(&Server) -> Failure = $failure;
            assert_eq!(failure(&probed), &expected(&server));
            assert_eq!(server.received(), b"", "nothing was sent");
            bench.still_answers().await;
        }
    )*};
}

refused! {
    sends_what_no_rule_describes: |server| outside(server, "a request",
        "its name, and its method (the rule's is GET)");
    sends_another_method: |server| outside(server, "the request look",
        "its method (the rule's is GET)");
    sends_another_path: |server| outside(server, "the request look",
        "its path (the rule's is /look/*)");
    sends_a_parameter_that_is_not_allowed: |server| outside(server, "the request look",
        "its query (the rule lets a provider send q, in clear)");
    sends_a_header_of_the_host: |server| outside(server, "the request look",
        "its headers (the rule lets a provider send x-a)");
    sends_a_secret_in_its_query: |server| outside(server, "the request look",
        "its query (the rule lets a provider send q, in clear)");
    sends_a_secret_in_another_member: |server| outside(server, "the request decrypt",
        "its body (the rule's is JSON whose opaque parts are /Ciphertext and no others)");
    sends_a_secret_where_none_may_be: |server| outside(server, "the request look",
        "its body (the rule lets no opaque part stand there)");
    sends_no_secret_where_one_has_to_be: |server| outside(server, "the request decrypt",
        "its body (the rule's is JSON whose opaque parts are /Ciphertext and no others)");
    sends_a_secret_that_ends_its_string: |_| reported(FailureClass::Protocol,
        "an opaque part of a request's body cannot stand in JSON as it is");
    climbs_out_of_its_path: |_| reported(FailureClass::Protocol,
        "the request cannot be sent: its path, which has . or .. cannot be written down");
    splits_a_header: |_| reported(FailureClass::Protocol,
        "a header of a request is written in lower case, with a value of printable ASCII");
    sends_65_segments: |_| reported(FailureClass::Budget,
        "a request has more than 64 segments in its path");
    sends_a_segment_of_2_kib: |_| reported(FailureClass::Budget,
        "a request has more than 1024 bytes in a segment of its path");
    sends_257_parameters: |_| reported(FailureClass::Budget,
        "a request has more than 256 parameters in its query");
    sends_65_headers: |_| reported(FailureClass::Budget, "a request has more than 64 headers");
    sends_17_kib_of_headers: |_| reported(FailureClass::Budget,
        "a request has more than 16384 bytes of headers");
    sends_65_parts: |_| reported(FailureClass::Budget,
        "a request has more than 64 parts in its body");
    sends_more_than_16_mib: |_| reported(FailureClass::Budget,
        "a request has more than 16777216 bytes in its body");
    keeps_17_members_opaque: |_| reported(FailureClass::Budget,
        "a request has more than 16 members of its answer to be kept opaque");
    keeps_what_is_no_member_opaque: |_| reported(FailureClass::Protocol,
        "a pointer is at most 16 steps of a / and a name in at most 256 bytes, where ~ is written \
         ~0 and / is written ~1");
    keeps_a_member_opaque_as_a_later_contract_does: |_| reported(FailureClass::Unsupported,
        "this host does not know the encoding that a member is to be read in");
}

/// An endpoint of the plan that is not the URI's own authority, which the rule is for.
#[tokio::test]
pub(crate) async fn sends_to_another_host() {
    let bench = Bench::new().await;
    let server = Server::plain(EMPTY).await;
    let probed = probe(&bench, "sends_to_another_host", &server).await;
    let failure = failure(&probed);
    assert_eq!(
        failure.message,
        "the request look to a.example.com:443 is not sent: it differs from its rule in its host \
         (the rule's is {authority})"
    );
    assert_eq!(server.all_ended().await, 0, "nobody dialled");
    bench.still_answers().await;
}

/// Each misdeed with how its server behaves, why it is stopped, the sentence, the SQLSTATE, and the
/// steps that are told. Afterwards no connection is left open.
macro_rules! stopped {
    ($($misdeed:ident: $manner:expr, $fault:expr, $sentence:expr, $sqlstate:expr, $steps:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = Server::plain($manner).await;
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

/// An answer of 1 MiB, which is opaque where the rule keeps it so.
fn large() -> Manner {
    let member = "QUFB".repeat((1 << 20) / 3);
    let body = format!("{{\"Plaintext\":\"{member}\"}}");
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    Manner::Answers(Box::leak(answer.into_boxed_str()))
}

stopped! {
    sends_to_an_endpoint_that_is_not_planned: EMPTY,
        Fault::Contract("named endpoint 7, and its plan has 2, counted from 0".to_owned()),
        "broke the contract: it named endpoint 7, and its plan has 2, counted from 0", "08P01",
        [("ask", "failed")];
    sends_a_secret_that_is_used_up: EMPTY, Fault::Malformed,
        "handed over a value that cannot be read", "08P01", [("ask", "failed"), ("ask", "failed")];
    sends_without_end: EMPTY, Fault::Dials(256), "used up its 256 look-ups and dials", "53200", [];
    takes_answers_without_end: large(), Fault::ResponseBytes(16 << 20),
        "used up its 16 MiB of answers", "53200", [];
    takes_opaque_answers_without_end: large(), Fault::OpaqueBytes(16 << 20),
        "used up its 16 MiB of opaque parts", "53200", [];
}

/// Whatever a server does, a request ends with the step that it is in.
async fn ends_with_its_step(misdeed: &str, manner: Manner) {
    let mut limits: Limits = patient();
    limits.step_wall_time = Duration::from_millis(300);
    let bench = Bench::with(sandbox(limits), hostile::MANIFEST).await;
    let server = Server::plain(manner).await;
    let started = Instant::now();
    let probed = probe(&bench, misdeed, &server).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        failure(&probed),
        &Failure::new(
            FailureClass::Timeout,
            "the step did not finish within 300 ms"
        )
        .with_hint("see whether the service is slow, or raise the limit of a step")
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    server.all_ended().await;
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn sends_to_a_silent_server() {
    ends_with_its_step("sends_to_a_silent_server", Manner::IsSilent).await;
}

#[tokio::test]
pub(crate) async fn sends_to_a_server_that_drips() {
    ends_with_its_step("sends_to_a_server_that_drips", Manner::Drips).await;
}

/// The guest sees where the member stands and how long it is, and nothing of it; the server gets the
/// secret that the guest never saw.
#[tokio::test]
pub(crate) async fn looks_into_an_opaque_answer() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Answers(
        "HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"KeyId\":\"k\",\"Plaintext\":\"aHVudGVyMg==\"}",
    ))
    .await;
    let probed = probe(&bench, "looks_into_an_opaque_answer", &server).await;
    assert_eq!(probed.result, Ok(()));
    let told = |text: &str| text.to_owned();
    assert_eq!(
        probed.steps[0].details,
        [
            (told("status"), told("200")),
            (
                told("seen"),
                told("{\"KeyId\":\"k\",\"Plaintext\":\"<7>\"}")
            ),
        ]
    );
    let received = server.received();
    let received = String::from_utf8(received).expect("text");
    assert!(
        received.ends_with("{\"Ciphertext\":\"cEBzcy93w7ZyZFw3IismPXg=\"}"),
        "{received}"
    );
    bench.still_answers().await;
}
