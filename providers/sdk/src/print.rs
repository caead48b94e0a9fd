//! Printing a URI as it may be shown.

use crate::{UriPieces, Value};

/// What stands where a secret is not shown.
const REDACTED: &str = "redacted";

/// The URI as the host prints it: everything before `?` as given, the options sorted by name
/// (repeated ones in their order), names and values escaped, each secret as `redacted`.
#[must_use]
pub fn print_redacted(uri: &UriPieces) -> String {
    let mut out = String::with_capacity(128);
    out.push_str(&uri.scheme);
    out.push_str("://");
    if let Some(user) = &uri.user {
        out.push_str(shown(user));
    }
    if let Some(password) = &uri.password {
        out.push(':');
        out.push_str(shown(password));
    }
    if uri.user.is_some() || uri.password.is_some() {
        out.push('@');
    }
    out.push_str(&uri.authority);
    match &uri.path {
        Value::Text(path) => out.push_str(path),
        Value::Secret(_) => out.push_str("/redacted"),
    }
    // The place keeps repeated names in their order.
    let mut options: Vec<_> = uri.options.iter().enumerate().collect();
    options.sort_unstable_by(|a, b| (&a.1.name, a.0).cmp(&(&b.1.name, b.0)));
    for (place, (_, option)) in options.into_iter().enumerate() {
        out.push(if place == 0 { '?' } else { '&' });
        escape(&mut out, &option.name);
        out.push('=');
        match &option.value {
            Value::Text(text) => escape(&mut out, text),
            Value::Secret(_) => out.push_str(REDACTED),
        }
    }
    out
}

fn shown(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        Value::Secret(_) => REDACTED,
    }
}

/// Escapes as a query does: letters, digits and `-_.~` stay, a space is `+`.
fn escape(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pieces;

    #[test]
    fn options_are_sorted_and_escaped_and_secrets_are_redacted() {
        let uri = pieces("s3://b/a%20b?Z=x+y%2F&KEY=abc&A=~-_.", &["A", "Z"]);
        assert_eq!(
            print_redacted(&uri),
            "s3://b/a%20b?A=~-_.&KEY=redacted&Z=x+y%2F"
        );
    }

    #[test]
    fn a_password_is_a_secret_and_so_is_a_user_without_one() {
        assert_eq!(
            print_redacted(&pieces("a://user:pass@h/p", &[])),
            "a://user:redacted@h/p"
        );
        assert_eq!(
            print_redacted(&pieces("a://token@h/p", &[])),
            "a://redacted@h/p"
        );
    }

    #[test]
    fn repeated_options_keep_their_order() {
        let uri = pieces("a://h?B=2&A=z&B=1", &["A", "B"]);
        assert_eq!(print_redacted(&uri), "a://h?A=z&B=2&B=1");
    }
}
