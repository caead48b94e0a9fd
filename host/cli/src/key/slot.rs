//! Slots in the making: where the key of each kind comes from.

use std::path::Path;

use anyhow::Result;
use portolan::Session;
use portolan_catalog::NewKeySlot;
use portolan_secret::{KeyError, KeyFile, SecretText, SlotKey, SlotKind, Stretching, passphrase};

use crate::report;

/// A slot for the key in a file. One that is there is used as it is; a missing one is made.
pub(super) fn of_file(path: &Path, label: Option<String>) -> Result<NewKeySlot> {
    let file = KeyFile::new(path);
    let key = match file.create() {
        Ok(key) => {
            report::line(&format!("NOTICE: made the key file {}", path.display()));
            key
        }
        Err(KeyError::Exists { .. }) => file.load().map_err(report::key_failure)?,
        Err(error) => return Err(report::key_failure(error).into()),
    };
    Ok(NewKeySlot {
        kind: SlotKind::KeyFile,
        label: label.unwrap_or_else(|| path.display().to_string()),
        parameters: String::new(),
        key,
    })
}

/// A slot for a key that is given as text.
pub(super) fn of_text(text: &SecretText, label: Option<String>) -> Result<NewKeySlot> {
    let key = SlotKey::from_text(text, "what was given").map_err(report::key_failure)?;
    Ok(NewKeySlot {
        kind: SlotKind::Text,
        label: label.unwrap_or_default(),
        parameters: String::new(),
        key,
    })
}

/// A slot for a passphrase.
pub(super) async fn of_passphrase(
    passphrase: SecretText,
    label: Option<String>,
) -> Result<NewKeySlot> {
    passphrase::accept(&passphrase).map_err(report::key_failure)?;
    let how = Stretching::generate().map_err(report::key_failure)?;
    let parameters = serde_json::to_string(&how)?;
    let key = tokio::task::spawn_blocking(move || how.stretch(&passphrase))
        .await?
        .map_err(report::key_failure)?;
    Ok(NewKeySlot {
        kind: SlotKind::Passphrase,
        label: label.unwrap_or_default(),
        parameters,
        key,
    })
}

/// Adds the slot and says so.
pub(super) async fn add(session: &Session, slot: NewKeySlot) -> Result<()> {
    let added = session.add_key_slot(slot).await?;
    report::line(&format!("NOTICE: added {added}"));
    Ok(())
}
