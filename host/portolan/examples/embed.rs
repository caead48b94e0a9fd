//! A program that embeds Portolan: it names a directory once, and then uses the name.
//!
//! `cargo run -p portolan --example embed`

use std::error::Error;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{Host, Operation, Principal};
use tokio::runtime::Handle;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A store in a directory of its own: the catalog, its key, and what nodelocal:// may touch.
    let store = tempfile::tempdir()?;
    let files = store.path().join("extern");
    std::fs::create_dir(&files)?;
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: store.path().join("catalog.sqlite"),
        key: KeySource::File(store.path().join("master.key")),
    })?;
    let host = Host::builder()
        .catalog(CatalogHandle::new(Arc::new(catalog), Handle::current()))
        .external_io_dir(&files)
        .build()
        .await?;

    // An administrator gives the directory a name, and lets the backups use it.
    let root = host.session(Principal::new("root"));
    for sql in [
        "CREATE EXTERNAL CONNECTION backups AS 'nodelocal://self/backups'",
        "GRANT USAGE ON EXTERNAL CONNECTION backups TO nightly",
    ] {
        root.execute(sql, &[]).await?;
    }

    // The program vouches for who runs the backup; the name is all that it knows.
    let nightly = host.session(Principal::new("nightly"));
    let opened = nightly
        .open("external://backups/monday", Operation::Backup)
        .await?;
    let connection = opened.into_storage()?;
    let object = Path::from("greeting");
    let storage = connection.object_store();
    storage.put(&object, "hello".into()).await?;
    assert_eq!(&storage.get(&object).await?.bytes().await?[..], b"hello");

    // What is taken away is gone at the next operation.
    root.execute(
        "REVOKE USAGE ON EXTERNAL CONNECTION backups FROM nightly",
        &[],
    )
    .await?;
    assert!(storage.get(&object).await.is_err());
    Ok(())
}
