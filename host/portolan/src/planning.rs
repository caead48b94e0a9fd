//! From a URI to a plan: the provider is found by the scheme, phase one runs, and the policy judges.

use std::sync::Arc;
use std::time::Instant;

use portolan_catalog::{ConnectionSecrets, ConnectionTarget};
use portolan_contract::{
    Kind, PLAN_FORMAT, Plan, RuleContext, StoredPlan, scheme_of, split, with_lower_case_scheme,
};
use portolan_sandbox::Provider;
use portolan_secret::SecretText;

use crate::call::Call;
use crate::metrics::sqlstate_of;
use crate::policy;
use crate::providers::{Entry, Registry};
use crate::{Error, SqlState};

/// What every failure to plan or probe a connection begins with.
pub(crate) const DETAILS: &str = "failed to construct External Connection details";

/// A URI that was planned, and everything that its row will hold.
pub(crate) struct Planned {
    pub(crate) entry: Arc<Entry>,
    pub(crate) provider: Provider,
    /// As it is stored: as given, but for the scheme.
    pub(crate) uri: SecretText,
    pub(crate) stored: StoredPlan,
    pub(crate) redacted_uri: String,
}

impl Planned {
    pub(crate) fn plan(&self) -> &Plan {
        &self.stored.plan
    }

    /// The type that SHOW prints.
    pub(crate) fn connection_type(&self) -> &'static str {
        connection_type(self.plan())
    }

    /// What is stored of it.
    pub(crate) fn target(&self) -> Result<ConnectionTarget, Error> {
        Ok(ConnectionTarget {
            connection_type: self.connection_type().to_owned(),
            provider: self.stored.provider.clone(),
            provider_version: self.stored.provider_version.to_string(),
            redacted_uri: self.redacted_uri.clone(),
            implicit_access: self.plan().implicit_access().is_some(),
            plan_format: PLAN_FORMAT,
            secrets: ConnectionSecrets {
                uri: self.uri.clone(),
                plan: self.stored.to_bytes()?,
            },
        })
    }
}

/// The type of a plan; the contract has every plan name a kind.
pub(crate) fn connection_type(plan: &Plan) -> &'static str {
    plan.kinds()
        .next()
        .map_or(Kind::Storage.connection_type(), Kind::connection_type)
}

/// The provider that answers for the scheme of a URI.
pub(crate) async fn provider_of(call: &Call<'_>, uri: &SecretText) -> Result<Arc<Entry>, Error> {
    let scheme = scheme_of(uri.expose()).map_err(|error| Error::from(error).prefixed(DETAILS))?;
    // Without `://` it may be the beginning of something else, a secret among others.
    let marked = uri
        .expose()
        .get(scheme.len()..)
        .is_some_and(|rest| rest.starts_with("://"));
    if !marked {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            "the scheme of the URI is not followed by ://",
        )
        .with_hint("write it as scheme://host/path?NAME=value; the host may be empty")
        .prefixed(DETAILS));
    }
    let registry = Arc::clone(&call.host.providers);
    let entry = call
        .read(move |access| {
            registry
                .by_scheme(access.reader(), &scheme)
                .map_err(|error| error.prefixed(DETAILS))
        })
        .await?;
    call.runs(entry.name());
    Ok(entry)
}

/// Plans a URI and judges its endpoints by name. Nothing is dialled or resolved.
pub(crate) async fn plan(
    call: &Call<'_>,
    entry: Arc<Entry>,
    uri: &SecretText,
) -> Result<Planned, Error> {
    let planned = plan_unjudged(call, entry, uri).await?;
    policy::judge(&call.host.egress, &planned.stored)
        .map_err(|error| in_provider_words(&planned.entry, error))?;
    Ok(planned)
}

/// Plans a URI and leaves the judgement to the caller.
pub(crate) async fn plan_unjudged(
    call: &Call<'_>,
    entry: Arc<Entry>,
    uri: &SecretText,
) -> Result<Planned, Error> {
    let started = Instant::now();
    let name = entry.name().to_owned();
    let result = plan_by(&call.host.providers, entry, uri).await;
    let metrics = &call.host.metrics;
    metrics.plan(&name, sqlstate_of(&result), started.elapsed());
    result
}

/// Plans a URI with one of the providers of a registry.
pub(crate) async fn plan_by(
    providers: &Registry,
    entry: Arc<Entry>,
    uri: &SecretText,
) -> Result<Planned, Error> {
    let manifest = entry.manifest();
    let in_words = |error: Error| error.prefixed(DETAILS);
    let uri = with_lower_case_scheme(uri).map_err(|error| in_words(error.into()))?;
    let split = split(&uri, manifest).map_err(|error| in_words(error.into()))?;
    let provider = entry.load(providers).await.map_err(in_words)?.clone();
    let planned = provider
        .plan(&split)
        .await
        .map_err(|error| in_provider_words(&entry, error.into()))?;
    let stored = StoredPlan::new(
        &manifest.name,
        manifest.version,
        planned.plan,
        RuleContext::new(&split.pieces),
        &split.secrets,
    )?;
    Ok(Planned {
        provider,
        uri,
        stored,
        redacted_uri: planned.redacted_uri,
        entry,
    })
}

/// An error of a provider, after the words with which a failure of its kind begins.
pub(crate) fn in_provider_words(entry: &Entry, error: Error) -> Error {
    let error = match &entry.manifest().failure_prefix {
        Some(prefix) => error.prefixed(prefix),
        None => error,
    };
    error.prefixed(DETAILS)
}
