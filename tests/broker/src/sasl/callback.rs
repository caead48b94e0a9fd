//! What the library of mechanisms asks of this server.

use std::sync::Arc;

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::properties::{OAuthBearerError, OAuthBearerValidate};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::prelude::{SessionError, Validation};
use rsasl::property::{AuthId, AuthzId, OAuthBearerToken, Password};
use rsasl::validate::{Validate, ValidationError};

use super::Users;

/// Who has come in, if anybody has.
pub(crate) struct Verdict;

impl Validation for Verdict {
    type Value = Option<String>;
}

pub(crate) struct Callback(pub(crate) Arc<Users>);

impl Callback {
    fn subject(&self, context: &Context) -> Option<String> {
        let token = context.get_ref::<OAuthBearerToken>()?;
        let token = token.strip_prefix("Bearer ")?;
        self.0.tokens.as_ref()?.subject(token)
    }
}

impl SessionCallback for Callback {
    fn callback(
        &self,
        session: &SessionData,
        context: &Context,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if request.is::<OAuthBearerValidate>() {
            let verdict = match self.subject(context) {
                Some(_) => Ok(()),
                None => Err(OAuthBearerError::new("invalid_token", None, None)),
            };
            request.satisfy::<OAuthBearerValidate>(&verdict)?;
            return Ok(());
        }
        let mechanism = session.mechanism().mechanism.as_str();
        let user = context.get_ref::<AuthId>();
        if let Some(stored) = user.and_then(|user| self.0.stored(mechanism, user)) {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                stored.iterations,
                &stored.salt,
                &stored.stored_key,
                &stored.server_key,
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        session: &SessionData,
        context: &Context,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let user = context.get_ref::<AuthId>();
        let acts_for = context.get_ref::<AuthzId>().filter(|name| !name.is_empty());
        let user = match session.mechanism().mechanism.as_str() {
            "PLAIN" => user.filter(|user| {
                let password = context.get_ref::<Password>();
                password.is_some_and(|password| self.0.knows(user, password))
            }),
            // The library has checked the proof.
            "SCRAM-SHA-256" | "SCRAM-SHA-512" => user,
            "OAUTHBEARER" => {
                validate.finalize::<Verdict>(self.subject(context));
                return Ok(());
            }
            _ => None,
        };
        let user = user.filter(|user| acts_for.is_none_or(|other| other == *user));
        validate.finalize::<Verdict>(user.map(str::to_owned));
        Ok(())
    }
}
