//! Privileges and approved providers.

use super::list;
use super::samples::{insert, provider, read, try_write, write};
use crate::access::Catalog;
use crate::error::CatalogError;
use crate::model::{
    ConnectionGrant, ConnectionId, ConnectionPrivilege, SystemGrant, SystemPrivilege,
};

list![
    a_system_privilege_is_written_over_what_was_there,
    a_privilege_on_a_connection_is_written_over_what_was_there,
    providers_are_approved_once_and_listed_by_name,
];

fn a_system_privilege_is_written_over_what_was_there(catalog: &dyn Catalog) {
    use SystemPrivilege::{All, CreateRole, ExternalConnection};
    let grant = |grantee: &str, privilege, grantable| SystemGrant {
        grantee: grantee.to_owned(),
        privilege,
        grantable,
    };
    write(catalog, |writer| {
        writer.put_system_grant(&grant("bob", ExternalConnection, true))?;
        writer.put_system_grant(&grant("bob", CreateRole, false))?;
        writer.put_system_grant(&grant("bob", CreateRole, true))?;
        writer.put_system_grant(&grant("bob", ExternalConnection, false))?;
        writer.put_system_grant(&grant("alice", All, true))
    });
    let of_bob = [
        grant("bob", CreateRole, true),
        grant("bob", ExternalConnection, false),
    ];
    read(catalog, |reader| {
        let all = reader.system_grants(None)?;
        assert_eq!(all[0], grant("alice", All, true));
        assert_eq!(all[1..], of_bob);
        assert_eq!(reader.system_grants(Some("bob"))?, of_bob);
        assert_eq!(reader.system_grants(Some("carol"))?, []);
        Ok(())
    });
    assert!(write(catalog, |writer| writer
        .delete_system_grant("bob", CreateRole)));
    assert!(!write(catalog, |writer| writer
        .delete_system_grant("bob", CreateRole)));
    assert!(!write(catalog, |writer| writer.delete_system_grant("bob", All)));
}

fn a_privilege_on_a_connection_is_written_over_what_was_there(catalog: &dyn Catalog) {
    use ConnectionPrivilege::{Drop, Usage};
    let (one, two) = (insert(catalog, "one").id, insert(catalog, "two").id);
    let grant = |connection: ConnectionId, grantee: &str, privilege, grantable| ConnectionGrant {
        connection,
        grantee: grantee.to_owned(),
        privilege,
        grantable,
    };
    write(catalog, |writer| {
        writer.put_connection_grant(&grant(one, "bob", Usage, true))?;
        writer.put_connection_grant(&grant(one, "bob", Usage, false))?;
        writer.put_connection_grant(&grant(one, "bob", Drop, true))?;
        writer.put_connection_grant(&grant(one, "alice", Usage, true))?;
        writer.put_connection_grant(&grant(two, "bob", Usage, true))
    });
    read(catalog, |reader| {
        assert_eq!(
            reader.connection_grants(Some(one))?,
            [
                grant(one, "alice", Usage, true),
                grant(one, "bob", Drop, true),
                grant(one, "bob", Usage, false)
            ]
        );
        assert_eq!(
            reader.connection_grants(Some(two))?,
            [grant(two, "bob", Usage, true)]
        );
        assert_eq!(reader.connection_grants(None)?.len(), 4);
        Ok(())
    });
    assert!(write(catalog, |writer| writer
        .delete_connection_grant(one, "bob", Usage)));
    assert!(!write(catalog, |writer| writer
        .delete_connection_grant(one, "bob", Usage)));
    assert_eq!(
        read(catalog, |reader| reader.connection_grants(None)).len(),
        3
    );
}

fn providers_are_approved_once_and_listed_by_name(catalog: &dyn Catalog) {
    let (b, a) = (provider("b"), provider("a"));
    write(catalog, |writer| {
        writer.insert_provider(&b)?;
        writer.insert_provider(&a)
    });
    let again = try_write(catalog, |writer| writer.insert_provider(&provider("a")));
    assert!(matches!(again, Err(CatalogError::ProviderExists { name }) if name == "a"));
    read(catalog, |reader| {
        assert_eq!(reader.providers()?, [a.clone(), b.clone()]);
        assert_eq!(reader.provider("b")?.as_ref(), Some(&b));
        assert_eq!(reader.provider("c")?, None);
        Ok(())
    });
    assert!(write(catalog, |writer| writer.delete_provider("a")));
    assert!(!write(catalog, |writer| writer.delete_provider("a")));
}
