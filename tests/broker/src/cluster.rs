//! A cluster that runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use kafka_protocol::messages::ApiKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

use crate::builder::ClusterBuilder;
use crate::connection::{Connection, End};
use crate::fault::{Fault, Rule};
use crate::settings::Settings;
use crate::state::{BrokerState, State};
use crate::stored::{Partition, Stored};

/// Brokers in a thread of their own, which end when this is dropped.
pub struct Cluster {
    shared: Arc<Shared>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// An attempt to authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The mechanism.
    pub mechanism: String,
    /// Who it is, or that it is not.
    pub user: Option<String>,
}

/// What the connections of a cluster share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in here")
    }
}

impl Cluster {
    /// What a cluster will be.
    #[must_use]
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::default()
    }

    pub(crate) fn start(
        brokers: i32,
        settings: Settings,
        topics: BTreeMap<String, Vec<Partition>>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let handle = runtime.handle().clone();
        let shared = Arc::new(Shared {
            settings,
            state: Mutex::new(State {
                brokers: Vec::new(),
                topics,
                denied: Default::default(),
                read_only: Default::default(),
                rules: Vec::new(),
                advertised: None,
                logins: Vec::new(),
                asked: BTreeMap::new(),
                connections: 0,
            }),
        });
        for number in 0..brokers {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let broker = live(&handle, &shared, number, any);
            shared.state().brokers.push(broker);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let _ = stopped.await;
            });
        });
        Self {
            shared,
            runtime: handle,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where the brokers listen, or listened.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let state = self.shared.state();
        state.brokers.iter().map(|broker| broker.address).collect()
    }

    /// The brokers by the name that they advertise: `localhost:PORT,localhost:PORT`.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let host = &self.shared.settings.host;
        let brokers = self.addresses().into_iter();
        let brokers: Vec<_> = brokers
            .map(|address| format!("{host}:{}", address.port()))
            .collect();
        brokers.join(",")
    }

    /// What a topic has: one partition after another, each in its order.
    #[must_use]
    pub fn messages(&self, topic: &str) -> Vec<Stored> {
        let state = self.shared.state();
        let partitions = (0..).zip(state.topics.get(topic).into_iter().flatten());
        partitions
            .flat_map(|(number, partition)| partition.messages(number))
            .collect()
    }

    /// Requests that the rule describes fail so, from now on.
    pub fn fail(&self, rule: Rule, fault: Fault) {
        self.shared.state().rules.push((rule, fault));
    }

    /// No request fails any more.
    pub fn recover(&self) {
        self.shared.state().rules.clear();
    }

    /// Ends a broker, as `kill -9` does; the next ones that live lead its partitions.
    pub fn kill(&self, broker: i32) {
        self.shared.state().kill(broker);
    }

    /// Starts a broker again that is dead, at its old address. It leads its own partitions again.
    pub fn revive(&self, broker: i32) {
        let at = usize::try_from(broker).expect("a broker");
        let address = self.addresses()[at];
        let living = live(&self.runtime, &self.shared, broker, address);
        self.shared.state().revive(broker, living);
    }

    /// Makes another broker the leader of a partition.
    pub fn lead(&self, topic: &str, partition: i32, leader: i32) {
        let mut state = self.shared.state();
        let partitions = state.topics.get_mut(topic).expect("a topic");
        let partition = &mut partitions[usize::try_from(partition).expect("a partition")];
        partition.leader = leader;
        partition.epoch += 1;
    }

    /// The brokers that clients are told of from now on, instead of those that are there: number,
    /// host and port.
    pub fn advertise(&self, brokers: &[(i32, &str, i32)]) {
        let brokers = brokers.iter();
        let brokers = brokers.map(|(number, host, port)| (*number, (*host).to_owned(), *port));
        self.shared.state().advertised = Some(brokers.collect());
    }

    /// Nobody may use this topic from now on.
    pub fn deny(&self, topic: &str) {
        self.shared.state().denied.insert(topic.to_owned());
    }

    /// Nobody may write this topic from now on, and everybody see it.
    pub fn deny_writing(&self, topic: &str) {
        self.shared.state().read_only.insert(topic.to_owned());
    }

    /// Every attempt to authenticate, in order.
    #[must_use]
    pub fn logins(&self) -> Vec<Login> {
        self.shared.state().logins.clone()
    }

    /// How many requests of a kind came to all brokers.
    #[must_use]
    pub fn asked(&self, api: ApiKey) -> usize {
        let state = self.shared.state();
        let counted = state.asked.iter();
        counted
            .filter_map(|((_, kind), count)| (*kind == api as i16).then_some(count))
            .sum()
    }

    /// How many connections were taken.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server that is tested against"
)]
fn bind(address: SocketAddr) -> std::net::TcpListener {
    // A broker that was just killed lets go of its port in a moment.
    for _ in 0..200 {
        if let Ok(listener) = std::net::TcpListener::bind(address) {
            return listener;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no port of loopback at {address}")
}

/// A broker that listens.
fn live(runtime: &Handle, shared: &Arc<Shared>, number: i32, address: SocketAddr) -> BrokerState {
    let listener = bind(address);
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket");
    let (life, mut ended) = watch::channel(());
    let shared = Arc::clone(shared);
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        let clients = ended.clone();
        tokio::select! {
            () = serve(listener, shared, number, clients) => {}
            _ = ended.changed() => {}
        }
    });
    BrokerState {
        address,
        life: Some(life),
    }
}

async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    number: i32,
    ended: watch::Receiver<()>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (shared, mut ended) = (Arc::clone(&shared), ended.clone());
        shared.state().connections += 1;
        tokio::spawn(async move {
            tokio::select! {
                () = converse(stream, shared, number) => {}
                _ = ended.changed() => {}
            }
        });
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>, number: i32) {
    let end = match shared.settings.tls.clone() {
        None => Connection::new(stream, &shared, number).serve().await,
        // A client that does not trust the certificate goes away.
        Some(config) => match TlsAcceptor::from(config).accept(stream).await {
            Err(_) => return,
            Ok(stream) => Connection::new(stream, &shared, number).serve().await,
        },
    };
    if let Err(End::Death) = end {
        shared.state().kill(number);
    }
}
