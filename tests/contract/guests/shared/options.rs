//! The options of a URI, as phase one reads them.
#![allow(dead_code, reason = "no guest needs all of it")]

use crate::bindings::portolan::types::types::{
    Failure, FailureClass, OptionPair, Secret, UriPieces, Value,
};

/// The options of a URI.
pub(crate) struct Options<'a> {
    pairs: &'a [OptionPair],
}

impl<'a> Options<'a> {
    pub(crate) fn of(uri: &'a UriPieces) -> Self {
        Self {
            pairs: &uri.options,
        }
    }

    /// The first public value of that name, unless it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find_map(|pair| match &pair.value {
            Value::Text(text) if pair.name == name && !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a public value is `true`; absent, it is not.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(refused(&format!("cannot parse {name} as bool"))
                .of_option(name)
                .with_hint("Write true or false.")),
        }
    }

    /// The first secret of that name, unless it is empty.
    pub(crate) fn secret(&self, name: &str) -> Option<&'a Secret> {
        self.pairs.iter().find_map(|pair| match &pair.value {
            Value::Secret(secret) if pair.name == name && !secret.empty => Some(secret),
            _ => None,
        })
    }

    /// Refuses options that are not among `known`, by their sorted names.
    pub(crate) fn only(&self, known: &[&str], what: &str) -> Result<(), Failure> {
        let mut unknown: Vec<&str> = self
            .pairs
            .iter()
            .map(|pair| pair.name.as_str())
            .filter(|name| *name != "COCKROACH_LOCALITY" && !known.contains(name))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let message = format!("unknown {what} query parameters: {}", unknown.join(", "));
        Err(refused(&message))
    }
}

/// The refusal of a URI.
pub(crate) fn refused(message: &str) -> Failure {
    Failure {
        class: FailureClass::InvalidUri,
        message: message.to_owned(),
        hint: None,
        option_name: None,
        facts: Vec::new(),
    }
}

impl Failure {
    /// The same, with what to do about it.
    pub(crate) fn with_hint(self, hint: &str) -> Self {
        Self {
            hint: Some(hint.to_owned()),
            ..self
        }
    }

    /// The same, naming the option that is wrong.
    pub(crate) fn of_option(self, name: &str) -> Self {
        Self {
            option_name: Some(name.to_owned()),
            ..self
        }
    }
}
