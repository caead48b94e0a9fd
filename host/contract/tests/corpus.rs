//! The fuzzer's corpus, replayed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[test]
fn every_uri_of_the_fuzzer_s_corpus_keeps_the_laws() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/splitter");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let data = std::fs::read(entry.expect("an entry").path()).expect("a URI");
        portolan_contract::fuzzing::splitter(&data);
        replayed += 1;
    }
    assert!(replayed >= 20, "the corpus is not whole: {replayed} URIs");
}

#[test]
fn every_document_of_the_fuzzer_s_corpus_is_read_in_one_way() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/members");
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let data = std::fs::read(entry.expect("an entry").path()).expect("a document");
        portolan_contract::fuzzing::members(&data);
        replayed += 1;
    }
    assert!(
        replayed >= 15,
        "the corpus is not whole: {replayed} documents"
    );
}
