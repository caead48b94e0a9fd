//! No core files: one would hold every secret that the process has in memory.

use anyhow::Result;

/// Has the system write none for this process, and for none that it starts, whatever the shell allows.
///
/// On Linux a handler, which `core_pattern` may name, is given nothing either (`core(5)`, and
/// `do_coredump` of its sources); on other systems it may be.
///
/// # Errors
///
/// The system refuses.
pub(crate) fn forbid() -> Result<()> {
    #[cfg(unix)]
    {
        use anyhow::Context as _;
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Of one byte no core file can be made, and one byte is what keeps Linux from piping the
        // memory to a handler, which a limit of none does not.
        let of = |most| Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // Where whoever started this process has allowed none, only root can allow one.
        if setrlimit(Resource::Core, of(1)).is_err() {
            setrlimit(Resource::Core, of(0)).context("cannot switch core files off")?;
        }
        // Handlers that listen at a socket are given everything whatever the limit is.
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{DumpableBehavior, set_dumpable_behavior};
            set_dumpable_behavior(DumpableBehavior::NotDumpable)
                .context("cannot switch core dumps off")?;
        }
    }
    Ok(())
}
