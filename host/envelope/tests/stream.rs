//! What an envelope keeps, and what is noticed of one that was changed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::Read;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use portolan_contract::Encrypted;
use portolan_envelope::{
    CHUNK_BYTES, DataKey, EnvelopeError, Header, Memory, WipedReader, open, seal,
};
use portolan_secret::SecretBytes;
use proptest::prelude::*;

const TAG: usize = 16;

fn header() -> Header {
    let wrapped = Encrypted {
        ciphertext: vec![3; 200],
        key: "projects/p/locations/l/keyRings/r/cryptoKeys/k".to_owned(),
        key_version: Some("7".to_owned()),
    };
    Header::new("gcp-kms", wrapped).expect("a header")
}

fn key() -> DataKey {
    DataKey::unwrapped(SecretBytes::new([7; 32])).expect("a key")
}

/// A content in which no chunk is like another.
fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at % 251) as u8 ^ (at / CHUNK_BYTES) as u8)
        .collect()
}

fn sealed(content: &[u8]) -> Vec<u8> {
    let mut envelope = Vec::new();
    let sealed = seal(&header(), &key(), content, &mut envelope);
    assert_eq!(sealed.expect("sealed"), content.len() as u64);
    envelope
}

/// What comes out of an envelope, and how it ended.
fn opened(envelope: &[u8]) -> (Vec<u8>, Result<u64, EnvelopeError>) {
    let mut input = envelope;
    let mut output = Vec::new();
    let ended = Header::read(&mut input).and_then(|read| open(&read, &key(), input, &mut output));
    (output, ended)
}

/// Where the content begins.
fn start() -> usize {
    header().to_bytes().len()
}

/// The whole chunks of an envelope, and what stands before them.
fn parts(envelope: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (header, chunks) = envelope.split_at(start());
    let chunks = chunks.chunks(CHUNK_BYTES + TAG).map(<[u8]>::to_vec);
    (header.to_vec(), chunks.collect())
}

fn joined(header: &[u8], chunks: &[&[u8]]) -> Vec<u8> {
    [header, &chunks.concat()].concat()
}

#[test]
fn content_of_any_length_comes_back() {
    for length in [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
        3 * CHUNK_BYTES + 17,
    ] {
        let content = content(length);
        let envelope = sealed(&content);
        let chunks = length.div_ceil(CHUNK_BYTES).max(1);
        assert_eq!(envelope.len(), start() + length + chunks * TAG, "{length}");
        let (output, ended) = opened(&envelope);
        assert_eq!(ended.expect("opened"), length as u64);
        assert!(output == content, "{length}");
    }
}

#[test]
fn a_reader_that_brings_little_at_a_time_makes_the_same_chunks() {
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1_021);
            self.0.read(&mut buffer[..most])
        }
    }
    let content = content(2 * CHUNK_BYTES + 5);
    let header = header();
    let mut whole = Vec::new();
    seal(&header, &key(), &*content, &mut whole).expect("sealed");
    let mut dripped = Vec::new();
    seal(
        &header,
        &key(),
        WipedReader::new(Drip(&content)),
        &mut dripped,
    )
    .expect("sealed");
    assert!(whole == dripped);
    let mut input = WipedReader::new(Drip(&whole));
    let mut output = Vec::new();
    let read = Header::read(&mut input).expect("a header");
    open(&read, &key(), input, &mut output).expect("opened");
    assert!(output == content);
}

#[test]
fn an_envelope_made_by_hand_after_the_page_of_the_format_opens_and_is_what_is_sealed() {
    let content = content(CHUNK_BYTES + 5);
    let header = header();
    let head = header.to_bytes();
    let cipher = ChaCha20Poly1305::new(&[7; 32].into());
    let mut made = head.clone();
    for (number, chunk) in content.chunks(CHUNK_BYTES).enumerate() {
        let mut nonce = head[head.len() - 7..].to_vec();
        nonce.extend((number as u32).to_be_bytes());
        nonce.push(u8::from(number == 1));
        let nonce: [u8; 12] = nonce.try_into().expect("12 bytes");
        let aad: &[u8] = if number == 0 { &head } else { &[] };
        let chunk = cipher.encrypt(&nonce.into(), Payload { msg: chunk, aad });
        made.extend(chunk.expect("encrypted"));
    }
    let key = DataKey::unwrapped(SecretBytes::new([7; 32])).expect("a key");
    let mut sealed = Vec::new();
    seal(&header, &key, &*content, &mut sealed).expect("sealed");
    assert!(sealed == made);
    let mut input = &made[..];
    let read = Header::read(&mut input).expect("a header");
    let mut output = Vec::new();
    open(&read, &key, input, &mut output).expect("opened");
    assert!(output == content);
}

#[test]
fn memory_takes_what_a_writer_takes_up_to_its_last_byte() {
    for length in [0, 5, CHUNK_BYTES, 2 * CHUNK_BYTES + 5] {
        let content = content(length);
        let header = header();
        let mut written = Vec::new();
        seal(&header, &key(), &*content, &mut written).expect("sealed");
        let mut place = vec![0; written.len()];
        let mut memory = Memory::new(&mut place);
        seal(&header, &key(), &*content, &mut memory).expect("sealed");
        assert_eq!(memory.written(), written.len());
        assert!(place == written);
        let mut place = vec![0; length];
        let mut input = &written[..];
        let read = Header::read(&mut input).expect("a header");
        open(&read, &key(), input, &mut Memory::new(&mut place)).expect("opened");
        assert!(place == content);
        if length > 0 {
            let ended = open(&read, &key(), input, &mut Memory::new(&mut place[1..]));
            assert!(matches!(ended, Err(EnvelopeError::Write(_))), "{length}");
        }
        let mut place = vec![0; written.len() - 1];
        let ended = seal(&header, &key(), &*content, &mut Memory::new(&mut place));
        assert!(matches!(ended, Err(EnvelopeError::Write(_))), "{length}");
    }
}

#[test]
fn nothing_of_a_chunk_that_was_altered_comes_to_memory() {
    let content = content(2 * CHUNK_BYTES);
    let mut envelope = sealed(&content);
    *envelope.last_mut().expect("a tag") ^= 1;
    let mut input = &envelope[..];
    let read = Header::read(&mut input).expect("a header");
    let mut place = vec![0; content.len() + 16];
    let mut memory = Memory::new(&mut place);
    let ended = open(&read, &key(), input, &mut memory);
    assert!(matches!(ended, Err(EnvelopeError::Altered { .. })));
    let written = memory.written();
    assert_eq!(written, CHUNK_BYTES);
    assert!(place[..written] == content[..written]);
    // The tag of the chunk before, which anybody may read in the envelope, is all that lies there.
    let behind = &place[written + 16..2 * CHUNK_BYTES];
    assert!(behind.iter().all(|byte| *byte == 0));
}

#[test]
fn two_envelopes_of_one_content_have_nothing_in_common() {
    let one = DataKey::random().expect("a key");
    let two = DataKey::random().expect("a key");
    assert_ne!(one, two);
    assert_ne!(header().to_bytes(), header().to_bytes(), "the prefix");
}

#[test]
fn an_envelope_that_was_cut_says_so_and_gives_only_whole_chunks() {
    let content = content(2 * CHUNK_BYTES + 100);
    let envelope = sealed(&content);
    let chunk = CHUNK_BYTES + TAG;
    for (length, whole, at_a_border) in [
        (start(), 0, true),
        (start() + 5, 0, true),
        (start() + chunk, 0, true),
        (start() + chunk - 1, 0, false),
        (start() + 2 * chunk, 1, true),
        (start() + 2 * chunk + 15, 2, true),
        (start() + 2 * chunk + 16, 2, false),
        (envelope.len() - 1, 2, false),
    ] {
        let (output, ended) = opened(&envelope[..length]);
        let after = (whole * CHUNK_BYTES) as u64;
        assert!(output == content[..whole * CHUNK_BYTES], "{length}");
        match ended.expect_err("it was cut") {
            EnvelopeError::Truncated { after: told } if at_a_border => assert_eq!(told, after),
            EnvelopeError::Altered { after: told } if !at_a_border => assert_eq!(told, after),
            other => panic!("{length}: {other:?}"),
        }
    }
    for length in 0..start() {
        let ended = opened(&envelope[..length]).1.expect_err("it was cut");
        let expected = matches!(ended, EnvelopeError::Foreign) == (length < 8);
        assert!(expected, "{length}: {ended:?}");
    }
}

#[test]
fn chunks_that_were_moved_repeated_left_out_or_taken_from_another_envelope_do_not_open() {
    let content = content(3 * CHUNK_BYTES);
    let (header, chunks) = parts(&sealed(&content));
    let (_, others) = parts(&sealed(&content));
    let [a, b, c] = [&*chunks[0], &*chunks[1], &*chunks[2]];
    for (what, chunks, whole) in [
        ("swapped", vec![b, a, c], 0),
        ("the last two swapped", vec![a, c, b], 1),
        ("repeated", vec![a, a, b, c], 1),
        ("the last repeated", vec![a, b, c, c], 2),
        ("left out", vec![a, c], 1),
        ("the first left out", vec![b, c], 0),
        ("the last in the place of the first", vec![c], 0),
        ("of another envelope", vec![a, &*others[1], c], 1),
        ("more behind the last", vec![a, b, c, &[0; 40]], 2),
    ] {
        let (output, ended) = opened(&joined(&header, &chunks));
        assert!(ended.is_err(), "{what}");
        assert!(output == content[..whole * CHUNK_BYTES], "{what}");
    }
}

#[test]
fn a_chunk_alone_is_its_own_last_one_only_if_it_was_made_so() {
    let content = content(CHUNK_BYTES + 1);
    let (header, chunks) = parts(&sealed(&content));
    let ended = opened(&joined(&header, &[&chunks[0]])).1;
    assert!(matches!(ended, Err(EnvelopeError::Truncated { after: 0 })));
}

#[test]
fn another_data_key_opens_nothing() {
    let envelope = sealed(b"the content");
    let mut input = envelope.as_slice();
    let read = Header::read(&mut input).expect("a header");
    let mut output = Vec::new();
    let other = DataKey::unwrapped(SecretBytes::new([8; 32])).expect("a key");
    let ended = open(&read, &other, input, &mut output);
    assert!(matches!(ended, Err(EnvelopeError::Altered { after: 0 })));
    assert!(output.is_empty());
    for length in [0, 16, 31, 33, 64] {
        let unfit = DataKey::unwrapped(SecretBytes::new(vec![7; length]));
        assert!(matches!(unfit, Err(EnvelopeError::DataKey)), "{length}");
    }
}

#[test]
fn what_cannot_be_written_or_read_is_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::Other.into())
        }
    }
    let ended = seal(&header(), &key(), WipedReader::new(Broken), Vec::new());
    assert!(matches!(ended, Err(EnvelopeError::Read(_))));
    let mut small = [0; 20];
    let ended = seal(&header(), &key(), &b"content"[..], &mut small[..]);
    assert!(matches!(ended, Err(EnvelopeError::Write(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_bit_that_is_changed_anywhere_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let content = content(CHUNK_BYTES + 100);
        let mut envelope = sealed(&content);
        let at = at.index(envelope.len());
        envelope[at] ^= 1 << bit;
        let (output, ended) = opened(&envelope);
        prop_assert!(ended.is_err(), "byte {at}");
        let whole = if at < start() + CHUNK_BYTES + TAG { 0 } else { CHUNK_BYTES };
        prop_assert!(output == content[..whole], "byte {at}");
    }

    #[test]
    fn a_bit_of_the_header_that_is_changed_is_noticed(at in 0..300usize, bit in 0..8u8) {
        let mut envelope = sealed(b"content");
        let at = at % start();
        envelope[at] ^= 1 << bit;
        let (output, ended) = opened(&envelope);
        prop_assert!(ended.is_err(), "byte {at}");
        prop_assert!(output.is_empty(), "byte {at}");
    }
}
