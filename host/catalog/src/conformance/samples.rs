//! What the cases write.

use portolan_secret::{SecretBytes, SecretText};

use crate::access::{Catalog, Reader, Writer};
use crate::error::CatalogError;
use crate::model::{
    self, ApprovedProvider, AuditObject, AuditOutcome, AuditRecord, Connection, ConnectionSecrets,
    ConnectionTarget, NewConnection, PrincipalKind, PrincipalRow,
};

pub(super) fn target(mark: &str) -> ConnectionTarget {
    ConnectionTarget {
        connection_type: "STORAGE".to_owned(),
        provider: "nodelocal".to_owned(),
        provider_version: "0.1.0".to_owned(),
        redacted_uri: format!("nodelocal://1/{mark}?key=redacted"),
        implicit_access: true,
        plan_format: 1,
        secrets: ConnectionSecrets {
            uri: SecretText::new(format!("nodelocal://1/{mark}?key=hunter2-{mark}")),
            plan: SecretBytes::new(format!("plan\0of {mark}").into_bytes()),
        },
    }
}

pub(super) fn new_connection(name: &str, owner: &str) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        owner: owner.to_owned(),
        comment: None,
        target: target(name),
    }
}

pub(super) fn principal(name: &str, kind: PrincipalKind) -> PrincipalRow {
    PrincipalRow {
        name: name.to_owned(),
        kind,
        created: model::now(),
    }
}

pub(super) fn provider(name: &str) -> ApprovedProvider {
    ApprovedProvider {
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        digest: "ab".repeat(32),
        file: format!("{name}.wasm"),
        manifest: "name = \"x\"\n".to_owned(),
        allow_public: vec!["api_key".to_owned(), "b,c".to_owned()],
        approved_by: "root".to_owned(),
        approved: model::now(),
    }
}

pub(super) fn audit(action: &str, object: Option<&str>) -> AuditRecord {
    AuditRecord {
        time: model::now(),
        principal: "root".to_owned(),
        on_behalf_of: Some("somebody".to_owned()),
        client_address: None,
        request_id: Some("7".to_owned()),
        action: action.to_owned(),
        object: object.map(AuditObject::connection),
        statement: Some("CREATE EXTERNAL CONNECTION x AS '…'".to_owned()),
        outcome: AuditOutcome::Refused("42501".to_owned()),
        detail: None,
    }
}

/// Reads, and says which case could not.
pub(super) fn read<T>(
    catalog: &dyn Catalog,
    mut function: impl FnMut(&dyn Reader) -> Result<T, CatalogError>,
) -> T {
    let mut value = None;
    catalog
        .read(&mut |reader| {
            value = Some(function(reader)?);
            Ok(())
        })
        .expect("reads");
    value.expect("the function ran")
}

/// Writes. Gives what the function gave, or why it failed.
pub(super) fn try_write<T>(
    catalog: &dyn Catalog,
    mut function: impl FnMut(&mut dyn Writer) -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    let mut value = None;
    catalog.write(&mut |writer| {
        value = Some(function(writer)?);
        Ok(())
    })?;
    Ok(value.expect("the function ran"))
}

/// Writes, which must succeed.
pub(super) fn write<T>(
    catalog: &dyn Catalog,
    function: impl FnMut(&mut dyn Writer) -> Result<T, CatalogError>,
) -> T {
    try_write(catalog, function).expect("writes")
}

pub(super) fn insert(catalog: &dyn Catalog, name: &str) -> Connection {
    write(catalog, |writer| {
        writer.insert_connection(&new_connection(name, "owner"))
    })
}

pub(super) fn add_roles(catalog: &dyn Catalog, names: &[&str]) {
    write(catalog, |writer| {
        names
            .iter()
            .try_for_each(|name| writer.insert_principal(&principal(name, PrincipalKind::Role)))
    });
}
