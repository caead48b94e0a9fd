//! Which of both a server is: a schema registry, or one of files.

use portolan_sdk::{Failure, Plan};

use crate::refusal::refused;
use crate::registry::{Api, names_of, subjects_request};

/// What a server was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A schema registry.
    Registry,
    /// Anything else, which has to do as a server of files.
    Other,
}

impl Found {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Registry => "a schema registry",
            Self::Other => "files",
        }
    }
}

/// Asks for the subjects: only a registry answers with a list of names, or refuses in a registry's
/// own words. How many there are, where it lists them.
///
/// # Errors
///
/// Nothing answers, or it is a registry that refuses.
pub(crate) fn recognise(api: &dyn Api, plan: &Plan) -> Result<(Found, Option<usize>), Failure> {
    let answer = api.send(subjects_request(plan))?;
    if answer.status == 200 {
        return Ok(match names_of(&answer.body) {
            Some(names) => (Found::Registry, Some(names.len())),
            None => (Found::Other, None),
        });
    }
    match answer.is_of_a_registry() {
        true => Err(refused(&answer).context("the schema registry does not list its subjects")),
        false => Ok((Found::Other, None)),
    }
}

#[cfg(test)]
mod tests {
    use portolan_sdk::{FailureClass, Kind};

    use super::*;
    use crate::registry::tests::Scripted;

    fn found(
        status: u16,
        content_type: &str,
        body: &str,
    ) -> Result<(Found, Option<usize>), Failure> {
        let api = Scripted::answering(status, content_type, body);
        recognise(&api, &Plan::new(Kind::Storage))
    }

    #[test]
    fn a_list_of_names_is_a_registrys() {
        let own = "application/vnd.schemaregistry.v1+json";
        for content_type in [own, "application/json", ""] {
            assert_eq!(
                found(200, content_type, "[\"a\",\"b-value\"]"),
                Ok((Found::Registry, Some(2)))
            );
        }
        assert_eq!(found(200, own, "[]"), Ok((Found::Registry, Some(0))));
    }

    #[test]
    fn everything_else_is_files() {
        for (status, body) in [
            (200, "<html>"),
            (200, "[{\"name\":\"a\",\"type\":\"file\"}]"),
            (200, "{}"),
            (401, "<html>401"),
            (404, ""),
            (500, "{\"error_code\":50001}"),
        ] {
            assert_eq!(found(status, "text/html", body), Ok((Found::Other, None)));
        }
    }

    #[test]
    fn a_registry_that_refuses_is_a_failure() {
        let own = "application/vnd.schemaregistry.v1+json; charset=utf-8";
        let failure = found(401, own, "{\"error_code\":40101,\"message\":\"hunter2\"}");
        let failure = failure.expect_err("refused");
        assert_eq!(failure.class, FailureClass::RefusedCredentials);
        assert_eq!(
            failure.message,
            "the schema registry does not list its subjects: the schema registry answered 401 \
             (40101)"
        );
    }
}
