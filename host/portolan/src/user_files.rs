//! Sets of users' files: which one a plan is about, and who may name it.
//!
//! A set belongs to the user who was the first to name it in a connection; the set that every user has
//! by default belongs to that user from the start. Only the owner and administrators may name it.
//! Whoever has USAGE on a connection uses the set that its plan pins, whoever that is.

use portolan_catalog::{Connection, Reader, UserFileSet, Writer};
use portolan_contract::{Plan, PlanEntry, StoredPlan};
use portolan_files::{default_set, user_of_default_set};

use crate::access::{Access, Actor, refused};
use crate::call::Call;
use crate::planning::Planned;
use crate::{Error, SqlState};

/// The backend whose containers are sets of files.
const BACKEND: &str = "userfile";

/// The set that a plan is about; empty where the URI names none.
pub(crate) fn set_of(plan: &Plan) -> Option<&str> {
    let store = plan.object_store()?;
    (store.backend == BACKEND).then_some(store.container.as_str())
}

/// Fills in the set of a plan whose URI names none. That is the one that the connection `before` leads
/// to, where its own URI is planned again, and otherwise the actor's own.
///
/// Gives the set that the statement names, which the actor may: whoever writes the plan has to
/// [`take`] it. A connection that goes on leading to its set names nothing.
///
/// # Errors
/// 42501 for the set of another user; what is wrong with the plan of the connection.
pub(crate) async fn settle(
    call: &Call<'_>,
    planned: &mut Planned,
    before: Option<&Connection>,
) -> Result<Option<String>, Error> {
    let Some(set) = set_of(planned.plan()).map(str::to_owned) else {
        return Ok(None);
    };
    let pinned = match before {
        Some(connection) => Some(pinned_set(call, connection).await?),
        None => None,
    };
    let set = match (&pinned, set.is_empty()) {
        (_, false) => set,
        (Some(pinned), true) => pinned.clone(),
        (None, true) => default_set(call.actor.name()),
    };
    fill(&mut planned.stored.plan, &set);
    if pinned.as_ref() == Some(&set) {
        return Ok(None);
    }
    let named = set.clone();
    call.read(move |access| require(access, &named)).await?;
    Ok(Some(set))
}

/// The set that a connection leads to.
async fn pinned_set(call: &Call<'_>, connection: &Connection) -> Result<String, Error> {
    let connection = connection.clone();
    call.read(move |access| {
        let secrets = access.reader().secrets_of(&connection)?;
        let stored = StoredPlan::from_bytes(&secrets.plan)?;
        match set_of(&stored.plan) {
            Some(set) if !set.is_empty() => Ok(set.to_owned()),
            _ => Err(Error::new(
                SqlState::ObjectNotInPrerequisiteState,
                format!(
                    "the plan of external connection {} names no set of user files",
                    connection.name
                ),
            )
            .with_hint("give the connection its URI again with ALTER EXTERNAL CONNECTION")),
        }
    })
    .await
}

fn fill(plan: &mut Plan, set: &str) {
    for entry in &mut plan.entries {
        if let PlanEntry::ObjectStore(store) = entry {
            set.clone_into(&mut store.container);
        }
    }
}

/// Makes sure, in the transaction that writes a plan, that the actor may name the set, and notes whose
/// it is where nobody has named it before.
///
/// # Errors
/// 42501 for the set of another user.
pub(crate) fn take(actor: &Actor, writer: &mut dyn Writer, set: &str) -> Result<(), Error> {
    require(&actor.access(&*writer)?, set)?;
    if writer.user_file_set(set)?.is_none() {
        writer.put_user_file_set(&UserFileSet {
            name: set.to_owned(),
            owner: user_of_default_set(set).unwrap_or_else(|| actor.name().to_owned()),
            created: portolan_catalog::model::now(),
        })?;
    }
    Ok(())
}

/// Refuses whoever may not name a set, in words that say nothing of it.
fn require(access: &Access<'_>, set: &str) -> Result<(), Error> {
    match owner_of(access.reader(), set)? {
        Some(owner) if owner != access.name() && !access.is_admin() => Err(refused(format!(
            "user {} may not name this set of user files",
            access.name()
        ))
        .with_hint(
            "name a set of your own, such as userfile://defaultdb.public.my_files/PATH, or ask an \
             administrator",
        )),
        _ => Ok(()),
    }
}

/// Whose a set is; nobody's where nobody has named it and no user has it by default.
fn owner_of(reader: &dyn Reader, set: &str) -> Result<Option<String>, Error> {
    Ok(match reader.user_file_set(set)? {
        Some(set) => Some(set.owner),
        None => user_of_default_set(set),
    })
}
