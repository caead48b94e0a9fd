//! What is wrong with `portolan.toml`, said without a value of it: any of them may be a secret that
//! stands in the wrong place.

/// The mistake of a file, with the line that it is in.
pub(crate) fn told(text: &str, error: &toml::de::Error) -> String {
    // The parser's own rendering quotes the line.
    let line = error
        .span()
        .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
    let message = match toml::from_str::<toml::Table>(text) {
        // What the parser says of a text that is no TOML names what it expects, and nothing of the text.
        Err(_) => error.message().to_owned(),
        Ok(_) => mistake(error.message()),
    };
    format!("line {line}: {message}")
}

/// Serde's words for keys and values that are not those of the file, without what it repeats of them.
fn mistake(message: &str) -> String {
    let expected = message.rsplit_once("expected ").map(|(_, rest)| rest);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let unknown = rest.split_once('`').map_or(rest, |(unknown, _)| unknown);
        let known = rest.split('`').skip(2).step_by(2);
        return match (is_key(unknown), nearest(unknown, known)) {
            (true, Some(known)) => format!("unknown key `{unknown}`; did you mean `{known}`?"),
            (true, None) => match expected {
                Some(expected) => format!("unknown key `{unknown}`, expected {expected}"),
                None => format!("unknown key `{unknown}`"),
            },
            (false, _) => match expected {
                Some(expected) => {
                    format!("a key that is none of this table's, expected {expected}")
                }
                None => "a key that is none of this table's".to_owned(),
            },
        };
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("the key {rest} is missing");
    }
    match expected {
        Some(expected) if expected.starts_with("struct ") => "expected a table".to_owned(),
        Some("a sequence") => "expected a list".to_owned(),
        Some(expected) => format!("expected {expected}"),
        None => "a value that this key cannot have".to_owned(),
    }
}

/// Whether a text looks like a key and not like a value.
fn is_key(text: &str) -> bool {
    text.len() <= 48
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'-')
}

/// The known key nearest to an unknown one, if at most a third of it is written otherwise.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, _)| *distance <= (unknown.len() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn told(text: &str) -> String {
        Config::parse(text).expect_err("a mistake")
    }

    #[test]
    fn no_value_is_repeated_wherever_it_stands() {
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY=swordfish";
        for text in [
            "master_key = \"aws-kms:///k?SECRET\"\n",
            "\"aws-kms:///k?SECRET\" = 1\n",
            "[master_key]\n\"aws-kms:///k?SECRET\" = 1\n",
            "[master_key]\nkms = { uri = \"aws-kms:///k?SECRET\" }\n",
            "[master_key]\nkms = [\"aws-kms:///k?SECRET\"]\n",
            "[master_key]\nfile = [\"SECRET\"]\n",
            "[probe]\ntimeout = \"SECRET\"\n",
            "external_io_disable_http = \"SECRET\"\n",
            "[egress]\nallow = \"SECRET\"\n",
            "[egress]\nallow = [{ SECRET = 1 }]\n",
            "[egress]\nallow = [[\"SECRET\"]]\n",
            "[egress]\nconnect_to = \"SECRET\"\n",
            "[egress.connect_to]\n\"SECRET\" = [\"SECRET\"]\n",
            "[[egress.brokers]]\nbootstrap = { SECRET = 2 }\n",
            "[tls]\nextra_ca = { file = \"SECRET\" }\n",
            // No TOML at all.
            "master_key = aws-kms:///k?SECRET\n",
            "master_key = \"aws-kms:///k?SECRET\nx",
            "aws-kms:///k?SECRET\n",
            "[aws-kms:///k?SECRET]\n",
            "SECRET = \"SECRET\" SECRET\n",
            "a = \"\\q SECRET\"\n",
            "a = 'SECRET\n'\n",
            "\"SECRET\" = 1\n\"SECRET\" = 2\n",
            "a = 1\n[a.SECRET]\n",
        ] {
            let told = told(&text.replace("SECRET", SECRET));
            assert!(!told.contains("swordfish"), "{text}: {told}");
            assert!(told.starts_with("line "), "{text}: {told}");
        }
        // Numbers, dates and truths are values as well.
        for (text, secret) in [
            ("user = 4711\n", "4711"),
            ("user = 47.11\n", "47.11"),
            ("user = 1979-05-27\n", "1979"),
            ("[master_key]\nkms = 4711\n", "4711"),
        ] {
            assert!(!told(text).contains(secret), "{}", told(text));
        }
    }

    #[test]
    fn a_mistake_says_what_is_expected_in_its_place() {
        for (text, expected) in [
            ("master_key = \"k\"\n", "line 1: expected a table"),
            ("user = 5\n", "line 1: expected a string"),
            ("[egress]\nallow = \"a:1\"\n", "line 2: expected a list"),
            (
                "[egress]\nalow = []\n",
                "line 2: unknown key `alow`; did you mean `allow`?",
            ),
            (
                "[master_key]\nfoo = \"x\"\n",
                "line 2: unknown key `foo`, expected `file` or `kms`",
            ),
            (
                "[master_key]\npassword = \"x\"\n",
                "line 2: unknown key `password`, expected `file` or `kms`",
            ),
            (
                "[[egress.brokers]]\nbootstrap = \"a\"\n",
                "line 1: the key `allow` is missing",
            ),
            (
                "[probe]\ntimeout = \"soon\"\n",
                "line 2: expected a duration, such as 30s or 1m 5s",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
