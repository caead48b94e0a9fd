//! What stands between a server's challenge and rsasl in the `SCRAM` family: the form of messages,
//! the work that a server may ask for, and what its refusals mean.

use std::borrow::Cow;
use std::num::NonZeroU32;

use portolan_secret::SecretBytes;
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};

use super::{MOST_ITERATIONS, Mechanism, SaslError, ServerRefusal};

/// Whether a message is a list of attributes, as RFC 5802 writes one. rsasl takes the first two
/// bytes of each attribute without looking how many there are.
pub(super) fn is_well_formed(challenge: &[u8]) -> bool {
    let mut attributes = challenge.split(|byte| *byte == b',');
    attributes.all(|attribute| {
        matches!(attribute, [name, b'=', value @ ..]
            if name.is_ascii_alphabetic() && !value.is_empty())
    })
}

/// Why the server refused, where its message is a refusal.
pub(super) fn refusal(challenge: &[u8]) -> Option<ServerRefusal> {
    let first = challenge.split(|byte| *byte == b',').next()?;
    Some(match first.strip_prefix(b"e=")? {
        b"invalid-proof" => ServerRefusal::WrongPassword,
        b"unknown-user" => ServerRefusal::UnknownUser,
        b"channel-bindings-dont-match" => ServerRefusal::OtherChannel,
        b"server-does-support-channel-binding" => ServerRefusal::OfferRemoved,
        b"channel-binding-not-supported" | b"unsupported-channel-binding-type" => {
            ServerRefusal::NoBinding
        }
        b"no-resources" => ServerRefusal::NoResources,
        _ => ServerRefusal::Other,
    })
}

/// The salted password (`Hi` of RFC 5802). The work is the server's to choose, within a bound.
pub(super) fn salted(
    mechanism: Mechanism,
    password: &SecretBytes,
    salt: &[u8],
    iterations: u32,
) -> Result<SecretBytes, SaslError> {
    if iterations > MOST_ITERATIONS {
        return Err(SaslError::TooMuchWork);
    }
    let iterations = NonZeroU32::new(iterations).ok_or(SaslError::Challenge)?;
    let (algorithm, length) = match mechanism {
        Mechanism::ScramSha512 | Mechanism::ScramSha512Plus => (PBKDF2_HMAC_SHA512, 64),
        _ => (PBKDF2_HMAC_SHA256, 32),
    };
    let mut salted = vec![0; length];
    let password = prepared(password);
    pbkdf2::derive(algorithm, iterations, salt, password.expose(), &mut salted);
    Ok(SecretBytes::new(salted))
}

/// The password in its one spelling (SASLprep, RFC 4013). One that has none is taken as it is, as
/// PostgreSQL does when it stores it.
fn prepared(password: &SecretBytes) -> Cow<'_, SecretBytes> {
    let text = std::str::from_utf8(password.expose());
    match text.map(stringprep::saslprep) {
        Ok(Ok(Cow::Owned(spelled))) => Cow::Owned(SecretBytes::new(spelled.into_bytes())),
        _ => Cow::Borrowed(password),
    }
}
