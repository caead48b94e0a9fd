//! What holds for every URI, tried with generated ones.

use portolan_secret::SecretText;
use proptest::prelude::*;

use super::tests::{dialling, manifest};
use super::*;
use crate::{UnknownOptions, Value};

/// Secrets are made of letters that nothing else here is made of, percent-encoded or not.
const SECRET: &str = "[абвгд]{1,12}";

fn assert_silent(told: &str) -> Result<(), TestCaseError> {
    prop_assert!(
        !told.chars().any(|one| ('а'..='д').contains(&one)),
        "{}",
        told
    );
    prop_assert!(!told.to_ascii_uppercase().contains("%D0%B"), "{}", told);
    Ok(())
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_shown_is_shown_the_same_again(
        text in "(s3|http|postgres)://(\\PC|[@:/?&=;%#,\\[\\]]|AUTH=|%[0-9a-f]{2}){0,60}|(?s).{0,40}",
        secret_path: bool,
        refuse: bool,
    ) {
        let mut manifest = manifest();
        if secret_path {
            manifest.path = crate::Visibility::Secret;
        }
        if refuse {
            manifest.unknown_options = UnknownOptions::Refuse;
        }
        if let Ok(uri) = split(&SecretText::new(text.as_str()), &manifest) {
            let shown = print_redacted(&uri.pieces);
            let again = split(&SecretText::new(shown.as_str()), &manifest);
            let again = again.map_err(|error| TestCaseError::fail(format!("{shown}: {error}")))?;
            prop_assert_eq!(print_redacted(&again.pieces), shown);
        }
    }

    #[test]
    fn no_secret_is_shown_and_none_is_told(
        user in SECRET,
        password in SECRET,
        segment in SECRET,
        value in SECRET,
        name in "[a-z]{1,8}",
        joint in "[@:/?&=;%#, ]{0,2}",
        with_user: bool,
    ) {
        let mut manifest = manifest();
        manifest.path = crate::Visibility::Secret;
        // The joint is a character that somebody forgot to escape, in the midst of a secret.
        let uri = if with_user {
            format!("http://u:{password}@h:1/{segment}?AUTH=a&{name}_={value}{joint}{value}")
        } else {
            format!("http://{user}@h/{segment}/{segment}?{name}_={value}")
        };
        match split(&SecretText::new(uri), &manifest) {
            Ok(split) => {
                assert_silent(&print_redacted(&split.pieces))?;
                assert_silent(&format!("{split:?}"))?;
            }
            Err(error) => assert_silent(&format!("{error:?}"))?,
        }
    }

    #[test]
    fn an_unescaped_password_is_never_shown(
        before in SECRET,
        joint in "[/?#@:;%&=]",
        after in SECRET,
    ) {
        let uri = format!("postgres://u:{before}{joint}{after}@h/db");
        match split(&SecretText::new(uri), &manifest()) {
            Ok(split) => assert_silent(&print_redacted(&split.pieces))?,
            Err(error) => assert_silent(&format!("{error:?}"))?,
        }
    }

    #[test]
    fn an_unescaped_token_is_never_shown_as_a_host(
        before in SECRET,
        joint in "[/#@;%&=]",
        middle in SECRET,
        another in "[/?@;&=]",
        after in SECRET,
    ) {
        let uri = format!("http://{before}{joint}{middle}{another}{after}@h/p");
        match split(&SecretText::new(uri), &dialling()) {
            Ok(split) => assert_silent(&print_redacted(&split.pieces))?,
            Err(error) => assert_silent(&format!("{error:?}"))?,
        }
    }

    #[test]
    fn an_edit_gives_back_the_value(
        value in "(?s).{0,20}",
        others in proptest::collection::vec("[a-c]=[x-z%2B+]?", 0..4),
    ) {
        let uri = format!("s3://b/p?{}", others.join("&"));
        let manifest = manifest();
        if split(&SecretText::new(uri.as_str()), &manifest).is_ok() {
            let set = [("b".to_owned(), SecretText::new(value.as_str()))];
            let edited = edit(&SecretText::new(uri), &set, &[], &manifest).expect("an edit");
            let split = split(&edited, &manifest).expect("it splits");
            let found: Vec<_> = split.pieces.options.iter().filter(|pair| pair.name == "b").collect();
            prop_assert_eq!(found.len(), 1);
            let Value::Secret(reference) = &found[0].value else {
                return Err(TestCaseError::fail("not a secret"));
            };
            let secret = split.secrets.get(reference.number).expect("numbered");
            prop_assert_eq!(secret.given().expose(), value.as_bytes());
        }
    }
}

/// Ratios of times tell a quadratic step even on a busy machine: it would take 256 times as long.
#[test]
fn time_grows_with_the_length_and_no_faster() {
    let time = |bytes: usize, unit: &str| {
        let uri = SecretText::new(format!("http://h/{}", unit.repeat(bytes / unit.len())));
        let manifest = manifest();
        let best = (0..5).map(|_| {
            let start = std::time::Instant::now();
            let _ = split(&uri, &manifest).map(|split| print_redacted(&split.pieces));
            start.elapsed()
        });
        best.min().expect("five times")
    };
    for unit in ["a", "%41", "@", "a/", "?a=", "/?AUTH=://", "%4"] {
        let (small, large) = (time(16 * 1024, unit), time(16 * 16 * 1024, unit));
        let most = small * 64 + std::time::Duration::from_millis(20);
        assert!(large < most, "{unit}: {small:?} and {large:?}");
    }
}
