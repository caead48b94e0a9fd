//! Services that give away what was to stay opaque: a plaintext that comes back in what a provider
//! sees would be held by the provider, and a ciphertext that shows its plaintext is none.
//!
//! It is found as it is, in hex, and in base64 of either alphabet at each alignment, also where JSON or
//! a URL escapes some of it. A service that wants to tell what it was sent can write it otherwise;
//! nothing keeps it from that.

use portolan_contract::{Failure, FailureClass};
use portolan_egress::service::{AnswerPart, ServiceAnswer};
use portolan_secret::SecretForms;

use super::asked::{Asked, Taken};
use super::parts::Origin;

/// The fewest bytes that are searched for. Fewer may stand in an answer by chance, and no data key is
/// as short.
pub(crate) const SHORTEST: usize = 16;

/// Whether an answer shows what was sent as an opaque part, or what it has as one.
pub(super) fn found_in(asked: &Asked, answer: &ServiceAnswer) -> bool {
    let sent = asked.body.iter().filter_map(|part| match part {
        Taken::Secret(opaque) if opaque.origin == Origin::Host => Some(opaque.content.expose()),
        _ => None,
    });
    let kept = answer.body.iter().filter_map(|part| match part {
        AnswerPart::Secret(secret) => Some(secret.expose()),
        AnswerPart::Shown(_) => None,
    });
    sent.chain(kept)
        .filter(|secret| secret.len() >= SHORTEST)
        .any(|secret| {
            let forms = SecretForms::of(secret);
            let mut headers = answer.headers.iter();
            headers.any(|(_, value)| forms.are_in(value.as_bytes()))
                || answer.body.iter().any(|part| match part {
                    AnswerPart::Shown(bytes) => forms.are_in(bytes),
                    AnswerPart::Secret(_) => false,
                })
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
        assert!(!found_in(&asked, &fine));
        for again in [
            "YSBkYXRhIGtleSBvZiAyNCBsZXR0ZXJz",
            "a data key of 24 letters",
        ] {
            let again = answer(vec![shown("{\"p\":\""), kept(), shown(again)]);
            assert!(found_in(&asked, &again));
        }
        let mut header = fine;
        header.headers[0].1 = "a data key of 24 letters".to_owned();
        assert!(found_in(&asked, &header));
    }

    #[test]
    fn what_was_sent_is_given_away_in_any_form_that_is_looked_for() {
        let sent = |text: &str, origin| {
            let content = SecretBytes::new(text);
            let opaque = super::super::parts::Opaque::new(content, origin);
            Asked::of_body(vec![Taken::Secret(opaque)])
        };
        let content = "not?encrypted>at all";
        for echo in [
            "{\"c\":\"bm90P2VuY3J5cHRlZD5hdCBhbGw=\"}",
            "{\"c\":\"bm90P2VuY3J5cHRlZD5hdCBhbGw\"}",
            "{\"c\":\"bm90\\u0050\\u0032VuY3J5cHRlZD5hdCBhbGw\"}",
            "{\"c\":\"6e6f743f656e637279707465643e617420616c6c\"}",
        ] {
            let echo = answer(vec![shown(echo)]);
            assert!(found_in(&sent(content, Origin::Host), &echo), "{echo:?}");
            // A service may be sent a credential, and tell it to whoever knows it already.
            assert!(!found_in(&sent(content, Origin::Plan), &echo));
            assert!(!found_in(
                &sent("something else altogether", Origin::Host),
                &echo
            ));
        }
        let by_chance = answer(vec![shown("AA==")]);
        assert!(!found_in(&sent("\0", Origin::Host), &by_chance));
    }
}
