//! Results of any length are written row by row.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use portolan_catalog::{
    AuditOutcome, AuditRecord, Catalog, CatalogError, KeySource, SqliteCatalog, SqliteOptions,
    Writer, model,
};

/// Rows of the long result. At once they would take some forty MiB.
const LONG: usize = 60_000;
/// What the long result may take more of memory than one of a row, in KiB.
const MORE: u64 = 6 << 10;

fn portolan(home: &Path, statement: &str, format: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.args(["sql", "-e", statement, "--format", format]);
    command.env_clear().env("HOME", home);
    command.stdout(Stdio::piped());
    command
}

/// Fills the audit trail, which is the longest that a store holds.
fn fill(home: &Path) {
    let made = portolan(home, "SHOW USERS", "csv")
        .output()
        .expect("started");
    assert!(made.status.success(), "{made:?}");
    let store = home.join(".local/share/portolan");
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: store.join("catalog.db"),
        key: KeySource::File(store.join("master.key")),
    });
    let record = AuditRecord {
        time: model::now(),
        principal: "root".to_owned(),
        on_behalf_of: None,
        client_address: None,
        request_id: None,
        action: "CREATE EXTERNAL CONNECTION".to_owned(),
        object: None,
        statement: Some("x".repeat(400)),
        outcome: AuditOutcome::Ok,
        detail: None,
    };
    let mut write = |writer: &mut dyn Writer| -> Result<(), CatalogError> {
        for _ in 0..LONG {
            writer.append_audit(&record)?;
        }
        Ok(())
    };
    let catalog = catalog.expect("opens");
    catalog.write(&mut write).expect("is written");
}

/// The most memory that a statement has had, in KiB, while the last of its rows are still to come.
fn most_memory(home: &Path, statement: &str, format: &str, at_least: usize) -> u64 {
    let mut child = portolan(home, statement, format).spawn().expect("started");
    let mut output = child.stdout.take().expect("its output");
    // What fits into the pipe is all that may be left, so the program still runs.
    let mut read = vec![0; at_least];
    output.read_exact(&mut read).expect("so many bytes");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.expect("it runs");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.expect("a line").trim().trim_end_matches(" kB");
    std::io::copy(&mut output, &mut std::io::sink()).expect("the rest");
    assert!(child.wait().expect("its end").success());
    most.parse().expect("a number")
}

#[test]
fn a_result_of_sixty_thousand_rows_takes_no_more_memory_than_its_first_rows() {
    let home = tempfile::tempdir().expect("a folder");
    fill(home.path());
    for format in ["csv", "tsv", "json", "ndjson"] {
        // Each row has 400 bytes and more.
        let (early, late) = (200 * 400, (LONG - 1_000) * 400);
        let first = most_memory(home.path(), "SHOW AUDIT", format, early);
        let whole = most_memory(home.path(), "SHOW AUDIT", format, late);
        let more = whole.saturating_sub(first);
        println!("{format}: {first} KiB after the first rows, {whole} KiB at the end");
        assert!(more <= MORE, "{format}: {more} KiB more");
    }
}
