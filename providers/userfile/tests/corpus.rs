//! The fuzzer's corpus, replayed.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

/// URIs for nodelocal, whose paths are as good for this provider, and those for user files.
#[test]
fn every_uri_of_the_fuzzer_s_corpora_keeps_the_laws() {
    for (corpus, least) in [("plan", 20), ("userfile", 10)] {
        let folder = format!(
            "{}/../../host/fuzz/corpus/{corpus}",
            env!("CARGO_MANIFEST_DIR")
        );
        let mut replayed = 0;
        for entry in std::fs::read_dir(folder).expect("the corpus") {
            let data = std::fs::read(entry.expect("an entry").path()).expect("a URI");
            portolan_userfile::fuzzing::plan(&data);
            let text = String::from_utf8_lossy(&data).replacen("nodelocal://", "userfile://", 1);
            portolan_userfile::fuzzing::plan(text.as_bytes());
            replayed += 1;
        }
        assert!(
            replayed >= least,
            "the corpus is not whole: {replayed} URIs"
        );
    }
}
