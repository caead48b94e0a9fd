//! `portolan key list`: the slots, and what is known of each.

use anyhow::Result;
use portolan::Cell;
use portolan_catalog::KeySlotRow;
use portolan_secret::{SlotKind, Stretching};

use crate::args::FormatArguments;
use crate::report;
use crate::service_slot;
use crate::sql::Printer;
use crate::store::Store;

/// Runs the command.
pub(super) async fn run(store: &Store, format: &FormatArguments) -> Result<()> {
    let session = store.session().await?;
    let found = session.key_slots().await?;
    let mut printer = Printer::new(format);
    let mut sheet = printer.sheet()?;
    let columns = ["slot", "kind", "label", "created", "opened_this", "detail"];
    sheet.begin(&columns.map(str::to_owned))?;
    for slot in &found.slots {
        sheet.row(&[
            Cell::Integer(slot.id.into()),
            Cell::Text(slot.kind.as_str().to_owned()),
            Cell::Text(slot.label.clone()),
            Cell::Text(format!("{:.0}", slot.created)),
            Cell::Boolean(slot.id == found.state.slot),
            Cell::Text(detail(slot)),
        ])?;
    }
    sheet.end()?;
    if found.state.is_rotating() {
        report::line(
            "NOTICE: a change of the store's key was broken off; portolan key rotate goes on",
        );
    }
    Ok(())
}

fn detail(slot: &KeySlotRow) -> String {
    match slot.kind {
        SlotKind::Passphrase => serde_json::from_str::<Stretching>(&slot.parameters)
            .map(|how| how.to_string())
            .unwrap_or_default(),
        SlotKind::Kms => service_slot::shown(&slot.parameters),
        _ => String::new(),
    }
}
