//! The service accounts of `ASSUME_ROLE`, in the order in which they are taken on.

use portolan_sdk::{AssumedRole, Failure, Plan, PlanEntry};

use crate::SERVER;

/// No chain that anybody has is longer.
const AT_MOST: usize = 32;

/// The plan with the accounts of a chain, where there is one, and where their tokens come from.
///
/// # Errors
///
/// The text is no list of service accounts.
pub fn acting_as(plan: Plan, chain: Option<&str>) -> Result<Plan, Failure> {
    let Some(chain) = chain else {
        return Ok(plan);
    };
    let plan = accounts(chain)?.fold(plan, Plan::with);
    Ok(plan.endpoint("iamcredentials.googleapis.com", 443, Some(SERVER)))
}

/// Service accounts with commas between them: the last one is who acts.
fn accounts(chain: &str) -> Result<impl Iterator<Item = PlanEntry>, Failure> {
    let accounts = chain.split(',');
    let is_account = |text: &str| {
        let in_name = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b'/');
        !text.is_empty() && text.bytes().all(in_name)
    };
    if !accounts.clone().all(is_account) || accounts.clone().count() > AT_MOST {
        return Err(
            Failure::invalid_uri("ASSUME_ROLE is no list of service accounts")
                .with_hint("Write their addresses, NAME@PROJECT.iam.gserviceaccount.com, with commas between them; at most 32.")
                .with_option("ASSUME_ROLE"),
        );
    }
    Ok(accounts.map(|account| {
        PlanEntry::AssumeRole(AssumedRole {
            role: account.to_owned(),
            external_id: None,
        })
    }))
}
