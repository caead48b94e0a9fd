//! One file per statement, and the way from a statement to its file.
//!
//! Beside them: `several` and `paged` are how one statement changes or shows many things, `names`
//! and `privileges` what the statements about users and privileges have in common.

mod alter;
mod check;
pub(crate) mod comment;
mod create;
mod drop;
mod explain;
mod grant;
mod membership;
mod principals;
mod revoke;
mod show_audit;
mod show_connections;
mod show_create;
pub(crate) use show_create::grant_hint;
mod show_grants;
mod show_principals;
mod show_providers;
mod transaction;
mod validate;

mod names;
mod paged;
mod privileges;
mod several;

use portolan_statement::Statement;

use crate::call::Call;
use crate::{Error, Outcome};

/// Executes a statement.
pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a Statement,
) -> Result<Outcome, Error> {
    match statement {
        Statement::CreateConnection(it) => create::execute(call, it).await,
        Statement::ExplainCreateConnection(it) => explain::execute(call, it).await,
        Statement::AlterConnection(it) => alter::execute(call, it).await,
        Statement::DropConnection(it) => drop::execute(call, it).await,
        Statement::ShowCreateConnection(it) => show_create::execute(call, it).await,
        Statement::ShowConnections(it) => show_connections::execute(call, it).await,
        Statement::CheckConnection(it) => check::execute(call, it).await,
        Statement::ValidateConnection(it) => validate::execute(call, it).await,
        Statement::CommentOnConnection(it) => comment::execute(call, it).await,
        Statement::Grant(it) => grant::execute(call, it).await,
        Statement::Revoke(it) => revoke::execute(call, it).await,
        Statement::ShowGrants(it) => show_grants::execute(call, it).await,
        Statement::ShowSystemGrants(it) => show_grants::system(call, it).await,
        Statement::CreatePrincipal(it) => principals::create(call, it).await,
        Statement::DropPrincipal(it) => principals::drop(call, it).await,
        Statement::ShowPrincipals(it) => show_principals::execute(call, it).await,
        Statement::ShowProviders => show_providers::execute(call).await,
        Statement::ShowAudit(it) => show_audit::execute(call, it).await,
        Statement::Transaction(it) => transaction::execute(it),
    }
}
