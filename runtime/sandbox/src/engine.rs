//! wasmtime's configuration, and the thread that lets deadlines pass.
//!
//! Everything that a guest of the supported languages does not need is off. Numbers of the pool come from measured
//! guests: a trivial Python component has 38 core modules and instances. What the pool cannot hold is refused when
//! the component is compiled, before it runs.

use std::num::NonZeroUsize;
use std::time::Duration;

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig, Result, Strategy,
};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(10);
/// What a page of memory costs beside the instruction: page faults are not free.
const FUEL_PER_PAGE: u64 = 64;
/// Stack of a guest.
const WASM_STACK: usize = 512 << 10;
/// Frames kept of a backtrace.
pub(crate) const BACKTRACE_FRAMES: usize = 16;
/// Largest memory that the operator can allow one module, and largest minimum that is accepted.
pub(crate) const MAX_MEMORY: usize = 1 << 30;
/// Largest table that the operator can allow.
pub(crate) const MAX_TABLE: usize = 200_000;
/// Core instances of one component.
const MAX_CORE_INSTANCES: u32 = 128;
/// Memories of one component.
pub(crate) const MAX_MEMORIES: u32 = 8;
/// Tables of one component.
pub(crate) const MAX_TABLES: u32 = 64;

/// Makes the engine and starts its ticker.
pub(crate) fn start(lanes: u32) -> Result<Engine> {
    let mut config = config()?;
    config.parallel_compilation(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool(lanes)));
    let engine = Engine::new(&config)?;
    let weak = engine.weak();
    // A plain thread: a stalled async runtime must not keep deadlines from passing.
    std::thread::Builder::new().name("tenter-epoch".into()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// Makes an engine that only compiles: for the same settings, but on one thread and without a pool, whose address
/// space a limited process does not have. What does not fit the pool is refused when the code is loaded.
pub(crate) fn compiler() -> Result<Engine> {
    let mut config = config()?;
    config.parallel_compilation(false).allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

fn config() -> Result<Config> {
    let mut config = Config::new();
    let mut cost = OperatorCost::new();
    cost.variable.memory_grow_per_page = FUEL_PER_PAGE.try_into()?;
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .operator_cost(cost)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES))
        .memory_init_cow(true)
        .concurrency_support(false)
        .shared_memory(false)
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        // Off for uploads (`admit/features.rs`), but on here: the code that wasmtime makes to join two components with a
        // memory each, as in every QuickJS guest, has both.
        .wasm_multi_memory(true)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_stack_switching(false)
        .wasm_shared_everything_threads(false)
        .wasm_component_model_error_context(false)
        .wasm_component_model_gc(false)
        .wasm_component_model_map(false)
        .wasm_component_model_memory64(false)
        .wasm_component_model_fixed_length_lists(false)
        .wasm_component_model_implements(false);
    Ok(config)
}

/// Room for one warm instance of many modules in each lane. Slots that are not used cost address space alone.
fn pool(lanes: u32) -> PoolingAllocationConfig {
    let components = lanes.saturating_mul(128).clamp(512, 2048);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(components)
        .total_core_instances(components.saturating_mul(16))
        .total_memories(components.saturating_mul(2))
        .total_tables(components.saturating_mul(4))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(16)
        .max_core_instance_size(8 << 20)
        .max_component_instance_size(8 << 20)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE)
        .linear_memory_keep_resident(256 << 10);
    pool
}
