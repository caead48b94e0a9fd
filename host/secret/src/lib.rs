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
//! * [`forms`]: what encoders make of a secret, for texts that are only asked whether they show it
//! * [`keys`]: the store's key, and the keys that open the slots in which it lies
//! * [`slots`]: the store's key wrapped for each key that may open the store
//! * [`ring`]: the generations of the store's key that are in use
//! * [`key_file`]: a slot's key in a file of its own
//! * [`phrase`]: a slot's key as words that a person can write down
//! * [`passphrase`]: a slot's key from what somebody remembers
//! * [`seal`]: sealing the secret columns of one row
//! * [`mac`]: a code over the readable columns of one row

mod cipher;
pub mod forms;
pub mod key_file;
pub mod keys;
pub mod mac;
pub mod passphrase;
pub mod phrase;
pub mod ring;
pub mod scrub;
pub mod seal;
pub mod slots;
pub mod value;

pub use forms::SecretForms;
pub use key_file::KeyFile;
pub use keys::{KeyError, SlotKey, StoreKey};
pub use mac::RowCode;
pub use passphrase::Stretching;
pub use phrase::PhraseError;
pub use ring::KeyRing;
pub use scrub::{SHORTEST_SEARCHABLE, Scrubber};
pub use seal::{RowIdentity, RowKey, SealError};
pub use slots::{KeySlot, SlotHead, SlotKind, Tried};
pub use value::{SecretBytes, SecretText};
