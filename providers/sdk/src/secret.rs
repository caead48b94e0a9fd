//! What phase one may know of a secret.

use crate::{FormatVerdict, Fragment, Secret, joined};

impl Secret {
    /// The secret as a piece of a named one.
    #[must_use]
    pub fn fragment(&self) -> Fragment {
        Fragment::Secret(self.number)
    }

    /// What is wrong with a value that has to be base64, in the words that users of this feature
    /// know: `illegal base64 data at input byte 6`.
    #[must_use]
    pub fn base64_problem(&self) -> Option<String> {
        match self.verdict {
            FormatVerdict::InvalidAt(at) => Some(joined(&[
                "illegal base64 data at input byte ",
                &at.to_string(),
            ])),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_of_the_host_is_told_with_its_place() {
        let secret = |verdict| Secret {
            number: 3,
            empty: false,
            verdict,
        };
        assert_eq!(
            secret(FormatVerdict::InvalidAt(6))
                .base64_problem()
                .as_deref(),
            Some("illegal base64 data at input byte 6")
        );
        for sound in [FormatVerdict::Valid, FormatVerdict::Unchecked] {
            assert_eq!(secret(sound.clone()).base64_problem(), None);
            assert_eq!(secret(sound).fragment(), Fragment::Secret(3));
        }
    }
}
