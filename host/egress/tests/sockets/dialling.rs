//! The guard: what is looked up, judged and dialled.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use portolan_contract::FailureClass;
use portolan_egress::{AddressClass, Egress, EgressError, EgressOptions, Reason};

use crate::server::{HELLO, Server, closed, full, read_head, until_closed};
use crate::support::{
    Answer, Names, SHORT, assert_discreet, assert_failure, client, failure_of, fetch, host,
    options, plan, policy,
};

/// A server at 127.0.0.2 that takes connections, and its twin at 127.0.0.3 on the same port.
async fn twins() -> (Server, Server) {
    for _ in 0..100 {
        let first = Server::at((Ipv4Addr::new(127, 0, 0, 2), 0).into(), idle).await;
        let second = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 3), first.port()));
        if is_free(second).await {
            return (first, Server::at(second, idle).await);
        }
    }
    panic!("no port is free at both addresses");
}

/// Whether a port is free.
async fn is_free(address: SocketAddr) -> bool {
    tokio::net::TcpListener::bind(address).await.is_ok()
}

async fn idle(mut stream: tokio::net::TcpStream) -> io::Result<()> {
    until_closed(&mut stream).await
}

fn with_names(rules: &[&str], names: Names) -> (Egress, Arc<Names>) {
    let names = Arc::new(names);
    let egress = Egress::new(EgressOptions {
        policy: policy(rules),
        resolver: Arc::clone(&names) as _,
        ..options()
    });
    (egress, names)
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_dialled() {
    let (allowed, denied) = twins().await;
    let names = Names::default().with(
        "mixed.test",
        &["127.0.0.3", "10.0.0.1", "169.254.169.254", "127.0.0.2"],
    );
    let (egress, _) = with_names(&["127.0.0.2"], names);
    let resolved = egress
        .resolve("mixed.test", allowed.port())
        .await
        .expect("one is allowed");
    assert_eq!(resolved.count(), 1);
    let stream = egress.connect(&resolved).await.expect("a connection");
    assert_eq!(stream.peer_addr().ok(), Some(allowed.address));
    assert_eq!(denied.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_dialled_at_what_was_judged() {
    let (first, second) = twins().await;
    let names = Names::default()
        .with("rebinding.test", &["127.0.0.2"])
        .with("rebinding.test", &["127.0.0.3"]);
    let (egress, names) = with_names(&["127.0.0.2"], names);
    let resolved = egress
        .resolve("rebinding.test", first.port())
        .await
        .expect("allowed");
    for _ in 0..3 {
        let stream = egress.connect(&resolved).await.expect("a connection");
        assert_eq!(stream.peer_addr().ok(), Some(first.address));
    }
    assert_eq!(names.asked(), 1);
    // The next look-up is judged by itself.
    let error = egress
        .resolve("rebinding.test", first.port())
        .await
        .expect_err("denied");
    assert!(matches!(error, EgressError::Denied(_)), "{error}");
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn what_was_resolved_is_no_permission_once_the_policy_is_stricter() {
    let server = Server::answering(HELLO).await;
    let egress = Egress::new(options());
    let resolved = egress
        .resolve("server.test", server.port())
        .await
        .expect("allowed");
    egress.policy().set(policy(&[]));
    let error = egress.connect(&resolved).await.expect_err("denied");
    assert!(
        matches!(&error, EgressError::Denied(denial)
            if denial.reason() == Reason::Class(AddressClass::Loopback)),
        "{error}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn names_of_denied_addresses_are_refused_without_telling_the_address() {
    let classes = [
        ("127.0.0.9", "loopback"),
        ("10.9.8.7", "private"),
        ("100.64.3.2", "shared"),
        ("::ffff:192.168.7.6", "private"),
        ("64:ff9b::a09:807", "private"),
        ("fe80::9", "link-local"),
        ("169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("224.0.0.9", "multicast"),
        ("0.0.0.0", "reserved"),
    ];
    for (address, class) in classes {
        let (egress, _) = with_names(&[], Names::default().with("inside.test", &[address]));
        let error = egress
            .resolve("inside.test", 443)
            .await
            .expect_err("denied");
        assert_eq!(
            error.to_string(),
            format!("the policy denies inside.test:443: the name stands for a {class} address")
        );
        assert_eq!(error.class(), FailureClass::Denied);
        let shown = format!("{error} {} {error:?}", error.hint());
        assert!(!shown.contains(address), "{shown}");
        // A rule with the name admits it, unless it is a link-local or a metadata address.
        let (egress, _) = with_names(
            &["inside.test"],
            Names::default().with("inside.test", &[address]),
        );
        let by_rule = egress.resolve("inside.test", 443).await.is_ok();
        assert_eq!(
            by_rule,
            !matches!(class, "link-local" | "metadata"),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_mapped_answer_is_dialled_as_what_it_is_and_once() {
    let server = Server::answering(HELLO).await;
    let names = Names::default().with("mapped.test", &["::ffff:127.0.0.1", "127.0.0.1"]);
    let (egress, _) = with_names(&["127.0.0.1"], names);
    let resolved = egress
        .resolve("mapped.test", server.port())
        .await
        .expect("allowed");
    assert_eq!(resolved.count(), 1);
    let stream = egress.connect(&resolved).await.expect("a connection");
    assert_eq!(stream.peer_addr().ok(), Some(server.address));
}

#[tokio::test]
async fn of_very_many_addresses_sixteen_are_dialled() {
    let many: Vec<String> = (1..=250).map(|last| format!("127.1.0.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (egress, _) = with_names(&["many.test"], Names::default().with("many.test", &many));
    let resolved = egress.resolve("many.test", 9).await.expect("allowed");
    assert_eq!(resolved.count(), 16);
}

#[tokio::test]
async fn look_ups_fail_each_in_its_own_way() {
    let names = Names::default()
        .answering("away.test", Answer::Fails(io::ErrorKind::Other))
        .answering("slow.test", Answer::Never)
        .answering("empty.test", Answer::Addresses(Vec::new()));
    let (egress, _) = with_names(&[], names);
    let mut errors = Vec::new();
    for name in ["none.test", "empty.test", "away.test", "slow.test"] {
        errors.push(egress.resolve(name, 443).await.expect_err(name));
    }
    for (error, name) in errors.iter().zip(["none.test", "empty.test"]) {
        assert_failure(
            error,
            &EgressError::NoSuchName {
                host: name.to_owned(),
            },
            FailureClass::Unreachable,
            &format!("the name {name} does not resolve"),
            "check the spelling of the host, and the DNS of this host",
        );
        assert!(error.is_unsent());
    }
    assert_failure(
        &errors[2],
        &EgressError::Resolver {
            host: "away.test".to_owned(),
            after: None,
        },
        FailureClass::Unreachable,
        "the name away.test could not be looked up",
        "check the DNS of this host, and try again",
    );
    assert_failure(
        &errors[3],
        &EgressError::Resolver {
            host: "slow.test".to_owned(),
            after: Some(SHORT),
        },
        FailureClass::Timeout,
        "the name slow.test could not be looked up within 500 ms",
        "check the DNS of this host, and try again",
    );
}

#[tokio::test]
async fn a_port_on_which_nobody_listens_refuses() {
    let port = closed().await;
    let error = failure_of(port).await;
    assert_failure(
        &error,
        &EgressError::Connect {
            host: host(),
            port,
            kind: io::ErrorKind::ConnectionRefused,
            after: None,
        },
        FailureClass::Unreachable,
        &format!("server.test:{port} refused the connection"),
        "check the port, and that the server is running",
    );
    assert!(error.is_unsent());
}

#[tokio::test]
async fn dialling_ends_when_its_time_is_up() {
    let (listener, _waiting) = full().await;
    let port = listener.local_addr().expect("an address").port();
    let began = Instant::now();
    let error = failure_of(port).await;
    assert!(began.elapsed() >= SHORT);
    assert_failure(
        &error,
        &EgressError::Connect {
            host: host(),
            port,
            kind: io::ErrorKind::TimedOut,
            after: Some(SHORT),
        },
        FailureClass::Timeout,
        &format!("server.test:{port} did not take the connection within 500 ms"),
        "check the host and port, and the routes and firewalls on the way",
    );
}

#[tokio::test]
async fn an_address_that_swallows_packets_leaves_time_for_the_next() {
    let (listener, _waiting) = full().await;
    let port = listener.local_addr().expect("an address").port();
    let good = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 5), port));
    let good = Server::at(good, idle).await;
    let names = Names::default().with("two.test", &["127.0.0.1", "127.0.0.5"]);
    let (egress, _) = with_names(&["two.test"], names);
    let resolved = egress.resolve("two.test", port).await.expect("allowed");
    let stream = egress.connect(&resolved).await.expect("the second");
    assert_eq!(stream.peer_addr().ok(), Some(good.address));
}

#[tokio::test]
async fn connect_to_leads_elsewhere_without_a_rule_and_keeps_the_name() {
    let server = Server::start(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        while let Some(head) = read_head(&mut stream).await? {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{head}",
                head.len()
            );
            stream.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    })
    .await;
    let mut options = options();
    options.policy = policy(&[]);
    options
        .connect_to
        .add("bucket.example:80", &server.address.to_string())
        .expect("a line");
    let names = Arc::new(Names::default());
    options.resolver = Arc::clone(&names) as _;
    let egress = Egress::new(options);
    let client =
        portolan_egress::http::EndpointClient::new(&egress, &plan("bucket.example", 80, None))
            .expect("a client");
    let (_, head) = fetch(&client, "http://bucket.example")
        .await
        .expect("an answer");
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(head.contains("\r\nhost: bucket.example\r\n"), "{head}");
    assert_eq!(names.asked(), 0);
    // Another port of the same name is led nowhere.
    let error = egress
        .resolve("bucket.example", 81)
        .await
        .expect_err("no such name");
    assert_discreet(&error);
    assert_eq!(names.asked(), 1);
}

#[tokio::test]
async fn a_stricter_policy_denies_the_next_request_of_an_open_connection() {
    let server = Server::answering(HELLO).await;
    let egress = Egress::new(options());
    let client = client(&egress, server.port());
    let uri = format!("http://server.test:{}", server.port());
    for _ in 0..3 {
        fetch(&client, &uri).await.expect("an answer");
    }
    assert_eq!(server.connections(), 1, "the connection is kept");
    egress.policy().set(policy(&[]));
    let error = fetch(&client, &uri).await.expect_err("denied");
    assert_failure(
        &error,
        &error.clone(),
        FailureClass::Denied,
        &format!(
            "the policy denies server.test:{}: the name stands for a loopback address",
            server.port()
        ),
        &format!(
            "if it is meant, allow it with the rule server.test:{port} in the host's policy",
            port = server.port()
        ),
    );
    assert!(!error.is_unsent(), "it is not to be tried again");
    assert_eq!(server.connections(), 1);
    // Allowed again, it is dialled again: what was dialled under an older policy is not used.
    egress.policy().set(policy(&["server.test"]));
    fetch(&client, &uri).await.expect("an answer");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_resolver_of_the_system_finds_this_host() {
    let egress = Egress::new(EgressOptions {
        policy: policy(&["localhost"]),
        ..EgressOptions::default()
    });
    assert!(
        egress
            .resolve("localhost", 80)
            .await
            .expect("found")
            .count()
            >= 1
    );
}
