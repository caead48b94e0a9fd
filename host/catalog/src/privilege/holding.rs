//! The arithmetic of GRANT and REVOKE.
//!
//! ALL stands for every privilege, also for those that a later version adds. So it is kept as
//! itself, and taken apart only when one privilege is revoked from it.

use std::collections::BTreeMap;

use crate::access::Writer;
use crate::error::CatalogError;
use crate::model::{
    ConnectionGrant, ConnectionId, ConnectionPrivilege, Privilege, SystemGrant, SystemPrivilege,
};

/// Privileges of one sort on one thing, each with whether it may be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<P: Privilege> {
    held: BTreeMap<P, bool>,
}

impl<P: Privilege> Default for Holding<P> {
    fn default() -> Self {
        Self {
            held: BTreeMap::new(),
        }
    }
}

impl<P: Privilege> Holding<P> {
    /// What is held, one entry for each row: ALL first, then single privileges.
    pub fn iter(&self) -> impl Iterator<Item = (P, bool)> {
        self.held
            .iter()
            .map(|(privilege, grantable)| (*privilege, *grantable))
    }

    /// Whether `privilege` is held. ALL is held as itself or as every single one.
    #[must_use]
    pub fn has(&self, privilege: P) -> bool {
        self.covers(privilege, |_| true)
    }

    /// Whether `privilege` is held with the right to pass it on.
    #[must_use]
    pub fn may_grant(&self, privilege: P) -> bool {
        self.covers(privilege, |grantable| grantable)
    }

    fn covers(&self, privilege: P, enough: impl Fn(bool) -> bool) -> bool {
        let one = |privilege: P| self.held.get(&privilege).copied().is_some_and(&enough);
        one(P::ALL)
            || if privilege == P::ALL {
                P::SINGLE.iter().all(|single| one(*single))
            } else {
                one(privilege)
            }
    }

    /// Adds a privilege. What may be passed on already stays so.
    pub fn add(&mut self, privilege: P, grantable: bool) {
        if self.may_grant_as_itself(P::ALL) || (!grantable && self.held.contains_key(&P::ALL)) {
            // ALL covers it.
            return;
        }
        *self.held.entry(privilege).or_default() |= grantable;
        if privilege == P::ALL {
            // ALL covers what is not better than it.
            self.held
                .retain(|held, may_grant| *held == P::ALL || (*may_grant && !grantable));
        }
    }

    /// Takes a privilege away. Taken from ALL, the other ones stay.
    pub fn remove(&mut self, privilege: P) {
        if privilege == P::ALL {
            self.held.clear();
            return;
        }
        self.take_all_apart();
        self.held.remove(&privilege);
    }

    /// Takes away the right to pass a privilege on. Taken from ALL, the other ones keep it.
    pub fn remove_grant_option(&mut self, privilege: P) {
        if privilege == P::ALL {
            let has_all = self.held.contains_key(&P::ALL);
            self.held.retain(|held, _| *held == P::ALL || !has_all);
            for may_grant in self.held.values_mut() {
                *may_grant = false;
            }
        } else if self.may_grant_as_itself(P::ALL) {
            self.held.insert(P::ALL, false);
            for single in P::SINGLE {
                if *single != privilege {
                    self.held.insert(*single, true);
                }
            }
        } else if self.held.contains_key(&P::ALL) {
            self.held.remove(&privilege);
        } else if let Some(may_grant) = self.held.get_mut(&privilege) {
            *may_grant = false;
        }
    }

    fn may_grant_as_itself(&self, privilege: P) -> bool {
        self.held.get(&privilege).copied().unwrap_or_default()
    }

    fn take_all_apart(&mut self) {
        if let Some(grantable) = self.held.remove(&P::ALL) {
            for single in P::SINGLE {
                *self.held.entry(*single).or_default() |= grantable;
            }
        }
    }
}

/// What GRANT and REVOKE do to a holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `GRANT …`
    Grant,
    /// `GRANT … WITH GRANT OPTION`
    GrantWithOption,
    /// `REVOKE …`
    Revoke,
    /// `REVOKE GRANT OPTION FOR …`
    RevokeOption,
}

impl Change {
    /// Applies it to `holding` for each of `privileges`.
    pub fn apply<P: Privilege>(self, holding: &mut Holding<P>, privileges: &[P]) {
        for privilege in privileges {
            match self {
                Self::Grant => holding.add(*privilege, false),
                Self::GrantWithOption => holding.add(*privilege, true),
                Self::Revoke => holding.remove(*privilege),
                Self::RevokeOption => holding.remove_grant_option(*privilege),
            }
        }
    }
}

/// Changes what `grantee` holds directly on the system. Writes the rows that differ afterwards.
///
/// # Errors
/// Those of [`Writer`].
pub fn change_system(
    writer: &mut dyn Writer,
    grantee: &str,
    change: Change,
    privileges: &[SystemPrivilege],
) -> Result<(), CatalogError> {
    let mut before = Holding::default();
    for grant in writer.system_grants(Some(grantee))? {
        before.held.insert(grant.privilege, grant.grantable);
    }
    let mut after = before.clone();
    change.apply(&mut after, privileges);
    for (privilege, _) in gone(&before, &after) {
        writer.delete_system_grant(grantee, privilege)?;
    }
    for (privilege, grantable) in gone(&after, &before) {
        writer.put_system_grant(&SystemGrant {
            grantee: grantee.to_owned(),
            privilege,
            grantable,
        })?;
    }
    Ok(())
}

/// Changes what `grantee` holds directly on a connection. Writes the rows that differ afterwards.
///
/// # Errors
/// Those of [`Writer`]; [`CatalogError::ConnectionChanged`] when there is something to give and the
/// connection is gone.
pub fn change_connection(
    writer: &mut dyn Writer,
    connection: ConnectionId,
    grantee: &str,
    change: Change,
    privileges: &[ConnectionPrivilege],
) -> Result<(), CatalogError> {
    let mut before = Holding::default();
    for grant in writer.connection_grants(Some(connection))? {
        if grant.grantee == grantee {
            before.held.insert(grant.privilege, grant.grantable);
        }
    }
    let mut after = before.clone();
    change.apply(&mut after, privileges);
    for (privilege, _) in gone(&before, &after) {
        writer.delete_connection_grant(connection, grantee, privilege)?;
    }
    for (privilege, grantable) in gone(&after, &before) {
        writer.put_connection_grant(&ConnectionGrant {
            connection,
            grantee: grantee.to_owned(),
            privilege,
            grantable,
        })?;
    }
    Ok(())
}

/// What `one` holds and `other` does not hold in the same way.
fn gone<P: Privilege>(one: &Holding<P>, other: &Holding<P>) -> Vec<(P, bool)> {
    one.iter()
        .filter(|(privilege, grantable)| other.held.get(privilege) != Some(grantable))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use ConnectionPrivilege::{All, Drop, Update, Usage};

    /// What GRANT and REVOKE mean, said in the plainest way: which single privileges are held, which
    /// may be passed on, and the same for those that do not exist yet, which only ALL covers.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct Plain {
        held: BTreeSet<Option<ConnectionPrivilege>>,
        grantable: BTreeSet<Option<ConnectionPrivilege>>,
    }

    fn meant(privilege: ConnectionPrivilege) -> Vec<Option<ConnectionPrivilege>> {
        match privilege {
            All => vec![None, Some(Usage), Some(Drop), Some(Update)],
            single => vec![Some(single)],
        }
    }

    impl Plain {
        fn apply(&mut self, change: Change, privilege: ConnectionPrivilege) {
            let meant = meant(privilege);
            match change {
                Change::Grant => self.held.extend(meant),
                Change::GrantWithOption => {
                    self.held.extend(&meant);
                    self.grantable.extend(meant);
                }
                Change::Revoke => {
                    self.held.retain(|it| !meant.contains(it));
                    self.grantable.retain(|it| !meant.contains(it));
                    // ALL is gone as soon as one of them is.
                    self.held.remove(&None);
                    self.grantable.remove(&None);
                }
                Change::RevokeOption => {
                    self.grantable.retain(|it| !meant.contains(it));
                    self.grantable.remove(&None);
                }
            }
        }
    }

    fn plain(holding: &Holding<ConnectionPrivilege>) -> Plain {
        let mut plain = Plain::default();
        for (privilege, grantable) in holding.iter() {
            plain.held.extend(meant(privilege));
            if grantable {
                plain.grantable.extend(meant(privilege));
            }
        }
        plain
    }

    fn any_change() -> impl Strategy<Value = (Change, ConnectionPrivilege)> {
        (
            prop::sample::select(vec![
                Change::Grant,
                Change::GrantWithOption,
                Change::Revoke,
                Change::RevokeOption,
            ]),
            prop::sample::select(vec![All, Usage, Drop, Update]),
        )
    }

    proptest! {
        #[test]
        fn rows_mean_what_the_statements_said(
            changes in prop::collection::vec(any_change(), 0..12),
        ) {
            let (mut rows, mut expected) = (Holding::default(), Plain::default());
            for (change, privilege) in changes {
                change.apply(&mut rows, &[privilege]);
                expected.apply(change, privilege);
                prop_assert_eq!(plain(&rows), expected.clone(), "after {:?} {}: {:?}", change, privilege, rows);
                for single in [Usage, Drop, Update] {
                    prop_assert_eq!(rows.has(single), expected.held.contains(&Some(single)));
                    prop_assert_eq!(rows.may_grant(single), expected.grantable.contains(&Some(single)));
                }
            }
        }
    }

    #[test]
    fn a_row_that_says_nothing_new_is_not_kept() {
        let mut holding = Holding::default();
        Change::Grant.apply(&mut holding, &[Usage, Drop]);
        Change::GrantWithOption.apply(&mut holding, &[Update]);
        Change::Grant.apply(&mut holding, &[All]);
        let rows: Vec<_> = holding.iter().collect();
        assert_eq!(rows, [(All, false), (Update, true)]);
        Change::GrantWithOption.apply(&mut holding, &[All]);
        Change::Grant.apply(&mut holding, &[Usage]);
        assert_eq!(holding.iter().collect::<Vec<_>>(), [(All, true)]);
    }
}
