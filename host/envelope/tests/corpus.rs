//! The fuzzer's corpus, replayed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[test]
fn every_envelope_of_the_fuzzer_s_corpus_keeps_the_laws() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/envelope");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let data = std::fs::read(entry.expect("an entry").path()).expect("an envelope");
        portolan_envelope::fuzzing::envelope(&data);
        replayed += 1;
    }
    assert!(
        replayed >= 10,
        "the corpus is not whole: {replayed} envelopes"
    );
}
