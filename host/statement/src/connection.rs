//! CREATE, ALTER, DROP, SHOW CREATE, SHOW and COMMENT ON EXTERNAL CONNECTION.

use std::collections::HashSet;
use std::fmt;

use crate::ast::{
    AlterConnection, Change, CommentOnConnection, ConnectionOptions, CreateConnection,
    DropConnection, Parameter, ShowConnections, ShowCreateConnection, StatementKind, Text,
};
use crate::keywords::Keyword as K;
use crate::lexer::TokenKind;
use crate::parser::{GIVEN_TWICE, Parsed, Parser, Thing};
use crate::printer::Printer;

impl CreateConnection {
    /// Reads on after `CREATE EXTERNAL`.
    pub(crate) fn parse(p: &mut Parser<'_>, statement: StatementKind) -> Parsed<Self> {
        p.this_is(statement);
        p.expect(K::Connection)?;
        let if_not_exists = if_not_exists(p)?;
        let name = p.text(Thing::ConnectionName)?;
        p.expect(K::As)?;
        Ok(Self {
            if_not_exists,
            name,
            uri: p.text(Thing::Uri)?,
            parameters: parameters(p)?,
            options: ConnectionOptions::parse(p)?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("CREATE EXTERNAL CONNECTION ")?;
        if self.if_not_exists {
            p.raw("IF NOT EXISTS ")?;
        }
        p.name(&self.name)?;
        print_uri(p, &self.uri, &self.parameters)?;
        self.options.print(p)
    }
}

impl AlterConnection {
    /// Reads on after `ALTER`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect_all(&[K::External, K::Connection])?;
        let if_exists = if_exists(p);
        Ok(Self {
            if_exists,
            name: p.text(Thing::ConnectionName)?,
            change: Change::parse(p)?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("ALTER EXTERNAL CONNECTION ")?;
        if self.if_exists {
            p.raw("IF EXISTS ")?;
        }
        p.name(&self.name)?;
        self.change.print(p)
    }
}

impl Change {
    fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        if p.eat(K::As) {
            return Ok(Self::Uri {
                uri: p.text(Thing::Uri)?,
                parameters: parameters(p)?,
                options: ConnectionOptions::parse(p)?,
            });
        }
        if p.eat(K::Set) {
            return Ok(Self::Set {
                parameters: parameter_list(p)?,
                options: ConnectionOptions::parse(p)?,
            });
        }
        if p.eat(K::Reset) {
            p.expect_symbol('(')?;
            let mut seen = HashSet::new();
            let names = p.list(|p| p.option_name(&mut seen))?;
            p.expect_symbol(')')?;
            return Ok(Self::Reset {
                names,
                options: ConnectionOptions::parse(p)?,
            });
        }
        if p.eat(K::Rename) {
            p.expect(K::To)?;
            return p.text(Thing::ConnectionName).map(Self::Rename);
        }
        if p.eat(K::Owner) {
            p.expect(K::To)?;
            return p.identifier(Thing::RoleName).map(Self::Owner);
        }
        Err(p.unexpected())
    }

    fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        match self {
            Self::Uri {
                uri,
                parameters,
                options,
            } => {
                print_uri(p, uri, parameters)?;
                options.print(p)
            }
            Self::Set {
                parameters,
                options,
            } => {
                p.raw(" SET ")?;
                print_parameters(p, parameters)?;
                options.print(p)
            }
            Self::Reset { names, options } => {
                p.raw(" RESET (")?;
                p.list(names, |p, name| p.option_name(name))?;
                p.raw(")")?;
                options.print(p)
            }
            Self::Rename(name) => {
                p.raw(" RENAME TO ")?;
                p.name(name)
            }
            Self::Owner(role) => {
                p.raw(" OWNER TO ")?;
                p.identifier(role)
            }
        }
    }
}

impl DropConnection {
    /// Reads on after `DROP EXTERNAL`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.this_is(StatementKind::DropConnection);
        p.expect(K::Connection)?;
        let if_exists = if_exists(p);
        Ok(Self {
            if_exists,
            names: p.list(|p| p.text(Thing::ConnectionName))?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("DROP EXTERNAL CONNECTION ")?;
        if self.if_exists {
            p.raw("IF EXISTS ")?;
        }
        p.list(&self.names, Printer::name)
    }
}

impl ShowCreateConnection {
    /// Reads on after `SHOW CREATE`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        if p.eat(K::All) {
            p.expect_all(&[K::External, K::Connections])?;
            return Ok(Self { name: None });
        }
        p.expect_all(&[K::External, K::Connection])?;
        Ok(Self {
            name: Some(p.text(Thing::ConnectionName)?),
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        match &self.name {
            None => p.raw("SHOW CREATE ALL EXTERNAL CONNECTIONS"),
            Some(name) => {
                p.raw("SHOW CREATE EXTERNAL CONNECTION ")?;
                p.name(name)
            }
        }
    }
}

impl ShowConnections {
    /// Reads on after `SHOW EXTERNAL`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        let name = if p.eat(K::Connections) {
            None
        } else {
            p.expect(K::Connection)?;
            Some(p.text(Thing::ConnectionName)?)
        };
        let with_comment = p.eat(K::With);
        if with_comment {
            p.expect(K::Comment)?;
        }
        Ok(Self { name, with_comment })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        match &self.name {
            None => p.raw("SHOW EXTERNAL CONNECTIONS")?,
            Some(name) => {
                p.raw("SHOW EXTERNAL CONNECTION ")?;
                p.name(name)?;
            }
        }
        if self.with_comment {
            p.raw(" WITH COMMENT")?;
        }
        Ok(())
    }
}

impl CommentOnConnection {
    /// Reads on after `COMMENT`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect_all(&[K::On, K::External, K::Connection])?;
        let name = p.text(Thing::ConnectionName)?;
        p.expect(K::Is)?;
        let comment = if p.eat(K::Null) {
            None
        } else {
            Some(p.value(Thing::StringOrPlaceholder)?)
        };
        Ok(Self { name, comment })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("COMMENT ON EXTERNAL CONNECTION ")?;
        p.name(&self.name)?;
        p.raw(" IS ")?;
        match &self.comment {
            None => p.raw("NULL"),
            Some(comment) => p.secret(comment),
        }
    }
}

impl ConnectionOptions {
    fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        let mut options = Self::default();
        with_options(p, |p| {
            Ok(option(p, K::Validate, &mut options.validate, |p| {
                p.text(Thing::Mode)
            })? || option(p, K::Comment, &mut options.comment, |p| {
                p.value(Thing::StringOrPlaceholder)
            })?)
        })?;
        Ok(options)
    }

    fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        let validate = self
            .validate
            .as_ref()
            .map(|validate| (K::Validate, validate));
        let comment = self.comment.as_ref().map(|comment| (K::Comment, comment));
        if validate.is_none() && comment.is_none() {
            return Ok(());
        }
        p.raw(" WITH OPTIONS (")?;
        p.list(validate.into_iter().chain(comment), |p, (keyword, text)| {
            p.raw(keyword.as_str())?;
            p.raw(" = ")?;
            if keyword == K::Validate {
                print_mode(p, text)
            } else {
                p.secret(text)
            }
        })?;
        p.raw(")")
    }
}

/// Reads `WITH option [, …]` or `WITH OPTIONS (option [, …])`, or nothing. `read` takes one option
/// and says whether it found one.
pub(crate) fn with_options(
    p: &mut Parser<'_>,
    mut read: impl FnMut(&mut Parser<'_>) -> Parsed<bool>,
) -> Parsed<()> {
    if !p.eat(K::With) {
        return Ok(());
    }
    let in_parentheses = p.eat(K::Options);
    if in_parentheses {
        p.expect_symbol('(')?;
    }
    p.list(|p| {
        if read(p)? {
            Ok(())
        } else {
            Err(p.unexpected())
        }
    })?;
    if in_parentheses {
        p.expect_symbol(')')?;
    }
    Ok(())
}

/// Reads `KEYWORD = value` into its place if that keyword is next, and says whether it was.
///
/// # Errors
/// When the place is taken already, or no value follows.
pub(crate) fn option<T>(
    p: &mut Parser<'_>,
    keyword: K,
    place: &mut Option<T>,
    value: impl FnOnce(&mut Parser<'_>) -> Parsed<T>,
) -> Parsed<bool> {
    if place.is_some() {
        return match p.current().kind {
            TokenKind::Keyword(found) if found == keyword => Err(p.refuse(GIVEN_TWICE)),
            _ => Ok(false),
        };
    }
    if !p.eat(keyword) {
        return Ok(false);
    }
    p.expect_symbol('=')?;
    *place = Some(value(p)?);
    Ok(true)
}

/// Prints the value of `VALIDATE =`; only the three modes are certainly no secret.
pub(crate) fn print_mode(p: &mut Printer<'_>, mode: &Text) -> fmt::Result {
    p.text_if(mode, |mode| {
        ["none", "read", "full"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(mode))
    })
}

fn if_not_exists(p: &mut Parser<'_>) -> Parsed<bool> {
    let found = p.eat_pair(K::If, K::Not);
    if found {
        p.expect(K::Exists)?;
    }
    Ok(found)
}

fn if_exists(p: &mut Parser<'_>) -> bool {
    p.eat_pair(K::If, K::Exists)
}

fn parameters(p: &mut Parser<'_>) -> Parsed<Vec<Parameter>> {
    if p.eat(K::Parameters) {
        parameter_list(p)
    } else {
        Ok(Vec::new())
    }
}

fn parameter_list(p: &mut Parser<'_>) -> Parsed<Vec<Parameter>> {
    p.expect_symbol('(')?;
    let mut seen = HashSet::new();
    let parameters = p.list(|p| {
        let name = p.option_name(&mut seen)?;
        p.expect_symbol('=')?;
        Ok(Parameter {
            name,
            value: p.value(Thing::StringOrPlaceholder)?,
        })
    })?;
    p.expect_symbol(')')?;
    Ok(parameters)
}

fn print_uri(p: &mut Printer<'_>, uri: &Text, parameters: &[Parameter]) -> fmt::Result {
    p.raw(" AS ")?;
    p.secret(uri)?;
    if parameters.is_empty() {
        return Ok(());
    }
    p.raw(" PARAMETERS ")?;
    print_parameters(p, parameters)
}

fn print_parameters(p: &mut Printer<'_>, parameters: &[Parameter]) -> fmt::Result {
    p.raw("(")?;
    p.list(parameters, |p, parameter| {
        p.option_name(&parameter.name)?;
        p.raw(" = ")?;
        p.secret(&parameter.value)
    })?;
    p.raw(")")
}
