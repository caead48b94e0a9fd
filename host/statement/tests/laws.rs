//! What holds for every statement and for every text.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use portolan_statement::{mask, parse, parse_script, recognize};
use proptest::prelude::*;

use common::{any_text, statement};

/// A secret of which no four characters in a row occur in anything that these tests write.
const MARKER: &str = "zqxjkvw7";

/// Whether four characters of the marker are in the text.
fn shows_marker(text: &str) -> bool {
    MARKER
        .as_bytes()
        .windows(4)
        .filter_map(|part| std::str::from_utf8(part).ok())
        .any(|part| text.contains(part))
}

fn marked() -> BoxedStrategy<String> {
    prop_oneof![
        Just(format!("s3://bucket/path?KEY={MARKER}&T=a%2F{MARKER}+x==")),
        Just(MARKER.to_owned()),
        Just(format!("{MARKER} {MARKER}; {MARKER}")),
        "[ -~]{0,8}".prop_map(|around| format!("{around}{MARKER}{around}")),
        "['\"\\\\$;()=,\n -]{0,4}".prop_map(|around| format!("{MARKER}{around}{MARKER}")),
    ]
    .boxed()
}

/// A slip of the hand: one place of a text, and what is done there.
#[derive(Debug, Clone)]
enum Slip {
    Cut,
    Delete,
    Insert(&'static str),
}

fn slip() -> impl Strategy<Value = (prop::sample::Index, Slip)> {
    let inserted = prop::sample::select(vec![
        "'", "\"", "$", "$$", ";", "(", ")", "=", ",", "--", "/*", "*/", "\\", "e'", " ", "\n",
        "7", "x", ":", "@", "\u{0}", "é",
    ]);
    let slip = prop_oneof![
        Just(Slip::Cut),
        Just(Slip::Delete),
        inserted.prop_map(Slip::Insert)
    ];
    (any::<prop::sample::Index>(), slip)
}

fn apply(text: &str, at: prop::sample::Index, slip: &Slip) -> String {
    // The end is a place, too.
    let places: Vec<_> = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let at = *at.get(&places);
    let (before, after) = text.split_at(at);
    match slip {
        Slip::Cut => before.to_owned(),
        Slip::Delete => {
            let mut after = after.chars();
            after.next();
            format!("{before}{}", after.as_str())
        }
        Slip::Insert(what) => format!("{before}{what}{after}"),
    }
}

/// Everything that is ever said about a text.
fn said_about(sql: &str) -> Vec<String> {
    let mut said = vec![mask(sql)];
    for statements in [parse(sql).map(|it| vec![it]), parse_script(sql)] {
        match statements {
            Ok(statements) => {
                said.extend(statements.iter().map(|it| format!("{it} {it:?}")));
            }
            Err(error) => said.extend([
                format!("{error} {error:?} {:?} {:?}", error.detail(), error.hint()),
                error.render(sql, false),
                error.render(sql, true),
            ]),
        }
    }
    said
}

proptest! {
    #[test]
    fn a_statement_printed_with_its_secrets_parses_to_itself(it in statement(any_text())) {
        let sql = it.to_sql_with_secrets();
        prop_assert_eq!(parse(sql.expose()), Ok(it), "{}", sql.expose());
    }

    #[test]
    fn a_statement_printed_with_masks_parses_to_what_prints_the_same(it in statement(any_text())) {
        let printed = it.to_string();
        let again = parse(&printed).expect("a print parses");
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again.kind(), it.kind());
    }

    #[test]
    fn a_statement_is_recognized_as_what_it_is(it in statement(any_text())) {
        let found = recognize(it.to_sql_with_secrets().expose());
        prop_assert_eq!(found.map(|found| found.kind), Some(it.kind()));
    }

    #[test]
    fn no_text_panics_anywhere(sql in prop_oneof![
        any_text(),
        (statement(any_text()), slip(), slip()).prop_map(|(it, one, other)| {
            let sql = it.to_sql_with_secrets();
            apply(&apply(sql.expose(), one.0, &one.1), other.0, &other.1)
        }),
    ]) {
        prop_assert!(!said_about(&sql).is_empty());
        portolan_statement::fuzzing::parser(sql.as_bytes());
    }

    #[test]
    fn a_script_is_its_statements(statements in prop::collection::vec(statement(any_text()), 0..4)) {
        let sql: Vec<_> = statements.iter().map(|it| it.to_sql_with_secrets().expose().to_owned()).collect();
        prop_assert_eq!(parse_script(&sql.join(";\n")), Ok(statements));
    }

    #[test]
    fn nothing_that_is_said_about_a_statement_shows_a_secret(it in statement(marked())) {
        let sql = it.to_sql_with_secrets();
        for said in said_about(sql.expose()) {
            prop_assert!(!shows_marker(&said), "{}\n{said}", sql.expose());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 1024 } else { 4096 }))]

    #[test]
    fn nothing_that_is_said_about_a_slip_of_the_hand_shows_a_secret(
        it in statement(marked()),
        (at, slip) in slip(),
    ) {
        let sql = apply(it.to_sql_with_secrets().expose(), at, &slip);
        for said in said_about(&sql) {
            prop_assert!(!shows_marker(&said), "{sql}\n{said}");
        }
    }
}
