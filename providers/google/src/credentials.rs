//! Whose credentials a URI asks for.
//!
//! What stands in CREDENTIALS is for the host alone, which judges it when it uses it; here only the
//! verdict on its format is known.

use portolan_sdk::{Failure, Options, Plan, Secret, joined};

use crate::SERVER;

/// What `AUTH`, `CREDENTIALS` and `BEARER_TOKEN` say.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'uri> {
    auth: Option<&'uri str>,
    key: Option<&'uri Secret>,
    token: Option<&'uri Secret>,
}

impl<'uri> Credentials<'uri> {
    /// Reads them, and strikes the options off.
    ///
    /// # Errors
    ///
    /// A manifest makes `AUTH` a secret, whose text is needed.
    pub fn read(options: &mut Options<'uri>) -> Result<Self, Failure> {
        Ok(Self {
            auth: options.text("AUTH")?,
            key: options.secret("CREDENTIALS"),
            token: options.secret("BEARER_TOKEN"),
        })
    }

    /// What `AUTH` says, if anything.
    #[must_use]
    pub fn auth(&self) -> Option<&'uri str> {
        self.auth
    }

    /// The plan with them: the setting `credentials`, and the secret with its token service where
    /// one is specified. Whatever `AUTH` says but `implicit` counts as `specified`; a key wins over
    /// a token.
    ///
    /// # Errors
    ///
    /// In the words that users know: there is neither a key nor a token, or the key is no base64.
    pub fn planned(&self, plan: Plan) -> Result<Plan, Failure> {
        match (self.auth, self.key, self.token) {
            (Some("implicit"), _, _) => Ok(plan
                .set("credentials", "implicit")
                .implicit_access("the Google Cloud credentials of the server")),
            (_, Some(key), _) => match key.base64_problem() {
                Some(problem) => Err(Failure::invalid_uri(joined(&[
                    "error getting credentials from CREDENTIALS: ",
                    &problem,
                ]))
                .with_hint("Write the JSON key as base64 prints it: base64 --wrap=0 KEY.json.")
                .with_option("CREDENTIALS")),
                None => Ok(plan
                    .set("credentials", "specified")
                    .secret_as_given("credentials", key)
                    .endpoint("oauth2.googleapis.com", 443, Some(SERVER))),
            },
            (_, None, Some(token)) => Ok(plan
                .set("credentials", "specified")
                .secret_as_given("bearer-token", token)),
            (_, None, None) => Err(Failure::invalid_uri(
                "CREDENTIALS or BEARER_TOKEN must be set if \"AUTH\" is \"specified\"",
            )
            .with_hint("Give one of them, or AUTH=implicit to use the credentials of the server.")
            .with_option("CREDENTIALS")),
        }
    }
}
