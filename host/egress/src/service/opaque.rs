//! Members of a JSON document that stay opaque, taken out of it.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use portolan_contract::{
    DocumentError, JsonPointer, Member, PartEncoding, find_members, unescaped,
};
use portolan_secret::{SecretBytes, SecretText};

use super::{AnswerPart, ServiceError};

/// The document in parts: what is shown of it, and the decoded members, by turns. What is shown is
/// the document with an empty string in the place of each member.
pub(super) fn cut(
    document: &SecretBytes,
    members: &[(&JsonPointer, PartEncoding)],
    host: &str,
) -> Result<Vec<AnswerPart>, ServiceError> {
    let host = || host.to_owned();
    let bytes = document.expose();
    let pointers: Vec<_> = members.iter().map(|(pointer, _)| *pointer).collect();
    let found = find_members(bytes, &pointers).map_err(|error| match error {
        DocumentError::NotText(_) => ServiceError::NotText { host: host() },
        DocumentError::Twice(_) => ServiceError::Twice { host: host() },
        _ => ServiceError::NotJson { host: host() },
    })?;
    let mut parts = Vec::with_capacity(2 * found.len() + 1);
    let mut shown_from = 0;
    for member in found {
        let decoded = decoded(bytes, member, members);
        let decoded = decoded.ok_or_else(|| ServiceError::Undecodable { host: host() })?;
        parts.push(AnswerPart::Shown(run(bytes, shown_from, member.start)));
        parts.push(AnswerPart::Secret(decoded));
        shown_from = member.end;
    }
    parts.push(AnswerPart::Shown(run(bytes, shown_from, bytes.len())));
    Ok(parts)
}

fn run(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    bytes.get(from..to).unwrap_or_default().to_vec()
}

fn decoded(
    document: &[u8],
    member: Member,
    members: &[(&JsonPointer, PartEncoding)],
) -> Option<SecretBytes> {
    let (_, encoding) = members.get(member.pointer)?;
    let inside = document.get(member.start..member.end)?;
    let text = SecretText::new(unescaped(inside)?);
    let bytes = text.expose();
    let decoded = match encoding {
        PartEncoding::JsonText => return Some(text.into()),
        PartEncoding::Base64 => BASE64_STANDARD.decode(bytes).ok()?,
        PartEncoding::Base64url => BASE64_URL_SAFE_NO_PAD.decode(bytes).ok()?,
        PartEncoding::Hex => hex::decode(bytes).ok()?,
    };
    Some(SecretBytes::new(decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_at(
        document: &str,
        members: &[(&str, PartEncoding)],
    ) -> Result<Vec<String>, ServiceError> {
        let pointers: Vec<_> = members
            .iter()
            .map(|(text, encoding)| {
                let pointer = JsonPointer::try_from((*text).to_owned());
                (pointer.expect("a pointer"), *encoding)
            })
            .collect();
        let members: Vec<_> = pointers
            .iter()
            .map(|(one, encoding)| (one, *encoding))
            .collect();
        let parts = cut(&SecretBytes::new(document), &members, "kms.example.com")?;
        let told = |part: AnswerPart| match part {
            AnswerPart::Shown(bytes) => String::from_utf8(bytes).expect("text"),
            AnswerPart::Secret(secret) => format!("<{}>", String::from_utf8_lossy(secret.expose())),
        };
        Ok(parts.into_iter().map(told).collect())
    }

    #[test]
    fn what_is_shown_is_the_document_with_empty_strings() {
        assert_eq!(
            cut_at(
                r#"{"n":"a","Plaintext":"aGk=","b":[{"c":"\u0041\""}],"d":"-_8","e":"6A6b"}"#,
                &[
                    ("/b/0/c", PartEncoding::JsonText),
                    ("/absent", PartEncoding::Hex),
                    ("/Plaintext", PartEncoding::Base64),
                    ("/e", PartEncoding::Hex),
                ],
            ),
            Ok([
                r#"{"n":"a","Plaintext":""#,
                "<hi>",
                r#"","b":[{"c":""#,
                "<A\">",
                r#""}],"d":"-_8","e":""#,
                "<jk>",
                r#""}"#,
            ]
            .map(str::to_owned)
            .to_vec())
        );
        assert_eq!(
            cut_at("{}", &[("/a", PartEncoding::Hex)]),
            Ok(vec!["{}".to_owned()])
        );
    }

    #[test]
    fn escapes_are_read_before_the_member_is_decoded() {
        let decoded = cut_at(r#"{"p":"aGk\u003d"}"#, &[("/p", PartEncoding::Base64)]);
        assert_eq!(decoded.expect("decoded")[1], "<hi>");
    }

    #[test]
    fn nothing_is_shown_of_a_document_whose_member_is_not_as_it_should_be() {
        let host = || "kms.example.com".to_owned();
        for (document, error) in [
            ("<html>", ServiceError::NotJson { host: host() }),
            ("{\"p\":\"aGk=\"", ServiceError::NotJson { host: host() }),
            ("{\"p\":1}", ServiceError::NotText { host: host() }),
            ("{\"p\":null}", ServiceError::NotText { host: host() }),
            (
                "{\"p\":\"aGk=\",\"p\":\"aGk=\"}",
                ServiceError::Twice { host: host() },
            ),
            (
                "{\"p\":\"aGk\"}",
                ServiceError::Undecodable { host: host() },
            ),
            (
                "{\"p\":\"a b=\"}",
                ServiceError::Undecodable { host: host() },
            ),
            (
                "{\"p\":\"aGk=\\n\"}",
                ServiceError::Undecodable { host: host() },
            ),
        ] {
            let cut = cut_at(document, &[("/p", PartEncoding::Base64)]);
            assert_eq!(cut, Err(error), "{document}");
        }
    }
}
