//! `portolan key remove`: a key that opens the store no longer.

use anyhow::Result;

use crate::args::KeyRemoveArguments;
use crate::confirm;
use crate::report::{self, Failure};
use crate::store::Store;

/// Runs the command.
pub(super) async fn run(store: &Store, arguments: &KeyRemoveArguments) -> Result<()> {
    let session = store.session().await?;
    let question = format!(
        "Remove key slot {}? What opens it then opens the store no longer.",
        arguments.slot
    );
    if !arguments.yes && !confirm::confirmed(&question, unasked).await? {
        return Err(Failure::new("57014", "not removed; nothing was changed")
            .hint("look at portolan key list, and answer y or add --yes if it is meant")
            .into());
    }
    session.remove_key_slot(arguments.slot).await?;
    report::line(&format!("NOTICE: removed key slot {}", arguments.slot));
    Ok(())
}

fn unasked() -> Failure {
    Failure::new("57014", "removing a key slot needs a terminal or --yes")
        .hint("look at portolan key list, then add --yes")
}
