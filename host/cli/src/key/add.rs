//! `portolan key add`: one more key that opens the store.

use std::io::Write;

use anyhow::{Context, Result};
use portolan_catalog::NewKeySlot;
use portolan_secret::{SecretText, SlotKind, phrase};
use zeroize::Zeroizing;

use super::slot;
use crate::args::KeyAddArguments;
use crate::report::{self, Failure};
use crate::secret_source;
use crate::standard_output::StandardOutput;
use crate::store::Store;

const PASSPHRASE_HINT: &str =
    "write --passphrase=@FILE, --passphrase=- or --passphrase=env:NAME, or use a terminal";
const TEXT_HINT: &str = "write --text @FILE, --text - or --text env:NAME";

/// Words of a phrase on one line.
const WORDS_ON_A_LINE: usize = 6;

/// Runs the command.
pub(super) async fn run(store: &Store, arguments: KeyAddArguments) -> Result<()> {
    let label = arguments.label;
    // What needs an answer is asked for before the store is opened.
    let passphrase = match &arguments.passphrase {
        Some(source) => Some(new_passphrase(source).await?),
        None => None,
    };
    let text = match &arguments.text {
        Some(source) => Some(secret_source::read(source, "the key", TEXT_HINT).await?),
        None => None,
    };
    let session = store.session().await?;
    // Whoever may not add a slot makes no file and sees no phrase.
    session.may_add_key_slot().await?;
    let new = if let Some(passphrase) = passphrase {
        slot::of_passphrase(passphrase, label).await?
    } else if let Some(text) = text {
        slot::of_text(&text, label)?
    } else if let Some(path) = &arguments.key_file {
        slot::of_file(path, label)?
    } else if arguments.kms {
        store.new_service_slot(label).await?
    } else {
        let (words, key) = phrase::generate().map_err(report::key_failure)?;
        // Before the slot is there: a slot whose phrase nobody saw would look like a way in.
        print(&words).context("the phrase could not be printed, and no slot was added")?;
        report::line(
            "NOTICE: write these 24 words down and keep them where the store is not; they are shown \
             this once",
        );
        NewKeySlot {
            kind: SlotKind::Recovery,
            label: label.unwrap_or_default(),
            parameters: String::new(),
            key,
        }
    };
    let is_phrase = new.kind == SlotKind::Recovery;
    slot::add(&session, new)
        .await
        .map_err(|error| match is_phrase {
            true => {
                report::line("NOTICE: the words above open nothing");
                error
            }
            false => error,
        })
}

/// A new passphrase, typed twice where it is typed.
async fn new_passphrase(source: &str) -> Result<SecretText> {
    if !source.is_empty() {
        return secret_source::read(source, "the passphrase", PASSPHRASE_HINT).await;
    }
    let missing = "no passphrase was given";
    let first = secret_source::ask("New passphrase (not shown): ", missing, PASSPHRASE_HINT);
    let first = first.await?;
    let again = secret_source::ask("The same again: ", missing, PASSPHRASE_HINT).await?;
    if first != again {
        return Err(Failure::new("22023", "the two passphrases differ")
            .hint("nothing was changed; try again")
            .into());
    }
    Ok(first)
}

fn print(words: &SecretText) -> std::io::Result<()> {
    let mut lines = Zeroizing::new(String::with_capacity(words.len() + 1));
    for (place, word) in words.expose().split(' ').enumerate() {
        if place > 0 {
            lines.push(match place % WORDS_ON_A_LINE {
                0 => '\n',
                _ => ' ',
            });
        }
        lines.push_str(word);
    }
    lines.push('\n');
    let mut output = StandardOutput::new();
    output.write_all(lines.as_bytes())?;
    output.flush()
}
