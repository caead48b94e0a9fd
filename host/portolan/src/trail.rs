//! The audit trail: how a row is made, and how it is written.
//!
//! A change and its row are one transaction ([`AuditRow::append`]); what changes nothing has its row by
//! itself ([`AuditRow::write`]). The time and the deadline of the request are put in when it is
//! written, so no row is without them.

use portolan_catalog::{AuditObject, AuditOutcome, AuditRecord, CatalogHandle, Writer};

use crate::access::Actor;
use crate::{Error, SqlState};

/// A row in the making: what is known when the work begins, and what the work adds.
#[derive(Debug, Clone)]
pub(crate) struct AuditRow {
    /// What the work is about.
    pub(crate) object: Option<AuditObject>,
    /// What else is worth knowing.
    pub(crate) detail: Option<String>,
    actor: Actor,
    action: &'static str,
    statement: Option<String>,
    outcome: AuditOutcome,
}

impl AuditRow {
    /// The row of what succeeds, unless it is said to have [ended otherwise](Self::ended).
    pub(crate) fn new(actor: &Actor, action: &'static str, object: Option<AuditObject>) -> Self {
        Self {
            object,
            detail: None,
            actor: actor.clone(),
            action,
            statement: None,
            outcome: AuditOutcome::Ok,
        }
    }

    /// The same with the masked print of a statement.
    pub(crate) fn with_statement(mut self, statement: Option<String>) -> Self {
        self.statement = statement;
        self
    }

    /// The same for what ended in this way, and why.
    pub(crate) fn ended(mut self, outcome: AuditOutcome, why: impl Into<String>) -> Self {
        self.outcome = outcome;
        self.detail = Some(why.into());
        self
    }

    /// Writes the row in the transaction of what it is about.
    pub(crate) fn append(&self, writer: &mut dyn Writer) -> Result<(), Error> {
        writer.append_audit(&self.record())?;
        Ok(())
    }

    /// Writes the row by itself. That it could not be written is traced, whatever the caller says.
    pub(crate) async fn write(self, catalog: &CatalogHandle) -> Result<(), Error> {
        let written = catalog
            .write(move |writer: &mut dyn Writer| self.append(writer))
            .await;
        if let Err(error) = &written {
            let sqlstate = error.sqlstate().code();
            tracing::error!(sqlstate, "an audit row was not written");
        }
        written
    }

    fn record(&self) -> AuditRecord {
        let context = self.actor.context();
        let deadline = context.deadline;
        let dated = deadline.map(|deadline| format!("(deadline {deadline})"));
        AuditRecord {
            time: portolan_catalog::model::now(),
            principal: self.actor.name().to_owned(),
            on_behalf_of: context.on_behalf_of.clone(),
            client_address: context.client_address.clone(),
            request_id: context.request_id.clone(),
            action: self.action.to_owned(),
            object: self.object.clone(),
            statement: self.statement.clone(),
            outcome: self.outcome.clone(),
            detail: match (self.detail.clone(), dated) {
                (Some(detail), Some(dated)) => Some(format!("{detail} {dated}")),
                (detail, dated) => detail.or(dated),
            },
        }
    }
}

/// How the trail calls what ended with this SQLSTATE: refused, where it is one of privileges.
pub(crate) fn outcome_of(sqlstate: &str) -> AuditOutcome {
    match sqlstate == SqlState::InsufficientPrivilege.code() {
        true => AuditOutcome::Refused(sqlstate.to_owned()),
        false => AuditOutcome::Failed(sqlstate.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Principal, RequestContext};

    #[test]
    fn what_is_said_stands_before_the_deadline() {
        let deadline = Timestamp::UNIX_EPOCH;
        let principal = Principal::new("maria");
        let dated = Actor::new(
            principal.clone(),
            RequestContext::default().deadline(deadline),
        );
        let undated = Actor::new(principal, RequestContext::default());
        let detail = |actor: &Actor, why: Option<&str>| {
            let row = AuditRow::new(actor, "USE", None);
            let row = why.map_or(row.clone(), |why| row.ended(outcome_of("57014"), why));
            row.record().detail
        };
        let shown = "(deadline 1970-01-01T00:00:00Z)";
        assert_eq!(detail(&dated, None).as_deref(), Some(shown));
        let both = format!("late {shown}");
        assert_eq!(detail(&dated, Some("late")).as_deref(), Some(&*both));
        assert_eq!(detail(&undated, Some("late")).as_deref(), Some("late"));
        assert_eq!(detail(&undated, None), None);
    }

    #[test]
    fn what_privileges_refuse_is_refused_and_everything_else_failed() {
        let refused = AuditOutcome::Refused("42501".to_owned());
        assert_eq!(outcome_of("42501"), refused);
        let failed = AuditOutcome::Failed("57014".to_owned());
        assert_eq!(outcome_of("57014"), failed);
    }
}
