//! Phase two of a provider of object stores whose bytes pass through the guest.

use crate::bindings::streaming::exports::portolan::provider::streaming_storage;
use crate::instance::{Instance, keep, with_open};
use crate::{Failure, Plan, PlanEntry, StorageProvider};

pub use streaming_storage::Entry;

/// Phase two of a provider whose protocol the host does not speak.
pub trait StreamingProvider: StorageProvider {
    /// A store that is connected and authenticated.
    type Open: OpenStore + 'static;

    /// Connects and authenticates.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn open(plan: &Plan) -> Result<Self::Open, Failure>;
}

/// A store that is connected and authenticated.
pub trait OpenStore {
    /// Writes a chunk of an object; the object is seen only after the one that is `last`.
    ///
    /// # Errors
    ///
    /// Why it cannot; then the object is as it was.
    fn put(&mut self, name: &str, offset: u64, content: Vec<u8>, last: bool)
    -> Result<(), Failure>;

    /// At most `length` bytes from `offset` on, fewer only at the end.
    ///
    /// # Errors
    ///
    /// `not-found` without the object, or why it cannot be read.
    fn get(&mut self, name: &str, offset: u64, length: u32) -> Result<Vec<u8>, Failure>;

    /// The objects whose names begin with `prefix` and sort after `after`, sorted by name.
    ///
    /// # Errors
    ///
    /// Why they cannot be listed.
    fn list(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        at_most: u32,
    ) -> Result<Vec<Entry>, Failure>;

    /// Deletes an object, or finds it gone.
    ///
    /// # Errors
    ///
    /// Why it cannot be deleted.
    fn delete(&mut self, name: &str) -> Result<(), Failure>;
}

impl<T: StreamingProvider + Instance<Open = <T as StreamingProvider>::Open>>
    streaming_storage::Guest for T
{
    fn open(plan: Vec<PlanEntry>) -> Result<(), Failure> {
        keep::<T>(|| <T as StreamingProvider>::open(&Plan::from_entries(plan)))
    }

    fn put(name: String, offset: u64, content: Vec<u8>, last: bool) -> Result<(), Failure> {
        with_open::<T, _>(|open| open.put(&name, offset, content, last))
    }

    fn get(name: String, offset: u64, length: u32) -> Result<Vec<u8>, Failure> {
        with_open::<T, _>(|open| open.get(&name, offset, length))
    }

    fn list(prefix: String, after: Option<String>, at_most: u32) -> Result<Vec<Entry>, Failure> {
        with_open::<T, _>(|open| open.list(&prefix, after.as_deref(), at_most))
    }

    fn delete(name: String) -> Result<(), Failure> {
        with_open::<T, _>(|open| open.delete(&name))
    }
}
