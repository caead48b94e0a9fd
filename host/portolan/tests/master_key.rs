//! A store whose key lies in a slot of a key management service, with moto as the service.
//!
//! Moto checks signatures and permissions. It decrypts with a disabled key, so for that a stand-in
//! answers as AWS documents it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use portolan::catalog::{
    CatalogError, CatalogHandle, KeyService, KeySource, NewKeySlot, Reader, SqliteCatalog,
    SqliteOptions,
};
use portolan::{
    ConnectTo, EgressOptions, Error, Host, MasterKeyService, Principal, SecretText, TrustRoots,
    master_key_shown,
};
use portolan_sandbox::SandboxOptions;
use portolan_secret::{SlotKey, SlotKind};
use portolan_servers::{Authority, HttpServer, Moto, MotoUser, answer};
use support::{rows, run};
use tempfile::TempDir;
use tokio::runtime::Handle;

const KMS: &str = "kms.eu-central-1.amazonaws.com";

struct Setting {
    authority: Authority,
    moto: Moto,
    directory: TempDir,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("tests");
        Self {
            moto: Moto::start(&authority, &[KMS]),
            authority,
            directory: tempfile::tempdir().expect("a directory"),
        }
    }

    fn egress(&self, address: &str) -> EgressOptions {
        let mut connect_to = ConnectTo::default();
        connect_to
            .add(&format!("{KMS}:443"), address)
            .expect("a line");
        let roots = TrustRoots::nobody().with_pem(self.authority.pem().as_bytes());
        EgressOptions {
            connect_to,
            roots: roots.expect("an authority"),
            ..EgressOptions::default()
        }
    }

    fn service(&self, key: &str, user: &MotoUser) -> Arc<MasterKeyService> {
        let address = self.moto.address().to_string();
        service(&uri(key, user), self.egress(&address)).expect("a service")
    }

    async fn open(&self, service: &Arc<MasterKeyService>) -> Result<CatalogHandle, CatalogError> {
        open(self.directory.path(), service).await
    }
}

fn service(uri: &str, egress: EgressOptions) -> Result<Arc<MasterKeyService>, Error> {
    let sandbox = SandboxOptions {
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
        ..SandboxOptions::default()
    };
    let uri = SecretText::from(uri);
    MasterKeyService::new(uri, egress, sandbox, false, Handle::current()).map(Arc::new)
}

async fn open(
    directory: &Path,
    service: &Arc<MasterKeyService>,
) -> Result<CatalogHandle, CatalogError> {
    let options = SqliteOptions {
        path: directory.join("catalog.db"),
        key: KeySource::Service {
            service: Arc::clone(service) as Arc<dyn KeyService>,
            file: directory.join("master.key"),
        },
    };
    let catalog = tokio::task::spawn_blocking(move || SqliteCatalog::open(options));
    let catalog = catalog.await.expect("ends")?;
    Ok(CatalogHandle::new(Arc::new(catalog), Handle::current()))
}

fn uri(key: &str, user: &MotoUser) -> String {
    format!(
        "aws-kms:///{key}?REGION={}&AWS_ACCESS_KEY_ID={}&AWS_SECRET_ACCESS_KEY={}",
        Moto::REGION,
        user.id,
        escaped(&user.secret)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        let _ = write!(escaped, "%{byte:02X}");
    }
    escaped
}

/// Why the first row cannot be read.
async fn lost(catalog: &CatalogHandle) -> (String, String, String) {
    let read = catalog.read::<_, CatalogError, _>(|reader: &dyn Reader| reader.revision());
    let error = read.await.expect_err("the key is lost");
    (
        error.sqlstate().to_owned(),
        error.to_string(),
        error.hint().unwrap_or_default().into_owned(),
    )
}

#[tokio::test]
async fn a_store_is_made_and_used_with_a_key_that_only_the_service_unwraps() {
    let setting = Setting::new();
    let user = setting.moto.user("all");
    let service = setting.service(Moto::ALIAS, &user);
    let catalog = setting.open(&service).await.expect("is made");
    let host = |catalog: CatalogHandle| async {
        let host = Host::builder().catalog(catalog).build().await;
        host.expect("a host").session(Principal::new("root"))
    };
    let root = host(catalog).await;
    let sql = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a?K=swordfish' \
               WITH VALIDATE = 'none'";
    run(&root, sql).await;
    assert!(!setting.directory.path().join("master.key").exists());
    let slots = root.key_slots().await.expect("reads").slots;
    assert_eq!(slots[0].to_string(), "key slot 1 (kms)");
    let shown = master_key_shown(&slots[0].parameters).expect("a URI");
    assert!(shown.starts_with("aws-kms:///redacted?"), "{shown}");
    assert!(shown.contains("AWS_SECRET_ACCESS_KEY=redacted"), "{shown}");
    assert!(slots[0].parameters.contains(setting.moto.arn()));
    for text in [&slots[0].parameters, &format!("{service:?}")] {
        assert!(!text.contains(&user.secret) && !text.contains(&escaped(&user.secret)));
    }
    // Another process, and another name of the same key.
    for key in [Moto::ALIAS, setting.moto.key()] {
        let service = setting.service(key, &setting.moto.user("all"));
        let root = host(setting.open(&service).await.expect("opens")).await;
        let shown = rows(&root, "SHOW CREATE EXTERNAL CONNECTION a").await;
        assert!(shown[0][1].contains("swordfish"));
        root.rotate_key(|_| ()).await.expect("rotates");
    }
}

#[tokio::test]
async fn a_slot_of_the_service_joins_a_key_file_and_outlives_it() {
    let setting = Setting::new();
    let directory = setting.directory.path();
    let file = directory.join("master.key");
    let options = SqliteOptions {
        path: directory.join("catalog.db"),
        key: KeySource::File(file.clone()),
    };
    SqliteCatalog::open(options).expect("is made");
    let service = setting.service(Moto::ALIAS, &setting.moto.user("all"));
    let catalog = setting.open(&service).await.expect("opens with its file");
    let wrapping = Arc::clone(&service);
    let slot = tokio::task::spawn_blocking(move || {
        let key = SlotKey::generate().expect("random bytes");
        NewKeySlot {
            kind: SlotKind::Kms,
            label: wrapping.label(),
            parameters: wrapping.wrap(&key).expect("wraps"),
            key,
        }
    });
    let slot = slot.await.expect("ends");
    let added = catalog.write::<_, CatalogError, _>(move |writer| writer.insert_key_slot(&slot));
    assert_eq!(added.await.expect("adds").to_string(), "key slot 2 (kms)");
    std::fs::remove_file(file).expect("is lost");
    let catalog = setting.open(&service).await.expect("opens");
    let state = catalog.read::<_, CatalogError, _>(|reader: &dyn Reader| reader.key_state());
    assert_eq!(state.await.expect("reads").slot, 2);
}

#[tokio::test]
async fn losing_the_service_is_told_with_the_slot_and_the_cause_and_makes_no_key() {
    let setting = Setting::new();
    let all = setting.moto.user("all");
    let service_of_all = setting.service(Moto::ALIAS, &all);
    let made = setting.open(&service_of_all).await.expect("is made");
    let read = made.read::<_, CatalogError, _>(|reader: &dyn Reader| reader.revision());
    read.await.expect("reads");
    let (_, key) = portolan_secret::phrase::generate().expect("random bytes");
    let slot = NewKeySlot {
        kind: SlotKind::Recovery,
        label: String::new(),
        parameters: String::new(),
        key,
    };
    let added = made.write::<_, CatalogError, _>(move |writer| writer.insert_key_slot(&slot));
    added.await.expect("adds");
    drop(made);
    let file = setting.directory.path().join("catalog.db");
    let before = std::fs::read(&file).expect("reads");
    let address = setting.moto.address().to_string();
    let wrong = MotoUser {
        secret: "wrong+secret/of-20-letters".to_owned(),
        ..all.clone()
    };
    // Another service with a key of the same alias: the key itself is gone.
    let other = Moto::start(&setting.authority, &[KMS]);
    let elsewhere = other.address().to_string();
    let there = other.user("all");
    let slot = "key slot 1 (kms) of the store cannot be opened: ";
    for (uri, egress, states, hint) in [
        (
            uri(Moto::ALIAS, &wrong),
            setting.egress(&address),
            ["28000", "28000"],
            "access key",
        ),
        (
            uri(Moto::ALIAS, &setting.moto.user("encrypts")),
            setting.egress(&address),
            ["28000", "42501"],
            "what it may do with this key",
        ),
        (
            uri(Moto::ALIAS, &there),
            setting.egress(&elsewhere),
            ["42704", "42704"],
            "",
        ),
        // Another key, which the service need not be asked for.
        (
            uri("0a0a0a0a-0000-4000-8000-000000000000", &all),
            setting.egress(&address),
            ["22023", "22023"],
            "Write the URI of that key at [master_key] kms",
        ),
        // Nobody listens there.
        (
            uri(Moto::ALIAS, &all),
            setting.egress("127.0.0.1:1"),
            ["08001", "08001"],
            "",
        ),
    ] {
        let service = service(&uri, egress).expect("a service");
        let catalog = setting.open(&service).await.expect("opens without asking");
        for _ in 0..2 {
            let (state, message, told) = lost(&catalog).await;
            assert!(states.contains(&state.as_str()), "{state}: {message}");
            assert!(message.starts_with(slot), "{message}");
            assert!(told.contains(hint), "{message}: {told}");
            assert!(
                told.ends_with("Or open it with key slot 2 (recovery): see --unlock."),
                "{told}"
            );
            let all = format!("{message} {told}");
            assert!(
                !all.contains(&wrong.secret) && !all.contains("wrong%2B"),
                "{all}"
            );
        }
    }
    assert!(!setting.directory.path().join("master.key").exists());
    assert_eq!(std::fs::read(&file).expect("reads"), before);
    // And a store cannot be made with a service that does not answer.
    let nowhere = tempfile::tempdir().expect("a directory");
    let service =
        service(&uri(Moto::ALIAS, &all), setting.egress("127.0.0.1:1")).expect("a service");
    let error = open(nowhere.path(), &service)
        .await
        .expect_err("cannot be made");
    assert_eq!(error.sqlstate(), "08001", "{error}");
    assert!(!nowhere.path().join("master.key").exists());
}

#[tokio::test]
async fn a_disabled_key_is_told_with_what_to_do_over_a_stand_in() {
    let setting = Setting::new();
    let user = setting.moto.user("all");
    let service_of_all = setting.service(Moto::ALIAS, &user);
    drop(setting.open(&service_of_all).await.expect("is made"));
    let disabled = HttpServer::encrypted(&setting.authority, &[KMS], |_| {
        let body = r#"{"__type":"DisabledException","message":"arn:aws:kms:… is disabled."}"#;
        let answered = answer(400, &[("content-type", "application/x-amz-json-1.1")], body);
        Box::pin(std::future::ready(answered))
    });
    let egress = setting.egress(&disabled.address().to_string());
    let service = service(&uri(Moto::ALIAS, &user), egress).expect("a service");
    let (state, message, told) = lost(&setting.open(&service).await.expect("opens")).await;
    assert_eq!(state, "42501", "{message}");
    assert!(
        message.starts_with("key slot 1 (kms) of the store cannot be opened: "),
        "{message}"
    );
    assert!(message.contains("DisabledException"), "{message}");
    assert!(told.contains("Enable the key"), "{told}");
}

#[tokio::test]
async fn the_policy_and_the_switches_hold_for_the_service_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let user = MotoUser {
        id: "id".to_owned(),
        secret: "swordfish-swordfish".to_owned(),
        token: None,
    };
    let private = format!("{}&AWS_ENDPOINT=https://10.0.0.7", uri("k", &user));
    let service_of_private = service(&private, EgressOptions::default()).expect("a service");
    let error = open(directory.path(), &service_of_private)
        .await
        .expect_err("is denied");
    assert_eq!(error.sqlstate(), "42501", "{error}");
    let implicit = "aws-kms:///k?AUTH=implicit&REGION=eu-central-1";
    let egress = EgressOptions {
        disable_implicit_credentials: true,
        ..EgressOptions::default()
    };
    let service_of_host = service(implicit, egress).expect("a service");
    let error = open(directory.path(), &service_of_host)
        .await
        .expect_err("is switched off");
    assert_eq!(error.sqlstate(), "42501", "{error}");
    assert!(!format!("{error} {error:?}").contains("swordfish"));
}

#[tokio::test]
async fn what_is_no_key_of_a_service_is_refused_before_anything_is_opened() {
    for (uri, state) in [
        ("s3://bucket?AUTH=implicit", "0A000"),
        ("mine://key", "0A000"),
        ("swordfish", "22023"),
    ] {
        let error = service(uri, EgressOptions::default()).expect_err(uri);
        assert_eq!(error.sqlstate().code(), state, "{error}");
        assert!(!format!("{error:?}").contains("swordfish"));
        assert!(error.message().starts_with("[master_key] kms: "), "{error}");
    }
    // What is wrong with the rest of a URI is told when it is needed.
    let directory = tempfile::tempdir().expect("a directory");
    let service = service(
        "aws-kms:///k?REGION=eu&NO=swordfish",
        EgressOptions::default(),
    );
    let error = open(directory.path(), &service.expect("a service")).await;
    let error = error.expect_err("is wrong");
    assert!(
        !format!("{error} {error:?}").contains("swordfish"),
        "{error}"
    );
    let message = error.to_string();
    let begins = "no store was made: [master_key] kms: failed to construct External Connection";
    assert!(message.starts_with(begins), "{message}");
}
