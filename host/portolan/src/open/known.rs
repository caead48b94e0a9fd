//! What opening a connection found in the catalog, so that opening it again reads nothing.
//!
//! Whether a principal may use a connection for an operation, and which plan it then is, depends on
//! rows of the catalog and on nothing else. So an answer holds as long as the catalog's
//! [mark](portolan_catalog::Catalog::mark) stays the same; with the first change of any row, by
//! whomever, in this process or another, all of them are forgotten. What depends on more is not an
//! answer and is never kept: a refusal, which has its row in the audit trail each time, and the
//! verdict of the operator's policy.
//!
//! An answer holds the plan's secrets, in types that wipe them; it is no more than a handle that is
//! open has.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use portolan_catalog::{CatalogHandle, StateMark};
use portolan_contract::Operation;

use super::pinned::Pinned;
use crate::Principal;
use crate::call::lock;

/// How many answers are kept.
const MOST_ANSWERS: usize = 1_024;

/// How many bytes their plans may have together, as they lie in the store.
const MOST_BYTES: usize = 8 << 20;

/// What somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    /// With the roles that the embedding program vouches for.
    pub(crate) principal: Principal,
    pub(crate) connection: String,
    pub(crate) operation: Operation,
}

/// The answers of a host.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    /// The state of the catalog that all of them are about.
    mark: Option<StateMark>,
    given: HashMap<Arc<Asked>, Arc<Pinned>>,
    /// The oldest first.
    order: VecDeque<Arc<Asked>>,
    bytes: usize,
}

/// What is known of a question.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The answer, which holds now.
    Known(Arc<Pinned>),
    /// None. What is read from now on may be kept under the mark.
    Unknown(Option<StateMark>),
}

impl Known {
    /// The answer, if it is known and the catalog has not changed since it was read.
    pub(crate) fn find(&self, catalog: &CatalogHandle, asked: &Asked) -> Answer {
        let mut answers = lock(&self.0);
        let mark = catalog.mark();
        if mark.is_none() || answers.mark != mark {
            let outdated = std::mem::take(&mut *answers);
            answers.mark = mark;
            drop(answers);
            drop(outdated);
            return Answer::Unknown(mark);
        }
        match answers.given.get(asked) {
            Some(pinned) => Answer::Known(Arc::clone(pinned)),
            None => Answer::Unknown(mark),
        }
    }

    /// Keeps an answer that was read after `mark` was asked for.
    pub(crate) fn keep(&self, mark: StateMark, asked: Asked, pinned: &Arc<Pinned>) {
        let mut answers = lock(&self.0);
        if answers.mark != Some(mark) || pinned.bytes > MOST_BYTES {
            return;
        }
        let asked = Arc::new(asked);
        if let Some(before) = answers.given.insert(Arc::clone(&asked), Arc::clone(pinned)) {
            answers.bytes -= before.bytes;
        } else {
            answers.order.push_back(asked);
        }
        answers.bytes += pinned.bytes;
        while answers.given.len() > MOST_ANSWERS || answers.bytes > MOST_BYTES {
            answers.forget_oldest();
        }
    }
}

impl Answers {
    fn forget_oldest(&mut self) {
        let oldest = self.order.pop_front();
        if let Some(pinned) = oldest.and_then(|oldest| self.given.remove(&oldest)) {
            self.bytes -= pinned.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use portolan_catalog::{
        Connection, ConnectionId, KeySource, SqliteCatalog, SqliteOptions, Writer,
    };
    use portolan_contract::{Manifest, PLAN_FORMAT, Plan, RuleContext, StoredPlan};
    use tempfile::TempDir;

    use super::*;
    use crate::providers::{Entry, Source};

    fn asked(connection: usize) -> Asked {
        Asked {
            principal: Principal::new("carl"),
            connection: connection.to_string(),
            operation: Operation::Backup,
        }
    }

    fn provider() -> Arc<Entry> {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []",
        );
        let manifest = manifest.expect("a manifest");
        Arc::new(Entry::carried(manifest, Source::Embedded, Cow::default()))
    }

    fn pinned(bytes: usize) -> Arc<Pinned> {
        let now = portolan_catalog::model::now();
        Arc::new(Pinned {
            connection: Connection {
                id: ConnectionId::random(),
                name: "x".to_owned(),
                version: 1,
                connection_type: "STORAGE".to_owned(),
                provider: "nodelocal".to_owned(),
                provider_version: "0.1.0".to_owned(),
                redacted_uri: String::new(),
                implicit_access: false,
                owner: "root".to_owned(),
                comment: None,
                created: now,
                updated: now,
                plan_format: PLAN_FORMAT,
            },
            stored: Arc::new(StoredPlan {
                format: PLAN_FORMAT,
                provider: "nodelocal".to_owned(),
                provider_version: "0.1.0".parse().expect("a version"),
                plan: Plan::default(),
                context: RuleContext::default(),
                secrets: Vec::new(),
                places: Vec::new(),
            }),
            provider: provider(),
            bytes,
        })
    }

    fn catalog() -> (CatalogHandle, TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: directory.path().join("catalog.sqlite"),
            key: KeySource::File(directory.path().join("master.key")),
        });
        let catalog = Arc::new(catalog.expect("a catalog"));
        let runtime = tokio::runtime::Handle::current();
        (CatalogHandle::new(catalog, runtime), directory)
    }

    fn is_known(known: &Known, catalog: &CatalogHandle, connection: usize) -> bool {
        matches!(known.find(catalog, &asked(connection)), Answer::Known(_))
    }

    fn mark(known: &Known, catalog: &CatalogHandle) -> StateMark {
        match known.find(catalog, &asked(usize::MAX)) {
            Answer::Unknown(Some(mark)) => mark,
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn so_many_are_kept_and_no_more() {
        let (catalog, _directory) = catalog();
        let known = Known::default();
        let mark = mark(&known, &catalog);
        for number in 0..MOST_ANSWERS + 10 {
            known.keep(mark, asked(number), &pinned(1));
            // Again, as two who ask at the same time do.
            known.keep(mark, asked(number), &pinned(1));
        }
        assert_eq!(lock(&known.0).given.len(), MOST_ANSWERS);
        assert_eq!(lock(&known.0).order.len(), MOST_ANSWERS);
        assert_eq!(lock(&known.0).bytes, MOST_ANSWERS);
        assert!(!is_known(&known, &catalog, 9), "the oldest are forgotten");
        assert!(is_known(&known, &catalog, 10));
        assert!(is_known(&known, &catalog, MOST_ANSWERS + 9));
    }

    #[tokio::test]
    async fn large_plans_push_out_others_and_one_that_is_too_large_is_not_kept() {
        let (catalog, _directory) = catalog();
        let known = Known::default();
        let mark = mark(&known, &catalog);
        known.keep(mark, asked(0), &pinned(1));
        known.keep(mark, asked(1), &pinned(MOST_BYTES + 1));
        assert!(is_known(&known, &catalog, 0));
        assert!(!is_known(&known, &catalog, 1));
        known.keep(mark, asked(2), &pinned(MOST_BYTES));
        assert!(!is_known(&known, &catalog, 0));
        assert!(is_known(&known, &catalog, 2));
        assert_eq!(lock(&known.0).bytes, MOST_BYTES);
    }

    #[tokio::test]
    async fn after_a_change_all_is_forgotten_and_what_was_read_before_is_not_kept() {
        let (catalog, _directory) = catalog();
        let known = Known::default();
        let before = mark(&known, &catalog);
        let answer = pinned(1);
        known.keep(before, asked(0), &answer);
        let changed =
            catalog.write::<_, portolan_catalog::CatalogError, _>(|writer: &mut dyn Writer| {
                writer.insert_principal(&portolan_catalog::PrincipalRow {
                    name: "eve".to_owned(),
                    kind: portolan_catalog::PrincipalKind::User,
                    created: portolan_catalog::model::now(),
                })
            });
        changed.await.expect("changed");
        assert!(!is_known(&known, &catalog, 0));
        assert_eq!(Arc::strong_count(&answer), 1, "its secrets are wiped");
        known.keep(before, asked(0), &answer);
        assert!(!is_known(&known, &catalog, 0));
    }
}
