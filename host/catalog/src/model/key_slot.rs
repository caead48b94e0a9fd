//! Key slots: what opens the store, and how far a change of its key has come.

use std::fmt;

use jiff::Timestamp;
use portolan_secret::{SlotKey, SlotKind};

/// The readable part of a slot. Its key, and the store's key in it, are elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlotRow {
    /// Its number, from 1. Never given twice.
    pub id: u32,
    /// What opens it.
    pub kind: SlotKind,
    /// What people call it.
    pub label: String,
    /// When it was added, in whole microseconds.
    pub created: Timestamp,
    /// What it takes besides the key itself, in the words of its kind. Not secret.
    pub parameters: String,
}

impl fmt::Display for KeySlotRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key slot {} ({})", self.id, self.kind.as_str())
    }
}

/// A slot to be added.
#[derive(Debug, Clone)]
pub struct NewKeySlot {
    /// See [`KeySlotRow::kind`].
    pub kind: SlotKind,
    /// See [`KeySlotRow::label`].
    pub label: String,
    /// See [`KeySlotRow::parameters`].
    pub parameters: String,
    /// The key that opens it.
    pub key: SlotKey,
}

/// Which generations of the store's key are in use, and how the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState {
    /// The generation under which everything is written, from 1.
    pub generation: u32,
    /// The oldest generation under which anything may still lie. Differs from the newest while rows
    /// are brought from one to the other.
    pub oldest: u32,
    /// The slot that opened the store for this process.
    pub slot: u32,
}

impl KeyState {
    /// Whether rows are still to be brought under the newest generation.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        self.oldest != self.generation
    }
}

/// How far rows have been brought under the newest generation of the store's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationPlace {
    /// The table, by its place in the order of the walk.
    pub(crate) table: usize,
    /// The key columns of the last row.
    pub(crate) after: Vec<KeyColumn>,
}

/// The value of a key column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyColumn {
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What one step of a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationStep {
    /// Rows that were brought under the newest generation.
    pub rows: u64,
    /// Where to go on. None when there was nothing left.
    pub next: Option<RotationPlace>,
}
