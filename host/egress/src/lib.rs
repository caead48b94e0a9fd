//! The policy that judges every endpoint; the only crate that may open a socket
