//! Ways to redact that several providers share. Secrets need none of this: they are numbers.

use crate::{UriPieces, Value};

/// Hides the path: `/redacted`. For keys, whose path names the key.
#[must_use]
pub fn without_path(mut uri: UriPieces) -> UriPieces {
    uri.path = Value::Text("/redacted".to_owned());
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print_redacted;
    use crate::testing::pieces;

    #[test]
    fn a_hidden_path_stays_hidden_when_its_print_is_redacted_again() {
        let once = print_redacted(&without_path(pieces(
            "gcp-kms:///projects/p?AUTH=x",
            &["AUTH"],
        )));
        assert_eq!(once, "gcp-kms:///redacted?AUTH=x");
        assert_eq!(
            print_redacted(&without_path(pieces(&once, &["AUTH"]))),
            once
        );
    }
}
