//! A plan as it lies in the store.

use portolan_secret::SecretBytes;
use serde::{Deserialize, Serialize};

use crate::{Fragment, Plan, PlanEntry, RuleContext, SecretNumber, Secrets, Version};

/// The format that this version writes.
pub const PLAN_FORMAT: u32 = 1;

/// A plan with everything that is needed to act on it without its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// The format that it was written in.
    pub format: u32,
    /// The provider that made it.
    pub provider: String,
    /// The provider's version; the plan is used as it is while the major one is the same.
    pub provider_version: Version,
    /// What the connection becomes.
    pub plan: Plan,
    /// What the manifest's rules refer to.
    pub context: RuleContext,
    /// The plan's named secrets, put together, in the order of the plan.
    pub secrets: Vec<(String, SecretBytes)>,
    /// Where in the URI each secret stood that the plan names: its number, and the option's name or
    /// `{user}`, `{password}` or `{path}`, as `reveal` in a manifest writes them.
    pub places: Vec<(SecretNumber, String)>,
}

/// Why a stored plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredPlanError {
    /// A newer host wrote it.
    #[error(
        "the plan of the connection has format {found}, and this version reads formats up to \
         {PLAN_FORMAT}"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Its bytes are no plan.
    #[error("the plan of the connection cannot be read")]
    Unreadable,
    /// It refers to a secret that the URI does not have.
    #[error("the plan names secret {0}, which the URI does not have")]
    NoSuchSecret(u32),
}

/// The bytes; secrets are standard base64, which JSON can carry whatever they hold.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    provider: String,
    provider_version: Version,
    plan: Plan,
    context: RuleContext,
    secrets: Vec<(String, String)>,
    #[serde(default)]
    places: Vec<(SecretNumber, String)>,
}

/// What is read first, of any format.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl StoredPlan {
    /// A plan of this version's format, its named secrets put together from those of the URI.
    ///
    /// # Errors
    ///
    /// [`StoredPlanError::NoSuchSecret`] where the plan names a secret that is not there.
    pub fn new(
        provider: &str,
        provider_version: Version,
        plan: Plan,
        context: RuleContext,
        secrets: &Secrets,
    ) -> Result<Self, StoredPlanError> {
        let mut composed = Vec::new();
        let mut places = Vec::new();
        for entry in &plan.entries {
            if let PlanEntry::Secret(named) = entry {
                let value = secrets
                    .compose(&named.fragments)
                    .map_err(StoredPlanError::NoSuchSecret)?;
                composed.push((named.name.clone(), value));
                for fragment in &named.fragments {
                    if let Fragment::Secret(number) = fragment
                        && let Some(secret) = secrets.get(*number)
                    {
                        places.push((*number, secret.place().to_string()));
                    }
                }
            }
        }
        Ok(Self {
            format: PLAN_FORMAT,
            provider: provider.to_owned(),
            provider_version,
            plan,
            context,
            secrets: composed,
            places,
        })
    }

    /// The value of a named secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&SecretBytes> {
        self.secrets
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// The bytes to seal. They hold the secrets.
    ///
    /// # Errors
    ///
    /// [`StoredPlanError::Unreadable`] is never seen in practice: it stands for what the encoder
    /// could refuse.
    pub fn to_bytes(&self) -> Result<SecretBytes, StoredPlanError> {
        let written = Written {
            format: self.format,
            provider: self.provider.clone(),
            provider_version: self.provider_version,
            plan: self.plan.clone(),
            context: self.context.clone(),
            places: self.places.clone(),
            secrets: self
                .secrets
                .iter()
                .map(|(name, value)| (name.clone(), crate::uri::encode_base64(value.expose())))
                .collect(),
        };
        let bytes = serde_json::to_vec(&written).map(SecretBytes::new);
        written.forget();
        bytes.map_err(|_| StoredPlanError::Unreadable)
    }

    /// Reads what [`StoredPlan::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`StoredPlanError`]; it holds nothing of the bytes but a format number.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self, StoredPlanError> {
        let unreadable = |_| StoredPlanError::Unreadable;
        let head: Head = serde_json::from_slice(bytes.expose()).map_err(unreadable)?;
        if head.format > PLAN_FORMAT {
            return Err(StoredPlanError::Newer { found: head.format });
        }
        let mut written: Written = serde_json::from_slice(bytes.expose()).map_err(unreadable)?;
        let secrets = std::mem::take(&mut written.secrets)
            .into_iter()
            .map(|(name, value)| {
                let encoded = SecretBytes::new(value.into_bytes());
                let decoded = crate::uri::decode_base64(encoded.expose())
                    .map_err(|_| StoredPlanError::Unreadable)?;
                Ok((name, SecretBytes::new(decoded)))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            format: written.format,
            provider: written.provider,
            provider_version: written.provider_version,
            plan: written.plan,
            context: written.context,
            secrets,
            places: written.places,
        })
    }
}

impl Written {
    /// Wipes the copies of the secrets.
    fn forget(self) {
        for (_, value) in self.secrets {
            drop(SecretBytes::new(value.into_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use portolan_secret::SecretText;

    use super::*;
    use crate::{Kind, Manifest, NamedSecret, split};

    fn stored(number: u32) -> Result<StoredPlan, StoredPlanError> {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []",
        )
        .expect("a manifest");
        let uri = split(&SecretText::new("n://h:1/p?key=hunt%ffer"), &manifest).expect("it splits");
        let plan = Plan {
            entries: vec![
                PlanEntry::Kind(Kind::Storage),
                PlanEntry::Secret(NamedSecret {
                    name: "header".into(),
                    fragments: vec![Fragment::Text("Key ".into()), Fragment::Secret(number)],
                }),
            ],
        };
        StoredPlan::new(
            "n",
            manifest.version,
            plan,
            RuleContext::new(&uri.pieces),
            &uri.secrets,
        )
    }

    #[test]
    fn a_plan_reads_back_as_it_was_written() {
        let plan = stored(0).expect("a plan");
        assert_eq!(
            plan.secret("header").map(SecretBytes::expose),
            Some(&b"Key hunt\xffer"[..])
        );
        assert_eq!(plan.places, [(0, "key".to_owned())]);
        let bytes = plan.to_bytes().expect("bytes");
        assert_eq!(StoredPlan::from_bytes(&bytes), Ok(plan.clone()));
        assert!(!format!("{plan:?}").contains("hunt"));
    }

    #[test]
    fn a_secret_that_is_not_there_is_no_plan() {
        assert_eq!(stored(1), Err(StoredPlanError::NoSuchSecret(1)));
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let read =
            |text: &str| StoredPlan::from_bytes(&SecretBytes::new(text)).expect_err("refused");
        assert_eq!(
            read("{\"format\":2,\"new\":[]}"),
            StoredPlanError::Newer { found: 2 }
        );
        assert_eq!(read("{\"format\":1}"), StoredPlanError::Unreadable);
        assert_eq!(read("hunter2"), StoredPlanError::Unreadable);
    }
}
