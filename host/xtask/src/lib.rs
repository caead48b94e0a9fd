//! The project's own chores: building plugins, checking them, benchmarks
