//! A request as whoever found its rule hands it over.

use bytes::Bytes;
use portolan_contract::{Endpoint, JsonPointer, PartEncoding, RequestRule};
use portolan_secret::SecretBytes;

use crate::Piece;

/// One request. Its method, and all that the host sets, is the rule's.
#[derive(Debug, Clone, Copy)]
pub struct ServiceRequest<'a> {
    /// The rule that describes it.
    pub rule: &'a RequestRule,
    /// Where it goes: an endpoint of the plan.
    pub endpoint: &'a Endpoint,
    /// The path's segments, decoded.
    pub path: &'a [String],
    /// Parameters of the query, decoded, beside those of the rule.
    pub query: &'a [(String, Vec<u8>)],
    /// Headers, beside those of the rule.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [Piece<'a>],
    /// Members of the answer that stay opaque, beside those of the rule.
    pub keep_opaque: &'a [(JsonPointer, PartEncoding)],
    /// The most bytes of the answer's body, and never more than 16 MiB.
    pub most: usize,
}

impl ServiceRequest<'_> {
    /// The whole body, wiped when it was sent.
    pub(super) fn whole_body(&self) -> Bytes {
        let length = self.body.iter().map(|piece| piece.bytes().len()).sum();
        let mut whole = Vec::with_capacity(length);
        for piece in self.body {
            whole.extend_from_slice(piece.bytes());
        }
        match whole.is_empty() {
            true => Bytes::new(),
            false => Bytes::from_owner(SecretBytes::new(whole)),
        }
    }

    /// All members of the answer that stay opaque. Where the rule names one, the rule says how it is
    /// read.
    pub(super) fn opaque_members(&self) -> Vec<(&JsonPointer, PartEncoding)> {
        let rule = &self.rule.opaque_answer;
        let mut members: Vec<_> = rule
            .iter()
            .map(|(one, encoding)| (one, *encoding))
            .collect();
        for (pointer, encoding) in self.keep_opaque {
            if !members.iter().any(|(one, _)| *one == pointer) {
                members.push((pointer, *encoding));
            }
        }
        members
    }
}
