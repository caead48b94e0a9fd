//! CREATE and DROP of users and roles.

use std::fmt;

use crate::ast::{CreatePrincipal, DropPrincipal, PrincipalKind, StatementKind};
use crate::keywords::Keyword as K;
use crate::parser::{Parsed, Parser, Thing};
use crate::printer::Printer;

impl CreatePrincipal {
    /// Reads on after `CREATE USER` and `CREATE ROLE`.
    pub(crate) fn parse(p: &mut Parser<'_>, kind: PrincipalKind) -> Parsed<Self> {
        p.this_is(match kind {
            PrincipalKind::User => StatementKind::CreateUser,
            PrincipalKind::Role => StatementKind::CreateRole,
        });
        let if_not_exists = p.eat_pair(K::If, K::Not);
        if if_not_exists {
            p.expect(K::Exists)?;
        }
        Ok(Self {
            kind,
            if_not_exists,
            name: p.identifier(Thing::RoleName)?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw(match self.kind {
            PrincipalKind::User => "CREATE USER ",
            PrincipalKind::Role => "CREATE ROLE ",
        })?;
        if self.if_not_exists {
            p.raw("IF NOT EXISTS ")?;
        }
        p.identifier(&self.name)
    }
}

impl DropPrincipal {
    /// Reads on after `DROP USER` and `DROP ROLE`.
    pub(crate) fn parse(p: &mut Parser<'_>, kind: PrincipalKind) -> Parsed<Self> {
        p.this_is(match kind {
            PrincipalKind::User => StatementKind::DropUser,
            PrincipalKind::Role => StatementKind::DropRole,
        });
        let if_exists = p.eat_pair(K::If, K::Exists);
        Ok(Self {
            kind,
            if_exists,
            names: p.list(|p| p.identifier(Thing::RoleName))?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw(match self.kind {
            PrincipalKind::User => "DROP USER ",
            PrincipalKind::Role => "DROP ROLE ",
        })?;
        if self.if_exists {
            p.raw("IF EXISTS ")?;
        }
        p.list(&self.names, |p, name| p.identifier(name))
    }
}
