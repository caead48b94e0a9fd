//! Every privilege against every way of holding it.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeSet;

use common::{new_connection, open, read, write};
use portolan_catalog::model::principal::{ADMIN, PUBLIC, ROOT};
use portolan_catalog::privilege::holding::{Change, change_connection, change_system};
use portolan_catalog::privilege::is_protected;
use portolan_catalog::{
    CatalogError, Connection, ConnectionPrivilege, Identity, Membership, PrincipalKind,
    PrincipalRow, Privilege, Reader, SqliteCatalog, SystemPrivilege, Writer, model,
};
use proptest::prelude::*;

use ConnectionPrivilege::{All, Drop, Update, Usage};
use SystemPrivilege::{
    CreateRole, ExternalConnection, ExternalIoImplicitAccess, ViewClusterMetadata,
};

fn role(writer: &mut dyn Writer, name: &str) -> Result<(), CatalogError> {
    writer.insert_principal(&PrincipalRow {
        name: name.to_owned(),
        kind: PrincipalKind::Role,
        created: model::now(),
    })
}

fn give(
    writer: &mut dyn Writer,
    role: &str,
    member: &str,
    admin: bool,
) -> Result<(), CatalogError> {
    writer.put_membership(&Membership {
        role: role.to_owned(),
        member: member.to_owned(),
        admin_option: admin,
    })
}

/// A store with one connection, `bucket`, of the role `owners`, and everybody of the tables below.
fn store() -> (tempfile::TempDir, SqliteCatalog, Connection) {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let bucket = write(&catalog, |writer| {
        for name in ["owners", "inner", "users", "outer", "managers"] {
            role(writer, name)?;
        }
        give(writer, "owners", "inner", false)?;
        give(writer, "inner", "member_of_owner", false)?;
        give(writer, "users", "outer", false)?;
        give(writer, "outer", "member_of_grantee", false)?;
        give(writer, ADMIN, "second_admin", false)?;
        give(writer, "managers", "manager", true)?;
        let new = portolan_catalog::NewConnection {
            owner: "owners".to_owned(),
            ..new_connection("bucket")
        };
        writer.insert_connection(&new)
    })
    .expect("writes");
    (directory, catalog, bucket)
}

fn resolve(reader: &dyn Reader, name: &str, vouched: &[&str]) -> Result<Identity, CatalogError> {
    let vouched: Vec<String> = vouched.iter().map(|role| (*role).to_owned()).collect();
    Identity::resolve(reader, name, &vouched)
}

/// What somebody holds of `bucket`, and what of it they may pass on.
fn on_bucket(
    catalog: &SqliteCatalog,
    bucket: &Connection,
    name: &str,
    vouched: &[&str],
) -> (BTreeSet<ConnectionPrivilege>, BTreeSet<ConnectionPrivilege>) {
    read(catalog, |reader| {
        let who = resolve(reader, name, vouched)?;
        let mut sets = (BTreeSet::new(), BTreeSet::new());
        for privilege in [All, Usage, Drop, Update] {
            if who.has_connection(reader, bucket, privilege)? {
                sets.0.insert(privilege);
            }
            if who.may_grant_connection(reader, bucket, privilege)? {
                sets.1.insert(privilege);
            }
        }
        Ok(sets)
    })
    .expect("reads")
}

fn set(privileges: &[ConnectionPrivilege]) -> BTreeSet<ConnectionPrivilege> {
    privileges.iter().copied().collect()
}

const EVERY: &[ConnectionPrivilege] = &[All, Usage, Drop, Update];

#[test]
fn owners_and_admins_hold_everything_and_nobody_else_holds_anything() {
    let (_directory, catalog, bucket) = store();
    for (name, vouched, expected) in [
        ("owners", [].as_slice(), EVERY),
        ("inner", &[], EVERY),
        ("member_of_owner", &[], EVERY),
        ("stranger", &["owners"], EVERY),
        ("stranger", &["inner"], EVERY),
        (ROOT, &[], EVERY),
        (ADMIN, &[], EVERY),
        ("second_admin", &[], EVERY),
        ("stranger", &[ADMIN], EVERY),
        ("stranger", &[ROOT], EVERY),
        ("stranger", &[], &[]),
        ("stranger", &["users", "no_such_role"], &[]),
        ("users", &[], &[]),
        (PUBLIC, &[], &[]),
    ] {
        let (held, grantable) = on_bucket(&catalog, &bucket, name, vouched);
        assert_eq!(held, set(expected), "{name} with {vouched:?}");
        assert_eq!(grantable, set(expected), "{name} with {vouched:?}");
    }
}

#[test]
fn a_privilege_reaches_members_vouched_members_and_with_public_everybody() {
    for privilege in [Usage, Drop, Update, All] {
        let expected = match privilege {
            All => set(EVERY),
            one => set(&[one]),
        };
        for with_option in [false, true] {
            let change = match with_option {
                false => Change::Grant,
                true => Change::GrantWithOption,
            };
            for (grantee, who, vouched, reached) in [
                ("users", "users", [].as_slice(), true),
                ("users", "outer", &[], true),
                ("users", "member_of_grantee", &[], true),
                ("users", "stranger", &["users"], true),
                ("users", "stranger", &["outer"], true),
                ("users", "stranger", &[], false),
                ("outer", "users", &[], false),
                ("stranger", "stranger", &[], true),
                ("stranger", "users", &[], false),
                ("external", "stranger", &["external"], true),
                (PUBLIC, "stranger", &[], true),
                (PUBLIC, "member_of_grantee", &["x"], true),
            ] {
                let (_directory, catalog, bucket) = store();
                write(&catalog, |writer| {
                    change_connection(writer, bucket.id, grantee, change, &[privilege])
                })
                .expect("grants");
                let (held, grantable) = on_bucket(&catalog, &bucket, who, vouched);
                let what = format!("{privilege} to {grantee}, asked of {who} with {vouched:?}");
                let none = BTreeSet::new();
                assert_eq!(
                    held,
                    if reached {
                        expected.clone()
                    } else {
                        none.clone()
                    },
                    "{what}"
                );
                let passes_on = reached && with_option;
                assert_eq!(
                    grantable,
                    if passes_on { expected.clone() } else { none },
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn what_is_revoked_from_a_holder_of_all_leaves_the_rest() {
    let (_directory, catalog, bucket) = store();
    for (taken, left) in [
        (Usage, [Drop, Update]),
        (Drop, [Usage, Update]),
        (Update, [Usage, Drop]),
    ] {
        write(&catalog, |writer| {
            change_connection(writer, bucket.id, "bob", Change::GrantWithOption, &[All])?;
            change_connection(writer, bucket.id, "bob", Change::Revoke, &[taken])
        })
        .expect("writes");
        let (held, grantable) = on_bucket(&catalog, &bucket, "bob", &[]);
        assert_eq!(held, set(&left), "{taken} is taken");
        assert_eq!(grantable, set(&left), "{taken} is taken");
        let rows = read(&catalog, |reader| reader.connection_grants(Some(bucket.id)));
        assert_eq!(rows.expect("reads").len(), 2);
        write(&catalog, |writer| {
            change_connection(writer, bucket.id, "bob", Change::Revoke, &[All])
        })
        .expect("writes");
        assert_eq!(on_bucket(&catalog, &bucket, "bob", &[]).0, set(&[]));
    }
}

#[test]
fn privileges_of_several_roles_add_up() {
    let (_directory, catalog, bucket) = store();
    write(&catalog, |writer| {
        change_connection(writer, bucket.id, "a", Change::Grant, &[Usage])?;
        change_connection(writer, bucket.id, "b", Change::GrantWithOption, &[Drop])?;
        change_connection(writer, bucket.id, PUBLIC, Change::Grant, &[Update])
    })
    .expect("writes");
    let (held, grantable) = on_bucket(&catalog, &bucket, "bob", &["a", "b"]);
    assert_eq!(held, set(EVERY));
    assert_eq!(grantable, set(&[Drop]));
}

#[test]
fn every_system_privilege_is_held_in_every_way() {
    let single = SystemPrivilege::SINGLE;
    for given in single.iter().copied().chain([SystemPrivilege::All]) {
        for (grantee, who, vouched) in [
            ("bob", "bob", [].as_slice()),
            ("users", "member_of_grantee", &[]),
            ("external", "bob", &["external"]),
            (PUBLIC, "bob", &[]),
        ] {
            for change in [Change::Grant, Change::GrantWithOption] {
                let (_directory, catalog, _) = store();
                write(&catalog, |writer| {
                    change_system(writer, grantee, change, &[given])
                })
                .expect("grants");
                read(&catalog, |reader| {
                    let it = resolve(reader, who, vouched)?;
                    for asked in single.iter().copied().chain([SystemPrivilege::All]) {
                        let expected = asked == given || given == SystemPrivilege::All;
                        let what = format!("{given} to {grantee}, {asked} asked of {who}");
                        assert_eq!(it.has_system(reader, asked)?, expected, "{what}");
                        let may = expected && change == Change::GrantWithOption;
                        assert_eq!(it.may_grant_system(reader, asked)?, may, "{what}");
                    }
                    assert!(!it.is_admin());
                    Ok(())
                })
                .expect("reads");
            }
        }
    }
}

#[test]
fn admins_hold_every_system_privilege_and_others_none() {
    let (_directory, catalog, _) = store();
    read(&catalog, |reader| {
        for (name, vouched, expected) in [
            (ROOT, [].as_slice(), true),
            (ADMIN, &[], true),
            ("second_admin", &[], true),
            ("stranger", &[ADMIN], true),
            ("stranger", &[], false),
            ("owners", &[], false),
            (PUBLIC, &[], false),
        ] {
            let it = resolve(reader, name, vouched)?;
            assert_eq!(it.is_admin(), expected, "{name}");
            for asked in [
                ExternalConnection,
                ViewClusterMetadata,
                ExternalIoImplicitAccess,
                CreateRole,
                SystemPrivilege::All,
            ] {
                assert_eq!(it.has_system(reader, asked)?, expected, "{name} {asked}");
                assert_eq!(
                    it.may_grant_system(reader, asked)?,
                    expected,
                    "{name} {asked}"
                );
            }
        }
        Ok(())
    })
    .expect("reads");
}

#[test]
fn all_but_one_of_the_system_privileges_is_not_all() {
    let (_directory, catalog, _) = store();
    write(&catalog, |writer| {
        change_system(
            writer,
            "bob",
            Change::GrantWithOption,
            &[SystemPrivilege::All],
        )?;
        change_system(writer, "bob", Change::Revoke, &[CreateRole])
    })
    .expect("writes");
    read(&catalog, |reader| {
        let bob = resolve(reader, "bob", &[])?;
        assert!(bob.has_system(reader, ViewClusterMetadata)?);
        assert!(bob.may_grant_system(reader, ViewClusterMetadata)?);
        assert!(!bob.has_system(reader, CreateRole)?);
        assert!(!bob.has_system(reader, SystemPrivilege::All)?);
        assert!(!bob.may_give_role(reader, "users")?);
        Ok(())
    })
    .expect("reads");
}

#[test]
fn a_role_is_given_by_admins_by_admin_option_and_by_createrole() {
    let (_directory, catalog, _) = store();
    write(&catalog, |writer| {
        change_system(writer, "creator", Change::Grant, &[CreateRole])?;
        role(writer, "half_admin")?;
        give(writer, ADMIN, "half_admin", false)?;
        role(writer, "deputies")?;
        give(writer, "managers", "deputies", true)?;
        give(writer, "deputies", "deputy", false)?;
        give(writer, ADMIN, "appointed", true)
    })
    .expect("writes");
    read(&catalog, |reader| {
        for (name, vouched, role, expected) in [
            (ROOT, [].as_slice(), "users", true),
            (ROOT, &[], ADMIN, true),
            (ROOT, &[], PUBLIC, false),
            ("second_admin", &[], ADMIN, true),
            ("manager", &[], "managers", true),
            ("manager", &[], "users", false),
            // The admin option is inherited like everything else.
            ("deputy", &[], "managers", true),
            ("deputy", &[], "deputies", false),
            ("stranger", &["deputies"], "managers", true),
            ("member_of_grantee", &[], "users", false),
            ("creator", &[], "users", true),
            ("creator", &[], "owners", true),
            ("creator", &[], ADMIN, false),
            ("creator", &[], ROOT, false),
            ("creator", &[], "half_admin", false),
            ("creator", &[], PUBLIC, false),
            ("stranger", &["creator"], "users", true),
            ("stranger", &[], "users", false),
        ] {
            let it = resolve(reader, name, vouched)?;
            assert_eq!(
                it.may_give_role(reader, role)?,
                expected,
                "{name} gives {role}"
            );
        }
        Ok(())
    })
    .expect("reads");
}

#[test]
fn createrole_does_not_reach_root_admin_or_their_members() {
    let (_directory, catalog, _) = store();
    write(&catalog, |writer| {
        change_system(writer, "creator", Change::Grant, &[CreateRole])?;
        role(writer, "deputies")?;
        give(writer, ADMIN, "deputies", false)?;
        give(writer, "deputies", "deputy", false)?;
        give(writer, ROOT, "twin", false)
    })
    .expect("writes");
    read(&catalog, |reader| {
        let creator = resolve(reader, "creator", &[])?;
        let root = resolve(reader, ROOT, &[])?;
        let stranger = resolve(reader, "stranger", &[])?;
        for (name, protected) in [
            (ROOT, true),
            (ADMIN, true),
            ("second_admin", true),
            ("deputies", true),
            ("deputy", true),
            ("twin", true),
            ("users", false),
            ("new_one", false),
            ("creator", false),
        ] {
            assert_eq!(is_protected(reader, name)?, protected, "{name}");
            assert_eq!(creator.may_manage(reader, name)?, !protected, "{name}");
            assert!(root.may_manage(reader, name)?, "{name}");
            assert!(!stranger.may_manage(reader, name)?, "{name}");
        }
        Ok(())
    })
    .expect("reads");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Memberships that would close a cycle are refused, all others are kept, and resolving finds
    /// what a plain search over the ones that were kept finds.
    #[test]
    fn roles_never_form_a_cycle_and_resolving_ends(
        edges in prop::collection::vec((0_usize..7, 0_usize..7), 0..40),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        let name = |number: usize| format!("r{number}");
        // reaches[a][b]: a has b.
        let mut reaches = [[false; 7]; 7];
        for (at, row) in reaches.iter_mut().enumerate() {
            row[at] = true;
        }
        write(&catalog, |writer| {
            (0..7).try_for_each(|number| role(writer, &name(number)))?;
            for (role, member) in &edges {
                let result = give(writer, &name(*role), &name(*member), false);
                if reaches[*role][*member] {
                    let error = result.expect_err("closes a cycle");
                    assert_eq!(error.sqlstate(), "0LP01");
                } else {
                    result?;
                    for from in 0..7 {
                        for to in 0..7 {
                            reaches[from][to] |= reaches[from][*member] && reaches[*role][to];
                        }
                    }
                }
            }
            Ok(())
        })
        .expect("writes");
        read(&catalog, |reader| {
            for (from, row) in reaches.iter().enumerate() {
                let it = resolve(reader, &name(from), &[])?;
                for (to, reached) in row.iter().enumerate() {
                    assert_eq!(it.is_member_of(&name(to)), *reached, "{from} has {to}");
                }
            }
            Ok(())
        })
        .expect("reads");
    }
}
