//! Users, roles and memberships.

use super::list;
use super::samples::{add_roles, insert, principal, read, try_write, write};
use crate::access::Catalog;
use crate::error::CatalogError;
use crate::model::principal::{ADMIN, PUBLIC, ROOT};
use crate::model::{
    ConnectionGrant, ConnectionPrivilege, Membership, PrincipalKind, SystemGrant, SystemPrivilege,
    UserFileSet,
};

list![
    a_new_catalog_has_root_in_admin_and_nothing_else,
    principals_are_listed_by_name,
    a_taken_or_reserved_name_is_refused,
    what_is_built_in_stays,
    an_owner_is_not_dropped,
    a_dropped_principal_leaves_no_membership_and_no_grant,
    a_membership_needs_its_role_but_not_its_member,
    a_role_never_inherits_itself,
    a_set_of_files_is_whose_it_was_written_to_be,
    the_sets_of_a_dropped_user_are_the_administrators,
];

fn membership(role: &str, member: &str, admin_option: bool) -> Membership {
    Membership {
        role: role.to_owned(),
        member: member.to_owned(),
        admin_option,
    }
}

fn a_new_catalog_has_root_in_admin_and_nothing_else(catalog: &dyn Catalog) {
    read(catalog, |reader| {
        let principals: Vec<_> = reader
            .principals()?
            .into_iter()
            .map(|it| (it.name, it.kind))
            .collect();
        assert_eq!(
            principals,
            [
                (ADMIN.to_owned(), PrincipalKind::Role),
                (ROOT.to_owned(), PrincipalKind::User)
            ]
        );
        assert_eq!(reader.memberships()?, [membership(ADMIN, ROOT, true)]);
        assert_eq!(reader.system_grants(None)?, []);
        assert_eq!(reader.connection_grants(None)?, []);
        assert_eq!(reader.connections_after(None, 1)?, []);
        assert_eq!(reader.providers()?, []);
        Ok(())
    });
}

fn principals_are_listed_by_name(catalog: &dyn Catalog) {
    let alice = principal("alice", PrincipalKind::User);
    write(catalog, |writer| writer.insert_principal(&alice));
    add_roles(catalog, &["Zoe", "writers"]);
    read(catalog, |reader| {
        let names: Vec<_> = reader.principals()?.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["Zoe", "admin", "alice", "root", "writers"]);
        assert_eq!(reader.principal("alice")?.as_ref(), Some(&alice));
        assert_eq!(reader.principal("bob")?, None);
        Ok(())
    });
}

fn a_taken_or_reserved_name_is_refused(catalog: &dyn Catalog) {
    add_roles(catalog, &["writers"]);
    for name in ["writers", ROOT, ADMIN] {
        let result = try_write(catalog, |writer| {
            writer.insert_principal(&principal(name, PrincipalKind::User))
        });
        assert!(
            matches!(result, Err(CatalogError::PrincipalExists { .. })),
            "{name}"
        );
    }
    for name in [PUBLIC, "none"] {
        let result = try_write(catalog, |writer| {
            writer.insert_principal(&principal(name, PrincipalKind::User))
        });
        assert!(
            matches!(result, Err(CatalogError::ReservedPrincipal { .. })),
            "{name}"
        );
    }
}

fn what_is_built_in_stays(catalog: &dyn Catalog) {
    add_roles(catalog, &["writers"]);
    for name in [ROOT, ADMIN, PUBLIC] {
        let result = try_write(catalog, |writer| writer.delete_principal(name));
        assert!(
            matches!(result, Err(CatalogError::ReservedPrincipal { .. })),
            "{name}"
        );
    }
    let taken = try_write(catalog, |writer| writer.delete_membership(ADMIN, ROOT));
    assert!(matches!(taken, Err(CatalogError::ReservedPrincipal { .. })));
    for (role, member) in [(PUBLIC, "writers"), ("writers", PUBLIC)] {
        let given = try_write(catalog, |writer| {
            writer.put_membership(&membership(role, member, false))
        });
        assert!(
            matches!(given, Err(CatalogError::PublicMembership)),
            "{role}"
        );
    }
}

fn an_owner_is_not_dropped(catalog: &dyn Catalog) {
    add_roles(catalog, &["owner"]);
    let made = insert(catalog, "bucket");
    let result = try_write(catalog, |writer| writer.delete_principal("owner"));
    assert!(matches!(
        result,
        Err(CatalogError::OwnsConnections { name, connection })
            if name == "owner" && connection == "bucket"
    ));
    write(catalog, |writer| writer.set_owner(made.id, ROOT).map(drop));
    assert!(write(catalog, |writer| writer.delete_principal("owner")));
    assert!(!write(catalog, |writer| writer.delete_principal("owner")));
}

fn a_dropped_principal_leaves_no_membership_and_no_grant(catalog: &dyn Catalog) {
    add_roles(catalog, &["middle", "top", "kept"]);
    let made = insert(catalog, "bucket");
    write(catalog, |writer| {
        writer.put_membership(&membership("top", "middle", false))?;
        writer.put_membership(&membership("middle", "somebody", true))?;
        writer.put_membership(&membership("top", "kept", false))?;
        for grantee in ["middle", "kept"] {
            writer.put_system_grant(&SystemGrant {
                grantee: grantee.to_owned(),
                privilege: SystemPrivilege::CreateRole,
                grantable: true,
            })?;
            writer.put_connection_grant(&ConnectionGrant {
                connection: made.id,
                grantee: grantee.to_owned(),
                privilege: ConnectionPrivilege::All,
                grantable: true,
            })?;
        }
        Ok(())
    });
    assert!(write(catalog, |writer| writer.delete_principal("middle")));
    read(catalog, |reader| {
        assert_eq!(
            reader.memberships()?,
            [
                membership(ADMIN, ROOT, true),
                membership("top", "kept", false)
            ]
        );
        let system = reader.system_grants(None)?;
        assert!(system.len() == 1 && system[0].grantee == "kept");
        let connection = reader.connection_grants(Some(made.id))?;
        assert!(connection.len() == 1 && connection[0].grantee == "kept");
        Ok(())
    });
}

fn a_membership_needs_its_role_but_not_its_member(catalog: &dyn Catalog) {
    add_roles(catalog, &["a", "b"]);
    let missing = try_write(catalog, |writer| {
        writer.put_membership(&membership("missing", "a", false))
    });
    assert!(matches!(missing, Err(CatalogError::PrincipalNotFound { name }) if name == "missing"));
    write(catalog, |writer| {
        writer.put_membership(&membership("b", "somebody", false))?;
        writer.put_membership(&membership("a", "somebody", true))?;
        writer.put_membership(&membership("b", "somebody", true))
    });
    read(catalog, |reader| {
        assert_eq!(
            reader.memberships_of("somebody")?,
            [
                membership("a", "somebody", true),
                membership("b", "somebody", true)
            ]
        );
        Ok(())
    });
    assert!(write(catalog, |writer| writer.delete_membership("a", "somebody")));
    assert!(!write(catalog, |writer| writer.delete_membership("a", "somebody")));
}

fn a_role_never_inherits_itself(catalog: &dyn Catalog) {
    add_roles(catalog, &["a", "b", "c"]);
    write(catalog, |writer| {
        writer.put_membership(&membership("b", "a", false))?;
        writer.put_membership(&membership("c", "b", false))
    });
    for (role, member) in [
        ("a", "a"),
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        (ROOT, ADMIN),
    ] {
        let result = try_write(catalog, |writer| {
            writer.put_membership(&membership(role, member, false))
        });
        let error = result.expect_err("closes a cycle");
        assert!(
            matches!(error, CatalogError::RoleCycle { .. }),
            "{role} to {member}"
        );
        assert_eq!(error.sqlstate(), "0LP01");
    }
    write(catalog, |writer| {
        writer.put_membership(&membership("c", "a", false))
    });
}

fn set(name: &str, owner: &str) -> UserFileSet {
    UserFileSet {
        name: name.to_owned(),
        owner: owner.to_owned(),
        created: crate::model::now(),
    }
}

fn a_set_of_files_is_whose_it_was_written_to_be(catalog: &dyn Catalog) {
    let (first, second) = (set("a.b.c", "somebody"), set("a.b.c", "another"));
    write(catalog, |writer| {
        assert_eq!(writer.user_file_set("a.b.c")?, None);
        writer.put_user_file_set(&first)
    });
    read(catalog, |reader| {
        assert_eq!(reader.user_file_set("a.b.c")?.as_ref(), Some(&first));
        assert_eq!(reader.user_file_set("a.b.C")?, None);
        Ok(())
    });
    write(catalog, |writer| writer.put_user_file_set(&second));
    read(catalog, |reader| {
        assert_eq!(reader.user_file_set("a.b.c")?.as_ref(), Some(&second));
        Ok(())
    });
}

fn the_sets_of_a_dropped_user_are_the_administrators(catalog: &dyn Catalog) {
    add_roles(catalog, &["gone"]);
    let (theirs, kept) = (set("a.b.c", "gone"), set("a.b.d", "kept"));
    write(catalog, |writer| {
        writer.put_user_file_set(&theirs)?;
        writer.put_user_file_set(&kept)
    });
    assert!(write(catalog, |writer| writer.delete_principal("gone")));
    read(catalog, |reader| {
        let left = UserFileSet {
            owner: ADMIN.to_owned(),
            ..theirs.clone()
        };
        assert_eq!(reader.user_file_set("a.b.c")?, Some(left));
        assert_eq!(reader.user_file_set("a.b.d")?.as_ref(), Some(&kept));
        Ok(())
    });
}
