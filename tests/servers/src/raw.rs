//! A server that writes what it is told to, whether it is HTTP or not.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use crate::Authority;
use crate::child::listen;
use crate::http_server::config;

/// Both ways of a connection.
pub trait ReadWrite: Read + Write {
    /// Ends this half of it: nothing more is written, what comes may still be read.
    fn end_writing(&mut self);
}

impl ReadWrite for TcpStream {
    fn end_writing(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl ReadWrite for StreamOwned<ServerConnection, TcpStream> {
    fn end_writing(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
        let _ = self.sock.shutdown(Shutdown::Write);
    }
}

/// Takes connections one after the other and hands each to a function, after the head of a request
/// was read from it.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Starts one; `script` gets the connection and the head that came, and closes the connection by
    /// returning.
    pub fn start(script: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Self {
        Self::taking(move |mut stream| {
            let head = head(&mut stream);
            script(&mut stream, &head);
        })
    }

    /// The same with TLS, and a certificate of `authority` for these names.
    pub fn encrypted(
        authority: &Authority,
        names: &[&str],
        script: impl Fn(&mut dyn ReadWrite, &str) + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config(&authority.issue(names)));
        Self::taking(move |stream| {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(session, stream);
            let head = head(&mut stream);
            script(&mut stream, &head);
        })
    }

    pub(crate) fn taking(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket");
        let (taken, over) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let serve = Arc::new(serve);
        let (counted, end) = (Arc::clone(&taken), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let Ok((stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                };
                counted.fetch_add(1, Ordering::Relaxed);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    let _ = stream.set_nonblocking(false);
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                    serve(stream);
                });
            }
        });
        Self {
            address,
            taken,
            over,
            thread: Some(thread),
        }
    }

    /// Writes these bytes after each request's head, and closes the connection.
    pub fn writing(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |stream, _| {
            let _ = stream.write_all(&bytes);
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}
