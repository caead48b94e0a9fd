//! Text to tokens.
//!
//! The lexer never fails: what it cannot read is a token too, so that masking can use the same
//! lexer as the parser and they can never disagree about where a literal ends. A token holds
//! positions only; the text of a literal is read by [`crate::literal`] when the parser takes it.
//! Whatever has no end (a string, a comment) reaches to the end of the input, so every byte is
//! looked at a bounded number of times.

use std::ops::Range;

use crate::keywords::Keyword;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An unquoted word that is no keyword.
    Word,
    /// An unquoted word that is a keyword, reserved or not.
    Keyword(Keyword),
    /// `"…"`
    QuotedWord,
    /// `'…'`
    PlainString,
    /// `e'…'`
    EscapeString,
    /// `$$…$$` or `$tag$…$tag$`
    DollarString,
    /// `b'…'` or `x'…'`, which no statement takes.
    ByteString,
    /// Digits.
    Number,
    /// `$n`
    Placeholder(u32),
    /// `,`, `;`, `(`, `)` or `=`
    Symbol(char),
    /// A comment; the parser never sees one.
    Comment,
    /// What cannot be read.
    Bad(Bad),
    /// The end of the input.
    End,
}

/// Why a token cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    /// A string without its end.
    UnterminatedString,
    /// A quoted identifier without its end.
    UnterminatedWord,
    /// A `/*` without its `*/`.
    UnterminatedComment,
    /// Digits that run into letters: `5s`.
    NumberWithLetters,
    /// `$0`, or a number that is too large.
    PlaceholderOutOfRange,
    /// A character that starts no token.
    Character,
}

impl Bad {
    /// What is wrong, in a few words.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UnterminatedString => "unterminated string",
            Self::UnterminatedWord => "unterminated quoted identifier",
            Self::UnterminatedComment => "unterminated comment",
            Self::NumberWithLetters => "letters right after a number",
            Self::PlaceholderOutOfRange => "placeholder outside $1 to $65535",
            Self::Character => "unexpected character",
        }
    }

    /// Whether it swallowed the rest of the input.
    pub(crate) fn is_unterminated(self) -> bool {
        matches!(
            self,
            Self::UnterminatedString | Self::UnterminatedWord | Self::UnterminatedComment
        )
    }
}

/// A token: what it is and where it stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// Where it stands, in bytes.
    pub(crate) fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether it is a string of any spelling that a statement takes.
    pub(crate) fn is_string(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::PlainString | TokenKind::EscapeString | TokenKind::DollarString
        )
    }
}

/// The highest number of a placeholder, as on the PostgreSQL wire.
const LAST_PLACEHOLDER: u32 = 65535;

/// Reads one token after the other.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    source: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at byte `position`, which must be a boundary between tokens.
    pub(crate) fn new(source: &'a str, position: usize) -> Self {
        Self { source, position }
    }

    /// The next token, comments included. After the end it is [`TokenKind::End`] for ever.
    pub(crate) fn next_with_comments(&mut self) -> Token {
        self.position += length_while(self.rest(), |byte| is_space(char::from(byte)));
        let start = self.position;
        let kind = self.scan();
        Token {
            kind,
            start,
            end: self.position,
        }
    }

    /// The next token that is no comment.
    pub(crate) fn next(&mut self) -> Token {
        loop {
            let token = self.next_with_comments();
            if token.kind != TokenKind::Comment {
                return token;
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.position..).unwrap_or_default()
    }

    /// Moves on by `length` bytes and says what was read.
    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.position += length;
        kind
    }

    fn take_rest(&mut self, bad: Bad) -> TokenKind {
        self.take(self.rest().len(), TokenKind::Bad(bad))
    }

    fn scan(&mut self) -> TokenKind {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let Some(first) = rest.chars().next() else {
            return TokenKind::End;
        };
        match (first, bytes.get(1)) {
            ('-', Some(b'-')) => {
                let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
                self.take(length, TokenKind::Comment)
            }
            ('/', Some(b'*')) => self.block_comment(),
            ('\'', _) => self.string(0, false, TokenKind::PlainString),
            ('e' | 'E', Some(b'\'')) => self.string(1, true, TokenKind::EscapeString),
            ('b' | 'B' | 'x' | 'X', Some(b'\'')) => self.string(1, true, TokenKind::ByteString),
            ('"', _) => match end_of_quoted(&bytes[1..], b'"', false) {
                Some(length) => self.take(1 + length, TokenKind::QuotedWord),
                None => self.take_rest(Bad::UnterminatedWord),
            },
            ('$', _) => self.dollar(),
            ('0'..='9', _) => self.number(),
            (',' | ';' | '(' | ')' | '=', _) => self.take(1, TokenKind::Symbol(first)),
            (letter, _) if starts_word(letter) => {
                let length = length_of_word(rest);
                let word = rest.get(..length).unwrap_or_default();
                self.take(
                    length,
                    Keyword::find(word).map_or(TokenKind::Word, TokenKind::Keyword),
                )
            }
            (other, _) => self.take(other.len_utf8(), TokenKind::Bad(Bad::Character)),
        }
    }

    /// Comments nest, so their depth is counted; no recursion, whatever the depth.
    fn block_comment(&mut self) -> TokenKind {
        let bytes = self.rest().as_bytes();
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(pair) = bytes.get(at..at + 2) {
            match pair {
                b"/*" => {
                    depth += 1;
                    at += 2;
                }
                b"*/" => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return self.take(at, TokenKind::Comment);
                    }
                }
                _ => at += 1,
            }
        }
        self.take_rest(Bad::UnterminatedComment)
    }

    fn string(&mut self, prefix: usize, escapes: bool, kind: TokenKind) -> TokenKind {
        let body = self.rest().as_bytes().get(prefix + 1..).unwrap_or_default();
        match end_of_quoted(body, b'\'', escapes) {
            Some(length) => self.take(prefix + 1 + length, kind),
            None => self.take_rest(Bad::UnterminatedString),
        }
    }

    fn number(&mut self) -> TokenKind {
        let rest = self.rest();
        let digits = length_while(rest, |byte| byte.is_ascii_digit());
        let length = length_of_word(rest);
        if length > digits {
            self.take(length, TokenKind::Bad(Bad::NumberWithLetters))
        } else {
            self.take(digits, TokenKind::Number)
        }
    }

    fn dollar(&mut self) -> TokenKind {
        let rest = self.rest();
        let after = rest.get(1..).unwrap_or_default();
        let digits = length_while(after, |byte| byte.is_ascii_digit());
        if digits > 0 {
            let number = after.get(..digits).and_then(|digits| digits.parse().ok());
            let kind = match number {
                Some(number @ 1..=LAST_PLACEHOLDER) => TokenKind::Placeholder(number),
                _ => TokenKind::Bad(Bad::PlaceholderOutOfRange),
            };
            return self.take(1 + digits, kind);
        }
        let tag = after
            .find(|c| c == '$' || !continues_word(c))
            .unwrap_or(after.len());
        let is_tag = after.get(tag..).is_some_and(|end| end.starts_with('$'))
            && after
                .chars()
                .next()
                .is_some_and(|first| first == '$' || starts_word(first));
        if !is_tag {
            return self.take(1, TokenKind::Bad(Bad::Character));
        }
        let delimiter = rest.get(..tag + 2).unwrap_or_default();
        match rest.get(tag + 2..).and_then(|body| body.find(delimiter)) {
            Some(body) => self.take(2 * delimiter.len() + body, TokenKind::DollarString),
            None => self.take_rest(Bad::UnterminatedString),
        }
    }
}

/// The length of what stands between quotes with the closing one, given what follows the opening
/// one. A doubled quote stands for one; with `escapes` a backslash takes the next byte with it.
fn end_of_quoted(bytes: &[u8], quote: u8, escapes: bool) -> Option<usize> {
    let mut at = 0;
    loop {
        let byte = *bytes.get(at)?;
        if escapes && byte == b'\\' {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// How many bytes a text starts with that are all as asked for.
fn length_while(text: &str, is: fn(u8) -> bool) -> usize {
    let bytes = text.bytes();
    bytes.take_while(|byte| is(*byte)).count()
}

/// How long the word is that a text starts with. Few words are not ASCII, and bytes are looked at
/// faster than characters.
fn length_of_word(text: &str) -> usize {
    let ascii = length_while(text, |byte| {
        byte.is_ascii() && continues_word(char::from(byte))
    });
    match text.get(ascii..) {
        Some(rest) if rest.starts_with(|c: char| !c.is_ascii()) => {
            let more = rest.find(|c| !continues_word(c));
            ascii + more.unwrap_or(rest.len())
        }
        _ => ascii,
    }
}

/// White space between tokens.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Whether an unquoted word may start so.
pub(crate) fn starts_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Whether an unquoted word may go on so.
pub(crate) fn continues_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<TokenKind> {
        let mut lexer = Lexer::new(source, 0);
        std::iter::from_fn(|| Some(lexer.next().kind))
            .take_while(|kind| *kind != TokenKind::End)
            .collect()
    }

    #[test]
    fn every_spelling_of_a_string_is_one_token() {
        use TokenKind::{DollarString, EscapeString, PlainString};
        assert_eq!(kinds("'a''b'"), [PlainString]);
        assert_eq!(kinds(r"e'a\'b''c' E'\\'"), [EscapeString, EscapeString]);
        assert_eq!(kinds(r"'\' ''"), [PlainString, PlainString]);
        assert_eq!(kinds("$$a'b$1$$"), [DollarString]);
        assert_eq!(
            kinds("$t$a$$b$u$c$t$ $été$x$été$"),
            [DollarString, DollarString]
        );
        assert_eq!(kinds("x'00' B'1'"), [TokenKind::ByteString; 2]);
    }

    #[test]
    fn a_word_is_whole_wherever_its_letters_are_not_ascii() {
        assert_eq!(
            kinds("été a1é$_b x\u{a0}y"),
            [
                TokenKind::Word,
                TokenKind::Word,
                TokenKind::Word,
                TokenKind::Bad(Bad::Character),
                TokenKind::Word
            ]
        );
    }

    #[test]
    fn comments_nest_and_are_no_tokens() {
        assert_eq!(kinds("/* a /* b */ ' */ x -- y 'z"), [TokenKind::Word]);
        assert_eq!(kinds("-- x\ny"), [TokenKind::Word]);
        assert_eq!(kinds("/*/"), [TokenKind::Bad(Bad::UnterminatedComment)]);
    }

    #[test]
    fn what_has_no_end_takes_the_rest() {
        for source in ["'a; b", "e'a\\'", "$x$ a $y$", "$$ a $", "x'0"] {
            assert_eq!(
                kinds(source),
                [TokenKind::Bad(Bad::UnterminatedString)],
                "{source}"
            );
        }
        assert_eq!(kinds("\"a\"\""), [TokenKind::Bad(Bad::UnterminatedWord)]);
        assert_eq!(
            kinds("/* /* */"),
            [TokenKind::Bad(Bad::UnterminatedComment)]
        );
    }

    #[test]
    fn placeholders_count_from_one() {
        assert_eq!(
            kinds("$1 $65535"),
            [TokenKind::Placeholder(1), TokenKind::Placeholder(65535)]
        );
        for source in ["$0", "$65536", "$99999999999999999999"] {
            assert_eq!(
                kinds(source),
                [TokenKind::Bad(Bad::PlaceholderOutOfRange)],
                "{source}"
            );
        }
        assert_eq!(kinds("$"), [TokenKind::Bad(Bad::Character)]);
    }

    #[test]
    fn digits_may_not_run_into_letters() {
        assert_eq!(
            kinds("12 1s"),
            [TokenKind::Number, TokenKind::Bad(Bad::NumberWithLetters)]
        );
    }
}
