//! Misdeeds in authentication exchanges: each ends in a failure that says what it was, and no answer
//! is ever shown.

use portolan_contract::{Failure, FailureClass};
use portolan_sandbox::Fault;

use crate::bench::{Bench, SECRET, is_fault, told};
use crate::dialling::{detail, failure, probe, reported};
use crate::leaking::is_clean;
use crate::server::{Manner, Server};

const HOST: &str = "update this host, or use another version of the provider";
const PEER: &str = "check that the host and port are those of the service that is meant";

/// Each misdeed, and the failure of its last step, whole.
macro_rules! failed {
    ($($misdeed:ident: $failure:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = Server::plain(Manner::Echoes).await;
            let probed = probe(&bench, stringify!($misdeed), &server).await;
            assert_eq!(probed.result, Ok(()), "{probed:?}");
            assert_eq!(failure(&probed, probed.steps.len() - 1), &$failure);
            is_clean(SECRET, &probed);
            server.all_ended().await;
            bench.still_answers().await;
        }
    )*};
}

failed! {
    authenticates_in_a_way_that_nobody_knows:
        Failure::new(
            FailureClass::Unsupported,
            "this host does not speak the mechanism of authentication that was asked for",
        )
        .with_hint(HOST);
    gives_17_properties:
        reported(FailureClass::Budget, "more than 16 properties are given for an exchange");
    gives_a_property_twice:
        reported(
            FailureClass::Protocol,
            "a property is given that the mechanism of authentication has not, or has only once",
        );
    gives_a_property_of_a_later_contract:
        Failure::new(
            FailureClass::Unsupported,
            "this host does not know the kind of a property that an exchange is begun with",
        )
        .with_hint(HOST);
    authenticates_with_a_secret_that_is_not_planned:
        Failure::new(FailureClass::NotFound, "the plan has no named secret of this name")
            .with_hint("report it to the provider's author, or create the connection again");
    binds_to_a_connection_without_tls:
        reported(
            FailureClass::Protocol,
            "there is no TLS on this connection that an authentication could be bound to",
        );
    signs_with_what_the_host_lends:
        Failure::new(
            FailureClass::Denied,
            "the plan of the connection does not say that it uses credentials of this host",
        )
        .with_hint("create the connection again");
    sends_a_clients_secret_to_another_service:
        Failure::new(
            FailureClass::Denied,
            "the client's secret is not sent to another token service than the URI names",
        )
        .with_hint("create the connection again");
    passes_on_a_challenge_of_65_kib:
        reported(FailureClass::Budget, "a challenge is longer than 65536 bytes");
    passes_on_what_is_no_challenge:
        Failure::new(
            FailureClass::Protocol,
            "the server's challenge does not belong to this exchange",
        )
        .with_hint(PEER);
    asks_for_endless_iterations:
        Failure::new(
            FailureClass::Protocol,
            "the server asks for more than 1000000 iterations of the password's hash",
        )
        .with_hint("lower the iterations of the user's password at the server; 4096 is usual");
    passes_on_the_nonce_of_another_exchange:
        Failure::new(
            FailureClass::Protocol,
            "the server's challenge does not belong to this exchange",
        )
        .with_hint(PEER);
    goes_on_after_the_end:
        reported(FailureClass::Protocol, "the exchange is over, and there is nothing to answer");
    writes_an_answer_before_tls:
        reported(
            FailureClass::Denied,
            "a secret is not sent to this endpoint before TLS is spoken",
        );
    passes_on_a_forged_signature:
        Failure::new(
            FailureClass::RefusedCredentials,
            "the server did not prove that it knows the password",
        )
        .with_hint(
            "somebody may stand between and answer in the server's place: verify its \
             certificate, and do not send this password there until it is understood",
        );
}

/// Each misdeed that ends the guest.
macro_rules! stopped {
    ($($misdeed:ident: $fault:expr, $sentence:expr, $sqlstate:expr;)*) => {$(
        #[tokio::test]
        pub(crate) async fn $misdeed() {
            let bench = Bench::new().await;
            let server = Server::plain(Manner::IsSilent).await;
            let probed = probe(&bench, stringify!($misdeed), &server).await;
            let error = probed.result.clone().expect_err("it is stopped");
            is_fault(&error, &$fault, $sentence, $sqlstate);
            server.all_ended().await;
            bench.still_answers().await;
        }
    )*};
}

stopped! {
    begins_exchanges_without_end: Fault::Exchanges(64), "used up its 64 exchanges", "53200";
    uses_an_exchange_that_it_dropped: Fault::Malformed, "handed over a value that cannot be read",
        "08P01";
    uses_an_exchange_as_a_secret: Fault::Malformed, "handed over a value that cannot be read",
        "08P01";
}

#[tokio::test]
pub(crate) async fn tells_an_echoed_answer() {
    let bench = Bench::new().await;
    let server = Server::plain(Manner::Echoes).await;
    let probed = probe(&bench, "tells_an_echoed_answer", &server).await;
    assert_eq!(probed.result, Ok(()));
    assert_eq!(
        told(&probed),
        [
            ("start", "ok"),
            ("tell", "ok"),
            ("start", "ok"),
            ("tell", "ok")
        ]
    );
    is_clean(SECRET, &probed);
    assert_eq!(detail(&probed, 1, "echo"), "redacted");
    // A hash is no secret that a search could find; it is worth one login, with this salt.
    assert!(detail(&probed, 3, "echo").starts_with("md5"));
    server.all_ended().await;
    let received = String::from_utf8(server.received()).expect("text");
    assert!(
        received.starts_with(&format!("\0user\0{SECRET}md5")),
        "{received:?}"
    );
    bench.still_answers().await;
}
