//! Servers that do what a test says, on loopback.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A server; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    /// On 127.0.0.1; each connection is handed to `serve`.
    pub(crate) async fn start<F, S>(serve: S) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
        S: Fn(TcpStream) -> F + Send + 'static,
    {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), serve).await
    }

    /// At an address of the test's choice.
    pub(crate) async fn at<F, S>(address: SocketAddr, serve: S) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
        S: Fn(TcpStream) -> F + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self {
            address,
            connections,
            accepting,
        }
    }

    /// Answers each request with these bytes and keeps the connection.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |stream| answer_all(stream, Arc::clone(&answer))).await
    }

    /// Speaks TLS, and answers each request with 200 and `hello`.
    pub(crate) async fn encrypted(address: impl Into<IpAddr>, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::at(SocketAddr::new(address.into(), 0), move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let stream = acceptor.accept(stream).await?;
                answer_all(stream, Arc::new(HELLO.to_vec())).await
            }
        })
        .await
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A whole answer.
pub(crate) const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

async fn answer_all(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Arc<Vec<u8>>,
) -> io::Result<()> {
    while read_head(&mut stream).await?.is_some() {
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// The head of a request; none where the client has closed.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// Writes a byte at a time, with pauses, for ever.
pub(crate) async fn drip(stream: &mut TcpStream, byte: &[u8], pause: Duration) -> io::Result<()> {
    loop {
        stream.write_all(byte).await?;
        tokio::time::sleep(pause).await;
    }
}

/// Waits until the client has gone.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// A listener whose queue is full: further connections are not answered at all.
#[expect(
    clippy::disallowed_methods,
    reason = "the test fills a queue of its own"
)]
pub(crate) async fn full() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind((Ipv4Addr::LOCALHOST, 0).into())
        .expect("a port");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let dialled = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(100), dialled).await {
            Ok(stream) => waiting.push(stream.expect("a place in the queue")),
            Err(_) => return (listener, waiting),
        }
    }
    panic!("the queue is never full");
}

/// A port on which nobody listens any more.
pub(crate) async fn closed() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("an address").port()
}
