//! What the host lends its connections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portolan_secret::SecretText;

use super::{AwsCredentialError, AwsKeys, AwsSource, TokenService};
use crate::credentials::identity_file;

/// The variables that the host may lend credentials from. Nobody else's are read.
#[derive(Clone)]
pub struct HostEnvironment(Variables);

#[derive(Clone)]
enum Variables {
    Process,
    Given(Arc<BTreeMap<String, SecretText>>),
}

impl HostEnvironment {
    /// Those of this process, read whenever they are needed.
    #[must_use]
    pub fn process() -> Self {
        Self(Variables::Process)
    }

    /// These and no others.
    #[must_use]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.to_owned(), SecretText::from(value)));
        Self(Variables::Given(Arc::new(variables.collect())))
    }

    /// The value of a variable; an empty one counts as none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<SecretText> {
        let value = match &self.0 {
            Variables::Process => std::env::var(name).ok().map(SecretText::new),
            Variables::Given(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for HostEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostEnvironment")
    }
}

/// The keys that the host lends, in the order of AWS's own tools: `AWS_ACCESS_KEY_ID` and
/// `AWS_SECRET_ACCESS_KEY`; the role `AWS_ROLE_ARN` for the identity in the file
/// `AWS_WEB_IDENTITY_TOKEN_FILE`; and what is plugged in, for a machine that the cloud itself gives
/// credentials to. No profile is read and no command is run.
#[derive(Debug)]
pub struct LentKeys {
    environment: HostEnvironment,
    service: TokenService,
    machine: Option<Arc<dyn AwsSource>>,
}

impl LentKeys {
    /// What these variables lend; a web identity is shown to `service`.
    #[must_use]
    pub fn new(environment: HostEnvironment, service: TokenService) -> Self {
        Self {
            environment,
            service,
            machine: None,
        }
    }

    /// The same, and where the variables lend nothing, the key of the machine.
    #[must_use]
    pub fn or_machine(mut self, machine: Arc<dyn AwsSource>) -> Self {
        self.machine = Some(machine);
        self
    }

    fn of_variables(&self) -> Option<AwsKeys> {
        Some(AwsKeys {
            id: self
                .environment
                .get("AWS_ACCESS_KEY_ID")?
                .expose()
                .to_owned(),
            secret: self.environment.get("AWS_SECRET_ACCESS_KEY")?,
            token: self.environment.get("AWS_SESSION_TOKEN"),
            life: None,
        })
    }

    async fn of_identity(
        &self,
        file: &SecretText,
        role: &SecretText,
    ) -> Result<AwsKeys, AwsCredentialError> {
        let identity = identity_file::read(file.clone()).await;
        let identity = identity.ok_or(AwsCredentialError::IdentityFile)?;
        let session = self.environment.get("AWS_ROLE_SESSION_NAME");
        let session = session.as_ref().map(SecretText::expose);
        let assumed = self
            .service
            .assume_role_with_web_identity(role.expose(), session, &identity)
            .await;
        assumed.map_err(|failed| {
            failed.into_error(|refusal, code| AwsCredentialError::IdentityRefused { refusal, code })
        })
    }
}

#[async_trait]
impl AwsSource for LentKeys {
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
        if let Some(keys) = self.of_variables() {
            return Ok(keys);
        }
        let file = self.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE");
        if let (Some(file), Some(role)) = (file, self.environment.get("AWS_ROLE_ARN")) {
            return self.of_identity(&file, &role).await;
        }
        match &self.machine {
            Some(machine) => machine.fetch().await,
            None => Err(AwsCredentialError::NothingLent),
        }
    }
}
