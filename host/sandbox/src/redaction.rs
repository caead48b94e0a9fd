//! The host's check of a redacted URI: secrets stay secrets, nothing is added, and what was shown
//! once is shown again.

use portolan_contract::{OptionPair, SplitUri, UriPieces, Value};

use crate::AnswerProblem;
use crate::words::Words;

/// Checks redacted pieces against those of the URI.
///
/// A piece may be replaced by text or left out, but for a secret: it stays the same secret in its
/// place, or goes. So no text in what is shown stems from a secret that the guest did not see, and
/// what stems from one that it saw is searched for.
pub(crate) fn check(
    uri: &SplitUri,
    redacted: &UriPieces,
    words: &Words,
) -> Result<(), AnswerProblem> {
    let given = &uri.pieces;
    if redacted.scheme != given.scheme {
        return Err(AnswerProblem::Redaction("it changes the scheme"));
    }
    check_place(given.user.as_ref(), redacted.user.as_ref())?;
    check_place(given.password.as_ref(), redacted.password.as_ref())?;
    check_place(Some(&given.path), Some(&redacted.path))?;
    check_options(given, redacted)?;
    check_text(&given.authority, &redacted.authority, words)?;
    for (given, redacted) in places(given, redacted) {
        if let Some(Value::Text(redacted)) = redacted {
            let given = match given {
                Some(Value::Text(given)) => given,
                _ => "",
            };
            check_text(given, redacted, words)?;
        }
    }
    Ok(())
}

/// The values outside the query, and those of the query that have a counterpart.
fn places<'a>(
    given: &'a UriPieces,
    redacted: &'a UriPieces,
) -> impl Iterator<Item = (Option<&'a Value>, Option<&'a Value>)> {
    let outside = [
        (given.user.as_ref(), redacted.user.as_ref()),
        (given.password.as_ref(), redacted.password.as_ref()),
        (Some(&given.path), Some(&redacted.path)),
    ];
    let options = redacted.options.iter().map(|pair| {
        let same = given
            .options
            .iter()
            .find(|other| other.name == pair.name && other.value == pair.value);
        (same.map(|pair| &pair.value), Some(&pair.value))
    });
    outside.into_iter().chain(options)
}

fn check_place(given: Option<&Value>, redacted: Option<&Value>) -> Result<(), AnswerProblem> {
    match (given, redacted) {
        (_, None) | (Some(Value::Text(_)), Some(Value::Text(_))) => Ok(()),
        (Some(Value::Secret(given)), Some(Value::Secret(redacted)))
            if given.number == redacted.number =>
        {
            Ok(())
        }
        (Some(Value::Secret(_)), Some(Value::Text(_))) => Err(shows_text()),
        (_, Some(Value::Secret(_))) => Err(wrong_secret()),
        (None, Some(Value::Text(_))) => Err(adds_a_piece()),
    }
}

/// Each redacted pair stands for one pair of the URI with its name, in their order.
fn check_options(given: &UriPieces, redacted: &UriPieces) -> Result<(), AnswerProblem> {
    if redacted.options.len() > given.options.len() {
        return Err(adds_a_piece());
    }
    // What is shown as it was given, in its order, needs no search.
    let as_given = given
        .options
        .iter()
        .zip(&redacted.options)
        .all(|(given, redacted)| stands_for(given, redacted));
    if as_given {
        return Ok(());
    }
    // How far the pairs of the URI are used up, for each name by itself.
    let mut next = std::collections::HashMap::<&str, usize>::new();
    for pair in &redacted.options {
        let from = next.entry(&pair.name).or_default();
        let mut same = given
            .options
            .iter()
            .enumerate()
            .skip(*from)
            .filter(|(_, other)| stands_for(other, pair));
        let Some((place, _)) = same.next() else {
            let named = given.options.iter().any(|other| other.name == pair.name);
            return Err(match &pair.value {
                Value::Secret(_) => wrong_secret(),
                Value::Text(_) if named => shows_text(),
                Value::Text(_) => adds_a_piece(),
            });
        };
        *from = place + 1;
    }
    Ok(())
}

/// Whether a redacted pair may stand for this pair of the URI.
fn stands_for(given: &OptionPair, redacted: &OptionPair) -> bool {
    let values = match (&given.value, &redacted.value) {
        (Value::Text(_), Value::Text(_)) => true,
        (Value::Secret(given), Value::Secret(redacted)) => given.number == redacted.number,
        _ => false,
    };
    values && given.name == redacted.name
}

fn check_text(given: &str, redacted: &str, words: &Words) -> Result<(), AnswerProblem> {
    let fixed = matches!(redacted, "redacted" | "/redacted");
    if redacted == given || fixed || !words.may_hold_a_secret(redacted) {
        Ok(())
    } else {
        Err(AnswerProblem::Redaction("it shows a secret, or may"))
    }
}

fn shows_text() -> AnswerProblem {
    AnswerProblem::Redaction("it shows text in the place of a secret")
}

fn wrong_secret() -> AnswerProblem {
    AnswerProblem::Redaction("it puts a secret where that one does not stand")
}

fn adds_a_piece() -> AnswerProblem {
    AnswerProblem::Redaction("it adds a piece that the URI does not have")
}

#[cfg(test)]
mod tests {
    use portolan_contract::{Manifest, SecretReference, split};
    use portolan_secret::SecretText;

    use super::*;

    fn uri(text: &str) -> SplitUri {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []\n\
             [[option]]\nname = \"region\"\npublic = true\nmeaning = \"where\"",
        )
        .expect("a manifest");
        split(&SecretText::new(text), &manifest).expect("it splits")
    }

    fn problem(change: impl FnOnce(&mut UriPieces)) -> Option<String> {
        let uri = uri("n://user:hunter2hunter2@host/path?a=first-secret&region=eu&b=second-secret");
        let mut redacted = uri.pieces.clone();
        change(&mut redacted);
        check(&uri, &redacted, &Words::seeing(&uri.secrets))
            .err()
            .map(|problem| problem.to_string())
    }

    #[test]
    fn pieces_may_stay_be_replaced_or_be_left_out() {
        assert_eq!(problem(|_| ()), None);
        assert_eq!(
            problem(|uri| uri.path = Value::Text("/redacted".into())),
            None
        );
        assert_eq!(problem(|uri| uri.options.clear()), None);
        assert_eq!(problem(|uri| uri.options.reverse()), None);
        assert_eq!(problem(|uri| uri.password = None), None);
        assert_eq!(
            problem(|uri| uri.options[1].value = Value::Text("x".into())),
            None
        );
    }

    #[test]
    fn a_secret_stays_itself_in_its_place() {
        let text = "redacts wrongly: it shows text in the place of a secret";
        let wrong = "redacts wrongly: it puts a secret where that one does not stand";
        let text_at = |uri: &mut UriPieces| uri.options[0].value = Value::Text("x".into());
        assert_eq!(problem(text_at).as_deref(), Some(text));
        let password = |uri: &mut UriPieces| uri.password = Some(Value::Text("x".into()));
        assert_eq!(problem(password).as_deref(), Some(text));
        let swapped = |uri: &mut UriPieces| {
            let first = uri.options[0].value.clone();
            uri.options[0].value = uri.options[2].value.clone();
            uri.options[2].value = first;
        };
        assert_eq!(problem(swapped).as_deref(), Some(wrong));
        let moved = |uri: &mut UriPieces| uri.path = uri.options.remove(0).value;
        assert_eq!(problem(moved).as_deref(), Some(wrong));
        let made_up = |uri: &mut UriPieces| {
            if let Value::Secret(SecretReference { number, .. }) = &mut uri.options[0].value {
                *number = 99;
            }
        };
        assert_eq!(problem(made_up).as_deref(), Some(wrong));
    }

    #[test]
    fn nothing_is_added_or_repeated() {
        let adds = "redacts wrongly: it adds a piece that the URI does not have";
        let repeated = |uri: &mut UriPieces| uri.options.push(uri.options[0].clone());
        assert_eq!(problem(repeated).as_deref(), Some(adds));
        let renamed = |uri: &mut UriPieces| uri.options[1].name = "zone".into();
        assert_eq!(problem(renamed).as_deref(), Some(adds));
        let instead = |uri: &mut UriPieces| {
            uri.options[1] = OptionPair {
                name: "a".into(),
                value: Value::Text("x".into()),
            };
        };
        assert!(problem(instead).is_some());
    }

    #[test]
    fn a_secret_in_another_text_is_found_in_every_form() {
        let shows = "redacts wrongly: it shows a secret, or may";
        for form in [
            "/hunter2hunter2",
            "/hunter2%68unter2",
            "/68756e7465723268756e74657232",
            "/aHVudGVyMmh1bnRlcjI=",
            "/hun\u{200b}ter2hunter2",
        ] {
            let path = |uri: &mut UriPieces| uri.path = Value::Text(form.into());
            assert_eq!(problem(path).as_deref(), Some(shows), "{form}");
            let host = |uri: &mut UriPieces| uri.authority = form.into();
            assert_eq!(problem(host).as_deref(), Some(shows), "{form}");
            let option = |uri: &mut UriPieces| uri.options[1].value = Value::Text(form.into());
            assert_eq!(problem(option).as_deref(), Some(shows), "{form}");
        }
    }

    #[test]
    fn with_a_short_secret_in_sight_only_fixed_words_may_replace_a_piece() {
        let uri = uri("n://h/path?a=abc");
        let words = Words::seeing(&uri.secrets);
        let mut redacted = uri.pieces.clone();
        assert_eq!(check(&uri, &redacted, &words), Ok(()));
        redacted.path = Value::Text("/redacted".into());
        assert_eq!(check(&uri, &redacted, &words), Ok(()));
        redacted.path = Value::Text("/cba".into());
        assert!(check(&uri, &redacted, &words).is_err());
    }
}
