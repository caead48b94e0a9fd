//! The prompt: multi-line editing, history without literals, completion, and `\` commands.

mod completer;
mod help;
mod history;
mod validator;

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use reedline::{
    ColumnarMenu, Emacs, KeyCode, KeyModifiers, MenuBuilder, PromptEditMode, PromptHistorySearch,
    Reedline, ReedlineEvent, ReedlineMenu, Signal, default_emacs_keybindings,
};

use crate::args::Format;
use crate::interrupt::Interrupt;
use crate::report::{self, Failure};
use crate::sql::{self, Parameters, Printer};
use crate::store::Store;

/// The name of the completion menu.
const MENU: &str = "completion";

/// Reads and runs statements until end of input or `\q`.
pub(crate) async fn run(
    store: &Store,
    parameters: &Parameters,
    printer: &mut Printer,
    interrupt: &Interrupt,
) -> Result<()> {
    let session = Arc::new(store.session().await?);
    interrupt.take();
    report::line("Type \\? for help, \\q to leave.");
    let names = completer::Names::default();
    names.refresh(&session).await;
    let mut editor = editor(store, names.clone());
    let prompt = Prompt {
        user: store.user.clone(),
    };
    loop {
        // Reading blocks, so it gets a thread that may.
        let (line, returned) = {
            let prompt = prompt.clone();
            tokio::task::spawn_blocking(move || {
                let line = editor.read_line(&prompt);
                (line, editor)
            })
            .await?
        };
        editor = returned;
        match line? {
            Signal::Success(text) => {
                if let Some(command) = text.trim().strip_prefix('\\') {
                    if !meta(command, printer) {
                        return Ok(());
                    }
                    continue;
                }
                if let Err(error) =
                    statements(&text, &session, parameters, printer, interrupt).await
                {
                    report::print(&error);
                }
                names.refresh(&session).await;
            }
            Signal::CtrlC => {}
            _ => return Ok(()),
        }
    }
}

async fn statements(
    text: &str,
    session: &portolan::Session,
    parameters: &Parameters,
    printer: &mut Printer,
    interrupt: &Interrupt,
) -> Result<()> {
    for (done, statement) in sql::parse(text)?.into_iter().enumerate() {
        let outcome = tokio::select! {
            outcome = sql::execute(session, &statement, parameters, printer) => outcome,
            () = interrupt.pressed() => return Err(cancelled(done).into()),
        };
        match outcome {
            // At the question for a placeholder, before anything was begun.
            Err(error) if error.is::<report::Interrupted>() => return Err(cancelled(done).into()),
            outcome => outcome?,
        }
    }
    Ok(())
}

/// What is said of a statement that was given up, after so many others.
fn cancelled(done: usize) -> Failure {
    let failure = Failure::new("57014", "the statement was cancelled")
        .hint("SHOW AUDIT tells what became of it, in case it was being written at that moment");
    match done {
        0 => failure,
        1 => failure.detail("the statement before it was done"),
        done => failure.detail(format!("the {done} statements before it were done")),
    }
}

/// Runs a `\` command; false ends the prompt.
fn meta(command: &str, printer: &mut Printer) -> bool {
    let (word, rest) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    match word {
        "q" | "quit" | "exit" => return false,
        "?" | "help" => report::lines(HELP),
        "h" => report::lines(&help::text(rest.trim())),
        "f" | "format" => match Format::from_str(rest.trim(), true) {
            Ok(format) => printer.set_format(format),
            Err(_) => report::line("formats: table, csv, tsv, json, ndjson, records"),
        },
        _ => report::line(&format!("\\{word} is not a command; \\? lists them")),
    }
    true
}

const HELP: &str = "\
\\?              this help
\\h [STATEMENT]  the grammar of a statement, with an example
\\f FORMAT       print results as table, csv, tsv, json, ndjson or records
\\q              leave
A statement ends with `;` and may span lines. The Tab key completes keywords and names.
";

fn editor(store: &Store, names: completer::Names) -> Reedline {
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.to_owned()),
            ReedlineEvent::MenuNext,
        ]),
    );
    let mut editor = Reedline::create()
        .with_ansi_colors(report::colours())
        .with_completer(Box::new(completer::Completion::new(names)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(
            ColumnarMenu::default().with_name(MENU),
        )))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_validator(Box::new(validator::WholeStatement))
        .with_edit_mode(Box::new(Emacs::new(keys)));
    match history::open(&store.directory.join("history")) {
        Ok(history) => editor = editor.with_history(Box::new(history)),
        Err(error) => report::line(&format!("NOTICE: the history is not kept: {error:#}")),
    }
    editor
}

/// The terminal's width, where standard output is one.
pub(crate) fn terminal_width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| columns)
}

/// `user=> `, and `   -> ` on the lines that continue a statement.
#[derive(Debug, Clone)]
struct Prompt {
    user: String,
}

impl reedline::Prompt for Prompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.user)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("=> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("-> ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}
