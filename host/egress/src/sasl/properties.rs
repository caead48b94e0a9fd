//! What an exchange is begun with.

use portolan_contract::StoredPlan;
use portolan_secret::{SecretBytes, SecretText};

use super::{MOST_PROPERTIES, Mechanism, SaslError};

/// What a mechanism needs, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Property {
    /// A public value: its name and text.
    Text(String, String),
    /// A named secret of the plan: the property's name and the secret's.
    Secret(String, String),
    /// A kind of a later version of the contract.
    Other,
}

/// The values of an exchange's properties, each of them once and known to its mechanism.
pub(super) struct Properties(Vec<(String, SecretBytes)>);

impl Properties {
    /// The values, taken from the plan where they are secret.
    pub(super) fn of(
        mechanism: Mechanism,
        properties: &[Property],
        plan: &StoredPlan,
    ) -> Result<Self, SaslError> {
        if properties.len() > MOST_PROPERTIES {
            return Err(SaslError::TooManyProperties);
        }
        let (needed, possible) = mechanism.properties();
        let mut values: Vec<(String, SecretBytes)> = Vec::with_capacity(properties.len());
        for property in properties {
            let (name, value) = match property {
                Property::Text(name, text) => (name, SecretBytes::new(text.as_bytes())),
                Property::Secret(name, secret) => {
                    let value = plan.secret(secret).ok_or(SaslError::NoSuchSecret)?;
                    (name, value.clone())
                }
                Property::Other => return Err(SaslError::PropertyOfLaterContract),
            };
            let known = needed.iter().chain(possible).any(|known| known == name);
            if !known || values.iter().any(|(other, _)| other == name) {
                return Err(SaslError::ForeignProperty);
            }
            values.push((name.clone(), value));
        }
        let properties = Self(values);
        for name in needed {
            properties.bytes(name)?;
        }
        Ok(properties)
    }

    /// The bytes of a property, at least one.
    pub(super) fn bytes(&self, name: &'static str) -> Result<&SecretBytes, SaslError> {
        let found = self.0.iter().find(|(other, _)| other == name);
        let (_, value) = found.ok_or(SaslError::MissingProperty(name))?;
        match value.is_empty() {
            true => Err(SaslError::EmptyProperty(name)),
            false => Ok(value),
        }
    }

    /// The text of a property.
    pub(super) fn text(&self, name: &'static str) -> Result<SecretText, SaslError> {
        let bytes = self.bytes(name)?.clone();
        bytes.into_text().map_err(|_| SaslError::NoText(name))
    }

    /// The text of a property that may be missing; an empty one counts as missing.
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<SecretText>, SaslError> {
        match self.text(name) {
            Err(SaslError::MissingProperty(_) | SaslError::EmptyProperty(_)) => Ok(None),
            text => text.map(Some),
        }
    }
}
