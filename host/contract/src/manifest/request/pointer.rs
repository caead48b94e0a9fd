//! Members of JSON documents.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest pointer, and the most steps of one.
const MAX_BYTES: usize = 256;
const MAX_STEPS: usize = 16;

/// A pointer of RFC 6901 to a member of a JSON document, such as `/Plaintext`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JsonPointer {
    text: String,
    steps: Vec<String>,
}

/// A text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pointer is at most {MAX_STEPS} steps of a / and a name in at most {MAX_BYTES} bytes, where ~ \
     is written ~0 and / is written ~1"
)]
pub struct InvalidPointer;

impl TryFrom<String> for JsonPointer {
    type Error = InvalidPointer;

    fn try_from(text: String) -> Result<Self, InvalidPointer> {
        let path = text.strip_prefix('/').ok_or(InvalidPointer)?;
        if text.len() > MAX_BYTES || crate::strip_controls(&text, text.len()) != text {
            return Err(InvalidPointer);
        }
        let steps: Vec<_> = path.split('/').map(step).collect::<Result<_, _>>()?;
        match steps.len() {
            ..=MAX_STEPS => Ok(Self { steps, text }),
            _ => Err(InvalidPointer),
        }
    }
}

fn step(written: &str) -> Result<String, InvalidPointer> {
    let mut pieces = written.split('~');
    let mut step = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (letter, rest) = match piece.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', piece.strip_prefix('1').ok_or(InvalidPointer)?),
        };
        step.push(letter);
        step.push_str(rest);
    }
    Ok(step)
}

impl JsonPointer {
    /// The pointer as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of members, or places in lists, on the way; at least one.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }
}

impl From<JsonPointer> for String {
    fn from(pointer: JsonPointer) -> Self {
        pointer.text
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Option<Vec<String>> {
        let pointer = JsonPointer::try_from(text.to_owned()).ok()?;
        Some(pointer.steps)
    }

    #[test]
    fn a_pointer_is_steps_with_two_letters_written_otherwise() {
        assert_eq!(steps("/Plaintext"), Some(vec!["Plaintext".to_owned()]));
        assert_eq!(
            steps("/a~1b/~01/0/"),
            Some(["a/b", "~1", "0", ""].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for wrong in [
            "",
            "a",
            "/a~",
            "/a~2",
            "/a\u{1b}",
            &"/a".repeat(17),
            &"/aaaaaaaaaaaaaaaa".repeat(16),
        ] {
            assert_eq!(steps(wrong), None, "{wrong}");
        }
    }
}
