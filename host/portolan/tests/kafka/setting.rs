//! A cluster behind the name `kafka.example`, and connections to it.

use portolan::{EgressOptions, Message, Operation, Session, Sink};
use portolan_broker::{Cluster, ClusterBuilder, Stored};
use portolan_servers::Authority;

use super::support::{World, run};
use super::told::ways;

pub(crate) const HOST: &str = "kafka.example";

/// What a probe tells that goes well: in plain text, and to a port that authenticates over TLS.
pub(crate) const PLAIN: &str = "resolve ok, dial ok, tls skipped, versions ok, \
                                authenticate skipped, metadata ok, brokers ok, authorise ok, \
                                write ok";
pub(crate) const LOGGED_IN: &str = "resolve ok, dial ok, tls ok, versions ok, authenticate ok, \
                                    metadata ok, brokers ok, authorise ok, write ok";

/// A cluster with the topic `orders`.
pub(crate) fn cluster(brokers: i32, partitions: i32) -> ClusterBuilder {
    let cluster = Cluster::builder().brokers(brokers).host(HOST);
    cluster.topic("orders", partitions)
}

/// The ways to every broker, and nobody's authority but this one.
pub(crate) fn to(authority: &Authority, cluster: &Cluster) -> EgressOptions {
    let addresses = cluster.addresses();
    let names: Vec<_> = addresses
        .iter()
        .map(|address| format!("{HOST}:{}", address.port()))
        .collect();
    let pairs: Vec<_> = names
        .iter()
        .map(String::as_str)
        .zip(addresses.iter().copied())
        .collect();
    ways(authority, &pairs)
}

/// The same for a cluster that speaks no TLS.
pub(crate) fn in_clear(cluster: &Cluster) -> EgressOptions {
    to(&Authority::new("of nobody"), cluster)
}

/// A URI of the first broker.
pub(crate) fn uri(cluster: &Cluster, query: &str) -> String {
    let bootstrap = cluster.bootstrap();
    let first = bootstrap.split(',').next().expect("a broker");
    format!("kafka://{first}?{query}")
}

/// A host with the connection `k`, which was not tried out.
pub(crate) async fn world(options: EgressOptions, uri: &str) -> World {
    let world = World::with(|builder| builder.egress(options)).await;
    let sql = format!("CREATE EXTERNAL CONNECTION k AS '{uri}' WITH VALIDATE = 'none'");
    run(&world.root(), &sql).await;
    world
}

/// Opens the connection `k` for messages.
pub(crate) async fn sink(session: &Session) -> Sink {
    let opened = session.open("external://k", Operation::Changefeed).await;
    opened.expect("opened").into_sink().expect("a sink")
}

/// Messages whose values are these numbers, each with one of so many keys.
pub(crate) fn numbered(numbers: impl Iterator<Item = usize>, keys: usize) -> Vec<Message> {
    numbers
        .map(|number| {
            let value = format!("{number:08}").into_bytes();
            Message::new("orders", value).with_key(format!("key-{}", number % keys))
        })
        .collect()
}

/// Holds what a cluster has against what was acknowledged: each of the first `acknowledged` numbers
/// is there, nothing else than what was emitted is, a key is in one partition, and the last time
/// that each number of a key came they were in order.
#[track_caller]
pub(crate) fn holds(stored: &[Stored], acknowledged: usize, emitted: usize, keys: usize) {
    let number = |it: &Stored| -> usize {
        let value = it.value.as_ref().expect("a value");
        std::str::from_utf8(value)
            .expect("a number")
            .parse()
            .expect("a number")
    };
    let mut last = vec![None; emitted];
    let mut homes = vec![None; keys];
    for (place, message) in stored.iter().enumerate() {
        let number = number(message);
        let key = format!("key-{}", number % keys);
        assert_eq!(message.key.as_deref(), Some(key.as_bytes()));
        last[number] = Some(place);
        let home = homes[number % keys].get_or_insert(message.partition);
        assert_eq!(*home, message.partition, "{key} moved");
    }
    let lost = last.iter().take(acknowledged).position(Option::is_none);
    assert_eq!(lost, None, "an acknowledged message is lost");
    for key in 0..keys {
        let places: Vec<_> = last.iter().skip(key).step_by(keys).flatten().collect();
        assert!(places.is_sorted(), "key-{key} is out of order");
    }
}
