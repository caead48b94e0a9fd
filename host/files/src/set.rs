//! The name of the set that every user has.

/// Before the user's name in the last identifier of the user's own set.
const PREFIX: &str = "userfiles_";

/// Before that identifier.
const SCHEMA: &str = "defaultdb.public.";

/// The set of a user who names none: `defaultdb.public.userfiles_USER`, written as a URI writes it,
/// so that it is the same set whoever names it. What is no plain identifier stands in double quotes.
#[must_use]
pub fn default_set(user: &str) -> String {
    let identifier = format!("{PREFIX}{user}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$';
    if identifier.chars().all(plain) {
        format!("{SCHEMA}{identifier}")
    } else {
        format!("{SCHEMA}\"{}\"", identifier.replace('"', "\"\""))
    }
}

/// The user whose own set this is, whether or not there is such a user.
#[must_use]
pub fn user_of_default_set(set: &str) -> Option<String> {
    let identifier = set.strip_prefix(SCHEMA)?;
    let quoted = identifier
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let identifier = match quoted {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => identifier.to_owned(),
    };
    let user = identifier.strip_prefix(PREFIX)?;
    (!user.is_empty()).then(|| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_one_set_and_the_set_one_user() {
        for (user, set) in [
            ("root", "defaultdb.public.userfiles_root"),
            ("etl_2$", "defaultdb.public.userfiles_etl_2$"),
            ("Ana", "defaultdb.public.\"userfiles_Ana\""),
            (
                "ana@example.com",
                "defaultdb.public.\"userfiles_ana@example.com\"",
            ),
            ("a\"b", "defaultdb.public.\"userfiles_a\"\"b\""),
            ("\"", "defaultdb.public.\"userfiles_\"\"\""),
        ] {
            assert_eq!(default_set(user), set);
            assert_eq!(user_of_default_set(set).as_deref(), Some(user));
        }
    }

    #[test]
    fn another_set_is_nobodys_own() {
        for set in [
            "defaultdb.public.files",
            "defaultdb.public.userfiles_",
            "other.public.userfiles_root",
            "defaultdb.other.userfiles_root",
            "",
        ] {
            assert_eq!(user_of_default_set(set), None, "{set}");
        }
    }
}
