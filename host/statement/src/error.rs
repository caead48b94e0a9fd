//! What is wrong with a text that is no statement, told without a literal of it.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::ast::StatementKind;
use crate::lexer::{Token, TokenKind};
use crate::mask::{Masked, is_near};
use crate::parser::Expected;

/// Why a text is not a statement. Neither it nor what it renders shows a literal of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct ParseError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    span: Range<usize>,
    /// What is written under the place in the rendered text.
    label: String,
    /// Where the statement starts, in bytes.
    statement: usize,
}

impl ParseError {
    /// What is wrong: ``at or near "foo": syntax error``.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What could have stood there.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in the text it is, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// Always `42601`, a syntax error.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        "42601"
    }

    /// Draws the line of `sql` in which it went wrong, every literal masked, and marks the place.
    /// `sql` is the text that was parsed; `color` adds escape sequences for a terminal.
    #[must_use]
    pub fn render(&self, sql: &str, color: bool) -> String {
        let line = Line::of(sql, self.0.statement, self.0.span.clone());
        let mut report = Level::ERROR
            .primary_title(self.message())
            .element(self.snippet(&line));
        if let Some(hint) = self.hint() {
            report = report.element(Level::HELP.message(hint));
        }
        draw(report, color)
    }

    /// As [`render`](Self::render), without the message above the line and the hint below it, for
    /// those who print these themselves.
    #[must_use]
    pub fn excerpt(&self, sql: &str, color: bool) -> String {
        let line = Line::of(sql, self.0.statement, self.0.span.clone());
        draw(
            Group::with_level(Level::ERROR).element(self.snippet(&line)),
            color,
        )
    }

    fn snippet<'a>(&'a self, line: &'a Line) -> Snippet<'a, Annotation<'a>> {
        Snippet::source(line.text.as_str())
            .line_start(line.number)
            .annotation(
                AnnotationKind::Primary
                    .span(line.place.clone())
                    .label(self.0.label.as_str()),
            )
    }

    /// A place, for whoever asks for nothing else.
    pub(crate) fn terse(token: &Token) -> Self {
        Self(Box::new(Inner {
            message: String::new(),
            detail: None,
            hint: None,
            span: token.span(),
            label: String::new(),
            statement: 0,
        }))
    }

    /// Nothing of what was expected stands here.
    pub(crate) fn syntax(
        source: &str,
        statement: usize,
        token: &Token,
        expected: &[Expected],
        kind: Option<StatementKind>,
    ) -> Self {
        let expected = Expectation::new(expected);
        let label = format!("expected {expected}");
        let word = source.get(token.span()).unwrap_or_default();
        let meant = match token.kind {
            TokenKind::Word | TokenKind::Keyword(_) => expected.meant(word),
            _ => None,
        };
        let quotes = match token.kind {
            TokenKind::Keyword(keyword) if expected.takes_word => Some(format!(
                "{keyword} is a keyword; as a name it needs quotes: \"{name}\"",
                keyword = keyword.as_str(),
                name = keyword.as_str().to_lowercase(),
            )),
            _ => None,
        };
        let hint = match (meant, quotes) {
            (Some(meant), _) => format!("did you mean {meant}? Otherwise {}", help(kind)),
            (None, Some(quotes)) => quotes,
            (None, None) => help(kind),
        };
        Self::new(source, statement, token, "syntax error", label, Some(hint))
    }

    /// What stands here fits, but may not stand here.
    pub(crate) fn refused(
        source: &str,
        statement: usize,
        token: &Token,
        reason: &str,
        kind: Option<StatementKind>,
    ) -> Self {
        let message = format!("syntax error: {reason}");
        Self::new(
            source,
            statement,
            token,
            &message,
            reason.to_owned(),
            Some(help(kind)),
        )
    }

    /// What stands here is no token.
    pub(crate) fn lexical(
        source: &str,
        statement: usize,
        token: &Token,
        reason: &str,
        at: usize,
        kind: Option<StatementKind>,
    ) -> Self {
        let message = format!("lexical error: {reason}");
        let mut error = Self::new(
            source,
            statement,
            token,
            &message,
            reason.to_owned(),
            Some(help(kind)),
        );
        error.0.message = message;
        error.0.detail = Some(format!("it starts at byte {} of the text", token.start));
        if at > token.start {
            let offset = at - token.start;
            error.0.detail = Some(format!("the escape is {offset} bytes into the literal"));
        }
        error
    }

    fn new(
        source: &str,
        statement: usize,
        token: &Token,
        what: &str,
        label: String,
        hint: Option<String>,
    ) -> Self {
        let shown = match token.kind {
            TokenKind::End => "EOF".to_owned(),
            TokenKind::Symbol(symbol) => symbol.to_string(),
            TokenKind::Keyword(keyword) => keyword.as_str().to_lowercase(),
            TokenKind::Placeholder(number) => format!("${number}"),
            _ => {
                let masked = Masked::of_failed(source, statement, token.span());
                let place = masked.place(token.span());
                shorten(masked.text.get(place).unwrap_or_default())
            }
        };
        Self(Box::new(Inner {
            message: format!("at or near \"{shown}\": {what}"),
            detail: Some(label.clone()),
            hint,
            span: token.span(),
            label,
            statement,
        }))
    }
}

fn help(kind: Option<StatementKind>) -> String {
    match kind {
        Some(kind) => format!("try \\h {}", kind.tag()),
        None => "try \\h".to_owned(),
    }
}

/// The longest token that a message repeats, in characters.
const LONGEST_TOKEN: usize = 40;

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TOKEN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What could have stood somewhere.
struct Expectation {
    words: Vec<String>,
    keywords: Vec<&'static str>,
    takes_word: bool,
}

impl Expectation {
    fn new(expected: &[Expected]) -> Self {
        let mut it = Self {
            words: Vec::new(),
            keywords: Vec::new(),
            takes_word: false,
        };
        for expected in expected {
            let word = match expected {
                Expected::Keyword(keyword) => {
                    it.keywords.push(keyword.as_str());
                    keyword.as_str().to_owned()
                }
                Expected::Symbol(symbol) => format!("\"{symbol}\""),
                Expected::Thing(thing) => {
                    it.takes_word |= thing.takes_word();
                    thing.as_str().to_owned()
                }
            };
            if !it.words.contains(&word) {
                it.words.push(word);
            }
        }
        it
    }

    /// The keyword that a word is almost.
    fn meant(&self, word: &str) -> Option<&'static str> {
        let word: String = word
            .chars()
            .take(LONGEST_TOKEN)
            .collect::<String>()
            .to_ascii_uppercase();
        self.keywords
            .iter()
            .filter(|keyword| is_near(&word, keyword))
            .min_by_key(|keyword| strsim::damerau_levenshtein(&word, keyword))
            .copied()
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.words.as_slice() {
            [] => f.write_str("something else"),
            [only] => f.write_str(only),
            [first @ .., last] => write!(f, "{} or {last}", first.join(", ")),
        }
    }
}

/// How much of a long line is shown on either side of the place, in characters.
const CONTEXT: usize = 70;

/// One masked line, and the place in it.
struct Line {
    text: String,
    place: Range<usize>,
    number: usize,
}

impl Line {
    fn of(sql: &str, statement: usize, span: Range<usize>) -> Self {
        let masked = Masked::of_failed(sql, statement, span.clone());
        let number = 1 + sql
            .bytes()
            .take(span.start)
            .filter(|byte| *byte == b'\n')
            .count();
        let place = masked.place(span);
        let (before, rest) = masked
            .text
            .split_at_checked(place.start)
            .unwrap_or_default();
        let (marked, after) = rest.split_at_checked(place.len()).unwrap_or((rest, ""));
        let before = before.rsplit('\n').next().unwrap_or_default();
        let marked = marked.split('\n').next().unwrap_or_default();
        let after = after.split('\n').next().unwrap_or_default();
        let cut = before
            .char_indices()
            .rev()
            .nth(CONTEXT)
            .map_or(0, |(at, _)| at);
        let before = before.get(cut..).unwrap_or_default();
        let mut text = String::new();
        if cut > 0 {
            text.push('…');
        }
        text.push_str(before);
        let start = text.len();
        text.push_str(&shorten(marked));
        let end = text.len();
        match after.char_indices().nth(CONTEXT) {
            Some((cut, _)) => {
                text.push_str(after.get(..cut).unwrap_or_default());
                text.push('…');
            }
            None => text.push_str(after),
        }
        // White space other than a blank moves the cursor of a terminal.
        let text = text.replace(|c: char| c.is_ascii_control(), " ");
        Self {
            text,
            place: start..end,
            number,
        }
    }
}

fn draw(report: Group<'_>, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.decor_style(DecorStyle::Ascii).render(&[report])
}
