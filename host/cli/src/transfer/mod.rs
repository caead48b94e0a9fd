//! The data plane: `ls`, `cat`, `put`, `get`, `rm`, `cp` on `external://name/path`.
//!
//! Each command opens the connection named in the URL, whole, and works on the path below it. The
//! store that the library gives is confined to the connection, whatever the path says.
//!
//! # Layout
//!
//! * A file for each command, which makes a plan: what is to be done with which object.
//! * [`engine`] runs a plan, so many jobs at once; [`entry`] is a line of it, [`ledger`] the account
//!   of how each ended, [`progress`] the line on a terminal meanwhile.
//! * [`place`], [`pattern`], [`selection`]: from a URL to the objects that it means.
//! * [`local`]: trees of files that are read, directories that are written.
//! * [`content`]: bytes on their way in bounded parts; [`upload`] and [`download`] are where they
//!   go, and [`verify`] compares what arrived.

pub(crate) mod cat;
pub(crate) mod cp;
pub(crate) mod get;
pub(crate) mod ls;
pub(crate) mod put;
pub(crate) mod rm;

mod content;
mod download;
mod engine;
mod entry;
mod ledger;
mod local;
mod pattern;
mod place;
mod progress;
mod selection;
mod upload;
mod verify;

pub(crate) use progress::Progress;
