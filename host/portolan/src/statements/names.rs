//! Names of users, roles and privileges, as statements give them.

use portolan_catalog::{AuditObject, ObjectKind, Privilege};
use portolan_contract::strip_controls;
use portolan_statement as ast;

use crate::{Error, SqlState};

/// The most bytes of the name of a user or role.
const MAX_BYTES: usize = 128;

/// Checks the name of a user or role. It may be any printable text: an embedding program has its
/// own idea of names, and addresses and paths are among them.
pub(super) fn principal(name: &str) -> Result<(), Error> {
    let wrong = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > MAX_BYTES {
        format!("has {} bytes; the most is {MAX_BYTES}", name.len())
    } else if let Some(control) = name.chars().find(|one| one.is_control()) {
        format!("holds {control:?}")
    } else if name.trim() != name {
        "begins or ends with a space".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(
        SqlState::InvalidName,
        format!("the name of a user or role {wrong}"),
    )
    .with_hint("a name is 1 to 128 bytes of printable text without a space at its ends"))
}

/// What an audit row about a user or role is about.
pub(super) fn principal_object(name: &str) -> AuditObject {
    AuditObject {
        kind: ObjectKind::Principal,
        name: name.to_owned(),
    }
}

/// The privileges that a statement names, each once. `object` is what they are privileges on.
pub(super) fn privileges<P: Privilege>(
    named: &[ast::Privilege],
    object: &str,
) -> Result<Vec<P>, Error> {
    let privileges = named.iter().map(|privilege| match privilege {
        ast::Privilege::All => Ok(P::ALL),
        ast::Privilege::Named(name) => P::from_name(name).ok_or_else(|| {
            let known: Vec<_> = P::SINGLE
                .iter()
                .map(|privilege| privilege.as_str())
                .collect();
            Error::new(
                SqlState::InvalidGrantOperation,
                format!(
                    "invalid privilege type {} for {object}",
                    strip_controls(name, 64)
                ),
            )
            .with_hint(format!("the privileges are ALL, {}", known.join(", ")))
        }),
    });
    let mut privileges: Vec<P> = privileges.collect::<Result<_, _>>()?;
    privileges.sort_unstable();
    privileges.dedup();
    Ok(privileges)
}

/// Names as the text of an array: `{admin,"a b"}`.
pub(super) fn array<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names
        .into_iter()
        .map(|name| {
            let plain = !name.is_empty()
                && !name.eq_ignore_ascii_case("null")
                && !name.contains(|c: char| c.is_whitespace() || "{},\"\\".contains(c));
            if plain {
                name.to_owned()
            } else {
                format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
            }
        })
        .collect();
    format!("{{{}}}", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use portolan_catalog::{ConnectionPrivilege, SystemPrivilege};

    use super::*;

    #[test]
    fn a_name_is_printable_text_of_a_bounded_length() {
        for right in ["bob", "Alice@example.com", "grüße", "a b", &"n".repeat(128)] {
            assert_eq!(principal(right), Ok(()), "{right}");
        }
        for (wrong, message) in [
            ("", "the name of a user or role is empty"),
            (
                " a",
                "the name of a user or role begins or ends with a space",
            ),
            ("a\n", "the name of a user or role holds '\\n'"),
            (
                &"n".repeat(129),
                "the name of a user or role has 129 bytes; the most is 128",
            ),
        ] {
            let error = principal(wrong).expect_err(wrong);
            assert_eq!(error.message(), message);
            assert_eq!(error.sqlstate(), SqlState::InvalidName);
        }
    }

    #[test]
    fn an_unknown_privilege_is_told_with_those_there_are() {
        let named = [ast::Privilege::Named("SELECT".into())];
        let error = privileges::<ConnectionPrivilege>(&named, "external_connection")
            .expect_err("no such privilege");
        assert_eq!(
            error.message(),
            "invalid privilege type SELECT for external_connection"
        );
        assert_eq!(
            error.hint(),
            Some("the privileges are ALL, USAGE, DROP, UPDATE")
        );
        assert_eq!(error.sqlstate(), SqlState::InvalidGrantOperation);
    }

    #[test]
    fn privileges_are_taken_once_and_in_their_order() {
        let named = [
            ast::Privilege::Named("CREATEROLE".into()),
            ast::Privilege::Named("EXTERNALCONNECTION".into()),
            ast::Privilege::Named("CREATEROLE".into()),
        ];
        assert_eq!(
            privileges::<SystemPrivilege>(&named, "system"),
            Ok(vec![
                SystemPrivilege::ExternalConnection,
                SystemPrivilege::CreateRole
            ])
        );
    }

    #[test]
    fn an_array_quotes_what_would_be_misread() {
        assert_eq!(array([]), "{}");
        assert_eq!(
            array(["admin", "a,b", "c\"d", "null"]),
            "{admin,\"a,b\",\"c\\\"d\",\"null\"}"
        );
    }
}
