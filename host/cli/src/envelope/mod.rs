//! `portolan encrypt` and `portolan decrypt`: standard input to standard output, through a key that
//! `external://name` leads to.
//!
//! # Layout
//!
//! * [`encrypt`] and [`decrypt`]: a file for each command.
//! * [`pipe`]: the two ends, and what is said of a result that is not whole.

pub(crate) mod decrypt;
pub(crate) mod encrypt;

mod pipe;

use anyhow::Result;
use portolan::{Kms, Operation};

use crate::interrupt::Interrupt;
use crate::report::Interrupted;
use crate::store::Store;

/// Opens the key that a URL names.
async fn key(store: &Store, url: &str) -> Result<Kms> {
    let session = store.session().await?;
    let opened = session.open(url, Operation::EncryptedBackup).await?;
    Ok(opened.into_kms()?)
}

/// Does what comes before anything is written, unless the command is asked to end.
async fn unless_asked<T>(
    interrupt: &Interrupt,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        done = work => done,
        () = interrupt.asked() => Err(Interrupted::default().into()),
    }
}
