//! Brokers that fail and lie, while they are tried out and while they are used.

use std::time::Duration;

use portolan_broker::{ApiKey, Fault, ResponseError, Rule};

use crate::setting::{cluster, holds, in_clear, numbered, sink, uri, world};
use crate::told::failing;

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lies_ends_a_probe_with_what_it_did() {
    for (api, fault, steps, state, problem) in [
        (
            ApiKey::ApiVersions,
            Fault::Close,
            "versions failed",
            "08001",
            "the broker closed the connection",
        ),
        (
            ApiKey::ApiVersions,
            Fault::Oversize,
            "versions failed",
            "08P01",
            "a frame is longer than any answer",
        ),
        (
            ApiKey::ApiVersions,
            Fault::Cut(9),
            "versions failed",
            "08001",
            "the broker closed the connection",
        ),
        (
            ApiKey::ApiVersions,
            Fault::Garbage,
            "versions failed",
            "08P01",
            "an answer cannot be read",
        ),
        (
            ApiKey::Metadata,
            Fault::WrongCorrelation,
            "metadata failed",
            "08P01",
            "an answer is to another request",
        ),
        (
            ApiKey::Metadata,
            Fault::Garbage,
            "metadata failed",
            "08P01",
            "a frame is no answer",
        ),
        (
            ApiKey::Metadata,
            Fault::Die,
            "metadata failed",
            "08001",
            "the broker closed the connection",
        ),
    ] {
        let cluster = cluster(1, 1).start();
        let uri = uri(&cluster, "topic_name=orders");
        cluster.fail(Rule::every(api), fault.clone());
        let options = in_clear(&cluster);
        let world = world(options, &uri).await;
        let told = crate::support::rows(&world.root(), "VALIDATE EXTERNAL CONNECTION k").await;
        let failed = told.last().expect("a step");
        let shown = format!("{} {}", failed[0], failed[1]);
        assert_eq!(shown, steps, "{fault:?}: {told:?}");
        let error = {
            let sql = format!("CREATE EXTERNAL CONNECTION other AS '{uri}'");
            crate::support::refused(&world.root(), &sql).await
        };
        if fault != Fault::Die {
            assert_eq!(error.sqlstate().code(), state, "{fault:?}: {error:?}");
            assert!(error.message().contains(problem), "{fault:?}: {error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_broker_has_its_name_and_its_class() {
    for (api, error, state, name) in [
        (
            ApiKey::Metadata,
            ResponseError::TopicAuthorizationFailed,
            "42501",
            "TOPIC_AUTHORIZATION_FAILED",
        ),
        (
            ApiKey::Metadata,
            ResponseError::InvalidTopicException,
            "42704",
            "INVALID_TOPIC_EXCEPTION",
        ),
        (
            ApiKey::Produce,
            ResponseError::TopicAuthorizationFailed,
            "42501",
            "TOPIC_AUTHORIZATION_FAILED",
        ),
        (
            ApiKey::Produce,
            ResponseError::MessageTooLarge,
            "0A000",
            "MESSAGE_TOO_LARGE",
        ),
        (
            ApiKey::Produce,
            ResponseError::InvalidRecord,
            "0A000",
            "INVALID_RECORD",
        ),
    ] {
        let cluster = cluster(1, 1).start();
        cluster.fail(Rule::every(api), Fault::Error(error));
        let told = failing(in_clear(&cluster), &uri(&cluster, "topic_name=orders"), &[]).await;
        assert!(
            told.contains(&format!("failed\n{state}\n")),
            "{error:?}: {told}"
        );
        assert!(
            told.contains(&format!("the broker answered {name}")),
            "{told}"
        );
    }
}

/// What passes by itself is not told: everything is there, and in order.
#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_waited_for() {
    for (name, rule, fault) in [
        (
            "a new leader",
            Rule::every(ApiKey::Produce).after(2).times(3),
            Fault::Error(ResponseError::NotLeaderOrFollower),
        ),
        (
            "too few replicas",
            Rule::every(ApiKey::Produce).after(1).times(4),
            Fault::Error(ResponseError::NotEnoughReplicasAfterAppend),
        ),
        (
            "a closed connection",
            Rule::every(ApiKey::Produce).after(3).times(2),
            Fault::Close,
        ),
        (
            "an answer that is lost",
            Rule::every(ApiKey::Produce).after(3).times(2),
            Fault::CloseAfterwards,
        ),
        (
            "half an answer",
            Rule::every(ApiKey::Produce).after(2).times(2),
            Fault::Cut(11),
        ),
        (
            "an answer to nobody",
            Rule::every(ApiKey::Produce).after(2).times(2),
            Fault::WrongCorrelation,
        ),
        (
            "an answer that is none",
            Rule::every(ApiKey::Produce).after(2).times(2),
            Fault::Garbage,
        ),
        (
            "an answer that never ends",
            Rule::every(ApiKey::Produce).after(2).times(2),
            Fault::Oversize,
        ),
        (
            "a slow broker",
            Rule::every(ApiKey::Produce).times(3),
            Fault::Delay(Duration::from_millis(700)),
        ),
        (
            "a death between metadata and produce",
            Rule::once(ApiKey::Produce).at(0),
            Fault::Die,
        ),
        (
            "a death before the answer",
            Rule::once(ApiKey::Produce).at(1).after(1),
            Fault::DieAfterwards,
        ),
        (
            "metadata that is refused",
            Rule::every(ApiKey::Metadata).after(1).times(2),
            Fault::Error(ResponseError::LeaderNotAvailable),
        ),
    ] {
        let cluster = cluster(3, 6).start();
        cluster.fail(rule, fault);
        let uri = format!("kafka://{}", cluster.bootstrap());
        let world = world(in_clear(&cluster), &uri).await;
        let sink = sink(&world.root()).await;
        for start in (0..2_000).step_by(100) {
            let emitted = sink.emit(numbered(start..start + 100, 40)).await;
            emitted.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        let delivered = sink.close().await;
        let delivered = delivered.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(delivered.acknowledged, 2_000, "{name}");
        holds(&cluster.messages("orders"), 2_000, 2_000, 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_is_told_and_nothing_is_said_to_be_there() {
    let cluster = cluster(1, 1).start();
    let world = world(in_clear(&cluster), &uri(&cluster, "")).await;
    let sink = sink(&world.root()).await;
    sink.emit(numbered(0..10, 2)).await.expect("emitted");
    assert_eq!(sink.flush().await.expect("flushed").acknowledged, 10);
    cluster.deny("orders");
    let error = match sink.emit(numbered(10..20, 2)).await {
        Err(error) => error,
        Ok(_) => sink.flush().await.expect_err("it is denied"),
    };
    assert_eq!(error.sqlstate().code(), "42501", "{error:?}");
    assert_eq!(sink.delivered().await.acknowledged, 10);
    assert_eq!(cluster.messages("orders").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_no_broker_takes_is_told() {
    let cluster = cluster(1, 1).start();
    let world = world(in_clear(&cluster), &uri(&cluster, "")).await;
    let sink = sink(&world.root()).await;
    let large = portolan::Message::new("orders", vec![b'x'; 2 << 20]);
    let error = match sink.emit(vec![large]).await {
        Err(error) => error,
        Ok(_) => sink.flush().await.expect_err("it is too large"),
    };
    assert_eq!(error.sqlstate().code(), "0A000");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("max.message.bytes")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_answers_ends_its_step_in_time() {
    for (api, steps) in [
        (ApiKey::ApiVersions, "versions failed"),
        (ApiKey::SaslAuthenticate, "authenticate failed"),
        (ApiKey::Metadata, "metadata failed"),
    ] {
        let cluster = cluster(1, 1)
            .mechanisms(&["PLAIN"])
            .user("ada", "r1ght-w0rd")
            .start();
        cluster.fail(Rule::every(api), Fault::NeverAnswer);
        let mut limits = portolan::Limits::default();
        limits.step_wall_time = Duration::from_millis(800);
        let world = crate::support::World::with(|builder| {
            builder.egress(in_clear(&cluster)).limits(limits)
        });
        let world = world.await;
        let query = "topic_name=orders&sasl_enabled=true&sasl_user=ada&sasl_password=r1ght-w0rd";
        let uri = uri(&cluster, query);
        let create = format!("CREATE EXTERNAL CONNECTION k AS '{uri}'");
        let error = crate::support::refused(&world.root(), &create).await;
        assert_eq!(error.sqlstate().code(), "57014", "{error:?}");
        let create = format!("{create} WITH VALIDATE = 'none'");
        crate::support::run(&world.root(), &create).await;
        let told = crate::support::rows(&world.root(), "VALIDATE EXTERNAL CONNECTION k").await;
        let failed = told.last().expect("a step");
        assert_eq!(format!("{} {}", failed[0], failed[1]), steps);
    }
}

/// A sink whose broker says nothing gives its messages to another instance; nothing is said to be
/// there that is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_leader_is_given_up_and_nothing_is_lost() {
    let cluster = cluster(2, 4).start();
    cluster.fail(Rule::once(ApiKey::Produce).after(1), Fault::NeverAnswer);
    let uri = format!("kafka://{}", cluster.bootstrap());
    let world = world(in_clear(&cluster), &uri).await;
    let sink = sink(&world.root()).await;
    for start in (0..1_000).step_by(100) {
        sink.emit(numbered(start..start + 100, 20))
            .await
            .expect("emitted");
    }
    let delivered = sink.close().await.expect("delivered after all");
    assert_eq!(delivered.acknowledged, 1_000);
    holds(&cluster.messages("orders"), 1_000, 1_000, 20);
}
