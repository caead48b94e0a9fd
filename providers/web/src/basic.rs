//! The user and the password before the host.

use portolan_sdk::{Failure, Fragment, Secret, UriPieces, Value, joined};

/// The named secret with the user and the password.
pub const BASIC: &str = "basic";

/// User and password as Basic authentication puts them together, both decoded; a userinfo without a
/// `:` is a user without a password. Nothing where there is no userinfo, or an empty one.
///
/// # Errors
///
/// The user is none that HTTP can send.
pub fn basic(uri: &UriPieces) -> Result<Option<Vec<Fragment>>, Failure> {
    let password = match &uri.password {
        Some(Value::Secret(password)) => Some(password),
        _ => None,
    };
    match (&uri.user, password) {
        (Some(Value::Text(user)), _) => {
            let is_empty = user.is_empty() && password.is_none_or(|password| password.empty);
            let head = joined(&[&decoded_user(user)?, ":"]);
            let mut fragments = vec![Fragment::Text(head)];
            fragments.extend(password.map(Secret::fragment));
            Ok((!is_empty).then_some(fragments))
        }
        (Some(Value::Secret(user)), _) if !user.empty => {
            Ok(Some(vec![user.fragment(), Fragment::Text(":".to_owned())]))
        }
        _ => Ok(None),
    }
}

/// RFC 7617 allows neither a `:` in a user nor a control character.
fn decoded_user(user: &str) -> Result<String, Failure> {
    let decoded = percent_encoding::percent_decode_str(user)
        .decode_utf8()
        .ok();
    decoded
        .filter(|user| !user.chars().any(|c| c.is_control() || c == ':'))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| {
            Failure::invalid_uri("the user before the host is none that HTTP can send")
                .with_hint("A user is UTF-8 without a colon and without control characters.")
        })
}
