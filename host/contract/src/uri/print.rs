//! The one way a URI is shown.

use super::escape;
use crate::text::is_hidden;
use crate::{UriPieces, Value};

const REDACTED: &str = "redacted";
/// Room for what most URIs are shown as.
const LIKELY_BYTES: usize = 256;

/// The URI of some pieces with `redacted` in the place of each secret: what stands before `?` as
/// given, the options stably sorted by name, names and values escaped as Go's `url.QueryEscape`
/// does.
///
/// Pieces that come from a provider may hold anything. What would end a piece early, or steer a
/// terminal, is printed as its escape; in the pieces of a URI that was split there is no such thing.
#[must_use]
pub fn print_redacted(pieces: &UriPieces) -> String {
    let mut shown = String::with_capacity(LIKELY_BYTES);
    push(&mut shown, &pieces.scheme, &[':', '/', '@']);
    shown.push_str("://");
    if pieces.user.is_some() || pieces.password.is_some() {
        if let Some(user) = &pieces.user {
            push_value(&mut shown, user, &[':', '/']);
        }
        if let Some(password) = &pieces.password {
            shown.push(':');
            push_value(&mut shown, password, &['/', '@']);
        }
        shown.push('@');
    }
    push(&mut shown, &pieces.authority, &['/', '@']);
    match &pieces.path {
        Value::Text(path) => {
            if !path.is_empty() && !path.starts_with('/') {
                shown.push('/');
            }
            push(&mut shown, path, &[]);
        }
        Value::Secret(_) => {
            shown.push('/');
            shown.push_str(REDACTED);
        }
    }
    let mut options: Vec<_> = pieces.options.iter().collect();
    options.sort_by(|a, b| a.name.cmp(&b.name));
    for (place, pair) in options.into_iter().enumerate() {
        shown.push(if place == 0 { '?' } else { '&' });
        escape::push_query_escaped(&mut shown, &pair.name);
        shown.push('=');
        match &pair.value {
            Value::Text(text) => escape::push_query_escaped(&mut shown, text),
            Value::Secret(_) => shown.push_str(REDACTED),
        }
    }
    shown
}

fn push_value(shown: &mut String, value: &Value, ends: &[char]) {
    match value {
        Value::Text(text) => push(shown, text, ends),
        Value::Secret(_) => shown.push_str(REDACTED),
    }
}

fn push(shown: &mut String, text: &str, ends: &[char]) {
    for one in text.chars() {
        if matches!(one, '?' | '#') || is_hidden(one) || ends.contains(&one) {
            escape::push_escaped_char(shown, one);
        } else {
            shown.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptionPair;

    #[test]
    fn pieces_that_lie_about_their_borders_are_escaped() {
        let pieces = UriPieces {
            scheme: "s3".into(),
            user: Some(Value::Text("a:b".into())),
            password: None,
            authority: "h/x@y".into(),
            path: Value::Text("p?q#\u{1b}[2J".into()),
            options: vec![OptionPair {
                name: "a&b".into(),
                value: Value::Text("\u{202e}".into()),
            }],
        };
        assert_eq!(
            print_redacted(&pieces),
            "s3://a%3Ab@h%2Fx%40y/p%3Fq%23%1B[2J?a%26b=%E2%80%AE"
        );
    }
}
