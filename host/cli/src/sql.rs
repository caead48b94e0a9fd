//! `portolan sql`: statements from arguments, a file, a pipe or the prompt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Result;
use futures::StreamExt;
use portolan::{Body, Cell, Outcome, Session};
use portolan_secret::SecretText;
use portolan_statement::{ParseError, Statement, parse_script};

use crate::args::{Format, FormatArguments, SqlArguments};
use crate::format;
use crate::input::{self, MOST_OF_A_SCRIPT};
use crate::interrupt::Interrupt;
use crate::prompt;
use crate::report::{self, Failure};
use crate::secret_source;
use crate::standard_output::StandardOutput;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: SqlArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let parameters = Parameters::read(&arguments.parameters).await?;
    let mut printer = Printer::new(&arguments.format);
    let terminal = std::io::stdin().is_terminal();
    if arguments.execute.is_empty() && arguments.file.is_none() && terminal {
        return prompt::run(store, &parameters, &mut printer, interrupt).await;
    }
    // Everything is parsed before anything runs: a mistake in the last statement changes nothing.
    let mut scripts = Vec::new();
    for text in &arguments.execute {
        scripts.push(parse(text)?);
    }
    match &arguments.file {
        Some(path) => scripts.push(parse(&read_script(path).await?)?),
        None if arguments.execute.is_empty() => {
            scripts.push(parse(&read_script(Path::new("-")).await?)?);
        }
        None => {}
    }
    parameters.are_of(scripts.iter().flatten())?;
    let session = store.session().await?;
    for statement in scripts.iter().flatten() {
        execute(&session, statement, &parameters, &mut printer).await?;
    }
    Ok(())
}

/// Parses a script; the error shows the place with every literal masked.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>> {
    parse_script(text).map_err(|error| syntax_error(text, &error).into())
}

/// A string constant of the statements' language, whatever the text holds.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn syntax_error(text: &str, error: &ParseError) -> Failure {
    Failure {
        message: error.message().to_owned(),
        sqlstate: error.sqlstate(),
        detail: Some(format!("\n{}", error.excerpt(text, report::colours()))),
        hint: error.hint().map(str::to_owned),
    }
}

async fn read_script(path: &Path) -> Result<String> {
    match path == Path::new("-") {
        true => input::standard_input(MOST_OF_A_SCRIPT).await,
        false => input::file(path, MOST_OF_A_SCRIPT, "").await,
    }
}

/// Runs one statement and prints what it gives.
pub(crate) async fn execute(
    session: &Session,
    statement: &Statement,
    parameters: &Parameters,
    printer: &mut Printer,
) -> Result<()> {
    let values = parameters.for_statement(statement).await?;
    let outcome = session.execute_statement(statement, &values).await?;
    print(outcome, printer, |_| {}).await
}

/// Prints what a statement gave, and shows each row to `watch` as well.
pub(crate) async fn print(
    outcome: Outcome,
    printer: &mut Printer,
    mut watch: impl FnMut(&[Cell]),
) -> Result<()> {
    for notice in &outcome.notices {
        report::notice(notice);
    }
    match outcome.body {
        Body::Tag(tag) => printer.tag(&tag),
        Body::Rows(mut rows) => {
            let columns: Vec<String> = rows
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect();
            let mut sheet = printer.sheet()?;
            sheet.begin(&columns)?;
            while let Some(row) = rows.next().await {
                let row: Vec<Cell> = row?;
                watch(&row);
                sheet.row(&row)?;
            }
            Ok(sheet.end()?)
        }
    }
}

/// Where results go, and what has been printed before.
#[derive(Debug)]
pub(crate) struct Printer {
    format: Format,
    terminal: bool,
    sheets: u64,
    output: std::io::BufWriter<StandardOutput>,
}

impl Printer {
    /// The format asked for; else a table on a terminal and tsv elsewhere.
    pub(crate) fn new(arguments: &FormatArguments) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let usual = if terminal { Format::Table } else { Format::Tsv };
        Self {
            format: arguments.format.unwrap_or(usual),
            terminal,
            sheets: 0,
            output: std::io::BufWriter::new(StandardOutput::new()),
        }
    }

    /// Changes the format from here on.
    pub(crate) fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// A writer for the next result set.
    pub(crate) fn sheet(&mut self) -> Result<Box<dyn format::ResultWriter + '_>> {
        if self.sheets > 0 && format::separates(self.format) {
            self.output.write_all(b"\n")?;
        }
        self.sheets += 1;
        let width = self.terminal.then(prompt::terminal_width).flatten();
        Ok(format::writer(self.format, &mut self.output, width))
    }

    /// A statement's tag: on standard output for people, nowhere in formats for programs.
    pub(crate) fn tag(&mut self, tag: &str) -> Result<()> {
        if matches!(self.format, Format::Table | Format::Records) {
            writeln!(self.output, "{tag}")?;
            self.output.flush()?;
        }
        Ok(())
    }
}

/// The values of placeholders, by number.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<u32, SecretText>,
}

impl Parameters {
    /// Reads each `N=SOURCE`: a file, standard input or an environment variable; never a literal,
    /// which would stand in the process list and the shell's history.
    pub(crate) async fn read(arguments: &[String]) -> Result<Self> {
        let mut values = BTreeMap::new();
        for argument in arguments {
            let (number, source) = argument.split_once('=').ok_or_else(|| {
                Failure::new("22023", "--param needs N=SOURCE").hint(PARAMETER_HINT)
            })?;
            let number: u32 = number
                .trim_start_matches('$')
                .parse()
                .ok()
                .filter(|number| (1..=u32::from(u16::MAX)).contains(number))
                .ok_or_else(|| {
                    Failure::new(
                        "22023",
                        "--param needs the number of a placeholder before `=`",
                    )
                    .hint(PARAMETER_HINT)
                })?;
            let value = secret_source::read(source, "a parameter", PARAMETER_HINT).await?;
            if values.insert(number, value).is_some() {
                let message = format!("--param gives ${number} twice");
                return Err(Failure::new("22023", message)
                    .hint("give each placeholder one value: --param 1=… --param 2=…")
                    .into());
            }
        }
        Ok(Self { values })
    }

    /// Refuses a value that no statement has a placeholder for: its number is a mistake.
    fn are_of<'a>(&self, statements: impl Iterator<Item = &'a Statement>) -> Result<()> {
        let wanted: BTreeSet<u32> = statements.flat_map(Statement::placeholders).collect();
        match self.values.keys().find(|number| !wanted.contains(number)) {
            None => Ok(()),
            Some(number) => {
                let message = format!("--param gives ${number}, and no statement has it");
                Err(Failure::new("22023", message)
                    .hint("number the placeholders of a statement $1, $2 and so on")
                    .into())
            }
        }
    }

    /// The values of a statement's placeholders, `$1` first. One that is not bound is asked for
    /// without echo where there is a terminal.
    async fn for_statement(&self, statement: &Statement) -> Result<Vec<SecretText>> {
        let numbers = statement.placeholders();
        let highest = numbers.last().copied().unwrap_or(0);
        let mut values = Vec::new();
        for number in 1..=highest {
            values.push(match self.values.get(&number) {
                Some(value) => value.clone(),
                None if !numbers.contains(&number) => SecretText::default(),
                None => ask(number).await?,
            });
        }
        Ok(values)
    }
}

const PARAMETER_HINT: &str = "write --param 1=@FILE, --param 1=- or --param 1=env:NAME";

async fn ask(number: u32) -> Result<SecretText> {
    secret_source::ask(
        format!("${number} (not shown): "),
        &format!("no value for the placeholder ${number}"),
        PARAMETER_HINT,
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_literal_parameter_is_refused_and_not_repeated() {
        let read = Parameters::read(&["1=swordfish".to_owned()]).await;
        let error = read.expect_err("literal");
        assert!(!error.to_string().contains("swordfish"));
    }

    #[tokio::test]
    async fn a_parameter_file_loses_only_its_last_newline() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "a\nb\n\n").expect("write");
        let source = format!("@{}", file.path().display());
        let value = secret_source::read(&source, "a parameter", "").await;
        let value = value.expect("value");
        assert_eq!(value.expose(), "a\nb\n");
    }
}
