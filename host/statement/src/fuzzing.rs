//! What the fuzzers try, as ordinary functions: a test replays their corpora with them.

use crate::{ParseError, Statement, mask, parse, parse_script, recognize};

/// One text for the parser, the printers, masking and recognition.
///
/// # Panics
///
/// Where a law of the statements does not hold for the text.
#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
pub fn parser(data: &[u8]) {
    let Ok(sql) = std::str::from_utf8(data) else {
        return;
    };
    let _ = mask(sql);
    let recognized = recognize(sql).map(|it| it.kind);
    match parse(sql) {
        Ok(statement) => {
            if recognized != Some(statement.kind()) {
                panic!("a statement is not recognized as what it is");
            }
            if parse_script(sql).as_deref() != Ok(std::slice::from_ref(&statement)) {
                panic!("a statement is not a script of one");
            }
            printed(&statement);
        }
        Err(error) => said(&error, sql),
    }
    if let Err(error) = parse_script(sql) {
        said(&error, sql);
    }
}

#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
fn printed(statement: &Statement) {
    if parse(statement.to_sql_with_secrets().expose()).as_ref() != Ok(statement) {
        panic!("a statement does not parse to itself");
    }
    let masked = statement.to_string();
    if parse(&masked).map(|it| it.to_string()) != Ok(masked) {
        panic!("a masked print does not print the same again");
    }
}

#[expect(clippy::panic, reason = "a broken law has to stop the fuzzer")]
fn said(error: &ParseError, sql: &str) {
    let _ = error.render(sql, true);
    let span = error.span();
    if sql.get(span).is_none() {
        panic!("the place of an error is none in the text");
    }
}
