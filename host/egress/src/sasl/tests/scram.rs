//! `SCRAM` against the reference, whose answers are those of the RFC.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::reference::Server;
use super::{Answer, Mechanism, PASSWORD, SaslError, begin, said};

fn server(mechanism: Mechanism, password: &'static [u8]) -> Server {
    Server {
        password,
        nonce: "3rfcNHYJY1ZVvWVs7j",
        salt: b"salt",
        iterations: 4096,
        sha512: mechanism.name().contains("512"),
    }
}

/// Goes through an exchange, and says with which header it began.
async fn passes(
    mechanism: Mechanism,
    user: &str,
    password: &'static [u8],
    stored: &'static [u8],
    binding: Option<&[u8]>,
) -> Result<String, SaslError> {
    let server = server(mechanism, stored);
    let mut exchange = begin(mechanism, user, password, binding)?;
    let begun = said(exchange.step(b"").await?);
    let bare = begun.find("n=").expect("a user");
    // The header ends at its second comma.
    let header = begun.match_indices(',').nth(1).map(|(place, _)| place + 1);
    let (header, bare) = (&begun[..header.expect("a header")], &begun[bare..]);
    let first = server.first(bare);
    let last = said(exchange.step(first.as_bytes()).await?);
    let (without, proof) = last.rsplit_once(",p=").expect("a proof");
    let (owed, signature) = server.proofs(bare, &first, without);
    assert_eq!(proof, owed, "the proof of the password");
    let mut bound = header.as_bytes().to_vec();
    if header.starts_with('p') {
        bound.extend(binding.expect("a binding"));
    }
    let expected = format!("c={},", BASE64_STANDARD.encode(bound));
    assert!(without.starts_with(&expected), "{without}");
    let done = exchange.step(format!("v={signature}").as_bytes()).await?;
    assert_eq!(done, Answer::Done);
    assert_eq!(exchange.step(b"").await, Err(SaslError::Over));
    Ok(header.to_owned())
}

#[tokio::test]
async fn every_form_passes_and_says_whether_it_is_bound() {
    let word = PASSWORD.as_bytes();
    for (mechanism, binding, header) in [
        (Mechanism::ScramSha256, None, "n,,"),
        (Mechanism::ScramSha512, None, "n,,"),
        (Mechanism::ScramSha256, Some(&b""[..]), "n,,"),
        (Mechanism::ScramSha256, Some(b"digest"), "y,,"),
        (Mechanism::ScramSha512, Some(b"digest"), "y,,"),
        (
            Mechanism::ScramSha256Plus,
            Some(b"digest"),
            "p=tls-server-end-point,,",
        ),
        (
            Mechanism::ScramSha512Plus,
            Some(b"digest"),
            "p=tls-server-end-point,,",
        ),
    ] {
        let passed = passes(mechanism, "user", word, word, binding).await;
        assert_eq!(passed, Ok(header.to_owned()), "{mechanism}");
    }
}

#[tokio::test]
async fn a_form_that_is_bound_needs_something_to_bind_to() {
    let begun = |binding| begin(Mechanism::ScramSha256Plus, "user", b"pencil", binding);
    assert_eq!(begun(None).err(), Some(SaslError::NoChannel));
    assert_eq!(begun(Some(b"")).err(), Some(SaslError::Unbindable));
}

#[tokio::test]
async fn a_user_with_a_border_in_the_name_is_escaped() {
    let mut exchange = begin(Mechanism::ScramSha256, "a,b=c", b"pencil", None).expect("begun");
    let begun = said(exchange.step(b"").await.expect("a message"));
    assert!(begun.starts_with("n,,n=a=2Cb=3Dc,r="), "{begun}");
}

/// RFC 4013, section 3.
#[tokio::test]
async fn a_password_is_hashed_in_its_one_spelling() {
    for (given, stored) in [
        ("I\u{ad}X", &b"IX"[..]),
        ("\u{aa}", b"a"),
        ("\u{2168}", b"IX"),
        // It has none, and is taken as it is.
        ("\u{7}", b"\x07"),
    ] {
        let passed = passes(
            Mechanism::ScramSha256,
            "user",
            given.as_bytes(),
            stored,
            None,
        )
        .await;
        assert_eq!(passed, Ok("n,,".to_owned()), "{given:?}");
    }
    let bytes = passes(
        Mechanism::ScramSha256,
        "user",
        b"\xff\xfe",
        b"\xff\xfe",
        None,
    )
    .await;
    assert_eq!(bytes, Ok("n,,".to_owned()));
}

#[tokio::test]
async fn two_exchanges_have_two_nonces() {
    let mut begun = Vec::new();
    for _ in 0..2 {
        let mut exchange = begin(Mechanism::ScramSha256, "u", b"pencil", None).expect("begun");
        begun.push(said(exchange.step(b"").await.expect("a message")));
    }
    assert_ne!(begun[0], begun[1]);
    assert!(begun[0].len() >= "n,,n=u,r=".len() + 24);
}
