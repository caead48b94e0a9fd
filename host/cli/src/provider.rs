//! `portolan provider`: what may run in the sandbox, and what it may see and touch.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use portolan::{AddProvider, Inspection, Limits};

use crate::args::{ProviderAddArguments, ProviderCommand};
use crate::confirm;
use crate::input;
use crate::report::Failure;
use crate::sql::{self, Parameters, Printer};
use crate::standard_output::StandardOutput;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, command: ProviderCommand) -> Result<()> {
    match command {
        ProviderCommand::List(format) => {
            let session = store.session().await?;
            let mut printer = Printer::new(&format);
            for statement in sql::parse("SHOW PROVIDERS")? {
                sql::execute(&session, &statement, &Parameters::default(), &mut printer).await?;
            }
            Ok(())
        }
        ProviderCommand::Inspect(arguments) => {
            let session = store.session().await?;
            let path = Path::new(&arguments.provider);
            let inspection = if path
                .extension()
                .is_some_and(|extension| extension == "wasm")
            {
                session.host().inspect_component(&read(path).await?).await?
            } else {
                session.inspect_provider(&arguments.provider).await?
            };
            print(&inspection)
        }
        ProviderCommand::Add(arguments) => add(store, arguments).await,
        ProviderCommand::Remove(arguments) => {
            let session = store.session().await?;
            session.remove_provider(&arguments.name).await?;
            Ok(())
        }
    }
}

/// Shows what the component asks for, asks whether that is wanted, and approves its digest.
async fn add(store: &Store, arguments: ProviderAddArguments) -> Result<()> {
    let session = store.session().await?;
    let component = read(&arguments.file).await?;
    let inspection = session.examine_provider(&component).await?;
    print(&inspection)?;
    let question = format!("Approve {}?", inspection.manifest().name);
    if !arguments.yes && !confirm::confirmed(&question, unasked).await? {
        return Err(Failure::new("57014", "not approved; nothing was changed")
            .hint("answer y or add --yes if what it asks for is meant")
            .into());
    }
    let options = AddProvider {
        replace: arguments.replace,
        allow_public: arguments.allow_public,
        allow_reveal: arguments.allow_reveal,
    };
    session.add_provider(&component, options).await?;
    Ok(())
}

fn unasked() -> Failure {
    Failure::new("57014", "an approval needs a terminal or --yes")
        .hint("read what `portolan provider inspect FILE` prints, then add --yes")
}

/// Of a file that is too large for a component so much is read that the refusal of it is the host's.
async fn read(path: &Path) -> Result<Vec<u8>> {
    let most = Limits::default().component_size as u64;
    input::bytes(path.to_owned(), most, "the component").await
}

fn print(inspection: &Inspection) -> Result<()> {
    let mut output = StandardOutput::new();
    writeln!(output, "{inspection}")?;
    Ok(())
}
