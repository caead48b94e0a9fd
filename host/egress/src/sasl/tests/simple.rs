//! `PLAIN`, PostgreSQL's MD5, and what a broker says of a token.

use super::{Answer, Mechanism, SaslError, begin};
use crate::sasl::{ServerRefusal, bearer, iam};

/// RFC 4616, section 4.
#[tokio::test]
async fn plain_is_user_and_password_between_nuls() {
    let mut exchange = begin(Mechanism::Plain, "tim", b"tanstaaftanstaaf", None).expect("begun");
    let answer = exchange.step(b"").await.expect("an answer");
    let Answer::Last(message) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(message.expose(), b"\0tim\0tanstaaftanstaaf");
    assert_eq!(exchange.step(b"").await, Err(SaslError::Over));
}

/// The example is that of the crate postgres-protocol.
#[tokio::test]
async fn md5_answers_a_salt() {
    let begun = || begin(Mechanism::PostgresMd5, "md5_user", b"password", None).expect("begun");
    let answer = begun().step(&[0x2a, 0x3d, 0x8f, 0xe0]).await;
    let Ok(Answer::Last(message)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(message.expose(), b"md562af4dd09bbb41884907a838a3233294");
    for salt in [&b""[..], b"abc", b"abcde"] {
        assert_eq!(begun().step(salt).await, Err(SaslError::Challenge));
    }
}

/// RFC 7628, section 4.3, and the codes of RFC 6750.
#[test]
fn a_refused_token_is_told_by_the_meaning_of_its_code() {
    for (said, meant) in [
        (
            r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}"#,
            ServerRefusal::Token,
        ),
        (r#"{"status":"insufficient_scope"}"#, ServerRefusal::Scope),
        (r#"{"status":"hunter2"}"#, ServerRefusal::Other),
        ("hunter2", ServerRefusal::Other),
    ] {
        assert_eq!(bearer::refusal(said.as_bytes()), meant);
        assert!(!SaslError::Refused(meant).to_string().contains("hunter2"));
    }
}

#[test]
fn a_broker_accepts_in_the_version_that_is_spoken() {
    assert!(iam::is_accepted(
        br#"{"version":"2020_10_22","request-id":"r"}"#
    ));
    for other in [&br#"{"version":"2021_10_22"}"#[..], b"{}", b"", b"ok"] {
        assert!(!iam::is_accepted(other));
    }
}
