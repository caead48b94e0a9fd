//! Why a connection cannot be made: each cause has its own words, and its own hint.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::{EgressOptions, TrustRoots};
use portolan_servers::Authority;

use crate::setting::{HOST, LOGGED_IN, cluster, in_clear, to, uri};
use crate::told::{escaped, expect, failing, made};

const TLS_FAILED: &str = "resolve ok, dial ok, tls failed";

fn encoded(pem: &str) -> String {
    escaped(&BASE64_STANDARD.encode(pem))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_the_options_are_used_and_checking_can_be_left_out() {
    let authority = Authority::new("of the cluster");
    let clients = Authority::new("of clients");
    let cluster = cluster(2, 2)
        .tls(&authority.issue(&[HOST]))
        .client_authority(&clients.pem())
        .start();
    let client = clients.issue_client("client");
    let ca = format!("ca_cert={}", encoded(&authority.pem()));
    let pair = |client: &portolan_servers::Identity| {
        format!(
            "client_cert={}&client_key={}",
            encoded(&client.certificate),
            encoded(&client.key)
        )
    };
    let options = || EgressOptions {
        roots: TrustRoots::nobody(),
        ..to(&authority, &cluster)
    };
    let with = |query: &str| {
        uri(
            &cluster,
            &format!("topic_name=orders&tls_enabled=true&{query}"),
        )
    };
    let shown = LOGGED_IN.replace("authenticate ok", "authenticate skipped");
    let right = pair(&client);
    assert_eq!(
        made(options(), &with(&format!("{ca}&{right}"))).await,
        shown
    );
    let unchecked = format!("insecure_tls_skip_verify=true&{right}");
    assert_eq!(made(options(), &with(&unchecked)).await, shown);
    // TLS 1.3 lets the client believe that it is in until it reads.
    let told = failing(options(), &with(&ca), &[]).await;
    assert!(told.contains("\n28000\n"), "{told}");
    assert!(told.contains("asks for a client certificate"), "{told}");
    let stranger = pair(&Authority::new("other").issue_client("client"));
    let told = failing(options(), &with(&format!("{ca}&{stranger}")), &[]).await;
    assert!(told.contains("\n28000\n"), "{told}");
    assert!(told.contains("refused the client certificate"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_nobody_for_another_name_or_of_last_year_is_told_apart() {
    let authority = Authority::new("of the cluster");
    for (identity, trusted, state, problem) in [
        (
            authority.issue(&[HOST]),
            false,
            "08001",
            "comes from an authority that is not trusted",
        ),
        (
            authority.issue(&["other.example"]),
            true,
            "08001",
            "is for another name",
        ),
        (
            authority.issue_expired(&[HOST]),
            true,
            "08001",
            "has expired",
        ),
    ] {
        let cluster = cluster(1, 1).tls(&identity).start();
        let options = match trusted {
            true => to(&authority, &cluster),
            false => in_clear(&cluster),
        };
        let told = failing(options, &uri(&cluster, "tls_enabled=true"), &[]).await;
        assert!(
            told.starts_with(&format!("{TLS_FAILED}\n{state}\n")),
            "{told}"
        );
        assert!(told.contains(problem), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_at_a_plain_port_and_plain_text_at_a_port_with_tls_say_what_to_change() {
    let plain = cluster(1, 1).start();
    let told = failing(in_clear(&plain), &uri(&plain, "tls_enabled=true"), &[]).await;
    assert!(
        told.starts_with(&format!("{TLS_FAILED}\n08P01\n")),
        "{told}"
    );
    assert!(
        told.contains("Leave out tls_enabled if this port speaks plain text."),
        "{told}"
    );

    let authority = Authority::new("of the cluster");
    let encrypted = cluster(1, 1).tls(&authority.issue(&[HOST])).start();
    expect(
        &failing(
            to(&authority, &encrypted),
            &uri(&encrypted, "topic_name=orders"),
            &[],
        )
        .await,
        [
            "resolve ok, dial ok, tls skipped, versions failed",
            "08P01",
            "invalid changefeed sink URI: the broker speaks TLS at this port, and the connection \
             plain text",
            "Add tls_enabled=true, or write the port for plain text.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_hidden_or_read_only_is_told_apart() {
    let cluster = cluster(1, 1)
        .topic("hidden", 1)
        .topic("read-only", 1)
        .start();
    cluster.deny("hidden");
    cluster.deny_writing("read-only");
    let steps = "resolve ok, dial ok, tls skipped, versions ok, authenticate skipped, metadata ok, \
                 brokers ok, authorise failed";
    for (topic, state, message, hint) in [
        (
            "missing",
            "42704",
            "topic missing: the broker answered UNKNOWN_TOPIC_OR_PARTITION",
            "Create the topic at the cluster, or allow the user to describe it; look at \
             topic_prefix and topic_name.",
        ),
        (
            "hidden",
            "42501",
            "topic hidden: the broker answered TOPIC_AUTHORIZATION_FAILED",
            "Allow the user to describe and to write the topic.",
        ),
        (
            "read-only",
            "42501",
            "topic read-only: the user may see it and not write it",
            "Allow the user to write the topic.",
        ),
    ] {
        let uri = uri(&cluster, &format!("topic_name={topic}"));
        let message = format!("invalid changefeed sink URI: {message}");
        expect(
            &failing(in_clear(&cluster), &uri, &[]).await,
            [steps, state, &message, hint],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_inside_is_asked_of_the_policy() {
    let cluster = cluster(1, 1).start();
    let port = cluster.addresses()[0].port();
    let options = crate::told::named(&[[10, 1, 2, 3]]);
    let told = failing(options, &format!("kafka://broker.test:{port}"), &[]).await;
    assert!(told.starts_with("resolve failed\n42501\n"), "{told}");
    assert!(told.contains(&format!("broker.test:{port}")), "{told}");
}
