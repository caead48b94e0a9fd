//! A loaded provider, and its phase one. What it does in phase two stands in one file for each kind
//! of connection.

use std::sync::Arc;

use portolan_contract::{Manifest, SplitUri};
use tokio::sync::Semaphore;

use crate::acting::Actor;
use crate::binding::Unbound;
use crate::budget::Budget;
use crate::guest::{self, Guest};
use crate::metrics::Phase;
use crate::operation::Operation;
use crate::planning::Planner;
use crate::refusal::Refusal;
use crate::sandbox::export_type;
use crate::{BindError, Fault, Planned, ProviderError, ProviderId, Sandbox};

/// A component that is compiled, checked and linked; cheap to clone.
#[derive(Clone)]
pub struct Provider {
    pub(crate) sandbox: Sandbox,
    pub(crate) prepared: Arc<Prepared>,
}

/// What is made of a component once, however often it is loaded.
pub(crate) struct Prepared {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) id: ProviderId,
    pub(crate) digest: String,
    pub(crate) planner: Planner,
    pub(crate) actor: Actor,
    pub(crate) permits: Arc<Semaphore>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("id", &self.prepared.id)
            .field("digest", &self.prepared.digest)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// What the provider says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.prepared.manifest
    }

    /// SHA-256 of its component, in lower-case hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.prepared.digest
    }

    /// Name and version.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.prepared.id
    }

    /// Plans and redacts a URI that was split by this provider's manifest, in one fresh instance
    /// from which no byte can leave, and checks both answers: what is planned is in the manifest,
    /// each secret exists and is named once, and the redacted URI keeps secrets and redacts to
    /// itself.
    ///
    /// Dropping the future ends the instance.
    ///
    /// # Errors
    ///
    /// The provider refuses the URI, was stopped, or gave an answer that breaks a rule.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn plan(&self, uri: &SplitUri) -> Result<Planned, ProviderError> {
        let limits = self.sandbox.limits();
        let wall = limits.planning_wall_time;
        let (operation, budget) = Operation::new(self, Phase::Planning, wall);
        let planning = async {
            let _lease = operation.lease().await;
            let guest = Guest { budget, lent: None };
            let mut store = guest::store(self.sandbox.engine(), guest);
            let planner = &self.prepared.planner;
            planner.run(&mut store, self.manifest(), uri, limits).await
        };
        operation.run(Box::pin(planning)).await
    }

    /// Binds every export in fresh instances that are lent nothing, which is when the runtime
    /// compares their types with the contract's. What runs of the component is its start code.
    ///
    /// # Errors
    ///
    /// An export has another type, or the provider was stopped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn bind(&self) -> Result<(), BindError> {
        let limits = self.sandbox.limits();
        let wall = limits.planning_wall_time;
        let (operation, _) = Operation::new(self, Phase::Planning, wall);
        let binding = async {
            let _lease = operation.lease().await;
            let fresh = || {
                let budget = Budget::new(self.sandbox.shared_limits());
                guest::store(self.sandbox.engine(), Guest { budget, lent: None })
            };
            let Prepared { planner, actor, .. } = &*self.prepared;
            planner.start(&mut fresh(), limits).await.map(drop)?;
            actor.start(&mut fresh(), limits).await
        };
        let bound = operation.within(binding).await;
        bound.map_err(|unbound| match unbound {
            Unbound::Start(fault) => self.stopped(fault).into(),
            Unbound::Type(export, error) => {
                export_type(&self.prepared.id.name, export, &error).into()
            }
        })
    }

    pub(crate) fn stopped(&self, fault: Fault) -> ProviderError {
        ProviderError::Fault {
            provider: self.prepared.id.clone(),
            fault,
        }
    }

    pub(crate) fn refused(&self, refusal: Refusal) -> ProviderError {
        match refusal {
            Refusal::Refused(failure) => ProviderError::Refused(failure),
            Refusal::Fault(fault) => self.stopped(fault),
            Refusal::Answer(problem) => ProviderError::Answer {
                provider: self.prepared.id.clone(),
                problem,
            },
        }
    }
}
