//! VALIDATE EXTERNAL CONNECTION.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portolan_catalog::{Connection, ConnectionPrivilege};
use portolan_contract::{PLAN_FORMAT, Step, StoredPlan, Version};
use portolan_statement as ast;

use super::alter::{stored_uri, unchanged};
use super::create::text_of;
use crate::access::Access;
use crate::call::Call;
use crate::open::check_provider;
use crate::planning::{self, Planned};
use crate::providers::Entry;
use crate::{Cell, Error, Outcome, Rows, policy, probing, user_files};

const COLUMNS: [&str; 5] = ["step", "outcome", "duration_ms", "detail", "hint"];

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::ValidateConnection,
) -> Result<Outcome, Error> {
    let name = call.name(&statement.name)?.to_string();
    let (connection, may_update) = call
        .read(move |access: &Access<'_>| {
            let connection = access.require_existing(&name, ConnectionPrivilege::Usage)?;
            let may_update = access.has(&connection, ConnectionPrivilege::Update)?;
            Ok((connection, may_update))
        })
        .await?;
    let (entry, uri) = stored_uri(call, &connection).await?;
    let given = text_of(call, statement.validate.as_ref())?;
    let validate = probing::wanted(given, entry.manifest().default_validate)?;

    let mut report = Report::default();
    let started = Instant::now();
    let planned = planning::plan_unjudged(call, Arc::clone(&entry), &uri).await;
    let plan_took = started.elapsed();
    let stored = match planned {
        Err(error) => {
            report.failed("plan", plan_took, &error);
            return finish(call, report).await;
        }
        // With USAGE alone it is told of the plan that is used, and nothing is changed.
        Ok(_) if !may_update => match plan_in_use(call, &connection).await {
            Ok(stored) => stored,
            Err(error) => {
                report.failed("plan", plan_took, &error);
                return finish(call, report).await;
            }
        },
        Ok(mut planned) => {
            let set = match user_files::settle(call, &mut planned, Some(&connection)).await {
                Ok(set) => set,
                Err(error) => {
                    report.failed("plan", plan_took, &error);
                    return finish(call, report).await;
                }
            };
            renew(call, &connection, &entry, &planned, set).await?;
            planned.stored
        }
    };
    report.ok("plan", plan_took);

    let started = Instant::now();
    let judged = policy::judge(&call.host.egress, &stored);
    match judged {
        Ok(()) => report.ok("policy", started.elapsed()),
        Err(error) => {
            report.failed("policy", started.elapsed(), &error);
            return finish(call, report).await;
        }
    }
    if let Some(depth) = validate.depth() {
        let started = Instant::now();
        let provider = entry.load(&call.host.providers).await?;
        match probing::probe(call, provider, stored, depth).await {
            Ok(probed) => {
                report.steps(&probed.steps);
                if let Err(error) = &probed.result {
                    report.failed("provider", started.elapsed(), &error.clone().into());
                }
            }
            Err(error) => report.failed("provider", started.elapsed(), &error),
        }
    }
    finish(call, report).await
}

/// The plan that `open` uses.
async fn plan_in_use(call: &Call<'_>, connection: &Connection) -> Result<StoredPlan, Error> {
    let connection = connection.clone();
    let registry = Arc::clone(&call.host.providers);
    call.read(move |access| {
        let secrets = access.reader().secrets_of(&connection)?;
        let stored = StoredPlan::from_bytes(&secrets.plan)?;
        check_provider(access, &registry, &connection, &stored)?;
        Ok(stored)
    })
    .await
}

/// Writes the plan anew where this host plans the URI otherwise than what is stored. What a newer
/// host or provider planned is left alone.
async fn renew(
    call: &Call<'_>,
    connection: &Connection,
    entry: &Entry,
    planned: &Planned,
    set: Option<String>,
) -> Result<(), Error> {
    let stored_by: Option<Version> = connection.provider_version.parse().ok();
    let by_newer = connection.plan_format > PLAN_FORMAT
        || (connection.provider == entry.name()
            && stored_by.is_some_and(|version| version > entry.manifest().version));
    if by_newer {
        return Ok(());
    }
    let target = planned.target()?;
    let before = connection.clone();
    let same = call
        .read({
            let (before, target) = (before.clone(), target.clone());
            move |access| {
                let secrets = access.reader().secrets_of(&before)?;
                Ok(secrets == target.secrets
                    && before.redacted_uri == target.redacted_uri
                    && before.implicit_access == target.implicit_access)
            }
        })
        .await?;
    if same {
        return Ok(());
    }
    super::create::require_implicit_access(call, planned).await?;
    let provider = entry.name().to_owned();
    call.change(move |actor, writer, row| {
        let now = unchanged(actor, writer, &before)?;
        if target.implicit_access {
            actor.access(&*writer)?.require_implicit_access(&provider)?;
        }
        if let Some(set) = &set {
            user_files::take(actor, writer, set)?;
        }
        writer.replace_connection(now.id, before.version, &target)?;
        row.detail = Some("planned again".to_owned());
        Ok(())
    })
    .await
}

async fn finish(call: &Call<'_>, report: Report) -> Result<Outcome, Error> {
    match &report.failed {
        // The statement has succeeded: what failed is the connection, and the trail says so.
        Some((_, error)) => call.note_of(error, report.summary()).await?,
        None => call.note(Some(report.summary())).await?,
    }
    let mut outcome = Outcome::rows(Rows::ready(&COLUMNS, report.rows));
    outcome.failed = report.failed.map(|(_, error)| error);
    Ok(outcome)
}

/// The rows so far.
#[derive(Default)]
struct Report {
    rows: Vec<Vec<Cell>>,
    /// The first step that failed, and why.
    failed: Option<(String, Error)>,
}

impl Report {
    fn ok(&mut self, step: &str, took: Duration) {
        self.row(step, "ok", took, None, None);
    }

    fn failed(&mut self, step: &str, took: Duration, error: &Error) {
        self.row(step, "failed", took, Some(error.message()), error.hint());
        self.failed
            .get_or_insert_with(|| (step.to_owned(), error.clone()));
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            use portolan_contract::Outcome as Of;
            let details: Vec<_> = step
                .details
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let details = (!details.is_empty()).then(|| details.join(", "));
            let detail = match &step.outcome {
                Of::Ok => details,
                Of::Skipped(why) => Some(why.clone()),
                Of::Failed(failure) => {
                    self.failed(&step.name, step.duration, &failure.clone().into());
                    continue;
                }
            };
            let word = step.outcome.word();
            self.row(&step.name, word, step.duration, detail.as_deref(), None);
        }
    }

    fn row(
        &mut self,
        step: &str,
        outcome: &'static str,
        took: Duration,
        detail: Option<&str>,
        hint: Option<&str>,
    ) {
        self.rows.push(vec![
            step.into(),
            outcome.into(),
            i64::try_from(took.as_millis()).unwrap_or(i64::MAX).into(),
            detail.into(),
            hint.into(),
        ]);
    }

    /// For the audit trail.
    fn summary(&self) -> String {
        match &self.failed {
            None => "every step succeeded or was skipped".to_owned(),
            Some((step, _)) => format!("the step {step} failed"),
        }
    }
}
