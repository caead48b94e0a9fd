//! One exchange.

use std::fmt;
use std::time::SystemTime;

use portolan_contract::Failure;
use portolan_secret::{SecretBytes, SecretText};
use tokio::task::spawn_blocking;

use super::client::{Client, Credentials};
use super::{Answer, LONGEST_CHALLENGE, Mechanism, SaslError, bearer, iam, md5, scram};
use crate::credentials::OauthTokens;
use crate::credentials::aws::CachedKeys;

/// One exchange. After a failure every later step fails likewise.
pub struct Exchange {
    mechanism: Mechanism,
    state: State,
    failed: Option<Failure>,
    fetched: Vec<SecretBytes>,
}

/// What an exchange begins with.
pub(super) enum Start {
    Client(Client),
    Tokens(OauthTokens),
    Keys {
        keys: CachedKeys,
        host: String,
        region: String,
    },
    Md5(SecretText, SecretBytes),
}

enum State {
    Begins(Start),
    /// A client that has begun, and waits for the server.
    Client(Client),
    /// A token was sent.
    Token(OauthTokens),
    /// A signature was sent.
    Signature,
    Over,
}

impl Exchange {
    pub(super) fn new(mechanism: Mechanism, start: Start) -> Self {
        Self {
            mechanism,
            state: State::Begins(start),
            failed: None,
            fetched: Vec::new(),
        }
    }

    /// The answer to a challenge of at most 64 KiB. An empty one begins an exchange in which the
    /// client speaks first; `POSTGRES-MD5` begins with the server's salt.
    ///
    /// # Errors
    ///
    /// [`SaslError`]: there are no credentials, the challenge does not belong here, or the server
    /// refused or could not prove itself.
    pub async fn step(&mut self, challenge: &[u8]) -> Result<Answer, SaslError> {
        if let Some(failure) = &self.failed {
            return Err(SaslError::Failed(failure.clone()));
        }
        let answered = match challenge.len() > LONGEST_CHALLENGE {
            true => Err(SaslError::LongChallenge),
            false => self.answer(challenge).await,
        };
        if let Err(error) = &answered {
            self.fail(error.failure());
        }
        answered
    }

    /// Ends it, for this reason: every later step fails likewise. Whoever stops waiting for a step
    /// calls this.
    pub fn fail(&mut self, failure: Failure) {
        self.state = State::Over;
        self.failed = Some(failure);
    }

    /// Secrets that the last step fetched and no plan has: tokens and signatures, so that nobody
    /// shows them where a server sends them back.
    pub fn take_fetched(&mut self) -> Vec<SecretBytes> {
        std::mem::take(&mut self.fetched)
    }

    async fn answer(&mut self, challenge: &[u8]) -> Result<Answer, SaslError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Begins(Start::Md5(user, password)) => {
                md5::answer(&user, &password, challenge).map(Answer::Last)
            }
            State::Begins(_) if !challenge.is_empty() => Err(SaslError::Challenge),
            State::Begins(Start::Client(mut client)) => {
                let (message, over) = client.step(None)?;
                if over {
                    return Ok(Answer::Last(message));
                }
                self.state = State::Client(client);
                Ok(Answer::Message(message))
            }
            State::Begins(Start::Tokens(tokens)) => {
                let token = tokens.token().await?;
                self.fetched.push(token.clone().into());
                let mut client = Client::new(self.mechanism, Credentials::Token(token), &[])?;
                let (message, _) = client.step(None)?;
                self.state = State::Token(tokens);
                Ok(Answer::Last(message))
            }
            State::Begins(Start::Keys { keys, host, region }) => {
                let keys = keys.get().await?;
                let payload = iam::payload(&keys, &host, &region, SystemTime::now())?;
                let token = keys.token.iter().cloned().map(SecretBytes::from);
                self.fetched.extend(token);
                self.state = State::Signature;
                Ok(Answer::Message(payload))
            }
            State::Client(client) => self.proceed(client, challenge).await,
            State::Token(_) if challenge.is_empty() => Ok(Answer::Done),
            State::Token(tokens) => {
                // The next exchange asks for another one.
                tokens.forget();
                Err(SaslError::Refused(bearer::refusal(challenge)))
            }
            State::Signature if iam::is_accepted(challenge) => Ok(Answer::Done),
            State::Signature => Err(SaslError::Challenge),
            State::Over => Err(SaslError::Over),
        }
    }

    /// A step of `SCRAM`, which may be a second of work; so it is done where nobody else waits.
    async fn proceed(&mut self, mut client: Client, challenge: &[u8]) -> Result<Answer, SaslError> {
        if !scram::is_well_formed(challenge) {
            return Err(SaslError::Challenge);
        }
        if let Some(refusal) = scram::refusal(challenge) {
            return Err(SaslError::Refused(refusal));
        }
        let challenge = challenge.to_vec();
        let working = spawn_blocking(move || {
            let answered = client.step(Some(&challenge));
            (client, answered)
        });
        // A panic of the library is a challenge that it cannot read.
        let (client, answered) = working.await.map_err(|_| SaslError::Challenge)?;
        match answered? {
            (_, true) => Ok(Answer::Done),
            (message, false) => {
                self.state = State::Client(client);
                Ok(Answer::Message(message))
            }
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}
