//! SHOW AUDIT.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use portolan_catalog::{AuditEntry, AuditFilter, AuditId, AuditObject, SystemPrivilege};
use portolan_statement as ast;

use super::paged::{PAGE, Page, paged};
use super::show_create::grant_hint;
use crate::access::refused;
use crate::call::Call;
use crate::{Cell, Error, Outcome, SqlState};

const COLUMNS: &[&str] = &[
    "time",
    "principal",
    "on_behalf_of",
    "client_address",
    "request_id",
    "action",
    "object_type",
    "object_name",
    "outcome",
    "sqlstate",
    "statement",
    "detail",
];

/// Shows the trail, the oldest row first.
pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::ShowAudit,
) -> Result<Outcome, Error> {
    let filter = AuditFilter {
        object: match &statement.connection {
            Some(name) => Some(AuditObject::connection(call.name(name)?.as_str())),
            None => None,
        },
        since: match &statement.since {
            Some(since) => Some(time(
                call.text(since)?.expose(),
                portolan_catalog::model::now(),
            )?),
            None => None,
        },
    };
    let catalog = call.catalog().clone();
    let actor = call.actor.clone();
    let rows = paged(call, COLUMNS, move |after: Option<AuditId>| {
        let catalog = catalog.clone();
        let actor = actor.clone();
        let filter = filter.clone();
        Box::pin(async move {
            catalog
                .read(move |reader| {
                    let access = actor.access(reader)?;
                    if !access.has_system(SystemPrivilege::ViewClusterMetadata)? {
                        return Err(refused(
                            "must have VIEWCLUSTERMETADATA privilege to run `SHOW AUDIT`",
                        )
                        .with_hint(grant_hint(&access)));
                    }
                    let entries = reader.audit_after(&filter, after, PAGE)?;
                    let next = (entries.len() == PAGE)
                        .then(|| entries.last().map(|last| last.id))
                        .flatten();
                    let rows = entries.into_iter().map(row).collect();
                    Ok(Page { rows, next })
                })
                .await
        })
    })
    .await?;
    Ok(Outcome::rows(rows))
}

fn row(entry: AuditEntry) -> Vec<Cell> {
    let record = entry.record;
    let (kind, name) = match record.object {
        Some(object) => (Some(object.kind.as_str()), Some(object.name)),
        None => (None, None),
    };
    vec![
        record.time.to_string().into(),
        record.principal.into(),
        record.on_behalf_of.into(),
        record.client_address.into(),
        record.request_id.into(),
        record.action.into(),
        kind.into(),
        name.into(),
        record.outcome.as_str().into(),
        record.outcome.sqlstate().into(),
        record.statement.into(),
        record.detail.into(),
    ]
}

/// A moment: with an offset, without one (UTC), a day, or a span back from now.
fn time(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    // A day alone is its first moment.
    let civil = text.parse::<DateTime>();
    if let Ok(zoned) = civil.and_then(|time| time.to_zoned(TimeZone::UTC)) {
        return Ok(zoned.timestamp());
    }
    humantime::parse_duration(text)
        .ok()
        .and_then(|span| SignedDuration::try_from(span).ok())
        .and_then(|span| now.checked_sub(span).ok())
        .ok_or_else(|| {
            Error::new(
                SqlState::InvalidParameterValue,
                "the time after SINCE cannot be read",
            )
            .with_hint(
                "write 2026-11-23, 2026-11-23T12:00:00Z, or a span back from now as 90m or 2days",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_day_or_a_span() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        for (text, means) in [
            ("2026-11-23T11:00:00+01:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23 11:00:00Z", "2026-11-23T11:00:00Z"),
            ("2026-11-23T11:00:00.5", "2026-11-23T11:00:00.5Z"),
            ("2026-11-23 11:00", "2026-11-23T11:00:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
            ("90m", "2026-11-23T10:30:00Z"),
            ("2 days", "2026-11-21T12:00:00Z"),
        ] {
            assert_eq!(
                time(text, now).map(|time| time.to_string()),
                Ok(means.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_not_repeated() {
        for text in [
            "",
            "hunter2",
            "2026-13-01",
            "-1h",
            "99999999999999999 years",
        ] {
            let error = time(text, Timestamp::UNIX_EPOCH).expect_err(text);
            assert_eq!(error.message(), "the time after SINCE cannot be read");
            assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue);
        }
    }
}
