//! Servers on loopback, for a guest that may dial them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portolan_egress::{Egress, EgressOptions, Policy};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a server does with each of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Reads to the end and sends all of it back.
    Echoes,
    /// Takes what comes and says nothing.
    IsSilent,
    /// Says something first, and then nothing.
    Greets,
    /// Sends without end.
    Floods,
    /// Sends these bytes after each request.
    Answers(&'static str),
    /// Takes a request, and sends the head of an answer byte by byte, for ever.
    Drips,
}

/// A server, and what came to it.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The authority of its certificate, if it speaks TLS.
    pub(crate) authority: Option<String>,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    received: Mutex<Vec<u8>>,
    accepted: AtomicUsize,
    ended: AtomicUsize,
}

impl Server {
    pub(crate) async fn plain(manner: Manner) -> Self {
        Self::start(manner, None).await
    }

    /// A server with a certificate for 127.0.0.1 that speaks `postgresql`.
    pub(crate) async fn encrypted(manner: Manner) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("signed");
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a certificate");
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(manner, Some((acceptor, certificate.pem()))).await
    }

    async fn start(manner: Manner, tls: Option<(TlsAcceptor, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::<Seen>::default();
        let (acceptor, authority) = tls.unzip();
        let seeing = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, acceptor) = (Arc::clone(&seeing), acceptor.clone());
                seen.accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, manner, &seen).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, manner, &seen).await;
                            }
                        }
                    }
                    seen.ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            port,
            authority,
            seen,
        }
    }

    /// The way out for a host whose operator admits this server, and nothing else on loopback.
    pub(crate) fn admitted(&self) -> Egress {
        let rule = format!("127.0.0.1:{}", self.port).parse().expect("a rule");
        Egress::new(EgressOptions {
            policy: Policy::with_rules(vec![rule]),
            ..EgressOptions::default()
        })
    }

    /// All that came, over all connections.
    pub(crate) fn received(&self) -> Vec<u8> {
        self.seen.received.lock().expect("a lock").clone()
    }

    /// Waits until so many connections were accepted.
    pub(crate) async fn has_accepted(&self, connections: usize) {
        until(|| self.seen.accepted.load(Ordering::SeqCst) >= connections).await;
    }

    /// Waits until all connections that were accepted have ended; how many there were.
    pub(crate) async fn all_ended(&self) -> usize {
        let accepted = || self.seen.accepted.load(Ordering::SeqCst);
        until(|| self.seen.ended.load(Ordering::SeqCst) == accepted()).await;
        accepted()
    }
}

async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "it never comes"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Serves a connection to its end. What goes wrong is the guest's doing.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner, seen: &Seen) {
    if manner == Manner::Greets {
        let _ = stream.write_all(b"welcome").await;
    }
    if let Manner::Answers(answer) = manner {
        while take_request(&mut stream, seen).await.is_some() {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        return;
    }
    if manner == Manner::Drips {
        let _ = take_request(&mut stream, seen).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        return;
    }
    if manner == Manner::Floods {
        while stream.write_all(&[b'a'; 64 << 10]).await.is_ok() {}
        return;
    }
    let mut came = Vec::new();
    let _ = stream.read_to_end(&mut came).await;
    seen.received.lock().expect("a lock").extend(&came);
    if manner == Manner::Echoes {
        let _ = stream.write_all(&came).await;
        let _ = stream.shutdown().await;
    }
}

/// Takes one request with its body; none at the end of the connection.
async fn take_request(stream: &mut (impl AsyncRead + Unpin), seen: &Seen) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let start = request.len();
    request.resize(start + length.unwrap_or(0), 0);
    stream.read_exact(&mut request[start..]).await.ok()?;
    seen.received.lock().expect("a lock").extend(&request);
    Some(())
}
