//! The audit trail.

use super::list;
use super::samples::{audit, read, write};
use crate::access::Catalog;
use crate::model::{AuditFilter, AuditObject, AuditOutcome, AuditRecord, ObjectKind};

list![
    records_are_read_back_in_order,
    records_are_found_by_object_and_time,
    records_come_in_pages,
];

fn records_are_read_back_in_order(catalog: &dyn Catalog) {
    let records = [
        audit("CREATE EXTERNAL CONNECTION", Some("bucket")),
        AuditRecord {
            on_behalf_of: None,
            request_id: None,
            client_address: Some("10.0.0.1:4".to_owned()),
            statement: None,
            outcome: AuditOutcome::Ok,
            detail: Some("it's done".to_owned()),
            ..audit("provider add", None)
        },
        AuditRecord {
            object: Some(AuditObject {
                kind: ObjectKind::Principal,
                name: String::new(),
            }),
            outcome: AuditOutcome::Failed("08001".to_owned()),
            ..audit("DROP USER", None)
        },
    ];
    let ids: Vec<_> = records
        .iter()
        .map(|record| write(catalog, |writer| writer.append_audit(record)))
        .collect();
    assert!(ids.is_sorted_by(|one, next| one < next));
    let found = read(catalog, |reader| {
        reader.audit_after(&AuditFilter::default(), None, 100)
    });
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), ids);
    let found: Vec<_> = found.into_iter().map(|it| it.record).collect();
    assert_eq!(found, records);
}

fn records_are_found_by_object_and_time(catalog: &dyn Catalog) {
    let mut records: Vec<AuditRecord> = ["a", "b", "a", "b", "a"]
        .iter()
        .map(|name| audit("x", Some(name)))
        .collect();
    let start = records[0].time;
    for (record, second) in records.iter_mut().zip(0_i64..) {
        record.time = start + std::time::Duration::from_secs(second.unsigned_abs());
    }
    write(catalog, |writer| {
        records
            .iter()
            .try_for_each(|record| writer.append_audit(record).map(drop))
    });
    let find = |object: Option<&str>, since: Option<usize>| -> Vec<AuditRecord> {
        let filter = AuditFilter {
            object: object.map(AuditObject::connection),
            since: since.map(|at| records[at].time),
        };
        let entries = read(catalog, |reader| reader.audit_after(&filter, None, 100));
        entries.into_iter().map(|it| it.record).collect()
    };
    let pick = |places: &[usize]| -> Vec<AuditRecord> {
        places.iter().map(|at| records[*at].clone()).collect()
    };
    assert_eq!(find(Some("a"), None), pick(&[0, 2, 4]));
    assert_eq!(find(None, Some(3)), pick(&[3, 4]));
    assert_eq!(find(Some("b"), Some(2)), pick(&[3]));
    assert_eq!(find(Some("c"), None), []);
}

fn records_come_in_pages(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        (0..10).try_for_each(|number: u32| {
            let object = if number.is_multiple_of(2) {
                "even"
            } else {
                "odd"
            };
            writer.append_audit(&audit("x", Some(object))).map(drop)
        })
    });
    for (object, expected) in [(None, 10), (Some("odd"), 5)] {
        let filter = AuditFilter {
            object: object.map(AuditObject::connection),
            since: None,
        };
        for limit in [1, 2, 5, 10, 11] {
            let mut seen = Vec::new();
            loop {
                let page = read(catalog, |reader| {
                    reader.audit_after(&filter, seen.last().copied(), limit)
                });
                if page.is_empty() {
                    break;
                }
                seen.extend(page.into_iter().map(|it| it.id));
            }
            assert_eq!(seen.len(), expected, "{object:?} in pages of {limit}");
        }
    }
}
