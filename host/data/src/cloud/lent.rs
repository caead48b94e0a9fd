//! What a host lends its connections.

use std::sync::Arc;

use portolan_egress::credentials::aws::AwsSource;
use portolan_egress::credentials::{HostEnvironment, TokenSource};

use super::CloudError;

/// The host's own credentials, for connections that ask for them (`AUTH=implicit`). Nothing is lent
/// but what the embedding program puts in here; the default lends nothing and reads nothing.
#[derive(Debug, Clone, Default)]
pub struct Lent {
    environment: Option<HostEnvironment>,
    aws_machine: Option<Arc<dyn AwsSource>>,
    google_machine: Option<Arc<dyn TokenSource>>,
}

impl Lent {
    /// Lends what these variables hold or point to.
    #[must_use]
    pub fn with_environment(mut self, environment: HostEnvironment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Lends the key that AWS gives to this machine, where the variables hold none.
    #[must_use]
    pub fn with_aws_machine(mut self, machine: Arc<dyn AwsSource>) -> Self {
        self.aws_machine = Some(machine);
        self
    }

    /// Lends the tokens that Google gives to this machine, where no variable names a key.
    #[must_use]
    pub fn with_google_machine(mut self, machine: Arc<dyn TokenSource>) -> Self {
        self.google_machine = Some(machine);
        self
    }

    /// The variables that are lent.
    pub(crate) fn environment(&self) -> Result<&HostEnvironment, CloudError> {
        self.environment.as_ref().ok_or(CloudError::NothingLent)
    }

    pub(crate) fn aws_machine(&self) -> Option<Arc<dyn AwsSource>> {
        self.aws_machine.clone()
    }

    pub(crate) fn google_machine(&self) -> Option<Arc<dyn TokenSource>> {
        self.google_machine.clone()
    }
}
