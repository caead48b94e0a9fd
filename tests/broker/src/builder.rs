//! Making a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use portolan_servers::{Identity, RsaKey};

use crate::cluster::Cluster;
use crate::sasl::{AwsKey, Tokens, Users};
use crate::settings::Settings;
use crate::stored::Partition;
use crate::tls;

/// What a cluster will be.
pub struct ClusterBuilder {
    brokers: i32,
    topics: BTreeMap<String, Vec<Partition>>,
    identity: Option<Identity>,
    client_authority: Option<String>,
    users: Users,
    settings: Settings,
}

impl Default for ClusterBuilder {
    fn default() -> Self {
        Self {
            brokers: 1,
            topics: BTreeMap::new(),
            identity: None,
            client_authority: None,
            users: Users::default(),
            settings: Settings {
                host: "localhost".to_owned(),
                tls: None,
                mechanisms: Vec::new(),
                users: Arc::default(),
                without_handshake: false,
                session_lifetime: None,
                tampers: false,
                newest: BTreeMap::new(),
            },
        }
    }
}

impl ClusterBuilder {
    /// So many brokers, numbered from 0.
    #[must_use]
    pub fn brokers(mut self, count: i32) -> Self {
        self.brokers = count;
        self
    }

    /// The host name that brokers advertise; `localhost` without it.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.settings.host);
        self
    }

    /// A topic, whose partitions the brokers lead in turn.
    #[must_use]
    pub fn topic(mut self, name: &str, partitions: i32) -> Self {
        let partitions = (0..partitions).map(Partition::led_by).collect();
        self.topics.insert(name.to_owned(), partitions);
        self
    }

    /// TLS with this certificate.
    #[must_use]
    pub fn tls(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// Only clients with a certificate of this authority (PEM) get in.
    #[must_use]
    pub fn client_authority(mut self, pem: &str) -> Self {
        self.client_authority = Some(pem.to_owned());
        self
    }

    /// Clients have to authenticate with one of these mechanisms.
    #[must_use]
    pub fn mechanisms(mut self, names: &[&str]) -> Self {
        self.settings.mechanisms = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// A user of PLAIN and SCRAM.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.add(name, password);
        self
    }

    /// OAUTHBEARER takes tokens that this key signed for this audience and that have not expired.
    #[must_use]
    pub fn tokens(mut self, key: Arc<RsaKey>, audience: &str) -> Self {
        self.users.tokens = Some(Tokens {
            key,
            audience: audience.to_owned(),
        });
        self
    }

    /// AWS_MSK_IAM takes signatures of this key for this region.
    #[must_use]
    pub fn aws_key(mut self, id: &str, secret: &str, region: &str) -> Self {
        self.users.aws = Some(AwsKey {
            id: id.to_owned(),
            secret: secret.to_owned(),
            region: region.to_owned(),
            token: None,
        });
        self
    }

    /// The key of [`ClusterBuilder::aws_key`] is temporary, and goes with this session token.
    #[must_use]
    pub fn aws_session_token(mut self, token: &str) -> Self {
        if let Some(aws) = &mut self.users.aws {
            aws.token = Some(token.to_owned());
        }
        self
    }

    /// The exchange begins at once, without a handshake and without Kafka's frames around its
    /// messages, as at some proxies.
    #[must_use]
    pub fn without_handshake(mut self) -> Self {
        self.settings.without_handshake = true;
        self
    }

    /// Who does not authenticate again within this time is cut off.
    #[must_use]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.session_lifetime = Some(lifetime);
        self
    }

    /// The signature with which the server ends SCRAM is wrong, as of one that does not know the
    /// password.
    #[must_use]
    pub fn tamper_with_server_signatures(mut self) -> Self {
        self.settings.tampers = true;
        self
    }

    /// Speaks no newer version of this kind of request, as an older broker.
    #[must_use]
    pub fn newest_version(mut self, api: ApiKey, version: i16) -> Self {
        self.settings.newest.insert(api as i16, version);
        self
    }

    /// Starts it.
    #[must_use]
    pub fn start(mut self) -> Cluster {
        for partitions in self.topics.values_mut() {
            for partition in partitions {
                partition.leader %= self.brokers;
            }
        }
        self.settings.users = Arc::new(self.users);
        let authority = self.client_authority.as_deref();
        self.settings.tls = self
            .identity
            .map(|identity| Arc::new(tls::config(&identity, authority)));
        Cluster::start(self.brokers, self.settings, self.topics)
    }
}

impl std::fmt::Debug for ClusterBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterBuilder").finish_non_exhaustive()
    }
}
