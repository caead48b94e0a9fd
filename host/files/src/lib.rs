//! The files that users keep in a store: the trait between the data plane, which makes an object
//! store of them, and whatever holds them.
//!
//! Files lie in *sets*, each under a path. A file is a row that names its content; contents are
//! written before and never change, so that a file is replaced in one step and whoever reads the old
//! one goes on reading it.
//!
//! # Layout
//! * [`UserFiles`]: what a store of files can do
//! * [`FileMeta`], [`OpenFile`], [`ListRequest`], [`ListPage`], [`Entry`]: what it is asked and
//!   answers
//! * [`Condition`]: what a write asks of the file that is there
//! * [`UserFilesError`]: what can go wrong, with SQLSTATE and hint
//! * [`default_set`] and [`user_of_default_set`]: the set that every user has

mod error;
pub use error::UserFilesError;

mod files;
pub use files::{
    Attributes, CHUNK_BYTES, Condition, ContentId, Entry, FileMeta, ListPage, ListRequest,
    OpenFile, UserFiles,
};

mod set;
pub use set::{default_set, user_of_default_set};
