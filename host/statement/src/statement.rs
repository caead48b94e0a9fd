//! From text to statements, and which family reads and prints which.

use std::fmt;

use crate::ast::{
    AlterConnection, CheckConnection, CommentOnConnection, CreateConnection, CreatePrincipal,
    DropConnection, DropPrincipal, Grant, PrincipalKind, Revoke, ShowAudit, ShowConnections,
    ShowCreateConnection, ShowGrants, ShowSystemGrants, Statement, StatementKind, Transaction,
    ValidateConnection,
};
use crate::error::ParseError;
use crate::keywords::Keyword as K;
use crate::parser::{Parsed, Parser, Thing};
use crate::printer::Printer;

/// Parses exactly one statement, with or without `;` behind it.
///
/// # Errors
/// When the text is not one statement. The error shows no literal of it.
pub fn parse(sql: &str) -> Result<Statement, ParseError> {
    let mut parser = Parser::new(sql, 0);
    skip_semicolons(&mut parser);
    let statement = one(&mut parser)?;
    skip_semicolons(&mut parser);
    if parser.at_end() {
        Ok(statement)
    } else {
        parser.start_statement();
        Err(parser.refuse("only one statement is taken here"))
    }
}

/// Parses any number of statements with `;` between them. All of them are parsed before the first
/// is returned, so that a mistake at the end stops a script before its beginning runs.
///
/// # Errors
/// When one of them is no statement. The error shows no literal of it.
pub fn parse_script(sql: &str) -> Result<Vec<Statement>, ParseError> {
    let mut parser = Parser::new(sql, 0);
    let mut statements = Vec::new();
    loop {
        skip_semicolons(&mut parser);
        if parser.at_end() {
            return Ok(statements);
        }
        statements.push(one(&mut parser)?);
    }
}

fn skip_semicolons(parser: &mut Parser<'_>) {
    while parser.eat_symbol(';') {}
}

/// Parses one statement up to and with its `;`, if it has one.
pub(crate) fn one(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.start_statement();
    let statement = statement(parser)?;
    if parser.at_end() || parser.eat_symbol(';') {
        Ok(statement)
    } else {
        Err(parser.expected_thing(Thing::EndOfStatement))
    }
}

fn statement(p: &mut Parser<'_>) -> Parsed<Statement> {
    if p.eat(K::Create) {
        if p.eat(K::External) {
            return CreateConnection::parse(p, StatementKind::CreateConnection)
                .map(Statement::CreateConnection);
        }
        return match principal_kind(p, K::User, K::Role) {
            Some(kind) => CreatePrincipal::parse(p, kind).map(Statement::CreatePrincipal),
            None => Err(p.unexpected()),
        };
    }
    if p.eat(K::Alter) {
        p.this_is(StatementKind::AlterConnection);
        return AlterConnection::parse(p).map(Statement::AlterConnection);
    }
    if p.eat(K::Drop) {
        if p.eat(K::External) {
            return DropConnection::parse(p).map(Statement::DropConnection);
        }
        return match principal_kind(p, K::User, K::Role) {
            Some(kind) => DropPrincipal::parse(p, kind).map(Statement::DropPrincipal),
            None => Err(p.unexpected()),
        };
    }
    if p.eat(K::Show) {
        return show(p);
    }
    if p.eat(K::Check) {
        p.this_is(StatementKind::CheckConnection);
        return CheckConnection::parse(p).map(Statement::CheckConnection);
    }
    if p.eat(K::Validate) {
        p.this_is(StatementKind::ValidateConnection);
        return ValidateConnection::parse(p).map(Statement::ValidateConnection);
    }
    if p.eat(K::Comment) {
        p.this_is(StatementKind::CommentOnConnection);
        return CommentOnConnection::parse(p).map(Statement::CommentOnConnection);
    }
    if p.eat(K::Explain) {
        p.this_is(StatementKind::ExplainCreateConnection);
        p.expect_all(&[K::Create, K::External])?;
        return CreateConnection::parse(p, StatementKind::ExplainCreateConnection)
            .map(Statement::ExplainCreateConnection);
    }
    if p.eat(K::Grant) {
        p.this_is(StatementKind::Grant);
        return Grant::parse(p).map(Statement::Grant);
    }
    if p.eat(K::Revoke) {
        p.this_is(StatementKind::Revoke);
        return Revoke::parse(p).map(Statement::Revoke);
    }
    match Transaction::parse(p)? {
        Some(transaction) => Ok(Statement::Transaction(transaction)),
        None => Err(p.unexpected()),
    }
}

fn show(p: &mut Parser<'_>) -> Parsed<Statement> {
    if p.eat(K::Create) {
        p.this_is(StatementKind::ShowCreateConnection);
        return ShowCreateConnection::parse(p).map(Statement::ShowCreateConnection);
    }
    if p.eat(K::External) {
        p.this_is(StatementKind::ShowConnections);
        return ShowConnections::parse(p).map(Statement::ShowConnections);
    }
    if p.eat(K::Grants) {
        p.this_is(StatementKind::ShowGrants);
        return ShowGrants::parse(p).map(Statement::ShowGrants);
    }
    if p.eat(K::System) {
        p.this_is(StatementKind::ShowSystemGrants);
        return ShowSystemGrants::parse(p).map(Statement::ShowSystemGrants);
    }
    if let Some(kind) = principal_kind(p, K::Users, K::Roles) {
        return Ok(Statement::ShowPrincipals(kind));
    }
    if p.eat(K::Providers) {
        p.this_is(StatementKind::ShowProviders);
        return Ok(Statement::ShowProviders);
    }
    if p.eat(K::Audit) {
        p.this_is(StatementKind::ShowAudit);
        return ShowAudit::parse(p).map(Statement::ShowAudit);
    }
    Err(p.unexpected())
}

fn principal_kind(p: &mut Parser<'_>, user: K, role: K) -> Option<PrincipalKind> {
    if p.eat(user) {
        Some(PrincipalKind::User)
    } else if p.eat(role) {
        Some(PrincipalKind::Role)
    } else {
        None
    }
}

impl Statement {
    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        match self {
            Self::CreateConnection(it) => it.print(p),
            Self::ExplainCreateConnection(it) => {
                p.raw("EXPLAIN ")?;
                it.print(p)
            }
            Self::AlterConnection(it) => it.print(p),
            Self::DropConnection(it) => it.print(p),
            Self::ShowCreateConnection(it) => it.print(p),
            Self::ShowConnections(it) => it.print(p),
            Self::CheckConnection(it) => it.print(p),
            Self::ValidateConnection(it) => it.print(p),
            Self::CommentOnConnection(it) => it.print(p),
            Self::Grant(it) => it.print(p),
            Self::Revoke(it) => it.print(p),
            Self::ShowGrants(it) => it.print(p),
            Self::ShowSystemGrants(it) => it.print(p),
            Self::CreatePrincipal(it) => it.print(p),
            Self::DropPrincipal(it) => it.print(p),
            Self::ShowPrincipals(_) | Self::ShowProviders | Self::Transaction(_) => {
                p.raw(self.tag())
            }
            Self::ShowAudit(it) => it.print(p),
        }
    }
}
