//! Each type of one version as that of the other.

pub(crate) mod newer;
pub(crate) mod older;
