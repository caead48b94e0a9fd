//! What a named connection to S3 costs: opening it, moving objects through it, and a thousand of
//! them at once.
//!
//! The server is `s3s` with `s3s-fs` on loopback, in a process of its own: this program, started
//! again. Objects are moved in turns through `external://` and by `object_store` called directly,
//! over a client of hyper's that guards nothing; both in plain HTTP, so that what differs is the
//! house and not the cipher. Files lie in the system's temporary directory (`TMPDIR` chooses
//! another).
//!
//! Both send the same requests, or the figures would compare requests. A connection gives S3 the
//! SHA-256 of what it puts as a checksum, unless its URI says not to, so the direct client is told to
//! do the same: neither hashes more for it, because the signature needs that hash and the two share
//! it, but the server checks a checksum that it is given, which in this server is a second pass over
//! the content. Nor can either send while it hashes: the hash is in the head of the request, which
//! goes before the body. Beyond that the direct client has what a connection has as well, at the
//! least cost: one client of hyper's with a pool of connections, without Nagle's delay, over the same
//! runtime; and it has none of what is ours: no dial guard, no gate, no time limits, no errors read
//! and typed, no retries but `object_store`'s own.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, its figures are its output, and it starts its server"
)]

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as PlainConnector;
use hyper_util::rt::TokioExecutor;
use object_store::aws::{AmazonS3Builder, Checksum};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt};
use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{ConnectTo, EgressOptions, Host, Operation, Policy, Principal, Session, TrustRoots};
use portolan_contract::{
    Endpoint, Kind, ObjectStorePlan, PLAN_FORMAT, Plan, PlanEntry, RuleContext, StoredPlan,
    TlsProfile, TlsVerification,
};
use portolan_data::Backends;
use portolan_egress::Egress;
use portolan_figures::{Figure, Quantity, median, median_ratio};
use portolan_secret::SecretBytes;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use portolan_servers::s3::{self as front, BUCKET, Front, KEY, REGION, SECRET};

const MIB: usize = 1 << 20;

/// The size of the object that is moved.
const SIZE: usize = 64 * MIB;

/// How many objects are listed.
const LISTED: usize = 1_000;

/// How often each way is gone.
const ROUNDS: usize = 9;

/// How many connections are open at once, and how many TLS profiles they have between them.
const CONNECTIONS: usize = 1_000;
const PROFILES: usize = 10;

/// How often a connection is opened in one measurement.
const OPENINGS: u32 = 1_000;

/// Tells this program that it is the server.
const SERVER: &str = "PORTOLAN_BENCH_S3_SERVER";

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    if std::env::var_os(SERVER).is_some() {
        return runtime.block_on(serve());
    }
    let server = Server::start();
    let directory = tempfile::tempdir().expect("a directory");
    let session = session(&runtime, &directory, &server);
    opening(&runtime, &session);
    transfers(&runtime, &session, &server);
    growth(&runtime, &server);
}

/// Serves the bucket in plain HTTP, and every bucket `bucket-N` over TLS, until standard input ends.
async fn serve() {
    let names = [format!("*.s3.{REGION}.amazonaws.com")];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let encrypted = front::start_as(&names, Front::open()).await;
    for number in 0..CONNECTIONS {
        let bucket = encrypted.root.path().join(bucket_of(number));
        std::fs::create_dir(bucket).expect("a bucket");
    }
    let root = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
    let mut builder = s3s::service::S3ServiceBuilder::new(
        s3s_fs::FileSystem::new(root.path()).expect("a file system"),
    );
    builder.set_auth(s3s::auth::SimpleAuth::from_single(KEY, SECRET));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let plain = listener.local_addr().expect("an address");
    println!("{plain}\n{}\n{}", encrypted.address, encrypted.authority);
    // The end of the text.
    println!(".");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service.clone();
            tokio::spawn(front::serve(stream, move |request| {
                let service = service.clone();
                async move {
                    let request = request.map(s3s::Body::from);
                    let answer = service.call(request).await.expect("an answer");
                    Ok::<_, Infallible>(
                        answer.map(|body| front::Body::new(BodyExt::map_err(body, Into::into))),
                    )
                }
            }));
        }
    });
    let ended = tokio::task::spawn_blocking(|| {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest)
    });
    let _ = ended.await;
}

/// The server's process, and where it listens.
struct Server {
    process: Child,
    plain: String,
    encrypted: String,
    authority: String,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .env(SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let told = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let told: Vec<String> = told
            .map(|line| line.expect("text"))
            .take_while(|line| line != ".")
            .collect();
        Self {
            process,
            plain: told[0].clone(),
            encrypted: told[1].clone(),
            authority: told[2..].join("\n"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A session of a host with the connection `bucket`.
fn session(runtime: &Runtime, directory: &TempDir, server: &Server) -> Session {
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: directory.path().join("catalog.sqlite"),
        key: KeySource::File(directory.path().join("master.key")),
    })
    .expect("a catalog");
    let rule = server.plain.parse().expect("a rule");
    let host = Host::builder()
        .catalog(CatalogHandle::new(
            Arc::new(catalog),
            runtime.handle().clone(),
        ))
        .runtime(runtime.handle().clone())
        .policy(Policy::with_rules(vec![rule]))
        .build();
    let host = runtime.block_on(host).expect("a host");
    let session = host.session(Principal::new("root"));
    let secret: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let create = format!(
        "CREATE EXTERNAL CONNECTION bucket AS 's3://{BUCKET}?AWS_ENDPOINT=http://{}&\
         AWS_ACCESS_KEY_ID={KEY}&AWS_SECRET_ACCESS_KEY={secret}'",
        server.plain
    );
    runtime
        .block_on(session.execute(&create, &[]))
        .expect("made");
    session
}

async fn open(session: &Session) -> Arc<dyn ObjectStore> {
    let opened = session.open("external://bucket", Operation::Backup).await;
    let storage = opened.expect("opened").into_storage().expect("a store");
    storage.object_store()
}

fn opening(runtime: &Runtime, session: &Session) {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let began = Instant::now();
            runtime.block_on(async {
                for _ in 0..OPENINGS {
                    std::hint::black_box(open(session).await);
                }
            });
            began.elapsed() / OPENINGS
        })
        .collect();
    let most = Duration::from_micros(30);
    let median = median(&mut times);
    println!(
        "{}",
        Figure::new("opening a known connection to S3", median, most)
    );
}

/// A client that guards nothing.
#[derive(Debug, Clone)]
struct Unguarded(Client<PlainConnector, HttpRequestBody>);

impl HttpConnector for Unguarded {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Unguarded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let failed = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let answer = self.0.request(request).await.map_err(failed)?;
        Ok(answer.map(|body| {
            let body = BodyExt::map_err(body, |error| {
                HttpError::new(HttpErrorKind::Interrupted, error)
            });
            HttpResponseBody::new(body)
        }))
    }
}

fn direct(server: &Server) -> Arc<dyn ObjectStore> {
    let mut connector = PlainConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let store = AmazonS3Builder::new()
        .with_endpoint(format!("http://{}", server.plain))
        .with_allow_http(true)
        .with_bucket_name(BUCKET)
        .with_region(REGION)
        .with_access_key_id(KEY)
        .with_secret_access_key(SECRET)
        // As a connection has it unless its URI says AWS_SKIP_CHECKSUM.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_http_connector(Unguarded(client))
        .build();
    Arc::new(store.expect("a store"))
}

#[derive(Debug, Clone, Copy)]
enum Transfer {
    Put,
    Get,
    List,
}

impl Transfer {
    fn name(self) -> String {
        match self {
            Self::Put => format!("put of {} MiB", SIZE / MIB),
            Self::Get => format!("get of {} MiB", SIZE / MIB),
            Self::List => format!("list of {LISTED}"),
        }
    }

    async fn run(self, store: &dyn ObjectStore, content: &Bytes) {
        let name = Path::from("large/object");
        match self {
            Self::Put => {
                store.put(&name, content.clone().into()).await.expect("put");
            }
            Self::Get => {
                let mut chunks = store.get(&name).await.expect("get").into_stream();
                let mut size = 0;
                while let Some(chunk) = chunks.try_next().await.expect("a chunk") {
                    size += chunk.len();
                }
                assert_eq!(size, SIZE);
            }
            Self::List => {
                let prefix = Path::from("many");
                let listed: Vec<_> = store.list(Some(&prefix)).try_collect().await.expect("list");
                assert_eq!(listed.len(), LISTED);
            }
        }
    }
}

fn transfers(runtime: &Runtime, session: &Session, server: &Server) {
    let content = Bytes::from((0..SIZE).map(|n| (n % 251) as u8).collect::<Vec<_>>());
    let stores = [runtime.block_on(open(session)), direct(server)];
    runtime.block_on(async {
        for number in 0..LISTED {
            let name = Path::from(format!("many/{number:04}"));
            stores[1].put(&name, "x".into()).await.expect("put");
        }
    });
    for transfer in [Transfer::Put, Transfer::Get, Transfer::List] {
        let mut times: [Vec<Duration>; 2] = Default::default();
        for round in 0..=ROUNDS {
            for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                let began = Instant::now();
                runtime.block_on(transfer.run(&*stores[which], &content));
                // The first one warms both.
                if round > 0 {
                    times[which].push(began.elapsed());
                }
            }
        }
        let name = format!(
            "{} through external:// against object_store",
            transfer.name()
        );
        let ratio = median_ratio(&times[0], &times[1]);
        println!("{}", Figure::new(name, ratio, Quantity::ratio(1.0 / 0.95)));
    }
}

/// Opens connections, each with a host and a bucket of its own, keeps all of them, and lists through
/// each, so that each has its socket.
fn growth(runtime: &Runtime, server: &Server) {
    let mut connect_to = ConnectTo::default();
    for number in 0..CONNECTIONS {
        connect_to
            .add(&format!("{}:443", host_of(number)), &server.encrypted)
            .expect("a line");
    }
    let backends = Backends::new(None).with_egress(Egress::new(EgressOptions {
        connect_to,
        roots: TrustRoots::nobody(),
        ..EgressOptions::default()
    }));
    let authorities: Vec<String> = (0..PROFILES).map(|_| authorities(server)).collect();
    let before = resident();
    let mut open = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let plan = plan(number, &authorities[number % PROFILES]);
        open.push(backends.build(&plan).expect("built"));
    }
    let handles = resident().saturating_sub(before);
    runtime.block_on(async {
        for store in &open {
            let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
            assert!(listed.is_empty());
        }
    });
    let used = resident().saturating_sub(before);
    let most = Quantity::bytes(256 * MIB);
    for (what, bytes) in [("opened", handles), ("opened and used", used)] {
        let name = format!("{CONNECTIONS} connections to S3, {PROFILES} TLS profiles, {what}");
        println!("{}", Figure::new(name, Quantity::bytes(bytes), most));
    }
}

fn bucket_of(number: usize) -> String {
    format!("bucket-{number}")
}

fn host_of(number: usize) -> String {
    format!("{}.s3.{REGION}.amazonaws.com", bucket_of(number))
}

/// The server's authority, and one more that makes it another profile.
fn authorities(server: &Server) -> String {
    let (_, another) = front::acceptor(&["another.example"]);
    format!("{}\n{another}", server.authority)
}

fn plan(number: usize, authorities: &str) -> StoredPlan {
    let setting = |name: &str, value: &str| PlanEntry::Setting(name.to_owned(), value.to_owned());
    let entries = vec![
        PlanEntry::Kind(Kind::Storage),
        PlanEntry::Tls(TlsProfile {
            name: "server".to_owned(),
            certificate_authority: Some("authorities".to_owned()),
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::Full,
        }),
        PlanEntry::Endpoint(Endpoint {
            host: host_of(number),
            port: 443,
            tls_profile: Some("server".to_owned()),
        }),
        PlanEntry::ObjectStore(ObjectStorePlan {
            backend: "s3".to_owned(),
            container: bucket_of(number),
            prefix: String::new(),
        }),
        setting("credentials", "specified"),
        setting("access-key-id", KEY),
        setting("region", REGION),
    ];
    StoredPlan {
        format: PLAN_FORMAT,
        provider: "s3".to_owned(),
        provider_version: "0.1.0".parse().expect("a version"),
        plan: Plan { entries },
        context: RuleContext::default(),
        secrets: vec![
            ("secret-access-key".to_owned(), SecretBytes::new(SECRET)),
            ("authorities".to_owned(), SecretBytes::new(authorities)),
        ],
        places: Vec::new(),
    }
}

/// The memory that this process has now, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("a figure").parse::<usize>().expect("a number") * 1024
}
