//! Secrets that cannot be printed by accident.
//!
//! A secret enters the process as a [`SecretText`] or [`SecretBytes`], whose `Debug` says nothing
//! and whose memory is wiped when it is dropped. Text that may hold a secret by accident (what a
//! library or a server said) goes through a [`Scrubber`] before anybody reads it. On disk a secret
//! lies sealed under a [`StoreKey`], which itself lies wrapped in slots.
//!
//! # Layout
//! * [`value`]: text and bytes that are never printed
//! * [`scrub`]: finds secrets in foreign text, in every form that encoders give them
//! * [`keys`]: the store's key, the slots that hold it and the keys that open them
//! * [`key_file`]: a slot's key in a file of its own
//! * [`seal`]: sealing the secret columns of one row
//! * [`mac`]: a code over the readable columns of one row

mod cipher;
pub mod key_file;
pub mod keys;
pub mod mac;
pub mod scrub;
pub mod seal;
pub mod value;

pub use key_file::KeyFile;
pub use keys::{KeyError, KeySlot, SlotKey, SlotKind, StoreKey};
pub use mac::RowCode;
pub use scrub::Scrubber;
pub use seal::{RowIdentity, RowKey, SealError};
pub use value::{SecretBytes, SecretText};
