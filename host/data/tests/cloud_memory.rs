//! How much memory a large object takes on its way: a process of its own, where nothing else takes
//! any, and servers that are other processes, or keep nothing.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "common/cloud.rs"]
mod cloud;
#[path = "common/memory.rs"]
mod memory;

use cloud::{PREFIX, Planned, ways};
use memory::{PART, PARTS, growth};
use portolan_egress::EgressOptions;
use portolan_servers::{AZURITE_ACCOUNT, Authority, Azurite, Nginx, RawServer, ReadWrite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_1_gib_needs_little_memory_to_and_from_nginx_azurite_and_a_script() {
    let authority = Authority::new("of the servers");
    let nginx = Nginx::start(&authority, &["files.example"], &authority);
    let host = "portolantest.blob.core.windows.net";
    let azurite = Azurite::start(&authority, &[host]);
    azurite.make_container("harbour");
    let options = ways(
        &authority.pem(),
        &[
            ("files.example:443", nginx.encrypted()),
            ("portolantest.blob.core.windows.net:443", azurite.address()),
        ],
    );
    let files = Planned {
        backend: "http",
        container: "",
        prefix: PREFIX,
        endpoints: vec![("files.example", 443, true)],
        settings: Vec::new(),
        secrets: Vec::new(),
    };
    let blobs = Planned {
        backend: "azure",
        container: "harbour",
        endpoints: vec![(host, 443, true)],
        settings: vec![("account", AZURITE_ACCOUNT)],
        secrets: vec![("account-key", azurite.key().to_owned())],
        ..files.clone()
    };
    for planned in [files, blobs] {
        check(&planned, options.clone()).await;
    }
    let storage = forgetting(&authority);
    let options = ways(
        &authority.pem(),
        &[("storage.googleapis.com:443", storage.address())],
    );
    let objects = Planned {
        backend: "gs",
        container: "harbour",
        prefix: PREFIX,
        endpoints: vec![("storage.googleapis.com", 443, true)],
        settings: vec![("credentials", "specified")],
        secrets: vec![("bearer-token", "ya29.token".to_owned())],
    };
    check(&objects, options).await;
}

async fn check(planned: &Planned, options: EgressOptions) {
    let grown = growth(planned.store(options)).await;
    assert!(grown < 96, "{}: {grown} MiB more", planned.backend);
}

/// Cloud Storage as far as it takes to move that one object. It is in this process, and keeps nothing
/// of it: the parts are compared with what they must be, and are written anew where they are read.
fn forgetting(authority: &Authority) -> RawServer {
    RawServer::encrypted(authority, &["storage.googleapis.com"], |stream, head| {
        let head = head.to_ascii_lowercase();
        let (line, _) = head.split_once("\r\n").unwrap_or_default();
        let field = |from: &str, name: &str| {
            let (_, rest) = from.split_once(name)?;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse::<usize>().ok()
        };
        let length = field(&head, "\r\ncontent-length: ").unwrap_or(0);
        let part = field(line, "partnumber=").map(|number| (number - 1) as u8);
        let same = read(stream, length, part);
        let object = "etag: \"e\"\r\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let (status, headers, body) = match line {
            _ if !same => ("400 Bad Request", "", ""),
            line if line.starts_with("get ") => {
                let size = PARTS * PART;
                let head = format!("HTTP/1.1 200 OK\r\n{object}content-length: {size}\r\n\r\n");
                let mut written = stream.write_all(head.as_bytes());
                for number in 0..PARTS {
                    let piece = [number as u8; 64 << 10];
                    for _ in 0..PART / piece.len() {
                        written = written.and_then(|()| stream.write_all(&piece));
                    }
                }
                return;
            }
            line if line.contains("?uploads=") => (
                "200 OK",
                "",
                "<InitiateMultipartUploadResult><UploadId>u</UploadId>\
                 </InitiateMultipartUploadResult>",
            ),
            line if line.starts_with("post ") => (
                "200 OK",
                "",
                "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
            ),
            _ => ("200 OK", object, ""),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        let _ = stream.write_all(answer.as_bytes());
    })
}

/// Reads so many bytes, and says whether all came and are those of this part.
fn read(stream: &mut dyn ReadWrite, mut left: usize, part: Option<u8>) -> bool {
    let mut piece = [0; 64 << 10];
    let mut same = true;
    while left > 0 {
        let most = left.min(piece.len());
        match stream.read(&mut piece[..most]) {
            Ok(count) if count > 0 => {
                left -= count;
                same &= part.is_none_or(|part| piece[..count] == [part; 64 << 10][..count]);
            }
            _ => return false,
        }
    }
    same
}
