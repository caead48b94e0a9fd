//! Phase two: a bootstrap broker lets the client in, and every broker that it names is reached.

use crate::bindings::exports::portolan::provider::sink::Message;
use crate::bindings::portolan::host::steps::Depth;
use crate::bindings::portolan::types::types::PlanEntry;
use crate::broker::{Broker, dial_further, encrypted};
use crate::cluster::{Cluster, topic};
use crate::dial::{dial_step, resolve_step, tls};
use crate::plans::TLS;
use crate::produce::Producer;
use crate::step::{Stopped, skip, step, tell};

const FIRST: u32 = 0;

/// The whole probe. Only at depth `full` one message is produced, to the first topic.
pub(crate) fn probe(plan: Vec<PlanEntry>, named: &[String], depth: &Depth) -> Result<(), Stopped> {
    resolve_step(FIRST)?;
    let connection = dial_step(FIRST)?;
    if encrypted(&plan) {
        step("tls", |details| {
            tls(&connection, TLS, &[], details).map(drop)
        })?;
    }
    let mut broker = step("versions", |_| Broker::greet(connection))?;
    step("authenticate", |details| {
        tell(details, "mechanism", broker.login(&plan)?);
        Ok(())
    })?;
    let topics: Vec<String> = named.iter().map(|name| topic(&plan, name)).collect();
    let cluster = step("metadata", |details| {
        let cluster = Cluster::ask(&mut broker, &topics)?;
        tell(details, "brokers", cluster.brokers.len());
        tell(details, "topics", cluster.topics.len());
        Ok(cluster)
    })?;
    step("brokers", |details| {
        for (number, (host, port)) in &cluster.brokers {
            tell(
                details,
                &format!("broker {number}"),
                format!("{host}:{port}"),
            );
            dial_further(&plan, host, *port)?.close()?;
        }
        Ok(())
    })?;
    match (depth, named.first()) {
        (Depth::Full, Some(topic)) => step("write", |_| {
            let mut producer = Producer::open(plan)?;
            producer.emit(vec![marker(topic)])?;
            producer.close()
        }),
        (Depth::Full, None) => {
            skip("write", "no topic is named");
            Ok(())
        }
        _ => {
            skip("write", "this depth produces nothing");
            Ok(())
        }
    }
}

/// The one message of a probe: no key, the content that the other sinks post.
fn marker(topic: &str) -> Message {
    Message {
        topic: topic.to_owned(),
        key: None,
        value: br#"{"payload":[],"length":0}"#.to_vec(),
        headers: Vec::new(),
        timestamp: 0,
    }
}
