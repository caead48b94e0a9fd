//! The names of projects and topics.

use portolan_sdk::{Failure, FailureClass, joined};

/// Whether it can be a project: its id, perhaps with the domain of an organisation before it, or its
/// number.
pub(crate) fn is_project(name: &str) -> bool {
    let in_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':')
    };
    (1..=128).contains(&name.len())
        && name.bytes().all(in_name)
        && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// Whether it can be a topic: a letter, then letters, digits and some signs, 3 to 255 in all.
pub(crate) fn is_topic(name: &str) -> bool {
    let in_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'%')
    };
    (3..=255).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.starts_with("goog")
        && name.bytes().all(in_name)
}

/// The topic that messages go to: the connection's own, or else the one that they name.
///
/// # Errors
///
/// The service could have no topic of that name.
pub(crate) fn topic_of<'a>(own: Option<&'a str>, named: &'a str) -> Result<&'a str, Failure> {
    match own {
        Some(own) => Ok(own),
        None if is_topic(named) => Ok(named),
        None => Err(Failure::new(
            FailureClass::Unsupported,
            joined(&["Pub/Sub can have no topic of the name ", named]),
        )
        .with_hint(HINT)),
    }
}

/// How a topic is named.
pub(crate) const HINT: &str = "A topic begins with a letter and has 3 to 255 letters, digits and \
                               signs of -_.~+%; it does not begin with goog.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_an_id_perhaps_in_a_domain() {
        for right in ["project-1", "example.com:project", "123456"] {
            assert!(is_project(right), "{right}");
        }
        for wrong in [
            "",
            "Project",
            "a/b",
            "a b",
            "..",
            "a%2fb",
            "ä",
            &"a".repeat(129),
        ] {
            assert!(!is_project(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_topic_is_what_the_service_takes() {
        for right in ["abc", "Orders_1", "a.b~c+d%20", &"t".repeat(255)] {
            assert!(is_topic(right), "{right}");
        }
        for wrong in [
            "ab",
            "1abc",
            "goog-x",
            "a/b",
            "a b",
            "a:publish",
            "äbc",
            &"t".repeat(256),
        ] {
            assert!(!is_topic(wrong), "{wrong}");
        }
        assert_eq!(topic_of(Some("own"), "a/b"), Ok("own"));
        assert_eq!(topic_of(None, "orders"), Ok("orders"));
        let failure = topic_of(None, "a/b").expect_err("no topic");
        assert_eq!(failure.message, "Pub/Sub can have no topic of the name a/b");
    }
}
