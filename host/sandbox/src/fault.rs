//! Why the host stopped a provider, in one sentence each.

use std::fmt;
use std::time::Duration;

use portolan_contract::Version;

/// Why the host stopped a provider or refused its answer. Its text continues the provider's name:
/// "used up its 64 MiB of memory".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It computed longer than this.
    GuestTime(Duration),
    /// The operation took longer than this, waits included.
    WallTime(Duration),
    /// It asked for more than these bytes of memory.
    Memory(usize),
    /// It asked for more than this many table elements.
    TableElements(usize),
    /// It recursed deeper than these bytes of stack.
    Stack(usize),
    /// It handed over more than these bytes in one call, or a value that is malformed.
    HostCopy(usize),
    /// It handed over text that is not UTF-8.
    Text,
    /// It called the host more often than this.
    HostCalls(u64),
    /// It called this import in phase one.
    PlanningImport(String),
    /// It crashed.
    Trap(String),
    /// The host could not run it.
    Host(String),
}

impl Fault {
    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::GuestTime(_)
            | Self::Memory(_)
            | Self::TableElements(_)
            | Self::Stack(_)
            | Self::HostCopy(_)
            | Self::HostCalls(_) => "53200",
            Self::WallTime(_) => "57014",
            Self::Text | Self::PlanningImport(_) | Self::Trap(_) => "08P01",
            Self::Host(_) => "XX000",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GuestTime(most) => {
                write!(f, "used up its {} of computing time", duration(*most))
            }
            Self::WallTime(most) => write!(f, "did not finish within {}", duration(*most)),
            Self::Memory(most) => write!(f, "used up its {} of memory", bytes(*most)),
            Self::TableElements(most) => write!(f, "used up its {most} table elements"),
            Self::Stack(most) => write!(f, "used up its {} of stack", bytes(*most)),
            Self::HostCopy(most) => write!(
                f,
                "handed over a value that is malformed or larger than {}",
                bytes(*most)
            ),
            Self::Text => f.write_str("handed over text that is not UTF-8"),
            Self::HostCalls(most) => write!(f, "used up its {most} calls to the host"),
            Self::PlanningImport(name) => {
                write!(
                    f,
                    "called {name} while planning, where nothing may be called"
                )
            }
            Self::Trap(what) => write!(f, "crashed: {what}"),
            Self::Host(why) => write!(f, "could not be run: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

/// The provider that a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderId {
    /// The manifest's name.
    pub name: String,
    /// The manifest's version.
    pub version: Version,
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {} {}", self.name, self.version)
    }
}

fn bytes(count: usize) -> String {
    match count {
        count if count >= 1 << 20 && count % (1 << 20) == 0 => format!("{} MiB", count >> 20),
        count if count >= 1 << 10 && count % (1 << 10) == 0 => format!("{} KiB", count >> 10),
        count => format!("{count} bytes"),
    }
}

fn duration(time: Duration) -> String {
    if time.subsec_millis() == 0 && time.as_secs() > 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_sentence_after_the_name_of_the_provider() {
        let provider = ProviderId {
            name: "nodelocal".to_owned(),
            version: Version::new(0, 1, 0),
        };
        assert_eq!(
            format!("{provider} {}", Fault::Memory(64 << 20)),
            "provider nodelocal 0.1.0 used up its 64 MiB of memory"
        );
        assert_eq!(
            Fault::GuestTime(Duration::from_millis(250)).to_string(),
            "used up its 250 ms of computing time"
        );
        assert_eq!(
            Fault::WallTime(Duration::from_secs(30)).to_string(),
            "did not finish within 30 s"
        );
    }
}
