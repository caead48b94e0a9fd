//! GRANT, REVOKE, SHOW GRANTS and SHOW SYSTEM GRANTS.

use std::fmt;

use crate::ast::{Grant, Granted, Privilege, Revoke, ShowGrants, ShowSystemGrants};
use crate::keywords::Keyword as K;
use crate::lexer::TokenKind;
use crate::parser::{Parsed, Parser, Thing};
use crate::printer::Printer;

impl Grant {
    /// Reads on after `GRANT`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        let granted = Granted::parse(p, K::To)?;
        let grantees = roles(p)?;
        let with_option = p.eat(K::With);
        if with_option {
            p.expect(granted.option_keyword())?;
            p.expect(K::Option)?;
        }
        Ok(Self {
            granted,
            grantees,
            with_option,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("GRANT ")?;
        self.granted.print(p)?;
        p.raw(" TO ")?;
        print_identifiers(p, &self.grantees)?;
        if self.with_option {
            p.raw(" WITH ")?;
            p.raw(self.granted.option_keyword().as_str())?;
            p.raw(" OPTION")?;
        }
        Ok(())
    }
}

impl Revoke {
    /// Reads on after `REVOKE`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        // `ADMIN` may be a role, `ADMIN OPTION` is not.
        let option = [K::Grant, K::Admin]
            .into_iter()
            .find(|word| p.eat_pair(*word, K::Option));
        if option.is_some() {
            p.expect(K::For)?;
        }
        let granted = Granted::parse(p, K::From)?;
        if option.is_some_and(|option| option != granted.option_keyword()) {
            return Err(p.refuse("GRANT OPTION goes with privileges, ADMIN OPTION with roles"));
        }
        Ok(Self {
            granted,
            grantees: roles(p)?,
            only_option: option.is_some(),
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("REVOKE ")?;
        if self.only_option {
            p.raw(self.granted.option_keyword().as_str())?;
            p.raw(" OPTION FOR ")?;
        }
        self.granted.print(p)?;
        p.raw(" FROM ")?;
        print_identifiers(p, &self.grantees)
    }
}

impl Granted {
    /// Reads what is granted, and the `TO` or `FROM` behind it. Until that word or `ON` comes,
    /// `a, b` may be privileges or roles.
    fn parse(p: &mut Parser<'_>, end: K) -> Parsed<Self> {
        let system = p.current().kind == TokenKind::Keyword(K::System)
            && !matches!(p.second(), TokenKind::Symbol(_))
            && p.second() != TokenKind::Keyword(K::On)
            && p.second() != TokenKind::Keyword(end);
        if system {
            p.eat(K::System);
            let privileges = p.list(privilege)?;
            p.expect(end)?;
            return Ok(Self::System(privileges));
        }
        let items = p.list(Item::parse)?;
        if items.iter().all(|item| item.role.is_some()) && p.eat(end) {
            return Ok(Self::Roles(
                items.into_iter().filter_map(|item| item.role).collect(),
            ));
        }
        let privileges: Option<Vec<_>> = items.into_iter().map(|item| item.privilege).collect();
        let Some(privileges) = privileges else {
            return Err(p.unexpected());
        };
        p.expect_all(&[K::On, K::External, K::Connection])?;
        let connections = p.list(|p| p.identifier(Thing::ConnectionIdentifier))?;
        p.expect(end)?;
        Ok(Self::OnConnections {
            privileges,
            connections,
        })
    }

    fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        match self {
            Self::OnConnections {
                privileges,
                connections,
            } => {
                p.list(privileges, print_privilege)?;
                p.raw(" ON EXTERNAL CONNECTION ")?;
                print_identifiers(p, connections)
            }
            Self::System(privileges) => {
                p.raw("SYSTEM ")?;
                p.list(privileges, print_privilege)
            }
            Self::Roles(roles) => print_identifiers(p, roles),
        }
    }

    /// The word before `OPTION`: privileges have a grant option, roles an admin option.
    fn option_keyword(&self) -> K {
        match self {
            Self::Roles(_) => K::Admin,
            Self::OnConnections { .. } | Self::System(_) => K::Grant,
        }
    }
}

/// A word that may still be a privilege or a role.
struct Item {
    privilege: Option<Privilege>,
    role: Option<String>,
}

impl Item {
    fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        match p.current().kind {
            TokenKind::QuotedWord => Ok(Self {
                privilege: None,
                role: Some(p.identifier(Thing::RoleName)?),
            }),
            TokenKind::Keyword(keyword) if !keyword.is_name() => Ok(Self {
                privilege: Some(privilege(p)?),
                role: None,
            }),
            TokenKind::Word | TokenKind::Keyword(_) => {
                let role = Some(p.folded());
                Ok(Self {
                    privilege: Some(privilege(p)?),
                    role,
                })
            }
            _ => Err(p.expected_thing(Thing::Privilege)),
        }
    }
}

impl ShowGrants {
    /// Reads on after `SHOW GRANTS`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect_all(&[K::On, K::External, K::Connection])?;
        let connections = p.list(|p| p.identifier(Thing::ConnectionIdentifier))?;
        Ok(Self {
            connections,
            grantees: for_roles(p)?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("SHOW GRANTS ON EXTERNAL CONNECTION ")?;
        print_identifiers(p, &self.connections)?;
        print_for_roles(p, &self.grantees)
    }
}

impl ShowSystemGrants {
    /// Reads on after `SHOW SYSTEM`.
    pub(crate) fn parse(p: &mut Parser<'_>) -> Parsed<Self> {
        p.expect(K::Grants)?;
        Ok(Self {
            grantees: for_roles(p)?,
        })
    }

    pub(crate) fn print(&self, p: &mut Printer<'_>) -> fmt::Result {
        p.raw("SHOW SYSTEM GRANTS")?;
        print_for_roles(p, &self.grantees)
    }
}

fn privilege(p: &mut Parser<'_>) -> Parsed<Privilege> {
    if p.eat(K::All) {
        p.eat(K::Privileges);
        return Ok(Privilege::All);
    }
    match p.current().kind {
        TokenKind::Keyword(K::On | K::To | K::From | K::For | K::With | K::As) => {
            Err(p.expected_thing(Thing::Privilege))
        }
        _ => p.any_word(Thing::Privilege).map(Privilege::Named),
    }
}

fn print_privilege(p: &mut Printer<'_>, privilege: &Privilege) -> fmt::Result {
    match privilege {
        Privilege::All => p.raw("ALL"),
        Privilege::Named(name) => p.raw(name),
    }
}

fn roles(p: &mut Parser<'_>) -> Parsed<Vec<String>> {
    p.list(|p| p.identifier(Thing::RoleName))
}

fn for_roles(p: &mut Parser<'_>) -> Parsed<Vec<String>> {
    if p.eat(K::For) {
        roles(p)
    } else {
        Ok(Vec::new())
    }
}

fn print_for_roles(p: &mut Printer<'_>, roles: &[String]) -> fmt::Result {
    if roles.is_empty() {
        return Ok(());
    }
    p.raw(" FOR ")?;
    print_identifiers(p, roles)
}

fn print_identifiers(p: &mut Printer<'_>, names: &[String]) -> fmt::Result {
    p.list(names, |p, name| p.identifier(name))
}
