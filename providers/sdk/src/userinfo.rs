//! The userinfo of a URI, for providers whose credentials are options.

use crate::{Failure, UriPieces, joined};

/// Refuses a user and a password, which nobody would look at.
///
/// # Errors
///
/// The URI has one of them.
pub fn refuse_userinfo(uri: &UriPieces) -> Result<(), Failure> {
    if uri.user.is_none() && uri.password.is_none() {
        return Ok(());
    }
    Err(Failure::invalid_uri(joined(&[
        "the ",
        &uri.scheme,
        " URI holds a user or a password before its host",
    ]))
    .with_hint("Leave out what stands before the @; credentials are parameters."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pieces;

    #[test]
    fn a_user_and_a_password_are_refused_and_not_shown() {
        assert_eq!(refuse_userinfo(&pieces("s3://bucket/x@y", &[])), Ok(()));
        for uri in [
            "s3://hunter2@bucket",
            "s3://user:hunter2@bucket",
            "s3://:@bucket",
        ] {
            let failure = refuse_userinfo(&pieces(uri, &[])).expect_err(uri);
            assert_eq!(
                failure.message,
                "the s3 URI holds a user or a password before its host"
            );
        }
    }
}
