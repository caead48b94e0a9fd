//! The `portolan` command line tool.

fn main() {}
