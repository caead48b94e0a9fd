//! The secrets of a URI, by number.

use std::fmt;

use portolan_secret::{Scrubber, SecretBytes, SecretText};

use super::{escape, format};
use crate::{Format, FormatVerdict, Fragment, SecretNumber, SecretReference};

/// Where in the URI a secret stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretPlace {
    /// A userinfo without `:`.
    User,
    /// After the first `:` of the userinfo.
    Password,
    /// The path, without its leading `/`.
    Path,
    /// The value of an option, by its name.
    Option(String),
}

impl fmt::Display for SecretPlace {
    /// The option's name, or `{user}`, `{password}` or `{path}`, as `reveal` in a manifest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "{user}",
            Self::Password => "{password}",
            Self::Path => "{path}",
            Self::Option(name) => name,
        })
    }
}

/// One secret of a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretValue {
    place: SecretPlace,
    raw: SecretText,
    given: SecretBytes,
    used: SecretBytes,
    verdict: FormatVerdict,
}

impl SecretValue {
    /// Where it stood.
    #[must_use]
    pub fn place(&self) -> &SecretPlace {
        &self.place
    }

    /// What was given, its escapes undone once; a path as it stands in the URI, because undoing
    /// its escapes would move the borders of its segments.
    #[must_use]
    pub fn given(&self) -> &SecretBytes {
        &self.given
    }

    /// What the host uses: what was given after the format of its option, so base64 is decoded.
    #[must_use]
    pub fn used(&self) -> &SecretBytes {
        &self.used
    }

    /// Whether it has the format of its option.
    #[must_use]
    pub fn verdict(&self) -> FormatVerdict {
        self.verdict
    }
}

/// The secrets of a URI; a number is a place here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: Vec<SecretValue>,
}

impl Secrets {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The secret of a number, if there is one.
    #[must_use]
    pub fn get(&self, number: SecretNumber) -> Option<&SecretValue> {
        self.values.get(usize::try_from(number).ok()?)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SecretValue> {
        self.values.iter()
    }

    /// The value that text and secrets make together.
    ///
    /// # Errors
    ///
    /// The number of the first secret that is not there.
    pub fn compose(&self, fragments: &[Fragment]) -> Result<SecretBytes, SecretNumber> {
        let parts = fragments
            .iter()
            .map(|fragment| match fragment {
                Fragment::Text(text) => Ok(text.as_bytes()),
                Fragment::Secret(number) => match self.get(*number) {
                    Some(secret) => Ok(secret.used.expose()),
                    None => Err(*number),
                },
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(SecretBytes::new(parts.concat()))
    }

    /// Finds any of them in foreign text: as it stands in the URI, as given and as used, and of a
    /// path every longer segment.
    #[must_use]
    pub fn scrubber(&self) -> Scrubber {
        let mut forms: Vec<SecretBytes> = Vec::new();
        for value in &self.values {
            let raw = value.raw.expose();
            forms.push(SecretBytes::new(raw));
            forms.push(SecretBytes::new(escape::decode(raw)));
            forms.push(value.given.clone());
            forms.push(value.used.clone());
            if value.place == SecretPlace::Path {
                // A server names the last segment alone; the short ones are ordinary words.
                let segments = raw.split('/').filter(|segment| segment.len() >= 8);
                forms.extend(segments.map(SecretBytes::new));
            }
        }
        Scrubber::new(forms)
    }

    pub(super) fn add_text(&mut self, place: SecretPlace, raw: &str) -> SecretReference {
        let given = SecretBytes::new(escape::decode(raw));
        self.add(place, raw, given, Format::Text)
    }

    pub(super) fn add_path(&mut self, raw: &str) -> SecretReference {
        self.add(SecretPlace::Path, raw, SecretBytes::new(raw), Format::Text)
    }

    pub(super) fn add_option(&mut self, name: &str, raw: &str, format: Format) -> SecretReference {
        let given = SecretBytes::new(escape::decode_query(raw));
        self.add(SecretPlace::Option(name.to_owned()), raw, given, format)
    }

    fn add(
        &mut self,
        place: SecretPlace,
        raw: &str,
        given: SecretBytes,
        format: Format,
    ) -> SecretReference {
        let (used, verdict) = format::apply(format, &given);
        let reference = SecretReference {
            number: SecretNumber::try_from(self.values.len()).unwrap_or(SecretNumber::MAX),
            empty: given.is_empty(),
            verdict,
        };
        self.values.push(SecretValue {
            place,
            raw: SecretText::new(raw),
            given,
            used,
            verdict,
        });
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scrubber_knows_every_form_that_was_written_or_is_used() {
        let mut secrets = Secrets::default();
        secrets.add_option("a", "aHVu+%2BdGVyMjI%3D", Format::Base64);
        secrets.add_path("services/T0/verysecretsegment");
        let scrubber = secrets.scrubber();
        for form in [
            "aHVu+%2BdGVyMjI%3D",
            "aHVu++dGVyMjI=",
            "services/T0/verysecretsegment",
            "the hook verysecretsegment is gone",
        ] {
            let scrubbed = scrubber.scrub(form).expect("long enough");
            assert!(scrubbed.contains("redacted"), "{scrubbed}");
            assert!(!scrubbed.contains("verysecret"), "{scrubbed}");
        }
    }

    #[test]
    fn numbers_are_places_and_say_nothing_else() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.add_text(SecretPlace::Password, "").number, 0);
        let second = secrets.add_text(SecretPlace::User, "a%40b");
        assert_eq!((second.number, second.empty), (1, false));
        assert_eq!(
            secrets.get(1).map(|one| one.given().expose()),
            Some(&b"a@b"[..])
        );
        assert_eq!(secrets.get(2), None);
        assert!(!format!("{secrets:?}").contains("a@b"));
    }
}
