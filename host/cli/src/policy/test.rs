//! `portolan policy test`: the verdict on a URI, step by step. Nothing is dialled.

use std::path::Path;

use anyhow::Result;
use portolan::{Cell, SecretText};

use crate::args::PolicyTestArguments;
use crate::report::Failure;
use crate::secret_source;
use crate::sql::{self, Printer};
use crate::store::Store;

/// Runs the command; an endpoint that is denied is a failed command.
pub(super) async fn run(store: &Store, arguments: PolicyTestArguments) -> Result<()> {
    let uri = if arguments.uri == "-" {
        secret_source::read_file(Path::new("-")).await?
    } else {
        SecretText::new(arguments.uri)
    };
    let session = store.session().await?;
    let outcome = session
        .test_policy(&uri, &arguments.broker, !arguments.no_resolve)
        .await?;
    let mut failed = 0_u64;
    let mut printer = Printer::new(&arguments.format);
    sql::print(outcome, &mut printer, |row| {
        let is = |column, words: [&str; 2]| {
            matches!(row.get(column), Some(Cell::Text(text)) if words.contains(&text.as_str()))
        };
        // What leads to a conclusion is told before it and counts for nothing.
        if is(1, ["switches", "conclusion"]) && is(2, ["denied", "failed"]) {
            failed += 1;
        }
    })
    .await?;
    let message = match failed {
        0 => return Ok(()),
        1 => "an endpoint may not be dialled, or has no address".to_owned(),
        many => format!("{many} endpoints may not be dialled, or have no address"),
    };
    Err(Failure::new("42501", message)
        .hint("do what the hints of the conclusions say, if the endpoints are meant")
        .into())
}
