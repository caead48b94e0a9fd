//! Clients that are not ours hold the cluster to Kafka: librdkafka, in Confluent's own package, and
//! the client of the kafka-python project for what librdkafka does not speak. Each mechanism is tried
//! with right and with wrong credentials.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use portolan_broker::{ApiKey, Cluster, Fault, Login, ResponseError, Rule};
use portolan_servers::{Authority, RsaKey};
use support::{Confluent, SignedBy, kafka_python, token};

const COUNT: usize = 50;

/// Produces with every compression and reads everything back; both ways of looking agree.
#[test]
fn librdkafka_produces_with_every_compression_and_reads_it_back_from_three_brokers() {
    let cluster = Cluster::builder().brokers(3).topic("orders", 6).start();
    let mut expected = 0;
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let result = Confluent::new(&cluster)
            .with("compression.type", compression)
            .produce("orders", COUNT);
        assert_eq!(result.delivered, COUNT, "{compression}: {result:?}");
        expected += COUNT;
        assert_eq!(cluster.messages("orders").len(), expected, "{compression}");
    }
    let stored = cluster.messages("orders");
    let led: std::collections::BTreeSet<_> = stored.iter().map(|it| it.partition).collect();
    assert_eq!(led.len(), 6, "every partition has messages");
    let one = stored.first().expect("a message");
    assert!(one.key.as_ref().is_some_and(|key| key.starts_with(b"key-")));
    assert_eq!(one.headers, [("from".to_owned(), Some("foreign".into()))]);
    let mut ours: Vec<_> = stored.iter().map(|it| it.value.clone()).collect();
    let mut theirs = Confluent::new(&cluster).consume("orders", 6, expected);
    ours.sort();
    theirs.sort();
    let ours: Vec<_> = ours.into_iter().flatten().collect();
    assert_eq!(ours, theirs);
}

#[test]
fn librdkafka_trusts_the_certificate_and_only_that_one() {
    let authority = Authority::new("kafka");
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .tls(&authority.issue(&["localhost"]))
        .start();
    let tls = |pem: &str| {
        Confluent::new(&cluster)
            .with("security.protocol", "SSL")
            .with("ssl.ca.pem", pem)
            .produce("orders", COUNT)
    };
    assert_eq!(tls(&authority.pem()).delivered, COUNT);
    let other = tls(&Authority::new("other").pem());
    assert_eq!(other.delivered, 0);
    assert!(
        other.errors.contains("certificate verify failed"),
        "{other:?}"
    );
    // And the other way round: plain text to a port with TLS.
    assert_eq!(
        Confluent::new(&cluster).produce("orders", COUNT).delivered,
        0
    );
    assert_eq!(cluster.messages("orders").len(), COUNT);
}

#[test]
fn librdkafka_shows_a_client_certificate_or_stays_outside() {
    let authority = Authority::new("kafka");
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .tls(&authority.issue(&["localhost"]))
        .client_authority(&authority.pem())
        .start();
    let client = Confluent::new(&cluster)
        .with("security.protocol", "SSL")
        .with("ssl.ca.pem", &authority.pem());
    let shows = |identity: &portolan_servers::Identity| {
        client
            .clone()
            .with("ssl.certificate.pem", &identity.certificate)
            .with("ssl.key.pem", &identity.key)
            .produce("orders", COUNT)
            .delivered
    };
    assert_eq!(shows(&authority.issue_client("client")), COUNT);
    assert_eq!(shows(&Authority::new("other").issue_client("client")), 0);
    assert_eq!(client.produce("orders", COUNT).delivered, 0);
    assert_eq!(cluster.messages("orders").len(), COUNT);
}

#[test]
fn librdkafka_authenticates_with_passwords_right_and_wrong() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let cluster = Cluster::builder()
            .topic("orders", 1)
            .mechanisms(&[mechanism])
            .user("ada", "right")
            .start();
        let client = Confluent::new(&cluster)
            .with("security.protocol", "SASL_PLAINTEXT")
            .with("sasl.mechanism", mechanism)
            .with("sasl.username", "ada");
        let right = client.clone().with("sasl.password", "right");
        let right = right.produce("orders", COUNT);
        assert_eq!(right.delivered, COUNT, "{mechanism}: {right:?}");
        for (user, password) in [("ada", "wrong"), ("eve", "right")] {
            let wrong = client
                .clone()
                .with("sasl.username", user)
                .with("sasl.password", password)
                .produce("orders", COUNT);
            assert_eq!(wrong.delivered, 0, "{mechanism}");
            assert!(
                wrong.errors.contains("SASL authentication error"),
                "{mechanism}: {wrong:?}"
            );
        }
        assert_eq!(cluster.messages("orders").len(), COUNT);
        let login = |user: Option<&str>| Login {
            mechanism: mechanism.to_owned(),
            user: user.map(str::to_owned),
        };
        assert!(cluster.logins().contains(&login(Some("ada"))));
        assert!(cluster.logins().contains(&login(None)));
    }
}

#[test]
fn librdkafka_finds_out_that_the_server_does_not_know_the_password() {
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .mechanisms(&["SCRAM-SHA-512"])
        .user("ada", "right")
        .tamper_with_server_signatures()
        .start();
    let result = Confluent::new(&cluster)
        .with("security.protocol", "SASL_PLAINTEXT")
        .with("sasl.mechanism", "SCRAM-SHA-512")
        .with("sasl.username", "ada")
        .with("sasl.password", "right")
        .produce("orders", COUNT);
    assert_eq!(result.delivered, 0, "{result:?}");
    assert_eq!(cluster.messages("orders"), []);
}

#[test]
fn librdkafka_is_told_which_mechanisms_are_offered() {
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .mechanisms(&["PLAIN", "SCRAM-SHA-512"])
        .user("ada", "right")
        .start();
    let result = Confluent::new(&cluster)
        .with("security.protocol", "SASL_PLAINTEXT")
        .with("sasl.mechanism", "SCRAM-SHA-256")
        .with("sasl.username", "ada")
        .with("sasl.password", "right")
        .produce("orders", COUNT);
    assert_eq!(result.delivered, 0);
    assert!(
        result.errors.contains("PLAIN,SCRAM-SHA-512")
            || result.errors.contains("PLAIN, SCRAM-SHA-512"),
        "{result:?}"
    );
}

#[test]
fn librdkafka_brings_a_token_that_holds_or_stays_outside() {
    let key = Arc::new(RsaKey::generate());
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .mechanisms(&["OAUTHBEARER"])
        .tokens(Arc::clone(&key), "kafka")
        .start();
    let brings = |token: &str| {
        let result = Confluent::new(&cluster)
            .with("security.protocol", "SASL_PLAINTEXT")
            .with("sasl.mechanism", "OAUTHBEARER")
            .token(token)
            .produce("orders", COUNT);
        result.delivered
    };
    assert_eq!(brings(&token(&key, "kafka", 600)), COUNT);
    assert_eq!(brings(&token(&key, "another", 600)), 0);
    assert_eq!(brings(&token(&key, "kafka", -10)), 0);
    assert_eq!(brings(&token(&RsaKey::generate(), "kafka", 600)), 0);
    assert_eq!(cluster.messages("orders").len(), COUNT);
}

#[test]
fn librdkafka_authenticates_again_before_its_time_is_over() {
    let cluster = Cluster::builder()
        .topic("orders", 1)
        .mechanisms(&["SCRAM-SHA-512"])
        .user("ada", "right")
        .session_lifetime(Duration::from_millis(1500))
        .start();
    let result = Confluent::new(&cluster)
        .with("security.protocol", "SASL_PLAINTEXT")
        .with("sasl.mechanism", "SCRAM-SHA-512")
        .with("sasl.username", "ada")
        .with("sasl.password", "right")
        .pause(Duration::from_millis(100))
        .produce("orders", COUNT);
    assert_eq!(result.delivered, COUNT, "{result:?}");
    assert!(cluster.logins().len() >= 3, "{:?}", cluster.logins());
}

#[test]
fn librdkafka_outlives_the_death_of_a_broker_and_a_new_leader() {
    let cluster = Cluster::builder().brokers(3).topic("orders", 3).start();
    cluster.fail(
        Rule::once(ApiKey::Produce).at(1).after(2),
        Fault::DieAfterwards,
    );
    cluster.fail(
        Rule::once(ApiKey::Produce).at(0).after(1),
        Fault::Error(ResponseError::NotLeaderOrFollower),
    );
    let result = Confluent::new(&cluster)
        .pause(Duration::from_millis(20))
        .produce("orders", COUNT);
    assert_eq!(result.delivered, COUNT, "{result:?}");
    let mut values: Vec<_> = cluster
        .messages("orders")
        .into_iter()
        .map(|it| it.value)
        .collect();
    values.sort();
    values.dedup();
    assert_eq!(
        values.len(),
        COUNT,
        "a repeated message is one that is there"
    );
}

#[test]
fn librdkafka_is_told_that_a_topic_is_missing_or_not_allowed() {
    let cluster = Cluster::builder().topic("orders", 1).start();
    cluster.deny("orders");
    let denied = Confluent::new(&cluster).produce("orders", COUNT);
    assert_eq!(denied.delivered, 0);
    assert!(
        denied.errors.contains("TOPIC_AUTHORIZATION_FAILED"),
        "{denied:?}"
    );
    let missing = Confluent::new(&cluster).produce("others", COUNT);
    assert_eq!(missing.delivered, 0);
    assert!(missing.errors.contains("UNKNOWN_TOPIC"), "{missing:?}");
}

#[test]
fn kafka_python_signs_for_aws_and_only_the_right_key_is_let_in() {
    const REGION: &str = "eu-central-1";
    let authority = Authority::new("msk");
    let cluster = |id: &str| {
        Cluster::builder()
            .topic("orders", 1)
            .tls(&authority.issue(&["localhost"]))
            .mechanisms(&["AWS_MSK_IAM"])
            .aws_key(id, "right", REGION)
    };
    let msk = cluster("AKIAEXAMPLE").start();
    let signs = |secret: &str, region: &str| {
        let key = SignedBy {
            id: "AKIAEXAMPLE",
            secret,
            region,
            token: None,
        };
        kafka_python(&msk, &authority, &key)
    };
    assert!(signs("right", REGION));
    assert!(!signs("wrong", REGION));
    assert!(!signs("right", "us-east-1"));
    assert_eq!(msk.messages("orders").len(), 1);

    let msk = cluster("ASIAEXAMPLE")
        .aws_session_token("session/token+1==")
        .start();
    let signs = |token| {
        let key = SignedBy {
            id: "ASIAEXAMPLE",
            secret: "right",
            region: REGION,
            token,
        };
        kafka_python(&msk, &authority, &key)
    };
    assert!(signs(Some("session/token+1==")));
    assert!(!signs(Some("another")));
    assert!(!signs(None));
}
