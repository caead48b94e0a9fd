//! The file with the identity that a platform gives a program.

use std::io::Read;

use portolan_secret::SecretText;

/// The most bytes of such a file.
const MOST_BYTES: u64 = 64 << 10;

/// The identity in the file that a variable names, read anew each time: platforms replace it.
pub(super) async fn read(file: SecretText) -> Option<SecretText> {
    let read = tokio::task::spawn_blocking(move || {
        let mut identity = String::new();
        let file = std::fs::File::open(file.expose())?;
        file.take(MOST_BYTES).read_to_string(&mut identity)?;
        Ok::<_, std::io::Error>(SecretText::new(identity))
    });
    let identity = read.await.ok()?.ok()?;
    Some(SecretText::new(identity.expose().trim()))
}
