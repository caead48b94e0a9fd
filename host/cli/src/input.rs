//! Files and standard input, read whole and only so far. Whoever waits for one can still be
//! interrupted: a pipe may never come to an end.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report::Failure;

/// The most bytes of a secret, of a parameter, or of a configuration.
pub(crate) const MOST_OF_A_TEXT: u64 = 1 << 20;

/// The most bytes of a script: one that `store rescue` writes has a line or more for each connection.
pub(crate) const MOST_OF_A_SCRIPT: u64 = 256 << 20;

/// Reads standard input, which has at most `most` bytes.
pub(crate) async fn standard_input(most: u64) -> Result<String> {
    let reading = move || text(std::io::stdin().lock(), most, "standard input");
    tokio::task::spawn_blocking(reading).await?
}

/// Reads a file, which has at most `most` bytes. `what` says in errors what it holds: `the key from`.
pub(crate) async fn file(path: &Path, most: u64, what: &str) -> Result<String> {
    let path = path.to_owned();
    let named = format!("{what} {}", path.display());
    let named = named.trim_start().to_owned();
    tokio::task::spawn_blocking(move || text(open(&path, &named)?, most, &named)).await?
}

/// Reads the bytes of a file: all of them, or one more than `most`.
pub(crate) async fn bytes(path: PathBuf, most: u64, what: &'static str) -> Result<Vec<u8>> {
    let reading = move || {
        let named = format!("{what} {}", path.display());
        let mut bytes = Vec::new();
        let read = open(&path, &named)?.take(most + 1).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {named}"))?;
        Ok(bytes)
    };
    tokio::task::spawn_blocking(reading).await?
}

fn open(path: &Path, named: &str) -> Result<File> {
    File::open(path).with_context(|| format!("cannot read {named}"))
}

/// Reads a text to its end.
pub(crate) fn text(from: impl Read, most: u64, named: &str) -> Result<String> {
    let mut text = String::new();
    let read = from.take(most + 1).read_to_string(&mut text);
    // Where the limit cut a character in two, it is not the character that is wrong.
    let is_long = text.len() as u64 > most || read.as_ref().is_ok_and(|read| *read as u64 > most);
    if is_long {
        let message = format!("{named} has more than {} MiB", most >> 20);
        return Err(Failure::new("53200", message)
            .hint("check that this is what is meant")
            .into());
    }
    read.with_context(|| format!("cannot read {named}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_it_may_be_is_refused_and_not_read_to_its_end() {
        let told = |from: &mut dyn Read| {
            let error = text(from, MOST_OF_A_TEXT, "the key").expect_err("is too long");
            format!("{error:#}")
        };
        assert_eq!(
            told(&mut std::io::repeat(b'a')),
            "the key has more than 1 MiB"
        );
        let whole = vec![b'a'; 1 << 20];
        let read = text(&whole[..], MOST_OF_A_TEXT, "the key").expect("it fits");
        assert_eq!(read.len(), whole.len());
    }
}
