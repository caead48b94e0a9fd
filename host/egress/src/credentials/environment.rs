//! The variables that a host lends credentials from, and the files that they name.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use portolan_secret::SecretText;

/// The most bytes of a file with an identity or a key.
const MOST_BYTES: u64 = 64 << 10;

/// The variables that the host may lend credentials from. Nobody else's are read.
#[derive(Clone)]
pub struct HostEnvironment(Variables);

#[derive(Clone)]
enum Variables {
    Process,
    Given(Arc<BTreeMap<String, SecretText>>),
}

impl HostEnvironment {
    /// Those of this process, read whenever they are needed.
    #[must_use]
    pub fn process() -> Self {
        Self(Variables::Process)
    }

    /// These and no others.
    #[must_use]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let variables = variables.into_iter();
        let variables = variables.map(|(name, value)| (name.to_owned(), SecretText::from(value)));
        Self(Variables::Given(Arc::new(variables.collect())))
    }

    /// The value of a variable; an empty one counts as none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<SecretText> {
        let value = match &self.0 {
            Variables::Process => std::env::var(name).ok().map(SecretText::new),
            Variables::Given(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for HostEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostEnvironment")
    }
}

/// What stands in the file that a variable names, its first 64 KiB; nothing where it cannot be read.
pub(super) async fn read(file: &SecretText) -> Option<SecretText> {
    let file = file.expose().to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut content = String::new();
        let file = std::fs::File::open(file)?;
        file.take(MOST_BYTES).read_to_string(&mut content)?;
        Ok::<_, std::io::Error>(SecretText::new(content))
    });
    read.await.ok()?.ok()
}
