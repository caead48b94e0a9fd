//! Begins the exchanges of one plan.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use portolan_contract::{Manifest, StoredPlan};

use super::exchange::{Exchange, Start};
use super::properties::Properties;
use super::{Mechanism, Property, SaslError, bearer, client, iam};
use crate::Egress;
use crate::credentials::aws::CachedKeys;
use crate::credentials::{Lent, OauthTokens};

/// Begins the exchanges of one plan. Tokens and keys that it fetched serve all of them.
pub struct Authenticator {
    egress: Egress,
    plan: Arc<StoredPlan>,
    lent: Lent,
    /// The option whose value is the URL of the token service.
    token_url: Option<String>,
    /// By what the exchange was begun with.
    held: Mutex<HashMap<Vec<Property>, Held>>,
}

#[derive(Clone)]
enum Held {
    Tokens(OauthTokens),
    Keys(CachedKeys),
}

/// The connection that an exchange runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The name that was dialled.
    pub host: String,
    /// Its channel binding `tls-server-end-point`; empty where there is none.
    pub server_end_point: Vec<u8>,
}

impl Authenticator {
    /// For the exchanges of this plan. Nothing is dialled yet.
    #[must_use]
    pub fn new(egress: &Egress, plan: &Arc<StoredPlan>, manifest: &Manifest, lent: Lent) -> Self {
        let mut options = manifest.options.iter();
        let token_url = options.find(|option| option.token_url);
        Self {
            egress: egress.clone(),
            plan: Arc::clone(plan),
            lent,
            token_url: token_url.map(|option| option.name.clone()),
            held: Mutex::default(),
        }
    }

    /// Begins an exchange. Nothing is dialled before its first step.
    ///
    /// # Errors
    ///
    /// [`SaslError`]: what the mechanism needs is not there.
    pub fn start(
        &self,
        mechanism: Mechanism,
        properties: &[Property],
        channel: Option<&Channel>,
    ) -> Result<Exchange, SaslError> {
        let values = Properties::of(mechanism, properties, &self.plan)?;
        let start = match mechanism {
            Mechanism::OauthBearer => {
                let held = self.hold(properties, || {
                    let option = self.token_url.as_deref();
                    bearer::tokens(&self.egress, &self.plan, option, &values).map(Held::Tokens)
                })?;
                match held {
                    Held::Tokens(tokens) => Start::Tokens(tokens),
                    Held::Keys(_) => return Err(SaslError::ForeignProperty),
                }
            }
            Mechanism::AwsMskIam => {
                let channel = channel.ok_or(SaslError::NoChannel)?;
                let held = self.hold(properties, || {
                    iam::keys(&self.egress, &self.plan, &self.lent, &values).map(Held::Keys)
                })?;
                match held {
                    Held::Keys(keys) => Start::Keys {
                        keys,
                        host: channel.host.clone(),
                        region: iam::region(&values)?,
                    },
                    Held::Tokens(_) => return Err(SaslError::ForeignProperty),
                }
            }
            Mechanism::PostgresMd5 => {
                Start::Md5(values.text("user")?, values.bytes("password")?.clone())
            }
            _ => Start::Client(password_client(mechanism, &values, channel)?),
        };
        Ok(Exchange::new(mechanism, start))
    }

    /// What is held for these properties; made where there is nothing yet.
    fn hold(
        &self,
        properties: &[Property],
        make: impl FnOnce() -> Result<Held, SaslError>,
    ) -> Result<Held, SaslError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.get(properties) {
            return Ok(held.clone());
        }
        let made = make()?;
        held.insert(properties.to_vec(), made.clone());
        Ok(made)
    }
}

fn password_client(
    mechanism: Mechanism,
    values: &Properties,
    channel: Option<&Channel>,
) -> Result<client::Client, SaslError> {
    let (user, password) = (values.text("user")?, values.bytes("password")?.clone());
    if user.expose().contains('\0') || password.expose().contains(&0) {
        return Err(SaslError::Unwritable);
    }
    let binding = channel.map_or(&[][..], |channel| &channel.server_end_point);
    if mechanism.is_bound() && binding.is_empty() {
        return Err(match channel {
            None => SaslError::NoChannel,
            Some(_) => SaslError::Unbindable,
        });
    }
    client::Client::new(
        mechanism,
        client::Credentials::Password(user, password),
        binding,
    )
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}
