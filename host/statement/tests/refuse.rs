//! What is refused, with every word that is said about it: `tests/refuse/NAME.sql` holds texts that
//! are no statements, `-- ` and a title before each, `NAME.txt` what is said about them. With
//! `UPDATE_EXPECTED` set, the expected texts are written anew.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use portolan_statement::{ParseError, mask, parse};

fn said_about(title: &str, sql: &str, error: &ParseError) -> String {
    let mut said = format!("== {title}\n{}\n", error.render(sql, false));
    let detail = error.detail().unwrap_or("-");
    let hint = error.hint().unwrap_or("-");
    let _ = writeln!(
        said,
        "DETAIL: {detail}\nHINT: {hint}\nmasked: {}\n",
        mask(sql)
    );
    said
}

/// Titles and texts.
fn cases(file: &str) -> impl Iterator<Item = (&str, &str)> {
    file.split("\n-- ")
        .map(|case| case.strip_prefix("-- ").unwrap_or(case))
        .map(|case| case.split_once('\n').expect("a title and a text"))
        .map(|(title, sql)| (title, sql.trim_end_matches('\n')))
}

#[test]
fn what_is_refused_is_told_in_these_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refuse");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(files.len() >= 4, "the folder of cases is not whole");
    for path in files {
        let file = fs::read_to_string(&path).expect("cases");
        let mut said = String::new();
        for (title, sql) in cases(&file) {
            match parse(sql) {
                Ok(statement) => panic!("{title}: {statement} is a statement"),
                Err(error) => said.push_str(&said_about(title, sql, &error)),
            }
        }
        assert!(
            !said.contains("hunter2"),
            "{} shows a secret",
            path.display()
        );
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &said).expect("the expected text");
        }
        let expected = fs::read_to_string(&expected).expect("the expected text");
        assert_eq!(said, expected, "{}", path.display());
    }
}
