//! Whose credentials a URI asks for.

use portolan_sdk::{Failure, Options, Plan, Secret, joined};

/// What `AUTH` and the options of a key say.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'uri> {
    auth: Option<&'uri str>,
    access_key_id: Option<&'uri str>,
    secret_access_key: Option<&'uri Secret>,
    session_token: Option<&'uri Secret>,
}

impl<'uri> Credentials<'uri> {
    /// Reads them, and strikes the options off.
    ///
    /// # Errors
    ///
    /// A manifest makes an option a secret whose text is needed.
    pub fn read(options: &mut Options<'uri>) -> Result<Self, Failure> {
        Ok(Self {
            auth: options.text("AUTH")?,
            access_key_id: options.text("AWS_ACCESS_KEY_ID")?,
            secret_access_key: options.secret("AWS_SECRET_ACCESS_KEY"),
            session_token: options.secret("AWS_SESSION_TOKEN"),
        })
    }

    /// The plan with them: the setting `credentials`, and those of a key where one is specified.
    ///
    /// # Errors
    ///
    /// In the words that users know: a part of the key is missing, or `AUTH` is neither word.
    pub fn planned(&self, plan: Plan) -> Result<Plan, Failure> {
        match self.auth.unwrap_or("specified") {
            "specified" => {
                let id = self
                    .access_key_id
                    .ok_or_else(|| not_set("AWS_ACCESS_KEY_ID"))?;
                let secret = self
                    .secret_access_key
                    .ok_or_else(|| not_set("AWS_SECRET_ACCESS_KEY"))?;
                let plan = plan
                    .set("credentials", "specified")
                    .set("access-key-id", id)
                    .secret_as_given("secret-access-key", secret);
                Ok(match self.session_token {
                    Some(token) => plan.secret_as_given("session-token", token),
                    None => plan,
                })
            }
            "implicit" => Ok(plan
                .set("credentials", "implicit")
                .implicit_access("the AWS credentials of the server")),
            other => Err(
                Failure::invalid_uri(joined(&["unsupported value ", other, " for AUTH"]))
                    .with_hint("Write specified or implicit.")
                    .with_option("AUTH"),
            ),
        }
    }
}

fn not_set(option: &str) -> Failure {
    Failure::invalid_uri(joined(&[
        "AUTH is set to 'specified', but ",
        option,
        " is not set",
    ]))
    .with_hint(joined(&[
        "Give ",
        option,
        ", or AUTH=implicit to use the credentials of the server.",
    ]))
    .with_option(option)
}
