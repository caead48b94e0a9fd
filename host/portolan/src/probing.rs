//! Phase two: a probe with the handles that a plan is granted, while no transaction is held.

use std::sync::Arc;
use std::time::Instant;

use object_store::ObjectStore;
use portolan_contract::{Depth, StoredPlan, Validate};
use portolan_sandbox::{ProbeRequest, Probed, Provider};
use portolan_secret::SecretText;

use crate::call::Call;
use crate::metrics::sqlstate_of;
use crate::planning::{Planned, in_provider_words};
use crate::{Error, SqlState};

/// How far to validate: what the statement says, or the provider's own default.
pub(crate) fn wanted(given: Option<&SecretText>, default: Validate) -> Result<Validate, Error> {
    let Some(given) = given else {
        return Ok(default);
    };
    match given.expose().to_ascii_lowercase().as_str() {
        "none" => Ok(Validate::None),
        "read" => Ok(Validate::Read),
        "full" => Ok(Validate::Full),
        _ => Err(Error::new(
            SqlState::InvalidParameterValue,
            "the value of VALIDATE is not known",
        )
        .with_hint("write VALIDATE = 'none', 'read' or 'full'")),
    }
}

/// Probes what was planned and refuses it where a step fails. Dropping the future ends the probe.
pub(crate) async fn validate(
    call: &Call<'_>,
    planned: &Planned,
    validate: Validate,
) -> Result<(), Error> {
    let Some(depth) = validate.depth() else {
        return Ok(());
    };
    let probed = probe(call, &planned.provider, planned.stored.clone(), depth)
        .await
        .map_err(|error| in_provider_words(&planned.entry, error))?;
    match probed.failure() {
        None => Ok(()),
        Some(error) => Err(in_provider_words(&planned.entry, error.into())),
    }
}

/// Runs a probe. The error is the host's own; what the probe found is in the answer.
pub(crate) async fn probe(
    call: &Call<'_>,
    provider: &Provider,
    plan: StoredPlan,
    depth: Depth,
) -> Result<Probed, Error> {
    let store = store_of(call, &plan).await?;
    let name = plan.provider.clone();
    let started = Instant::now();
    let probed = provider
        .probe(ProbeRequest {
            plan,
            depth,
            store,
            egress: Some(call.host.egress.clone()),
            lent: call.host.lent.clone(),
            timeout: call.time_left(),
        })
        .await;
    let result = match probed.failure() {
        Some(error) => Err(Error::from(error)),
        None => Ok(()),
    };
    let metrics = &call.host.metrics;
    metrics.probe(&name, sqlstate_of(&result), started.elapsed());
    Ok(probed)
}

async fn store_of(
    call: &Call<'_>,
    plan: &StoredPlan,
) -> Result<Option<Arc<dyn ObjectStore>>, Error> {
    if plan.plan.object_store().is_none() {
        return Ok(None);
    }
    let backends = call.host.backends.clone();
    let plan = plan.clone();
    let built = call
        .host
        .runtime
        .spawn_blocking(move || backends.build(&plan))
        .await
        .map_err(|_| interrupted())?;
    Ok(Some(built?))
}

/// The error of work whose runtime is shutting down.
pub(crate) fn interrupted() -> Error {
    Error::new(SqlState::QueryCanceled, "the host is shutting down")
        .with_hint("try it again once the program runs again")
}
