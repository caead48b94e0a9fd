//! Why Portolan refused, through the errors of DataFusion and of object stores.

use std::error::Error;

use datafusion_common::DataFusionError;
use portolan_data::GateError;

/// Why Portolan refused what a query did, if it did: with its SQLSTATE and its hint. Failures of a
/// connection's storage itself are no refusals.
///
/// ```no_run
/// # async fn example(context: datafusion::prelude::SessionContext) {
/// let sql = "SELECT * FROM sales";
/// if let Err(error) = context.sql(sql).await
///     && let Some(refused) = portolan_datafusion::refusal(&error)
/// {
///     eprintln!("ERROR: {refused}\nSQLSTATE: {}", refused.sqlstate());
///     if let Some(hint) = refused.hint() {
///         eprintln!("HINT: {hint}");
///     }
/// }
/// # }
/// ```
#[must_use]
pub fn refusal(error: &DataFusionError) -> Option<portolan::Error> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(gate) = error.downcast_ref::<GateError>() {
            return Some(gate.clone().into());
        }
        cause = error.source();
    }
    None
}
