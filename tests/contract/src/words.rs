//! How values are written in a script: words between spaces, and bytes in quotes.
//!
//! Bytes stand in double quotes; `\n`, `\r`, `\t`, `\"`, `\\` and `\xNN` are escapes, and every
//! byte that is not printable ASCII has one.

use std::fmt::Write as _;

use wasmtime::{Result, bail, format_err};

/// Bytes as a script shows them.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push('"');
    text
}

/// A value that is read word by word.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: text.trim_start(),
        }
    }

    /// Whether everything was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What comes next, without reading it.
    pub(crate) fn peek(&self) -> &'a str {
        self.rest
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default()
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Result<&'a str> {
        let word = self.peek();
        if word.is_empty() {
            bail!("a word is missing at the end");
        }
        self.rest = self.rest[word.len()..].trim_start();
        Ok(word)
    }

    /// The next word, as a number.
    pub(crate) fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        let word = self.word()?;
        word.parse()
            .map_err(|_| format_err!("`{word}` is no number of this kind"))
    }

    /// The rest of the line, as it is.
    pub(crate) fn line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        line.trim_end()
    }

    /// The next text in quotes, as bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            bail!("bytes in quotes are missing at `{}`", self.peek());
        };
        let mut bytes = Vec::new();
        let mut places = quoted.char_indices();
        while let Some((place, char)) = places.next() {
            match char {
                '"' => {
                    self.rest = quoted[place + 1..].trim_start();
                    return Ok(bytes);
                }
                '\\' => bytes.push(match places.next().map(|(_, escape)| escape) {
                    Some('n') => b'\n',
                    Some('r') => b'\r',
                    Some('t') => b'\t',
                    Some('"') => b'"',
                    Some('\\') => b'\\',
                    Some('x') => {
                        let digits: String = places.by_ref().take(2).map(|(_, d)| d).collect();
                        u8::from_str_radix(&digits, 16)
                            .map_err(|_| format_err!("`\\x{digits}` is no byte"))?
                    }
                    _ => bail!("an escape that no script has"),
                }),
                _ => bytes.extend(char.to_string().as_bytes()),
            }
        }
        bail!("a quote is not closed")
    }

    /// The next text in quotes.
    pub(crate) fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| format_err!("a text that is not UTF-8"))
    }

    /// What stands in parentheses after a name, as `secret(…)`, if that is what comes next.
    pub(crate) fn call(&mut self, name: &str) -> Result<Option<Words<'a>>> {
        let Some(inside) = self
            .rest
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('('))
        else {
            return Ok(None);
        };
        let Some((inside, rest)) = inside.split_once(')') else {
            bail!("`{name}(` is not closed");
        };
        self.rest = rest.trim_start();
        Ok(Some(Words::new(inside)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_are_written() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = quote(&bytes);
        assert!(text.is_ascii());
        let mut words = Words::new(&text);
        assert_eq!(words.bytes().expect("bytes"), bytes);
        assert!(words.is_empty());
    }

    #[test]
    fn an_open_quote_is_refused() {
        assert!(Words::new("\"abc").bytes().is_err());
        assert!(Words::new("\"\\q\"").bytes().is_err());
    }
}
