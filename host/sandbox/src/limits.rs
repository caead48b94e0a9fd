//! What one operation of a provider may use up, and what all of them together may.

use std::time::Duration;

/// The limits of a sandbox. All of them are on by default; an embedder may set each one.
///
/// What a guest spends is counted anew for every operation. An operation runs in an instance of its own,
/// but for the calls of an open sink and those of a key; there memory and tables are what the instance
/// has, and all else begins anew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Time that a guest may compute in one operation. Time that it waits for the host does not
    /// count, nor, on Unix, time that it waits for a processor. A plan takes microseconds; 250 ms
    /// leave room for a slow machine.
    pub guest_time: Duration,
    /// Wall time around phase one. It waits for nothing, so only a crowded host needs it.
    pub planning_wall_time: Duration,
    /// Wall time around a whole probe, its waits for servers included.
    pub probe_wall_time: Duration,
    /// Wall time around one call of a connection that is in use, its waits for servers included.
    pub call_wall_time: Duration,
    /// Wall time of one step of a probe, so that one silent server leaves time to tell of it.
    pub step_wall_time: Duration,
    /// Linear memory in bytes, summed over all memories of the component.
    pub memory: usize,
    /// Elements of all tables together. A component compiled from Rust has a few hundred.
    pub table_elements: usize,
    /// Depth of the guest's stack in bytes.
    pub stack: usize,
    /// Bytes that the host copies out of the guest in one call of phase one. Lists can point at the
    /// same bytes many times, so this is not bounded by the guest's memory.
    pub host_copy: usize,
    /// The same in phase two, where a message of 16 MiB may be written at once.
    pub host_copy_acting: usize,
    /// Handles that a guest may hold at once: its own, and those that it is lent. The contract
    /// promises 256 opaque parts, 64 connections and 64 exchanges.
    pub handles: usize,
    /// Calls from the guest to the host in one operation.
    pub host_calls: u64,
    /// Bytes that host calls return to the guest in one operation: objects and names, and what
    /// servers sent.
    pub response_bytes: u64,
    /// Names that are looked up, connections that are dialled, and requests that are asked for, in
    /// one operation.
    pub dials: u64,
    /// Bytes that are kept from the guest in opaque parts, summed over all that were made in one
    /// operation.
    pub opaque_bytes: u64,
    /// Bytes of log lines that are kept of one operation; the rest is dropped and counted.
    pub log_bytes: usize,
    /// Random bytes in one operation.
    pub random_bytes: u64,
    /// Operations of one provider at the same time.
    pub operations_per_provider: usize,
    /// Operations of all providers at the same time.
    pub operations: usize,
    /// Instances that live over many operations, of all providers at the same time: sinks that are
    /// open. An operation of theirs counts as any other.
    pub open_instances: usize,
    /// Instances that rest between two calls of a key, of all providers at the same time. Each keeps the
    /// pages that it has written, some 100 KB; for a key that finds no place, each call starts an
    /// instance.
    pub resting_instances: usize,
    /// Calls of a key in one instance, before the next call starts a fresh one: what a provider does
    /// not give back of its memory adds up until then. With 1 none rests.
    pub calls_per_instance: u32,
    /// Size of a component in bytes. The largest of the embedded ones has 300 KB.
    pub component_size: usize,
    /// Functions in all modules of a component, because the compiler's time and memory grow with
    /// them.
    pub component_functions: u32,
    /// Wall time of compiling a component; a refused one goes on in the background until it ends.
    pub compile_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_time: Duration::from_millis(250),
            planning_wall_time: Duration::from_secs(5),
            probe_wall_time: Duration::from_secs(30),
            call_wall_time: Duration::from_secs(30),
            step_wall_time: Duration::from_secs(15),
            memory: 64 << 20,
            table_elements: 20_000,
            stack: 512 << 10,
            host_copy: 4 << 20,
            host_copy_acting: 17 << 20,
            handles: 512,
            host_calls: 10_000,
            response_bytes: 16 << 20,
            dials: 256,
            opaque_bytes: 16 << 20,
            log_bytes: 64 << 10,
            random_bytes: 64 << 10,
            operations_per_provider: 16,
            operations: 64,
            open_instances: 64,
            resting_instances: 16,
            calls_per_instance: 100,
            component_size: 8 << 20,
            component_functions: 50_000,
            compile_time: Duration::from_secs(30),
        }
    }
}
