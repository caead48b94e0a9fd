//! What a broker says when it does not.

use kafka_protocol::error::ResponseError;
use portolan_sdk::{Failure, FailureClass, joined};

/// The broker does not speak the protocol.
pub(crate) fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["this is not what a Kafka broker answers: ", what]),
    )
    .with_hint("Look whether a Kafka broker answers at this host and port, and nothing between.")
}

/// A request that no version of the protocol can hold.
pub(crate) fn unwritable<E>(_: E) -> Failure {
    Failure::new(
        FailureClass::Unsupported,
        "a request is one that Kafka's protocol cannot hold",
    )
}

/// Whether an error goes away when the cluster has settled, so that the same is sent again.
pub(crate) fn is_passing(error: ResponseError) -> bool {
    match error {
        // The batch was broken on the way.
        ResponseError::CorruptMessage => true,
        ResponseError::BrokerNotAvailable => true,
        error => error.is_retriable(),
    }
}

/// The failure of an error code; none for 0. `what` is what the broker was asked for.
pub(crate) fn refusal(code: i16, what: &str) -> Option<Failure> {
    let error = ResponseError::try_from_code(code)?;
    let (class, hint) = meaning(error);
    let failure = Failure::new(
        class,
        match name(error) {
            "" => joined(&[what, ": the broker answered error ", &code.to_string()]),
            name => joined(&[what, ": the broker answered ", name]),
        },
    );
    Some(match hint {
        "" => failure,
        hint => failure.with_hint(hint),
    })
}

/// The names of what producers meet, as Kafka's documents write them. The library's own table of all
/// names weighs more than its use here is worth.
fn name(error: ResponseError) -> &'static str {
    match error {
        ResponseError::UnknownServerError => "UNKNOWN_SERVER_ERROR",
        ResponseError::CorruptMessage => "CORRUPT_MESSAGE",
        ResponseError::UnknownTopicOrPartition => "UNKNOWN_TOPIC_OR_PARTITION",
        ResponseError::LeaderNotAvailable => "LEADER_NOT_AVAILABLE",
        ResponseError::NotLeaderOrFollower => "NOT_LEADER_OR_FOLLOWER",
        ResponseError::RequestTimedOut => "REQUEST_TIMED_OUT",
        ResponseError::MessageTooLarge => "MESSAGE_TOO_LARGE",
        ResponseError::InvalidTopicException => "INVALID_TOPIC_EXCEPTION",
        ResponseError::RecordListTooLarge => "RECORD_LIST_TOO_LARGE",
        ResponseError::NotEnoughReplicas => "NOT_ENOUGH_REPLICAS",
        ResponseError::NotEnoughReplicasAfterAppend => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        ResponseError::TopicAuthorizationFailed => "TOPIC_AUTHORIZATION_FAILED",
        ResponseError::ClusterAuthorizationFailed => "CLUSTER_AUTHORIZATION_FAILED",
        ResponseError::InvalidTimestamp => "INVALID_TIMESTAMP",
        ResponseError::IllegalSaslState => "ILLEGAL_SASL_STATE",
        ResponseError::UnsupportedVersion => "UNSUPPORTED_VERSION",
        ResponseError::PolicyViolation => "POLICY_VIOLATION",
        ResponseError::KafkaStorageError => "KAFKA_STORAGE_ERROR",
        ResponseError::SaslAuthenticationFailed => "SASL_AUTHENTICATION_FAILED",
        ResponseError::InvalidRecord => "INVALID_RECORD",
        _ => "",
    }
}

fn meaning(error: ResponseError) -> (FailureClass, &'static str) {
    match error {
        ResponseError::SaslAuthenticationFailed => (FailureClass::RefusedCredentials, ""),
        ResponseError::UnsupportedSaslMechanism | ResponseError::UnsupportedVersion => {
            (FailureClass::Unsupported, "")
        }
        ResponseError::IllegalSaslState => (
            FailureClass::Unsupported,
            "This port of the broker does not authenticate: leave out sasl_enabled, or write the \
             port that does.",
        ),
        ResponseError::TopicAuthorizationFailed => (
            FailureClass::Denied,
            "Allow the user to describe and to write the topic.",
        ),
        ResponseError::ClusterAuthorizationFailed
        | ResponseError::TransactionalIdAuthorizationFailed => (
            FailureClass::Denied,
            "Allow the user to connect and to write at this cluster.",
        ),
        ResponseError::UnknownTopicOrPartition => (
            FailureClass::NotFound,
            "Create the topic at the cluster, or allow the user to describe it; look at \
             topic_prefix and topic_name.",
        ),
        ResponseError::InvalidTopicException => (
            FailureClass::NotFound,
            "A topic has 1 to 249 letters, digits, dots, underscores and hyphens.",
        ),
        ResponseError::MessageTooLarge | ResponseError::RecordListTooLarge => (
            FailureClass::Unsupported,
            "Let the topic take larger messages (max.message.bytes), or send smaller ones.",
        ),
        ResponseError::UnsupportedForMessageFormat
        | ResponseError::UnsupportedCompressionType
        | ResponseError::InvalidTimestamp
        | ResponseError::InvalidRecord
        | ResponseError::PolicyViolation => (
            FailureClass::Unsupported,
            "Look at the settings of the topic: it does not take such messages.",
        ),
        ResponseError::NotEnoughReplicas | ResponseError::NotEnoughReplicasAfterAppend => (
            FailureClass::Unreachable,
            "Too few replicas are in sync: look at the cluster's brokers and at \
             min.insync.replicas.",
        ),
        error if error.is_retriable() => (
            FailureClass::Unreachable,
            "The cluster has not settled: look at its brokers, and try again.",
        ),
        _ => (FailureClass::Protocol, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_class() {
        for (error, class) in [
            (
                ResponseError::SaslAuthenticationFailed,
                FailureClass::RefusedCredentials,
            ),
            (
                ResponseError::TopicAuthorizationFailed,
                FailureClass::Denied,
            ),
            (
                ResponseError::UnknownTopicOrPartition,
                FailureClass::NotFound,
            ),
            (
                ResponseError::NotLeaderOrFollower,
                FailureClass::Unreachable,
            ),
            (ResponseError::MessageTooLarge, FailureClass::Unsupported),
            (ResponseError::InvalidRequest, FailureClass::Protocol),
            (ResponseError::Unknown(999), FailureClass::Protocol),
        ] {
            let failure = refusal(error.code(), "topic x").expect("an error");
            assert_eq!(failure.class, class, "{error:?}");
            assert!(failure.message.starts_with("topic x: the broker answered "));
        }
        assert_eq!(refusal(0, "topic x"), None);
    }

    #[test]
    fn what_passes_is_sent_again_and_a_refusal_is_not() {
        for error in [
            ResponseError::NotLeaderOrFollower,
            ResponseError::LeaderNotAvailable,
            ResponseError::NotEnoughReplicas,
            ResponseError::RequestTimedOut,
            ResponseError::CorruptMessage,
        ] {
            assert!(is_passing(error), "{error:?}");
        }
        for error in [
            ResponseError::TopicAuthorizationFailed,
            ResponseError::MessageTooLarge,
            ResponseError::InvalidTopicException,
            ResponseError::Unknown(999),
        ] {
            assert!(!is_passing(error), "{error:?}");
        }
    }
}
