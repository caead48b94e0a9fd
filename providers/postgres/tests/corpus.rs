//! The fuzzer's corpus, replayed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[test]
fn every_uri_of_the_fuzzer_s_corpus_keeps_the_laws() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../host/fuzz/corpus/plan_postgres"
    );
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let data = std::fs::read(entry.expect("an entry").path()).expect("a URI");
        portolan_postgres::fuzzing::plan(&data);
        replayed += 1;
    }
    assert!(replayed >= 20, "the corpus is not whole: {replayed} URIs");
}
