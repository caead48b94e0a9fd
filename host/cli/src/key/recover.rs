//! `portolan key recover`: with a phrase to a store whose key file is lost, and to a new key file.

use anyhow::Result;
use portolan_catalog::KeySource;
use portolan_secret::SlotKind;

use super::slot;
use crate::args::KeyRecoverArguments;
use crate::report;
use crate::store::Store;
use crate::unlock;

/// Runs the command.
pub(super) async fn run(store: &Store, arguments: KeyRecoverArguments) -> Result<()> {
    let source = match &arguments.passphrase {
        Some(source) => KeySource::Passphrase(unlock::passphrase(source).await?),
        None => {
            let source = arguments.recovery.as_deref().unwrap_or_default();
            KeySource::Recovery(unlock::phrase(source).await?)
        }
    };
    let session = store.session_with(source).await?;
    let before = session.key_slots().await?;
    let path = arguments.key_file.unwrap_or_else(|| store.key_file());
    slot::add(&session, slot::of_file(&path, arguments.label)?).await?;
    // The slot whose key file lay in the same place.
    let place = path.display().to_string();
    let lost = before
        .slots
        .iter()
        .filter(|slot| slot.kind == SlotKind::KeyFile && slot.label == place);
    for slot in lost {
        report::line(&format!(
            "NOTICE: if the key of {slot} is lost for good, or in other hands: portolan key remove \
             {}, then portolan key rotate",
            slot.id
        ));
    }
    Ok(())
}
