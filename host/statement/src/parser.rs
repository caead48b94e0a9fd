//! The hands of the parser: look at a token, take it, or say what was expected instead.
//!
//! The statements themselves are read in the files of their families. The grammar has no nesting
//! (comments, which nest, are counted by the lexer), so nothing here calls itself: no input can
//! exhaust the stack.

use std::collections::HashSet;

use portolan_secret::SecretText;

use crate::ast::{Number, StatementKind, Text};
use crate::error::ParseError;
use crate::keywords::Keyword;
use crate::lexer::{Bad, Lexer, Token, TokenKind};
use crate::literal;

/// Why a repeated option is refused.
pub(crate) const GIVEN_TWICE: &str = "the option is given twice";

/// What the parser returns.
pub(crate) type Parsed<T> = Result<T, ParseError>;

/// Something that could stand where the parser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A keyword.
    Keyword(Keyword),
    /// A symbol.
    Symbol(char),
    /// Something with a name of its own.
    Thing(Thing),
}

/// What a statement takes that is neither keyword nor symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    ConnectionName,
    ConnectionIdentifier,
    Uri,
    StringOrPlaceholder,
    NumberOrPlaceholder,
    Mode,
    OptionName,
    RoleName,
    Privilege,
    EndOfStatement,
}

impl Thing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionName => "the name of a connection",
            Self::ConnectionIdentifier => "the name of a connection as an identifier",
            Self::Uri => "a URI",
            Self::StringOrPlaceholder => "a string or a placeholder",
            Self::NumberOrPlaceholder => "a number or a placeholder",
            Self::Mode => "'none', 'read' or 'full'",
            Self::OptionName => "the name of an option",
            Self::RoleName => "the name of a user or role",
            Self::Privilege => "a privilege",
            Self::EndOfStatement => "the end of the statement",
        }
    }

    /// Whether a word in quotes would do.
    pub(crate) fn takes_word(self) -> bool {
        matches!(
            self,
            Self::ConnectionName | Self::ConnectionIdentifier | Self::RoleName
        )
    }
}

/// A place in the text, and what could have stood there.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    source: &'a str,
    lexer: Lexer<'a>,
    current: Token,
    statement_start: usize,
    statement: Option<StatementKind>,
    expected: Vec<Expected>,
    terse: bool,
}

impl<'a> Parser<'a> {
    /// A parser whose errors tell their places and nothing else.
    pub(crate) fn terse(source: &'a str) -> Self {
        Self {
            terse: true,
            ..Self::new(source, 0)
        }
    }

    /// Starts at byte `position`, which must be a boundary between tokens.
    pub(crate) fn new(source: &'a str, position: usize) -> Self {
        let mut lexer = Lexer::new(source, position);
        let current = lexer.next();
        Self {
            source,
            lexer,
            current,
            statement_start: current.start,
            statement: None,
            expected: Vec::new(),
            terse: false,
        }
    }

    /// Notes that a new statement starts here.
    pub(crate) fn start_statement(&mut self) {
        self.statement_start = self.current.start;
        self.statement = None;
        self.expected.clear();
    }

    /// Notes which statement it turned out to be, for the hint of a later error.
    pub(crate) fn this_is(&mut self, statement: StatementKind) {
        self.statement = Some(statement);
    }

    /// The token at the place where the parser is.
    pub(crate) fn current(&self) -> Token {
        self.current
    }

    /// Whether the input is at its end.
    pub(crate) fn at_end(&self) -> bool {
        self.current.kind == TokenKind::End
    }

    fn advance(&mut self) -> Token {
        self.expected.clear();
        std::mem::replace(&mut self.current, self.lexer.next())
    }

    /// Takes the keyword if it is next.
    pub(crate) fn eat(&mut self, keyword: Keyword) -> bool {
        let found = self.current.kind == TokenKind::Keyword(keyword);
        if found {
            self.advance();
        } else {
            self.expected.push(Expected::Keyword(keyword));
        }
        found
    }

    /// Takes both keywords if they are next: `IF` alone may be a name, `IF EXISTS` is not.
    pub(crate) fn eat_pair(&mut self, first: Keyword, second: Keyword) -> bool {
        if self.current.kind != TokenKind::Keyword(first) {
            self.expected.push(Expected::Keyword(first));
            return false;
        }
        let found = self.second() == TokenKind::Keyword(second);
        if found {
            self.advance();
            self.advance();
        }
        found
    }

    /// The kind of the token after the current one.
    pub(crate) fn second(&self) -> TokenKind {
        self.lexer.clone().next().kind
    }

    /// Takes the keyword.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn expect(&mut self, keyword: Keyword) -> Parsed<()> {
        if self.eat(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Takes the keywords one after the other.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn expect_all(&mut self, keywords: &[Keyword]) -> Parsed<()> {
        keywords
            .iter()
            .try_for_each(|keyword| self.expect(*keyword))
    }

    /// Takes the symbol if it is next.
    pub(crate) fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.current.kind == TokenKind::Symbol(symbol);
        if found {
            self.advance();
        } else {
            self.expected.push(Expected::Symbol(symbol));
        }
        found
    }

    /// Takes the symbol.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn expect_symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.eat_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Reads items with commas between them, at least one.
    ///
    /// # Errors
    /// Those of the items.
    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_symbol(',') {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Takes a string, a word that is not reserved, or a placeholder.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn text(&mut self, thing: Thing) -> Parsed<Text> {
        let is_word = match self.current.kind {
            TokenKind::Word | TokenKind::QuotedWord => true,
            TokenKind::Keyword(keyword) => keyword.is_text(),
            _ => false,
        };
        if is_word {
            let token = self.advance();
            return Ok(Text::Literal(SecretText::new(literal::read_word(
                self.source,
                &token,
            ))));
        }
        self.value(thing)
    }

    /// Takes a string or a placeholder. A word is refused, because folding it would change a
    /// secret without a word.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn value(&mut self, thing: Thing) -> Parsed<Text> {
        if let TokenKind::Placeholder(number) = self.current.kind {
            self.advance();
            return Ok(Text::Placeholder(number));
        }
        if !self.current.is_string() {
            return Err(self.expected_thing(thing));
        }
        match literal::read_string(self.source, &self.current) {
            Ok(text) => {
                self.advance();
                Ok(Text::Literal(text))
            }
            Err(_) if self.terse => Err(ParseError::terse(&self.current)),
            Err(bad) => Err(ParseError::lexical(
                self.source,
                self.statement_start,
                &self.current,
                bad.reason,
                self.current.start + bad.at,
                self.statement,
            )),
        }
    }

    /// Takes a whole number or a placeholder.
    ///
    /// # Errors
    /// When something else is next, or the number does not fit 64 bits.
    pub(crate) fn number(&mut self) -> Parsed<Number> {
        match self.current.kind {
            TokenKind::Placeholder(number) => {
                self.advance();
                Ok(Number::Placeholder(number))
            }
            TokenKind::Number => {
                let digits = self.source.get(self.current.span()).unwrap_or_default();
                match digits.parse() {
                    Ok(number) => {
                        self.advance();
                        Ok(Number::Literal(number))
                    }
                    Err(_) => Err(self.refuse("the number is too large")),
                }
            }
            _ => Err(self.expected_thing(Thing::NumberOrPlaceholder)),
        }
    }

    /// Takes an identifier: a word, quoted or not, that may be a keyword only where that is free.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn identifier(&mut self, thing: Thing) -> Parsed<String> {
        let fits = match self.current.kind {
            TokenKind::Word | TokenKind::QuotedWord => true,
            TokenKind::Keyword(keyword) => keyword.is_name(),
            _ => false,
        };
        if !fits {
            return Err(self.expected_thing(thing));
        }
        let token = self.advance();
        Ok(literal::read_word(self.source, &token))
    }

    /// The current word as an identifier, without taking it.
    pub(crate) fn folded(&self) -> String {
        literal::read_word(self.source, &self.current)
    }

    /// Takes any unquoted word, reserved or not, and gives it in upper case as far as it is ASCII.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn any_word(&mut self, thing: Thing) -> Parsed<String> {
        match self.current.kind {
            TokenKind::Word | TokenKind::Keyword(_) => {
                let token = self.advance();
                Ok(self
                    .source
                    .get(token.span())
                    .unwrap_or_default()
                    .to_ascii_uppercase())
            }
            _ => Err(self.expected_thing(thing)),
        }
    }

    /// Takes the name of an option, case kept: `[A-Za-z][A-Za-z0-9_.-]{0,63}`, quoted where it is
    /// no plain word. It must not be among those already `seen`, and is put there.
    ///
    /// # Errors
    /// When something else is next.
    pub(crate) fn option_name(&mut self, seen: &mut HashSet<&'a str>) -> Parsed<String> {
        let raw = self.source.get(self.current.span()).unwrap_or_default();
        let name = match self.current.kind {
            TokenKind::Word | TokenKind::Keyword(_) => raw,
            TokenKind::QuotedWord => raw.trim_matches('"'),
            _ => return Err(self.expected_thing(Thing::OptionName)),
        };
        if !is_option_name(name) {
            return Err(self.refuse("this cannot be the name of an option"));
        }
        if !seen.insert(name) {
            return Err(self.refuse(GIVEN_TWICE));
        }
        let name = name.to_owned();
        self.advance();
        Ok(name)
    }

    /// The error that `thing` or what else was expected is not here.
    pub(crate) fn expected_thing(&mut self, thing: Thing) -> ParseError {
        self.expected.push(Expected::Thing(thing));
        self.unexpected()
    }

    /// The error that nothing of what was expected is here.
    pub(crate) fn unexpected(&self) -> ParseError {
        let token = &self.current;
        match token.kind {
            _ if self.terse => ParseError::terse(token),
            TokenKind::Bad(bad) if bad != Bad::Character => ParseError::lexical(
                self.source,
                self.statement_start,
                token,
                bad.reason(),
                token.start,
                self.statement,
            ),
            _ => ParseError::syntax(
                self.source,
                self.statement_start,
                token,
                &self.expected,
                self.statement,
            ),
        }
    }

    /// The error that the current token fits but may not stand.
    pub(crate) fn refuse(&self, reason: &str) -> ParseError {
        if self.terse {
            return ParseError::terse(&self.current);
        }
        ParseError::refused(
            self.source,
            self.statement_start,
            &self.current,
            reason,
            self.statement,
        )
    }
}

/// Whether a provider could have an option of that name.
pub(crate) fn is_option_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
