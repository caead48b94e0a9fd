//! From an object store's error to a failure that tells a person what to do.

use std::error::Error as StdError;

/// The first error of type `E` among the error's sources.
pub(crate) fn find_source<E: StdError + 'static>(error: &object_store::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        next = source.source();
    }
    None
}
