//! Envelope encryption: a stream of any size under a data key that a key management service wraps.
//!
//! The content is encrypted in chunks with a data key that is made for it alone, and the data key is
//! wrapped by a key that never leaves its service. The header says which key that is. Memory is
//! constant, whatever the size; nothing of a chunk is handed out before it is authenticated.
//! [FORMAT.md](https://github.com/portolan-rs/portolan/blob/main/host/envelope/FORMAT.md), beside
//! this code, describes the format byte by byte.
//!
//! Nothing here talks to a service: whoever calls wraps and unwraps the [`DataKey`].
//!
//! # Layout
//!
//! * [`Header`]: what an envelope says of itself.
//! * [`DataKey`]: what its content is encrypted with.
//! * [`seal`] and [`open`]: the content, from a reader to an [`Output`]: a writer or [`Memory`].
//! * [`WipedReader`]: what makes a buffered reader of any other, and keeps nothing.
//! * [`EnvelopeError`]: what can be wrong, with its SQLSTATE and hint.

mod header;
pub use header::{Header, MAX_HEADER_BYTES};

mod data_key;
pub use data_key::DataKey;

mod seal;
pub use seal::seal;

mod open;
pub use open::open;

mod output;
pub use output::{Memory, Output};

mod wiped_reader;
pub use wiped_reader::WipedReader;

mod error;
pub use error::EnvelopeError;

mod chunk;
pub use chunk::CHUNK_BYTES;

#[doc(hidden)]
pub mod fuzzing;
