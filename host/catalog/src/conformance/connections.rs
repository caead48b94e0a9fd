//! Connections and what is sealed of them.

use super::list;
use super::samples::{insert, new_connection, read, target, try_write, write};
use crate::access::Catalog;
use crate::error::CatalogError;
use crate::model::{
    self, Connection, ConnectionGrant, ConnectionId, ConnectionPrivilege, NewConnection,
};

list![
    a_connection_is_read_back_as_it_was_made,
    text_is_kept_as_it_is,
    a_taken_name_is_refused_and_letter_case_counts,
    a_new_target_is_a_new_version_with_new_secrets,
    a_stale_version_changes_nothing,
    a_renamed_connection_keeps_id_version_secrets_and_grants,
    owner_and_comment_change_without_a_new_version,
    what_is_gone_cannot_be_changed,
    a_deleted_connection_takes_its_grants_along,
    a_connection_is_deleted_by_name_without_being_read,
    pages_show_every_connection_once_in_byte_order,
];

fn a_connection_is_read_back_as_it_was_made(catalog: &dyn Catalog) {
    let before = model::now();
    let new = NewConnection {
        comment: Some("for the night".to_owned()),
        ..new_connection("bucket", "alice")
    };
    let made = write(catalog, |writer| writer.insert_connection(&new));
    assert_eq!((made.version, made.name.as_str()), (1, "bucket"));
    assert_eq!(made.owner, "alice");
    assert_eq!(made.comment, new.comment);
    assert_eq!(made.redacted_uri, new.target.redacted_uri);
    assert!(made.implicit_access && made.plan_format == 1);
    assert!(before <= made.created && made.created <= made.updated);
    read(catalog, |reader| {
        assert_eq!(reader.connection("bucket")?.as_ref(), Some(&made));
        assert_eq!(reader.connection_by_id(made.id)?.as_ref(), Some(&made));
        assert_eq!(
            reader.connections_after(None, 9)?,
            std::slice::from_ref(&made)
        );
        assert_eq!(reader.secrets_of(&made)?, new.target.secrets);
        assert_eq!(reader.connection("other")?, None);
        assert_eq!(reader.connection_by_id(ConnectionId::random())?, None);
        Ok(())
    });
}

fn text_is_kept_as_it_is(catalog: &dyn Catalog) {
    for (at, text) in ["", "it's", "a\n\"b\"\\", "grüße 🗺", "%_;--"]
        .iter()
        .enumerate()
    {
        let new = NewConnection {
            comment: Some((*text).to_owned()),
            ..new_connection(&format!("c{at}"), text)
        };
        let made = write(catalog, |writer| writer.insert_connection(&new));
        let found = read(catalog, |reader| reader.connection_by_id(made.id)).expect("is there");
        assert_eq!(found.comment.as_deref(), Some(*text));
        assert_eq!(found.owner, *text);
    }
}

fn a_taken_name_is_refused_and_letter_case_counts(catalog: &dyn Catalog) {
    insert(catalog, "bucket");
    let error = try_write(catalog, |writer| {
        writer.insert_connection(&new_connection("bucket", "bob"))
    });
    assert!(matches!(error, Err(CatalogError::ConnectionExists { name }) if name == "bucket"));
    insert(catalog, "Bucket");
}

fn a_new_target_is_a_new_version_with_new_secrets(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    let target = target("elsewhere");
    let changed = write(catalog, |writer| {
        writer.replace_connection(made.id, 1, &target)
    });
    assert_eq!((changed.id, changed.version), (made.id, 2));
    assert_eq!(changed.redacted_uri, target.redacted_uri);
    assert_eq!(
        (changed.created, &changed.owner),
        (made.created, &made.owner)
    );
    assert!(changed.updated >= made.updated);
    read(catalog, |reader| {
        assert_eq!(reader.connection("bucket")?.as_ref(), Some(&changed));
        assert_eq!(reader.secrets_of(&changed)?, target.secrets);
        let stale = reader.secrets_of(&made);
        assert!(matches!(stale, Err(CatalogError::ConnectionChanged { id }) if id == made.id));
        Ok(())
    });
}

fn a_stale_version_changes_nothing(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    for version in [0, 2] {
        let error = try_write(catalog, |writer| {
            writer.replace_connection(made.id, version, &target("elsewhere"))
        });
        assert!(matches!(error, Err(CatalogError::ConnectionChanged { id }) if id == made.id));
    }
    assert_eq!(
        read(catalog, |reader| reader.connection("bucket")),
        Some(made)
    );
}

fn a_renamed_connection_keeps_id_version_secrets_and_grants(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    insert(catalog, "taken");
    let grant = ConnectionGrant {
        connection: made.id,
        grantee: "bob".to_owned(),
        privilege: ConnectionPrivilege::Usage,
        grantable: false,
    };
    write(catalog, |writer| writer.put_connection_grant(&grant));
    let renamed = write(catalog, |writer| writer.rename_connection(made.id, "pail"));
    assert_eq!((renamed.id, renamed.version), (made.id, 1));
    read(catalog, |reader| {
        assert_eq!(reader.connection("bucket")?, None);
        assert_eq!(reader.connection("pail")?.as_ref(), Some(&renamed));
        assert_eq!(reader.secrets_of(&renamed)?, target("bucket").secrets);
        assert_eq!(
            reader.connection_grants(Some(made.id))?,
            std::slice::from_ref(&grant)
        );
        Ok(())
    });
    let error = try_write(catalog, |writer| writer.rename_connection(made.id, "taken"));
    assert!(matches!(error, Err(CatalogError::ConnectionExists { name }) if name == "taken"));
    write(catalog, |writer| writer.rename_connection(made.id, "pail"));
    insert(catalog, "bucket");
}

fn owner_and_comment_change_without_a_new_version(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    let changed = write(catalog, |writer| {
        writer.set_comment(made.id, Some(""))?;
        writer.set_owner(made.id, "carol")
    });
    let expected = Connection {
        owner: "carol".to_owned(),
        comment: Some(String::new()),
        updated: changed.updated,
        ..made.clone()
    };
    assert_eq!(changed, expected);
    read(catalog, |reader| {
        assert_eq!(reader.connection("bucket")?.as_ref(), Some(&expected));
        assert_eq!(reader.secrets_of(&made)?, target("bucket").secrets);
        Ok(())
    });
    let bare = write(catalog, |writer| writer.set_comment(made.id, None));
    assert_eq!(bare.comment, None);
}

fn what_is_gone_cannot_be_changed(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    write(catalog, |writer| writer.delete_connection(made.id));
    let id = made.id;
    let results = [
        try_write(catalog, |writer| {
            writer.replace_connection(id, 1, &target("x")).map(drop)
        }),
        try_write(catalog, |writer| {
            writer.rename_connection(id, "x").map(drop)
        }),
        try_write(catalog, |writer| writer.set_owner(id, "x").map(drop)),
        try_write(catalog, |writer| writer.set_comment(id, None).map(drop)),
        try_write(catalog, |writer| writer.secrets_of(&made).map(drop)),
        try_write(catalog, |writer| {
            writer.put_connection_grant(&ConnectionGrant {
                connection: id,
                grantee: "bob".to_owned(),
                privilege: ConnectionPrivilege::All,
                grantable: true,
            })
        }),
    ];
    for (at, result) in results.into_iter().enumerate() {
        assert!(
            matches!(result, Err(CatalogError::ConnectionChanged { id: named }) if named == id),
            "change {at}"
        );
    }
}

fn a_deleted_connection_takes_its_grants_along(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    write(catalog, |writer| {
        writer.put_connection_grant(&ConnectionGrant {
            connection: made.id,
            grantee: "bob".to_owned(),
            privilege: ConnectionPrivilege::All,
            grantable: true,
        })
    });
    assert!(write(catalog, |writer| writer.delete_connection(made.id)));
    assert!(!write(catalog, |writer| writer.delete_connection(made.id)));
    let again = insert(catalog, "bucket");
    assert_ne!(again.id, made.id);
    read(catalog, |reader| {
        assert_eq!(reader.connection_grants(None)?, []);
        assert_eq!(reader.connection_by_id(made.id)?, None);
        Ok(())
    });
}

fn a_connection_is_deleted_by_name_without_being_read(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    let kept = insert(catalog, "kept");
    for id in [made.id, kept.id] {
        write(catalog, |writer| {
            writer.put_connection_grant(&ConnectionGrant {
                connection: id,
                grantee: "bob".to_owned(),
                privilege: ConnectionPrivilege::Usage,
                grantable: false,
            })
        });
    }
    assert!(write(catalog, |writer| writer
        .delete_connection_unchecked("bucket")));
    assert!(!write(catalog, |writer| writer
        .delete_connection_unchecked("bucket")));
    read(catalog, |reader| {
        assert_eq!(reader.connection_by_id(made.id)?, None);
        assert_eq!(reader.connection_grants(None)?.len(), 1);
        assert_eq!(reader.secrets_of(&kept)?, target("kept").secrets);
        Ok(())
    });
}

fn pages_show_every_connection_once_in_byte_order(catalog: &dyn Catalog) {
    let mut names = ["b", "a.b", "a-b", "a_b", "aB", "a", "B", "0", "aa", "_"];
    write(catalog, |writer| {
        names.iter().try_for_each(|name| {
            writer
                .insert_connection(&new_connection(name, "owner"))
                .map(drop)
        })
    });
    names.sort_unstable();
    for limit in [1, 3, 10, 11] {
        let mut seen: Vec<String> = Vec::new();
        loop {
            let page = read(catalog, |reader| {
                reader.connections_after(seen.last().map(String::as_str), limit)
            });
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|connection| connection.name));
        }
        assert_eq!(seen, names, "in pages of {limit}");
    }
    // The name to go on after need not be there any more.
    let page = read(catalog, |reader| reader.connections_after(Some("a0"), 1));
    assert_eq!(page[0].name, "aB");
}
