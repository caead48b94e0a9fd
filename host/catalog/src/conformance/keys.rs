//! Key slots, and a newer store key in the place of an older.

use portolan_secret::{SlotKey, SlotKind};

use super::list;
use super::samples::{
    add_roles, audit, insert, new_connection, principal, provider, read, target, try_write, write,
};
use crate::access::Catalog;
use crate::error::CatalogError;
use crate::model::{
    self, AuditFilter, ConnectionGrant, ConnectionPrivilege, KeySlotRow, Membership, NewKeySlot,
    PrincipalKind, SystemGrant, SystemPrivilege, UserFileSet,
};

list![
    a_new_catalog_has_the_slot_that_opened_it,
    slots_are_added_listed_and_removed,
    a_number_is_never_given_to_a_second_slot,
    a_key_has_one_slot,
    the_slot_that_opened_the_catalog_stays,
    a_newer_key_takes_the_place_of_the_older_row_by_row,
    a_change_of_the_key_goes_on_where_it_was_broken_off,
    a_newer_key_that_was_given_up_leaves_nothing_behind,
    what_is_not_changing_needs_no_steps,
];

fn new_slot(label: &str) -> NewKeySlot {
    NewKeySlot {
        kind: SlotKind::Recovery,
        label: label.to_owned(),
        parameters: "{}".to_owned(),
        key: SlotKey::generate().expect("random bytes"),
    }
}

fn slots(catalog: &dyn Catalog) -> Vec<KeySlotRow> {
    read(catalog, |reader| reader.key_slots())
}

fn a_new_catalog_has_the_slot_that_opened_it(catalog: &dyn Catalog) {
    let state = read(catalog, |reader| reader.key_state());
    assert_eq!((state.oldest, state.generation), (1, 1));
    assert!(!state.is_rotating());
    let ids: Vec<u32> = slots(catalog).iter().map(|slot| slot.id).collect();
    assert_eq!(ids, [state.slot]);
}

fn slots_are_added_listed_and_removed(catalog: &dyn Catalog) {
    let added = write(catalog, |writer| writer.insert_key_slot(&new_slot("safe")));
    assert_eq!(added.kind, SlotKind::Recovery);
    assert_eq!(added.label, "safe");
    assert_eq!(added.parameters, "{}");
    let listed = slots(catalog);
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1], added);
    assert!(write(catalog, |writer| writer.delete_key_slot(added.id)));
    assert!(!write(catalog, |writer| writer.delete_key_slot(added.id)));
    assert_eq!(slots(catalog), listed[..1]);
}

fn a_number_is_never_given_to_a_second_slot(catalog: &dyn Catalog) {
    let add = |label: &str| write(catalog, |writer| writer.insert_key_slot(&new_slot(label))).id;
    let one = add("one");
    write(catalog, |writer| writer.delete_key_slot(one));
    assert!(add("two") > one);
}

fn a_key_has_one_slot(catalog: &dyn Catalog) {
    let slot = new_slot("one");
    let added = write(catalog, |writer| writer.insert_key_slot(&slot));
    let again = try_write(catalog, |writer| writer.insert_key_slot(&slot));
    assert!(
        matches!(&again, Err(CatalogError::KeySlotExists { slot }) if *slot == added.to_string()),
        "{again:?}"
    );
    assert_eq!(slots(catalog).len(), 2);
}

fn the_slot_that_opened_the_catalog_stays(catalog: &dyn Catalog) {
    let mine = read(catalog, |reader| reader.key_state()).slot;
    let refused = try_write(catalog, |writer| writer.delete_key_slot(mine));
    assert!(
        matches!(refused, Err(CatalogError::LastKeySlot { slot }) if slot == mine),
        "{refused:?}"
    );
    write(catalog, |writer| writer.insert_key_slot(&new_slot("x")));
    let refused = try_write(catalog, |writer| writer.delete_key_slot(mine));
    assert!(
        matches!(refused, Err(CatalogError::KeySlotInUse { slot }) if slot == mine),
        "{refused:?}"
    );
    assert_eq!(slots(catalog).len(), 2);
}

/// A row or more of every kind.
fn fill(catalog: &dyn Catalog) {
    add_roles(catalog, &["writers", "readers"]);
    for number in 0..5 {
        let made = insert(catalog, &format!("c{number}"));
        write(catalog, |writer| {
            writer.put_connection_grant(&ConnectionGrant {
                connection: made.id,
                grantee: "readers".to_owned(),
                privilege: ConnectionPrivilege::Usage,
                grantable: number > 2,
            })?;
            writer.append_audit(&audit("CREATE", Some(&made.name)))
        });
    }
    write(catalog, |writer| {
        writer.put_membership(&Membership {
            role: "writers".to_owned(),
            member: "readers".to_owned(),
            admin_option: true,
        })?;
        writer.put_system_grant(&SystemGrant {
            grantee: "writers".to_owned(),
            privilege: SystemPrivilege::ExternalConnection,
            grantable: true,
        })?;
        writer.insert_provider(&provider("mine"))?;
        writer.put_user_file_set(&UserFileSet {
            name: "set".to_owned(),
            owner: "readers".to_owned(),
            created: model::now(),
        })
    });
}

/// Reads every row. Gives how many connections there are.
fn read_all(catalog: &dyn Catalog) -> usize {
    read(catalog, |reader| {
        reader.key_slots()?;
        reader.principals()?;
        reader.memberships()?;
        reader.system_grants(None)?;
        reader.connection_grants(None)?;
        reader.providers()?;
        reader.user_file_set("set")?;
        reader.audit_after(&AuditFilter::default(), None, 100)?;
        reader.authentic_rows()?;
        let connections = reader.connections_after(None, 100)?;
        for connection in &connections {
            let secrets = reader.secrets_of(connection)?;
            let mark = match connection.version {
                1 => connection.name.as_str(),
                _ => "newer",
            };
            assert_eq!(secrets, target(mark).secrets);
        }
        Ok(connections.len())
    })
}

fn a_newer_key_takes_the_place_of_the_older_row_by_row(catalog: &dyn Catalog) {
    fill(catalog);
    write(catalog, |writer| writer.insert_key_slot(&new_slot("x")));
    let before = slots(catalog);
    let begun = write(catalog, |writer| writer.begin_key_rotation());
    assert_eq!((begun.oldest, begun.generation), (1, 2));
    assert!(begun.is_rotating());
    assert_eq!(read(catalog, |reader| reader.key_state()), begun);
    assert_eq!(slots(catalog), before, "what slots say of themselves stays");
    assert_eq!(read_all(catalog), 5);
    let refused = try_write(catalog, |writer| writer.finish_key_rotation());
    assert!(
        matches!(refused, Err(CatalogError::KeyInUse { generation: 1, .. })),
        "{refused:?}"
    );
    let mut place = None;
    let mut rows = 0;
    let mut steps = 0;
    loop {
        let step = write(catalog, |writer| writer.rotate_rows(place.as_ref(), 2));
        rows += step.rows;
        steps += 1;
        assert!(step.rows <= 2, "{step:?}");
        // Others write meanwhile, before the walk and behind it.
        let name = format!("a{steps}");
        insert(catalog, &name);
        write(catalog, |writer| {
            writer.append_audit(&audit("CREATE", None))
        });
        if steps == 2 {
            let renamed = read(catalog, |reader| reader.connection("c4"));
            let id = renamed.expect("is there").id;
            write(catalog, |writer| {
                writer.rename_connection(id, "a")?;
                writer.replace_connection(id, 1, &target("newer"))
            });
        }
        assert_eq!(read_all(catalog), 5 + steps);
        match step.next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    assert!(rows > 20, "{rows} rows");
    let done = write(catalog, |writer| writer.finish_key_rotation());
    assert_eq!((done.oldest, done.generation), (2, 2));
    assert_eq!(read_all(catalog), 5 + steps);
    assert_eq!(slots(catalog), before);
    write(catalog, |writer| {
        writer.insert_principal(&principal("later", PrincipalKind::User))
    });
    // And once more.
    write(catalog, |writer| writer.begin_key_rotation());
    let mut place = None;
    while let Some(next) = write(catalog, |writer| writer.rotate_rows(place.as_ref(), 100)).next {
        place = Some(next);
    }
    let done = write(catalog, |writer| writer.finish_key_rotation());
    assert_eq!((done.oldest, done.generation), (3, 3));
    assert_eq!(read_all(catalog), 5 + steps);
}

fn a_change_of_the_key_goes_on_where_it_was_broken_off(catalog: &dyn Catalog) {
    fill(catalog);
    write(catalog, |writer| writer.begin_key_rotation());
    write(catalog, |writer| writer.rotate_rows(None, 3));
    // A newer one still, before the first one is finished.
    let begun = write(catalog, |writer| writer.begin_key_rotation());
    assert_eq!((begun.oldest, begun.generation), (1, 3));
    assert_eq!(read_all(catalog), 5);
    // The place is lost, and the walk begins again.
    write(catalog, |writer| writer.rotate_rows(None, 3));
    let mut rows = 0;
    let mut place = None;
    loop {
        let step = write(catalog, |writer| writer.rotate_rows(place.as_ref(), 3));
        rows += step.rows;
        match step.next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    assert!(rows > 0);
    let again = write(catalog, |writer| writer.rotate_rows(None, 100));
    assert_eq!((again.rows, again.next), (0, None), "nothing is left");
    let done = write(catalog, |writer| writer.finish_key_rotation());
    assert_eq!((done.oldest, done.generation), (3, 3));
    assert_eq!(read_all(catalog), 5);
}

fn a_newer_key_that_was_given_up_leaves_nothing_behind(catalog: &dyn Catalog) {
    fill(catalog);
    let before = read(catalog, |reader| reader.key_state());
    let given_up: Result<(), _> = try_write(catalog, |writer| {
        writer.begin_key_rotation()?;
        writer.insert_connection(&new_connection("lost", "owner"))?;
        assert_eq!(writer.connections_after(None, 100)?.len(), 6);
        Err(CatalogError::Interrupted)
    });
    assert!(given_up.is_err());
    assert_eq!(read(catalog, |reader| reader.key_state()), before);
    assert_eq!(read_all(catalog), 5);
    insert(catalog, "after");
    assert_eq!(read_all(catalog), 6);
}

fn what_is_not_changing_needs_no_steps(catalog: &dyn Catalog) {
    fill(catalog);
    let before = read(catalog, |reader| reader.key_state());
    let step = write(catalog, |writer| writer.rotate_rows(None, 10));
    assert_eq!((step.rows, step.next), (0, None));
    let done = write(catalog, |writer| writer.finish_key_rotation());
    assert_eq!(done, before);
}
