//! Headers, as they are and as somebody may forge them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use portolan_contract::{Encrypted, MAX_CIPHERTEXT, MAX_KEY_NAME};
use portolan_envelope::{EnvelopeError, Header, MAX_HEADER_BYTES};
use proptest::prelude::*;

fn wrapped(ciphertext: usize, key: &str, version: Option<&str>) -> Encrypted {
    Encrypted {
        ciphertext: vec![9; ciphertext],
        key: key.to_owned(),
        key_version: version.map(str::to_owned),
    }
}

/// A header as the page of the format has it, with these fields; the prefix is seven sevens.
fn written(provider: &[u8], key: &[u8], version: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let mut rest = vec![u8::try_from(provider.len()).expect("a byte")];
    rest.extend(provider);
    for name in [key, version] {
        rest.extend(u16::try_from(name.len()).expect("two bytes").to_be_bytes());
        rest.extend(name);
    }
    rest.extend(
        u32::try_from(ciphertext.len())
            .expect("four bytes")
            .to_be_bytes(),
    );
    rest.extend(ciphertext);
    rest.extend([7; 7]);
    after_start(1, u32::try_from(rest.len()).expect("four bytes"), &rest)
}

fn after_start(version: u16, length: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x89, 0x50, 0x54, 0x4c, 0x4e, 0x0d, 0x0a, 0x1a];
    bytes.extend(version.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(rest);
    bytes
}

#[test]
fn a_header_is_written_byte_by_byte_as_its_page_says() {
    for (key, version) in [("arn:k", None), ("k", Some("5d0e"))] {
        let header = Header::new("aws-kms", wrapped(3, key, version)).expect("a header");
        let bytes = header.to_bytes();
        let shown = version.unwrap_or_default();
        let mut expected = written(b"aws-kms", key.as_bytes(), shown.as_bytes(), &[9; 3]);
        let prefix = bytes.len() - 7;
        expected[prefix..].copy_from_slice(&bytes[prefix..]);
        assert_eq!(bytes, expected);
        let followed = [bytes, b"content".to_vec()].concat();
        let mut input = followed.as_slice();
        let read = Header::read(&mut input).expect("a header");
        assert_eq!(read, header);
        assert_eq!(input, b"content", "not a byte more");
        assert_eq!(read.provider(), "aws-kms");
        assert_eq!(read.wrapped(), &wrapped(3, key, version));
    }
}

#[test]
fn the_longest_header_is_as_long_as_the_bound_and_no_longer_one_is_made() {
    let long = "k".repeat(MAX_KEY_NAME);
    let provider = "p".repeat(64);
    let most = wrapped(MAX_CIPHERTEXT, &long, Some(&long));
    let header = Header::new(&provider, most.clone()).expect("a header");
    let bytes = header.to_bytes();
    assert_eq!(bytes.len(), MAX_HEADER_BYTES);
    assert_eq!(Header::read(&*bytes).expect("a header"), header);
    let longer = "k".repeat(MAX_KEY_NAME + 1);
    for (provider, wrapped) in [
        ("p".repeat(65), most.clone()),
        (String::new(), most.clone()),
        ("Aws".to_owned(), most),
        (provider.clone(), wrapped(MAX_CIPHERTEXT + 1, "k", None)),
        (provider.clone(), wrapped(0, "k", None)),
        (provider.clone(), wrapped(1, &longer, None)),
        (provider, wrapped(1, "k", Some(&longer))),
    ] {
        let unfit = Header::new(&provider, wrapped);
        assert!(matches!(unfit, Err(EnvelopeError::Unfit(_))));
    }
}

#[test]
fn forged_headers_are_refused() {
    let good = written(b"p", b"k", b"", b"c");
    assert!(Header::read(&*good).is_ok());
    let longer = "k".repeat(MAX_KEY_NAME + 1);
    let long = vec![0; MAX_CIPHERTEXT + 1];
    for (what, bytes) in [
        ("a provider without a name", written(b"", b"k", b"", b"c")),
        (
            "a provider of other letters",
            written(b"P", b"k", b"", b"c"),
        ),
        (
            "a provider that steers a terminal",
            written(b"p\x1b", b"k", b"", b"c"),
        ),
        ("a key without a name", written(b"p", b"", b"", b"c")),
        (
            "a key that is too long",
            written(b"p", longer.as_bytes(), b"", b"c"),
        ),
        ("a key that is not UTF-8", written(b"p", b"\xff", b"", b"c")),
        (
            "a key that steers a terminal",
            written(b"p", b"k\x1b[2J", b"", b"c"),
        ),
        (
            "a key in two lines",
            written(b"p", b"k\nHINT: run", b"", b"c"),
        ),
        (
            "a version that is hidden",
            written(b"p", b"k", "1\u{202e}".as_bytes(), b"c"),
        ),
        ("no data key", written(b"p", b"k", b"", b"")),
        (
            "a data key that is too long",
            written(b"p", b"k", b"", &long),
        ),
        ("a field that ends behind the header", {
            let mut bytes = good.clone();
            bytes[14] = 200;
            bytes
        }),
        (
            "more than its fields",
            after_start(1, 18, &[&good[14..], &[0]].concat()),
        ),
        ("nothing", after_start(1, 0, &[])),
    ] {
        let refused = Header::read(&*bytes);
        assert!(
            matches!(refused, Err(EnvelopeError::Header(_))),
            "{what}: {refused:?}"
        );
    }
}

#[test]
fn a_header_of_great_length_is_refused_before_it_is_read() {
    struct Endless(usize);
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += buffer.len();
            buffer.fill(0);
            Ok(buffer.len())
        }
    }
    let start = after_start(1, u32::MAX, &[]);
    let mut rest = Endless(0);
    let refused = Header::read(std::io::Read::chain(&*start, &mut rest));
    assert!(matches!(
        refused,
        Err(EnvelopeError::Header("it is too long"))
    ));
    assert_eq!(rest.0, 0);
}

#[test]
fn other_files_and_later_versions_are_told_as_what_they_are() {
    for other in [&b""[..], b"\x89PTLN", b"hello, world", b"\x89PNG\r\n\x1a\n"] {
        assert!(matches!(Header::read(other), Err(EnvelopeError::Foreign)));
    }
    let later = Header::read(&*after_start(2, 1 << 30, &[]));
    assert!(matches!(later, Err(EnvelopeError::Newer(2))));
    let none = Header::read(&*after_start(0, 0, &[]));
    assert!(matches!(none, Err(EnvelopeError::Header(_))));
    // As a copy in text mode leaves it.
    let text: Vec<_> = written(b"p", b"k", b"", b"c");
    let text: Vec<_> = text.into_iter().filter(|byte| *byte != b'\r').collect();
    assert!(matches!(Header::read(&*text), Err(EnvelopeError::Foreign)));
}

proptest! {
    #[test]
    fn what_is_read_is_written_again_in_the_same_bytes(
        provider in "[a-z0-9-]{1,64}",
        key in "[a-zA-Z0-9:/._ äö-]{1,200}",
        version in proptest::option::of("[0-9a-f]{1,40}"),
        ciphertext in proptest::collection::vec(any::<u8>(), 1..300),
    ) {
        let wrapped = Encrypted { ciphertext, key, key_version: version };
        let header = Header::new(&provider, wrapped).expect("a header");
        let bytes = header.to_bytes();
        prop_assert_eq!(Header::read(&*bytes).expect("a header"), header);
    }

    #[test]
    fn any_bytes_behind_the_start_are_read_within_the_bounds(
        rest in proptest::collection::vec(any::<u8>(), 0..400),
        cut in any::<prop::sample::Index>(),
    ) {
        let length = u32::try_from(rest.len()).expect("four bytes");
        let bytes = after_start(1, length, &rest);
        portolan_envelope::fuzzing::envelope(&bytes);
        portolan_envelope::fuzzing::envelope(&bytes[..cut.index(bytes.len())]);
    }
}
