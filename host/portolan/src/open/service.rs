//! A provider that works for a handle, with what it is granted.

use std::sync::Arc;

use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use portolan_sandbox::{Grants, Provider};

use super::made::Made;
use super::pinned::Pinned;
use crate::Error;
use crate::host::Shared;
use crate::providers::Registry;

/// A provider, and what it is granted for one version of a connection. Its connections and tokens are
/// kept for as long as the grants are.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) provider: Provider,
    pub(super) grants: Grants,
}

/// The services of one handle, one for each version that it uses.
pub(super) struct Services {
    made: Made<Service>,
    maker: Maker,
}

/// What services are made with.
struct Maker {
    egress: Egress,
    lent: Lent,
    providers: Arc<Registry>,
}

impl Services {
    /// Makes the first one. Nothing is dialled.
    pub(super) async fn open(host: &Shared, pinned: &Arc<Pinned>) -> Result<Self, Error> {
        let maker = Maker {
            egress: host.egress.clone(),
            lent: host.lent.clone(),
            providers: Arc::clone(&host.providers),
        };
        let first = maker.make(pinned).await?;
        Ok(Self {
            made: Made::new(Arc::clone(pinned), first),
            maker,
        })
    }

    /// The one of this version.
    pub(super) async fn of(&self, pinned: &Arc<Pinned>) -> Result<Service, Error> {
        self.made.of(pinned, self.maker.make(pinned)).await
    }
}

impl Maker {
    async fn make(&self, pinned: &Pinned) -> Result<Service, Error> {
        let provider = pinned.provider.load(&self.providers).await?.clone();
        let grants = Grants::new(Arc::clone(&pinned.stored));
        Ok(Service {
            provider,
            grants: grants.with_network(self.egress.clone(), self.lent.clone()),
        })
    }
}
