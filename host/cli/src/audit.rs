//! `portolan audit`: SHOW AUDIT with flags.

use anyhow::Result;

use crate::args::AuditArguments;
use crate::sql::{self, Parameters, Printer};
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: AuditArguments) -> Result<()> {
    let mut text = "SHOW AUDIT".to_owned();
    if let Some(name) = &arguments.connection {
        text.push_str(" FOR EXTERNAL CONNECTION ");
        text.push_str(&sql::literal(name));
    }
    if let Some(since) = &arguments.since {
        text.push_str(" SINCE ");
        text.push_str(&sql::literal(since));
    }
    let session = store.session().await?;
    let mut printer = Printer::new(&arguments.format);
    for statement in sql::parse(&text)? {
        sql::execute(&session, &statement, &Parameters::default(), &mut printer).await?;
    }
    Ok(())
}
