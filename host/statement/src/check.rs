//! CHECK and VALIDATE EXTERNAL CONNECTION: trying out what a connection leads to.

use std::fmt;

use crate::ast::{CheckConnection, ValidateConnection};
use crate::connection::{option, print_mode, with_options};
use crate::keywords::Keyword as K;
use crate::parser::{Parsed, Parser, Thing};
use crate::printer::Printer;

impl CheckConnection {
    /// Reads on after `CHECK`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect_all(&[K::External, K::Connection])?;
        let mut check = Self {
            target: p.text(Thing::Uri)?,
            concurrently: None,
            transfer: None,
            time: None,
        };
        with_options(p, |p| {
            Ok(
                option(p, K::Concurrently, &mut check.concurrently, |p| p.number())?
                    || option(p, K::Transfer, &mut check.transfer, amount)?
                    || option(p, K::Time, &mut check.time, amount)?,
            )
        })?;
        return Ok(check);

        fn amount(p: &mut Parser<'_>) -> Parsed<crate::ast::Text> {
            p.text(Thing::StringOrPlaceholder)
        }
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("CHECK EXTERNAL CONNECTION ")?;
        p.secret(&self.target)?;
        let mut before = " WITH OPTIONS (";
        if let Some(number) = self.concurrently {
            p.raw(before)?;
            p.raw("CONCURRENTLY = ")?;
            p.number(number)?;
            before = ", ";
        }
        for (option, amount) in [("TRANSFER = ", &self.transfer), ("TIME = ", &self.time)] {
            if let Some(amount) = amount {
                p.raw(before)?;
                p.raw(option)?;
                p.text_if(amount, is_amount)?;
                before = ", ";
            }
        }
        p.raw(if before == ", " { ")" } else { "" })
    }
}

impl ValidateConnection {
    /// Reads on after `VALIDATE`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect_all(&[K::External, K::Connection])?;
        let name = p.text(Thing::ConnectionName)?;
        let mut validate = None;
        with_options(p, |p| {
            option(p, K::Validate, &mut validate, |p| p.text(Thing::Mode))
        })?;
        Ok(Self { name, validate })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("VALIDATE EXTERNAL CONNECTION ")?;
        p.name(&self.name)?;
        if let Some(mode) = &self.validate {
            p.raw(" WITH OPTIONS (VALIDATE = ")?;
            print_mode(p, mode)?;
            p.raw(")")?;
        }
        Ok(())
    }
}

/// Whether a text is digits with short units (`2 MiB`, `1m30s`), and so certainly no secret.
fn is_amount(text: &str) -> bool {
    let units = || text.split(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '));
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_digit())
        && units().all(|unit| unit.len() <= 5 && unit.chars().all(|c| c.is_ascii_alphabetic()))
        && units().filter(|unit| !unit.is_empty()).count() <= 3
}

#[cfg(test)]
mod tests {
    use super::is_amount;

    #[test]
    fn only_amounts_are_shown() {
        for amount in ["2 MiB", "32MB", "1.5 GiB", "1s", "1h30m5s", "500"] {
            assert!(is_amount(amount), "{amount}");
        }
        for other in [
            "",
            "s3://x",
            "hunter2",
            "1 password",
            "1a2b3c4d5e6f",
            "2µs",
            "1 M/s",
        ] {
            assert!(!is_amount(other), "{other}");
        }
    }
}
