//! When the Enter key ends a statement, and when it begins another line.

use reedline::{ValidationResult, Validator};

/// A `\` command is one line; statements end with `;` outside of strings and comments.
pub(super) struct WholeStatement;

impl Validator for WholeStatement {
    fn validate(&self, text: &str) -> ValidationResult {
        if is_whole(text) {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

fn is_whole(text: &str) -> bool {
    let text = text.trim();
    // Masking leaves no string and no comment whose `;` could mislead.
    text.is_empty()
        || text.starts_with('\\')
        || portolan_statement::mask(text).trim_end().ends_with(';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_on_until_its_semicolon() {
        assert!(is_whole("SHOW PROVIDERS;"));
        assert!(!is_whole("SHOW PROVIDERS"));
        assert!(!is_whole("CREATE EXTERNAL CONNECTION x AS 'a;"));
        assert!(is_whole("\\?"));
        assert!(is_whole(""));
    }
}
