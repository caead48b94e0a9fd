//! Texts that would be slow to read if anything were quadratic.

/// A shape: its name, and how to make it of about so many bytes.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

/// `start`, then as many of `piece` as fit, then `end`.
fn repeat(start: &str, piece: &str, end: &str, size: usize) -> String {
    let fixed = start.len() + end.len();
    let times = size.saturating_sub(fixed) / piece.len();
    format!("{start}{}{end}", piece.repeat(times))
}

/// As many numbered pieces as fit, `#` being the number.
fn numbered(start: &str, piece: &str, end: &str, size: usize) -> String {
    let mut text = start.to_owned();
    for number in 1.. {
        let piece = piece.replace('#', &number.to_string());
        if text.len() + piece.len() + end.len() > size {
            break;
        }
        text.push_str(&piece);
    }
    text + end
}

/// All of them.
pub(crate) const ALL: &[Shape] = &[
    ("deep comments", |size| {
        format!(
            "{}{} SHOW USERS",
            "/*".repeat(size / 4),
            "*/".repeat(size / 4)
        )
    }),
    ("comments without an end", |size| {
        repeat("SHOW USERS ", "/*", "", size)
    }),
    ("many comments", |size| {
        repeat("SHOW ", "/**/--\n", "USERS", size)
    }),
    ("many placeholders", |size| {
        repeat("DROP EXTERNAL CONNECTION $1", ", $65535", "", size)
    }),
    ("one giant literal", |size| {
        repeat("CREATE EXTERNAL CONNECTION a AS '", "s3://b?", "'", size)
    }),
    ("one giant literal of escapes", |size| {
        repeat(
            "CREATE EXTERNAL CONNECTION a AS e'",
            "\\x41\\u00e9\\'\\n''",
            "'",
            size,
        )
    }),
    ("one giant literal of quotes", |size| {
        repeat("CREATE EXTERNAL CONNECTION a AS '", "''", "'", size)
    }),
    ("one giant literal in dollars", |size| {
        repeat(
            "CREATE EXTERNAL CONNECTION a AS $ab$",
            "$a$ab",
            "$ab$",
            size,
        )
    }),
    ("dollar tags without an end", |size| {
        numbered("", "$a# ", "", size)
    }),
    ("a literal without an end", |size| {
        repeat("CREATE EXTERNAL CONNECTION a AS '", "x ''\n", "", size)
    }),
    ("one giant name", |size| {
        repeat("SHOW EXTERNAL CONNECTION \"", "\"\"a", "\"", size)
    }),
    ("one giant word", |size| {
        repeat("SHOW EXTERNAL CONNECTION a ", "extrenal", "", size)
    }),
    ("one giant number", |size| {
        repeat(
            "CHECK EXTERNAL CONNECTION a WITH CONCURRENTLY = ",
            "9",
            "",
            size,
        )
    }),
    ("many statements", |size| {
        repeat("", "SHOW USERS;", "", size)
    }),
    ("many secrets", |size| {
        repeat("", "CREATE EXTERNAL CONNECTION a AS 's3://b';\n", "", size)
    }),
    ("many wrong statements", |size| {
        repeat("", "CREATE EXTERNAL CONNECTION a 'x';", "", size)
    }),
    ("many misspelt statements", |size| {
        repeat("", "CREATE EXTRENAL CONNECTION a ASS;", "", size)
    }),
    ("many misspelt words", |size| {
        repeat("CREATE EXTERNAL CONNECTION a ", "SA WIHT ", "", size)
    }),
    ("many misspelt words behind literals", |size| {
        repeat("", "ALTER EXTERNAL CONNECTION a AS 'x' WIHT;", "", size)
    }),
    ("many words of other SQL", |size| {
        repeat("SELECT ", "a, b.c = 'd' + 5 ", "", size)
    }),
    ("a URI that nobody quoted", |size| {
        repeat("CREATE EXTERNAL CONNECTION a AS s3://b?", "K=v&", "", size)
    }),
    ("many parameters", |size| {
        numbered(
            "ALTER EXTERNAL CONNECTION a SET (z = 'x'",
            ", k# = 'x'",
            ")",
            size,
        )
    }),
    ("many names", |size| {
        numbered("DROP EXTERNAL CONNECTION a", ", a#", "", size)
    }),
    ("many roles", |size| {
        numbered("GRANT a", ", a#", " TO b", size)
    }),
    ("many words that could be roles", |size| {
        repeat("GRANT system", ", system", "", size)
    }),
    ("many revoked options", |size| {
        repeat("REVOKE ADMIN", ", ADMIN OPTION", "", size)
    }),
    ("semicolons", |size| repeat("", ";", "", size)),
    ("lines", |size| repeat("", "\n", "SHOW", size)),
    ("characters that start nothing", |size| {
        repeat("SHOW ", "\u{0}\u{1F600}!", "", size)
    }),
];
