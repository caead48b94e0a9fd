//! The identities of `ASSUME_ROLE`, in the order in which they are taken on.

use portolan_sdk::{AssumedRole, Failure};

/// No chain that anybody has is longer.
const AT_MOST: usize = 32;

/// `ROLE[;external_id=ID][,…]`: the last role is the one that reads and writes.
///
/// # Errors
///
/// The text is no list of roles.
pub fn roles(text: &str) -> Result<Vec<AssumedRole>, Failure> {
    let roles: Vec<_> = text.split(',').map(role).collect::<Result<_, _>>()?;
    if roles.len() > AT_MOST {
        return Err(refused("ASSUME_ROLE lists more than 32 roles"));
    }
    Ok(roles)
}

fn role(text: &str) -> Result<AssumedRole, Failure> {
    let (role, parameter) = match text.split_once(';') {
        Some((role, parameter)) => (role, Some(parameter)),
        None => (text, None),
    };
    let external_id = parameter.map(|parameter| parameter.strip_prefix("external_id="));
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    match external_id {
        None if is_word(role) => Ok(AssumedRole {
            role: role.to_owned(),
            external_id: None,
        }),
        Some(Some(id)) if is_word(role) && is_word(id) && !id.contains(';') => Ok(AssumedRole {
            role: role.to_owned(),
            external_id: Some(id.to_owned()),
        }),
        _ => Err(refused("ASSUME_ROLE is no list of roles")),
    }
}

fn refused(message: &str) -> Failure {
    Failure::invalid_uri(message)
        .with_hint(
            "Write ROLE or ROLE;external_id=ID, with a comma between roles and the ; as %3B.",
        )
        .with_option("ASSUME_ROLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_keep_their_order_and_their_external_ids() {
        let chain = roles("arn:aws:iam::1:role/a,arn:aws:iam::2:role/b;external_id=x=y/1");
        let chain = chain.expect("a chain");
        let chain: Vec<_> = chain
            .iter()
            .map(|it| (it.role.as_str(), it.external_id.as_deref()))
            .collect();
        assert_eq!(
            chain,
            [
                ("arn:aws:iam::1:role/a", None),
                ("arn:aws:iam::2:role/b", Some("x=y/1"))
            ]
        );
    }

    #[test]
    fn what_is_no_list_of_roles_is_refused() {
        for wrong in [
            "",
            ",",
            "a,",
            ",a",
            "a;",
            "a;external_id=",
            "a;external_id=b;c=d",
            "a;other=b",
            ";external_id=b",
            "a b",
            "a, b",
            "rôle",
        ] {
            let failure = roles(wrong).expect_err(wrong);
            assert_eq!(
                failure.message, "ASSUME_ROLE is no list of roles",
                "{wrong}"
            );
            assert_eq!(failure.option_name.as_deref(), Some("ASSUME_ROLE"));
        }
        let long = vec!["a"; 33].join(",");
        let failure = roles(&long).expect_err("too long");
        assert_eq!(failure.message, "ASSUME_ROLE lists more than 32 roles");
    }
}
