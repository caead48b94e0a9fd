//! What the host lends to a provider in phase two: thin adapters, one file for each interface.

mod asked;
mod given_away;
mod http;
pub(crate) mod keys;
mod log;
mod net;
mod network;
pub(crate) mod objects;
pub(crate) mod parts;
mod random;
mod sasl;
mod steps;
mod ungranted;

pub(crate) use given_away::SHORTEST as SHORTEST_GIVEN_AWAY;
pub(crate) use keys::KeyMarker;
pub(crate) use log::LogBudget;
pub(crate) use network::{Network, Way};
pub(crate) use parts::{Opaque, Origin};
pub(crate) use steps::StepRecorder;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::host;
use crate::guest::Guest;

/// Defines every interface of the contract: those that are lent, and for the others functions that
/// stop the guest and say which one it called. So the whole type of a component is checked when it
/// is linked.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    type Same = HasSelf<Guest>;
    crate::bindings::types::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::objects::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::steps::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::log::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::random::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::parts::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::http::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::net::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::sasl::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::sign::add_to_linker::<_, Same>(linker, |guest| guest)?;
    host::keys::add_to_linker::<_, Same>(linker, |guest| guest)
}
