//! What arrives, and what is said to have arrived.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portolan::Message;
use portolan_broker::{ApiKey, Fault, Rule, Stored};

use crate::setting::{cluster, holds, in_clear, numbered, sink, uri, world};

/// How many messages there are, each counted once: where the machine is busy an instance runs out of
/// its time, and the next one sends again what was not acknowledged.
fn distinct(stored: &[Stored]) -> usize {
    let values: BTreeSet<_> = stored.iter().map(|it| &it.value).collect();
    values.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_arrive_whole_and_in_order_at_the_leaders_of_their_partitions() {
    let cluster = cluster(3, 6).start();
    let world = world(in_clear(&cluster), &uri(&cluster, "")).await;
    let sink = sink(&world.root()).await;
    let message = Message::new("orders", "hello")
        .with_key("k")
        .with_header("a", "1")
        .with_header("b", "");
    let delivered = sink.emit(vec![message]).await.expect("emitted");
    assert_eq!(delivered.taken, 1);
    assert_eq!(sink.flush().await.expect("flushed").acknowledged, 1);
    let stored = cluster.messages("orders");
    assert_eq!(stored[0].value.as_deref(), Some(&b"hello"[..]));
    assert_eq!(stored[0].key.as_deref(), Some(&b"k"[..]));
    let header = |name: &str, value: &'static [u8]| (name.to_owned(), Some(value.into()));
    assert_eq!(stored[0].headers, [header("a", b"1"), header("b", b"")]);
    assert!(stored[0].timestamp > 1_700_000_000_000);

    let without_keys = (0..5_000).map(|number| Message::new("orders", format!("{number}")));
    sink.emit(without_keys.collect()).await.expect("emitted");
    assert_eq!(sink.close().await.expect("closed").acknowledged, 5_001);
    let stored = cluster.messages("orders");
    assert_eq!(distinct(&stored), 5_001);
    for partition in 0..6 {
        let count = stored.iter().filter(|it| it.partition == partition).count();
        assert!(count > 300, "{partition} has {count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_and_a_name_of_the_uri_say_which_topic_it_is() {
    let cluster = cluster(1, 1)
        .topic("bar_orders", 2)
        .topic("bar_all", 2)
        .start();
    for (query, topic) in [
        ("topic_prefix=bar_", "bar_orders"),
        ("topic_prefix=bar_&topic_name=all", "bar_all"),
    ] {
        let world = world(in_clear(&cluster), &uri(&cluster, query)).await;
        let sink = sink(&world.root()).await;
        sink.emit(numbered(0..10, 2)).await.expect("emitted");
        assert_eq!(sink.close().await.expect("closed").acknowledged, 10);
        assert_eq!(cluster.messages(topic).len(), 10);
    }
    assert_eq!(cluster.messages("orders"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_and_many_small_ones_go_into_batches_that_brokers_take() {
    let cluster = cluster(2, 4).start();
    let world = world(in_clear(&cluster), &uri(&cluster, "")).await;
    let sink = sink(&world.root()).await;
    let large: Vec<_> = (0..40)
        .map(|number| {
            let mut value = format!("large {number} ").into_bytes();
            value.resize(300_000, b'x');
            Message::new("orders", value).with_key(format!("{}", number % 5))
        })
        .collect();
    sink.emit(large).await.expect("emitted");
    for start in (0..50_000).step_by(10_000) {
        sink.emit(numbered(start..start + 10_000, 100))
            .await
            .expect("emitted");
    }
    assert_eq!(sink.close().await.expect("closed").acknowledged, 50_040);
    assert_eq!(distinct(&cluster.messages("orders")), 50_040);
    let requests = cluster.asked(ApiKey::Produce);
    assert!(requests < 500, "{requests} requests");
}

/// A broker is killed again and again while 100,000 messages are emitted. At every moment what is
/// acknowledged is there; at the end everything is, each key in its order.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_while_brokers_die_under_100_000_messages() {
    const COUNT: usize = 100_000;
    const KEYS: usize = 500;
    /// So many messages after one death comes the next.
    const DYING: usize = 4_000;
    let cluster = Arc::new(cluster(3, 12).start());
    let uri = format!("kafka://{}", cluster.bootstrap());
    let world = world(in_clear(&cluster), &uri).await;
    let sink = sink(&world.root()).await;
    let emitted = Arc::new(AtomicUsize::new(0));
    let (killed, seen) = (Arc::clone(&cluster), Arc::clone(&emitted));
    let killer = tokio::spawn(async move {
        let mut deaths = 0;
        for broker in (0..3).cycle() {
            while seen.load(Ordering::Relaxed) < deaths * DYING {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Now at a moment of its own, now with messages that are stored and not acknowledged.
            match deaths % 2 {
                0 => killed.kill(broker),
                _ => killed.fail(Rule::once(ApiKey::Produce).at(broker), Fault::DieAfterwards),
            }
            deaths += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            killed.recover();
            killed.kill(broker);
            killed.revive(broker);
            if deaths * DYING >= COUNT {
                break;
            }
        }
        deaths
    });
    let mut least = 0;
    for start in (0..COUNT).step_by(500) {
        let delivered = sink.emit(numbered(start..start + 500, KEYS)).await;
        let delivered = delivered.unwrap_or_else(|error| panic!("at {start}: {error:?}"));
        let acknowledged = usize::try_from(delivered.acknowledged).expect("a count");
        assert!(acknowledged >= least && acknowledged <= start + 500);
        least = acknowledged;
        emitted.store(start + 500, Ordering::Relaxed);
        if start % 20_000 == 0 {
            holds(&cluster.messages("orders"), acknowledged, start + 500, KEYS);
        }
    }
    let delivered = sink.close().await.expect("closed");
    let deaths = killer.await.expect("no panic");
    assert_eq!(delivered.acknowledged, COUNT as u64);
    let stored = cluster.messages("orders");
    holds(&stored, COUNT, COUNT, KEYS);
    assert_eq!(deaths, COUNT / DYING);
    println!("{deaths} deaths, {} messages for {COUNT}", stored.len());
}

/// The whole cluster goes away and does not come back: what was acknowledged is there, and nothing
/// else is said to be.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_lost_is_acknowledged_when_the_cluster_does_not_come_back() {
    let cluster = cluster(2, 4).start();
    let uri = format!("kafka://{}", cluster.bootstrap());
    let world = world(in_clear(&cluster), &uri).await;
    let sink = sink(&world.root()).await;
    sink.emit(numbered(0..2_000, 50)).await.expect("emitted");
    for broker in 0..2 {
        cluster.fail(Rule::once(ApiKey::Produce).at(broker), Fault::DieAfterwards);
    }
    let mut emitted = 2_000;
    let error = loop {
        match sink.emit(numbered(emitted..emitted + 100, 50)).await {
            Ok(_) if emitted < 4_000 => emitted += 100,
            Ok(_) => break sink.flush().await.expect_err("nobody is there"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate().code(), "08001", "{error:?}");
    let acknowledged = sink.delivered().await.acknowledged;
    let acknowledged = usize::try_from(acknowledged).expect("a count");
    holds(&cluster.messages("orders"), acknowledged, emitted + 100, 50);
    for broker in 0..2 {
        cluster.revive(broker);
    }
    let delivered = sink.close().await.expect("it came back after all");
    assert_eq!(delivered.taken, delivered.acknowledged);
    let taken = usize::try_from(delivered.taken).expect("a count");
    holds(&cluster.messages("orders"), taken, taken, 50);
}
