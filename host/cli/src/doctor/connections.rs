//! What uploads left in the storage of connections, behind the network.
//!
//! Each connection is opened as any command opens it: with the privileges of the user, under the
//! policy, through its own client. What cannot be reached is a warning that says why, after a bounded
//! time.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use futures::{StreamExt, stream};
use portolan::{
    Body, Cell, Error, Fate, Operation, Session, StorageConnection, Unfinished, UnfinishedUpload,
};

use super::check::{Check, named, told};

/// How many connections are asked at once.
const AT_ONCE: usize = 8;

/// How long one may take to answer.
const ONE: Duration = Duration::from_secs(20);

/// How long all of them may take together.
const ALL: Duration = Duration::from_secs(120);

/// The row that tells of all connections together.
const WHAT: &str = "uploads";

/// What became of asking a connection.
enum Asked {
    /// Its storage keeps nothing of the kind, or is looked after elsewhere.
    Nothing,
    /// It has no unfinished uploads.
    Clean,
    /// What there is to say of it.
    Told(Check),
}

/// Asks the storage of all connections. Uploads that were begun longer ago than `clean` are given up.
pub(super) async fn checks(session: &Session, clean: Option<Duration>) -> Vec<Check> {
    let names = match storage(session).await {
        Ok(names) => names,
        // What is wrong with the catalog is told by its own check.
        Err(_) => return Vec::new(),
    };
    let all = names.len();
    let end = tokio::time::sleep(ALL);
    let asked: Vec<Asked> = stream::iter(names)
        .map(|name| ask_in_time(session, name, clean))
        .buffered(AT_ONCE)
        .take_until(end)
        .collect()
        .await;
    let unasked = all - asked.len();
    let (mut clean, mut checks) = (0, Vec::new());
    for asked in asked {
        match asked {
            Asked::Nothing => {}
            Asked::Clean => clean += 1,
            Asked::Told(check) => checks.push(check),
        }
    }
    let sum = match (clean, checks.is_empty()) {
        (0, true) => Some("no connection leads to storage that keeps any".to_owned()),
        (0, false) => None,
        (1, _) => Some("nothing is left in the storage of one connection".to_owned()),
        (many, _) => Some(format!(
            "nothing is left in the storage of {many} connections"
        )),
    };
    if let Some(sum) = sum {
        checks.insert(0, Check::ok(WHAT, sum));
    }
    if unasked > 0 {
        checks.push(Check::warning(
            WHAT,
            format!(
                "the storage of {unasked} connections was not looked at within {} s",
                ALL.as_secs()
            ),
            "run it again when the servers answer, or with fewer connections that lead nowhere",
        ));
    }
    checks
}

/// The names of the connections that are storage.
async fn storage(session: &Session) -> Result<Vec<String>, Error> {
    let outcome = session.execute("SHOW EXTERNAL CONNECTIONS", &[]).await?;
    let mut names = Vec::new();
    if let Body::Rows(mut rows) = outcome.body {
        while let Some(row) = rows.next().await {
            if let [Cell::Text(name), _, Cell::Text(kind)] = row?.as_slice()
                && kind == "STORAGE"
            {
                names.push(name.clone());
            }
        }
    }
    Ok(names)
}

async fn ask_in_time(session: &Session, name: String, clean: Option<Duration>) -> Asked {
    match tokio::time::timeout(ONE, ask(session, &name, clean)).await {
        Ok(Ok(asked)) => asked,
        Ok(Err(error)) => Asked::Told(not_asked(&name, &error)),
        Err(_) => Asked::Told(Check::warning(
            url(&name),
            format!(
                "was not asked for unfinished uploads: it did not answer within {} s",
                ONE.as_secs()
            ),
            format!("portolan validate {name} shows which step fails"),
        )),
    }
}

async fn ask(session: &Session, name: &str, clean: Option<Duration>) -> Result<Asked, Error> {
    let opened = session.open(&url(name), Operation::Transfer).await?;
    let connection = opened.into_storage()?;
    let Some(unfinished) = connection.unfinished_uploads().await? else {
        return Ok(Asked::Nothing);
    };
    if unfinished.uploads.is_empty() && unfinished.complete {
        return Ok(Asked::Clean);
    }
    let check = match clean {
        Some(age) => give_up(&connection, name, unfinished, age).await,
        None => left(name, &unfinished),
    };
    Ok(Asked::Told(check))
}

/// What is left.
fn left(name: &str, unfinished: &Unfinished) -> Check {
    if unfinished.uploads.is_empty() {
        return Check::warning(
            url(name),
            "holds more objects than are looked through for unfinished uploads",
            "give a part of it a connection of its own",
        );
    }
    let hint = match unfinished.fate {
        Fate::DroppedAfterAWeek => {
            "nothing to do: the service drops them a week after their last part".into()
        }
        _ => "where no command is writing them, give them up by their age: \
              portolan doctor --clean 1d"
            .to_owned(),
    };
    Check::warning(
        url(name),
        told(&unfinished.uploads, unfinished.complete),
        hint,
    )
}

/// Gives up what was begun longer ago than `age`, and tells what is left.
async fn give_up(
    connection: &StorageConnection,
    name: &str,
    mut unfinished: Unfinished,
    age: Duration,
) -> Check {
    let now = SystemTime::now();
    let is_old = |upload: &UnfinishedUpload| {
        let since = upload
            .since
            .and_then(|since| now.duration_since(since).ok());
        upload.id.is_some() && since.is_some_and(|since| since >= age)
    };
    let (old, rest): (Vec<_>, Vec<_>) = unfinished.uploads.into_iter().partition(is_old);
    let mut given_up = Vec::new();
    for upload in old {
        match connection.give_up(&upload).await {
            Ok(()) => given_up.push(upload),
            Err(error) => {
                let path = named(std::slice::from_ref(&upload));
                let mut check = not_asked(name, &error);
                check.detail = format!("{path} could not be given up: {}", error.message());
                return check;
            }
        }
    }
    unfinished.uploads = rest;
    if given_up.is_empty() {
        return left(name, &unfinished);
    }
    let count = match given_up.len() {
        1 => "an unfinished upload was".to_owned(),
        many => format!("{many} unfinished uploads were"),
    };
    let detail = format!("{count} given up: {}", named(&given_up));
    match unfinished.uploads.is_empty() && unfinished.complete {
        true => Check::ok(url(name), detail),
        false => {
            let rest = left(name, &unfinished);
            Check::warning(url(name), format!("{detail}; {}", rest.detail), rest.hint)
        }
    }
}

fn not_asked(name: &str, error: &Error) -> Check {
    let hint = match error.hint() {
        Some(hint) => hint.to_owned(),
        None => format!("portolan validate {name} shows which step fails"),
    };
    Check::warning(
        url(name),
        format!("was not asked for unfinished uploads: {}", error.message()),
        hint,
    )
}

fn url(name: &str) -> String {
    format!("external://{name}")
}
