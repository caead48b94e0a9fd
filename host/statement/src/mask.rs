//! Statements with everything hidden that may be a secret.
//!
//! A literal is not the only place where one may stand: people forget quotes, or put one in the
//! middle of a password, and then the rest of the password is words to the lexer. So the rules are
//! stricter for a statement that does not parse:
//!
//! * every literal, quoted identifier, number and comment is hidden, always;
//! * in what was parsed, an unquoted word in the place of a value (`AS word`, `TIME = word`) is
//!   hidden;
//! * behind the place where parsing stopped only keywords, symbols and placeholders are shown, and
//!   those only where white space or a symbol parts them from everything else;
//! * where a literal has no end, touches what nobody writes beside one, or may be an `e'…'` that
//!   lost its `e`, the quotes may be paired wrongly, so everything from the first literal of the
//!   text on is hidden.

use std::borrow::Cow;
use std::ops::Range;

use crate::keywords::Keyword;
use crate::lexer::{Bad, Lexer, Token, TokenKind};
use crate::parser::Parser;
use crate::printer::MASK;
use crate::recognize::recognize_tokens;
use crate::statement::one;

/// Gives the text of any SQL, ours or not, with every literal, quoted identifier, number and
/// comment replaced by `*****`, so that a server can log it before anything is parsed. It never
/// fails. Of a statement over external connections that does not parse, nothing is shown behind
/// the place where parsing stopped but keywords, symbols and placeholders.
#[must_use]
pub fn mask(sql: &str) -> String {
    masked(sql, sql.len(), None)
        .or_else(|endless| masked(sql, endless.start, Some(endless)))
        .map(|masked| masked.text)
        .unwrap_or_else(|_| MASK.to_owned())
}

/// Masks the text up to `end`, and hides the rest.
///
/// # Errors
/// Where the literals begin, when one of them has no end; that is known only there, so the text has
/// to be masked once more.
fn masked(sql: &str, end: usize, endless: Option<Endless>) -> Result<Masked, Endless> {
    let sound = sql.get(..end).unwrap_or_default();
    let mut masker = Masker::new(sql, false);
    let mut lexer = Lexer::new(sound, 0);
    let mut tokens = Vec::new();
    let mut distrust = false;
    let mut literals = Literals::default();
    loop {
        tokens.clear();
        loop {
            let token = lexer.next_with_comments();
            if let Some(endless) = literals.look(sql, &token) {
                return Err(endless);
            }
            if token.kind != TokenKind::End {
                tokens.push(token);
            }
            if matches!(token.kind, TokenKind::End | TokenKind::Symbol(';')) {
                break;
            }
        }
        let Some((first, last)) = tokens.first().zip(tokens.last()) else {
            return Ok(masker.finish(endless));
        };
        if distrust {
            masker.unparsed(&tokens, None);
        } else if is_about_connections(sound, &tokens) {
            // The parser sees this statement alone: an error looks at everything before it.
            let statement = sound.get(first.start..last.end).unwrap_or_default();
            match one(&mut Parser::terse(statement)) {
                Ok(_) => distrust = masker.parsed(&tokens, true),
                Err(error) => {
                    let span = error.span();
                    let span = first.start + span.start..first.start + span.end;
                    distrust = masker.failed(&tokens, span);
                }
            }
        } else {
            masker.parsed(&tokens, false);
        }
    }
}

/// Whether a statement is about external connections by its first words or by any others, or holds
/// an unquoted URI.
fn is_about_connections(sql: &str, tokens: &[Token]) -> bool {
    let ours =
        recognize_tokens(tokens.iter().map(|token| token.kind)).is_some_and(|it| it.only_ours);
    let named = tokens.windows(2).any(|pair| {
        matches!(
            pair,
            [
                Token {
                    kind: TokenKind::Keyword(Keyword::External),
                    ..
                },
                Token {
                    kind: TokenKind::Keyword(Keyword::Connection | Keyword::Connections),
                    ..
                }
            ]
        )
    });
    ours || named
        || tokens.iter().any(|token| {
            token.kind == TokenKind::Bad(Bad::Character)
                && sql
                    .get(token.start..)
                    .is_some_and(|rest| rest.starts_with("://"))
        })
}

/// A text with parts of it hidden, and where they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Masked {
    pub(crate) text: String,
    /// The hidden parts in order: where each stood, and where its mask stands.
    hidden: Vec<(Range<usize>, Range<usize>)>,
}

impl Masked {
    /// Masks a text in which the statement that starts at `start` failed to parse at `span`, up to
    /// the end of the line where that is; what follows is left out.
    pub(crate) fn of_failed(sql: &str, start: usize, span: Range<usize>) -> Self {
        let mut masker = Masker::new(sql, true);
        let endless = Endless::find(sql);
        let sound = endless
            .as_ref()
            .map_or(sql, |endless| sql.get(..endless.start).unwrap_or_default());
        let mut lexer = Lexer::new(sound, 0);
        let rest = sound.get(span.end..).unwrap_or_default();
        let line = span.end + rest.find('\n').unwrap_or(rest.len()).min(LINE);
        let tokens: Vec<_> = std::iter::from_fn(|| Some(lexer.next_with_comments()))
            .take_while(|token| token.kind != TokenKind::End && token.start <= line)
            .collect();
        if line < sound.len() {
            masker.end = tokens.last().map_or(0, |token| token.end);
        }
        let (before, failed) = tokens.split_at(tokens.partition_point(|token| token.start < start));
        if masker.parsed(before, true) {
            masker.unparsed(failed, None);
        } else {
            masker.failed(failed, span);
        }
        masker.finish(endless)
    }

    /// Where in the masked text a part of the original stands. What was hidden is covered whole.
    pub(crate) fn place(&self, span: Range<usize>) -> Range<usize> {
        let start = self.position(span.start, |mask| mask.start);
        let end = self.position(span.end, |mask| mask.end);
        start..end.max(start)
    }

    fn position(&self, at: usize, edge: fn(&Range<usize>) -> usize) -> usize {
        // The last hidden part that starts before the position.
        let before = self.hidden.partition_point(|(from, _)| from.start < at);
        let position = match before
            .checked_sub(1)
            .and_then(|index| self.hidden.get(index))
        {
            None => at,
            Some((from, to)) if at < from.end => edge(to),
            Some((from, to)) => to.end + (at - from.end),
        };
        position.min(self.text.len())
    }
}

/// Copies a text and hides parts of it, from the front to the back.
struct Masker<'a> {
    source: &'a str,
    /// How far the text is copied at most.
    end: usize,
    /// Whether somebody will ask where the hidden parts were.
    remembers: bool,
    copied: usize,
    masked: Masked,
}

impl<'a> Masker<'a> {
    fn new(source: &'a str, remembers: bool) -> Self {
        let masked = Masked {
            text: String::with_capacity(source.len()),
            hidden: Vec::new(),
        };
        Self {
            source,
            end: source.len(),
            remembers,
            copied: 0,
            masked,
        }
    }

    fn finish(mut self, endless: Option<Endless>) -> Masked {
        if let Some(endless) = endless.filter(|endless| endless.start <= self.end) {
            self.hide(endless.start..self.source.len(), &mask_of(endless.kind));
        }
        self.copy_to(self.end);
        self.masked
    }

    fn copy_to(&mut self, end: usize) {
        self.masked
            .text
            .push_str(self.source.get(self.copied..end).unwrap_or_default());
        self.copied = self.copied.max(end);
    }

    fn hide(&mut self, span: Range<usize>, with: &str) {
        if span.end <= self.copied {
            return;
        }
        self.copy_to(span.start);
        let start = self.masked.text.len();
        self.masked.text.push_str(with);
        self.copied = span.end;
        if self.remembers {
            let mask = start..self.masked.text.len();
            self.masked.hidden.push((span, mask));
        }
    }

    fn hide_token(&mut self, token: &Token) {
        self.hide(token.span(), &mask_of(token.kind));
    }

    /// Masks a statement that parsed, or that is not ours. Says whether a value was an unquoted
    /// word: then a `;` behind it may be part of a secret that nobody quoted.
    fn parsed(&mut self, tokens: &[Token], ours: bool) -> bool {
        // What CHECK takes may be a URI.
        let check = tokens
            .iter()
            .find(|token| token.kind != TokenKind::Comment)
            .is_some_and(|token| token.kind == TokenKind::Keyword(Keyword::Check));
        let mut unquoted = false;
        let mut before: Option<&Token> = None;
        let mut value = false;
        for token in tokens {
            let glued = before.is_some_and(|before| {
                before.end == token.start && before.kind != TokenKind::Comment && is_literal(before)
            });
            let word = matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_));
            let unquoted_value =
                value && token.kind == TokenKind::Word && !(ours && self.is_mode(token));
            unquoted |= unquoted_value;
            if is_literal(token) || unquoted_value || (word && glued) {
                self.hide_token(token);
            }
            if token.kind != TokenKind::Comment {
                value = token.kind == TokenKind::Keyword(Keyword::As)
                    || (ours && token.kind == TokenKind::Symbol('='))
                    || (check && token.kind == TokenKind::Keyword(Keyword::Connection));
            }
            before = Some(token);
        }
        unquoted
    }

    /// Whether a word is the one mode of VALIDATE that is no keyword.
    fn is_mode(&self, word: &Token) -> bool {
        let text = self.source.get(word.span()).unwrap_or_default();
        text.eq_ignore_ascii_case("read")
    }

    /// Masks a statement that did not parse because of what stands at `span`. Says whether
    /// something was hidden that is no proper literal: then a `;` may be part of a secret, too.
    fn failed(&mut self, tokens: &[Token], span: Range<usize>) -> bool {
        let at = tokens.partition_point(|token| token.start < span.start);
        let (before, after) = tokens.split_at(at);
        let unquoted = self.parsed(before, true);
        let Some((offender, rest)) = after.split_first() else {
            return false;
        };
        // Behind a literal, a word may be what is left of it after a stray quote; behind `AS` or `=`,
        // what somebody forgot to quote.
        let suspicious = unquoted
            || before
                .iter()
                .any(|token| token.is_string() || announces_value(token))
            || before
                .last()
                .is_some_and(|token| token.end == offender.start);
        let shown = match offender.kind {
            TokenKind::Word => {
                let word = self.source.get(offender.span()).unwrap_or_default();
                let followed = rest.first().is_some_and(|next| {
                    next.start == offender.end && !matches!(next.kind, TokenKind::Symbol(_))
                });
                !followed && (!suspicious || resembles_keyword(word))
            }
            TokenKind::Bad(Bad::Character) => {
                let printable = |c: char| c.is_ascii_graphic() || c.is_alphanumeric();
                let shown = self
                    .source
                    .get(offender.span())
                    .is_some_and(|c| c.chars().all(printable));
                shown && !suspicious
            }
            _ => false,
        };
        if shown {
            self.copy_to(offender.end);
            self.unparsed(rest, Some(offender)) || matches!(offender.kind, TokenKind::Bad(_))
        } else {
            self.unparsed(after, None)
        }
    }

    /// Masks what nobody parsed: only runs of keywords, symbols, placeholders and whole literals
    /// keep their shape. Says whether a run did not.
    fn unparsed(&mut self, tokens: &[Token], before: Option<&Token>) -> bool {
        let mut irregular = false;
        let mut rest = tokens;
        let mut end = before
            .filter(|token| !matches!(token.kind, TokenKind::Symbol(_)))
            .map(|token| token.end);
        while let Some(first) = rest.first() {
            let length = 1 + rest.windows(2).take_while(|pair| touch(pair)).count();
            let (run, tail) = rest.split_at(length);
            let touches_before = end == Some(first.start);
            let regular = !touches_before
                && run.iter().all(is_regular)
                && !run.windows(2).any(|pair| !has_symbol(pair));
            if regular {
                run.iter()
                    .filter(|token| is_literal(token))
                    .for_each(|token| self.hide_token(token));
            } else {
                irregular = true;
                let last = run.last().unwrap_or(first);
                self.hide(first.start..last.end, MASK);
            }
            end = None;
            rest = tail;
        }
        irregular
    }
}

/// How much of a long line is masked behind the place of an error, in bytes: far more than is shown.
const LINE: usize = 4096;

/// Where the literals of a text begin whose quotes may be paired wrongly.
struct Endless {
    start: usize,
    kind: TokenKind,
}

impl Endless {
    /// The first literal, if the quotes may be paired wrongly.
    fn find(sql: &str) -> Option<Self> {
        let mut lexer = Lexer::new(sql, 0);
        let mut literals = Literals::default();
        loop {
            let token = lexer.next_with_comments();
            if token.kind == TokenKind::End {
                return None;
            }
            if let Some(endless) = literals.look(sql, &token) {
                return Some(endless);
            }
        }
    }
}

/// Looks at one token after the other for where the literals begin, and whether their quotes may be
/// paired wrongly.
#[derive(Default)]
struct Literals {
    first: Option<(usize, TokenKind)>,
    /// What stands before: a word that touches the first literal may be a part of it.
    last: Option<Token>,
}

impl Literals {
    fn look(&mut self, source: &str, token: &Token) -> Option<Endless> {
        let touching = self.last.filter(|last| last.end == token.start);
        let before = touching.filter(is_word);
        if self.first.is_none() && is_literal(token) {
            self.first = Some((before.map_or(token.start, |word| word.start), token.kind));
        }
        self.last = Some(*token);
        let endless = matches!(token.kind, TokenKind::Bad(bad) if bad.is_unterminated())
            || touching.is_some_and(|before| {
                lost_its_escapes(source, &before, token) || is_ill_paired(&before, token)
            });
        self.first
            .filter(|_| endless)
            .map(|(start, kind)| Endless { start, kind })
    }
}

/// Whether two tokens touch that nobody writes so: then a quote is missing or too many, and what is
/// taken for words stands in a literal. A type may touch its literal (`date'2026-11-25'`), and an
/// operator everything.
fn is_ill_paired(before: &Token, token: &Token) -> bool {
    let is_quoted = |token: &Token| token.is_string() || token.kind == TokenKind::QuotedWord;
    let is_number =
        |token: &Token| matches!(token.kind, TokenKind::Number | TokenKind::Placeholder(_));
    match (is_quoted(before), is_quoted(token)) {
        (true, true) => true,
        (true, false) => is_word(token) || is_number(token),
        (false, true) => is_number(before),
        (false, false) => false,
    }
}

/// Whether a literal may be an `e'…'` whose `e` ran into the word before it: then its backslashes
/// escaped quotes, and where it ends is not where it was meant to.
fn lost_its_escapes(source: &str, word: &Token, literal: &Token) -> bool {
    let text = |token: &Token| source.get(token.span()).unwrap_or_default();
    literal.kind == TokenKind::PlainString
        && is_word(word)
        && text(word).ends_with(['e', 'E'])
        && text(literal).contains("\\'")
}

/// What is shown instead of a token.
fn mask_of(kind: TokenKind) -> Cow<'static, str> {
    match kind {
        TokenKind::QuotedWord | TokenKind::Bad(Bad::UnterminatedWord) => "\"*****\"".into(),
        TokenKind::PlainString
        | TokenKind::EscapeString
        | TokenKind::DollarString
        | TokenKind::ByteString
        | TokenKind::Bad(Bad::UnterminatedString) => "'*****'".into(),
        TokenKind::Comment | TokenKind::Bad(Bad::UnterminatedComment) => "/*****/".into(),
        _ => MASK.into(),
    }
}

/// Whether a token is hidden wherever it stands.
fn is_literal(token: &Token) -> bool {
    match token.kind {
        TokenKind::Word
        | TokenKind::Keyword(_)
        | TokenKind::Placeholder(_)
        | TokenKind::Symbol(_)
        | TokenKind::End
        | TokenKind::Bad(Bad::Character) => false,
        TokenKind::QuotedWord
        | TokenKind::PlainString
        | TokenKind::EscapeString
        | TokenKind::DollarString
        | TokenKind::ByteString
        | TokenKind::Number
        | TokenKind::Comment
        | TokenKind::Bad(_) => true,
    }
}

/// Whether a token is a word without quotes.
fn is_word(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_))
}

/// Whether a token keeps its shape where nothing was parsed.
fn is_regular(token: &Token) -> bool {
    !matches!(token.kind, TokenKind::Word | TokenKind::Bad(_))
}

/// Whether the value of something is announced by a token.
fn announces_value(token: &Token) -> bool {
    matches!(
        token.kind,
        TokenKind::Symbol('=') | TokenKind::Keyword(Keyword::As | Keyword::Is | Keyword::Since)
    )
}

/// Whether no white space stands between two tokens.
fn touch(pair: &[Token]) -> bool {
    matches!(pair, [one, other] if one.end == other.start)
}

/// Whether one of two tokens is a symbol, which parts what stands beside it.
fn has_symbol(pair: &[Token]) -> bool {
    pair.iter()
        .any(|token| matches!(token.kind, TokenKind::Symbol(_)))
}

/// Whether a word is almost a keyword, and so a slip of the hand rather than a secret.
fn resembles_keyword(word: &str) -> bool {
    word.len() >= 3
        && word.len() <= 16
        && Keyword::all().any(|keyword| {
            keyword.as_str().len() >= 3 && is_near(&word.to_ascii_uppercase(), keyword.as_str())
        })
}

/// Whether one word may have been meant as the other, both in upper case.
pub(crate) fn is_near(word: &str, meant: &str) -> bool {
    let most = match meant.len() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    word.len().abs_diff(meant.len()) <= most && strsim::damerau_levenshtein(word, meant) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_literal_of_any_sql_is_hidden() {
        for (sql, masked) in [
            (
                "SELECT a FROM t WHERE b = 'x' AND c > 5 -- why",
                "SELECT a FROM t WHERE b = '*****' AND c > ***** /*****/",
            ),
            (
                "INSERT INTO t VALUES ('a', $$b$$, e'\\'', x'00')",
                "INSERT INTO t VALUES ('*****', '*****', '*****', '*****')",
            ),
            (
                "SELECT \"a\"; SELECT 'b'",
                "SELECT \"*****\"; SELECT '*****'",
            ),
            (
                "CREATE EXTERNAL CONNECTION a AS 's3://b?k=v' WITH COMMENT = 'c';",
                "CREATE EXTERNAL CONNECTION a AS '*****' WITH COMMENT = '*****';",
            ),
            (
                "CREATE EXTERNAL CONNECTION a AS b",
                "CREATE EXTERNAL CONNECTION a AS *****",
            ),
            ("", ""),
            (" ;", " ;"),
        ] {
            assert_eq!(mask(sql), masked);
        }
    }

    #[test]
    fn what_has_no_end_hides_from_the_first_literal_on() {
        assert_eq!(mask("SELECT 'hun' ter2'"), "SELECT '*****'");
        assert_eq!(mask("SELECT 'a'; SELECT b; SELECT 'c"), "SELECT '*****'");
        assert_eq!(
            mask("SELECT a; SELECT /* hunter2"),
            "SELECT a; SELECT /*****/"
        );
    }

    #[test]
    fn quotes_that_may_be_paired_wrongly_hide_from_the_first_literal_on() {
        assert_eq!(
            mask(r"CREATE EXTERNAL CONNECTIONe'a\'' AS 'hunter2 hunter2; hunter2\''"),
            "CREATE EXTERNAL '*****'"
        );
        // A quote too many turns the inside of every literal out.
        assert_eq!(
            mask(r"SHOW e'CREATE '0' AS 'hunter2 hunter2; hunter2' A = e'\'x\'')"),
            "SHOW '*****'"
        );
        // Other SQL, where a backslash is a letter and a type may touch its literal.
        assert_eq!(
            mask(r"SELECT date'2026-11-25' WHERE a LIKE 'b' ESCAPE '\' AND c"),
            "SELECT date'*****' WHERE a LIKE '*****' ESCAPE '*****' AND c"
        );
    }

    #[test]
    fn a_forgotten_quote_shows_no_secret() {
        for sql in [
            "CREATE EXTERNAL CONNECTION a AS s3://b?SECRET=hunter2/set+hunter2=&X=hunter2",
            "CREATE EXTERNAL CONNECTION a AS 's3://b?SECRET=it's hunter2'",
            "CREATE EXTERNAL CONNECTION a AS 'x' 'hunter2' hunter2",
            "CREATE EXTERNAL CONNECTION a AS 'x'hunter2'y'",
            "CREATE EXTERNAL CONNECTION a AS 'x' hunter2 'y'",
            "ALTER EXTERNAL CONNECTION a SET (K = hunter2)",
            "ALTER EXTERNAL CONNECTION a SET (K = x;hunter2)",
            "CREATE EXTERNAL CONNECTION a AS x;hunter2",
            "SELECT s3://b?k=hunter2;hunter2",
            "CREATE EXTERNAL CONNECTION s3://b?k=hunter2",
            "CREATE EXTERNAL CONNECTION a AS hunter2",
            "CREATE EXTERNAL CONNECTION a AS \"hunter2\" x",
            "CREATE EXTERNAL CONNECTION a AS 'x' WITH COMMENT = hunter2",
            "CHECK EXTERNAL CONNECTION hunter2'",
            "CHECK EXTERNAL CONNECTION x WITH TIME = hunter2 hunter2; hunter2'",
            "CHECK EXTERNAL CONNECTION x WITH TIME = hunter2",
            "CHECK EXTERNAL CONNECTION x hunter2; y",
            "CHECK EXTERNAL CONNECTION hunter2 x; y",
            "SHOW AUDIT SINCE (hunter2",
        ] {
            let masked = mask(sql);
            assert!(!masked.contains("hunter2"), "{sql} became {masked}");
        }
    }
}
