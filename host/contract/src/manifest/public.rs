//! Options whose names look like credentials, and the few of them that may be shown.

use super::{Manifest, ManifestError};

/// What makes a name look like that of a credential, case ignored.
const CREDENTIAL_WORDS: [&str; 6] = ["secret", "password", "passwd", "token", "credential", "key"];

/// The options of embedded providers that look like credentials and are public all the same, each
/// with the reason. There is no other; a provider that is added needs the administrator's word for
/// each such name.
pub const EMBEDDED_PUBLIC: [(&str, &str); 4] = [
    (
        "AWS_ACCESS_KEY_ID",
        "it names the key, as a user name does; the secret half is an option of its own",
    ),
    (
        "api_key",
        "Confluent's name for the user of a key pair; the secret half is api_secret",
    ),
    (
        "shared_access_key_name",
        "it names the policy of an event hub; the key itself is shared_access_key",
    ),
    (
        "sasl_token_url",
        "the address at which a token is asked for; a URL with a userinfo is refused",
    ),
];

/// Whether the name of an option looks like that of a credential: it holds `secret`, `password`,
/// `passwd`, `token`, `credential` or `key`, in any case.
#[must_use]
pub fn looks_like_a_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().any(|word| name.contains(word))
}

impl Manifest {
    /// Checks that no option that looks like a credential is public but those that `allowed` names.
    ///
    /// The host passes the names of [`EMBEDDED_PUBLIC`] for the providers that the binary carries,
    /// and for any other what the administrator allowed by name.
    ///
    /// # Errors
    ///
    /// [`ManifestError::PublicCredential`] names the first one that is public and not allowed.
    pub fn check_public<S: AsRef<str>>(&self, allowed: &[S]) -> Result<(), ManifestError> {
        let refused = self.options.iter().find(|option| {
            option.public
                && looks_like_a_credential(&option.name)
                && !allowed.iter().any(|name| name.as_ref() == option.name)
        });
        match refused {
            Some(option) => Err(ManifestError::PublicCredential {
                option: option.name.clone(),
            }),
            None => Ok(()),
        }
    }

    /// As [`Manifest::check_public`], with what embedded providers are allowed.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn check_public_as_embedded(&self) -> Result<(), ManifestError> {
        self.check_public(&EMBEDDED_PUBLIC.map(|(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_these_four_names_and_no_fifth() {
        let mut names = EMBEDDED_PUBLIC.map(|(name, _)| name);
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "AWS_ACCESS_KEY_ID",
                "api_key",
                "sasl_token_url",
                "shared_access_key_name"
            ]
        );
        for (name, reason) in EMBEDDED_PUBLIC {
            assert!(looks_like_a_credential(name), "{name} needs no exception");
            assert!(reason.len() > 20, "{name} has a reason");
        }
    }

    #[test]
    fn a_name_looks_like_a_credential_in_any_case_and_anywhere() {
        for name in [
            "SASL_PassWord",
            "xTOKENx",
            "my.credentials",
            "monkey",
            "passwd",
            "Secret",
        ] {
            assert!(looks_like_a_credential(name), "{name}");
        }
        for name in [
            "AUTH",
            "AWS_REGION",
            "AWS_SERVER_KMS_ID",
            "sasl_user",
            "sslmode",
        ] {
            assert!(!looks_like_a_credential(name), "{name}");
        }
    }
}
