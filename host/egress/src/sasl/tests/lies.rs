//! Servers that lie, break off, or ask for too much.

use super::reference::Server;
use super::{Answer, Mechanism, SaslError, begin, said};
use crate::sasl::{LONGEST_CHALLENGE, MOST_ITERATIONS, ServerRefusal};

/// What an exchange comes to where the server says this; `{r}` is the client's nonce.
async fn after(first: &str) -> Result<Answer, SaslError> {
    let mut exchange = begin(Mechanism::ScramSha256, "user", b"pencil", None).expect("begun");
    let begun = said(exchange.step(b"").await.expect("a message"));
    let (_, nonce) = begun.split_once(",r=").expect("a nonce");
    let answered = exchange.step(first.replace("{r}", nonce).as_bytes()).await;
    if let Err(error) = &answered {
        // Whatever failed, every later step fails likewise.
        let again = exchange
            .step(b"r=a,s=YQ==,i=1")
            .await
            .expect_err("it failed");
        assert_eq!(again.failure(), error.failure());
    }
    answered
}

#[tokio::test]
async fn a_server_is_granted_a_million_iterations_and_no_more() {
    for iterations in [MOST_ITERATIONS + 1, u32::MAX] {
        let answered = after(&format!("r={{r}}x,s=YQ==,i={iterations}")).await;
        assert_eq!(answered, Err(SaslError::TooMuchWork), "{iterations}");
    }
    let answered = after(&format!("r={{r}}x,s=YQ==,i={MOST_ITERATIONS}")).await;
    assert!(matches!(answered, Ok(Answer::Message(_))));
}

#[tokio::test]
async fn what_does_not_belong_to_the_exchange_is_refused() {
    for first in [
        // Another exchange's nonce, or the client's own and nothing of the server's.
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=YQ==,i=4096",
        "r={r},s=YQ==,i=4096",
        "r=,s=YQ==,i=4096",
        // No work at all, or none that is a number.
        "r={r}x,s=YQ==,i=0",
        "r={r}x,s=YQ==,i=-1",
        "r={r}x,s=YQ==,i=4294967296",
        "r={r}x,s=YQ==,i=many",
        "r={r}x,s=YQ==,i=",
        // No salt.
        "r={r}x,s=*,i=4096",
        "r={r}x,i=4096",
        // An extension that must be understood.
        "m=new,r={r}x,s=YQ==,i=4096",
        // The proof before its time.
        "v=YQ==",
        // What is no message at all; the library takes two bytes of each attribute unseen.
        "",
        ",",
        "r",
        "r=",
        "r=a,",
        "r=a,s",
        "r=a,s=YQ==,i",
        "r={r}x,s=YQ==,i=4096,",
        "=,=,=",
        "\u{0}",
        "e",
        "v",
    ] {
        assert_eq!(after(first).await, Err(SaslError::Challenge), "{first:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_its_meaning() {
    for (said, meant) in [
        ("e=invalid-proof", ServerRefusal::WrongPassword),
        ("e=unknown-user", ServerRefusal::UnknownUser),
        ("e=channel-bindings-dont-match", ServerRefusal::OtherChannel),
        (
            "e=server-does-support-channel-binding",
            ServerRefusal::OfferRemoved,
        ),
        ("e=no-resources", ServerRefusal::NoResources),
        ("e=pencil", ServerRefusal::Other),
    ] {
        let error = after(said).await.expect_err("refused");
        assert_eq!(error, SaslError::Refused(meant));
        assert_eq!(error.failure().class.sqlstate(), "28000");
        assert!(!error.to_string().contains("pencil"));
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_found_out() {
    let server = Server {
        password: b"pencil",
        nonce: "x",
        salt: b"salt",
        iterations: 4096,
        sha512: false,
    };
    for lie in ["wrong", "cut", "none", "empty", "garbage"] {
        let mut exchange = begin(Mechanism::ScramSha256, "user", b"pencil", None).expect("begun");
        let begun = said(exchange.step(b"").await.expect("a message"));
        let bare = begun.trim_start_matches("n,,");
        let first = server.first(bare);
        let last = said(exchange.step(first.as_bytes()).await.expect("a message"));
        let (without, _) = last.rsplit_once(",p=").expect("a proof");
        let (_, signature) = server.proofs(bare, &first, without);
        let last = match lie {
            // One bit of it is another one.
            "wrong" => {
                let other = if signature.starts_with('A') { "B" } else { "A" };
                format!("v={other}{}", &signature[1..])
            }
            "cut" => format!("v={}", &signature[..4]),
            "none" => "v=".to_owned(),
            "empty" => String::new(),
            _ => "v=*".to_owned(),
        };
        let expected = match lie {
            "wrong" | "cut" => SaslError::ServerProof,
            _ => SaslError::Challenge,
        };
        let error = exchange.step(last.as_bytes()).await.expect_err(lie);
        assert_eq!(error, expected, "{lie}");
    }
    assert_eq!(SaslError::ServerProof.failure().class.sqlstate(), "28000");
}

#[tokio::test]
async fn a_challenge_is_64_kib_at_most() {
    let long = format!("r={{r}}x,s=YQ==,i=1,x={}", "a".repeat(LONGEST_CHALLENGE));
    assert_eq!(after(&long).await, Err(SaslError::LongChallenge));
    assert_eq!(SaslError::LongChallenge.failure().class.sqlstate(), "53200");
}

#[tokio::test]
async fn a_server_cannot_speak_first_where_the_client_does() {
    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256] {
        let mut exchange = begin(mechanism, "user", b"pencil", None).expect("begun");
        let answered = exchange.step(b"hello").await;
        assert_eq!(answered, Err(SaslError::Challenge), "{mechanism}");
    }
}
