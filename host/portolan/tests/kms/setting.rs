//! What the tests of all keys share.

use portolan::{
    EgressOptions, Encrypted, Error, Kms, OpenOptions, Operation, SecretBytes, Session, SqlState,
};

use super::support::{World, run};

/// A host that reaches a service, with the connection `key` to it, untried.
pub(crate) async fn world(options: EgressOptions, uri: &str) -> World {
    let world = World::with(|builder| builder.egress(options)).await;
    name(&world, "key", uri).await;
    world
}

/// Names one more key, untried.
pub(crate) async fn name(world: &World, name: &str, uri: &str) {
    let sql = format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = 'none'");
    run(&world.root(), &sql).await;
}

/// Opens `external://NAME`.
pub(crate) async fn open(session: &Session, name: &str) -> Result<Kms, Error> {
    let url = format!("external://{name}");
    let opened = session.open(&url, Operation::EncryptedBackup).await?;
    opened.into_kms()
}

/// Opens it so that it follows.
pub(crate) async fn follow(session: &Session, name: &str) -> Kms {
    let (url, options) = (format!("external://{name}"), OpenOptions { follow: true });
    let opened = session.open_with(&url, Operation::EncryptedBackup, options);
    opened.await.expect("opened").into_kms().expect("a key")
}

/// The key of `root`.
pub(crate) async fn key(world: &World) -> Kms {
    open(&world.root(), "key").await.expect("opened")
}

/// A plaintext of so many bytes.
pub(crate) fn plaintext(length: usize) -> SecretBytes {
    let bytes: Vec<_> = (0..length).map(|at| (at % 241) as u8).collect();
    SecretBytes::new(bytes)
}

/// Encrypts and decrypts plaintexts of these lengths.
pub(crate) async fn there_and_back(key: &Kms, lengths: &[usize]) -> Encrypted {
    let mut last = None;
    for length in lengths {
        let plaintext = plaintext(*length);
        let encrypted = key.encrypt(&plaintext).await.expect("encrypted");
        if *length >= 8 {
            let mut parts = encrypted.ciphertext.windows(8);
            assert!(
                !parts.any(|part| plaintext.expose().starts_with(part)),
                "it is encrypted"
            );
        }
        let decrypted = key.decrypt(&encrypted).await.expect("decrypted");
        assert_eq!(decrypted, plaintext, "{length} bytes");
        last = Some(encrypted);
    }
    last.expect("one of them")
}

/// Whether calls one after the other shared connections. One comes back a moment after its answer was
/// read, so that on a busy machine a call at once after it may dial another.
#[track_caller]
pub(crate) fn shared_connections(calls: usize, connections: usize) {
    let shared = 1..=calls / 2;
    assert!(
        shared.contains(&connections),
        "{calls} calls, {connections} connections"
    );
}

/// Compares an error: its state, what its message has, and what its hint has.
#[track_caller]
pub(crate) fn told<T: std::fmt::Debug>(
    result: Result<T, Error>,
    state: SqlState,
    message: &str,
    hint: &str,
) {
    let error = result.expect_err("it is refused");
    let shown = format!("{error:?}");
    assert_eq!(error.sqlstate(), state, "{shown}");
    assert!(error.message().contains(message), "{shown}");
    let given = error.hint().expect("a hint");
    assert!(given.contains(hint), "{shown}");
}
