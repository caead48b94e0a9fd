//! `--unlock`: how the store is opened, where that is not the usual way.

use std::path::PathBuf;

use anyhow::Result;
use portolan_catalog::KeySource;
use portolan_secret::SecretText;

use crate::report::Failure;
use crate::secret_source;

const HINT: &str = "write --unlock key-file=PATH, text=SOURCE, recovery[=SOURCE], \
     passphrase[=SOURCE] or kms; SOURCE is @FILE, - or env:NAME";

/// What `--unlock` names; nothing is read or asked for yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unlock {
    /// A key file.
    KeyFile(PathBuf),
    /// A key as text.
    Text(String),
    /// The recovery phrase; asked for where no source is named.
    Recovery(String),
    /// A passphrase; asked for where no source is named.
    Passphrase(String),
    /// The service of the configuration.
    Kms,
}

impl Unlock {
    /// Reads `METHOD[=SOURCE]`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (method, source) = match text.split_once('=') {
            Some((method, source)) => (method, Some(source)),
            None => (text, None),
        };
        match (method, source) {
            ("key-file", Some(path)) if !path.is_empty() => Ok(Self::KeyFile(path.into())),
            ("text", Some(source)) => Ok(Self::Text(source.to_owned())),
            ("recovery", source) => Ok(Self::Recovery(source.unwrap_or_default().to_owned())),
            ("passphrase", source) => Ok(Self::Passphrase(source.unwrap_or_default().to_owned())),
            ("kms", None) => Ok(Self::Kms),
            _ => Err(
                Failure::new("22023", "--unlock names no way to open a store")
                    .hint(HINT)
                    .into(),
            ),
        }
    }

    /// Reads or asks for what opens the store. A service is somebody else's business.
    pub(crate) async fn source(&self) -> Result<Option<KeySource>> {
        Ok(Some(match self {
            Self::KeyFile(path) => KeySource::File(path.clone()),
            Self::Text(source) => {
                KeySource::Text(secret_source::read(source, "the key", HINT).await?)
            }
            Self::Recovery(source) => KeySource::Recovery(phrase(source).await?),
            Self::Passphrase(source) => KeySource::Passphrase(passphrase(source).await?),
            Self::Kms => return Ok(None),
        }))
    }
}

/// The recovery phrase, asked for where no source is named.
pub(crate) async fn phrase(source: &str) -> Result<SecretText> {
    if !source.is_empty() {
        return secret_source::read(source, "the recovery phrase", HINT).await;
    }
    let missing = "no recovery phrase was given";
    secret_source::ask("Recovery phrase (not shown): ", missing, PHRASE_HINT).await
}

const PHRASE_HINT: &str = "name a file or a variable with it, as in recovery=@FILE or recovery=env:NAME, or use a terminal";

/// A passphrase, asked for where no source is named.
pub(crate) async fn passphrase(source: &str) -> Result<SecretText> {
    if !source.is_empty() {
        return secret_source::read(source, "the passphrase", HINT).await;
    }
    let missing = "no passphrase was given";
    secret_source::ask("Passphrase (not shown): ", missing, PASSPHRASE_HINT).await
}

const PASSPHRASE_HINT: &str = "name a file or a variable with it, as in passphrase=@FILE or passphrase=env:NAME, or use a terminal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read_and_nothing_else() {
        for (text, expected) in [
            ("key-file=a=b", Unlock::KeyFile("a=b".into())),
            ("text=env:K", Unlock::Text("env:K".into())),
            ("recovery", Unlock::Recovery(String::new())),
            ("recovery=@f", Unlock::Recovery("@f".into())),
            ("passphrase=-", Unlock::Passphrase("-".into())),
            ("kms", Unlock::Kms),
        ] {
            assert_eq!(Unlock::parse(text).expect(text), expected);
        }
        for text in ["", "key-file", "key-file=", "kms=x", "swordfish"] {
            let error = Unlock::parse(text).expect_err(text);
            assert!(!error.to_string().contains("swordfish"));
        }
    }

    #[tokio::test]
    async fn a_passphrase_on_the_command_line_is_refused_and_not_repeated() {
        for text in [
            "passphrase=swordfish",
            "recovery=swordfish",
            "text=swordfish",
        ] {
            let unlock = Unlock::parse(text).expect("is a way");
            let error = unlock.source().await.expect_err("is refused");
            assert!(!format!("{error:?}").contains("swordfish"));
        }
    }
}
