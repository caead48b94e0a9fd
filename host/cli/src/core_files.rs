//! No core files: one would hold every secret that the process has in memory.

use anyhow::Result;

/// Has the system write none for this process, and for none that it starts, whatever the shell allows.
///
/// Linux gives a handler, which `core_pattern` may name, nothing either (`core(5)`, and
/// `do_coredump` of its sources); other systems may.
///
/// # Errors
///
/// The system refuses.
pub(crate) fn forbid() -> Result<()> {
    #[cfg(unix)]
    {
        use anyhow::Context as _;
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        // Of one byte no core file can be made, and one byte is what keeps Linux from piping the
        // memory to a handler, which a limit of none does not. Where whoever started this process has
        // allowed none, only root could allow one.
        let most = getrlimit(Resource::Core).maximum.unwrap_or(1).min(1);
        let none = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(Resource::Core, none).context("cannot switch core files off")?;
    }
    Ok(())
}
