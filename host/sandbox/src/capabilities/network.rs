//! The endpoints of one plan, as one operation may reach them.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use portolan_contract::{Endpoint, Failure, FailureClass, Manifest, StoredPlan};
use portolan_data::hint_for_endpoint;
use portolan_egress::credentials::Lent;
use portolan_egress::service::ServiceClient;
use portolan_egress::{Connection, Egress, EgressError, Resolved};
use wasmtime::component::{Resource, ResourceTable};

use super::parts::Opaque;
use crate::Fault;
use crate::budget::Budget;
use crate::guest::{Guest, Patience};

/// The most connections that are open in one operation.
const MAX_CONNECTIONS: usize = 64;
/// The most handles to opaque parts that are alive in one operation.
const MAX_OPAQUES: usize = 256;

/// The way to the endpoints of a plan, and what the guest holds of it. All of it ends with the
/// operation, and so do its sockets.
pub(crate) struct Network {
    way: Way,
    pub(super) manifest: Arc<Manifest>,
    pub(super) plan: Arc<StoredPlan>,
    places: Vec<Place>,
    pub(super) table: ResourceTable,
    connections: usize,
    opaques: usize,
}

/// The way out of this host that operations of one connection have in common: what one of them
/// dialled, and the tokens and keys that it got, serve the next one as well.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    egress: Egress,
    lent: Lent,
    /// Made for the first request.
    services: Arc<OnceLock<ServiceClient>>,
}

impl Way {
    pub(crate) fn new(egress: Egress, lent: Lent) -> Self {
        Self {
            egress,
            lent,
            services: Arc::default(),
        }
    }

    /// The way to the services of the plan. A failure to make it is not kept.
    fn services(
        &self,
        plan: &Arc<StoredPlan>,
        manifest: &Manifest,
    ) -> Result<ServiceClient, Failure> {
        if let Some(services) = self.services.get() {
            return Ok(services.clone());
        }
        let made = ServiceClient::new(&self.egress, plan, manifest, self.lent.clone());
        let made = made.map_err(|error| error.failure())?;
        // Where two make it at the same time, both use the first one.
        Ok(self.services.get_or_init(|| made).clone())
    }
}

/// One endpoint.
struct Place {
    endpoint: Endpoint,
    /// Whether a rule of the manifest admits it. The plan was checked when it was made, but maybe
    /// by another version of the manifest.
    admitted: bool,
    /// Its addresses, and the generation of the policy that judged them.
    found: Option<(u64, Resolved)>,
}

/// What a call works with.
pub(super) struct Access<'a> {
    pub(super) network: &'a mut Network,
    pub(super) budget: &'a mut Budget,
    pub(super) patience: Patience,
}

impl Network {
    /// The way to the endpoints of this plan; none if it has no endpoint.
    pub(crate) fn new(way: Way, plan: &Arc<StoredPlan>, manifest: &Arc<Manifest>) -> Option<Self> {
        let places: Vec<Place> = plan
            .plan
            .endpoints()
            .map(|endpoint| Place {
                endpoint: endpoint.clone(),
                admitted: manifest.endpoint_rule(endpoint, &plan.context).is_some(),
                found: None,
            })
            .collect();
        (!places.is_empty()).then(|| Self {
            way,
            manifest: Arc::clone(manifest),
            plan: Arc::clone(plan),
            places,
            table: ResourceTable::new(),
            connections: 0,
            opaques: 0,
        })
    }

    fn place(&mut self, number: u32) -> Result<&mut Place, Fault> {
        let known = self.places.len();
        self.places.get_mut(number as usize).ok_or_else(|| {
            Fault::Contract(format!(
                "named endpoint {number}, and its plan has {known}, counted from 0"
            ))
        })
    }

    /// An endpoint that a request may go to.
    pub(super) fn admitted(&mut self, number: u32) -> Result<Result<Endpoint, Failure>, Fault> {
        let place = self.place(number)?;
        Ok(match place.admitted {
            true => Ok(place.endpoint.clone()),
            false => Err(no_rule(&place.endpoint)),
        })
    }

    /// The way to the services of the plan.
    pub(super) fn services(&self) -> Result<ServiceClient, Failure> {
        self.way.services(&self.plan, &self.manifest)
    }

    /// That an endpoint of this number is in the plan.
    pub(super) fn knows(&mut self, number: u32) -> Result<(), Fault> {
        self.place(number).map(|_| ())
    }

    /// Resolves an endpoint, once in an operation. Where the policy was replaced meanwhile, the new
    /// one judges.
    pub(super) async fn resolve(
        &mut self,
        number: u32,
        budget: &mut Budget,
        patience: &Patience,
    ) -> Result<Result<Resolved, Failure>, Fault> {
        let egress = self.way.egress.clone();
        let place = self.place(number)?;
        if !place.admitted {
            return Ok(Err(no_rule(&place.endpoint)));
        }
        let (generation, _) = egress.policy().get();
        if let Some((judged, found)) = &place.found
            && *judged == generation
        {
            return Ok(Ok(found.clone()));
        }
        budget.count_dial()?;
        let Endpoint { host, port, .. } = place.endpoint.clone();
        let plan = Arc::clone(&self.plan);
        let resolving = async {
            let resolved = egress.resolve(&host, port).await;
            resolved.map_err(|error| unreached(&plan, number, &error))
        };
        let resolved = patience.wait(resolving).await;
        let place = self.place(number)?;
        if let Ok(found) = &resolved {
            place.found = Some((generation, found.clone()));
        }
        Ok(resolved)
    }

    /// Dials an endpoint.
    pub(super) async fn connect(
        &mut self,
        number: u32,
        budget: &mut Budget,
        patience: &Patience,
    ) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        self.knows(number)?;
        if self.connections == MAX_CONNECTIONS {
            return Err(Fault::Connections(MAX_CONNECTIONS).into());
        }
        let resolved = match self.resolve(number, budget, patience).await? {
            Ok(resolved) => resolved,
            Err(failure) => return Ok(Err(failure)),
        };
        budget.count_dial()?;
        let egress = self.way.egress.clone();
        let endpoint = &self.place(number)?.endpoint;
        let dialling = async {
            let opened = Connection::open(&egress, &resolved, endpoint).await;
            opened.map_err(|error| error.failure())
        };
        match patience.wait(dialling).await {
            Err(failure) => Ok(Err(failure)),
            Ok(connection) => {
                let handle = self.table.push(connection)?;
                self.connections += 1;
                Ok(Ok(handle))
            }
        }
    }

    /// Closes a connection.
    pub(super) fn hang_up(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.connections -= 1;
        Ok(())
    }

    /// The places of all connections that can be read, once there is one.
    pub(super) fn poll_readable(
        &mut self,
        connections: &[Resource<Connection>],
        context: &mut Context<'_>,
    ) -> Poll<wasmtime::Result<Vec<u32>>> {
        let mut readable = Vec::new();
        for (place, connection) in (0..).zip(connections) {
            match self.table.get_mut(connection) {
                Err(error) => return Poll::Ready(Err(error.into())),
                Ok(connection) => {
                    if connection.poll_readable(context).is_ready() {
                        readable.push(place);
                    }
                }
            }
        }
        match readable.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(Ok(readable)),
        }
    }

    /// A handle to opaque bytes.
    pub(crate) fn lend(&mut self, opaque: Opaque) -> wasmtime::Result<Resource<Opaque>> {
        if self.opaques == MAX_OPAQUES {
            return Err(Fault::Handles(MAX_OPAQUES).into());
        }
        let handle = self.table.push(opaque)?;
        self.opaques += 1;
        Ok(handle)
    }

    /// The bytes of a handle that is used up.
    pub(crate) fn take(&mut self, handle: Resource<Opaque>) -> wasmtime::Result<Opaque> {
        let opaque = self.table.delete(handle)?;
        self.opaques -= 1;
        Ok(opaque)
    }
}

impl Guest {
    /// The guest has called an interface that is granted together with the endpoints of the plan.
    pub(super) fn network(&mut self, import: &str) -> Result<Access<'_>, Fault> {
        self.enter()?;
        let patience = self.patience();
        match self.lent.as_mut().and_then(|lent| lent.network.as_mut()) {
            Some(network) => Ok(Access {
                network,
                budget: &mut self.budget,
                patience,
            }),
            None => Err(Fault::NotGranted(format!("portolan:host/{import}"))),
        }
    }
}

/// The failure of a name that leads nowhere, or where the policy does not let anybody go.
fn unreached(plan: &StoredPlan, number: u32, error: &EgressError) -> Failure {
    let mut failure = error.failure();
    if matches!(
        error,
        EgressError::Denied(_) | EgressError::NoSuchName { .. }
    ) {
        failure.hint = Some(hint_for_endpoint(&plan.plan, number as usize, error.hint()));
    }
    failure
}

fn no_rule(endpoint: &Endpoint) -> Failure {
    let Endpoint { host, port, .. } = endpoint;
    Failure::new(
        FailureClass::Denied,
        format!("no rule of the provider's manifest admits {host}:{port}"),
    )
    .with_hint("create the connection again with this version of the provider")
}
