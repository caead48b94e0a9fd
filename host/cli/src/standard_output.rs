//! Standard output, whose errors say that it is what cannot be written to.

use std::io::{self, Stdout, Write};

/// Standard output.
#[derive(Debug)]
pub(crate) struct StandardOutput(Stdout);

impl StandardOutput {
    /// That of this process.
    pub(crate) fn new() -> Self {
        Self(io::stdout())
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(named)
    }
}

/// The same error, with the name of what it is about.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it takes the place of the error"
)]
pub(crate) fn named(error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot write to standard output: {error}"),
    )
}
