//! The runtime's configuration, each choice with its reason.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails, WasmFeatures,
};

use crate::Limits;

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Allocation {
    /// From a pool where the address space allows one, otherwise on demand.
    #[default]
    Automatic,
    /// From a pool: a new instance takes microseconds. It reserves a few hundred GiB of address
    /// space, no memory.
    Pooling,
    /// Mapped when an instance is made: slower, for processes whose address space is limited.
    OnDemand,
}

/// Core instances of one component: the guest's own module and those that adapt it.
const CORE_INSTANCES: u32 = 8;
/// Memories, and tables, of one component.
const MEMORIES: u32 = 4;

/// Bytes of a memory, and of tables, that stay in a place of the pool between two instances.
const MEMORY_KEPT: usize = 128 << 10;
const TABLES_KEPT: usize = 16 << 10;

/// An engine, and how its instances get their memory: never [`Allocation::Automatic`].
pub(crate) fn build(limits: &Limits, wanted: Allocation) -> wasmtime::Result<(Engine, Allocation)> {
    match wanted {
        Allocation::Automatic => match build(limits, Allocation::Pooling) {
            Ok(built) => Ok(built),
            Err(error) => {
                tracing::info!(%error, "no address space for a pool of instances; they are made on demand");
                build(limits, Allocation::OnDemand)
            }
        },
        chosen => Ok((Engine::new(&config(limits, chosen))?, chosen)),
    }
}

fn config(limits: &Limits, allocation: Allocation) -> Config {
    let mut config = Config::new();
    // Epochs cost a load and a compare at loop heads and calls; fuel would cost two to three times
    // as much.
    config.epoch_interruption(true);
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(limits.stack);
    // Host functions run on the guest's stack, above what the guest may use of it.
    config.async_stack_size(limits.stack + (1 << 20));
    // Where in a guest something went wrong is told to nobody, so tables that would say it only make
    // compiled components larger, and so slower to verify and load; and no variable of the
    // environment decides about it.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.wasm_backtrace_max_frames(None);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // Whatever a guest cannot use, an attacker cannot either. Compilers for the contract's targets
    // emit none of these by default.
    for unneeded in [
        WasmFeatures::THREADS,
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        WasmFeatures::RELAXED_SIMD,
        WasmFeatures::SIMD,
        WasmFeatures::TAIL_CALL,
        WasmFeatures::MULTI_MEMORY,
        WasmFeatures::MEMORY64,
        WasmFeatures::FUNCTION_REFERENCES,
        WasmFeatures::GC,
        WasmFeatures::EXCEPTIONS,
        WasmFeatures::LEGACY_EXCEPTIONS,
        WasmFeatures::STACK_SWITCHING,
        WasmFeatures::WIDE_ARITHMETIC,
        WasmFeatures::CUSTOM_PAGE_SIZES,
        WasmFeatures::CM_ASYNC,
        WasmFeatures::CM_ERROR_CONTEXT,
        WasmFeatures::CM_GC,
    ] {
        config.wasm_features(unneeded, false);
    }
    match allocation {
        Allocation::OnDemand => {
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            // The default reserves 4 GiB for every memory, which is what was short.
            config.memory_reservation(limits.memory as u64);
            config.memory_reservation_for_growth(0);
            config.memory_guard_size(64 << 10);
        }
        Allocation::Automatic | Allocation::Pooling => {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
        }
    }
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let count = |most: usize| u32::try_from(most).unwrap_or(u32::MAX).max(1);
    // One that lives over many operations keeps its place between two of them.
    let living = limits
        .open_instances
        .saturating_add(limits.resting_instances);
    let instances = count(limits.operations.saturating_add(living));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    pool.total_core_instances(instances.saturating_mul(CORE_INSTANCES));
    pool.total_memories(instances.saturating_mul(MEMORIES));
    pool.total_tables(instances.saturating_mul(MEMORIES));
    // A store keeps the stack of its last call.
    pool.total_stacks(instances);
    pool.max_core_instances_per_component(CORE_INSTANCES);
    pool.max_memories_per_component(MEMORIES);
    pool.max_tables_per_component(MEMORIES);
    // The sum over all memories is the limiter's business; one alone may be as large as the sum.
    pool.max_memory_size(limits.memory);
    pool.table_elements(limits.table_elements);
    // Pages that an instance dirtied are found by the kernel where it can. A provider dirties less
    // than this; to clear it takes half as long as to give it back and to fault it in again.
    pool.pagemap_scan(Enabled::Auto);
    pool.linear_memory_keep_resident(MEMORY_KEPT);
    pool.table_keep_resident(TABLES_KEPT);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_allocate_give_an_engine() {
        for wanted in [Allocation::Pooling, Allocation::OnDemand] {
            let (_, got) = build(&Limits::default(), wanted).expect("an engine");
            assert_eq!(got, wanted);
        }
    }

    #[test]
    fn a_pool_that_does_not_fit_falls_back_to_on_demand() {
        // Four billion memories of 4 GiB are more than any address space has.
        let limits = Limits {
            operations: usize::MAX,
            ..Limits::default()
        };
        assert!(build(&limits, Allocation::Pooling).is_err());
        let (_, got) = build(&limits, Allocation::Automatic).expect("an engine");
        assert_eq!(got, Allocation::OnDemand);
    }

    #[test]
    fn features_that_no_provider_needs_are_off() {
        let (engine, _) = build(&Limits::default(), Allocation::OnDemand).expect("an engine");
        for text in [
            "(module (memory i64 1))",
            "(module (memory 1) (memory 1))",
            "(module (func (param v128)))",
            "(module (func $f (return_call $f)))",
        ] {
            let bytes = wat::parse_str(text).expect("wat");
            assert!(wasmtime::Module::new(&engine, bytes).is_err(), "{text}");
        }
    }
}
