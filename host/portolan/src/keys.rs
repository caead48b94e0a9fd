//! Key slots: what opens the store. Only for administrators, and never without a trace.

use std::time::{Duration, Instant};

use portolan_catalog::{
    AuditObject, KeySlotRow, KeyState, NewKeySlot, ObjectKind, RotationPlace, Writer,
};

use crate::access::{Access, refused};
use crate::call::Call;
use crate::{Error, SqlState};

/// Rows that a change of the store's key brings along in one transaction.
const STEP: usize = 500;

/// The longest pause between two such transactions, in which others get to write.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The slots of a store, and how far a change of its key has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlots {
    /// The slots, by number.
    pub slots: Vec<KeySlotRow>,
    /// Which generations of the key are in use, and which slot opened the store.
    pub state: KeyState,
}

/// What changing the store's key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRotation {
    /// The generation of the store's key that everything lies under now.
    pub generation: u32,
    /// Rows that were brought under it by this call.
    pub rows: u64,
    /// Whether an earlier change was finished instead of a new one made.
    pub resumed: bool,
}

pub(crate) async fn list(call: &Call<'_>) -> Result<KeySlots, Error> {
    call.read(|access| {
        require_admin(access)?;
        Ok(KeySlots {
            slots: access.reader().key_slots()?,
            state: access.reader().key_state()?,
        })
    })
    .await
}

pub(crate) async fn may_add(call: &Call<'_>) -> Result<(), Error> {
    call.read(require_admin).await
}

pub(crate) async fn add(call: &Call<'_>, new: NewKeySlot) -> Result<KeySlotRow, Error> {
    call.change(move |actor, writer, row| {
        require_admin(&actor.access(&*writer)?)?;
        let opened_with = opened_with(&*writer)?;
        let added = writer.insert_key_slot(&new)?;
        row.object = Some(object(added.id));
        row.detail = Some(format!(
            "{}; the store was opened with {opened_with}",
            added.kind.as_str()
        ));
        Ok(added)
    })
    .await
}

pub(crate) async fn remove(call: &Call<'_>, id: u32) -> Result<(), Error> {
    call.concerns(object(id));
    call.change(move |actor, writer, row| {
        require_admin(&actor.access(&*writer)?)?;
        let opened_with = opened_with(&*writer)?;
        if !writer.delete_key_slot(id)? {
            return Err(missing(id));
        }
        row.detail = Some(format!("the store was opened with {opened_with}"));
        Ok(())
    })
    .await
}

/// Makes a newer store key, or goes on with one that was made before, until nothing lies under an
/// older one. `progress` is told how many rows were brought along so far.
pub(crate) async fn rotate(
    call: &Call<'_>,
    mut progress: impl FnMut(u64),
) -> Result<KeyRotation, Error> {
    let resumed = call
        .change(|actor, writer, row| {
            require_admin(&actor.access(&*writer)?)?;
            let before = writer.key_state()?;
            let state = match before.is_rotating() {
                true => before,
                false => writer.begin_key_rotation()?,
            };
            let (from, to) = (state.oldest, state.generation);
            row.detail = Some(match before.is_rotating() {
                true => format!("goes on from generation {from} of the key to {to}"),
                false => format!("generation {to} of the key takes the place of {from}"),
            });
            Ok(before.is_rotating())
        })
        .await?;
    let mut rows = 0;
    let mut place: Option<RotationPlace> = None;
    loop {
        let started = Instant::now();
        let from = place.take();
        let step = call
            .catalog()
            .write(move |writer: &mut dyn Writer| {
                Ok::<_, Error>(writer.rotate_rows(from.as_ref(), STEP)?)
            })
            .await?;
        rows += step.rows;
        progress(rows);
        match step.next {
            Some(next) => place = Some(next),
            None => break,
        }
        tokio::time::sleep(started.elapsed().min(LONGEST_PAUSE)).await;
    }
    let generation = call
        .change(move |actor, writer, row| {
            require_admin(&actor.access(&*writer)?)?;
            let state = writer.finish_key_rotation()?;
            let generation = state.generation;
            row.detail = Some(format!(
                "everything lies under generation {generation} of the key, and the older are gone; \
                 {rows} rows were brought along"
            ));
            Ok(generation)
        })
        .await?;
    Ok(KeyRotation {
        generation,
        rows,
        resumed,
    })
}

/// The name of the slot that opened the store; of one that is not authentic, its number alone.
fn opened_with(reader: &dyn portolan_catalog::Reader) -> Result<String, Error> {
    let slot = reader.key_state()?.slot;
    let slots = reader.key_slots().unwrap_or_default();
    let found = slots.into_iter().find(|row| row.id == slot);
    Ok(found.map_or_else(|| format!("key slot {slot}"), |row| row.to_string()))
}

fn require_admin(access: &Access<'_>) -> Result<(), Error> {
    if access.is_admin() {
        return Ok(());
    }
    Err(
        refused("only users with the admin role are allowed to see or change key slots")
            .with_hint("ask an administrator"),
    )
}

fn object(id: u32) -> AuditObject {
    AuditObject {
        kind: ObjectKind::KeySlot,
        name: id.to_string(),
    }
}

fn missing(id: u32) -> Error {
    Error::new(
        SqlState::UndefinedObject,
        format!("there is no key slot {id}"),
    )
    .with_hint("portolan key list shows the slots")
}
