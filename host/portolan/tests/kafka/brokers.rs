//! The brokers of a cluster: several in a URI, and those that a cluster advertises.

use portolan::{BrokerRule, EgressOptions};
use portolan_broker::ApiKey;

use crate::setting::{HOST, PLAIN, cluster, in_clear, numbered, sink, uri, world};
use crate::support::{World, rows, run};
use crate::told::{expect, failing, made, nobody};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_gone_leaves_the_others_of_the_uri() {
    let cluster = cluster(3, 3).start();
    let uri = format!("kafka://{}?topic_name=orders", cluster.bootstrap());
    cluster.kill(0);
    assert_eq!(made(in_clear(&cluster), &uri).await, PLAIN);
    for broker in [1, 2] {
        cluster.kill(broker);
    }
    let told = failing(in_clear(&cluster), &uri, &[]).await;
    assert!(
        told.starts_with("resolve ok, dial failed\n08001\n"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broker_of_the_uri_is_told_of() {
    let cluster = cluster(2, 2).start();
    cluster.kill(0);
    let uri = format!("kafka://{}", cluster.bootstrap());
    let world = world(in_clear(&cluster), &uri).await;
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION k").await;
    let ports: Vec<_> = cluster.addresses().iter().map(|it| it.port()).collect();
    assert_eq!(
        told[3][3],
        format!(
            "{HOST}:{}: {HOST}:{} refused the connection, {HOST}:{}: answers",
            ports[0], ports[0], ports[1]
        )
    );
}

/// Brokers that lead to an address of the operator's own network, to a metadata service, to another
/// name, to no host at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_the_cluster_has_no_right_to_name_is_not_dialled() {
    for (host, port, state, message) in [
        (
            "169.254.169.254",
            80,
            "42501",
            "the server names the broker 169.254.169.254:80",
        ),
        (
            "127.0.0.1",
            5432,
            "42501",
            "the server names the broker 127.0.0.1:5432",
        ),
        (
            "db.internal.corp",
            5432,
            "42501",
            "the server names the broker db.internal.corp:5432",
        ),
        (
            "evilkafka.example",
            9092,
            "42501",
            "the server names the broker evilkafka.example:9092",
        ),
        (
            "no host",
            9092,
            "08P01",
            "the server names a broker that is no host and port",
        ),
        (
            "",
            9092,
            "08P01",
            "the server names a broker that is no host and port",
        ),
        (HOST, 0, "08P01", "a broker is advertised without a port"),
        (HOST, -1, "08P01", "a broker is advertised without a port"),
        (
            HOST,
            70_000,
            "08P01",
            "a broker is advertised without a port",
        ),
    ] {
        let cluster = cluster(1, 1).start();
        cluster.advertise(&[(0, host, port)]);
        let options = in_clear(&cluster);
        let world = world(options, &uri(&cluster, "topic_name=orders")).await;
        let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION k").await;
        let failed = told
            .iter()
            .find(|row| row[1] == "failed")
            .expect("a failure");
        assert_eq!(failed[0], "brokers", "{told:?}");
        // What a broker says wrongly may be right at the next one: a sink asks for a while.
        if state == "08P01" {
            continue;
        }
        let sink = sink(&world.root()).await;
        let error = sink.emit(numbered(0..1, 1)).await.err();
        let error = match error {
            Some(error) => error,
            None => sink.flush().await.expect_err("it cannot be sent"),
        };
        assert_eq!(error.sqlstate().code(), state, "{host}: {error:?}");
        assert!(error.message().contains(message), "{error:?}");
        assert_eq!(cluster.messages("orders"), [], "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_names_the_broker_and_the_rule_and_the_rule_lets_it_in() {
    let cluster = cluster(1, 1).start();
    let port = cluster.addresses()[0].port();
    cluster.advertise(&[(0, "b-1.elsewhere.test", i32::from(port))]);
    let with = |options: EgressOptions| {
        let mut options = options;
        let from = format!("b-1.elsewhere.test:{port}");
        let to = cluster.addresses()[0].to_string();
        options.connect_to.add(&from, &to).expect("a line");
        options
    };
    let query = uri(&cluster, "topic_name=orders");
    let rule = format!("b-1.elsewhere.test:{port}");
    expect(
        &failing(with(in_clear(&cluster)), &query, &[]).await,
        [
            "resolve ok, dial ok, tls skipped, versions ok, authenticate skipped, metadata ok, \
             brokers failed",
            "42501",
            &format!(
                "invalid changefeed sink URI: broker 0 at {rule}: the server names the broker \
                 {rule}, which is neither a host of the connection's URI nor below the parent \
                 domain of one"
            ),
            &format!(
                "if it is meant, write into portolan.toml: [[egress.brokers]] bootstrap = \
                 \"{HOST}:{port}\" allow = [\"{rule}\"], on three lines; else correct what the \
                 brokers advertise"
            ),
        ],
    );
    let mut options = with(in_clear(&cluster));
    options.policy = options.policy.with_brokers(vec![BrokerRule {
        bootstrap: HOST.parse().expect("a rule"),
        allow: vec!["*.elsewhere.test".parse().expect("a rule")],
    }]);
    assert_eq!(made(options, &query).await, PLAIN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_is_named() {
    let cluster = cluster(1, 1).start();
    let silent = nobody();
    cluster.advertise(&[(3, HOST, i32::from(silent.port()))]);
    let mut options = in_clear(&cluster);
    let from = format!("{HOST}:{}", silent.port());
    options
        .connect_to
        .add(&from, &silent.to_string())
        .expect("a line");
    let told = failing(options, &uri(&cluster, "topic_name=orders"), &[]).await;
    assert!(
        told.contains(&format!(
            "broker 3 at {from}: {from} refused the connection"
        )),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_probe_sends_nothing() {
    let cluster = cluster(1, 1).start();
    let uri = uri(&cluster, "topic_name=orders");
    let world = World::with(|builder| builder.egress(in_clear(&cluster))).await;
    run(
        &world.root(),
        &format!("CREATE EXTERNAL CONNECTION k AS '{uri}'"),
    )
    .await;
    assert_eq!(cluster.asked(ApiKey::Produce), 0);
    assert_eq!(cluster.messages("orders"), []);
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION k").await;
    let last = told.last().expect("a step");
    assert_eq!(
        (&*last[0], &*last[3]),
        ("authorise", "orders: 1 partitions")
    );
}
