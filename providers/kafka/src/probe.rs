//! Phase two before use: a broker lets the client in, and every broker that it names is reached.

use portolan_sdk::lent::net::{self, Connection};
use portolan_sdk::{
    Depth, Failure, FailureClass, Message, OpenSink, Plan, SinkProbe, Steps, Stopped, joined,
};

use crate::settings::Settings;
use crate::sink::Producer;
use crate::wire::{Broker, Cluster, encrypt, refusal};

/// More brokers are not dialled: a step has so many details.
const MOST_BROKERS: usize = 16;

/// What the other sinks post, too.
const PAYLOAD: &[u8] = br#"{"payload":[],"length":0}"#;

/// The whole probe.
pub(crate) fn probe(probe: &mut SinkProbe<'_>) -> Result<(), Stopped> {
    let plan = probe.plan;
    let settings = Settings::of(plan);
    let steps = &mut probe.steps;
    let numbers = steps.step("resolve", |details| resolve(&settings, details))?;
    let connection = steps.step("dial", |details| dial(&settings, &numbers, details))?;
    match settings.profile {
        None => steps.skip("tls", "the brokers speak plain text"),
        Some(_) => steps.step("tls", |details| {
            if let Some(facts) = encrypt(&settings, &connection)? {
                details.add("version", facts.version);
            }
            Ok(())
        })?,
    }
    let mut broker = steps.step("versions", |details| {
        let broker = Broker::greet(&settings, connection)?;
        details.add("kinds of request", broker.kinds().to_string());
        Ok(broker)
    })?;
    authenticate(steps, &settings, &mut broker)?;
    let cluster = steps.step("metadata", |details| {
        let cluster = Cluster::ask(&mut broker, &[], false)?;
        details.add("brokers", cluster.brokers.len().to_string());
        Ok(cluster)
    })?;
    steps.step("brokers", |details| {
        for place in cluster.brokers.iter().take(MOST_BROKERS) {
            let (number, port_text) = (place.number.to_string(), place.port.to_string());
            let host = &*place.host;
            details.add(
                joined(&["broker ", &number]),
                joined(&[host, ":", &port_text]),
            );
            let dialled = Broker::dial_further(&settings, place);
            let further = dialled.map_err(|failure| {
                failure.context(&joined(&[
                    "broker ", &number, " at ", host, ":", &port_text,
                ]))
            })?;
            // It is reached, and nothing more is wanted of it.
            let _ = further.close();
        }
        Ok(())
    })?;
    let topics = wanted(&settings, probe.topics);
    let Some(first) = authorise(steps, &mut broker, topics)? else {
        if probe.depth == Depth::Full {
            steps.skip("write", "no topic is named: topic_name names one");
        }
        return Ok(());
    };
    match probe.depth {
        Depth::Full => steps.step("write", |details| {
            details.add("topic", first);
            write(plan, probe.topics.first().map_or("", String::as_str))
        }),
        _ => Ok(()),
    }
}

/// The brokers of the plan whose names resolve; all of them are tried.
fn resolve(settings: &Settings, details: &mut portolan_sdk::Details) -> Result<Vec<u32>, Failure> {
    let mut resolved = Vec::new();
    let mut failed = None;
    for (number, (host, _)) in settings.numbers() {
        match net::resolve(number) {
            Ok(addresses) => {
                details.add(&**host, joined(&[&addresses.to_string(), " addresses"]));
                resolved.push(number);
            }
            Err(failure) => {
                details.add(&**host, &*failure.message);
                failed = failed.or(Some(failure));
            }
        }
    }
    match failed {
        Some(failure) if resolved.is_empty() => Err(failure),
        _ => Ok(resolved),
    }
}

/// The first broker that answers.
fn dial(
    settings: &Settings,
    numbers: &[u32],
    details: &mut portolan_sdk::Details,
) -> Result<Connection, Failure> {
    let mut failed = None;
    for &number in numbers {
        let place = settings.places.get(number as usize);
        let place = place.map(|(host, port)| joined(&[host, ":", &port.to_string()]));
        let place = place.unwrap_or_default();
        match net::connect(number) {
            Ok(connection) => {
                details.add(place, "answers");
                return Ok(connection);
            }
            Err(failure) => {
                details.add(place, &*failure.message);
                failed = failed.or(Some(failure));
            }
        }
    }
    Err(failed
        .unwrap_or_else(|| Failure::new(FailureClass::Protocol, "the plan lacks a broker to dial")))
}

fn authenticate(
    steps: &mut Steps<'_>,
    settings: &Settings,
    broker: &mut Broker,
) -> Result<(), Stopped> {
    let Some(mechanism) = &settings.mechanism else {
        steps.skip("authenticate", "the URI gives no credentials");
        return Ok(());
    };
    steps.step("authenticate", |details| {
        details.add("mechanism", &**mechanism);
        broker.login(settings)
    })
}

/// The topics to look at: that of the plan, or those that the host names.
fn wanted(settings: &Settings, named: &[String]) -> Result<Vec<String>, Failure> {
    match settings.only_topic() {
        Some(topic) => Ok(vec![topic]),
        None => named.iter().map(|name| settings.topic(name)).collect(),
    }
}

/// Whether the topics are there and may be written; the first of them, if there is one.
fn authorise(
    steps: &mut Steps<'_>,
    broker: &mut Broker,
    topics: Result<Vec<String>, Failure>,
) -> Result<Option<String>, Stopped> {
    if topics.as_ref().is_ok_and(Vec::is_empty) {
        steps.skip("authorise", "no topic is named: topic_name names one");
        return Ok(None);
    }
    steps.step("authorise", |details| {
        let topics = topics?;
        let cluster = Cluster::ask(broker, &topics, false)?;
        for topic in &topics {
            let what = joined(&["topic ", topic]);
            let found = cluster.topic(topic);
            let found = found.ok_or_else(|| crate::wire::garbled("a topic is not told of"))?;
            if let Some(failure) = refusal(found.error, &what) {
                return Err(failure);
            }
            if found.may_write == Some(false) {
                return Err(Failure::new(
                    FailureClass::Denied,
                    joined(&[&what, ": the user may see it and not write it"]),
                )
                .with_hint("Allow the user to write the topic."));
            }
            let count = found.leaders.len().to_string();
            details.add(&**topic, joined(&[&count, " partitions"]));
        }
        Ok(topics.into_iter().next())
    })
}

/// One message, without a key.
fn write(plan: &Plan, topic: &str) -> Result<(), Failure> {
    let mut producer = Producer::open(plan)?;
    producer.emit(vec![Message {
        topic: topic.to_owned(),
        key: None,
        value: PAYLOAD.to_vec(),
        headers: Vec::new(),
        timestamp: 0,
    }])?;
    match producer.flush()? {
        1 => producer.close(),
        _ => Err(Failure::new(
            FailureClass::Timeout,
            "the brokers do not acknowledge a message",
        )
        .with_hint("Look whether enough replicas of the topic are in sync.")),
    }
}
