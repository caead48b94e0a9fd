//! The forms that encoders give a secret and that cannot be undone where they are found: hexadecimal
//! digits, and base64 at each alignment.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use zeroize::Zeroizing;

use crate::{SHORTEST_SEARCHABLE, Scrubber, SecretBytes};

/// Texts of at most so many bytes are compared place by place: what a faster search needs would take
/// longer to make. Whoever wrote the text may make this slow, so a long one is searched in the other way.
const SHORT: usize = 1024;

/// How many characters next to a form hold a part of the secret's bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) before: bool,
    pub(crate) after: bool,
}

/// One secret in its forms. They are made once for all texts that are looked through.
pub struct SecretForms {
    /// All forms, one behind the other.
    bytes: SecretBytes,
    each: Vec<(Range<usize>, Edges)>,
    shortest: usize,
}

impl SecretForms {
    /// The forms of `secret`. An empty one is none, and has none.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        let mut made = Making::with_room_for(secret);
        if secret.is_empty() {
            return made.done();
        }
        made.push(secret);
        // What is left of bytes that are not text, once somebody has made text of them.
        if std::str::from_utf8(secret).is_err() {
            let text = Zeroizing::new(String::from_utf8_lossy(secret).into_owned());
            made.push(text.as_bytes());
        }
        // Messages quote a single line of a certificate or key.
        for line in secret.split(|byte| matches!(byte, b'\r' | b'\n')) {
            if line.len() >= SHORTEST_SEARCHABLE && line.len() < secret.len() {
                made.push(line);
            }
        }
        let digits = Zeroizing::new(hex::encode(secret));
        made.push(digits.as_bytes());
        made.push_changed(digits.as_bytes(), Edges::default(), |digit| {
            digit.to_ascii_uppercase()
        });
        for skipped in 0..3 {
            made.push_base64(secret, skipped);
        }
        made.done()
    }

    /// Whether a text shows the secret in one of the forms that a [`Scrubber`] finds. For one text this
    /// takes a small part of the time that it takes to make one.
    #[must_use]
    pub fn are_in(&self, text: &[u8]) -> bool {
        if self.each.is_empty() || text.len() < self.shortest {
            return false;
        }
        let plain = match text.len() <= SHORT {
            true => self.begin_in(text),
            false => self
                .iter()
                .any(|(form, _)| memmem::find(text, form).is_some()),
        };
        // What is escaped is rare where keys and ciphertexts stand.
        let is_escaped = || text.iter().any(|byte| matches!(byte, b'\\' | b'%'));
        plain
            || is_escaped() && {
                let text = String::from_utf8_lossy(text);
                let scrubber = Scrubber::new([self.secret()]);
                scrubber.scrub(&text).is_some_and(|clean| clean != text)
            }
    }

    /// Compares wherever a form may begin.
    fn begin_in(&self, text: &[u8]) -> bool {
        let mut begins = [false; 256];
        for (form, _) in self.iter() {
            begins[usize::from(form[0])] = true;
        }
        let places = text.iter().enumerate();
        places
            .filter(|(_, byte)| begins[usize::from(**byte)])
            .any(|(at, _)| self.iter().any(|(form, _)| text[at..].starts_with(form)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Edges)> {
        let bytes = self.bytes.expose();
        let each = self.each.iter();
        each.map(|(range, edges)| (&bytes[range.clone()], *edges))
    }

    /// The first form is the secret itself.
    fn secret(&self) -> &[u8] {
        self.iter().next().map_or(&[], |(form, _)| form)
    }
}

impl std::fmt::Debug for SecretForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretForms(redacted)")
    }
}

/// Forms that are being made. The bytes have room for all of them, so none is left behind where they
/// lay before.
struct Making {
    bytes: Vec<u8>,
    each: Vec<(Range<usize>, Edges)>,
}

impl Making {
    fn with_room_for(secret: &[u8]) -> Self {
        // Itself and its lines; as text at most three times as long; hexadecimal twice; base64 six
        // times, each longer by a third.
        Self {
            bytes: Vec::with_capacity(18 * secret.len() + 64),
            each: Vec::with_capacity(10),
        }
    }

    fn done(self) -> SecretForms {
        let shortest = self.each.iter().map(|(range, _)| range.len()).min();
        SecretForms {
            bytes: SecretBytes::new(self.bytes),
            each: self.each,
            shortest: shortest.unwrap_or_default(),
        }
    }

    fn push(&mut self, form: &[u8]) {
        self.push_changed(form, Edges::default(), |byte| byte);
    }

    /// Adds a form with each byte changed, unless that is nothing, or the form before.
    fn push_changed(&mut self, form: &[u8], edges: Edges, change: impl Fn(u8) -> u8) {
        let start = self.bytes.len();
        self.bytes.extend(form.iter().map(|byte| change(*byte)));
        let made = start..self.bytes.len();
        let is_known = |(before, its_edges): &(Range<usize>, Edges)| {
            *its_edges == edges && self.bytes[before.clone()] == self.bytes[made.clone()]
        };
        if made.is_empty() || self.each.last().is_some_and(is_known) {
            self.bytes.truncate(start);
        } else {
            self.each.push((made, edges));
        }
    }

    /// The characters that depend on `secret` alone when `skipped` bytes of its first group belong to
    /// what stands before it, in either alphabet.
    fn push_base64(&mut self, secret: &[u8], skipped: usize) {
        let mut input = Zeroizing::new(Vec::with_capacity(skipped + secret.len()));
        input.resize(skipped, 0);
        input.extend_from_slice(secret);
        let bits = input.len() * 8;
        let encoded = Zeroizing::new(STANDARD.encode(&*input));
        let middle = &encoded.as_bytes()[(skipped * 8).div_ceil(6)..bits / 6];
        let edges = Edges {
            before: skipped > 0,
            after: !bits.is_multiple_of(6),
        };
        self.push_changed(middle, edges, |letter| letter);
        self.push_changed(middle, edges, |letter| match letter {
            b'+' => b'-',
            b'/' => b'_',
            letter => letter,
        });
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_shows_a_secret_in_any_form_and_nothing_else() {
        let secret = "n\u{f8}t?encrypted>>>at all??".as_bytes();
        let encoded = STANDARD.encode(secret);
        assert!(encoded.contains('/') && encoded.contains('+'), "{encoded}");
        let forms = SecretForms::of(secret);
        for text in [
            format!("v1:{encoded}"),
            encoded.replace('/', "\\/"),
            encoded.replace('+', "\\u002b"),
            encoded.replace('/', "%2F"),
            URL_SAFE_NO_PAD.encode(secret),
            STANDARD.encode([b"x", secret].concat()),
            hex::encode(secret),
            hex::encode_upper(secret),
        ] {
            assert!(forms.are_in(text.as_bytes()), "{text}");
        }
        assert!(forms.are_in(&[b"\0\xff", secret].concat()));
        assert!(!forms.are_in(b"an answer with \\/ and %2F"));
        assert!(!forms.are_in(b""));
        assert!(!format!("{forms:?}").contains("encrypted"));
    }

    #[test]
    fn the_empty_secret_is_in_no_text() {
        let forms = SecretForms::of(b"");
        assert!(!forms.are_in(b"") && !forms.are_in(b"text"));
        // Some forms of a single byte are empty.
        assert!(!SecretForms::of(b"\0").are_in(b"text"));
    }

    #[test]
    fn a_long_text_is_searched_as_a_short_one_is() {
        let secret = b"swordfish-swordfish";
        let forms = SecretForms::of(secret);
        let encoded = STANDARD.encode(secret);
        for room in [0, SHORT, 1 << 20] {
            let text = format!("{}{encoded}", "s".repeat(room));
            assert!(forms.are_in(text.as_bytes()), "{room}");
            assert!(!forms.are_in(&text.as_bytes()[..text.len() - 5]), "{room}");
        }
    }

    proptest! {
        #[test]
        fn each_encoding_of_bytes_shows_them(
            secret in proptest::collection::vec(any::<u8>(), 16..40),
            before in proptest::collection::vec(any::<u8>(), 0..4),
        ) {
            let forms = SecretForms::of(&secret);
            let whole = [&before[..], &secret].concat();
            prop_assert!(forms.bytes.len() <= 18 * secret.len() + 64);
            for text in [
                STANDARD.encode(&whole),
                URL_SAFE.encode(&whole),
                hex::encode(&whole),
                hex::encode_upper(&whole),
            ] {
                prop_assert!(forms.are_in(text.as_bytes()), "{}", text);
            }
        }
    }
}
