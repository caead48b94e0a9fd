//! SHOW AUDIT.

use std::fmt;

use crate::ast::ShowAudit;
use crate::keywords::Keyword as K;
use crate::parser::{Parsed, Parser, Thing};
use crate::printer::Printer;

impl ShowAudit {
    /// Reads on after `SHOW AUDIT`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        let mut audit = Self::default();
        if p.eat(K::For) {
            p.expect_all(&[K::External, K::Connection])?;
            audit.connection = Some(p.text(Thing::ConnectionName)?);
        }
        if p.eat(K::Since) {
            audit.since = Some(p.value(Thing::StringOrPlaceholder)?);
        }
        Ok(audit)
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("SHOW AUDIT")?;
        if let Some(name) = &self.connection {
            p.raw(" FOR EXTERNAL CONNECTION ")?;
            p.name(name)?;
        }
        if let Some(since) = &self.since {
            p.raw(" SINCE ")?;
            p.text_if(since, is_time)?;
        }
        Ok(())
    }
}

/// Whether a text is written like a time, and so certainly no secret.
fn is_time(text: &str) -> bool {
    text.len() <= 35
        && text.chars().filter(char::is_ascii_digit).count() <= 27
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | ' ' | 'T' | 'Z'))
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn only_times_are_shown() {
        assert!(is_time("2026-11-23T12:00:00.000000+01:00"));
        assert!(is_time("2026-11-23"));
        assert!(!is_time("yesterday"));
        assert!(!is_time("2026-11-23 s3://"));
    }
}
