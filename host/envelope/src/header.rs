//! What stands before the content of an envelope.

use std::io::Read;

use portolan_contract::{Encrypted, MAX_CIPHERTEXT, MAX_KEY_NAME};

use crate::EnvelopeError;

/// What every envelope begins with, in every version of the format.
const MAGIC: [u8; 8] = *b"\x89PTLN\r\n\x1a";

/// The version that is written.
const VERSION: u16 = 1;

/// The longest name of a provider.
const MAX_PROVIDER: usize = 64;

/// The bytes of a nonce that all chunks of an envelope have in common.
const PREFIX_BYTES: usize = 7;

/// Magic, version, and the length of the rest.
const START_BYTES: usize = MAGIC.len() + 2 + 4;

/// The most bytes after the start.
const MAX_REST_BYTES: usize =
    1 + MAX_PROVIDER + 2 * (2 + MAX_KEY_NAME) + 4 + MAX_CIPHERTEXT + PREFIX_BYTES;

/// The most bytes of a header.
pub const MAX_HEADER_BYTES: usize = START_BYTES + MAX_REST_BYTES;

/// What an envelope says of itself: the key that can open it.
///
/// All of it is public. It is authenticated when the first chunk is opened, and until then it is what
/// somebody claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    provider: String,
    wrapped: Encrypted,
    pub(crate) prefix: [u8; PREFIX_BYTES],
}

impl Header {
    /// The header of a new envelope: the provider that talks to the key's service, and what the key
    /// made of the data key.
    ///
    /// # Errors
    ///
    /// One of them is longer than an envelope can hold, or the system gives no random bytes.
    pub fn new(provider: &str, wrapped: Encrypted) -> Result<Self, EnvelopeError> {
        let mut prefix = [0; PREFIX_BYTES];
        getrandom::fill(&mut prefix).map_err(|_| EnvelopeError::Randomness)?;
        if !is_provider(provider) {
            return Err(EnvelopeError::Unfit("the name of its provider"));
        }
        wrapped.check().map_err(EnvelopeError::Unfit)?;
        Ok(Self {
            provider: provider.to_owned(),
            wrapped,
            prefix,
        })
    }

    /// The name of the provider that talked to the key's service.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The data key as the service wrapped it, with the key and the version that did.
    #[must_use]
    pub fn wrapped(&self) -> &Encrypted {
        &self.wrapped
    }

    /// As it is written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = self.wrapped.key_version.as_deref().unwrap_or_default();
        let mut rest = Vec::new();
        // Each of these lengths is within its bound, so none is cut.
        rest.push(self.provider.len() as u8);
        rest.extend_from_slice(self.provider.as_bytes());
        for name in [self.wrapped.key.as_str(), version] {
            rest.extend_from_slice(&(name.len() as u16).to_be_bytes());
            rest.extend_from_slice(name.as_bytes());
        }
        let ciphertext = &self.wrapped.ciphertext;
        rest.extend_from_slice(&(ciphertext.len() as u32).to_be_bytes());
        rest.extend_from_slice(ciphertext);
        rest.extend_from_slice(&self.prefix);
        let mut bytes = Vec::with_capacity(START_BYTES + rest.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&(rest.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// Reads the header of an envelope and not a byte more. What is read before it is refused is
    /// bounded by [`MAX_HEADER_BYTES`].
    ///
    /// # Errors
    ///
    /// It is no envelope, or of a later version, or its header breaks the format.
    pub fn read(mut input: impl Read) -> Result<Self, EnvelopeError> {
        let mut bytes = Vec::new();
        let mut more = |count: usize, bytes: &mut Vec<u8>| {
            bytes.clear();
            let mut limited = (&mut input).take(count as u64);
            let read = limited.read_to_end(bytes);
            read.map(|read| read == count).map_err(EnvelopeError::Read)
        };
        if !more(MAGIC.len(), &mut bytes)? || bytes != MAGIC {
            return Err(EnvelopeError::Foreign);
        }
        if !more(START_BYTES - MAGIC.len(), &mut bytes)? {
            return Err(EnvelopeError::Truncated { after: 0 });
        }
        let mut start = Fields(&bytes);
        let version = start.number(2).unwrap_or_default();
        if version != usize::from(VERSION) {
            return Err(match u16::try_from(version) {
                Ok(version) if version > VERSION => EnvelopeError::Newer(version),
                _ => EnvelopeError::Header("it has no version"),
            });
        }
        let length = start.number(4).unwrap_or_default();
        if length > MAX_REST_BYTES {
            return Err(EnvelopeError::Header("it is too long"));
        }
        if !more(length, &mut bytes)? {
            return Err(EnvelopeError::Truncated { after: 0 });
        }
        let mut rest = Fields(&bytes);
        let header = rest.header()?;
        match rest.0 {
            [] => Ok(header),
            _ => Err(EnvelopeError::Header("it is longer than what it holds")),
        }
    }
}

/// Names as manifests have them.
fn is_provider(name: &str) -> bool {
    (1..=MAX_PROVIDER).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What is left to read of the fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let bytes = self.bytes(bytes)?;
        let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
        Some(bytes.iter().fold(0, add))
    }

    /// A field behind its length.
    fn field(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(length_bytes)?;
        self.bytes(length)
    }

    fn header(&mut self) -> Result<Header, EnvelopeError> {
        let short = || EnvelopeError::Header("it is shorter than what it holds");
        let text = |field: Option<&[u8]>| {
            let field = field.ok_or_else(short)?;
            let text = std::str::from_utf8(field);
            let text = text.map_err(|_| EnvelopeError::Header("a name in it is not UTF-8"))?;
            Ok::<_, EnvelopeError>(text.to_owned())
        };
        let provider = text(self.field(1))?;
        let key = text(self.field(2))?;
        let version = text(self.field(2))?;
        let ciphertext = self.field(4).ok_or_else(short)?.to_vec();
        let prefix = self.bytes(PREFIX_BYTES).ok_or_else(short)?;
        let prefix = prefix.try_into().map_err(|_| short())?;
        if !is_provider(&provider) {
            return Err(EnvelopeError::Header("it names no provider"));
        }
        let wrapped = Encrypted {
            ciphertext,
            key,
            key_version: Some(version).filter(|version| !version.is_empty()),
        };
        wrapped.check().map_err(EnvelopeError::Header)?;
        Ok(Header {
            provider,
            wrapped,
            prefix,
        })
    }
}
