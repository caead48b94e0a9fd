//! Servers that are slow, lie, break off or do not end, as every service behind a network meets them.
//!
//! A service says how its requests get to such a server; [`hostile_servers!`] makes the tests, the same
//! for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_contract::{Failure, FailureClass};
use portolan_servers::{RawServer, ReadWrite};

use super::cloud::expect;

/// What a server does with a connection, after the head of a request.
pub(crate) type Script = Box<dyn Fn(&mut dyn ReadWrite, &str) + Send + Sync>;

/// A service, as far as these tests go.
pub(crate) struct Service {
    /// Starts a server that does what a script says, and a store over it. The server may be silent for
    /// 2 s.
    pub(crate) start: fn(Script) -> (RawServer, Arc<dyn ObjectStore>),
    /// The host that the store believes to speak to, and its port.
    pub(crate) host: &'static str,
    pub(crate) port: u16,
    /// What an answer with an object needs in its head, beside its length.
    pub(crate) head: &'static str,
    /// The status of a list, how it begins, and what it may have any number of.
    pub(crate) list: [&'static str; 3],
    /// What is told of a refusal whose body is no word of the service.
    pub(crate) refusal: &'static str,
    /// The failure of an operation, after looking for what must not be in it.
    pub(crate) failure: fn(&Error) -> Failure,
}

impl Service {
    fn start(
        &self,
        script: impl Fn(&mut dyn ReadWrite, &str) + Send + Sync + 'static,
    ) -> (RawServer, Arc<dyn ObjectStore>) {
        (self.start)(Box::new(script))
    }

    /// The head of an answer with this many bytes of an object.
    fn head(&self, status: &str, length: usize) -> String {
        let head = self.head;
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{head}\r\n")
    }

    fn expect(&self, error: &Error, [sqlstate, message, hint]: [&str; 3]) {
        let message = format!("{}{message}", self.host);
        expect(&(self.failure)(error), sqlstate, &message, hint);
    }
}

const SILENT: [&str; 3] = [
    "57014",
    " did not answer within 2 s",
    "see whether the server is slow or overloaded, and try again",
];

const BROKEN: [&str; 3] = [
    "08P01",
    " closed the connection before its answer was complete",
    "try again; if it stays so, look at the server's log",
];

fn object() -> Path {
    Path::from("objects/one")
}

/// Until the client has gone, or the test is over.
fn keep_silent(stream: &mut dyn ReadWrite) {
    let _ = stream.flush();
    while stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
}

pub(crate) async fn a_server_that_answers_nothing_is_left_after_a_while(service: &Service) {
    let (_server, store) = service.start(|stream, _| keep_silent(stream));
    let began = Instant::now();
    let error = store.head(&object()).await.expect_err("silence");
    service.expect(&error, SILENT);
    assert!(began.elapsed() < Duration::from_secs(20));
}

pub(crate) async fn a_server_that_ends_its_half_of_the_connection_is_no_silent_one(
    service: &Service,
) {
    let head = service.head("200 OK", 1_000_000);
    // Before a word, and in the middle of an object.
    for said in [String::new(), head + "beginning"] {
        let is_answered = !said.is_empty();
        let (_server, store) = service.start(move |stream, _| {
            let _ = stream.write_all(said.as_bytes());
            stream.end_writing();
            keep_silent(stream);
        });
        let began = Instant::now();
        let got = store.get(&object()).await;
        let error = match is_answered {
            true => got.expect("a head").bytes().await.map(drop),
            false => got.map(drop),
        };
        service.expect(&error.expect_err("a half"), BROKEN);
        // It is asked four times, and waited for in between.
        assert!(began.elapsed() < Duration::from_secs(8));
    }
}

pub(crate) async fn an_object_that_is_shorter_than_announced_is_an_error(service: &Service) {
    let head = service.head("200 OK", 1_000_000);
    let (server, store) = service.start(move |stream, _| {
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&[b'x'; 1000]);
    });
    let got = store.get(&object()).await.expect("a head");
    service.expect(&got.bytes().await.expect_err("not the whole"), BROKEN);
    assert!(server.taken() >= 2, "the rest was asked for");
}

/// A server of whose object the connection breaks off after 300,000 bytes of a million; the rest is
/// that of an object with this tag.
fn breaking(service: &Service, tag: &'static str) -> (RawServer, Arc<dyn ObjectStore>) {
    let whole = service.head("200 OK", 1_000_000);
    let rest = "206 Partial Content\r\nContent-Range: bytes 300000-999999/1000000";
    let rest = service.head(rest, 700_000).replace("\"e\"", tag);
    service.start(move |stream, asked| {
        let asked = asked.to_ascii_lowercase();
        let again = asked.contains("range: bytes=300000-999999\r\n")
            && asked.contains("if-match: \"e\"\r\n");
        let _ = match again {
            true => {
                let _ = stream.write_all(rest.as_bytes());
                stream.write_all(&[b'b'; 700_000])
            }
            false => {
                let _ = stream.write_all(whole.as_bytes());
                stream.write_all(&[b'a'; 300_000])
            }
        };
    })
}

pub(crate) async fn a_download_that_breaks_off_goes_on_where_it_was(service: &Service) {
    let (server, store) = breaking(service, "\"e\"");
    let got = store.get(&object()).await.expect("get").bytes().await;
    let got = got.expect("the whole");
    assert!(got == [vec![b'a'; 300_000], vec![b'b'; 700_000]].concat());
    assert_eq!(server.taken(), 2);
}

/// It does not heed the condition, and tells of another object.
pub(crate) async fn an_object_that_changed_meanwhile_does_not_go_on(service: &Service) {
    let (_server, store) = breaking(service, "\"f\"");
    let got = store.get(&object()).await.expect("get");
    service.expect(&got.bytes().await.expect_err("another object"), BROKEN);
}

pub(crate) async fn an_object_that_stops_in_the_middle_is_left_after_a_while(service: &Service) {
    let head = service.head("200 OK", 1_000_000);
    let (_server, store) = service.start(move |stream, _| {
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(b"beginning");
        keep_silent(stream);
    });
    let got = store.get(&object()).await.expect("a head");
    let failure = (service.failure)(&got.bytes().await.expect_err("silence"));
    assert_eq!(failure.class, FailureClass::Timeout);
}

pub(crate) async fn an_object_of_which_a_byte_comes_now_and_then_is_left_after_a_while(
    service: &Service,
) {
    let head = service.head("200 OK", 1_000_000);
    let (_server, store) = service.start(move |stream, _| {
        let mut written = stream.write_all(head.as_bytes());
        while written.is_ok() {
            std::thread::sleep(Duration::from_millis(100));
            written = stream.write_all(b"x").and_then(|()| stream.flush());
        }
    });
    let got = store.get(&object()).await.expect("a head");
    service.expect(&got.bytes().await.expect_err("next to nothing"), SILENT);
}

pub(crate) async fn more_than_was_announced_is_no_part_of_the_object(service: &Service) {
    let head = service.head("200 OK", 4);
    let (_server, store) = service.start(move |stream, _| {
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(b"want and more");
    });
    let got = store.get(&object()).await.expect("a head").bytes().await;
    assert_eq!(got.expect("bytes"), "want");
}

pub(crate) async fn a_server_that_dies_while_it_is_sent_an_object_is_told(service: &Service) {
    let (_server, store) = service.start(|_, _| {});
    let error = store.put(&object(), vec![1; 20 << 20].into()).await;
    service.expect(&error.expect_err("dead"), BROKEN);
}

pub(crate) async fn a_list_that_does_not_end_is_cut_off(service: &Service) {
    let [status, begin, entry] = service.list;
    let head = format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (begin, entries) = (head + &chunk(begin), chunk(&entry.repeat(2000)));
    let (_server, store) = service.start(move |stream, _| {
        let mut written = stream.write_all(begin.as_bytes());
        while written.is_ok() {
            written = stream.write_all(entries.as_bytes());
        }
    });
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    let large = [
        "53200",
        " sent an answer of more than 33554432 bytes",
        "check that the server is the one that is meant",
    ];
    service.expect(&listed.expect_err("endless"), large);
}

pub(crate) async fn a_list_that_breaks_off_is_an_error_and_no_shorter_list(service: &Service) {
    let [status, begin, entry] = service.list;
    let page = format!("HTTP/1.1 {status}\r\nContent-Length: 10000\r\n\r\n{begin}{entry}");
    let (server, store) = service.start(move |stream, _| {
        let _ = stream.write_all(page.as_bytes());
    });
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    service.expect(&listed.expect_err("a part"), BROKEN);
    assert_eq!(server.taken(), 4, "a list is asked for again");
}

pub(crate) async fn a_refusal_that_does_not_end_is_read_so_far_and_no_further(service: &Service) {
    let sent: Arc<AtomicUsize> = Arc::default();
    let counted = Arc::clone(&sent);
    let (_server, store) = service.start(move |stream, _| {
        let head = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = format!("400\r\n{}\r\n", "<".repeat(0x400));
        let mut written = stream.write_all(head);
        while written.is_ok() {
            written = stream.write_all(chunk.as_bytes());
            counted.fetch_add(chunk.len(), Ordering::Relaxed);
        }
    });
    let began = Instant::now();
    let failure = (service.failure)(&store.get(&object()).await.expect_err("refused"));
    assert_eq!(failure.message, service.refusal);
    assert!(began.elapsed() < Duration::from_secs(20));
    // Beyond what is read, sockets hold some of it.
    assert!(sent.load(Ordering::Relaxed) < 16 << 20);
}

pub(crate) async fn a_server_that_is_gone_refuses_the_connection(service: &Service) {
    let (server, store) = service.start(|_, _| {});
    drop(server);
    let gone = [
        "08001",
        &format!(":{} refused the connection", service.port),
        "check the port, and that the server is running",
    ];
    service.expect(&store.head(&object()).await.expect_err("nobody"), gone);
}

/// A test of each of these servers for a service.
macro_rules! hostile_servers {
    ($service:path) => {
        hostile_servers!($service:
            a_server_that_answers_nothing_is_left_after_a_while,
            a_server_that_ends_its_half_of_the_connection_is_no_silent_one,
            an_object_that_is_shorter_than_announced_is_an_error,
            a_download_that_breaks_off_goes_on_where_it_was,
            an_object_that_changed_meanwhile_does_not_go_on,
            an_object_that_stops_in_the_middle_is_left_after_a_while,
            an_object_of_which_a_byte_comes_now_and_then_is_left_after_a_while,
            more_than_was_announced_is_no_part_of_the_object,
            a_server_that_dies_while_it_is_sent_an_object_is_told,
            a_list_that_does_not_end_is_cut_off,
            a_list_that_breaks_off_is_an_error_and_no_shorter_list,
            a_refusal_that_does_not_end_is_read_so_far_and_no_further,
            a_server_that_is_gone_refuses_the_connection,
        );
    };
    ($service:path: $($name:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                crate::hostile::$name(&$service).await;
            }
        )*
    };
}
pub(crate) use hostile_servers;
