//! What services of keys have in common: JSON is posted, and one member of the answer is opaque.

use crate::Failure;
use crate::lent::http::{Request, Response, send};
use crate::lent::parts::{Opaque, Part};

/// The answer of a service of keys to a request.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct KeyAnswer {
    /// Its status; every one is an answer.
    pub status: u16,
    /// What is seen of it: the document, with an empty string in the place of each opaque member.
    pub document: Vec<u8>,
    /// How many seconds the host's clock is ahead of the service's, where the two are so far apart
    /// that a signature or a token may have been refused for it.
    pub clock_ahead: Option<i64>,
    opaque: Vec<(Vec<u8>, Opaque)>,
}

impl KeyAnswer {
    /// The opaque member of this name, once.
    pub fn take(&mut self, member: &str) -> Option<Opaque> {
        let mut opaque = self.opaque.iter();
        let place = opaque.position(|(name, _)| name == member.as_bytes())?;
        Some(self.opaque.swap_remove(place).1)
    }

    fn of(answer: Response) -> Self {
        let mut headers = answer.headers.iter();
        let clock_ahead = headers.find(|(name, _)| name == "portolan-clock-ahead");
        let clock_ahead = clock_ahead.and_then(|(_, seconds)| seconds.parse().ok());
        let mut document = Vec::new();
        let mut opaque = Vec::new();
        for part in answer.body {
            match part {
                Part::Bytes(bytes) => document.extend(bytes),
                Part::Secret(secret) => opaque.push((member(&document).to_vec(), secret)),
            }
        }
        Self {
            status: answer.status,
            document,
            clock_ahead,
            opaque,
        }
    }
}

/// Posts JSON under a rule of the manifest, whose members to be kept opaque are the rule's.
///
/// # Errors
///
/// No rule describes the request, or there is no answer.
pub fn post_to_key(
    rule: &str,
    endpoint: u32,
    path: Vec<String>,
    body: Vec<Part>,
) -> Result<KeyAnswer, Failure> {
    let answer = send(Request {
        rule: rule.to_owned(),
        endpoint,
        method: "POST".to_owned(),
        path,
        query: Vec::new(),
        headers: Vec::new(),
        body,
        keep_opaque: Vec::new(),
    })?;
    Ok(KeyAnswer::of(answer))
}

/// The name of the member whose string begins where the document ends.
fn member(document: &[u8]) -> &[u8] {
    let before = |bytes: &'_ [u8]| bytes.trim_ascii_end().len().saturating_sub(1);
    // The opening quote, the colon, and the closing quote of the name.
    let mut end = document.len();
    for _ in 0..3 {
        end = before(document.get(..end).unwrap_or_default());
    }
    let rest = document.get(..end).unwrap_or_default();
    rest.rsplit(|byte| *byte == b'"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_member_is_known_by_what_stands_before_it() {
        for (document, name) in [
            ("{\"plaintext\":\"", "plaintext"),
            ("{\n  \"plaintext\" : \"", "plaintext"),
            (
                "{\"plaintext\":\"\",\n \"plaintextCrc32c\": \"",
                "plaintextCrc32c",
            ),
            ("", ""),
            ("\"", ""),
        ] {
            assert_eq!(member(document.as_bytes()), name.as_bytes(), "{document}");
        }
    }
}
