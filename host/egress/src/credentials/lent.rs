//! What a host lends its connections.

use std::sync::Arc;

use super::aws::{AwsSource, HostEnvironment};
use crate::MetadataClient;

/// The host's own credentials, for connections that ask for them (`AUTH=implicit`). Nothing is lent
/// but what the embedding program puts in here; the default lends nothing and reads nothing.
#[derive(Debug, Clone, Default)]
pub struct Lent {
    environment: Option<HostEnvironment>,
    aws_machine: Option<Arc<dyn AwsSource>>,
    metadata: Option<MetadataClient>,
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

    /// Lends what the metadata services of other clouds give this machine, where the variables say
    /// nothing.
    #[must_use]
    pub fn with_metadata(mut self, metadata: MetadataClient) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The variables that are lent, if any are.
    #[must_use]
    pub fn environment(&self) -> Option<&HostEnvironment> {
        self.environment.as_ref()
    }

    /// The key of the machine, if it is lent.
    pub(crate) fn aws_machine(&self) -> Option<Arc<dyn AwsSource>> {
        self.aws_machine.clone()
    }

    /// The metadata service of the machine, if it is lent.
    #[must_use]
    pub fn metadata(&self) -> Option<MetadataClient> {
        self.metadata.clone()
    }
}
