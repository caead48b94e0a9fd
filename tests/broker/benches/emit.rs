//! Messages through the sandboxed provider beside librdkafka: what the client uses of the processor.
//!
//! Both send the same million messages of 200 bytes, key included, to one partition of a cluster in a
//! process of its own, want them acknowledged by all replicas and compress nothing. Batches are of one
//! size, 2,000 messages; how many requests there were is printed. Each client is a process that holds
//! nothing else, this program started again, and uses its library as a program would that embeds it:
//! it makes each message, hands it over and waits until all are acknowledged. librdkafka is driven
//! through the cheapest of the producers that `rdkafka` has, without futures or a thread for its
//! reports, and may hold as many messages as there are.
//!
//! What is counted is the processor time of all threads of a client, the kernel's included, from
//! before the first message until the last one is acknowledged. What comes once in the life of a
//! process is done before, with a few messages that are not counted. They take turns, nine pairs of
//! them, and what is printed is the median ratio.
//!
//! After each client the cluster's log is read: every message has to be there once, whole and in its
//! place.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, its figures are its output, and it starts itself"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{ConnectTo, EgressOptions, Host, Message, Operation, Principal};
use portolan_broker::{ApiKey, Cluster, Stored};
use portolan_figures::{Figure, Quantity, median, median_ratio};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use rustix::time::{ClockId, clock_gettime};

/// The messages that are counted.
const COUNT: u64 = 1_000_000;

/// Those before them.
const FIRST: u64 = 20_000;

/// The bytes of a key, and of a value.
const KEY: usize = 8;
const VALUE: usize = 192;

/// The most bytes of a batch: those of our provider.
const BATCH: &str = "921600";

/// How many messages a program gathers before it hands them over to a sink. Our provider makes one
/// batch of them, so librdkafka's have as many.
const AT_ONCE: u64 = 2_000;

/// How often each client has its turn.
const ROUNDS: usize = 9;

const TOPIC: &str = "orders";

/// Tells this program which part it is to play, and a client whose cluster it is to use.
const PART: &str = "PORTOLAN_BENCH_EMIT_PART";
const CLUSTER: &str = "PORTOLAN_BENCH_EMIT_CLUSTER";
/// Where compiled components are kept.
const CACHE: &str = "PORTOLAN_BENCH_EMIT_CACHE";

const CLIENTS: [&str; 2] = ["portolan", "rdkafka"];

fn main() {
    let variable = |name| std::env::var(name).expect("the parent sets it");
    match std::env::var(PART).as_deref() {
        Ok("cluster") => cluster(),
        Ok("portolan") => {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let cache = variable(CACHE);
            let used = runtime.block_on(portolan(&variable(CLUSTER), Path::new(&cache)));
            println!("{}", used.as_nanos());
        }
        Ok("rdkafka") => println!("{}", rdkafka(&variable(CLUSTER)).as_nanos()),
        _ => compare(),
    }
}

/// Lets both emit in turns.
fn compare() {
    let cache = tempfile::tempdir().expect("a directory");
    let mut used: [Vec<Duration>; 2] = Default::default();
    let mut requests = [0; 2];
    for round in 0..=ROUNDS {
        for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let (time, asked) = one(CLIENTS[which], cache.path());
            // The first one warms both.
            if round > 0 {
                used[which].push(time);
                requests[which] += asked;
            }
        }
    }
    let ratio = median_ratio(&used[0], &used[1]);
    let name = "processor time of a million messages to Kafka, against rdkafka";
    println!("{}", Figure::new(name, ratio, Quantity::ratio(1.6)));
    for which in 0..CLIENTS.len() {
        let (least, most) = (used[which].iter().min(), used[which].iter().max());
        let [least, most] = [least, most].map(|one| one.map_or(0.0, Duration::as_secs_f64));
        println!(
            "  {}: {:.3} s, {least:.3} s to {most:.3} s, in {} requests",
            CLIENTS[which],
            median(&mut used[which]).as_secs_f64(),
            requests[which] / ROUNDS
        );
    }
}

/// One client and a cluster of its own: the processor time of the client, and the requests.
fn one(client: &str, cache: &Path) -> (Duration, usize) {
    let mut cluster = Part::start("cluster", &[]);
    let bootstrap = cluster.line();
    let given = [(CLUSTER, Path::new(&bootstrap)), (CACHE, cache)];
    let mut client = Part::start(client, &given);
    let nanoseconds = client.line().parse().expect("a number");
    client.end();
    writeln!(cluster.input.as_mut().expect("a pipe")).expect("it reads");
    let requests = cluster.line().parse().expect("a number");
    cluster.end();
    (Duration::from_nanos(nanoseconds), requests)
}

/// This program in another part.
struct Part {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Part {
    fn start(part: &str, given: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(PART, part)
            .envs(given.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            input,
            output,
        }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }

    /// Waits until it has ended well.
    fn end(mut self) {
        drop(self.input.take());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The cluster: says where it is and, when it is asked, reads its log and says how many requests
/// brought it.
fn cluster() {
    let cluster = Cluster::builder().topic(TOPIC, 1).start();
    println!("{}", cluster.bootstrap());
    let mut asked = String::new();
    std::io::stdin().read_line(&mut asked).expect("a line");
    if asked.is_empty() {
        return;
    }
    let stored = cluster.messages(TOPIC);
    let count = stored.len() as u64;
    assert_eq!(count, FIRST + COUNT, "messages are lost, or came twice");
    let mut expected = Made::default();
    for Stored { key, value, .. } in stored {
        let (of_key, of_value) = expected.next();
        let is_whole = key.as_deref() == Some(of_key) && value.as_deref() == Some(of_value);
        assert!(is_whole, "message {} is another", expected.made - 1);
    }
    println!("{}", cluster.asked(ApiKey::Produce));
}

/// Makes one message after another.
struct Made {
    made: u64,
    key: [u8; KEY],
    value: [u8; VALUE],
}

impl Default for Made {
    fn default() -> Self {
        Self {
            made: 0,
            key: [b'0'; KEY],
            value: std::array::from_fn(|place| b'a' + (place % 26) as u8),
        }
    }
}

impl Made {
    /// The key and the value of the next one. Both hold its number.
    fn next(&mut self) -> (&[u8], &[u8]) {
        let number = self.made.to_be_bytes();
        self.made += 1;
        self.key.copy_from_slice(&number);
        self.value[..number.len()].copy_from_slice(&number);
        (&self.key, &self.value)
    }
}

/// What all threads of this process have used of the processor.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a time")
}

/// Emits through a handle, as a program does that embeds the library.
async fn portolan(bootstrap: &str, cache: &Path) -> Duration {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: directory.path().join("catalog.sqlite"),
        key: KeySource::File(directory.path().join("master.key")),
    });
    let catalog = Arc::new(catalog.expect("a catalog"));
    let runtime = tokio::runtime::Handle::current();
    let mut connect_to = ConnectTo::default();
    let to = bootstrap.replace("localhost", "127.0.0.1");
    connect_to.add(bootstrap, &to).expect("a line");
    let host = Host::builder()
        .catalog(CatalogHandle::new(catalog, runtime))
        .cache_dir(cache)
        .egress(EgressOptions {
            connect_to,
            ..EgressOptions::default()
        })
        .build();
    let session = host.await.expect("a host").session(Principal::new("root"));
    let sql =
        format!("CREATE EXTERNAL CONNECTION k AS 'kafka://{bootstrap}' WITH VALIDATE = 'none'");
    session.execute(&sql, &[]).await.expect("made");
    let opened = session.open("external://k", Operation::Changefeed).await;
    let sink = opened.expect("opened").into_sink().expect("a sink");

    let mut made = Made::default();
    let mut emit = async |until: u64| {
        while made.made < until {
            let count = AT_ONCE.min(until - made.made);
            let messages = (0..count).map(|_| {
                let (key, value) = made.next();
                Message::new(TOPIC, value).with_key(key)
            });
            sink.emit(messages.collect()).await.expect("emitted");
        }
        let delivered = sink.flush().await.expect("flushed");
        assert_eq!(delivered.acknowledged, until);
    };
    emit(FIRST).await;
    let before = processor();
    emit(FIRST + COUNT).await;
    let used = processor() - before;
    sink.close().await.expect("closed");
    used
}

/// Counts what librdkafka reports as delivered.
#[derive(Default)]
struct Reports(AtomicU64);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        report.as_ref().expect("delivered");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Emits through librdkafka.
fn rdkafka(bootstrap: &str) -> Duration {
    let producer: BaseProducer<Reports> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("acks", "all")
        .set("compression.type", "none")
        .set("batch.size", BATCH)
        .set("batch.num.messages", AT_ONCE.to_string())
        .set("queue.buffering.max.messages", "2000000")
        .set("queue.buffering.max.kbytes", "1000000")
        .create_with_context(Reports::default())
        .expect("a producer");
    let mut made = Made::default();
    let mut emit = |until: u64| {
        while made.made < until {
            let (key, value) = made.next();
            let record = BaseRecord::to(TOPIC).key(key).payload(value);
            let queued = producer.send(record).map_err(|(error, _)| error);
            queued.expect("there is room for all");
            if made.made % 1_000 == 0 {
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(Duration::from_secs(60)).expect("flushed");
        let reported = &producer.context().0;
        assert_eq!(reported.load(Ordering::Relaxed), until);
    };
    emit(FIRST);
    let before = processor();
    emit(FIRST + COUNT);
    processor() - before
}
