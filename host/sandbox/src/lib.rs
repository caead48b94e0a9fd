//! Providers in their sandbox: engine, limits, bindings, capabilities, loading
