//! From a plan to a store.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use portolan_contract::{ObjectStorePlan, StoredPlan};
use portolan_egress::Egress;
use portolan_files::UserFiles;

use crate::cloud;
use crate::error::object_path;
use crate::{
    Confined, ConfinedUploads, DataError, Gate, Lent, NodelocalStore, OpenGate, UserfileStore,
};

/// What this host can make stores of.
#[derive(Debug, Clone, Default)]
pub struct Backends {
    external_io_dir: Option<PathBuf>,
    make_missing: bool,
    user_files: Option<Arc<dyn UserFiles>>,
    egress: Option<Egress>,
    lent: Lent,
}

impl Backends {
    /// The backends of a host whose `nodelocal` storage lies below `external_io_dir`; without one
    /// there is none.
    ///
    /// The directory must exist when it is first used: one that somebody configured and that is
    /// not there is a slip of the keyboard, or a disk that is not mounted.
    #[must_use]
    pub fn new(external_io_dir: Option<PathBuf>) -> Self {
        Self {
            external_io_dir,
            make_missing: false,
            user_files: None,
            egress: None,
            lent: Lent::default(),
        }
    }

    /// The same, but a missing directory is made when it is first used, for its owner alone
    /// (`0700`): for a place that nobody typed, below a directory that exists.
    #[must_use]
    pub fn making_missing(mut self) -> Self {
        self.make_missing = true;
        self
    }

    /// The same, with the files that users keep: `userfile` storage.
    #[must_use]
    pub fn with_user_files(mut self, files: Arc<dyn UserFiles>) -> Self {
        self.user_files = Some(files);
        self
    }

    /// The same, and the stores behind a network: they are reached through `egress`.
    #[must_use]
    pub fn with_egress(mut self, egress: Egress) -> Self {
        self.egress = Some(egress);
        self
    }

    /// The same, and connections that ask for the host's own credentials get these.
    #[must_use]
    pub fn lending(mut self, lent: Lent) -> Self {
        self.lent = lent;
        self
    }

    /// Builds the store of a plan. Paths are relative to the plan's path.
    ///
    /// This may block for as long as it takes to open a local directory.
    ///
    /// # Errors
    ///
    /// The plan has no object store, this build not its backend, or the backend cannot be opened.
    pub fn build(&self, plan: &StoredPlan) -> Result<Arc<dyn ObjectStore>, DataError> {
        let confined = self.build_confined(plan, &Path::default(), Arc::new(OpenGate))?;
        Ok(Arc::new(confined))
    }

    /// Builds the store of a plan below `sub_path`, which asks `gate` before each operation.
    /// Paths are relative to the two.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_confined(
        &self,
        plan: &StoredPlan,
        sub_path: &Path,
        gate: Arc<dyn Gate>,
    ) -> Result<Confined, DataError> {
        let target = plan.plan.object_store().ok_or(DataError::NoObjectStore)?;
        let store = self.backend(plan, target)?;
        Ok(Confined::new(store, prefix_of(target, sub_path)?, gate))
    }

    /// What tells of the unfinished uploads of a plan below `sub_path`; none where its service keeps
    /// none, or where they are looked after with the whole store: of this host's own files.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn unfinished_uploads(
        &self,
        plan: &StoredPlan,
        sub_path: &Path,
    ) -> Result<Option<ConfinedUploads>, DataError> {
        let target = plan.plan.object_store().ok_or(DataError::NoObjectStore)?;
        let build = match target.backend.as_str() {
            "s3" => cloud::s3_uploads,
            "gs" => cloud::gs_uploads,
            "azure" => cloud::azure_uploads,
            _ => return Ok(None),
        };
        let store = build(self.egress()?, plan, target, &self.lent)?;
        let prefix = prefix_of(target, sub_path)?;
        Ok(Some(ConfinedUploads::new(prefix, store)))
    }

    /// Whether building the store of this plan opens a directory, and so may wait for a disk. Any
    /// other store is built in memory, once the certificates of its plan are known.
    #[must_use]
    pub fn opens_directory(&self, plan: &StoredPlan) -> bool {
        let target = plan.plan.object_store();
        target.is_some_and(|target| target.backend == "nodelocal")
    }

    /// The local store itself, for those who look after it.
    ///
    /// # Errors
    ///
    /// There is no external I/O directory, or it cannot be opened.
    pub fn nodelocal(&self) -> Result<NodelocalStore, DataError> {
        let root = self
            .external_io_dir
            .as_ref()
            .ok_or(DataError::NoExternalIoDirectory)?;
        let opened = match NodelocalStore::open(root) {
            Err(error) if self.make_missing && error.kind() == ErrorKind::NotFound => {
                make_directory(root).and_then(|()| NodelocalStore::open(root))
            }
            opened => opened,
        };
        opened.map_err(|source| DataError::ExternalIoDirectory { source })
    }

    fn backend(
        &self,
        plan: &StoredPlan,
        target: &ObjectStorePlan,
    ) -> Result<Arc<dyn ObjectStore>, DataError> {
        match target.backend.as_str() {
            "nodelocal" => {
                // This host is every node, so the number only has to be one.
                if target.container != "self" && target.container.parse::<i64>().is_err() {
                    return Err(DataError::NoNode);
                }
                Ok(Arc::new(self.nodelocal()?))
            }
            "userfile" => {
                let files = self.user_files.as_ref().ok_or(DataError::NoUserFiles)?;
                // Whoever stored the plan has filled it in.
                if target.container.is_empty() {
                    return Err(DataError::NoSet);
                }
                let set = target.container.as_str();
                Ok(Arc::new(UserfileStore::new(Arc::clone(files), set)))
            }
            "s3" => Ok(Arc::new(cloud::build_s3(
                self.egress()?,
                plan,
                target,
                &self.lent,
            )?)),
            "gs" => Ok(Arc::new(cloud::build_gs(
                self.egress()?,
                plan,
                target,
                &self.lent,
            )?)),
            "azure" => Ok(Arc::new(cloud::build_azure(
                self.egress()?,
                plan,
                target,
                &self.lent,
            )?)),
            "http" => Ok(Arc::new(cloud::build_http(self.egress()?, plan, target)?)),
            other => Err(DataError::no_backend(other)),
        }
    }

    fn egress(&self) -> Result<&Egress, DataError> {
        self.egress.as_ref().ok_or(DataError::NoEgress)
    }
}

/// Where the objects of a plan lie, below `sub_path`.
fn prefix_of(target: &ObjectStorePlan, sub_path: &Path) -> Result<Path, DataError> {
    let prefix = object_path(&target.prefix).map_err(|fault| DataError::BadPrefix { fault })?;
    Ok(prefix.parts().chain(sub_path.parts()).collect())
}

/// Makes one directory for its owner; one that another process made meanwhile serves as well.
fn make_directory(path: &std::path::Path) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use portolan_contract::{Kind, PLAN_FORMAT, Plan, PlanEntry, RuleContext};

    use super::*;

    fn plan(backend: &str, container: &str, prefix: &str) -> StoredPlan {
        stored(Plan {
            entries: vec![
                PlanEntry::Kind(Kind::Storage),
                PlanEntry::ObjectStore(ObjectStorePlan {
                    backend: backend.to_owned(),
                    container: container.to_owned(),
                    prefix: prefix.to_owned(),
                }),
            ],
        })
    }

    fn stored(plan: Plan) -> StoredPlan {
        StoredPlan {
            format: PLAN_FORMAT,
            provider: "test".to_owned(),
            provider_version: "0.1.0".parse().expect("a version"),
            plan,
            context: RuleContext::default(),
            secrets: Vec::new(),
            places: Vec::new(),
        }
    }

    #[tokio::test]
    async fn every_node_is_this_host_below_the_plans_path() {
        let root = tempfile::tempdir().expect("a directory");
        let backends = Backends::new(Some(root.path().to_owned()));
        for (node, name) in [("self", "a"), ("1", "b"), ("42", "c")] {
            let store = backends
                .build(&plan("nodelocal", node, "x y/100%/"))
                .expect("built");
            store
                .put(&Path::from(name), "hello".into())
                .await
                .expect("put");
            let file = root.path().join("x y").join("100%").join(name);
            assert_eq!(std::fs::read(file).expect("read"), b"hello");
        }
        let sub = backends
            .build_confined(
                &plan("nodelocal", "1", "x y"),
                &Path::parse("100%").expect("path"),
                Arc::new(OpenGate),
            )
            .expect("built");
        sub.head(&Path::from("a")).await.expect("there");
    }

    #[test]
    fn what_cannot_be_built_says_why() {
        let root = tempfile::tempdir().expect("a directory");
        let here = Backends::new(Some(root.path().to_owned()));
        let gone = Backends::new(Some(root.path().join("gone")));
        let none = Backends::new(None);
        let cases = [
            (&here, stored(Plan::default()), "0A000", "no object store"),
            (
                &here,
                plan("s3", "bucket", ""),
                "0A000",
                "this host has no way out",
            ),
            (
                &here,
                plan("tape", "reel", ""),
                "0A000",
                "this build has no backend tape",
            ),
            (
                &here,
                plan("nodelocal", "host", ""),
                "22023",
                "node's number",
            ),
            (
                &here,
                plan("nodelocal", "1", "a/../b"),
                "22023",
                "is `.` or `..`",
            ),
            (&here, plan("nodelocal", "1", "a//b"), "22023", "is empty"),
            (
                &here,
                plan("nodelocal", "1", "a\nb"),
                "22023",
                "control character",
            ),
            (
                &here,
                plan("nodelocal", "1", "a\\..\\b"),
                "22023",
                "backslash",
            ),
            (
                &here,
                plan("userfile", "a.b.c", ""),
                "0A000",
                "this host keeps no user files",
            ),
            (
                &none,
                plan("nodelocal", "1", ""),
                "0A000",
                "no external I/O directory",
            ),
            (
                &gone,
                plan("nodelocal", "1", ""),
                "42704",
                "cannot open the external I/O directory",
            ),
        ];
        for (backends, plan, sqlstate, text) in cases {
            let error = backends.build(&plan).expect_err(text);
            assert_eq!(error.sqlstate(), sqlstate, "{error}");
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.hint().is_some(), "{error}");
            let path = root.path().to_str().expect("text");
            assert!(
                !format!("{error} {:?}", error.failure()).contains(path),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_directory_that_nobody_typed_is_made_when_it_is_first_used() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().expect("a directory");
        let place = root.path().join("extern");
        let backends = Backends::new(Some(place.clone())).making_missing();
        assert!(!place.exists(), "not before it is used");
        for name in ["a", "b"] {
            let store = backends
                .build(&plan("nodelocal", "self", "x"))
                .expect("built");
            store
                .put(&Path::from(name), "hello".into())
                .await
                .expect("put");
        }
        let mode = place.metadata().expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        // One level, so that a disk that is not mounted is still noticed.
        let deeper = Backends::new(Some(root.path().join("gone/extern"))).making_missing();
        let error = deeper
            .build(&plan("nodelocal", "self", "x"))
            .expect_err("no parent");
        assert_eq!(error.sqlstate(), "42704");
        assert!(!root.path().join("gone").exists());
    }

    #[test]
    fn a_configured_directory_that_is_missing_is_not_made() {
        let root = tempfile::tempdir().expect("a directory");
        let place = root.path().join("mistyped");
        let error = Backends::new(Some(place.clone()))
            .nodelocal()
            .expect_err("missing");
        assert_eq!(
            error.hint().as_deref(),
            Some("make the directory, or start Portolan with another `--external-io-dir`")
        );
        assert!(!place.exists());
    }

    #[test]
    fn a_hostile_backend_name_cannot_write_to_the_terminal() {
        let error = Backends::default()
            .build(&plan(&"\u{1b}[2J".repeat(100), "", ""))
            .expect_err("unknown");
        let text = error.to_string();
        assert!(!text.contains('\u{1b}') && text.len() < 1000, "{text}");
    }
}
