//! The places of strings in a JSON document, for what a provider may frame but not read.
//!
//! The reader is strict: what it lets pass, every other reader of JSON understands in one way. So a
//! name that is written with escapes is the same name, and one that stands twice is an error.

use crate::JsonPointer;

/// The deepest that values are nested.
const MAX_DEPTH: usize = 128;

/// A string of a document that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which of the pointers leads to it.
    pub pointer: usize,
    /// Where it begins, behind its opening quote.
    pub start: usize,
    /// Where it ends, at its closing quote.
    pub end: usize,
}

/// Why the members of a document cannot be told. Nothing of the document stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is no JSON, or is nested too deeply.
    #[error("it is no JSON")]
    NotJson,
    /// What this pointer leads to is no string.
    #[error("what should be a string is none")]
    NotText(usize),
    /// This pointer leads to two places.
    #[error("a member stands twice")]
    Twice(usize),
}

/// The strings that these pointers lead to, in the order of the document. One that is absent is
/// left out.
///
/// # Errors
///
/// [`DocumentError`]; the document is not to be used then.
pub fn find_members(
    document: &[u8],
    pointers: &[&JsonPointer],
) -> Result<Vec<Member>, DocumentError> {
    let text = std::str::from_utf8(document).map_err(|_| DocumentError::NotJson)?;
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        pointers,
        found: Vec::new(),
    };
    let wanted: Vec<usize> = (0..pointers.len()).collect();
    reader.value(&wanted, 0)?;
    reader.skip_blanks();
    if reader.at != document.len() {
        return Err(DocumentError::NotJson);
    }
    let found = reader.found;
    for (place, member) in found.iter().enumerate() {
        let before = found.iter().take(place);
        if before.into_iter().any(|one| one.pointer == member.pointer) {
            return Err(DocumentError::Twice(member.pointer));
        }
    }
    Ok(found)
}

/// Whether opaque parts stand where they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    Rightly,
    Wrongly,
}

/// Whether each of these members of a document is an empty string with one opaque part in it, and no
/// opaque part stands elsewhere. `opaque` are the places in the document, in ascending order.
pub(crate) fn filled(document: &[u8], opaque: &[usize], pointers: &[&JsonPointer]) -> Filled {
    let Ok(members) = find_members(document, pointers) else {
        return Filled::Wrongly;
    };
    let empty = members.iter().all(|member| member.start == member.end);
    let places = members.iter().map(|member| member.start);
    match empty && places.eq(opaque.iter().copied()) {
        true => Filled::Rightly,
        false => Filled::Wrongly,
    }
}

/// Whether bytes can stand between the quotes of a JSON string as they are.
#[must_use]
pub fn is_inside_of_a_string(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        pointers: &[],
        found: Vec::new(),
    };
    while reader.at < bytes.len() {
        match reader.letter() {
            Ok(Some(_)) => {}
            _ => return false,
        }
    }
    true
}

/// The text of a string's inside, its escapes read; none where they are broken. The text is made in
/// one piece that never grows, so that no copy is left behind.
#[must_use]
pub fn unescaped(inside: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(inside).ok()?;
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        pointers: &[],
        found: Vec::new(),
    };
    let mut whole = String::with_capacity(inside.len());
    while reader.at < inside.len() {
        let before = reader.at;
        match reader.letter() {
            Ok(Some(Letter::Plain)) => whole.push_str(text.get(before..reader.at)?),
            Ok(Some(Letter::Escaped(letter))) => whole.push(letter),
            _ => return None,
        }
    }
    Some(whole)
}

/// A run of a string: what stands there as it is, or one escape.
enum Letter {
    Plain,
    Escaped(char),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    pointers: &'a [&'a JsonPointer],
    found: Vec<Member>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self) -> Result<u8, DocumentError> {
        let byte = self.peek().ok_or(DocumentError::NotJson)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, text: &str) -> Result<(), DocumentError> {
        for byte in text.bytes() {
            if self.take()? != byte {
                return Err(DocumentError::NotJson);
            }
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// A value at this depth, to which the first steps of the `wanted` pointers have led.
    fn value(&mut self, wanted: &[usize], depth: usize) -> Result<(), DocumentError> {
        if depth > MAX_DEPTH {
            return Err(DocumentError::NotJson);
        }
        self.skip_blanks();
        let meant = wanted.iter().copied().find(|place| {
            let pointer = self.pointers.get(*place);
            pointer.is_some_and(|pointer| pointer.steps().len() == depth)
        });
        match (self.peek(), meant) {
            (Some(b'"'), meant) => {
                let (start, end) = self.string()?;
                if let Some(pointer) = meant {
                    self.found.push(Member {
                        pointer,
                        start,
                        end,
                    });
                }
                Ok(())
            }
            (None, _) => Err(DocumentError::NotJson),
            (Some(_), Some(pointer)) => Err(DocumentError::NotText(pointer)),
            (Some(b'{'), None) => self.object(wanted, depth),
            (Some(b'['), None) => self.list(wanted, depth),
            (Some(b't'), None) => self.expect("true"),
            (Some(b'f'), None) => self.expect("false"),
            (Some(b'n'), None) => self.expect("null"),
            (Some(_), None) => self.number(),
        }
    }

    /// The pointers whose next step is this one.
    fn led_on(&self, wanted: &[usize], depth: usize, step: &str) -> Vec<usize> {
        let leads = |place: &usize| {
            let pointer = self.pointers.get(*place);
            pointer
                .and_then(|pointer| pointer.steps().get(depth))
                .is_some_and(|one| one == step)
        };
        wanted.iter().copied().filter(leads).collect()
    }

    fn object(&mut self, wanted: &[usize], depth: usize) -> Result<(), DocumentError> {
        self.expect("{")?;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_blanks();
            let (start, end) = self.string()?;
            // Below what nobody looks for, names are not read a second time.
            let led = match (wanted, self.bytes.get(start..end)) {
                ([], _) | (_, None) => Vec::new(),
                (wanted, Some(name)) => {
                    let name = unescaped(name).ok_or(DocumentError::NotJson)?;
                    self.led_on(wanted, depth, &name)
                }
            };
            self.skip_blanks();
            self.expect(":")?;
            self.value(&led, depth + 1)?;
            self.skip_blanks();
            match self.take()? {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(DocumentError::NotJson),
            }
        }
    }

    fn list(&mut self, wanted: &[usize], depth: usize) -> Result<(), DocumentError> {
        self.expect("[")?;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        for place in 0_usize.. {
            let led = match wanted {
                [] => Vec::new(),
                wanted => self.led_on(wanted, depth, &place.to_string()),
            };
            self.value(&led, depth + 1)?;
            self.skip_blanks();
            match self.take()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(DocumentError::NotJson),
            }
        }
        Err(DocumentError::NotJson)
    }

    /// A string; where its inside begins and ends.
    fn string(&mut self) -> Result<(usize, usize), DocumentError> {
        self.expect("\"")?;
        let start = self.at;
        while self.letter()?.is_some() {}
        Ok((start, self.at - 1))
    }

    /// What comes next in a string; nothing at its closing quote, which is read.
    fn letter(&mut self) -> Result<Option<Letter>, DocumentError> {
        let escaped = match self.take()? {
            b'"' => return Ok(None),
            ..=0x1f => return Err(DocumentError::NotJson),
            b'\\' => match self.take()? {
                byte @ (b'"' | b'\\' | b'/') => char::from(byte),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.code_point()?,
                _ => return Err(DocumentError::NotJson),
            },
            _ => {
                while matches!(self.peek(), Some(byte) if byte > 0x1f && byte != b'"' && byte != b'\\')
                {
                    self.at += 1;
                }
                return Ok(Some(Letter::Plain));
            }
        };
        Ok(Some(Letter::Escaped(escaped)))
    }

    fn code_point(&mut self) -> Result<char, DocumentError> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.expect("\\u")?;
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(DocumentError::NotJson);
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(DocumentError::NotJson)
    }

    fn four_digits(&mut self) -> Result<u32, DocumentError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.take()?).to_digit(16);
            code = code * 16 + digit.ok_or(DocumentError::NotJson)?;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<(), DocumentError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(DocumentError::NotJson),
        }
    }
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
