//! A store whose key lies in a slot of Google Cloud or Azure, with stand-ins as the services. AWS has
//! a file of its own: `master_key`.

use std::path::Path;
use std::sync::Arc;

use portolan::catalog::{CatalogHandle, KeyService, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{
    EgressOptions, Host, MasterKeyService, Principal, SecretText, Session, master_key_shown,
};
use portolan_sandbox::SandboxOptions;
use tokio::runtime::Handle;

use super::support::{rows, run};
use super::{azure, google};

/// `root` in a store that this key opens, as a process of its own has it.
async fn opened(directory: &Path, uri: &str, egress: EgressOptions) -> Session {
    let sandbox = SandboxOptions {
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
        ..SandboxOptions::default()
    };
    let uri = SecretText::from(uri);
    let service = MasterKeyService::new(uri, egress, sandbox, false, Handle::current());
    let service: Arc<dyn KeyService> = Arc::new(service.expect("a service"));
    let options = SqliteOptions {
        path: directory.join("catalog.db"),
        key: KeySource::Service {
            service,
            file: directory.join("master.key"),
        },
    };
    let catalog = tokio::task::spawn_blocking(move || SqliteCatalog::open(options));
    let catalog = catalog.await.expect("ends").expect("opens");
    let catalog = CatalogHandle::new(Arc::new(catalog), Handle::current());
    let host = Host::builder().catalog(catalog).build().await;
    host.expect("a host").session(Principal::new("root"))
}

/// A store is made with the key, and opened again; `secret` is in nothing that its slot tells.
async fn is_made_and_opened_again(
    uri: &str,
    egress: impl Fn() -> EgressOptions,
    shown_as: &str,
    secret: &str,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let root = opened(directory.path(), uri, egress()).await;
    let sql = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a?K=swordfish' \
               WITH VALIDATE = 'none'";
    run(&root, sql).await;
    drop(root);
    assert!(!directory.path().join("master.key").exists());
    for _ in 0..2 {
        let root = opened(directory.path(), uri, egress()).await;
        let created = rows(&root, "SHOW CREATE EXTERNAL CONNECTION a").await;
        assert!(created[0][1].contains("swordfish"), "{created:?}");
        let slots = root.key_slots().await.expect("reads").slots;
        assert_eq!(slots.len(), 1);
        assert_eq!(slots[0].to_string(), "key slot 1 (kms)");
        let parameters = &slots[0].parameters;
        let shown = master_key_shown(parameters).expect("a URI");
        assert_eq!(shown, shown_as);
        assert!(!parameters.contains(secret), "{shown}");
        // What is wrapped anew opens as well.
        root.rotate_key(|_| ()).await.expect("rotates");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_google_cloud_opens_a_store() {
    let setting = google::Setting::new();
    is_made_and_opened_again(
        &setting.uri(),
        || setting.options(),
        "gcp-kms:///redacted?AUTH=specified&CREDENTIALS=redacted",
        "PRIVATE",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_azure_opens_a_store() {
    let setting = azure::Setting::new();
    is_made_and_opened_again(
        &azure::uri(azure::SECRET),
        || setting.options(),
        "azure-kms:///redacted?AZURE_CLIENT_ID=backup-client&AZURE_CLIENT_SECRET=redacted\
         &AZURE_TENANT_ID=contoso.example&AZURE_VAULT_NAME=harbour-1",
        azure::SECRET,
    )
    .await;
}
