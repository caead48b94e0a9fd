//! A request as a guest asks for it: taken from its handles, and held to the contract's bounds.

use portolan_contract::{Failure, FailureClass, JsonPointer, PartEncoding};
use portolan_egress::Piece;

use super::network::Network;
use super::parts::{Opaque, Origin};
use crate::bindings::host::http::{OpaqueMember, Request};
use crate::bindings::host::parts::{Encoding, Part};

/// The most segments of a path, and the most bytes of one.
const MAX_SEGMENTS: usize = 64;
const MAX_SEGMENT: usize = 1 << 10;
/// The most parameters of a query.
const MAX_PARAMETERS: usize = 256;
/// The most headers, and the most bytes of them together.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 << 10;
/// The most parts of a body, and the most bytes of them together.
const MAX_PARTS: usize = 64;
const MAX_BODY: usize = 16 << 20;
/// The most members that stay opaque.
const MAX_MEMBERS: usize = 16;

/// A part of a request whose handle is used up.
pub(super) enum Taken {
    Bytes(Vec<u8>),
    Secret(Opaque),
}

impl Taken {
    pub(super) fn of(part: Part, network: &mut Network) -> wasmtime::Result<Self> {
        Ok(match part {
            Part::Bytes(bytes) => Self::Bytes(bytes),
            Part::Secret(handle) => Self::Secret(network.take(handle)?),
        })
    }

    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            Self::Bytes(bytes) => Piece::Shown(bytes),
            Self::Secret(opaque) => Piece::Secret(&opaque.bytes),
        }
    }

    /// Whether it is a secret of the plan, or was made of one.
    pub(super) fn is_of_the_plan(&self) -> bool {
        matches!(self, Self::Secret(opaque) if opaque.origin == Origin::Plan)
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Secret(opaque) => opaque.bytes.len(),
        }
    }
}

/// A request whose handles are used up, whatever becomes of it.
pub(super) struct Asked {
    pub(super) rule: String,
    pub(super) endpoint: u32,
    pub(super) method: String,
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, Taken)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<Taken>,
    keep_opaque: Vec<OpaqueMember>,
}

impl Asked {
    pub(super) fn take(request: Request, network: &mut Network) -> wasmtime::Result<Self> {
        let mut query = Vec::with_capacity(request.query.len());
        for (name, value) in request.query {
            query.push((name, Taken::of(value, network)?));
        }
        let mut body = Vec::with_capacity(request.body.len());
        for part in request.body {
            body.push(Taken::of(part, network)?);
        }
        Ok(Self {
            rule: request.rule,
            endpoint: request.endpoint,
            method: request.method,
            path: request.path,
            query,
            headers: request.headers,
            body,
            keep_opaque: request.keep_opaque,
        })
    }

    #[cfg(test)]
    pub(super) fn of_body(body: Vec<Taken>) -> Self {
        Self {
            rule: String::new(),
            endpoint: 0,
            method: "POST".to_owned(),
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body,
            keep_opaque: Vec::new(),
        }
    }

    /// Refuses what is over a bound of the contract, or no header.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let sum = |lengths: &mut dyn Iterator<Item = usize>| lengths.sum::<usize>();
        let headers = self.headers.iter();
        let bounds = [
            ("segments in its path", self.path.len(), MAX_SEGMENTS),
            (
                "bytes in a segment of its path",
                self.path.iter().map(String::len).max().unwrap_or_default(),
                MAX_SEGMENT,
            ),
            ("parameters in its query", self.query.len(), MAX_PARAMETERS),
            ("headers", self.headers.len(), MAX_HEADERS),
            (
                "bytes of headers",
                sum(&mut headers.map(|(name, value)| name.len() + value.len())),
                MAX_HEADER_BYTES,
            ),
            ("parts in its body", self.body.len(), MAX_PARTS),
            (
                "bytes in its body",
                sum(&mut self.body.iter().map(Taken::len)),
                MAX_BODY,
            ),
            (
                "members of its answer to be kept opaque",
                self.keep_opaque.len(),
                MAX_MEMBERS,
            ),
        ];
        if let Some((what, _, most)) = bounds.into_iter().find(|(_, count, most)| count > most) {
            return Err(broken(
                FailureClass::Budget,
                format!("a request has more than {most} {what}"),
            ));
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let is_value = |value: &str| value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        match self
            .headers
            .iter()
            .all(|(name, value)| is_name(name) && is_value(value))
        {
            true => Ok(()),
            false => Err(broken(
                FailureClass::Protocol,
                "a header of a request is written in lower case, with a value of printable ASCII"
                    .to_owned(),
            )),
        }
    }

    /// The members of the answer that the guest wants kept opaque.
    pub(super) fn kept(&self) -> Result<Vec<(JsonPointer, PartEncoding)>, Failure> {
        let mut kept = Vec::with_capacity(self.keep_opaque.len());
        for member in &self.keep_opaque {
            let encoding = match &member.encoding {
                Encoding::JsonText => PartEncoding::JsonText,
                Encoding::Base64 => PartEncoding::Base64,
                Encoding::Base64url => PartEncoding::Base64url,
                Encoding::Hex => PartEncoding::Hex,
                Encoding::Other(_) => {
                    return Err(broken(
                        FailureClass::Unsupported,
                        "this host does not know the encoding that a member is to be read in"
                            .to_owned(),
                    ));
                }
            };
            let pointer = JsonPointer::try_from(member.pointer.clone());
            let pointer =
                pointer.map_err(|wrong| broken(FailureClass::Protocol, wrong.to_string()))?;
            kept.push((pointer, encoding));
        }
        Ok(kept)
    }
}

/// The contract was broken, and nothing has happened.
pub(super) fn broken(class: FailureClass, message: String) -> Failure {
    Failure::new(class, message)
        .with_hint("report it to the provider's author, or use another version of the provider")
}
