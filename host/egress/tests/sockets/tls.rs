//! TLS: what is checked of a server, and what is shown to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portolan_contract::{FailureClass, TlsVerification};
use portolan_egress::http::EndpointClient;
use portolan_egress::tls::{ProfileError, ProfilePart, TlsFault, TlsProfile, TrustRoots};
use portolan_egress::{Egress, EgressError, EgressOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::authority::{Authority, Identity, NOW, Years};
use crate::server::{HELLO, Server, until_closed};
use crate::support::{
    Profile, SHORT, assert_discreet, assert_failure, failure_of, fetch, host, options, plan,
    policy, request,
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A host that trusts nobody but, where given, this authority.
fn egress(extra: Option<&Authority>) -> Egress {
    let mut roots = TrustRoots::nobody();
    if let Some(authority) = extra {
        roots = roots.with_pem(authority.pem.as_bytes()).expect("PEM");
    }
    Egress::new(EgressOptions {
        roots,
        policy: policy(&["server.test", "127.0.0.1", "[::1]"]),
        // A handshake takes its time where tests share a processor.
        tls_timeout: SHORT * 10,
        silence_timeout: SHORT * 10,
        ..options()
    })
}

async fn ask(
    egress: &Egress,
    host: &str,
    port: u16,
    profile: Profile,
) -> Result<String, EgressError> {
    let client = EndpointClient::new(egress, &plan(host, port, Some(profile)))?;
    let shown = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let (_, body) = fetch(&client, &format!("https://{shown}:{port}")).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn verifying(verify: TlsVerification) -> Profile {
    Profile {
        verify: Some(verify),
        ..Profile::default()
    }
}

async fn server(identity: &Identity, version: &'static SupportedProtocolVersion) -> Server {
    Server::encrypted(LOOPBACK, Authority::server(identity, version, None)).await
}

/// What each of the three checks says of a server with this certificate.
async fn verdicts(
    trusted: bool,
    name: &str,
    years: Years,
    version: &'static SupportedProtocolVersion,
) -> [Option<TlsFault>; 3] {
    let authority = Authority::new();
    let server = server(&authority.identity(name, years), version).await;
    let egress = egress(trusted.then_some(&authority));
    let mut verdicts = [None; 3];
    let checks = [
        TlsVerification::Full,
        TlsVerification::AuthorityOnly,
        TlsVerification::None,
    ];
    for (verdict, verify) in verdicts.iter_mut().zip(checks) {
        match ask(&egress, "server.test", server.port(), verifying(verify)).await {
            Ok(body) => assert_eq!(body, "hello"),
            Err(EgressError::Tls { fault, sent, .. }) => {
                assert!(!sent);
                *verdict = Some(fault);
            }
            Err(error) => panic!("{error}"),
        }
    }
    verdicts
}

#[tokio::test]
async fn the_three_checks_are_what_the_table_says_in_both_versions() {
    use TlsFault::{Expired, NameMismatch, NotYetValid, UnknownAuthority};
    for version in VERSIONS {
        for (trusted, name, years, expected) in [
            (true, "server.test", NOW, [None; 3]),
            (true, "other.test", NOW, [Some(NameMismatch), None, None]),
            (
                false,
                "server.test",
                NOW,
                [Some(UnknownAuthority), Some(UnknownAuthority), None],
            ),
            (
                true,
                "server.test",
                (2019, 2020),
                [Some(Expired), Some(Expired), None],
            ),
            (
                true,
                "server.test",
                (2120, 2121),
                [Some(NotYetValid), Some(NotYetValid), None],
            ),
            (
                true,
                "other.test",
                (2019, 2020),
                [Some(Expired), Some(Expired), None],
            ),
        ] {
            let verdicts = verdicts(trusted, name, years, version).await;
            assert_eq!(verdicts, expected, "{trusted} {name} {years:?}");
        }
    }
}

/// Asks `server.test` with this profile; it has to fail.
async fn fault(egress: &Egress, server: &Server, profile: Profile) -> EgressError {
    ask(egress, "server.test", server.port(), profile)
        .await
        .expect_err("a fault")
}

#[track_caller]
fn assert_fault(
    error: &EgressError,
    server: &Server,
    fault: TlsFault,
    sent: bool,
    class: FailureClass,
    (text, hint): (&str, &str),
) {
    let port = server.port();
    let expected = EgressError::Tls {
        host: host(),
        port,
        fault,
        sent,
    };
    let text = format!("server.test:{port}: {text}");
    assert_failure(error, &expected, class, &text, hint);
    assert_eq!(error.is_unsent(), !sent);
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_told_with_its_remedy() {
    let authority = Authority::new();
    let trusting = egress(Some(&authority));
    for (egress, name, years, fault_, words) in [
        (
            &egress(None),
            "server.test",
            NOW,
            TlsFault::UnknownAuthority,
            (
                "the server's certificate comes from an authority that is not trusted",
                "give the connection the certificate of the server's own authority, or add it to \
                 [tls] extra_ca; if the authority should be known, look for a proxy that breaks \
                 TLS",
            ),
        ),
        (
            &trusting,
            "other.test",
            NOW,
            TlsFault::NameMismatch,
            (
                "the server's certificate is for another name",
                "write the host as the server's certificate names it, or have the certificate \
                 issued for this name",
            ),
        ),
        (
            &trusting,
            "server.test",
            (2019, 2020),
            TlsFault::Expired,
            (
                "the server's certificate has expired",
                "have the server's certificate renewed, and check this host's clock",
            ),
        ),
        (
            &trusting,
            "server.test",
            (2120, 2121),
            TlsFault::NotYetValid,
            (
                "the server's certificate is not valid yet",
                "check this host's clock, and that of the certificate's issuer",
            ),
        ),
    ] {
        let server = server(&authority.identity(name, years), &TLS13).await;
        let error = fault(egress, &server, Profile::default()).await;
        assert_fault(
            &error,
            &server,
            fault_,
            false,
            FailureClass::Unreachable,
            words,
        );
    }
}

#[tokio::test]
async fn an_authority_in_the_profile_is_trusted_instead_of_the_host_s() {
    let (own, other) = (Authority::named("The house"), Authority::new());
    let server = server(&own.identity("server.test", NOW), &TLS13).await;
    let with = |authority: &Authority| Profile {
        authority: Some(authority.pem.clone()),
        ..Profile::default()
    };
    assert_eq!(
        ask(&egress(None), "server.test", server.port(), with(&own)).await,
        Ok("hello".to_owned())
    );
    // The host would trust it; the connection does not. Nor where the other one has the same name:
    // an authority that was made anew.
    let namesake = Authority::named("The house").identity("server.test", NOW);
    let anew = Server::encrypted(LOOPBACK, Authority::server(&namesake, &TLS13, None)).await;
    for (server, authority) in [(&server, &other), (&anew, &own)] {
        let error = fault(&egress(Some(&own)), server, with(authority)).await;
        assert!(
            matches!(
                error,
                EgressError::Tls {
                    fault: TlsFault::UnknownAuthority,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_address_is_checked_against_the_addresses_of_the_certificate() {
    let authority = Authority::new();
    let egress = egress(Some(&authority));
    for (address, bound) in [
        ("127.0.0.1", LOOPBACK),
        ("::1", IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ] {
        for (name, expected) in [
            (address, None),
            ("server.test", Some(TlsFault::NameMismatch)),
        ] {
            let config = Authority::server(&authority.identity(name, NOW), &TLS13, None);
            let server = Server::encrypted(bound, config).await;
            let asked = ask(&egress, address, server.port(), Profile::default()).await;
            match (asked, expected) {
                (Ok(body), None) => assert_eq!(body, "hello"),
                (Err(EgressError::Tls { host, fault, .. }), Some(expected)) => {
                    assert_eq!(fault, expected);
                    assert!(host == "127.0.0.1" || host == "[::1]", "{host}");
                }
                (asked, _) => panic!("{address} as {name}: {asked:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_client_certificate_gets_it_or_refuses() {
    let (authority, foreign) = (Authority::named("The house"), Authority::new());
    let namesake = Authority::named("The house");
    let identity = authority.identity("server.test", NOW);
    let egress = egress(Some(&authority));
    let showing = |authority: &Authority| {
        let client = authority.identity("client.test", NOW);
        Profile {
            certificate: Some(client.certificate),
            key: Some(client.key),
            ..Profile::default()
        }
    };
    for version in VERSIONS {
        let config = Authority::server(&identity, version, Some(&authority));
        let server = Server::encrypted(LOOPBACK, config).await;
        assert_eq!(
            ask(&egress, "server.test", server.port(), showing(&authority)).await,
            Ok("hello".to_owned())
        );
        // In version 1.3 the client has ended its handshake, and sent its request, when it hears.
        let sent = std::ptr::eq(version, &TLS13);
        let error = fault(&egress, &server, Profile::default()).await;
        assert_fault(
            &error,
            &server,
            TlsFault::ClientCertificateRequired,
            sent,
            FailureClass::RefusedCredentials,
            (
                "the server asks for a client certificate",
                "give the connection a client certificate and its key",
            ),
        );
        let error = fault(&egress, &server, showing(&foreign)).await;
        let words = (
            "the server refused the client certificate",
            "give the connection a client certificate that the server's authority has issued and \
             that is still valid",
        );
        let refused = TlsFault::ClientCertificateRefused;
        let class = FailureClass::RefusedCredentials;
        assert_fault(&error, &server, refused, sent, class, words);
        let error = fault(&egress, &server, showing(&namesake)).await;
        assert_fault(
            &error,
            &server,
            refused,
            sent,
            FailureClass::RefusedCredentials,
            words,
        );
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_is_refused_before_anything_is_dialled() {
    let authority = Authority::new();
    let server = server(&authority.identity("server.test", NOW), &TLS13).await;
    let (one, two) = (
        authority.identity("client.test", NOW),
        authority.identity("client.test", NOW),
    );
    let pem = |text: &str| Some(text.to_owned());
    let broken = "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n";
    for (authority, certificate, key, expected) in [
        (
            pem("no PEM"),
            None,
            None,
            ProfileError::Unreadable(ProfilePart::Authority),
        ),
        (
            pem(broken),
            None,
            None,
            ProfileError::Unreadable(ProfilePart::Authority),
        ),
        (
            pem(&one.key),
            None,
            None,
            ProfileError::Unreadable(ProfilePart::Authority),
        ),
        (
            None,
            pem(&one.certificate),
            None,
            ProfileError::Half(ProfilePart::ClientCertificate),
        ),
        (
            None,
            None,
            pem(&one.key),
            ProfileError::Half(ProfilePart::ClientKey),
        ),
        (
            None,
            pem(&one.certificate),
            pem(&two.key),
            ProfileError::Mismatch,
        ),
        (
            None,
            pem("no PEM"),
            pem(&one.key),
            ProfileError::Unreadable(ProfilePart::ClientCertificate),
        ),
        (
            None,
            pem(&one.certificate),
            pem("hunter2"),
            ProfileError::Unreadable(ProfilePart::ClientKey),
        ),
    ] {
        let error = fault(
            &egress(None),
            &server,
            Profile {
                authority,
                certificate,
                key,
                ..Profile::default()
            },
        )
        .await;
        assert_eq!(error, EgressError::Profile(expected));
        assert_eq!(error.class(), FailureClass::InvalidUri);
        assert_discreet(&error);
    }
    assert_eq!(server.connections(), 0);
}

/// A server on `server.test` that does this with each connection, asked over TLS.
async fn odd_server<F>(serve: fn(tokio::net::TcpStream) -> F) -> (Server, EgressError)
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let server = Server::start(serve).await;
    let egress = Egress::new(options());
    let error = fault(&egress, &server, Profile::default()).await;
    (server, error)
}

#[tokio::test]
async fn what_answers_in_plain_on_a_tls_port_does_not_speak_tls() {
    for greeting in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "220 ready\r\n",
    ] {
        let server = Server::start(move |mut stream| async move {
            stream.write_all(greeting.as_bytes()).await?;
            until_closed(&mut stream).await
        })
        .await;
        let error = fault(&Egress::new(options()), &server, Profile::default()).await;
        assert_fault(
            &error,
            &server,
            TlsFault::NotTls,
            false,
            FailureClass::Protocol,
            (
                "what answers there does not speak TLS",
                "check the port, or use the scheme without TLS",
            ),
        );
    }
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_told() {
    let authority = Authority::new();
    let server = server(&authority.identity("server.test", NOW), &TLS13).await;
    let error = failure_of(server.port()).await;
    assert_failure(
        &error,
        &EgressError::Protocol { host: host() },
        FailureClass::Protocol,
        "server.test does not answer in HTTP as this host reads it",
        "check the scheme and port: another service, or TLS where none was expected, may answer \
         there",
    );
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends() {
    let (server, error) =
        odd_server(|mut stream| async move { until_closed(&mut stream).await }).await;
    let words = (
        "the TLS handshake did not end within 500 ms",
        "see whether the server is slow or overloaded, and try again",
    );
    assert_fault(
        &error,
        &server,
        TlsFault::Slow(SHORT),
        false,
        FailureClass::Timeout,
        words,
    );
    // Nor does one that goes on for ever: a record of 16 KiB, a byte at a time.
    let (server, error) = odd_server(|mut stream| async move {
        stream.write_all(&[22, 3, 3, 0x40, 0]).await?;
        crate::server::drip(&mut stream, &[2], SHORT / 10).await
    })
    .await;
    assert_fault(
        &error,
        &server,
        TlsFault::Slow(SHORT),
        false,
        FailureClass::Timeout,
        words,
    );
}

#[tokio::test]
async fn a_handshake_that_the_server_ends_is_told_by_how_it_ends_it() {
    let look = "check the port, and look at the server's log for the reason";
    let (server, error) = odd_server(|mut stream| async move {
        let mut hello = [0; 16];
        stream.read_exact(&mut hello).await?;
        stream.shutdown().await?;
        until_closed(&mut stream).await
    })
    .await;
    assert_fault(
        &error,
        &server,
        TlsFault::Closed,
        false,
        FailureClass::Protocol,
        (
            "the server closed the connection during the TLS handshake",
            look,
        ),
    );
    // Alerts: handshake failure, protocol version, internal error.
    for (alert, fault_, words) in [
        (
            40,
            TlsFault::NothingInCommon,
            (
                "the server speaks no version of TLS that this host speaks",
                "have the server speak TLS 1.2 or 1.3",
            ),
        ),
        (
            70,
            TlsFault::NothingInCommon,
            (
                "the server speaks no version of TLS that this host speaks",
                "have the server speak TLS 1.2 or 1.3",
            ),
        ),
        (80, TlsFault::Protocol, ("the TLS handshake failed", look)),
    ] {
        let server = Server::start(move |mut stream| async move {
            stream.write_all(&[21, 3, 3, 0, 2, 2, alert]).await?;
            until_closed(&mut stream).await
        })
        .await;
        let error = fault(&Egress::new(options()), &server, Profile::default()).await;
        assert_fault(
            &error,
            &server,
            fault_,
            false,
            FailureClass::Protocol,
            words,
        );
    }
}

#[tokio::test]
async fn connections_of_one_profile_are_shared_and_those_of_another_are_not() {
    let authority = Authority::new();
    let server = server(&authority.identity("server.test", NOW), &TLS13).await;
    let egress = egress(Some(&authority));
    let port = server.port();
    for _ in 0..3 {
        ask(&egress, "server.test", port, Profile::default())
            .await
            .expect("an answer");
    }
    assert_eq!(server.connections(), 1);
    // What was checked less is not used where more is asked, nor the other way round.
    ask(
        &egress,
        "server.test",
        port,
        verifying(TlsVerification::None),
    )
    .await
    .expect("an answer");
    assert_eq!(server.connections(), 2);
    ask(&egress, "server.test", port, Profile::default())
        .await
        .expect("an answer");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_stream_of_the_guard_is_upgraded_with_what_is_offered() {
    let authority = Authority::new();
    let mut config = Authority::server(&authority.identity("server.test", NOW), &TLS13, None);
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let server = Server::encrypted(LOOPBACK, config).await;
    let egress = egress(Some(&authority));
    let port = server.port();
    let dialled = async || {
        let resolved = egress.resolve("server.test", port).await.expect("allowed");
        egress.connect(&resolved).await.expect("a connection")
    };
    let offer = ["postgresql".to_owned()];
    let full = TlsProfile::full();
    let mut stream = egress
        .start_tls(dialled().await, "server.test", port, &full, &offer)
        .await
        .expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"postgresql"[..]));
    stream
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = vec![0; HELLO.len()];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, HELLO);
    for unwritable in [String::new(), "x".repeat(256)] {
        let error = egress
            .start_tls(dialled().await, "server.test", port, &full, &[unwritable])
            .await
            .expect_err("no name");
        assert_fault(
            &error,
            &server,
            TlsFault::NoProtocolName,
            false,
            FailureClass::Protocol,
            (
                "a protocol that was to be offered has no name of 1 to 255 bytes",
                "tell the author of the provider",
            ),
        );
    }
}

#[tokio::test]
async fn http_is_never_spoken_where_tls_is_planned_nor_the_other_way_round() {
    let server = Server::answering(HELLO).await;
    let egress = Egress::new(options());
    let port = server.port();
    let encrypted = EndpointClient::new(
        &egress,
        &plan("server.test", port, Some(Profile::default())),
    )
    .expect("a client");
    let plain = EndpointClient::new(&egress, &plan("server.test", port, None)).expect("a client");
    for (client, scheme) in [(&encrypted, "http"), (&plain, "https")] {
        let request = request(&format!("{scheme}://server.test:{port}"));
        let error = client.send(request).await.expect_err("not planned");
        assert_eq!(error, EgressError::NotPlanned { host: host(), port });
    }
    assert_eq!(server.connections(), 0);
}
