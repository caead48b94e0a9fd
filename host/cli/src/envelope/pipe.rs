//! Standard input and standard output, with a line of progress between them.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use portolan::envelope::EnvelopeError;

use crate::interrupt::Interrupt;
use crate::report::{Failure, Interrupted};
use crate::transfer::Progress;

/// What to do where a terminal stands at one end.
const INTO_A_FILE: &str = "write it into a file with > FILE, or into a program with |";
const FROM_A_FILE: &str = "read it from a file with < FILE, or from a program with |";

/// The two ends of a command, and how much went through them.
pub(super) struct Pipe {
    pub(super) input: Input,
    output: Output,
    /// What is said of a result that is not whole.
    partial: &'static str,
}

impl Pipe {
    /// Standard input and output as they are, without buffers: chunks are large.
    pub(super) fn new(partial: &'static str) -> Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let size = input.metadata().ok();
        let size = size
            .filter(|found| found.is_file())
            .map(|found| found.len());
        Ok(Self {
            input: Input {
                file: input,
                progress: Progress::of_pipe(size),
            },
            output: Output {
                guards_terminal: output.is_terminal(),
                file: output,
                written: Arc::default(),
            },
            partial,
        })
    }

    /// Does the work on a thread that may block. When it fails or is given up, the error says what
    /// was written.
    pub(super) async fn run(
        self,
        interrupt: &Interrupt,
        work: impl FnOnce(Input, Output) -> Result<(), EnvelopeError> + Send + 'static,
    ) -> Result<()> {
        let Self {
            input,
            output,
            partial,
        } = self;
        let progress = input.progress.clone();
        let written = Arc::clone(&output.written);
        let working = tokio::task::spawn_blocking(move || work(input, output));
        let ended = tokio::select! {
            ended = working => Some(ended?),
            // The thread may wait for its input for ever; it ends with the process.
            () = interrupt.asked() => None,
        };
        progress.finish();
        let account = match written.load(Ordering::Relaxed) {
            0 => None,
            written => Some(format!("{written} bytes were written: {partial}")),
        };
        match ended {
            Some(ended) => ended.map_err(|error| told(error, account)),
            None => Err(interrupted(account).into()),
        }
    }
}

fn interrupted(account: Option<String>) -> Interrupted {
    Interrupted {
        account: account.map(|account| {
            Failure::new("57014", "interrupted")
                .detail(account)
                .hint("run it again over the whole input, and into an output that is empty")
        }),
    }
}

/// An error with the account of what was written before it.
fn told(error: EnvelopeError, account: Option<String>) -> anyhow::Error {
    if let EnvelopeError::Write(cause) = error {
        // Whoever read has what it wanted, as with other tools.
        if cause.kind() == ErrorKind::BrokenPipe {
            return cause.into();
        }
        if cause.get_ref().is_some_and(|cause| cause.is::<NoText>()) {
            return Failure::new("22023", NoText.to_string())
                .hint(INTO_A_FILE)
                .into();
        }
        return with_account(EnvelopeError::Write(cause), account);
    }
    with_account(error, account)
}

fn with_account(error: EnvelopeError, account: Option<String>) -> anyhow::Error {
    let error = portolan::Error::from(error);
    match account {
        Some(account) => error.with_detail(account).into(),
        None => error.into(),
    }
}

/// Standard input; what comes from it moves the progress.
pub(super) struct Input {
    file: File,
    progress: Progress,
}

impl Input {
    /// The same input once more: what is read of one is read of both.
    pub(super) fn share(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            progress: self.progress.clone(),
        })
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

/// Standard output, counted.
pub(super) struct Output {
    file: File,
    written: Arc<AtomicU64>,
    guards_terminal: bool,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.guards_terminal && bytes.iter().any(steers_a_terminal) {
            return Err(io::Error::other(NoText));
        }
        let written = self.file.write(bytes)?;
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether a byte is none of a text: a control other than a tab or the end of a line.
fn steers_a_terminal(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// What is to be written is no text, and standard output is a terminal.
#[derive(Debug)]
struct NoText;

impl std::fmt::Display for NoText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the content is no text, and standard output is a terminal")
    }
}

impl std::error::Error for NoText {}

/// Refuses to write an envelope, which is binary, to a terminal.
pub(super) fn refuse_terminal_output() -> Result<()> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    let message = "an envelope is binary, and standard output is a terminal";
    Err(Failure::new("22023", message).hint(INTO_A_FILE).into())
}

/// Refuses to read an envelope, which nobody can type, from a terminal.
pub(super) fn refuse_terminal_input() -> Result<()> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let message = "an envelope is binary, and standard input is a terminal";
    Err(Failure::new("22023", message).hint(FROM_A_FILE).into())
}
