//! Why the host stopped a provider, in one sentence each.

use std::fmt;
use std::time::Duration;

use portolan_contract::{FailureClass, Kind, Version};
use wasmtime::Trap;

use crate::Limits;

/// Why the host stopped a provider. Its text continues the provider's name: "used up its 64 MiB of
/// memory".
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
    /// It handed over more than these bytes in one call.
    HostCopy(usize),
    /// It held more than this many handles at once.
    Handles(usize),
    /// It called the host more often than this.
    HostCalls(u64),
    /// It was answered more than these bytes.
    ResponseBytes(u64),
    /// It asked for more than these random bytes.
    RandomBytes(u64),
    /// It had names looked up and endpoints dialled more often than this.
    Dials(u64),
    /// It held more than this many connections at once.
    Connections(usize),
    /// It dialled more than this many brokers that servers named.
    Brokers(usize),
    /// It began more than this many authentication exchanges.
    Exchanges(usize),
    /// It had more than these bytes kept from it in opaque parts.
    OpaqueBytes(u64),
    /// So many of its operations, or of all providers', were running for as long as this one could
    /// wait.
    Busy(usize),
    /// It handed over text that is not UTF-8.
    Text,
    /// It handed over a value that cannot be read.
    Malformed,
    /// It broke a rule of the contract; what it did.
    Contract(String),
    /// It called this import in phase one.
    PlanningImport(String),
    /// It called this import, which was not granted.
    NotGranted(String),
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
            | Self::Handles(_)
            | Self::HostCalls(_)
            | Self::ResponseBytes(_)
            | Self::RandomBytes(_)
            | Self::Dials(_)
            | Self::Connections(_)
            | Self::Brokers(_)
            | Self::Exchanges(_)
            | Self::OpaqueBytes(_)
            | Self::Busy(_) => "53200",
            Self::WallTime(_) => "57014",
            Self::NotGranted(_) => "42501",
            Self::Text
            | Self::Malformed
            | Self::Contract(_)
            | Self::PlanningImport(_)
            | Self::Trap(_) => "08P01",
            Self::Host(_) => "XX000",
        }
    }

    /// The class of failure that a step ends with when this is why.
    pub(crate) fn class(&self) -> FailureClass {
        match self.sqlstate() {
            "53200" => FailureClass::Budget,
            "57014" => FailureClass::Timeout,
            "42501" => FailureClass::Denied,
            "08P01" => FailureClass::Protocol,
            _ => FailureClass::Other("host".to_owned()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Busy(_) => "try again, or raise the limit of concurrent operations",
            Self::WallTime(_) => {
                "see whether what the connection names answers, or raise the limit of wall time"
            }
            Self::Host(_) => "look at the log of this host",
            Self::NotGranted(_) => {
                "update this host, or use a version of the provider that was made for it"
            }
            _ => "report it to the provider's author, or use another version of the provider",
        }
    }

    /// The kind of fault as a metric's label and a log's field name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GuestTime(_) => "guest-time",
            Self::WallTime(_) => "wall-time",
            Self::Memory(_) => "memory",
            Self::TableElements(_) => "table-elements",
            Self::Stack(_) => "stack",
            Self::HostCopy(_) => "host-copy",
            Self::Handles(_) => "handles",
            Self::HostCalls(_) => "host-calls",
            Self::ResponseBytes(_) => "response-bytes",
            Self::RandomBytes(_) => "random-bytes",
            Self::Dials(_) => "dials",
            Self::Connections(_) => "connections",
            Self::Brokers(_) => "brokers",
            Self::Exchanges(_) => "exchanges",
            Self::OpaqueBytes(_) => "opaque-bytes",
            Self::Busy(_) => "busy",
            Self::Text => "text",
            Self::Malformed => "malformed",
            Self::Contract(_) => "contract",
            Self::PlanningImport(_) => "planning-import",
            Self::NotGranted(_) => "not-granted",
            Self::Trap(_) => "trap",
            Self::Host(_) => "host",
        }
    }

    /// It is to act as a kind that its manifest does not list.
    pub(crate) fn unlisted(kind: Option<Kind>) -> Self {
        let kind = kind.map_or("none", Kind::as_str);
        Self::Host(format!("its manifest does not list the kind {kind}"))
    }

    /// Why a call into a guest ended with an error.
    pub(crate) fn of_call(error: &wasmtime::Error, limits: &Limits) -> Self {
        if let Some(fault) = error.downcast_ref::<Self>() {
            return fault.clone();
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => return Self::Stack(limits.stack),
            Some(trap) => return Self::Trap(trap.to_string()),
            None => {}
        }
        if error.downcast_ref::<std::str::Utf8Error>().is_some() {
            return Self::Text;
        }
        // The runtime has no public types for these two; tests hold on to its words.
        let root = error.root_cause().to_string();
        if root.contains("fuel allocated for hostcalls") {
            return Self::HostCopy(limits.host_copy);
        }
        if root.contains("store handle limit exceeded") {
            return Self::Handles(limits.handles);
        }
        Self::Malformed
    }

    /// Why a call into a guest of phase two ended with an error.
    pub(crate) fn of_acting(error: &wasmtime::Error, limits: &Limits) -> Self {
        match Self::of_call(error, limits) {
            Self::HostCopy(_) => Self::HostCopy(limits.host_copy_acting),
            fault => fault,
        }
    }

    /// Why a guest could not be instantiated.
    pub(crate) fn of_start(error: &wasmtime::Error, limits: &Limits) -> Self {
        match Self::of_call(error, limits) {
            Self::Malformed => Self::Host(error.root_cause().to_string()),
            fault => fault,
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
            Self::HostCopy(most) => {
                write!(f, "handed over more than {} in one call", bytes(*most))
            }
            Self::Handles(most) => write!(f, "used up its {most} handles"),
            Self::HostCalls(most) => write!(f, "used up its {most} calls to the host"),
            Self::ResponseBytes(most) => {
                write!(f, "used up its {} of answers", bytes(saturated(*most)))
            }
            Self::RandomBytes(most) => {
                write!(f, "used up its {} of random bytes", bytes(saturated(*most)))
            }
            Self::Dials(most) => write!(f, "used up its {most} look-ups and dials"),
            Self::Connections(most) => write!(f, "used up its {most} open connections"),
            Self::Brokers(most) => write!(f, "used up its {most} further brokers"),
            Self::Exchanges(most) => write!(f, "used up its {most} exchanges"),
            Self::OpaqueBytes(most) => {
                write!(f, "used up its {} of opaque parts", bytes(saturated(*most)))
            }
            Self::Busy(most) => {
                write!(
                    f,
                    "had to wait too long: {most} operations were running, the most at once"
                )
            }
            Self::Text => f.write_str("handed over text that is not UTF-8"),
            Self::Malformed => f.write_str("handed over a value that cannot be read"),
            Self::Contract(what) => write!(f, "broke the contract: it {what}"),
            Self::PlanningImport(name) => {
                write!(
                    f,
                    "called {name} while planning, where nothing may be called"
                )
            }
            Self::NotGranted(name) => write!(f, "called {name}, which was not granted"),
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

fn saturated(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

pub(crate) fn bytes(count: usize) -> String {
    match count {
        count if count >= 1 << 20 && count % (1 << 20) == 0 => format!("{} MiB", count >> 20),
        count if count >= 1 << 10 && count % (1 << 10) == 0 => format!("{} KiB", count >> 10),
        count => format!("{count} bytes"),
    }
}

pub(crate) fn duration(time: Duration) -> String {
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
