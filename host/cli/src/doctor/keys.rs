//! Whether the store would survive the loss of a key.

use portolan::{Session, SqlState};

use super::check::Check;

const WHAT: &str = "key-slots";

/// Whether there is a second slot, and whether a change of the store's key was finished.
pub(super) async fn keys(session: &Session) -> Check {
    let found = match session.key_slots().await {
        Ok(found) => found,
        Err(error) if error.sqlstate() == SqlState::InsufficientPrivilege => {
            return Check::ok(WHAT, "are shown to administrators alone");
        }
        Err(error) => {
            let hint = error.hint().unwrap_or_default().to_owned();
            return Check::failed(WHAT, error.to_string(), hint);
        }
    };
    if found.state.is_rotating() {
        return Check::warning(
            WHAT,
            "a change of the store's key was broken off",
            "go on with it: portolan key rotate",
        );
    }
    let kinds: Vec<&str> = found.slots.iter().map(|slot| slot.kind.as_str()).collect();
    match kinds.as_slice() {
        [kind] => Check::warning(
            WHAT,
            format!("there is one ({kind}): with its key everything that is sealed is lost"),
            "add a second one: portolan key add --recovery",
        ),
        kinds => Check::ok(WHAT, format!("{}: {}", kinds.len(), kinds.join(", "))),
    }
}
