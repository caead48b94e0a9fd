//! Connections to real servers on loopback, as a provider uses them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::future::poll_fn;
use std::sync::Arc;

use futures::FutureExt;
use portolan_contract::{
    Endpoint, FailureClass, Plan, PlanEntry, RuleContext, StoredPlan, TlsProfile, TlsVerification,
    Version,
};
use portolan_egress::tls::TlsFault;
use portolan_egress::{
    Connection, ConnectionError, Egress, EgressError, EgressOptions, Piece, Policy, TlsFacts,
};
use portolan_secret::SecretBytes;
use rcgen::{CertificateParams, KeyPair};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::server::TlsStream;

/// A certificate that is its own authority.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    fn of(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("signed");
        Self {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    fn acceptor(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Self>,
    ) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.clone()).expect("added");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("a certificate");
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// A plan whose profile `server` trusts this one.
    fn trusted(&self) -> StoredPlan {
        StoredPlan {
            format: 1,
            provider: "n".to_owned(),
            provider_version: Version::new(0, 1, 0),
            plan: Plan {
                entries: vec![PlanEntry::Tls(TlsProfile {
                    name: "server".to_owned(),
                    certificate_authority: Some("ca".to_owned()),
                    client_certificate: None,
                    client_key: None,
                    verify: TlsVerification::Full,
                })],
            },
            context: RuleContext::default(),
            secrets: vec![("ca".to_owned(), SecretBytes::new(self.pem.as_bytes()))],
            places: Vec::new(),
        }
    }
}

/// A connection to a listener on loopback, and the other end of it.
async fn pair(profile: Option<&str>) -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let rule = format!("127.0.0.1:{port}").parse().expect("a rule");
    let egress = Egress::new(EgressOptions {
        policy: Policy::with_rules(vec![rule]),
        ..EgressOptions::default()
    });
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    };
    let resolved = egress.resolve("127.0.0.1", port).await.expect("allowed");
    let opening = Connection::open(&egress, &resolved, &endpoint);
    let (connection, accepted) = tokio::join!(opening, listener.accept());
    let (stream, _) = accepted.expect("accepted");
    (connection.expect("it is dialled"), stream)
}

/// Speaks TLS from both ends.
async fn encrypted(
    plan: &StoredPlan,
    acceptor: &TlsAcceptor,
    alpn: &[String],
) -> (
    Connection,
    Result<TlsFacts, ConnectionError>,
    std::io::Result<TlsStream<TcpStream>>,
) {
    let (mut connection, stream) = pair(Some("server")).await;
    let (facts, stream) = tokio::join!(
        connection.start_tls(plan, "server", alpn),
        acceptor.accept(stream)
    );
    (connection, facts, stream)
}

#[tokio::test]
async fn the_facts_of_a_handshake_are_told() {
    let identity = Identity::of("127.0.0.1");
    let plan = identity.trusted();
    let binding = Sha256::digest(&identity.certificate).to_vec();
    for (version, name) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let acceptor = identity.acceptor(&[version], None);
        for alpn in [Some("postgresql"), None] {
            let offered: Vec<String> = alpn.map(str::to_owned).into_iter().collect();
            let (_connection, facts, _stream) = encrypted(&plan, &acceptor, &offered).await;
            assert_eq!(
                facts,
                Ok(TlsFacts {
                    version: name,
                    alpn: alpn.map(str::to_owned),
                    server_end_point: binding.clone(),
                })
            );
        }
    }
}

#[tokio::test]
async fn after_a_handshake_that_failed_every_call_fails_likewise() {
    let identity = Identity::of("another.example.com");
    let acceptor = identity.acceptor(&[&TLS13], None);
    let (mut connection, facts, _) = encrypted(&identity.trusted(), &acceptor, &[]).await;
    let error = facts.expect_err("another name");
    assert!(
        matches!(
            &error,
            ConnectionError::Egress(EgressError::Tls {
                fault: TlsFault::NameMismatch,
                ..
            })
        ),
        "{error:?}"
    );
    let first = error.failure();
    let failures = [
        connection.write(&[]).await.map(|()| 0),
        connection.read(1).await.map(|bytes| bytes.len()),
        connection.try_read(1).await.map(|_| 0),
        connection.close().await.map(|()| 0),
    ];
    for failed in failures {
        assert_eq!(failed.expect_err("it failed").failure(), first);
    }
}

/// In TLS 1.3 the handshake of the client is over before the server has judged its certificate.
#[tokio::test]
async fn a_client_certificate_that_is_missing_is_told_by_the_first_read() {
    let identity = Identity::of("127.0.0.1");
    let acceptor = identity.acceptor(&[&TLS13], Some(&identity));
    let (mut connection, facts, stream) = encrypted(&identity.trusted(), &acceptor, &[]).await;
    assert!(facts.is_ok() && stream.is_err());
    let error = connection.read(1).await.expect_err("it is refused");
    assert_eq!(error.class(), FailureClass::RefusedCredentials);
    assert_eq!(
        error.failure().hint.as_deref(),
        Some("give the connection a client certificate and its key")
    );
}

#[tokio::test]
async fn parts_arrive_in_order_and_a_secret_among_them() {
    let (mut connection, mut stream) = pair(None).await;
    let secret = SecretBytes::new(*b"hunter2");
    let pieces = [
        Piece::Shown(b"user\0"),
        Piece::Shown(b""),
        Piece::Secret(&secret),
        Piece::Shown(b"\0"),
    ];
    connection.write(&pieces).await.expect("written");
    connection.close().await.expect("closed");
    connection.close().await.expect("closed once more");
    let mut came = Vec::new();
    stream.read_to_end(&mut came).await.expect("read");
    assert_eq!(came, b"user\0hunter2\0");
}

/// More than what fits into the buffers on the way.
#[tokio::test]
async fn a_large_message_is_written_while_the_server_reads_it() {
    let (mut connection, mut stream) = pair(None).await;
    let message = vec![7; 16 << 20];
    let pieces = [Piece::Shown(&message)];
    let reading = async {
        let mut came = Vec::new();
        stream.read_to_end(&mut came).await.map(|_| came.len())
    };
    let writing = async {
        connection.write(&pieces).await?;
        connection.close().await
    };
    let (written, came) = tokio::join!(writing, reading);
    assert_eq!(written, Ok(()));
    assert_eq!(came.expect("read"), 16 << 20);
}

#[tokio::test]
async fn a_secret_waits_for_tls_where_the_endpoint_has_a_profile() {
    let (mut connection, mut stream) = pair(Some("server")).await;
    let secret = SecretBytes::new(*b"hunter2");
    let pieces = [Piece::Shown(b"head"), Piece::Secret(&secret)];
    assert_eq!(
        connection.write(&pieces).await,
        Err(ConnectionError::SecretInClear)
    );
    let mut came = Vec::new();
    stream.read_to_end(&mut came).await.expect("read");
    assert_eq!(came, b"", "nothing was sent, and the socket is closed");

    let identity = Identity::of("127.0.0.1");
    let acceptor = identity.acceptor(&[&TLS13], None);
    let (mut connection, _, stream) = encrypted(&identity.trusted(), &acceptor, &[]).await;
    connection.write(&pieces).await.expect("written");
    let mut came = [0; 11];
    let mut stream = stream.expect("a handshake");
    stream.read_exact(&mut came).await.expect("read");
    assert_eq!(&came, b"headhunter2");
}

#[tokio::test]
async fn reading_goes_on_after_closing_over_tls_and_in_clear() {
    let identity = Identity::of("127.0.0.1");
    let acceptor = identity.acceptor(&[&TLS13], None);
    let (mut connection, _, stream) = encrypted(&identity.trusted(), &acceptor, &[]).await;
    let mut stream = stream.expect("a handshake");
    connection.close().await.expect("closed");
    let mut came = Vec::new();
    stream.read_to_end(&mut came).await.expect("the end");
    stream.write_all(b"good bye").await.expect("written");
    stream.shutdown().await.expect("closed");
    assert_eq!(connection.read(4).await, Ok(b"good".to_vec()));
    assert_eq!(connection.read(100).await, Ok(b" bye".to_vec()));
    for _ in 0..2 {
        assert_eq!(connection.read(100).await, Ok(Vec::new()));
        assert_eq!(connection.try_read(100).await, Ok(Some(Vec::new())));
    }
    assert_eq!(
        connection.write(&[Piece::Shown(b"more")]).await,
        Err(ConnectionError::Finished)
    );
}

/// Whoever cuts a connection in two must not be able to pass the first half off as all of it.
#[tokio::test]
async fn an_end_that_tls_did_not_announce_is_no_end() {
    let identity = Identity::of("127.0.0.1");
    let acceptor = identity.acceptor(&[&TLS13], None);
    let (mut connection, _, stream) = encrypted(&identity.trusted(), &acceptor, &[]).await;
    let mut stream = stream.expect("a handshake");
    stream.write_all(b"half").await.expect("written");
    stream.flush().await.expect("sent");
    drop(stream);
    assert_eq!(connection.read(100).await, Ok(b"half".to_vec()));
    let cut = ConnectionError::Egress(EgressError::Closed {
        host: "127.0.0.1".to_owned(),
        unanswered: false,
    });
    assert_eq!(connection.try_read(100).await, Err(cut.clone()));
    assert_eq!(connection.read(100).await, Err(cut));
}

#[tokio::test]
async fn what_came_in_clear_does_not_pass_for_encrypted() {
    let identity = Identity::of("127.0.0.1");
    let (mut connection, mut stream) = pair(Some("server")).await;
    stream.write_all(b"injected").await.expect("written");
    poll_fn(|context| connection.poll_readable(context)).await;
    let plan = identity.trusted();
    assert_eq!(
        connection.start_tls(&plan, "server", &[]).await,
        Err(ConnectionError::BytesBeforeTls)
    );
}

#[tokio::test]
async fn looking_takes_nothing_and_says_which_connection_can_be_read() {
    let (mut quiet, _quiet) = pair(None).await;
    let (mut loud, mut stream) = pair(None).await;
    assert_eq!(loud.try_read(100).await, Ok(None));
    stream.write_all(b"news").await.expect("written");
    poll_fn(|context| loud.poll_readable(context)).await;
    poll_fn(|context| loud.poll_readable(context)).await;
    let other = poll_fn(|context| quiet.poll_readable(context)).now_or_never();
    assert_eq!(other, None);
    assert_eq!(loud.try_read(2).await, Ok(Some(b"ne".to_vec())));
    assert_eq!(loud.read(100).await, Ok(b"ws".to_vec()));
    assert_eq!(loud.try_read(100).await, Ok(None));
}

#[tokio::test]
async fn whoever_stops_waiting_ends_the_connection() {
    let (mut connection, mut stream) = pair(None).await;
    let over = portolan_contract::Failure::new(FailureClass::Timeout, "it took too long");
    connection.fail(over.clone());
    assert_eq!(
        stream.read_u8().await.map_err(|error| error.kind()).err(),
        Some(std::io::ErrorKind::UnexpectedEof)
    );
    assert_eq!(connection.read(1).await, Err(ConnectionError::Failed(over)));
}

#[tokio::test]
async fn nothing_that_came_is_in_the_debug_form() {
    let (mut connection, mut stream) = pair(None).await;
    stream.write_all(b"hunter2").await.expect("written");
    poll_fn(|context| connection.poll_readable(context)).await;
    let shown = format!("{connection:?}");
    let bytes = format!("{:?}", b"hunter2");
    assert!(!shown.contains("hunter2") && !shown.contains(bytes.trim_matches(['[', ']'])));
}
