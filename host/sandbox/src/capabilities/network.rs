//! The endpoints of one plan, as one operation may reach them.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use portolan_contract::{Endpoint, Failure, FailureClass, Manifest, StoredPlan};
use portolan_data::hint_for_endpoint;
use portolan_egress::credentials::Lent;
use portolan_egress::sasl::Authenticator;
use portolan_egress::service::ServiceClient;
use portolan_egress::{Connection, Egress, EgressError, Resolved};
use wasmtime::component::{Resource, ResourceTable};

use super::parts::Opaque;
use crate::Fault;
use crate::budget::Budget;
use crate::guest::{Guest, Patience};

/// The most connections that are open in one operation.
const MAX_CONNECTIONS: usize = 64;
/// The most further brokers of one operation.
const MAX_BROKERS: usize = 64;
/// The most handles to opaque parts that are alive in one operation.
const MAX_OPAQUES: usize = 256;

/// The way to the endpoints of a plan, and what the guest holds of it. All of it ends with the
/// operation, and so do its sockets.
pub(crate) struct Network {
    way: Way,
    pub(super) manifest: Arc<Manifest>,
    pub(super) plan: Arc<StoredPlan>,
    places: Vec<Place>,
    /// How many exchanges were begun.
    pub(super) exchanges: usize,
    /// Brokers that servers named.
    brokers: Vec<Place>,
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
    /// Made for the first exchange.
    authenticator: Arc<OnceLock<Authenticator>>,
}

impl Way {
    pub(crate) fn new(egress: Egress, lent: Lent) -> Self {
        Self {
            egress,
            lent,
            services: Arc::default(),
            authenticator: Arc::default(),
        }
    }

    /// Who begins the authentication exchanges of the plan.
    fn authenticator(&self, plan: &Arc<StoredPlan>, manifest: &Manifest) -> &Authenticator {
        self.authenticator
            .get_or_init(|| Authenticator::new(&self.egress, plan, manifest, self.lent.clone()))
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
    /// Its number in the plan; none for a broker that a server named.
    number: Option<usize>,
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
            .enumerate()
            .map(|(number, endpoint)| Place {
                number: Some(number),
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
            exchanges: 0,
            brokers: Vec::new(),
            table: ResourceTable::new(),
            connections: 0,
            opaques: 0,
        })
    }

    /// Whether the guest holds a handle of it.
    pub(crate) fn is_held(&self) -> bool {
        !self.table.is_empty()
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

    /// Who begins the authentication exchanges of the plan.
    pub(super) fn authenticator(&self) -> &Authenticator {
        self.way.authenticator(&self.plan, &self.manifest)
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
        let plan = Arc::clone(&self.plan);
        let place = self.place(number)?;
        place.resolve(&egress, &plan, budget, patience).await
    }

    /// Dials an endpoint.
    pub(super) async fn connect(
        &mut self,
        number: u32,
        budget: &mut Budget,
        patience: &Patience,
    ) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        self.knows(number)?;
        self.may_connect()?;
        let egress = self.way.egress.clone();
        let plan = Arc::clone(&self.plan);
        let place = self.place(number)?;
        let connected = place.connect(&egress, &plan, budget, patience).await?;
        self.hold(connected)
    }

    /// Dials a broker that a server of the plan named, where the policy for such brokers allows it.
    pub(super) async fn connect_further(
        &mut self,
        number: u32,
        host: &str,
        port: u16,
        budget: &mut Budget,
        patience: &Patience,
    ) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        self.knows(number)?;
        self.may_connect()?;
        let place = self.place(number)?;
        if !place.admitted {
            return Ok(Err(no_rule(&place.endpoint)));
        }
        let tls_profile = place.endpoint.tls_profile.clone();
        let egress = self.way.egress.clone();
        // Judged each time: the policy may have been replaced.
        let (_, policy) = egress.policy().get();
        let bootstrap = self.plan.context.authority().iter();
        let bootstrap: Vec<_> = bootstrap
            .map(|known| (known.host.clone(), known.port))
            .collect();
        if let Err(denial) = policy.judge_broker(&bootstrap, host, port) {
            let failure = Failure::new(denial.class(), denial.to_string());
            return Ok(Err(failure.with_hint(denial.hint())));
        }
        let endpoint = Endpoint {
            host: host.to_owned(),
            port,
            tls_profile,
        };
        let known = self
            .brokers
            .iter()
            .position(|known| known.endpoint == endpoint);
        let known = match known {
            Some(known) => known,
            None if self.brokers.len() == MAX_BROKERS => {
                return Err(Fault::Brokers(MAX_BROKERS).into());
            }
            None => {
                self.brokers.push(Place {
                    number: None,
                    endpoint,
                    admitted: true,
                    found: None,
                });
                self.brokers.len() - 1
            }
        };
        let connected = self.brokers[known]
            .connect(&egress, &self.plan, budget, patience)
            .await?;
        self.hold(connected)
    }

    fn may_connect(&self) -> Result<(), Fault> {
        match self.connections == MAX_CONNECTIONS {
            true => Err(Fault::Connections(MAX_CONNECTIONS)),
            false => Ok(()),
        }
    }

    /// A handle to a connection.
    fn hold(
        &mut self,
        connected: Result<Connection, Failure>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        match connected {
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

impl Place {
    /// Its addresses, looked up once in an operation.
    async fn resolve(
        &mut self,
        egress: &Egress,
        plan: &StoredPlan,
        budget: &mut Budget,
        patience: &Patience,
    ) -> Result<Result<Resolved, Failure>, Fault> {
        if !self.admitted {
            return Ok(Err(no_rule(&self.endpoint)));
        }
        let (generation, _) = egress.policy().get();
        if let Some((judged, found)) = &self.found
            && *judged == generation
        {
            return Ok(Ok(found.clone()));
        }
        budget.count_dial()?;
        let Endpoint { host, port, .. } = &self.endpoint;
        let resolving = async {
            let resolved = egress.resolve(host, *port).await;
            resolved.map_err(|error| self.unreached(plan, &error))
        };
        let resolved = patience.wait(resolving).await;
        if let Ok(found) = &resolved {
            self.found = Some((generation, found.clone()));
        }
        Ok(resolved)
    }

    /// The failure of a name that leads nowhere, or where the policy does not let anybody go.
    fn unreached(&self, plan: &StoredPlan, error: &EgressError) -> Failure {
        let mut failure = error.failure();
        if let (Some(number), EgressError::Denied(_) | EgressError::NoSuchName { .. }) =
            (self.number, error)
        {
            failure.hint = Some(hint_for_endpoint(&plan.plan, number, error.hint()));
        }
        failure
    }

    /// Dials one of them.
    async fn connect(
        &mut self,
        egress: &Egress,
        plan: &StoredPlan,
        budget: &mut Budget,
        patience: &Patience,
    ) -> Result<Result<Connection, Failure>, Fault> {
        let resolved = match self.resolve(egress, plan, budget, patience).await? {
            Ok(resolved) => resolved,
            Err(failure) => return Ok(Err(failure)),
        };
        budget.count_dial()?;
        let dialling = async {
            let opened = Connection::open(egress, &resolved, &self.endpoint).await;
            opened.map_err(|error| error.failure())
        };
        Ok(patience.wait(dialling).await)
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

fn no_rule(endpoint: &Endpoint) -> Failure {
    let Endpoint { host, port, .. } = endpoint;
    Failure::new(
        FailureClass::Denied,
        format!("no rule of the provider's manifest admits {host}:{port}"),
    )
    .with_hint("create the connection again with this version of the provider")
}
