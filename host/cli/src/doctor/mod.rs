//! `portolan doctor`: is everything in its place? Each check says what it found and what to do.
//!
//! * `check`: a line of the report. `connections`: what is left behind the network. `keys`: the slots
//!   that hold the store's key.

mod check;
mod connections;
mod keys;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::Result;
use futures::StreamExt;
use object_store::path::Path as ObjectPath;
use portolan::{Body, Cell, Session};
use portolan_data::{NodelocalStore, UnfinishedUploads};

use check::{Check, MAX_SHOWN, Verdict, told};
use keys::keys;

use crate::args::DoctorArguments;
use crate::report::{self, Failure};
use crate::sql::Printer;
use crate::store::Store;

/// Runs the command; a failed check is a failed command.
pub(crate) async fn run(store: &Store, arguments: DoctorArguments) -> Result<()> {
    let mut checks = vec![
        private("store", &store.directory),
        cache(&store.cache_dir()),
    ];
    let (check, session) = catalog(store).await;
    checks.push(check);
    if let Some(session) = &session {
        checks.push(keys(session).await);
    }
    checks.push(external_io(&store.external_io_dir).await);
    checks.push(user_files(store));
    if let Some(session) = session {
        checks.extend(connections::checks(&session, arguments.clean).await);
    }
    let mut printer = Printer::new(&arguments.format);
    let mut sheet = printer.sheet()?;
    sheet.begin(&["check", "outcome", "detail", "hint"].map(str::to_owned))?;
    for check in &checks {
        let outcome = check.verdict.word();
        let texts = [&*check.what, outcome, &check.detail, &check.hint];
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
        .hint("do what the hints of the failed checks say, the first one first")
        .into());
    }
    Ok(())
}

/// A directory that only its owner may enter.
fn private(what: &'static str, path: &Path) -> Check {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => Check::failed(
            what,
            format!("{} is no directory", path.display()),
            "name another path, or move away what is there",
        ),
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

/// The directory of compiled components, of which only this user's own is used.
fn cache(path: &Path) -> Check {
    const WHAT: &str = "cache";
    let user = rustix::process::geteuid().as_raw();
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() && metadata.uid() != user => Check::failed(
            WHAT,
            format!("{} belongs to another user", path.display()),
            "act as its owner, or remove it: it is made anew",
        ),
        _ => private(WHAT, path),
    }
}

const RESTORE: &str = "restore the store from a backup, with its key";

/// A store that does not open, or a row that is not authentic, and what the error itself says to do:
/// a backup is for damage alone.
fn catalog_failed(error: &anyhow::Error) -> Check {
    let told = report::Told::of(error);
    let hint = match told.sqlstate {
        "XX001" => told.hint.unwrap_or(RESTORE),
        _ => told.hint.unwrap_or_default(),
    };
    Check::failed("catalog", told.message, hint.to_owned())
}

/// The catalog opens with its key, and every row of every table is authentic; for whoever is no
/// administrator, those that they may see. Gives a session where it opens.
async fn catalog(store: &Store) -> (Check, Option<Session>) {
    let path = store.catalog_path();
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return (Check::ok("catalog", "is made at first use"), None),
        Err(error) => {
            let error = anyhow::Error::new(error).context(path.display().to_string());
            return (catalog_failed(&error), None);
        }
    }
    match store.session().await {
        Ok(session) => (
            rows_are_authentic(&session, &store.user).await,
            Some(session),
        ),
        Err(error) => (catalog_failed(&error), None),
    }
}

async fn rows_are_authentic(session: &Session, user: &str) -> Check {
    // Others are told of their own connections alone.
    let checked = match session.is_admin().await {
        Ok(true) => session.check_catalog().await.map(drop),
        other => other.map(drop),
    };
    if let Err(error) = checked {
        return catalog_failed(&error.into());
    }
    let mut read = 0_u64;
    let mut rows = match session.execute("SHOW EXTERNAL CONNECTIONS", &[]).await {
        Ok(outcome) => match outcome.body {
            Body::Rows(rows) => rows,
            Body::Tag(_) => return Check::ok("catalog", "0 connections are authentic"),
        },
        Err(error) => return catalog_failed(&error.into()),
    };
    while let Some(row) = rows.next().await {
        match row {
            Ok(_) => read += 1,
            Err(error) => return catalog_failed(&error.into()),
        }
    }
    let of_whom = match user {
        "root" => String::new(),
        user => format!(", of those that {user} may see"),
    };
    Check::ok(
        "catalog",
        format!("{read} connections are authentic{of_whom}"),
    )
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
    match store.unfinished_uploads(&ObjectPath::default()).await {
        Ok(found) if found.uploads.is_empty() => Check::ok(what, detail),
        Ok(found) => Check::warning(
            what,
            told(&found.uploads, found.complete),
            "no process is writing them: remove these files",
        ),
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

#[cfg(test)]
mod tests {
    use std::io;

    use portolan::Error;
    use portolan_catalog::CatalogError;
    use portolan_secret::KeyError;

    use super::*;

    /// The hint for a store that does not open because of `error`.
    fn hint(error: CatalogError) -> String {
        catalog_failed(&Error::from(error).into()).hint.into_owned()
    }

    #[test]
    fn a_backup_is_advised_for_damage_and_for_nothing_else() {
        let key = |source| CatalogError::Key {
            slots: "key slot 1 (key-file)".to_owned(),
            others: String::new(),
            source,
        };
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        for (error, beginning) in [
            (CatalogError::Locked, "Repeat the statement"),
            (CatalogError::ReadOnly, "Make the store's directory"),
            (CatalogError::DiskFull, "Free some space"),
            (CatalogError::NotWritten, "Check this user's quota"),
            (
                CatalogError::NewerSchema {
                    found: 9,
                    supported: 1,
                },
                "Use the version of Portolan",
            ),
            (
                CatalogError::Unreachable {
                    path: "/srv/store".into(),
                    source: denied(),
                },
                "Check that the directory exists",
            ),
            (
                CatalogError::Storage {
                    reason: "disk I/O error".to_owned(),
                },
                "See whether the files of the store",
            ),
            (CatalogError::Interrupted, "Repeat the statement"),
            (
                key(KeyError::Exposed {
                    path: "/srv/key".into(),
                    mode: 0o644,
                }),
                "Run: chmod 600 /srv/key",
            ),
            (
                key(KeyError::File {
                    path: "/srv/key".into(),
                    source: denied(),
                }),
                "Check that the key file's directory is there",
            ),
            (key(KeyError::NoRandomness), "Look into the system's log"),
        ] {
            let given = hint(error);
            assert!(given.starts_with(beginning), "{given}");
            assert!(!given.contains("backup"), "{given}");
        }
        let row = |row: &str| CatalogError::NotAuthentic {
            row: row.to_owned(),
        };
        assert!(hint(CatalogError::Damaged).contains("restore the store from a backup"));
        assert!(hint(row("connection a")).contains("Restore it from a backup"));
        assert!(hint(row("key slot 2")).contains("Open the store with another slot"));
    }
}
