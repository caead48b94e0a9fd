//! What the policy says of a URI: planned by its provider, judged by name, resolved, never dialled.

use portolan_egress::{Egress, EgressError, Verdict};
use portolan_secret::SecretText;

use crate::access::Access;
use crate::call::Call;
use crate::planning;
use crate::{Cell, Error, Outcome, Rows};

const COLUMNS: [&str; 5] = ["endpoint", "step", "outcome", "detail", "hint"];

/// Plans the URI, and judges each of its endpoints; where `resolve` says so its name is looked up,
/// and each address that it has is judged.
pub(crate) async fn execute(
    call: &Call<'_>,
    uri: &SecretText,
    resolve: bool,
) -> Result<Outcome, Error> {
    call.read(|access: &Access<'_>| access.require_creation("POLICY TEST"))
        .await?;
    let entry = planning::provider_of(call, uri).await?;
    let planned = planning::plan_unjudged(call, entry, uri).await?;
    let provider = format!(
        "{} {}: {}",
        planned.entry.name(),
        planned.stored.provider_version,
        planned.redacted_uri
    );
    let mut rows = vec![ok(None, "plan", provider)];
    for endpoint in planned.plan().endpoints() {
        let named = format!("{}:{}", endpoint.host, endpoint.port);
        let (_, policy) = call.host.egress.policy().get();
        match policy.judge_name(&endpoint.host, endpoint.port) {
            Verdict::Denied(denial) => {
                let hint = Some(denial.hint());
                rows.push(row(
                    Some(&named),
                    "name",
                    "denied",
                    denial.to_string(),
                    hint,
                ));
                rows.push(skipped(&named, "the name is denied already"));
                continue;
            }
            verdict => rows.push(ok(Some(&named), "name", verdict.to_string())),
        }
        rows.push(if resolve {
            by_address(&call.host.egress, &named, &endpoint.host, endpoint.port).await
        } else {
            skipped(&named, "nothing was looked up")
        });
    }
    if rows.len() == 1 {
        rows.push(ok(None, "policy", "nothing is dialled"));
    }
    Ok(Outcome::rows(Rows::ready(&COLUMNS, rows)))
}

fn row(
    endpoint: Option<&str>,
    step: &str,
    outcome: &str,
    detail: impl Into<String>,
    hint: Option<String>,
) -> Vec<Cell> {
    vec![
        endpoint.map_or(Cell::Null, Cell::from),
        step.into(),
        outcome.into(),
        Cell::Text(detail.into()),
        hint.map_or(Cell::Null, Cell::Text),
    ]
}

fn ok(endpoint: Option<&str>, step: &str, detail: impl Into<String>) -> Vec<Cell> {
    row(endpoint, step, "ok", detail, None)
}

fn skipped(endpoint: &str, detail: &str) -> Vec<Cell> {
    row(Some(endpoint), "addresses", "skipped", detail, None)
}

/// Tells how many addresses may be dialled, never which.
async fn by_address(egress: &Egress, named: &str, host: &str, port: u16) -> Vec<Cell> {
    match egress.resolve(host, port).await {
        Ok(resolved) => {
            let detail = match resolved.count() {
                1 => "one address may be dialled".to_owned(),
                count => format!("{count} addresses may be dialled"),
            };
            ok(Some(named), "addresses", detail)
        }
        Err(error) => {
            let outcome = match error {
                EgressError::Denied(_) => "denied",
                _ => "failed",
            };
            let hint = Some(error.hint());
            row(Some(named), "addresses", outcome, error.to_string(), hint)
        }
    }
}
