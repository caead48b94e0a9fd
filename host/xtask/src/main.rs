//! The project's own chores, run as `cargo xtask …`.

fn main() {}
