//! A handle whose connection has an endpoint, under a policy that becomes stricter.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan::{Error, Operation, SqlState};
use portolan_egress::Policy;
use portolan_tests::hostile;

use crate::claiming::administrator_under;

#[tokio::test]
async fn a_stricter_policy_ends_a_handle_at_its_next_operation() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("extern")).expect("a directory");
    let allowed = || Policy::with_rules(vec!["127.0.0.1:443".parse().expect("a rule")]);
    let root = administrator_under(&directory, allowed()).await;
    let manifest = hostile::MANIFEST.replace("**.example.com", "{authority}");
    let component = hostile::with_manifest(&manifest).expect("a component");
    root.add_provider(&component, Default::default())
        .await
        .expect("added");
    let create =
        "CREATE EXTERNAL CONNECTION a AS 'hostile://127.0.0.1/dials' WITH VALIDATE = 'none'";
    root.execute(create, &[]).await.expect("created");
    let opened = root.open("external://a", Operation::Backup).await;
    let storage = opened.expect("opened").into_storage().expect("storage");
    let (store, path) = (storage.object_store(), Path::from("x"));
    store.put(&path, "1".into()).await.expect("it is allowed");

    root.host().set_policy(Policy::default());
    let refused = [
        store.put(&path, "2".into()).await.map(drop),
        store.get(&path).await.map(drop),
        store.delete(&path).await,
    ];
    for refused in refused {
        let error = Error::from(refused.expect_err("it is denied"));
        assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
        assert!(error.hint().is_some(), "{error:?}");
    }
    let reopened = root.open("external://a", Operation::Backup).await;
    assert_eq!(
        reopened.expect_err("denied").sqlstate(),
        SqlState::InsufficientPrivilege
    );

    // Nothing was written meanwhile, and the handle goes on when it is allowed again.
    root.host().set_policy(allowed());
    let kept = store.get(&path).await.expect("allowed").bytes().await;
    assert_eq!(kept.expect("read"), "1");
}
