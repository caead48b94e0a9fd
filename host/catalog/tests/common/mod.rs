//! A store in a directory of its own, and what tests write to it.

#![allow(
    clippy::expect_used,
    dead_code,
    reason = "a test that cannot be set up fails; not every test uses everything"
)]

use std::path::{Path, PathBuf};

use portolan_catalog::{
    ApprovedProvider, AuditObject, AuditOutcome, AuditRecord, Catalog, CatalogError, Connection,
    ConnectionGrant, ConnectionPrivilege, ConnectionSecrets, ConnectionTarget, KeySource,
    NewConnection, PrincipalKind, PrincipalRow, Reader, RotationPlace, SqliteCatalog,
    SqliteOptions, SystemGrant, SystemPrivilege, UserFileSet, Writer, model,
};
use portolan_secret::{SecretBytes, SecretText};

pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("catalog.db")
}

pub(crate) fn key_file(directory: &Path) -> PathBuf {
    directory.join("master.key")
}

pub(crate) fn open(directory: &Path) -> Result<SqliteCatalog, CatalogError> {
    open_with(directory, KeySource::File(key_file(directory)))
}

pub(crate) fn open_with(directory: &Path, key: KeySource) -> Result<SqliteCatalog, CatalogError> {
    SqliteCatalog::open(SqliteOptions {
        path: database(directory),
        key,
    })
}

/// The file without the catalog around it: what somebody else could do to it.
pub(crate) fn raw(directory: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(database(directory)).expect("opens")
}

pub(crate) fn read<T>(
    catalog: &SqliteCatalog,
    mut function: impl FnMut(&dyn Reader) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    let mut value = None;
    catalog.read(&mut |reader| {
        value = Some(function(reader)?);
        Ok(())
    })?;
    Ok(value.expect("ran"))
}

pub(crate) fn write<T>(
    catalog: &SqliteCatalog,
    mut function: impl FnMut(&mut dyn Writer) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    let mut value = None;
    catalog.write(&mut |writer| {
        value = Some(function(writer)?);
        Ok(())
    })?;
    Ok(value.expect("ran"))
}

pub(crate) fn target(mark: &str) -> ConnectionTarget {
    ConnectionTarget {
        connection_type: "STORAGE".to_owned(),
        provider: "nodelocal".to_owned(),
        provider_version: "0.1.0".to_owned(),
        redacted_uri: format!("nodelocal://1/{mark}?key=redacted"),
        implicit_access: false,
        plan_format: 1,
        secrets: ConnectionSecrets {
            uri: SecretText::new(format!("nodelocal://1/{mark}?key=hunter2-uri-{mark}")),
            plan: SecretBytes::new(format!("hunter2-plan-{mark}").into_bytes()),
        },
    }
}

pub(crate) fn new_connection(name: &str) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        owner: "alice".to_owned(),
        comment: Some("for tests".to_owned()),
        target: target(name),
    }
}

pub(crate) fn audit(name: &str) -> AuditRecord {
    AuditRecord {
        time: model::now(),
        principal: "alice".to_owned(),
        on_behalf_of: Some("bob".to_owned()),
        client_address: Some("10.0.0.1".to_owned()),
        request_id: Some("r".to_owned()),
        action: "CREATE EXTERNAL CONNECTION".to_owned(),
        object: Some(AuditObject::connection(name)),
        statement: Some("CREATE".to_owned()),
        outcome: AuditOutcome::Refused("42501".to_owned()),
        detail: Some("d".to_owned()),
    }
}

/// One row, or a few, in every table.
pub(crate) fn fill(catalog: &SqliteCatalog) -> (Connection, Connection) {
    write(catalog, |writer| {
        let one = writer.insert_connection(&new_connection("one"))?;
        let two = writer.insert_connection(&new_connection("two"))?;
        writer.insert_principal(&PrincipalRow {
            name: "bob".to_owned(),
            kind: PrincipalKind::User,
            created: model::now(),
        })?;
        writer.put_membership(&portolan_catalog::Membership {
            role: "admin".to_owned(),
            member: "bob".to_owned(),
            admin_option: false,
        })?;
        writer.put_system_grant(&SystemGrant {
            grantee: "bob".to_owned(),
            privilege: SystemPrivilege::ExternalConnection,
            grantable: false,
        })?;
        writer.put_connection_grant(&ConnectionGrant {
            connection: one.id,
            grantee: "bob".to_owned(),
            privilege: ConnectionPrivilege::Usage,
            grantable: false,
        })?;
        writer.insert_provider(&ApprovedProvider {
            name: "mine".to_owned(),
            version: "1.0.0".to_owned(),
            digest: "ab".repeat(32),
            file: "mine.wasm".to_owned(),
            manifest: "m".to_owned(),
            allow_public: vec!["api_key".to_owned()],
            approved_by: "root".to_owned(),
            approved: model::now(),
        })?;
        writer.put_user_file_set(&UserFileSet {
            name: "a.b.c".to_owned(),
            owner: "bob".to_owned(),
            created: model::now(),
        })?;
        for name in ["one", "two", "three"] {
            writer.append_audit(&audit(name))?;
        }
        Ok((one, two))
    })
    .expect("writes")
}

/// Brings every row under a newer store key.
pub(crate) fn rotate(catalog: &SqliteCatalog) -> u64 {
    write(catalog, |writer| writer.begin_key_rotation()).expect("begins");
    go_on(catalog).expect("goes on")
}

/// Goes on with that until it is done; gives the number of rows.
pub(crate) fn go_on(catalog: &SqliteCatalog) -> Result<u64, CatalogError> {
    let mut place: Option<RotationPlace> = None;
    let mut rows = 0;
    loop {
        let step = write(catalog, |writer| writer.rotate_rows(place.as_ref(), 7))?;
        rows += step.rows;
        match step.next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    write(catalog, |writer| writer.finish_key_rotation())?;
    Ok(rows)
}

/// Opens a store with a key, and everything that is sealed in it.
pub(crate) fn opens(directory: &Path, source: &KeySource) {
    let catalog = open_with(directory, source.clone()).expect("opens");
    read(&catalog, |reader| {
        for connection in reader.connections_after(None, 100)? {
            reader.secrets_of(&connection)?;
        }
        Ok(())
    })
    .expect("reads");
}
