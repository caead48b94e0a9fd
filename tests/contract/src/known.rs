//! The secrets of a walk: what a guest may pass on and never see.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portolan_secret::Scrubber;
use wasmtime::{Result, ensure, format_err};

use crate::words::Words;

/// How long a run of a secret's bytes has to be to count as the secret.
const WINDOW: usize = 8;

/// Bytes that stay in the host, by the name that a script gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opaque {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every secret that a walk has had so far.
#[derive(Debug, Default)]
pub(crate) struct Known {
    secrets: Vec<Opaque>,
}

impl Known {
    /// The secret that `NAME` or `NAME LENGTH` means: the known one of that name, or a new random
    /// one of letters and digits.
    pub(crate) fn read(&mut self, mut words: Words<'_>) -> Result<Opaque> {
        let name = words.word()?;
        if let Some(secret) = self.secrets.iter().find(|secret| secret.name == name) {
            ensure!(words.is_empty(), "the secret {name} has a length already");
            return Ok(secret.clone());
        }
        ensure!(!words.is_empty(), "the new secret {name} needs a length");
        let bytes = random_letters(words.number()?)?;
        Ok(self.add(name, bytes))
    }

    /// Remembers bytes under a name, unless the same are known already.
    pub(crate) fn add(&mut self, name: &str, bytes: Vec<u8>) -> Opaque {
        if let Some(secret) = self.secrets.iter().find(|secret| secret.bytes == bytes) {
            return secret.clone();
        }
        let secret = Opaque {
            name: name.to_owned(),
            bytes,
        };
        self.secrets.push(secret.clone());
        secret
    }

    /// The name of a secret that bytes hold, plain, encoded or in part; none if they hold none.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Result<Option<&str>> {
        let mut runs = Vec::new();
        let mut owners = Vec::new();
        for secret in &self.secrets {
            for run in secret.bytes.windows(WINDOW) {
                runs.push(run);
                owners.push(secret.name.as_str());
            }
        }
        let runs = AhoCorasick::new(runs)?;
        if let Some(found) = runs.find(bytes) {
            return Ok(owners.get(found.pattern().as_usize()).copied());
        }
        let text = String::from_utf8_lossy(bytes);
        let encoded = self.secrets.iter().find(|secret| {
            let scrubbed = Scrubber::new([&secret.bytes]).scrub(&text);
            scrubbed.is_none_or(|scrubbed| scrubbed != text)
        });
        Ok(encoded.map(|secret| secret.name.as_str()))
    }
}

/// How secrets are written in a text, as far as scripts use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    Base64,
    Base64url,
    /// As the text that they are.
    JsonText,
}

impl Writing {
    /// Those that scripts have names for.
    pub(crate) const ALL: [(&str, Self); 2] =
        [("base64", Self::Base64), ("base64url", Self::Base64url)];

    /// Bytes as they are written.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Base64 => STANDARD.encode(bytes).into_bytes(),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
            Self::JsonText => bytes.to_vec(),
        }
    }

    /// What a text stands for.
    pub(crate) fn read(self, text: &str) -> Result<Vec<u8>> {
        let read = match self {
            Self::Base64 => STANDARD.decode(text),
            Self::Base64url => URL_SAFE_NO_PAD.decode(text),
            Self::JsonText => return Ok(text.as_bytes().to_vec()),
        };
        read.map_err(|error| format_err!("it is written otherwise: {error}"))
    }
}

fn random_letters(length: usize) -> Result<Vec<u8>> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyzACEFHJ23";
    ensure!(length >= WINDOW, "a secret has at least {WINDOW} bytes");
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| format_err!("no random bytes: {error}"))?;
    for byte in &mut bytes {
        *byte = LETTERS[usize::from(*byte) % LETTERS.len()];
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(known: &'a Known, bytes: &[u8]) -> Option<&'a str> {
        known.found_in(bytes).expect("a search")
    }

    #[test]
    fn a_secret_is_found_in_part_and_encoded() {
        let mut known = Known::default();
        let secret = known.read(Words::new("key 24")).expect("a secret");
        assert_eq!(found(&known, b"nothing of it"), None);
        let part = [b"x".as_slice(), &secret.bytes[5..14], b"y"].concat();
        assert_eq!(found(&known, &part), Some("key"));
        let encoded = Writing::Base64.of(&[b"u:".as_slice(), &secret.bytes].concat());
        assert_eq!(found(&known, &encoded), Some("key"));
    }
}
