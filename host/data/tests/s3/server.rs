//! The way of these tests to their servers: plans, stores and what comes of them.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use portolan_contract::{
    AssumedRole, Endpoint, Failure, Kind, ObjectStorePlan, PLAN_FORMAT, Plan, PlanEntry,
    RuleContext, StoredPlan, TlsProfile, TlsVerification,
};
use portolan_data::Backends;
use portolan_egress::{Egress, EgressOptions};
use portolan_secret::SecretBytes;

use super::cloud;
pub(crate) use super::cloud::expect;
pub(crate) use portolan_servers::s3::*;

/// The client's way to a server.
pub(crate) trait Reached {
    fn options(&self) -> EgressOptions;

    fn store(&self, plan: &StoredPlan) -> Arc<dyn ObjectStore> {
        backends(self.options()).build(plan).expect("built")
    }
}

impl Reached for Server {
    fn options(&self) -> EgressOptions {
        let ways = self.ways();
        let ways: Vec<_> = ways.iter().map(|(from, to)| (&**from, *to)).collect();
        EgressOptions {
            silence_timeout: Duration::from_secs(2),
            ..cloud::ways(&self.authority, &ways)
        }
    }
}

pub(crate) fn backends(options: EgressOptions) -> Backends {
    Backends::new(None).with_egress(Egress::new(options))
}

/// The plan that the provider makes of a bucket, with what a test wants otherwise.
pub(crate) struct Planned {
    pub(crate) host: &'static str,
    pub(crate) bucket: &'static str,
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    pub(crate) secrets: Vec<(&'static str, String)>,
    pub(crate) roles: Vec<AssumedRole>,
}

impl Default for Planned {
    fn default() -> Self {
        Self {
            host: HOST,
            bucket: BUCKET,
            settings: vec![
                ("credentials", "specified"),
                ("access-key-id", KEY),
                ("region", REGION),
            ],
            secrets: vec![("secret-access-key", SECRET.to_owned())],
            roles: Vec::new(),
        }
    }
}

impl Planned {
    /// Replaces a setting.
    pub(crate) fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.unset(name);
        self.settings.push((name, value));
        self
    }

    pub(crate) fn unset(&mut self, name: &'static str) {
        self.settings.retain(|(other, _)| *other != name);
    }

    /// Replaces a secret.
    pub(crate) fn secret(mut self, name: &'static str, value: &str) -> Self {
        self.secrets.retain(|(other, _)| *other != name);
        self.secrets.push((name, value.to_owned()));
        self
    }

    pub(crate) fn plan(&self) -> StoredPlan {
        let tls = |name: &str| {
            PlanEntry::Tls(TlsProfile {
                name: name.to_owned(),
                certificate_authority: None,
                client_certificate: None,
                client_key: None,
                verify: TlsVerification::Full,
            })
        };
        let endpoint = |host: &str, profile: &str| {
            PlanEntry::Endpoint(Endpoint {
                host: host.to_owned(),
                port: 443,
                tls_profile: Some(profile.to_owned()),
            })
        };
        let mut entries = vec![
            PlanEntry::Kind(Kind::Storage),
            tls("server"),
            tls("server-of-tokens"),
            endpoint(self.host, "server"),
            PlanEntry::ObjectStore(ObjectStorePlan {
                backend: "s3".to_owned(),
                container: self.bucket.to_owned(),
                prefix: "in/the harbour".to_owned(),
            }),
        ];
        if !self.roles.is_empty() {
            entries.push(endpoint(TOKEN_HOST, "server-of-tokens"));
        }
        for (name, value) in &self.settings {
            entries.push(PlanEntry::Setting((*name).to_owned(), (*value).to_owned()));
        }
        entries.extend(self.roles.iter().cloned().map(PlanEntry::AssumeRole));
        let secrets = self.secrets.iter();
        StoredPlan {
            format: PLAN_FORMAT,
            provider: "s3".to_owned(),
            provider_version: "0.1.0".parse().expect("a version"),
            plan: Plan { entries },
            context: RuleContext::default(),
            secrets: secrets
                .map(|(name, value)| ((*name).to_owned(), SecretBytes::new(value.as_str())))
                .collect(),
            places: Vec::new(),
        }
    }
}

/// The failure of an operation, after looking for what must not be in it.
pub(crate) fn failure(error: &object_store::Error) -> Failure {
    cloud::failure(error, &[SECRET, CHATTER, "Signature=", "https://", "X-Amz"])
}
