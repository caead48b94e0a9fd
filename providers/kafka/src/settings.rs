//! What phase two reads of the plan.

use portolan_sdk::{Failure, FailureClass, Plan, joined};

/// The longest name of a topic that Kafka takes.
const MAX_TOPIC_BYTES: usize = 249;

/// The settings that mechanisms read.
const MECHANISM_SETTINGS: [&str; 7] = [
    "user",
    "token-url",
    "client-id",
    "grant-type",
    "scope",
    "region",
    "session-name",
];

/// The plan, as phase two uses it.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The TLS profile of every broker; in plain text without it.
    pub(crate) profile: Option<String>,
    /// The mechanism; nobody authenticates without it.
    pub(crate) mechanism: Option<String>,
    /// Whether the mechanism is told first.
    pub(crate) handshake: bool,
    /// The brokers of the plan: host and port.
    pub(crate) places: Vec<(String, u16)>,
    /// What a mechanism reads.
    texts: Vec<(&'static str, String)>,
    scheme: String,
    name: Option<String>,
    prefix: String,
}

impl Settings {
    pub(crate) fn of(plan: &Plan) -> Self {
        let text = |name: &str| plan.setting(name).map(str::to_owned);
        let first = plan.endpoint_number(0);
        let mut texts = Vec::new();
        for name in MECHANISM_SETTINGS {
            if let Some(value) = text(name) {
                texts.push((name, value));
            }
        }
        let mut places = Vec::new();
        let brokers = plan.setting("brokers");
        let brokers = brokers.and_then(|count| count.parse().ok()).unwrap_or(1);
        for number in 0..brokers {
            if let Some(endpoint) = plan.endpoint_number(number) {
                places.push((endpoint.host.clone(), endpoint.port));
            }
        }
        Self {
            profile: first.and_then(|endpoint| endpoint.tls_profile.clone()),
            mechanism: text("sasl-mechanism"),
            handshake: plan.setting("sasl-handshake") != Some("false"),
            name: text("topic-name"),
            prefix: text("topic-prefix").unwrap_or_default(),
            places,
            texts,
            scheme: text("scheme").unwrap_or_default(),
        }
    }

    /// What the plan says for a mechanism.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut texts = self.texts.iter();
        texts.find_map(|(known, text)| (*known == name).then_some(&**text))
    }

    /// The numbers of the brokers, as endpoints of the plan.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (u32, &(String, u16))> {
        (0..).zip(&self.places)
    }

    /// The topic that the plan names for every message.
    pub(crate) fn only_topic(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        Some(joined(&[&self.prefix, name]))
    }

    /// The topic that a message's topic becomes.
    ///
    /// # Errors
    ///
    /// Kafka has no topic of that name.
    pub(crate) fn topic(&self, named: &str) -> Result<String, Failure> {
        let name = joined(&[&self.prefix, self.name.as_deref().unwrap_or(named)]);
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = (1..=MAX_TOPIC_BYTES).contains(&name.len())
            && name.bytes().all(is_legal)
            && name != "."
            && name != "..";
        match is_name {
            true => Ok(name),
            false => Err(Failure::new(
                FailureClass::InvalidUri,
                "a message is for a topic that Kafka cannot have",
            )
            .with_hint(
                "A topic has 1 to 249 letters, digits, dots, underscores and hyphens, its prefix \
                 included.",
            )),
        }
    }

    /// The options that hold the credentials, for hints.
    pub(crate) fn credentials(&self) -> &'static str {
        match (&*self.scheme, self.mechanism.as_deref()) {
            ("confluent-cloud", _) => "api_key and api_secret",
            ("azure-event-hub", _) => "shared_access_key_name and shared_access_key",
            (_, Some("OAUTHBEARER")) => {
                "sasl_client_id, sasl_client_secret, sasl_token_url and sasl_scopes"
            }
            (_, Some("AWS_MSK_IAM")) => {
                "sasl_aws_region and sasl_aws_iam_role_arn, and what the role may do"
            }
            _ => "sasl_user, sasl_password and sasl_mechanism",
        }
    }
}
