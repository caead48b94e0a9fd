//! No core files: one would hold every secret that the process has in memory.

use anyhow::Result;

/// Has the system write none for this process, and for none that it starts, whatever the shell allows.
///
/// A handler that the system pipes memory images to is told of this limit and may ignore it.
///
/// # Errors
///
/// The system refuses.
pub(crate) fn forbid() -> Result<()> {
    #[cfg(unix)]
    {
        use anyhow::Context as _;
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none).context("cannot switch core files off")?;
    }
    Ok(())
}
