//! `portolan cat`: objects to standard output, one after the other.

use anyhow::Result;
use futures::TryStreamExt;
use tokio::io::{AsyncWriteExt, Stdout};

use super::content;
use super::engine::Tools;
use super::entry::{Action, Ending, Entry};
use super::ledger::{Ledger, Verb};
use super::progress::Progress;
use super::selection::{Object, Selection};
use crate::args::CatArguments;
use crate::interrupt::Interrupt;
use crate::report;
use crate::standard_output::named;
use crate::store::Store;

/// How many parts of an object are read ahead.
const PARALLEL: usize = 4;

/// Runs the command. What cannot be read is told, and the rest is printed.
pub(crate) async fn run(
    store: &Store,
    arguments: CatArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let session = store.session().await?;
    let tools = Tools::new(PARALLEL, interrupt, Progress::hidden());
    let mut output = tokio::io::stdout();
    let mut ledger = Ledger::new(Verb::Print, false, None)?;
    for url in &arguments.urls {
        let mut objects = Selection::open(&session, url, arguments.recursive)
            .await?
            .objects();
        loop {
            let (source, printed) = match objects.try_next().await {
                Ok(None) => break,
                Ok(Some(found)) => {
                    let printed = print(&found.object, &mut output, &tools).await;
                    (found.object.place.to_string(), printed)
                }
                Err(error) => (url.clone(), Err(error)),
            };
            let ending = match printed {
                Ok(()) => Ending::Done(None),
                Err(error) if report::is_closed_pipe(&error) => return Err(error),
                Err(error) => Ending::Failed(error),
            };
            ledger.record(&entry(source), ending)?;
        }
    }
    output.flush().await.map_err(named)?;
    ledger.close(false, (0, false))
}

fn entry(source: String) -> Entry {
    Entry {
        action: Action::Get,
        source,
        target: None,
        bytes: None,
    }
}

async fn print(object: &Object, output: &mut Stdout, tools: &Tools) -> Result<()> {
    let mut content = content::of_object(object, tools).await?;
    while let Some(part) = content.parts.try_next().await? {
        for bytes in &part.bytes {
            output.write_all(bytes).await.map_err(named)?;
        }
    }
    Ok(())
}
