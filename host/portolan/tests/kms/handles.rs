//! When a handle to a key stops working; the key is a stand-in's.

use std::time::Duration;

use portolan::{Operation, SqlState};

use super::google::Setting;
use super::setting::{follow, key, open, plaintext, there_and_back, told, world};
use super::support::{World, run};

async fn shared(setting: &Setting) -> World {
    let world = world(setting.options(), &setting.uri()).await;
    world
        .run(&[
            "CREATE USER carl",
            "GRANT USAGE ON EXTERNAL CONNECTION key TO carl",
        ])
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_use_a_key_learns_nothing_about_it_and_it_is_in_the_trail() {
    let setting = Setting::new();
    let world = shared(&setting).await;
    run(&world.root(), "CREATE USER eve").await;
    for name in ["key", "missing"] {
        told(
            open(&world.session("eve"), name).await,
            SqlState::InsufficientPrivilege,
            &format!("user eve does not have USAGE privilege on external_connection {name}"),
            "GRANT USAGE",
        );
    }
    let rows = world.audit().await;
    let refusals = rows.iter().filter(|row| row.principal == "eve");
    assert_eq!(refusals.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_revoke_the_next_operation_fails_and_after_a_grant_it_works_again() {
    let setting = Setting::new();
    let world = shared(&setting).await;
    let key = open(&world.session("carl"), "key").await.expect("opened");
    let encrypted = there_and_back(&key, &[32]).await;
    let revoke = "REVOKE USAGE ON EXTERNAL CONNECTION key FROM carl";
    run(&world.root(), revoke).await;
    for refused in [
        key.encrypt(&plaintext(32)).await.map(drop),
        key.decrypt(&encrypted).await.map(drop),
    ] {
        told(
            refused,
            SqlState::InsufficientPrivilege,
            "user carl does not have USAGE privilege on external_connection key",
            "GRANT USAGE",
        );
    }
    assert!(!key.is_current().await);
    run(
        &world.root(),
        "GRANT USAGE ON EXTERNAL CONNECTION key TO carl",
    )
    .await;
    key.decrypt(&encrypted).await.expect("granted again");
    run(&world.root(), "DROP EXTERNAL CONNECTION key").await;
    told(
        key.decrypt(&encrypted).await,
        SqlState::UndefinedObject,
        "external connection key was dropped",
        "open the connection",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_alter_a_handle_keeps_its_version_and_one_that_follows_takes_the_newest() {
    let setting = Setting::new();
    let world = shared(&setting).await;
    let carl = world.session("carl");
    let keeps = open(&carl, "key").await.expect("opened");
    let follows = follow(&carl, "key").await;
    let waiting = tokio::spawn({
        let keeps = keeps.clone();
        async move { keeps.changed().await }
    });
    let worthless = format!(
        "ALTER EXTERNAL CONNECTION key AS 'gcp-kms:///{}?AUTH=specified&BEARER_TOKEN=worthless' \
         WITH VALIDATE = 'none'",
        portolan_servers::GoogleStandIn::KEY
    );
    run(&world.root(), &worthless).await;
    tokio::time::timeout(Duration::from_millis(900), waiting)
        .await
        .expect("at once")
        .expect("no panic");
    there_and_back(&keeps, &[32]).await;
    told(
        follows.encrypt(&plaintext(32)).await,
        SqlState::InvalidAuthorization,
        "Google Cloud KMS",
        "",
    );
    assert_eq!((keeps.version(), follows.version()), (1, 2));
    assert!(!keeps.is_current().await && follows.is_current().await);
    let back = format!(
        "ALTER EXTERNAL CONNECTION key AS '{}' WITH VALIDATE = 'none'",
        setting.uri()
    );
    run(&world.root(), &back).await;
    there_and_back(&follows, &[32]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_lists_open_keys_and_clones_are_one_handle() {
    let setting = Setting::new();
    let world = shared(&setting).await;
    let carl = open(&world.session("carl"), "key").await.expect("opened");
    let root = key(&world).await;
    let listed = world.host.open_handles();
    let told: Vec<_> = listed
        .iter()
        .map(|handle| (&*handle.principal, &*handle.connection, handle.operation))
        .collect();
    let operation = Operation::EncryptedBackup;
    assert_eq!(
        told,
        [("carl", "key", operation), ("root", "key", operation)]
    );
    let clone = carl.clone();
    drop((carl, root));
    assert_eq!(world.host.open_handles().len(), 1);
    drop(clone);
    assert!(world.host.open_handles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_no_store_and_takes_no_path() {
    let setting = Setting::new();
    let world = shared(&setting).await;
    let root = world.root();
    told(
        root.open("external://key", Operation::Backup).await,
        SqlState::WrongObjectType,
        "STORAGE cannot use object of type KMS",
        "SHOW EXTERNAL CONNECTIONS",
    );
    told(
        root.open("external://key/sub", Operation::EncryptedBackup)
            .await,
        SqlState::InvalidParameterValue,
        "takes a path only where the connection is an object store",
        "leave the path out",
    );
    let opened = root
        .open("external://key", Operation::EncryptedBackup)
        .await;
    told(
        opened.expect("a key").into_storage(),
        SqlState::FeatureNotSupported,
        "leads to a key",
        "the operation that is meant",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_opens_with_the_key_that_made_it_and_with_no_other_provider() {
    use portolan::envelope::{Header, open, seal};
    let setting = Setting::new();
    let world = shared(&setting).await;
    let key = key(&world).await;
    let (header, data_key) = key.new_envelope().await.expect("a data key");
    assert_eq!(header.provider(), "gcp-kms");
    assert_eq!(header.wrapped().key_version.as_deref(), Some("1"));
    let mut envelope = Vec::new();
    seal(&header, &data_key, &b"content"[..], &mut envelope).expect("sealed");
    let mut input = envelope.as_slice();
    let read = Header::read(&mut input).expect("a header");
    let unwrapped = key.data_key(&read).await.expect("unwrapped");
    let mut content = Vec::new();
    open(&read, &unwrapped, input, &mut content).expect("opened");
    assert_eq!(content, b"content");
    let foreign = Header::new("aws-kms", header.wrapped().clone()).expect("a header");
    told(
        key.data_key(&foreign).await,
        SqlState::InvalidParameterValue,
        "made with a key of provider aws-kms, and the connection is one of gcp-kms",
        "decrypt it with a connection to the aws-kms key projects/p/",
    );
    // What the key encrypted, and no data key.
    let other = key.encrypt(&plaintext(31)).await.expect("encrypted");
    let other = Header::new("gcp-kms", other).expect("a header");
    told(
        key.data_key(&other).await,
        SqlState::DataCorrupted,
        "no data key",
        "portolan encrypt",
    );
}
