//! What a storage plan becomes: confined object stores.
//!
//! # Layout
//!
//! * [`NodelocalStore`]: objects as files below one directory of this host.
//! * [`Gate`]: asked before each operation whether the handle may still be used.
//! * [`Confined`]: an object store below a prefix, behind a gate.

mod nodelocal;
pub use nodelocal::{AbandonedUpload, NameFault, NodelocalError, NodelocalStore};

mod gate;
pub use gate::{Gate, GateError, OpenGate};

mod confined;
pub use confined::Confined;

mod failure;
