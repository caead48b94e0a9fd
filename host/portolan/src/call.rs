//! One statement on its way: its parameters, its transactions and its row in the audit trail.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portolan_catalog::{AuditObject, AuditOutcome, CatalogHandle, Reader, Writer};
use portolan_contract::ConnectionName;
use portolan_secret::SecretText;
use portolan_statement::{Statement, StatementKind, Text, UnboundPlaceholder};

use crate::access::{Access, Actor};
use crate::host::Shared;
use crate::session::past_deadline;
use crate::trail::{AuditRow, outcome_of};
use crate::{Error, SqlState};

/// What the audit trail calls the question whether a user may have a session.
pub(crate) const OPEN_SESSION: &str = "OPEN SESSION";

/// A statement, or an administrative method, that is being executed.
pub(crate) struct Call<'a> {
    pub(crate) host: &'a Shared,
    pub(crate) actor: Actor,
    parameters: &'a [SecretText],
    action: &'static str,
    statement: Option<String>,
    object: Mutex<Option<AuditObject>>,
    provider: Mutex<Option<String>>,
    deadline: Option<Instant>,
    committing: AtomicBool,
    noted: AtomicBool,
}

impl<'a> Call<'a> {
    /// The execution of a statement. Its masked print goes to the audit trail.
    pub(crate) fn of_statement(
        host: &'a Shared,
        actor: &Actor,
        statement: &Statement,
        parameters: &'a [SecretText],
    ) -> Self {
        Self {
            host,
            actor: actor.clone(),
            parameters,
            statement: Some(statement.to_string()),
            ..Self::of_method(host, actor, statement.tag())
        }
    }

    /// The execution of a method that is no statement.
    pub(crate) fn of_method(host: &'a Shared, actor: &Actor, action: &'static str) -> Self {
        Self {
            host,
            actor: actor.clone(),
            parameters: &[],
            action,
            statement: None,
            object: Mutex::new(None),
            provider: Mutex::new(None),
            deadline: deadline_of(actor),
            committing: AtomicBool::new(false),
            noted: AtomicBool::new(false),
        }
    }

    /// What is done: the tag of the statement, or the name of the method.
    pub(crate) fn action(&self) -> &'static str {
        self.action
    }

    /// When the answer is of no use any more.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the answer is still of use.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether a change is being made durable, which nothing stops any more.
    pub(crate) fn is_committing(&self) -> bool {
        self.committing.load(Ordering::Relaxed)
    }

    /// Whether the success of this call is in the audit trail.
    pub(crate) fn is_noted(&self) -> bool {
        self.noted.load(Ordering::Relaxed)
    }

    /// Says which provider the call runs.
    pub(crate) fn runs(&self, provider: &str) {
        *lock(&self.provider) = Some(provider.to_owned());
    }

    /// Writes what became known meanwhile into the call's span.
    pub(crate) fn describe(&self, span: &tracing::Span) {
        if let Some(object) = &*lock(&self.object) {
            span.record("object", tracing::field::display(object));
        }
        if let Some(provider) = &*lock(&self.provider) {
            span.record("provider", provider.as_str());
        }
    }

    pub(crate) fn catalog(&self) -> &CatalogHandle {
        &self.host.catalog
    }

    /// A text of the statement, or the parameter that stands for it.
    pub(crate) fn text(&self, text: &'a Text) -> Result<&'a SecretText, Error> {
        Ok(text.resolve(self.parameters)?)
    }

    /// The parameter of a placeholder, counted from 1.
    pub(crate) fn parameter(&self, number: u32) -> Result<&'a SecretText, Error> {
        let place = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let found = place.and_then(|place| self.parameters.get(place));
        Ok(found.ok_or(UnboundPlaceholder(number))?)
    }

    /// A connection's name, which the audit trail then names.
    pub(crate) fn name(&self, text: &'a Text) -> Result<ConnectionName, Error> {
        let name: ConnectionName = self.text(text)?.expose().parse()?;
        self.concerns(AuditObject::connection(name.as_str()));
        Ok(name)
    }

    /// Says what the audit row of this call is about.
    pub(crate) fn concerns(&self, object: AuditObject) {
        *lock(&self.object) = Some(object);
    }

    /// The row for the audit trail, of a success.
    pub(crate) fn row(&self) -> AuditRow {
        let object = lock(&self.object).clone();
        AuditRow::new(&self.actor, self.action, object).with_statement(self.statement.clone())
    }

    /// Reads one consistent state, privileges at hand.
    pub(crate) async fn read<T, F>(&self, function: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Access<'_>) -> Result<T, Error> + Send + 'static,
    {
        let actor = self.actor.clone();
        self.catalog()
            .read(move |reader: &dyn Reader| function(&actor.access(reader)?))
            .await
    }

    /// Changes the catalog and writes the audit row, both in one transaction.
    ///
    /// `function` reads the privileges again, through the actor that it is given: what was checked
    /// before may have been taken away meanwhile.
    pub(crate) async fn change<T, F>(&self, function: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Actor, &mut dyn Writer, &mut AuditRow) -> Result<T, Error> + Send + 'static,
    {
        let actor = self.actor.clone();
        let mut row = self.row();
        let deadline = self.deadline;
        self.committing.store(true, Ordering::Relaxed);
        let changed = self
            .catalog()
            .write(move |writer: &mut dyn Writer| {
                // The lock may have come late.
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(past_deadline());
                }
                let value = function(&actor, writer, &mut row)?;
                row.append(writer)?;
                Ok(value)
            })
            .await;
        self.committing.store(false, Ordering::Relaxed);
        if changed.is_ok() {
            self.noted.store(true, Ordering::Relaxed);
        }
        changed
    }

    /// Writes nothing but the audit row of a success.
    pub(crate) async fn note(&self, detail: Option<String>) -> Result<(), Error> {
        self.change(move |_, _, row| {
            row.detail = detail;
            Ok(())
        })
        .await
    }

    /// Writes nothing but the audit row of a call that was carried out and found this.
    pub(crate) async fn note_of(&self, found: &Error, detail: String) -> Result<(), Error> {
        let outcome = outcome_of(found.sqlstate().code());
        self.change(move |_, _, row| {
            *row = row.clone().ended(outcome, detail);
            Ok(())
        })
        .await
    }

    /// Writes the audit row of what did not succeed. The caller gets the error either way; that
    /// the row could not be written is added to it.
    pub(crate) async fn note_failure(&self, error: Error) -> Error {
        // Whoever waited for the lock as long as one may is not made to wait as long again.
        if error.sqlstate() == SqlState::LockNotAvailable {
            return error.with_detail("this is not in the audit trail: the store is locked");
        }
        let code = error.sqlstate().code();
        let outcome = match error.sqlstate() {
            SqlState::InvalidAuthorization if self.action == OPEN_SESSION => {
                AuditOutcome::Refused(code.to_owned())
            }
            _ => outcome_of(code),
        };
        let row = self.row().ended(outcome, error.message());
        match row.write(self.catalog()).await {
            Ok(()) => error,
            Err(why) => {
                let detail = format!("this is not in the audit trail: {}", why.message());
                error.with_detail(detail)
            }
        }
    }
}

/// The deadline of the actor's request on the clock that timers use.
fn deadline_of(actor: &Actor) -> Option<Instant> {
    let deadline = actor.context().deadline?;
    let left = deadline.duration_since(jiff::Timestamp::now());
    Some(Instant::now() + Duration::try_from(left).unwrap_or_default())
}

/// Whether a success of such a statement is in the audit trail: all but what shows nothing secret.
pub(crate) fn is_audited(kind: StatementKind) -> bool {
    !matches!(
        kind,
        StatementKind::ShowConnections
            | StatementKind::ShowGrants
            | StatementKind::ShowSystemGrants
            | StatementKind::ShowUsers
            | StatementKind::ShowRoles
            | StatementKind::ShowProviders
            | StatementKind::ShowAudit
    )
}

/// A lock that a panic elsewhere cannot poison: what it guards is whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_secrets_is_audited_and_what_shows_none_is_not() {
        assert!(is_audited(StatementKind::ShowCreateConnection));
        assert!(is_audited(StatementKind::DropConnection));
        assert!(!is_audited(StatementKind::ShowConnections));
    }
}
