//! Making, changing, validating and explaining connections.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use portolan::{Operation, SqlState};
use support::{World, assert_state, notices, refused, rows, run, run_with, tag};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_made_shown_and_dropped() {
    let world = World::new().await;
    let root = world.root();
    let made = run(
        &root,
        "CREATE EXTERNAL CONNECTION backup AS 'nodelocal://1/backup'",
    )
    .await;
    assert_eq!(tag(&made), "CREATE EXTERNAL CONNECTION");
    let marker = world
        .external()
        .join("backup/crdb_external_storage_location");
    assert_eq!(
        std::fs::read_to_string(marker).expect("the marker"),
        "a CockroachDB cluster has been configured to read and write to this location"
    );
    assert_eq!(
        rows(&root, "SHOW EXTERNAL CONNECTIONS").await,
        [["backup", "nodelocal://1/backup", "STORAGE"]]
    );
    run(&root, "DROP EXTERNAL CONNECTION backup").await;
    assert!(rows(&root, "SHOW EXTERNAL CONNECTIONS").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_can_be_left_out_and_read_writes_nothing() {
    let world = World::new().await;
    for depth in ["none", "read"] {
        let sql = format!(
            "CREATE EXTERNAL CONNECTION {depth} AS 'nodelocal://1/{depth}' WITH VALIDATE = '{depth}'"
        );
        run(&world.root(), &sql).await;
        assert!(!world.external().join(depth).exists(), "{depth}");
    }
    let error = refused(
        &world.root(),
        "CREATE EXTERNAL CONNECTION x AS 'nodelocal://1/x' WITH VALIDATE = 'some'",
    )
    .await;
    assert_state(
        &error,
        SqlState::InvalidParameterValue,
        "the value of VALIDATE is not known",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_write_the_same_marker_at_once_do_not_disturb_each_other() {
    let world = World::new().await;
    let root = &world.root();
    let made = futures::future::join_all((0..16).map(|number| async move {
        let sql = format!("CREATE EXTERNAL CONNECTION c{number} AS 'nodelocal://1/shared'");
        root.execute(&sql, &[]).await
    }))
    .await;
    for made in made {
        made.expect("made");
    }
    assert_eq!(rows(root, "SHOW EXTERNAL CONNECTIONS").await.len(), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_told_before_anything_is_planned() {
    let world = World::new().await;
    world
        .run(&["CREATE EXTERNAL CONNECTION foo AS 'nodelocal://1/foo' WITH VALIDATE = 'none'"])
        .await;
    let error = refused(
        &world.root(),
        "CREATE EXTERNAL CONNECTION foo AS 'nonsense'",
    )
    .await;
    assert_state(
        &error,
        SqlState::DuplicateObject,
        "failed to create external connection: external connection with connection name 'foo' \
         already exists",
    );
    let left = run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION IF NOT EXISTS foo AS 'nonsense'",
    )
    .await;
    assert_eq!(
        notices(&left),
        ["external connection with name foo already exists, skipping"]
    );
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION foo").await[0][1],
        "nodelocal://1/foo"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_a_uri_are_told_in_the_words_that_users_know() {
    let world = World::new().await;
    for (uri, state, message) in [
        (
            "nodelocal://a/foo",
            SqlState::InvalidParameterValue,
            "failed to construct External Connection details: failed to create nodelocal external \
             connection: invalid `nodelocal` URI: host component of nodelocal URI must be a node \
             ID: nodelocal://a/foo",
        ),
        (
            "pulsar://a/foo",
            SqlState::FeatureNotSupported,
            "failed to construct External Connection details: no parseAndValidateFn found for \
             external connection provider pulsar",
        ),
        (
            "external://a",
            SqlState::FeatureNotSupported,
            "failed to construct External Connection details: no parseAndValidateFn found for \
             external connection provider external",
        ),
        (
            "hunter2hunter2:x",
            SqlState::InvalidParameterValue,
            "failed to construct External Connection details: the scheme of the URI is not \
             followed by ://",
        ),
    ] {
        let sql = format!("CREATE EXTERNAL CONNECTION x AS '{uri}'");
        assert_state(&refused(&world.root(), &sql).await, state, message);
    }
    let error = refused(&world.root(), "CREATE EXTERNAL CONNECTION \"a b\" AS 'x'").await;
    assert_eq!(error.sqlstate(), SqlState::InvalidName);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_fails_leaves_no_connection() {
    let world = World::new().await;
    std::fs::write(world.external().join("file"), "in the way").expect("a file");
    let error = refused(
        &world.root(),
        "CREATE EXTERNAL CONNECTION x AS 'nodelocal://1/file/below'",
    )
    .await;
    assert!(
        error.message().starts_with(
            "failed to construct External Connection details: failed to create nodelocal external \
             connection: failed to write a sentinel ExternalStorage file: "
        ),
        "{error:?}"
    );
    assert!(error.hint().is_some());
    assert!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_encoded_into_the_uri_and_hidden() {
    let world = World::new().await;
    run_with(
        &world.root(),
        "CREATE EXTERNAL CONNECTION x AS 'nodelocal://1/x' PARAMETERS (token = $1)",
        &["a&b=hunter22?"],
    )
    .await;
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION x").await[0][1],
        "nodelocal://1/x?token=redacted"
    );
    assert_eq!(
        rows(&world.root(), "SHOW CREATE EXTERNAL CONNECTION x").await[0][1],
        "CREATE EXTERNAL CONNECTION 'x' AS 'nodelocal://1/x?token=a%26b%3Dhunter22%3F'"
    );
    let set = "ALTER EXTERNAL CONNECTION x SET (token = $1, COCKROACH_LOCALITY = 'region=a')";
    run_with(&world.root(), set, &["other"]).await;
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION x").await[0][1],
        "nodelocal://1/x?COCKROACH_LOCALITY=region%3Da&token=redacted"
    );
    run(&world.root(), "ALTER EXTERNAL CONNECTION x RESET (token)").await;
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION x").await[0][1],
        "nodelocal://1/x?COCKROACH_LOCALITY=region%3Da"
    );
    let error = refused(&world.root(), "ALTER EXTERNAL CONNECTION x RESET (token)").await;
    assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue);
}

/// A role is whose resource it is: with the stored secrets, who may change a connection could have
/// them act as whatever role these may take on.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_changed_only_with_every_secret_given_again() {
    let world = World::new().await;
    let root = world.root();
    let key = "AWS_ACCESS_KEY_ID=AKIA&AWS_SECRET_ACCESS_KEY=hunter2";
    let roles = ["arn:aws:iam::1:role/before", "arn:aws:iam::1:role/after"];
    let accounts = [
        "before@p.iam.gserviceaccount.com",
        "after@p.iam.gserviceaccount.com",
    ];
    let cloud_key = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
    for (name, uri, secret, [before, after]) in [
        (
            "bucket",
            format!("s3://b?AWS_REGION=eu-central-1&{key}"),
            "AWS_SECRET_ACCESS_KEY",
            roles,
        ),
        (
            "key",
            format!("aws-kms:///alias/k?REGION=eu-central-1&{key}"),
            "AWS_SECRET_ACCESS_KEY",
            roles,
        ),
        (
            "cloud_bucket",
            "gs://b?AUTH=specified&BEARER_TOKEN=hunter2".to_owned(),
            "BEARER_TOKEN",
            accounts,
        ),
        (
            "cloud_key",
            format!("gcp-kms:///{cloud_key}?AUTH=specified&BEARER_TOKEN=hunter2"),
            "BEARER_TOKEN",
            accounts,
        ),
    ] {
        let untried = "WITH VALIDATE = 'none'";
        let uri = format!("{uri}&ASSUME_ROLE={before}");
        let create = format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' {untried}");
        run(&root, &create).await;
        let alter = format!("ALTER EXTERNAL CONNECTION {name}");
        for change in [
            format!("{alter} SET (ASSUME_ROLE = '{after}') {untried}"),
            format!("{alter} RESET (ASSUME_ROLE) {untried}"),
        ] {
            let error = refused(&root, &change).await;
            assert_state(
                &error,
                SqlState::InvalidParameterValue,
                "failed to construct External Connection details: changing ASSUME_ROLE would send \
                 the stored secrets to another place",
            );
            let hint = "give every secret again in the same statement";
            assert_eq!(error.hint(), Some(hint), "{change}");
        }
        let again =
            format!("{alter} SET (ASSUME_ROLE = '{after}', {secret} = 'swordfish') {untried}");
        run(&root, &again).await;
        let shown = rows(&root, &format!("SHOW EXTERNAL CONNECTION {name}")).await;
        let uri = &shown[0][1];
        assert!(uri.contains("after") && !uri.contains("before"), "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_part_of_the_host_is_changed_only_with_the_secrets() {
    let world = World::new().await;
    let root = world.root();
    let key = "AWS_ACCESS_KEY_ID=AKIAEXAMPLE&AWS_SECRET_ACCESS_KEY=swordfish";
    for (name, uri, region, leads) in [
        (
            "key",
            "aws-kms:///alias/k?REGION=us-east-1",
            "REGION",
            "kms.cn-north-1.amazonaws.com.cn:443",
        ),
        (
            "bucket",
            "s3://b?AWS_REGION=us-east-1",
            "AWS_REGION",
            "b.s3.cn-north-1.amazonaws.com.cn:443",
        ),
    ] {
        let untried = "WITH VALIDATE = 'none'";
        let create = format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}&{key}' {untried}");
        run(&root, &create).await;
        let alter = format!("ALTER EXTERNAL CONNECTION {name} SET ({region} = 'cn-north-1'");
        let error = refused(&root, &format!("{alter}) {untried}")).await;
        assert_state(
            &error,
            SqlState::InvalidParameterValue,
            &format!(
                "failed to construct External Connection details: this leads to {leads}, which \
                 would send the stored secrets to another place"
            ),
        );
        let again = format!("{alter}, AWS_SECRET_ACCESS_KEY = 'swordfish') {untried}");
        run(&root, &again).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alter_changes_uri_name_and_owner() {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER carl",
            "CREATE ROLE backups",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
            "ALTER EXTERNAL CONNECTION a RENAME TO b",
            "ALTER EXTERNAL CONNECTION b OWNER TO carl",
        ])
        .await;
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS").await,
        [["b", "nodelocal://1/b", "STORAGE"]]
    );
    let carl = world.session("carl");
    let error = refused(&carl, "ALTER EXTERNAL CONNECTION b OWNER TO backups").await;
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "must be member of role backups",
    );
    run(&world.root(), "GRANT backups TO carl").await;
    run(&carl, "ALTER EXTERNAL CONNECTION b OWNER TO backups").await;
    run(&carl, "ALTER EXTERNAL CONNECTION b RENAME TO c").await;
    let missing = run(
        &world.root(),
        "ALTER EXTERNAL CONNECTION IF EXISTS b RENAME TO d",
    )
    .await;
    assert_eq!(
        notices(&missing),
        ["external connection with name b does not exist, skipping"]
    );
    let error = refused(
        &world.root(),
        "ALTER EXTERNAL CONNECTION b AS 'nodelocal://1/b'",
    )
    .await;
    assert_state(
        &error,
        SqlState::UndefinedObject,
        "external connection with name b does not exist",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_tells_each_step_and_changes_nothing() {
    let world = World::new().await;
    world
        .run(&["CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a' WITH VALIDATE = 'none'"])
        .await;
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION a").await;
    let steps: Vec<_> = told.iter().map(|row| (&*row[0], &*row[1])).collect();
    assert_eq!(
        steps,
        [
            ("plan", "ok"),
            ("policy", "ok"),
            ("write", "ok"),
            ("list", "ok"),
            ("read back", "ok"),
            ("compare", "ok")
        ]
    );
    let sql = "VALIDATE EXTERNAL CONNECTION a WITH VALIDATE = 'none'";
    assert_eq!(rows(&world.root(), sql).await.len(), 2);
    assert_eq!(run(&world.root(), sql).await.failed, None);
    std::fs::remove_dir_all(world.external()).expect("removed");
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION a").await;
    let failed = told.last().expect("a row");
    assert_eq!(failed[1], "failed");
    assert_ne!(failed[4], "NULL");
    let outcome = run(&world.root(), "VALIDATE EXTERNAL CONNECTION a").await;
    let error = outcome.failed.expect("a step failed");
    assert_eq!(error.message(), failed[3]);
    assert_eq!(error.hint(), Some(failed[4].as_str()));
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    // The statement has succeeded, and its row tells of the connection.
    let row = world.audit().await.pop().expect("a row");
    assert_eq!(row.outcome.as_str(), "failed");
    assert_eq!(row.outcome.sqlstate(), Some(error.sqlstate().code()));
    let detail = format!("the step {} failed", failed[0]);
    assert_eq!(row.detail.as_deref(), Some(&*detail));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_what_would_be_made_and_touches_nothing() {
    let world = World::new().await;
    let told = rows(
        &world.root(),
        "EXPLAIN CREATE EXTERNAL CONNECTION a AS 'NODELOCAL://1/a?key=hunter22'",
    )
    .await;
    let told: Vec<_> = told.iter().map(|row| (&*row[0], &*row[1])).collect();
    assert_eq!(
        told[0..4],
        [
            ("connection name", "a"),
            ("provider", "nodelocal 0.1.0"),
            ("connection type", "STORAGE"),
            ("redacted URI", "nodelocal://1/a?key=redacted"),
        ]
    );
    assert!(told.contains(&("endpoint", "none")));
    assert!(told.contains(&("privilege", "EXTERNALIOIMPLICITACCESS: held")));
    assert!(!world.external().join("a").exists());
    assert!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS")
            .await
            .is_empty()
    );
}

const OPERATIONS: [Operation; 9] = [
    Operation::Backup,
    Operation::Restore,
    Operation::Import,
    Operation::Export,
    Operation::Transfer,
    Operation::Changefeed,
    Operation::EncryptedBackup,
    Operation::SchemaRegistry,
    Operation::Replication,
];

/// The rows of the README's table: a URI, what is shown of it, its type, and what it is opened for.
const TABLE: [(&str, &str, &str, &[Operation]); 16] = {
    use Operation::{Changefeed, EncryptedBackup, Replication, SchemaRegistry, Transfer};
    let [store @ .., _, _, _] = &OPERATIONS;
    [
        (
            "s3://bucket/a?AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=hunter2hunter2",
            "s3://bucket/a?AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=redacted",
            "STORAGE",
            store,
        ),
        (
            "gs://bucket/a?AUTH=specified&BEARER_TOKEN=hunter2hunter2",
            "gs://bucket/a?AUTH=specified&BEARER_TOKEN=redacted",
            "STORAGE",
            store,
        ),
        (
            "azure-blob://container/a?AZURE_ACCOUNT_NAME=name&AZURE_ACCOUNT_KEY=aHVudGVyMmh1bnRlcjI%3D",
            "azure-blob://container/a?AZURE_ACCOUNT_KEY=redacted&AZURE_ACCOUNT_NAME=name",
            "STORAGE",
            store,
        ),
        ("nodelocal://1/a", "nodelocal://1/a", "STORAGE", store),
        ("userfile:///a", "userfile:///a", "STORAGE", store),
        (
            "https://user:hunter2hunter2@files.example/a",
            "https://user:redacted@files.example/a",
            "STORAGE",
            &[Transfer, Changefeed, SchemaRegistry],
        ),
        (
            "aws-kms:///alias/a?REGION=eu-central-1&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=hunter2hunter2",
            "aws-kms:///redacted?AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=redacted&REGION=eu-central-1",
            "KMS",
            &[EncryptedBackup],
        ),
        (
            "gcp-kms:///projects/p/locations/l/keyRings/r/cryptoKeys/k?AUTH=specified&BEARER_TOKEN=hunter2hunter2",
            "gcp-kms:///redacted?AUTH=specified&BEARER_TOKEN=redacted",
            "KMS",
            &[EncryptedBackup],
        ),
        (
            "azure-kms:///key/1a?AZURE_VAULT_NAME=vault&AZURE_CLIENT_ID=c&AZURE_TENANT_ID=t&AZURE_CLIENT_SECRET=hunter2hunter2",
            "azure-kms:///redacted?AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=redacted&AZURE_TENANT_ID=t&AZURE_VAULT_NAME=vault",
            "KMS",
            &[EncryptedBackup],
        ),
        (
            "webhook-https://hooks.example/a?token=hunter2hunter2",
            "webhook-https://hooks.example/redacted?token=redacted",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "gcpubsub://project?region=us-east1&AUTH=implicit",
            "gcpubsub://project?AUTH=implicit&region=us-east1",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "kafka://broker.example:9092?sasl_enabled=true&sasl_user=u&sasl_password=hunter2hunter2",
            "kafka://broker.example:9092?sasl_enabled=true&sasl_password=redacted&sasl_user=u",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "kafka://broker.example:9098?tls_enabled=true&sasl_enabled=true&sasl_mechanism=AWS_MSK_IAM&sasl_aws_region=eu-central-1&sasl_aws_iam_role_arn=arn&sasl_aws_iam_session_name=session",
            "kafka://broker.example:9098?sasl_aws_iam_role_arn=arn&sasl_aws_iam_session_name=session&sasl_aws_region=eu-central-1&sasl_enabled=true&sasl_mechanism=AWS_MSK_IAM&tls_enabled=true",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "confluent-cloud://cluster.example:9092?api_key=key&api_secret=hunter2hunter2",
            "confluent-cloud://cluster.example:9092?api_key=key&api_secret=redacted",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "azure-event-hub://space.servicebus.windows.net:9093?shared_access_key_name=n&shared_access_key=hunter2hunter2",
            "azure-event-hub://space.servicebus.windows.net:9093?shared_access_key=redacted&shared_access_key_name=n",
            "STORAGE",
            &[Changefeed],
        ),
        (
            "postgresql://user:hunter2hunter2@database.example:5432/d",
            "postgresql://user:redacted@database.example:5432/d",
            "FOREIGNDATA",
            &[Replication],
        ),
    ]
};

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_table_opens_for_what_it_supports_and_refuses_the_rest() {
    let world = World::new().await;
    let root = world.root();
    for (number, (uri, shown, kind, supported)) in TABLE.into_iter().enumerate() {
        let name = format!("row_{number}");
        let sql = format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = 'none'");
        run(&root, &sql).await;
        assert_eq!(
            rows(&root, &format!("SHOW EXTERNAL CONNECTION {name}")).await,
            [[name.as_str(), shown, kind]]
        );
        for operation in OPERATIONS {
            let opened = root.open(&format!("external://{name}"), operation).await;
            let keyword = operation.keyword();
            match opened {
                Ok(_) => assert!(
                    supported.contains(&operation),
                    "{shown} opens for {keyword}"
                ),
                Err(error) => {
                    assert!(!supported.contains(&operation), "{shown}: {error}");
                    let states = [SqlState::FeatureNotSupported, SqlState::WrongObjectType];
                    assert!(states.contains(&error.sqlstate()), "{shown}: {error}");
                    assert!(error.message().contains("cannot use"), "{shown}: {error}");
                }
            }
        }
        run(&root, &format!("DROP EXTERNAL CONNECTION {name}")).await;
    }
}
