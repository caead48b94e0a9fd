//! `PLAIN`, the `SCRAM` family and `OAUTHBEARER`, as rsasl speaks them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use portolan_secret::{SecretBytes, SecretText};
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::OAUTHBEARER;
use rsasl::mechanisms::plain::PLAIN;
use rsasl::mechanisms::scram::properties::{Iterations, Salt, SaltedPassword};
use rsasl::mechanisms::scram::{SCRAM_SHA256, SCRAM_SHA256_PLUS, SCRAM_SHA512, SCRAM_SHA512_PLUS};
use rsasl::prelude::{
    ChannelBindingCallback, Mechanism as Offered, Registry, SASLClient, SASLConfig, Session,
    SessionError, State,
};
use rsasl::property::{AuthId, OAuthBearerToken, OverrideCBType, Password};
use rsasl::validate::NoValidation;

use super::{Mechanism, SaslError, scram};

/// The channel binding of RFC 5929 that this host can give.
const BINDING: &str = "tls-server-end-point";

/// One exchange of rsasl.
pub(super) struct Client {
    session: Session<NoValidation, Binding>,
    /// What our own side of it refused, which rsasl hands on as an error of its own.
    refused: Refused,
}

type Refused = Arc<Mutex<Option<SaslError>>>;

/// What the client knows and the server is to be convinced of.
pub(super) enum Credentials {
    /// A user and a password.
    Password(SecretText, SecretBytes),
    /// A token.
    Token(SecretText),
}

/// The data of the channel binding; empty where there is none.
struct Binding(Vec<u8>);

impl ChannelBindingCallback for Binding {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        (name == BINDING && !self.0.is_empty()).then_some(&self.0)
    }
}

/// Answers what rsasl asks for.
struct Answers {
    mechanism: Mechanism,
    credentials: Credentials,
    /// Whether the channel could be bound to.
    bindable: bool,
    refused: Refused,
}

impl Client {
    /// An exchange that has not begun. `binding` is empty where the channel cannot be bound to.
    pub(super) fn new(
        mechanism: Mechanism,
        credentials: Credentials,
        binding: &[u8],
    ) -> Result<Self, SaslError> {
        let offered = offered(mechanism)?;
        let name = offered
            .first()
            .ok_or(SaslError::UnknownMechanism)?
            .mechanism;
        let refused = Refused::default();
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(offered))
            .with_callback(Answers {
                mechanism,
                credentials,
                bindable: !binding.is_empty(),
                refused: Arc::clone(&refused),
            })
            .map_err(|_| SaslError::UnknownMechanism)?;
        let session = SASLClient::with_cb(config, Binding(binding.to_vec()))
            .start_suggested_iter([name])
            .map_err(|_| SaslError::UnknownMechanism)?;
        Ok(Self { session, refused })
    }

    /// The answer to a challenge, and whether the exchange is over with it. May compute for a
    /// second where a server asks for that much work.
    pub(super) fn step(
        &mut self,
        challenge: Option<&[u8]>,
    ) -> Result<(SecretBytes, bool), SaslError> {
        let mut written = Written(SecretBytes::default());
        match self.session.step(challenge, &mut written) {
            Ok(state) => Ok((written.0, matches!(state, State::Finished(_)))),
            Err(error) => Err(self.told(&error)),
        }
    }

    fn told(&self, error: &SessionError) -> SaslError {
        let refused = self.refused.lock();
        if let Some(refused) = refused.unwrap_or_else(PoisonError::into_inner).take() {
            return refused;
        }
        match error {
            SessionError::MutualAuthenticationFailed => SaslError::ServerProof,
            SessionError::MissingChannelBindingData(_) => SaslError::Unbindable,
            _ => SaslError::Challenge,
        }
    }
}

/// The one mechanism that an exchange may choose.
fn offered(mechanism: Mechanism) -> Result<&'static [Offered], SaslError> {
    static ONLY: [&[Offered]; 6] = [
        &[PLAIN],
        &[SCRAM_SHA256],
        &[SCRAM_SHA256_PLUS],
        &[SCRAM_SHA512],
        &[SCRAM_SHA512_PLUS],
        &[OAUTHBEARER],
    ];
    let place = match mechanism {
        Mechanism::Plain => 0,
        Mechanism::ScramSha256 => 1,
        Mechanism::ScramSha256Plus => 2,
        Mechanism::ScramSha512 => 3,
        Mechanism::ScramSha512Plus => 4,
        Mechanism::OauthBearer => 5,
        Mechanism::AwsMskIam | Mechanism::PostgresMd5 => return Err(SaslError::UnknownMechanism),
    };
    Ok(ONLY[place])
}

impl SessionCallback for Answers {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        let (user, password) = match &self.credentials {
            Credentials::Token(token) => {
                request.satisfy::<OAuthBearerToken>(token.expose())?;
                return Ok(());
            }
            Credentials::Password(user, password) => (user, password),
        };
        request
            .satisfy::<AuthId>(user.expose())?
            .satisfy::<OverrideCBType>(BINDING)?;
        if self.mechanism == Mechanism::Plain {
            request.satisfy::<Password>(password.expose())?;
        }
        if request.is::<SaltedPassword>()
            && let (Some(iterations), Some(salt)) =
                (context.get_ref::<Iterations>(), context.get_ref::<Salt>())
        {
            let salted = scram::salted(self.mechanism, password, salt, *iterations);
            let salted = salted.map_err(|refused| {
                let boxed = SessionError::Boxed(Box::new(refused.clone()));
                let mut place = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                *place = Some(refused);
                boxed
            })?;
            request.satisfy::<SaltedPassword>(salted.expose())?;
        }
        Ok(())
    }

    /// Decides the flag of a mechanism without `-PLUS`: `y`, "I could, and you did not offer it", or
    /// `n`, "I could not".
    fn enable_channel_binding(&self) -> bool {
        self.bindable
    }
}

/// Takes what rsasl writes, and leaves no copy behind.
struct Written(SecretBytes);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
