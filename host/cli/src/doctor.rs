//! `portolan doctor`: is everything in its place? Each check says what it found and what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Result;
use futures::StreamExt;
use object_store::path::Path as ObjectPath;
use portolan::{Body, Cell, Session, SqlState};
use portolan_data::{NodelocalStore, UnfinishedUploads};

use crate::args::FormatArguments;
use crate::report::Failure;
use crate::sql::Printer;
use crate::store::Store;

/// How many paths a check names.
const MAX_SHOWN: usize = 5;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// One line of the report.
struct Check {
    what: &'static str,
    verdict: Verdict,
    detail: String,
    hint: &'static str,
}

impl Check {
    fn ok(what: &'static str, detail: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Ok,
            detail: detail.into(),
            hint: "",
        }
    }

    fn warning(what: &'static str, detail: impl Into<String>, hint: &'static str) -> Self {
        Self {
            what,
            verdict: Verdict::Warning,
            detail: detail.into(),
            hint,
        }
    }

    fn failed(what: &'static str, detail: impl Into<String>, hint: &'static str) -> Self {
        Self {
            what,
            verdict: Verdict::Failed,
            detail: detail.into(),
            hint,
        }
    }
}

/// Runs the command; a failed check is a failed command.
pub(crate) async fn run(store: &Store, format: FormatArguments) -> Result<()> {
    let mut checks = vec![
        private("store", &store.directory),
        private("cache", &store.cache_dir()),
    ];
    if store.catalog_path().exists() {
        match store.session().await {
            Ok(session) => {
                checks.push(catalog(&session).await);
                checks.push(keys(&session).await);
            }
            Err(error) => checks.push(Check::failed("catalog", format!("{error:#}"), RESTORE)),
        }
    } else {
        checks.push(Check::ok("catalog", "is made at first use"));
    }
    checks.push(external_io(&store.external_io_dir).await);
    checks.push(user_files(store));
    let mut printer = Printer::new(&format);
    let mut sheet = printer.sheet()?;
    sheet.begin(&["check", "outcome", "detail", "hint"].map(str::to_owned))?;
    for check in &checks {
        let outcome = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        };
        let texts = [check.what, outcome, &check.detail, check.hint];
        sheet.row(&texts.map(|text| Cell::Text(text.to_owned())))?;
    }
    sheet.end()?;
    let failed = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Failed)
        .count();
    if failed > 0 {
        return Err(Failure::new(
            "58030",
            match failed {
                1 => "a check failed".to_owned(),
                many => format!("{many} checks failed"),
            },
        )
        .into());
    }
    Ok(())
}

/// A directory that only its owner may enter.
fn private(what: &'static str, path: &Path) -> Check {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Check::failed(
            what,
            format!("{} is open to others", path.display()),
            "take the rights of group and others away: chmod 0700",
        ),
        Ok(_) => Check::ok(what, path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::ok(what, format!("{} is made at first use", path.display()))
        }
        Err(error) => Check::failed(
            what,
            format!("{}: {error}", path.display()),
            "check the path and its owner",
        ),
    }
}

const RESTORE: &str = "restore the store from a backup, with its key";

/// Whether the store would survive the loss of a key, and whether a change of its key was finished.
async fn keys(session: &Session) -> Check {
    const WHAT: &str = "key-slots";
    let found = match session.key_slots().await {
        Ok(found) => found,
        Err(error) if error.sqlstate() == SqlState::InsufficientPrivilege => {
            return Check::ok(WHAT, "are shown to administrators alone");
        }
        Err(error) => {
            return Check::failed(
                WHAT,
                error.to_string(),
                "open the store with another slot and remove this one",
            );
        }
    };
    if found.state.is_rotating() {
        return Check::warning(
            WHAT,
            "a change of the store's key was broken off",
            "go on with it: portolan key rotate",
        );
    }
    let kinds: Vec<&str> = found.slots.iter().map(|slot| slot.kind.as_str()).collect();
    match kinds.as_slice() {
        [kind] => Check::warning(
            WHAT,
            format!("there is one ({kind}): with its key everything that is sealed is lost"),
            "add a second one: portolan key add --recovery",
        ),
        kinds => Check::ok(WHAT, format!("{}: {}", kinds.len(), kinds.join(", "))),
    }
}

/// Every row of the catalog is authentic.
async fn catalog(session: &Session) -> Check {
    const HINT: &str = RESTORE;
    let mut read = 0_u64;
    match session.execute("SHOW EXTERNAL CONNECTIONS", &[]).await {
        Ok(outcome) => {
            if let Body::Rows(mut rows) = outcome.body {
                while let Some(row) = rows.next().await {
                    match row {
                        Ok(_) => read += 1,
                        Err(error) => return Check::failed("catalog", error.to_string(), HINT),
                    }
                }
            }
            Check::ok("catalog", format!("{read} connections are authentic"))
        }
        Err(error) => Check::failed("catalog", error.to_string(), HINT),
    }
}

/// The root of `nodelocal://`, and what interrupted uploads left in it.
async fn external_io(directory: &Path) -> Check {
    const WHAT: &str = "external-io-dir";
    if !directory.exists() {
        return Check::ok(
            WHAT,
            format!("{} is made at first use", directory.display()),
        );
    }
    match NodelocalStore::open(directory) {
        Ok(store) => unfinished(WHAT, directory.display().to_string(), &store).await,
        Err(error) => Check::failed(WHAT, error.to_string(), "check the path and its owner"),
    }
}

/// What a store says of uploads that nobody finished.
async fn unfinished(what: &'static str, detail: String, store: &dyn UnfinishedUploads) -> Check {
    match store.abandoned_uploads(&ObjectPath::default()).await {
        Ok(found) if found.is_empty() => Check::ok(what, detail),
        Ok(found) => {
            let bytes: u64 = found.iter().map(|upload| upload.size).sum();
            let paths: Vec<&str> = found
                .iter()
                .take(MAX_SHOWN)
                .map(|upload| upload.path.as_str())
                .collect();
            let count = match found.len() {
                1 => "an upload was".to_owned(),
                many => format!("{many} uploads were"),
            };
            let more = if found.len() > MAX_SHOWN { ", …" } else { "" };
            Check::warning(
                what,
                format!(
                    "{count} left unfinished ({}): {}{more}",
                    bytesize::ByteSize(bytes).display().iec(),
                    paths.join(", "),
                ),
                "no process is writing them: remove these files",
            )
        }
        Err(error) => Check::failed(what, error.to_string(), "check the path and its owner"),
    }
}

/// The store of `userfile://`, and what killed uploads left in it. Whatever uses it next removes that.
fn user_files(store: &Store) -> Check {
    const WHAT: &str = "user-files";
    let path = store.user_files_path();
    if !path.exists() {
        return Check::ok(WHAT, format!("{} is made at first use", path.display()));
    }
    match store.user_files().unfinished_uploads() {
        Ok(left) if left.is_empty() => Check::ok(WHAT, path.display().to_string()),
        Ok(left) => {
            let bytes: u64 = left.iter().map(|upload| upload.size).sum();
            let paths: Vec<String> = left
                .iter()
                .take(MAX_SHOWN)
                .map(|upload| format!("{}/{}", upload.set, upload.path))
                .collect();
            let more = if left.len() > MAX_SHOWN { ", …" } else { "" };
            Check::warning(
                WHAT,
                format!(
                    "{} uploads were left unfinished ({}): {}{more}",
                    left.len(),
                    bytesize::ByteSize(bytes).display().iec(),
                    paths.join(", "),
                ),
                "nothing to do: the next command that uses user files removes them",
            )
        }
        Err(error) => Check::failed(WHAT, error.to_string(), error.hint()),
    }
}
