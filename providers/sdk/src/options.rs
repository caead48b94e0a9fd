//! Reading a URI's options so that none is overlooked.

use crate::{Failure, OptionPair, Secret, UriPieces, Value, joined};

/// The options of a URI, each one struck off when it is asked for. What is left at the end is
/// unknown, so that no provider repeats the list of its manifest.
#[derive(Debug)]
pub struct Options<'uri> {
    pairs: &'uri [OptionPair],
    asked: Vec<bool>,
}

impl<'uri> Options<'uri> {
    /// The options of a URI, none of them asked for yet.
    #[must_use]
    pub fn of(uri: &'uri UriPieces) -> Self {
        Self {
            pairs: &uri.options,
            asked: vec![false; uri.options.len()],
        }
    }

    /// The first value of an option; later ones of the same name are struck off with it.
    pub fn value(&mut self, name: &str) -> Option<&'uri Value> {
        let mut first = None;
        for (pair, asked) in self.pairs.iter().zip(&mut self.asked) {
            if pair.name == name {
                *asked = true;
                first = first.or(Some(&pair.value));
            }
        }
        first
    }

    /// The text of a public option. An empty one is as if it were not there.
    ///
    /// # Errors
    ///
    /// The value is a secret: the manifest does not list the option as public.
    pub fn text(&mut self, name: &str) -> Result<Option<&'uri str>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(Value::Secret(_)) => Err(Failure::invalid_uri(joined(&[
                "the manifest makes ",
                name,
                " a secret, but its text is needed",
            ]))
            .with_option(name)),
        }
    }

    /// Every text of a public option that may be repeated, in their order; empty ones are left out.
    pub fn texts(&mut self, name: &str) -> Vec<&'uri str> {
        self.value(name);
        let pairs = self.pairs.iter().filter(|pair| pair.name == name);
        pairs
            .filter_map(|pair| match &pair.value {
                Value::Text(text) if !text.is_empty() => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The text of a public option that becomes the value of a header: visible ASCII.
    ///
    /// # Errors
    ///
    /// As [`Options::text`], and for what no header can hold.
    pub fn word(&mut self, name: &str) -> Result<Option<&'uri str>, Failure> {
        match self.text(name)? {
            Some(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => Err(
                Failure::invalid_uri(joined(&[name, " holds a character that it cannot have"]))
                    .with_hint("Write visible ASCII characters, without spaces.")
                    .with_option(name),
            ),
            word => Ok(word),
        }
    }

    /// The reference of a secret option. An empty one is as if it were not there.
    pub fn secret(&mut self, name: &str) -> Option<&'uri Secret> {
        match self.value(name) {
            Some(Value::Secret(secret)) if !secret.empty => Some(secret),
            _ => None,
        }
    }

    /// A public option that says `true` or `false`.
    ///
    /// # Errors
    ///
    /// Names the option when its value is another word.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name)? {
            None => Ok(None),
            Some("true" | "TRUE" | "True" | "t" | "T" | "1") => Ok(Some(true)),
            Some("false" | "FALSE" | "False" | "f" | "F" | "0") => Ok(Some(false)),
            Some(_) => Err(
                Failure::invalid_uri(joined(&["cannot parse ", name, " as bool"]))
                    .with_hint("Write true or false.")
                    .with_option(name),
            ),
        }
    }

    /// The names that nobody asked for, in their order, each one once.
    #[must_use]
    pub fn unknown(&self) -> Vec<&'uri str> {
        let mut names = Vec::new();
        for (pair, asked) in self.pairs.iter().zip(&self.asked) {
            if !asked && !names.contains(&pair.name.as_str()) {
                names.push(pair.name.as_str());
            }
        }
        names
    }

    /// Refuses what nobody asked for: `unknown S3 query parameters: INVALIDPARAM`.
    ///
    /// # Errors
    ///
    /// Names every unknown option, none of their values.
    pub fn refuse_unknown(&self, service: &str) -> Result<(), Failure> {
        let unknown = self.unknown();
        let Some(first) = unknown.first() else {
            return Ok(());
        };
        let mut message = joined(&["unknown ", service, " query parameters: "]);
        for (place, name) in unknown.iter().enumerate() {
            if place > 0 {
                message.push_str(", ");
            }
            message.push_str(name);
        }
        Err(Failure::invalid_uri(message).with_option(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pieces;

    #[test]
    fn what_nobody_asked_for_is_refused_by_name_and_not_by_value() {
        let uri = pieces("s3://b?AUTH=implicit&BAD=hidden&WORSE=x&BAD=y", &["AUTH"]);
        let mut options = Options::of(&uri);
        assert_eq!(options.text("AUTH"), Ok(Some("implicit")));
        let failure = options.refuse_unknown("S3").expect_err("two are unknown");
        assert_eq!(failure.message, "unknown S3 query parameters: BAD, WORSE");
        assert_eq!(failure.option_name.as_deref(), Some("BAD"));
    }

    #[test]
    fn an_empty_value_is_as_if_it_were_not_there() {
        let uri = pieces("s3://b?AUTH=&KEY=", &["AUTH"]);
        let mut options = Options::of(&uri);
        assert_eq!(options.text("AUTH"), Ok(None));
        assert_eq!(options.secret("KEY"), None);
        assert_eq!(options.unknown(), Vec::<&str>::new());
    }

    #[test]
    fn what_no_header_can_hold_is_refused() {
        let uri = pieces(
            "s3://b?A=a+b&B=a%0d%0ax&C=%C3%A4&D=arn:x/1",
            &["A", "B", "C", "D"],
        );
        let mut options = Options::of(&uri);
        for name in ["A", "B", "C"] {
            let failure = options.word(name).expect_err(name);
            assert_eq!(failure.option_name.as_deref(), Some(name));
        }
        assert_eq!(options.word("D"), Ok(Some("arn:x/1")));
    }

    #[test]
    fn a_word_that_is_no_boolean_is_not_echoed() {
        let uri = pieces("s3://b?PATH_STYLE=perhaps", &["PATH_STYLE"]);
        let failure = Options::of(&uri)
            .boolean("PATH_STYLE")
            .expect_err("no bool");
        assert_eq!(failure.message, "cannot parse PATH_STYLE as bool");
    }
}
