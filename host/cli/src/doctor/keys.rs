//! Whether the store would survive the loss of a key.

use portolan::catalog::KeySlotRow;
use portolan::{Session, master_key_of};
use portolan_secret::SlotKind;

use super::check::Check;

const WHAT: &str = "key-slots";

/// Whether there is a second slot, and whether a change of the store's key was finished.
pub(super) async fn keys(session: &Session) -> Check {
    // Not asked for in vain: a refusal would stand in the audit trail after each look at the store.
    if matches!(session.is_admin().await, Ok(false)) {
        return Check::ok(WHAT, "are shown to administrators alone");
    }
    let found = match session.key_slots().await {
        Ok(found) => found,
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
        kinds if share_a_key(&found.slots) => Check::warning(
            WHAT,
            format!(
                "there are {}, and all are of one key of one service: with it everything that is \
                 sealed is lost",
                kinds.len()
            ),
            "add one that is not: portolan key add --recovery",
        ),
        kinds => Check::ok(WHAT, format!("{}: {}", kinds.len(), kinds.join(", "))),
    }
}

/// Whether what opens every slot is one and the same key of a key management service.
fn share_a_key(slots: &[KeySlotRow]) -> bool {
    let key = |slot: &KeySlotRow| match slot.kind {
        SlotKind::Kms => master_key_of(&slot.parameters),
        _ => None,
    };
    let mut keys = slots.iter().map(key);
    match keys.next() {
        Some(Some(first)) => keys.all(|other| other.as_ref() == Some(&first)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(kind: SlotKind, key: &str) -> KeySlotRow {
        let parameters = format!(
            "{{\"provider\":\"aws-kms\",\"uri\":\"aws-kms:///redacted\",\"key\":\"{key}\",\
             \"key_version\":null,\"wrapped\":\"00\"}}"
        );
        KeySlotRow {
            id: 1,
            kind,
            label: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
            parameters,
        }
    }

    #[test]
    fn slots_of_one_key_of_a_service_are_lost_together() {
        let one = || slot(SlotKind::Kms, "arn:one");
        assert!(share_a_key(&[one(), one()]));
        assert!(!share_a_key(&[one(), slot(SlotKind::Kms, "arn:two")]));
        assert!(!share_a_key(&[one(), slot(SlotKind::Recovery, "")]));
        assert!(!share_a_key(&[
            slot(SlotKind::KeyFile, ""),
            slot(SlotKind::KeyFile, "")
        ]));
    }
}
