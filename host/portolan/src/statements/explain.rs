//! EXPLAIN CREATE EXTERNAL CONNECTION: what it would do, without any input or output.

use portolan_catalog::SystemPrivilege;
use portolan_contract::Validate;
use portolan_egress::{Egress, Verdict};
use portolan_statement as ast;

use super::create::{text_of, with_parameters};
use crate::access::Access;
use crate::call::Call;
use crate::planning::{self, Planned};
use crate::{Cell, Error, Outcome, Rows, probing, user_files};

const COLUMNS: [&str; 2] = ["item", "value"];

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::CreateConnection,
) -> Result<Outcome, Error> {
    let name = call.name(&statement.name);
    let implicit_allowed = call
        .read(|access: &Access<'_>| {
            access.require_creation("CREATE EXTERNAL CONNECTION")?;
            access.has_system(SystemPrivilege::ExternalIoImplicitAccess)
        })
        .await?;
    let name = name?;
    let uri = call.text(&statement.uri)?;
    let entry = planning::provider_of(call, uri).await?;
    let uri = with_parameters(call, uri, &statement.parameters, entry.manifest())?;
    let mut planned = planning::plan_unjudged(call, entry, &uri).await?;
    let set = user_files::settle(call, &mut planned, None).await?;
    let validate = probing::wanted(
        text_of(call, statement.options.validate.as_ref())?,
        planned.entry.manifest().default_validate,
    )?;

    let mut rows = vec![
        row("connection name", name.to_string()),
        row(
            "provider",
            format!(
                "{} {}",
                planned.entry.name(),
                planned.stored.provider_version
            ),
        ),
        row("connection type", planned.connection_type()),
        row("redacted URI", planned.redacted_uri.as_str()),
    ];
    rows.extend(set.map(|set| row("set of user files", set)));
    rows.extend(endpoints(&planned, &call.host.egress));
    rows.push(row("operations", operations(&planned)));
    rows.extend(privileges(&planned, implicit_allowed));
    rows.push(row("validation", depth(validate)));
    let warnings = planned.plan().warnings();
    rows.extend(warnings.map(|warning| row("warning", warning)));
    Ok(Outcome::rows(Rows::ready(&COLUMNS, rows)))
}

fn row(item: &str, value: impl Into<Cell>) -> Vec<Cell> {
    vec![item.into(), value.into()]
}

fn endpoints(planned: &Planned, egress: &Egress) -> Vec<Vec<Cell>> {
    let (_, policy) = egress.policy().get();
    let mut rows = Vec::new();
    for endpoint in planned.plan().endpoints() {
        rows.push(row(
            "endpoint",
            format!("{}:{}", endpoint.host, endpoint.port),
        ));
        let verdict = match egress.judge_name(&policy, &endpoint.host, endpoint.port) {
            Verdict::Allowed { rule: None } => "allowed: a public address".to_owned(),
            Verdict::Allowed { rule: Some(rule) } => format!("allowed by the rule {rule}"),
            Verdict::NeedsResolution => {
                "depends on the addresses that the name has when it is dialled".to_owned()
            }
            Verdict::Denied(denial) => format!("denied: {denial}"),
        };
        rows.push(row("policy", verdict));
    }
    if rows.is_empty() {
        rows.push(row("endpoint", "none"));
        rows.push(row("policy", "not asked: nothing is dialled"));
    }
    rows
}

fn operations(planned: &Planned) -> String {
    let operations: Vec<_> = planned
        .plan()
        .operations()
        .into_iter()
        .map(|operation| operation.keyword())
        .collect();
    operations.join(", ")
}

fn privileges(planned: &Planned, implicit_allowed: bool) -> Vec<Vec<Cell>> {
    let mut rows = vec![row("privilege", "EXTERNALCONNECTION: held")];
    if let Some(what) = planned.plan().implicit_access() {
        rows.push(row("implicit access", what));
        let held = if implicit_allowed { "held" } else { "missing" };
        rows.push(row(
            "privilege",
            format!("EXTERNALIOIMPLICITACCESS: {held}"),
        ));
    }
    rows
}

fn depth(validate: Validate) -> &'static str {
    match validate {
        Validate::None => "none",
        Validate::Read => "read",
        Validate::Full => "full",
    }
}
