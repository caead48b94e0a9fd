//! Services that give away what was to stay opaque: a plaintext that comes back in what a provider
//! sees would be held by the provider, and a ciphertext that shows its plaintext is none.
//!
//! Found are the bytes as they are and as base64, in which every service of keys writes them. A service
//! that wants to tell what it was sent can write it otherwise; nothing keeps it from that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use portolan_contract::{Failure, FailureClass};
use portolan_egress::service::{AnswerPart, ServiceAnswer};
use portolan_secret::SecretText;

use super::asked::{Asked, Taken};
use super::parts::Origin;

/// The fewest bytes that are searched for. Fewer may stand in an answer by chance, and no data key is
/// as short.
pub(crate) const SHORTEST: usize = 16;

/// Whether an answer shows what was sent as an opaque part, or what it has as one.
pub(super) fn is(asked: &Asked, answer: &ServiceAnswer) -> bool {
    let mut sent = asked.body.iter().filter_map(|part| match part {
        // As it was sent, which is mostly base64 already; whoever answers may leave padding out.
        Taken::Secret(opaque) if opaque.origin == Origin::Host => {
            Some(unpadded(opaque.bytes.expose()))
        }
        _ => None,
    });
    let mut kept = answer.body.iter().filter_map(|part| match part {
        AnswerPart::Secret(secret) => Some(secret.expose()),
        AnswerPart::Shown(_) => None,
    });
    let shown = |form: &[u8]| form.len() >= SHORTEST && shows(answer, form);
    sent.any(shown)
        || kept.any(|secret| {
            let encoded = SecretText::new(STANDARD_NO_PAD.encode(secret));
            secret.len() >= SHORTEST && (shown(secret) || shown(encoded.expose().as_bytes()))
        })
}

fn unpadded(text: &[u8]) -> &[u8] {
    let shorter = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"="));
    shorter.unwrap_or(text)
}

fn shows(answer: &ServiceAnswer, form: &[u8]) -> bool {
    let finder = memmem::Finder::new(form);
    let mut headers = answer.headers.iter();
    headers.any(|(_, value)| finder.find(value.as_bytes()).is_some())
        || answer.body.iter().any(|part| match part {
            AnswerPart::Shown(bytes) => finder.find(bytes).is_some(),
            AnswerPart::Secret(_) => false,
        })
}

/// What the provider is told in the place of the answer.
pub(super) fn failure(host: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        format!("{host} answered with the very content that was to be encrypted or decrypted"),
    )
    .with_hint("do not use this service: whoever reads its answers reads what it is to protect")
}

#[cfg(test)]
mod tests {
    use portolan_secret::SecretBytes;

    use super::*;

    fn answer(body: Vec<AnswerPart>) -> ServiceAnswer {
        ServiceAnswer {
            status: 200,
            headers: vec![("x-request".to_owned(), "an id".to_owned())],
            body,
            fetched: Vec::new(),
        }
    }

    fn shown(text: &str) -> AnswerPart {
        AnswerPart::Shown(text.as_bytes().to_vec())
    }

    #[test]
    fn a_member_that_stands_elsewhere_as_well_is_given_away() {
        let kept = || AnswerPart::Secret(SecretBytes::new("a data key of 24 letters"));
        let asked = Asked::of_body(Vec::new());
        let fine = answer(vec![shown("{\"p\":\""), kept(), shown("\",\"k\":\"arn\"}")]);
        assert!(!is(&asked, &fine));
        for again in [
            "YSBkYXRhIGtleSBvZiAyNCBsZXR0ZXJz",
            "a data key of 24 letters",
        ] {
            let again = answer(vec![shown("{\"p\":\""), kept(), shown(again)]);
            assert!(is(&asked, &again));
        }
        let mut header = fine;
        header.headers[0].1 = "a data key of 24 letters".to_owned();
        assert!(is(&asked, &header));
    }

    #[test]
    fn what_was_sent_is_given_away_with_its_padding_and_without() {
        let sent = |text: &str, origin| {
            let opaque = super::super::parts::Opaque::new(SecretBytes::new(text), origin);
            Asked::of_body(vec![Taken::Secret(opaque)])
        };
        let echo = answer(vec![shown("{\"c\":\"bm90IGVuY3J5cHRlZA\"}")]);
        assert!(is(&sent("bm90IGVuY3J5cHRlZA==", Origin::Host), &echo));
        assert!(!is(&sent("bm90IGVuY3J5cHRlZB==", Origin::Host), &echo));
        // A service may be sent a credential, and tell it to whoever knows it already.
        assert!(!is(&sent("bm90IGVuY3J5cHRlZA==", Origin::Plan), &echo));
        let by_chance = answer(vec![shown("AA==")]);
        assert!(!is(&sent("AA==", Origin::Host), &by_chance));
    }
}
