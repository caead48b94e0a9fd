//! What the fuzzers try, as ordinary functions: a test replays their corpora with them.

use std::sync::LazyLock;

use portolan_secret::SecretText;

use crate::members::{Filled, filled};
use crate::{
    JsonPointer, Manifest, Member, edit, find_members, is_inside_of_a_string, print_redacted,
    scheme_of, split, unescaped,
};

/// A manifest with an option of each format, for every scheme that the corpus uses.
const MANIFEST: &str = r#"
name = "fuzzed"
version = "0.1.0"
contract = "0.1"
schemes = ["s3", "kafka", "postgres", "http", "nodelocal"]
kinds = ["storage"]
operations = []
[[endpoint]]
host = "{option:URL}"
[[option]]
name = "PUBLIC"
public = true
meaning = "anything that may be shown"
[[option]]
name = "URL"
public = true
meaning = "where"
[[option]]
name = "PLUS"
format = "plus"
meaning = "a secret"
[[option]]
name = "BASE64"
format = "base64"
meaning = "a secret"
[[option]]
name = "BASE64TEXT"
format = "base64-text"
meaning = "a secret"
[[option]]
name = "BASE64JSON"
format = "base64-json"
meaning = "a secret"
[[option]]
name = "JSON"
format = "json"
meaning = "a secret"
[[option]]
name = "PEM"
format = "pem"
meaning = "a secret"
[[option]]
name = "INTEGER"
format = "integer"
meaning = "a secret"
"#;

/// That manifest, and one of a provider that dials the authority.
static MANIFESTS: LazyLock<Vec<Manifest>> = LazyLock::new(|| {
    [
        MANIFEST.to_owned(),
        MANIFEST.replace("{option:URL}", "{authority}"),
    ]
    .iter()
    .filter_map(|text| Manifest::parse(text).ok())
    .collect()
});

/// One URI for the splitter and the printer of redacted URIs.
///
/// # Panics
///
/// Where a law of either does not hold for the text.
#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
pub fn splitter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if MANIFESTS.len() != 2 {
        panic!("a manifest does not parse");
    }
    for manifest in MANIFESTS.iter() {
        splits(text, manifest);
    }
}

#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
fn splits(text: &str, manifest: &Manifest) {
    let uri = SecretText::new(text);
    let Ok(split_uri) = split(&uri, manifest) else {
        return;
    };
    if scheme_of(text).as_deref() != Ok(split_uri.pieces.scheme.as_str()) {
        panic!("a URI has two schemes");
    }
    let shown = print_redacted(&split_uri.pieces);
    let Ok(again) = split(&SecretText::new(shown.as_str()), manifest) else {
        panic!("a redacted URI does not split");
    };
    if print_redacted(&again.pieces) != shown {
        panic!("a redacted URI is not shown the same again");
    }
    if shown.chars().any(char::is_control) {
        panic!("a redacted URI steers a terminal");
    }
    // A secret is found in what is shown only where the same text stands outside of it; so it is
    // replaced by one that stands nowhere, and nothing that is shown may change.
    let marker = "zqxjkvw7";
    if !text.contains(marker) {
        let set: Vec<_> = split_uri
            .pieces
            .options
            .iter()
            .filter(|pair| matches!(pair.value, crate::Value::Secret(_)))
            .map(|pair| (pair.name.clone(), SecretText::new(marker)))
            .take(1)
            .collect();
        if let Ok(edited) = edit(&uri, &set, &[], manifest) {
            let Ok(edited) = split(&edited, manifest) else {
                panic!("an edited URI does not split");
            };
            if print_redacted(&edited.pieces).contains(marker) {
                panic!("a secret is shown");
            }
        }
    }
}

/// Pointers, a line each, an empty line, and a document that they are looked up in: the strict reader
/// of JSON that decides what is opaque.
///
/// # Panics
///
/// Where it accepts what others do not, reads a string otherwise than they do, or finds something
/// else once the strings are cut out.
#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
pub fn members(data: &[u8]) {
    let Some(blank) = data.windows(2).position(|two| two == b"\n\n") else {
        return;
    };
    let (lines, document) = (&data[..blank], &data[blank + 2..]);
    let lines = String::from_utf8_lossy(lines);
    let pointers = lines.lines().take(16);
    let pointers: Vec<_> = pointers
        .filter_map(|line| JsonPointer::try_from(line.to_owned()).ok())
        .collect();
    let pointers: Vec<_> = pointers.iter().collect();
    let Ok(members) = find_members(document, &pointers) else {
        return;
    };
    if serde_json::from_slice::<serde::de::IgnoredAny>(document).is_err() {
        panic!("the reader takes what is no JSON");
    }
    let inside = |member: &Member| document.get(member.start..member.end).unwrap_or_default();
    for member in &members {
        let inside = inside(member);
        let quoted = [b"\"", inside, b"\""].concat();
        let theirs = serde_json::from_slice::<String>(&quoted).ok();
        if !is_inside_of_a_string(inside) || unescaped(inside) != theirs {
            panic!("a string is read in two ways");
        }
    }
    let mut cut = Vec::new();
    let mut places = Vec::new();
    let mut from = 0;
    for member in &members {
        cut.extend_from_slice(document.get(from..member.start).unwrap_or_default());
        places.push(cut.len());
        from = member.end;
    }
    cut.extend_from_slice(document.get(from..).unwrap_or_default());
    if filled(&cut, &places, &pointers) != Filled::Rightly {
        panic!("what is left when strings are cut out is another document");
    }
}
