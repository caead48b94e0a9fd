//! Transactions and the revision.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::list;
use super::samples::{audit, insert, new_connection, read, try_write, write};
use crate::access::Catalog;
use crate::error::CatalogError;
use crate::model::AuditFilter;

list![
    a_function_that_fails_leaves_nothing_behind,
    a_function_that_panics_leaves_nothing_behind,
    a_writer_sees_its_own_changes,
    a_reader_keeps_its_state_while_others_write,
    every_changing_transaction_is_one_revision,
    writers_at_the_same_time_lose_nothing,
    a_mark_stays_until_something_is_made_durable,
];

fn a_function_that_fails_leaves_nothing_behind(catalog: &dyn Catalog) {
    let before = read(catalog, |reader| reader.revision());
    let result: Result<(), _> = try_write(catalog, |writer| {
        writer.insert_connection(&new_connection("bucket", "owner"))?;
        writer.append_audit(&audit("CREATE", Some("bucket")))?;
        Err(CatalogError::Storage {
            reason: "mine".to_owned(),
        })
    });
    assert!(matches!(result, Err(CatalogError::Storage { reason }) if reason == "mine"));
    read(catalog, |reader| {
        assert_eq!(reader.connection("bucket")?, None);
        assert_eq!(reader.audit_after(&AuditFilter::default(), None, 1)?, []);
        assert_eq!(reader.revision()?, before);
        Ok(())
    });
    insert(catalog, "bucket");
}

fn a_function_that_panics_leaves_nothing_behind(catalog: &dyn Catalog) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        write(catalog, |writer| -> Result<(), CatalogError> {
            writer.insert_connection(&new_connection("bucket", "owner"))?;
            // Unlike `panic!` it does not run the hook, which would print.
            std::panic::resume_unwind(Box::new("as planned"));
        })
    }));
    assert!(result.is_err());
    assert_eq!(read(catalog, |reader| reader.connection("bucket")), None);
    insert(catalog, "bucket");
}

fn a_writer_sees_its_own_changes(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let made = writer.insert_connection(&new_connection("bucket", "owner"))?;
        assert_eq!(writer.connection("bucket")?.as_ref(), Some(&made));
        assert_eq!(
            writer.secrets_of(&made)?,
            new_connection("bucket", "").target.secrets
        );
        writer.append_audit(&audit("CREATE", None))?;
        assert_eq!(
            writer.audit_after(&AuditFilter::default(), None, 9)?.len(),
            1
        );
        Ok(())
    });
}

fn a_reader_keeps_its_state_while_others_write(catalog: &dyn Catalog) {
    let made = insert(catalog, "bucket");
    read(catalog, |reader| {
        let before = reader.revision()?;
        write(catalog, |writer| writer.delete_connection(made.id));
        assert_eq!(reader.connection("bucket")?.as_ref(), Some(&made));
        assert_eq!(reader.revision()?, before);
        Ok(())
    });
    assert_eq!(read(catalog, |reader| reader.connection("bucket")), None);
}

fn every_changing_transaction_is_one_revision(catalog: &dyn Catalog) {
    let start = read(catalog, |reader| reader.revision());
    let mut made = None;
    let changed = catalog.write(&mut |writer| {
        writer.insert_connection(&new_connection("a", "owner"))?;
        made = Some(writer.insert_connection(&new_connection("b", "owner"))?);
        writer.append_audit(&audit("CREATE", None)).map(drop)
    });
    assert_eq!(changed.expect("writes"), start + 1);
    let unchanged = [
        catalog.write(&mut |writer| writer.append_audit(&audit("SHOW", None)).map(drop)),
        catalog.write(&mut |writer| writer.delete_provider("missing").map(drop)),
        catalog.write(&mut |writer| writer.connection("a").map(drop)),
    ];
    for (at, revision) in unchanged.into_iter().enumerate() {
        assert_eq!(revision.expect("writes"), start + 1, "transaction {at}");
    }
    let id = made.expect("was made").id;
    let changed = catalog.write(&mut |writer| writer.set_comment(id, Some("x")).map(drop));
    assert_eq!(changed.expect("writes"), start + 2);
    assert_eq!(read(catalog, |reader| reader.revision()), start + 2);
}

fn writers_at_the_same_time_lose_nothing(catalog: &dyn Catalog) {
    const WRITERS: usize = 4;
    const EACH: usize = 10;
    let start = read(catalog, |reader| reader.revision());
    std::thread::scope(|scope| {
        for writer_number in 0..WRITERS {
            scope.spawn(move || {
                for number in 0..EACH {
                    let name = format!("{writer_number}-{number}");
                    write(catalog, |writer| {
                        writer.insert_connection(&new_connection(&name, "owner"))?;
                        writer.append_audit(&audit("CREATE", Some(&name)))
                    });
                    assert!(read(catalog, |reader| reader.connection(&name)).is_some());
                }
            });
        }
    });
    read(catalog, |reader| {
        let all = WRITERS * EACH;
        assert_eq!(reader.connections_after(None, all + 1)?.len(), all);
        let trail = reader.audit_after(&AuditFilter::default(), None, all + 1)?;
        assert_eq!(trail.len(), all);
        assert_eq!(reader.revision()?, start + all as u64);
        Ok(())
    });
}

fn a_mark_stays_until_something_is_made_durable(catalog: &dyn Catalog) {
    // A catalog that cannot tell gives none, and then there is nothing to require.
    let Some(before) = catalog.mark() else { return };
    read(catalog, |reader| reader.revision());
    let given_up: Result<(), _> = try_write(catalog, |writer| {
        writer.insert_connection(&new_connection("bucket", "owner"))?;
        assert_eq!(catalog.mark(), Some(before), "nobody sees it yet");
        Err(CatalogError::Interrupted)
    });
    assert!(given_up.is_err());
    assert_eq!(catalog.mark(), Some(before));
    insert(catalog, "bucket");
    let after = catalog.mark().expect("a mark");
    assert_ne!(after, before, "a connection was made");
    assert_eq!(catalog.mark(), Some(after));
    write(catalog, |writer| writer.append_audit(&audit("SHOW", None)));
    assert_ne!(catalog.mark(), Some(before), "no mark comes again");
}
