//! Finds secrets in foreign text, in every form that encoders give them.
//!
//! Two things are searched for: the secrets themselves, and forms that cannot be undone locally
//! (hex, base64 at each alignment). They are searched in the text as it is and in *views* of it, in
//! which escapes are undone: percent-encoding, JSON and Rust escapes, line breaks. A view remembers
//! where each of its bytes came from, so it does not matter which characters an encoder chose to
//! escape. Views are applied twice, so that an escape within an escape is found as well.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::SecretBytes;
use crate::forms::{Edges, SecretForms};

/// What stands where a secret was.
pub const REDACTED: &str = "redacted";

/// The shortest secret, in bytes, that can be told from ordinary text. While a shorter one is in
/// play, text that may hold it is dropped as a whole.
pub const SHORTEST_SEARCHABLE: usize = 6;

/// Removes a fixed set of secrets from text.
///
/// Cheap to make: the search automaton is built at the first text.
#[derive(Default, Clone)]
pub struct Scrubber {
    secrets: Vec<SecretBytes>,
    unsearchable: bool,
    search: OnceLock<Option<Search>>,
}

impl Scrubber {
    /// A scrubber for `secrets`. Empty ones are no secrets and are ignored.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut scrubber = Self::default();
        for secret in secrets {
            scrubber.add(secret);
        }
        scrubber
    }

    /// Removes this secret as well. An empty one is none.
    pub fn add(&mut self, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        if secret.len() >= SHORTEST_SEARCHABLE {
            self.secrets.push(SecretBytes::from(secret));
            // Made anew at the next text.
            self.search = OnceLock::new();
        } else if !secret.is_empty() {
            self.unsearchable = true;
        }
    }

    /// Whether this secret is among those that are removed, or text is dropped because of it.
    #[must_use]
    pub fn knows(&self, secret: &[u8]) -> bool {
        match secret.len() {
            0 => true,
            length if length < SHORTEST_SEARCHABLE => self.unsearchable,
            _ => self.secrets.iter().any(|known| known.expose() == secret),
        }
    }

    /// Whether every text is dropped, because a secret is too short to be found reliably.
    #[must_use]
    pub fn drops_all(&self) -> bool {
        self.unsearchable
    }

    /// Whether there is nothing to remove.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && !self.unsearchable
    }

    /// `text` with `redacted` in the place of every secret, or `None` when the text must be dropped
    /// because a secret is in play that is too short to be found reliably.
    #[must_use]
    pub fn scrub(&self, text: &str) -> Option<String> {
        if self.unsearchable {
            return None;
        }
        if self.secrets.is_empty() {
            return Some(text.to_owned());
        }
        let search = self
            .search
            .get_or_init(|| Search::new(&self.secrets))
            .as_ref()?;
        Some(replace(text, search.find(text)))
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scrubber(redacted)")
    }
}

/// The automaton over all forms of all secrets.
#[derive(Clone)]
struct Search {
    automaton: AhoCorasick,
    /// For each pattern, how many characters next to it hold a part of the secret's bits.
    edges: Vec<Edges>,
}

impl Search {
    fn new(secrets: &[SecretBytes]) -> Option<Self> {
        let forms = secrets
            .iter()
            .map(|secret| SecretForms::of(secret.expose()));
        let forms: Vec<_> = forms.collect();
        let (patterns, edges): (Vec<_>, _) = forms.iter().flat_map(SecretForms::iter).unzip();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns)
            .ok()?;
        Some(Self { automaton, edges })
    }

    /// Every range of `text` that holds a secret, in no order, maybe overlapping.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        // Nearly every text has nothing to be undone and nothing to be found.
        let undone = |byte: u8| matches!(byte, b'%' | b'+' | b'\\' | b'\r' | b'\n');
        if !text.bytes().any(undone) && !self.automaton.is_match(text) {
            return found;
        }
        let plain = View::of(text);
        self.find_in(&plain, &mut found);
        for outer in UNDO.iter().filter_map(|undo| undo(&plain)) {
            self.find_in(&outer, &mut found);
            for inner in UNDO.iter().filter_map(|undo| undo(&outer)) {
                self.find_in(&inner, &mut found);
            }
        }
        found
    }

    fn find_in(&self, view: &View, found: &mut Vec<Range<usize>>) {
        for hit in self.automaton.find_overlapping_iter(&view.bytes) {
            let (mut start, mut end) = (hit.start(), hit.end());
            let edges = self.edges[hit.pattern().as_usize()];
            if edges.before && start > 0 && is_base64(view.bytes[start - 1]) {
                start -= 1;
            }
            if edges.after && view.bytes.get(end).is_some_and(|byte| is_base64(*byte)) {
                end += 1;
            }
            found.push(view.sources[start].start..view.sources[end - 1].end);
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// A text with some escapes undone. Each byte knows the range of the text that it came from.
struct View {
    bytes: Vec<u8>,
    sources: Vec<Range<usize>>,
}

type Undo = fn(&View) -> Option<View>;

/// One level of escaping each; `None` where a text has nothing of the kind.
const UNDO: [Undo; 4] = [
    undo_percent,
    undo_percent_and_plus,
    undo_backslash,
    undo_line_breaks,
];

impl View {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let sources = (0..bytes.len()).map(|at| at..at + 1).collect();
        Self { bytes, sources }
    }

    /// Walks the bytes; `step` says for a position how many bytes it takes up and what they mean.
    fn rewrite(&self, step: impl Fn(&[u8], &mut Vec<u8>) -> usize) -> Self {
        let mut view = Self {
            bytes: Vec::with_capacity(self.bytes.len()),
            sources: Vec::with_capacity(self.bytes.len()),
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let taken = step(&self.bytes[at..], &mut view.bytes);
            let source = self.sources[at].start..self.sources[at + taken - 1].end;
            view.sources.resize(view.bytes.len(), source);
            at += taken;
        }
        view
    }
}

fn undo_percent(view: &View) -> Option<View> {
    view.bytes
        .contains(&b'%')
        .then(|| view.rewrite(percent_step))
}

fn undo_percent_and_plus(view: &View) -> Option<View> {
    view.bytes.contains(&b'+').then(|| {
        view.rewrite(|rest, out| match rest[0] {
            b'+' => {
                out.push(b' ');
                1
            }
            _ => percent_step(rest, out),
        })
    })
}

fn percent_step(rest: &[u8], out: &mut Vec<u8>) -> usize {
    match rest {
        [b'%', high, low, ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(high), Some(low)) => {
                out.push(high << 4 | low);
                3
            }
            _ => literal(b'%', out),
        },
        _ => literal(rest[0], out),
    }
}

fn literal(byte: u8, out: &mut Vec<u8>) -> usize {
    out.push(byte);
    1
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// JSON's escapes, and those of Rust's and C's string literals, which `{:?}` and servers use.
fn undo_backslash(view: &View) -> Option<View> {
    view.bytes
        .contains(&b'\\')
        .then(|| view.rewrite(backslash_step))
}

fn backslash_step(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let [b'\\', kind, ..] = rest else {
        return literal(rest[0], out);
    };
    let simple = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'0' => 0,
        b'"' | b'\'' | b'/' | b'\\' => *kind,
        b'x' => {
            return match rest
                .get(2..4)
                .map(|two| (hex_digit(two[0]), hex_digit(two[1])))
            {
                Some((Some(high), Some(low))) => {
                    out.push(high << 4 | low);
                    4
                }
                _ => literal(b'\\', out),
            };
        }
        b'u' => {
            return match unicode_escape(rest) {
                Some((character, taken)) => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    taken
                }
                None => literal(b'\\', out),
            };
        }
        _ => return literal(b'\\', out),
    };
    out.push(simple);
    2
}

/// `\uXXXX`, a surrogate pair of them, or `\u{X…}` at the start of `rest`, and its length.
fn unicode_escape(rest: &[u8]) -> Option<(char, usize)> {
    if rest.get(2) == Some(&b'{') {
        let end = rest.iter().take(10).position(|byte| *byte == b'}')?;
        let digits = std::str::from_utf8(&rest[3..end]).ok()?;
        let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        return Some((character, end + 1));
    }
    let unit = |at: usize| -> Option<u16> {
        let escape = rest.get(at..at + 6)?;
        if &escape[..2] != b"\\u" || !escape[2..].iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u16::from_str_radix(std::str::from_utf8(&escape[2..]).ok()?, 16).ok()
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    match char::decode_utf16([first, unit(6)?]).next()? {
        Ok(character) => Some((character, 12)),
        Err(_) => None,
    }
}

/// Base64 and hex are often folded into lines.
fn undo_line_breaks(view: &View) -> Option<View> {
    let broken = |byte: &u8| matches!(byte, b'\r' | b'\n');
    view.bytes.iter().any(broken).then(|| {
        view.rewrite(|rest, out| {
            if !broken(&rest[0]) {
                out.push(rest[0]);
            }
            1
        })
    })
}

/// `text` with `redacted` for every run of overlapping or touching ranges.
fn replace(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut ranges = ranges.into_iter().peekable();
    while let Some(Range { start, mut end }) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= end) {
            end = end.max(next.end);
        }
        // A secret that is not text may begin or end within a character.
        let start = (copied..=start)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(copied);
        let end = (end..=text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(text.len());
        out.push_str(text.get(copied..start).unwrap_or_default());
        out.push_str(REDACTED);
        copied = end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    const SECRET: &str = "p/ss w+rd=\"ü\\\n";

    fn scrub(secret: &str, text: &str) -> String {
        Scrubber::new([secret])
            .scrub(text)
            .expect("the secret is long enough")
    }

    fn percent(secret: &str, upper: bool, escaped: impl Fn(u8) -> bool) -> String {
        let mut out = Vec::new();
        for byte in secret.bytes() {
            match (escaped(byte), upper) {
                (true, true) => out.extend(format!("%{byte:02X}").bytes()),
                (true, false) => out.extend(format!("%{byte:02x}").bytes()),
                (false, _) => out.push(byte),
            }
        }
        String::from_utf8(out).expect("either escaped or as it was")
    }

    #[test]
    fn a_plain_secret_is_replaced_and_the_rest_stays() {
        assert_eq!(
            scrub("hunter22", "login hunter22: no"),
            "login redacted: no"
        );
        assert_eq!(scrub("hunter22", "nothing here"), "nothing here");
    }

    #[test]
    fn every_way_to_percent_encode_is_found() {
        for upper in [true, false] {
            let all = percent(SECRET, upper, |_| true);
            let usual = percent(SECRET, upper, |byte| !byte.is_ascii_alphanumeric());
            let few = percent(SECRET, upper, |byte| {
                byte == b'%' || !byte.is_ascii_graphic()
            });
            let plus = percent(SECRET, upper, |byte| {
                !byte.is_ascii_alphanumeric() && byte != b' '
            })
            .replace(' ', "+");
            let twice = percent(&usual, upper, |byte| byte == b'%');
            for form in [all, usual, few, plus, twice] {
                assert_eq!(
                    scrub(SECRET, &format!("?a={form}&b")),
                    "?a=redacted&b",
                    "{form}"
                );
            }
        }
    }

    #[test]
    fn json_and_debug_escapes_are_found() {
        let json = r#"p\/ss w+rd=\"\u00fc\\\n"#;
        assert_eq!(
            scrub(SECRET, &format!("{{\"k\":\"{json}\"}}")),
            "{\"k\":\"redacted\"}"
        );
        assert_eq!(scrub(SECRET, &format!("{SECRET:?}")), "\"redacted\"");
        assert_eq!(scrub("pass😀word", r"pass\ud83d\ude00word"), "redacted");
        assert_eq!(
            scrub("pass\u{1}word", r"pass\u{1}word pass\x01word"),
            "redacted redacted"
        );
        let nested = format!("{:?}", format!("{SECRET:?}"));
        assert_eq!(scrub(SECRET, &nested), r#""\"redacted\"""#);
    }

    #[test]
    fn hex_is_found_in_both_cases() {
        let (lower, upper) = (hex::encode("hunter22"), hex::encode_upper("hunter22"));
        assert_eq!(
            scrub("hunter22", &format!("{lower}.{upper}")),
            "redacted.redacted"
        );
    }

    #[test]
    fn folded_base64_is_found() {
        let mut folded = STANDARD.encode("a longer secret, folded in the middle");
        folded.insert_str(20, "\r\n");
        assert_eq!(
            scrub("a longer secret, folded in the middle", &folded),
            "redacted=="
        );
    }

    #[test]
    fn base64_neighbours_that_hold_bits_of_the_secret_go_too() {
        // One byte before and one after: the first group holds four of the secret's bits.
        let encoded = STANDARD.encode("#hunter22#");
        let scrubbed = scrub("hunter22", &encoded);
        assert_eq!(
            scrubbed,
            format!("{}redacted{}", &encoded[..1], &encoded[12..])
        );
    }

    #[test]
    fn a_line_of_a_longer_secret_is_found() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n";
        assert_eq!(scrub(key, "bad line MIIEvQIBADANBgkq"), "bad line redacted");
    }

    #[test]
    fn a_secret_that_is_not_text_is_found_in_what_became_of_it() {
        let secret = b"\xff\xfepass\xfdword".as_slice();
        let shown = format!("got {}", String::from_utf8_lossy(secret));
        assert_eq!(
            Scrubber::new([secret]).scrub(&shown).as_deref(),
            Some("got redacted")
        );
        // Its first byte alone is the end of a character here, and the character goes as a whole.
        let scrubber = Scrubber::new([b"\x9fecret".as_slice()]);
        assert_eq!(
            scrubber.scrub("wei\u{df}ecret").as_deref(),
            Some("weiredacted")
        );
    }

    #[test]
    fn while_a_short_secret_is_in_play_the_text_is_dropped() {
        assert_eq!(Scrubber::new(["short"]).scrub("anything"), None);
        assert_eq!(
            Scrubber::new(["", "hunter22"]).scrub("x").as_deref(),
            Some("x")
        );
        assert!(Scrubber::new([""]).is_empty());
        assert!(!Scrubber::new(["a"]).is_empty());
    }

    #[test]
    fn overlapping_secrets_leave_nothing_between_them() {
        let scrubber = Scrubber::new(["abcdef", "defghi", "abcdefghijkl"]);
        assert_eq!(scrubber.scrub("xabcdefghix").as_deref(), Some("xredactedx"));
        assert_eq!(scrubber.scrub("abcdefghijkl").as_deref(), Some("redacted"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Scrubber::new(["hunter22"])),
            "Scrubber(redacted)"
        );
    }

    proptest! {
        #[test]
        fn no_form_of_any_secret_survives(
            secret in "\\PC{6,24}",
            before in "[ -~]{0,5}",
            after in "[ -~]{0,5}",
        ) {
            let around = format!("{before}{secret}{after}");
            let texts = [
                around.clone(),
                percent(&around, true, |byte| !byte.is_ascii_alphanumeric()),
                serde_json::to_string(&around).expect("text is JSON"),
                format!("{around:?}"),
                hex::encode(&around),
                hex::encode_upper(&around),
            ];
            for text in texts {
                let scrubbed = scrub(&secret, &text);
                prop_assert!(scrubbed.contains(REDACTED), "{text}");
            }
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                let scrubbed = scrub(&secret, &engine.encode(&around));
                let (head, tail) = scrubbed.split_once(REDACTED).expect("found at this alignment");
                // What is left encodes nothing but what stood around the secret.
                prop_assert!(head.len() * 6 <= before.len() * 8);
                prop_assert!(tail.trim_end_matches('=').len() * 6 <= after.len() * 8 + 5);
            }
            let bytes_only = Scrubber::new([secret.as_bytes()]).scrub(&around);
            prop_assert!(bytes_only.is_some_and(|text| !text.contains(&secret)));
        }

        #[test]
        fn text_without_the_secret_is_unchanged(text in "[a-m%+\\\\ ]{0,80}") {
            prop_assert_eq!(scrub("zyxwvut", &text), text);
        }

        #[test]
        fn no_text_and_no_secret_panics(
            secret in proptest::collection::vec(any::<u8>(), 0..40),
            text in "(\\PC|[%+\\\\ux0-9a-f{}\r\n]){0,80}",
        ) {
            let _ = Scrubber::new([secret]).scrub(&text);
        }
    }
}
