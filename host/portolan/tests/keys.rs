//! Key slots in sessions: who may change them, what the audit trail keeps, a newer key beside work
//! that goes on, and what a script makes of a store whose keys are lost.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use portolan::catalog::{
    AuditFilter, AuditOutcome, AuditRecord, NewKeySlot, SqliteOptions, salvage,
};
use portolan::{Operation, SecretText, Session, SqlState, rescue_script};
use portolan_secret::{SlotKey, SlotKind};
use support::{World, rows, run};

fn new_slot(label: &str) -> NewKeySlot {
    NewKeySlot {
        kind: SlotKind::Recovery,
        label: label.to_owned(),
        parameters: String::new(),
        key: SlotKey::generate().expect("random bytes"),
    }
}

/// What the trail says of keys: action, object, outcome and detail.
async fn trail(world: &World) -> Vec<String> {
    let about_keys = |record: &AuditRecord| record.action.contains("KEY");
    let shown = |record: AuditRecord| {
        let object = record
            .object
            .map_or_else(|| "-".to_owned(), |it| it.to_string());
        let outcome = match &record.outcome {
            AuditOutcome::Ok => "ok".to_owned(),
            other => format!(
                "{} {}",
                other.as_str(),
                other.sqlstate().unwrap_or_default()
            ),
        };
        let detail = record.detail.unwrap_or_default();
        format!(
            "{} {}: {object}: {outcome}: {detail}",
            record.principal, record.action
        )
    };
    let trail = world.audit().await;
    trail.into_iter().filter(about_keys).map(shown).collect()
}

#[tokio::test]
async fn changes_of_keys_are_for_administrators_and_leave_a_trace() {
    let world = World::new().await;
    world.run(&["CREATE USER bob"]).await;
    let bob = world.session("bob");
    let refused = [
        bob.key_slots().await.map(drop),
        bob.add_key_slot(new_slot("mine")).await.map(drop),
        bob.remove_key_slot(1).await,
        bob.rotate_key(|_| ()).await.map(drop),
    ];
    for result in refused {
        let error = result.expect_err("is refused");
        assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    }
    let root = world.root();
    let added = root.add_key_slot(new_slot("safe")).await.expect("adds");
    assert_eq!(added.to_string(), "key slot 2 (recovery)");
    let rotated = root.rotate_key(|_| ()).await.expect("rotates");
    assert_eq!((rotated.generation, rotated.resumed), (2, false));
    let error = root.remove_key_slot(1).await.expect_err("opened the store");
    assert_eq!(error.sqlstate(), SqlState::ObjectInUse);
    root.remove_key_slot(2).await.expect("removes");
    let error = root.remove_key_slot(2).await.expect_err("is gone");
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    let error = root.remove_key_slot(1).await.expect_err("is the last");
    assert_eq!(
        error.sqlstate(),
        SqlState::ObjectNotInPrerequisiteState,
        "{error}"
    );
    let trail = trail(&world).await;
    let expected = [
        "bob LIST KEY SLOTS: -: refused 42501",
        "bob ADD KEY SLOT: -: refused 42501",
        "bob REMOVE KEY SLOT: key slot 1: refused 42501",
        "bob ROTATE KEY: -: refused 42501",
        "root ADD KEY SLOT: key slot 2: ok: recovery; the store was opened with key slot 1 (key-file)",
        "root ROTATE KEY: -: ok: generation 2 of the key takes the place of 1",
        "root ROTATE KEY: -: ok: everything lies under generation 2 of the key",
        "root REMOVE KEY SLOT: key slot 1: failed 55006",
        "root REMOVE KEY SLOT: key slot 2: ok: the store was opened with key slot 1 (key-file)",
        "root REMOVE KEY SLOT: key slot 2: failed 42704",
        "root REMOVE KEY SLOT: key slot 1: failed 55000",
    ];
    assert_eq!(trail.len(), expected.len(), "{trail:#?}");
    for (found, expected) in trail.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_key_comes_while_handles_are_open_and_another_host_writes() {
    let world = World::new().await;
    for number in 0..30 {
        let sql =
            format!("CREATE EXTERNAL CONNECTION c{number} AS 'nodelocal://self/{number}?K=s'");
        world.run(&[&format!("{sql} WITH VALIDATE = 'none'")]).await;
    }
    let root = world.root();
    let opened = root.open("external://c1", Operation::Backup).await;
    let storage = opened.expect("opens").into_storage().expect("storage");
    let other = world.another().await;
    let other = other.session(portolan::Principal::new("root"));
    let writing = tokio::spawn(async move {
        for number in 0..30 {
            let sql = format!("COMMENT ON EXTERNAL CONNECTION c{number} IS 'changed'");
            run(&other, &sql).await;
            let sql =
                format!("CREATE EXTERNAL CONNECTION d{number} AS 'nodelocal://self/{number}'");
            run(&other, &format!("{sql} WITH VALIDATE = 'none'")).await;
        }
    });
    let mut seen = 0;
    let rotated = root.rotate_key(|rows| seen = rows).await.expect("rotates");
    assert_eq!(rotated.rows, seen);
    assert!(seen > 90, "{seen}");
    writing.await.expect("nothing failed");
    assert!(storage.is_current().await);
    let shown = rows(&root, "SHOW CREATE ALL EXTERNAL CONNECTIONS").await;
    assert_eq!(shown.len(), 60);
    let state = root.key_slots().await.expect("reads").state;
    assert_eq!((state.oldest, state.generation), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_the_key_at_once_help_each_other() {
    let world = World::new().await;
    for number in 0..20 {
        let sql =
            format!("CREATE EXTERNAL CONNECTION c{number} AS 'nodelocal://self/{number}?K=s'");
        world.run(&[&format!("{sql} WITH VALIDATE = 'none'")]).await;
    }
    let other = world.another().await;
    let other = other.session(portolan::Principal::new("root"));
    let root = world.root();
    let (one, two) = tokio::join!(root.rotate_key(|_| ()), other.rotate_key(|_| ()));
    let (one, two) = (one.expect("rotates"), two.expect("rotates"));
    assert!(
        one.generation >= 2 && two.generation >= 2,
        "{one:?} {two:?}"
    );
    let state = root.key_slots().await.expect("reads").state;
    assert!(!state.is_rotating(), "{state:?}");
    let shown = rows(&root, "SHOW CREATE ALL EXTERNAL CONNECTIONS").await;
    assert_eq!(shown.len(), 20);
}

#[tokio::test]
async fn a_change_that_is_given_up_is_gone_on_with() {
    let world = World::new().await;
    for number in 0..600 {
        world
            .catalog
            .write(move |writer| {
                writer.append_audit(&AuditRecord {
                    time: portolan::catalog::model::now(),
                    principal: format!("p{number}"),
                    on_behalf_of: None,
                    client_address: None,
                    request_id: None,
                    action: "X".to_owned(),
                    object: None,
                    statement: None,
                    outcome: AuditOutcome::Ok,
                    detail: None,
                })
            })
            .await
            .expect("writes");
    }
    let root = world.root();
    let mut told = tokio::sync::mpsc::unbounded_channel();
    {
        let rotating = root.rotate_key(|rows| {
            let _ = told.0.send(rows);
        });
        tokio::pin!(rotating);
        tokio::select! {
            done = &mut rotating => panic!("{done:?}"),
            rows = told.1.recv() => assert!(rows.is_some()),
        }
    }
    let state = root.key_slots().await.expect("reads").state;
    assert!(state.is_rotating());
    let rotated = root.rotate_key(|_| ()).await.expect("goes on");
    assert!(rotated.resumed);
    assert_eq!(rotated.generation, 2);
    let state = root.key_slots().await.expect("reads").state;
    assert!(!state.is_rotating());
    let all = rows(&root, "SHOW AUDIT").await;
    assert!(all.len() > 600, "every record is authentic");
}

const MAKE: &[&str] = &[
    "CREATE USER etl",
    "CREATE USER \"odd-user\"",
    "CREATE ROLE team",
    "CREATE ROLE writers",
    "GRANT team TO etl WITH ADMIN OPTION",
    "GRANT writers TO team",
    "GRANT SYSTEM EXTERNALCONNECTION TO team WITH GRANT OPTION",
    "GRANT SYSTEM ALL TO \"odd-user\"",
    "GRANT admin TO etl",
    "CREATE EXTERNAL CONNECTION plain AS 'nodelocal://self/it''s' WITH VALIDATE = 'none', COMMENT = 'it''s $1 -- here; too'",
    "CREATE EXTERNAL CONNECTION lake AS 's3://lake/daily?AWS_ACCESS_KEY_ID=id&AWS_SECRET_ACCESS_KEY=one%2Bswordfish&AWS_REGION=eu' WITH VALIDATE = 'none'",
    "CREATE EXTERNAL CONNECTION web AS 'https://user:two-swordfish@files.example/x' WITH VALIDATE = 'none'",
    "CREATE EXTERNAL CONNECTION \"A.b-c\" AS 's3://other?AUTH=implicit' WITH VALIDATE = 'none'",
    "GRANT USAGE, UPDATE ON EXTERNAL CONNECTION lake, plain TO etl WITH GRANT OPTION",
    "GRANT DROP ON EXTERNAL CONNECTION web TO public",
    "ALTER EXTERNAL CONNECTION plain OWNER TO team",
    "ALTER EXTERNAL CONNECTION web OWNER TO etl",
    "REVOKE ALL ON EXTERNAL CONNECTION web FROM root",
];

/// Everything that a store shows of itself.
async fn shown(session: &Session) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for sql in [
        "SHOW EXTERNAL CONNECTIONS",
        "SHOW USERS",
        "SHOW ROLES",
        "SHOW SYSTEM GRANTS",
        "SHOW GRANTS ON EXTERNAL CONNECTION plain, lake, web, \"A.b-c\"",
        "SHOW CREATE ALL EXTERNAL CONNECTIONS",
    ] {
        all.extend(rows(session, sql).await);
    }
    all
}

#[tokio::test]
async fn a_store_whose_keys_are_lost_is_made_again_from_its_script() {
    let world = World::new().await;
    world.run(MAKE).await;
    let before = shown(&world.root()).await;
    std::fs::remove_file(world.path().join("master.key")).expect("the key is lost");
    let salvaged = salvage(&world.path().join("catalog.sqlite")).expect("reads");
    let script = rescue_script(&salvaged);
    assert!(!script.contains("swordfish"), "{script}");

    let statements = portolan_statement::parse_script(&script).expect("parses");
    // The comments say what each placeholder stands for.
    let mut parameters = Vec::new();
    for line in script.lines() {
        let Some((number, what)) = line
            .strip_prefix("-- $")
            .and_then(|it| it.split_once(" is "))
        else {
            continue;
        };
        parameters.push(SecretText::new(match what {
            "AWS_SECRET_ACCESS_KEY of lake" => "one+swordfish",
            what if what.starts_with("the whole URI of web, shown as https://") => {
                "https://user:two-swordfish@files.example/x"
            }
            other => panic!("{other}"),
        }));
        assert_eq!(number, parameters.len().to_string());
    }
    assert_eq!(parameters.len(), 2, "{script}");

    let again = World::new().await;
    // Twice, because a script that stopped in the middle is run again.
    for _ in 0..2 {
        for statement in &statements {
            let done = again.root().execute_statement(statement, &parameters).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}\n{script}"));
        }
    }
    let mut after = shown(&again.root()).await;
    // The parameters of a URI are shown in order; they are stored as they were given.
    let in_order = "?AWS_ACCESS_KEY_ID=id&AWS_REGION=eu&AWS_SECRET_ACCESS_KEY=one%2Bswordfish";
    let as_given = "?AWS_ACCESS_KEY_ID=id&AWS_SECRET_ACCESS_KEY=one%2Bswordfish&AWS_REGION=eu";
    for text in after.iter_mut().flatten() {
        *text = text.replace(in_order, as_given);
    }
    assert_eq!(after, before);
    let comment = again
        .catalog
        .read::<_, portolan::Error, _>(|reader| Ok(reader.connection("plain")?))
        .await;
    let comment = comment.expect("reads").expect("is there").comment;
    assert_eq!(comment.as_deref(), Some("it's $1 -- here; too"));
}

#[tokio::test]
async fn what_somebody_wrote_into_the_file_stays_a_name_or_a_comment() {
    let world = World::new().await;
    world.run(MAKE).await;
    let file = rusqlite::Connection::open(world.path().join("catalog.sqlite")).expect("opens");
    let evil = "x\u{1b}[2J\n'; DROP EXTERNAL CONNECTION lake; --";
    for (sql, value) in [
        (
            "UPDATE connections SET name = ?1 WHERE name = 'plain'",
            evil,
        ),
        (
            "UPDATE principals SET name = ?1 WHERE name = 'odd-user'",
            evil,
        ),
        (
            "UPDATE connections SET comment = ?1 WHERE name = 'lake'",
            evil,
        ),
        (
            "UPDATE connections SET redacted_uri = ?1 WHERE name = 'web'",
            "x://redacted@\n'; DROP USER etl; --",
        ),
        (
            "UPDATE connection_grants SET grantee = ?1 WHERE grantee = 'public'",
            evil,
        ),
    ] {
        file.execute(sql, [value]).expect(sql);
    }
    let salvaged = salvage(&world.path().join("catalog.sqlite")).expect("reads");
    let script = rescue_script(&salvaged);
    let statements = portolan_statement::parse_script(&script).expect("parses");
    assert!(
        statements.iter().all(|it| !it.tag().starts_with("DROP")),
        "{script}"
    );
    for line in script.lines().filter(|line| line.starts_with("--")) {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[tokio::test]
async fn the_trail_of_a_slot_is_found_by_its_number() {
    let world = World::new().await;
    world
        .root()
        .add_key_slot(new_slot("a"))
        .await
        .expect("adds");
    let found = world
        .catalog
        .read::<_, portolan::Error, _>(|reader| {
            let object = portolan::catalog::AuditObject {
                kind: portolan::catalog::ObjectKind::KeySlot,
                name: "2".to_owned(),
            };
            let filter = AuditFilter {
                object: Some(object),
                since: None,
            };
            Ok(reader.audit_after(&filter, None, 10)?)
        })
        .await
        .expect("reads");
    assert_eq!(found.len(), 1);
}

#[test]
fn options_and_sources_show_no_key() {
    let source = portolan::catalog::KeySource::Passphrase(SecretText::from("swordfish"));
    let options = SqliteOptions {
        path: "x".into(),
        key: source,
    };
    assert!(!format!("{options:?}").contains("swordfish"));
    assert!(!format!("{:?}", new_slot("x")).contains("Zeroizing"));
}
