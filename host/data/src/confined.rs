//! An object store that is cut down to a prefix and asks a gate before each operation.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

use portolan_files::UserFilesError;

use crate::{Gate, GateError};

/// An object store below a prefix, which asks its [`Gate`] before each operation.
///
/// Paths are relative to the prefix on the way in and on the way out. An operation is a call of
/// the trait, the start of a list, each object of a delete stream, and each part and the
/// completion of a multipart upload; bytes of a get that already began are delivered. `abort` of
/// an upload is never gated: it can only give up what is not visible yet.
///
/// When the gate refuses, the error is [`Error::PermissionDenied`] with the
/// [`GateError`](crate::GateError) as its source.
pub struct Confined<T: ?Sized = dyn ObjectStore> {
    prefix: Path,
    gate: Arc<dyn Gate>,
    store: Arc<T>,
}

impl<T: ?Sized> Confined<T> {
    /// Confines `store` to what lies below `prefix`.
    pub fn new(store: Arc<T>, prefix: Path, gate: Arc<dyn Gate>) -> Self {
        Self {
            prefix,
            gate,
            store,
        }
    }

    /// The prefix, as the store below sees it.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    fn full(&self, location: &Path) -> Path {
        join(&self.prefix, location)
    }

    fn full_prefix(&self, prefix: Option<&Path>) -> Path {
        prefix.map_or_else(|| self.prefix.clone(), |prefix| self.full(prefix))
    }

    async fn check(&self, location: &Path) -> Result<()> {
        check(&*self.gate, location).await
    }

    /// The stream that `start` gives, opened once the gate has agreed.
    fn gated_stream<F>(&self, location: &Path, start: F) -> BoxStream<'static, Result<ObjectMeta>>
    where
        T: ObjectStore,
        F: FnOnce(&T) -> BoxStream<'static, Result<ObjectMeta>> + Send + 'static,
    {
        let gate = Arc::clone(&self.gate);
        let store = Arc::clone(&self.store);
        let prefix = self.prefix.clone();
        let location = location.clone();
        futures::stream::once(async move {
            check(&*gate, &location).await?;
            Ok::<_, Error>(start(&store))
        })
        .try_flatten()
        .map(move |listed| match listed {
            Ok(meta) => Ok(relative_meta(&prefix, meta)),
            Err(error) => Err(relative_error(&prefix, error)),
        })
        .boxed()
    }
}

async fn check(gate: &dyn Gate, location: &Path) -> Result<()> {
    gate.check().await.map_err(|error| denied(error, location))
}

fn denied(error: GateError, location: &Path) -> Error {
    Error::PermissionDenied {
        path: location.to_string(),
        source: Box::new(error),
    }
}

fn join(prefix: &Path, location: &Path) -> Path {
    prefix.parts().chain(location.parts()).collect()
}

fn relative(prefix: &Path, path: Path) -> Path {
    if let Some(rest) = path.prefix_match(prefix) {
        return rest.collect();
    }
    path
}

fn relative_meta(prefix: &Path, mut meta: ObjectMeta) -> ObjectMeta {
    meta.location = relative(prefix, meta.location);
    meta
}

/// The error with the path that the caller knows: where a connection leads is not for everybody who
/// may use it.
pub(crate) fn relative_error(prefix: &Path, mut error: Error) -> Error {
    if let Error::NotFound { path, .. }
    | Error::AlreadyExists { path, .. }
    | Error::Precondition { path, .. }
    | Error::NotModified { path, .. }
    | Error::PermissionDenied { path, .. }
    | Error::Unauthenticated { path, .. } = &mut error
        && let Ok(full) = Path::parse(path.as_str())
    {
        *path = relative(prefix, full).to_string();
    }
    if let Error::Generic { source, .. }
    | Error::NotFound { source, .. }
    | Error::AlreadyExists { source, .. }
    | Error::Precondition { source, .. } = &mut error
        && let Some(files) = source.downcast_mut::<UserFilesError>()
    {
        files.change_path(|path| match Path::parse(path) {
            Ok(full) => relative(prefix, full).to_string(),
            Err(_) => path.to_owned(),
        });
    }
    error
}

/// The result with its paths, and those of errors that come later, as the caller knows them.
fn relative_result(prefix: &Path, mut result: GetResult) -> GetResult {
    result.meta = relative_meta(prefix, result.meta);
    result.payload = match result.payload {
        GetResultPayload::Stream(stream) => {
            let prefix = prefix.clone();
            let stream = stream.map_err(move |error| relative_error(&prefix, error));
            GetResultPayload::Stream(stream.boxed())
        }
        #[allow(
            unreachable_patterns,
            reason = "a file is a payload only with a feature of the library"
        )]
        other => other,
    };
    result
}

impl<T: ?Sized> fmt::Debug for Confined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confined")
            .field("prefix", &self.prefix)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

impl<T: ?Sized> fmt::Display for Confined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confined({})", self.prefix)
    }
}

impl<T: ?Sized> Clone for Confined<T> {
    fn clone(&self) -> Self {
        Self {
            prefix: self.prefix.clone(),
            gate: Arc::clone(&self.gate),
            store: Arc::clone(&self.store),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: ObjectStore + ?Sized> ObjectStore for Confined<T> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.check(location).await?;
        self.store
            .put_opts(&self.full(location), payload, options)
            .await
            .map_err(|error| relative_error(&self.prefix, error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check(location).await?;
        let upload = self
            .store
            .put_multipart_opts(&self.full(location), options)
            .await
            .map_err(|error| relative_error(&self.prefix, error))?;
        Ok(Box::new(ConfinedUpload {
            upload,
            gate: Arc::clone(&self.gate),
            prefix: self.prefix.clone(),
            location: location.clone(),
            refused: Arc::default(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check(location).await?;
        let result = self
            .store
            .get_opts(&self.full(location), options)
            .await
            .map_err(|error| relative_error(&self.prefix, error))?;
        Ok(relative_result(&self.prefix, result))
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(location).await?;
        self.store
            .get_ranges(&self.full(location), ranges)
            .await
            .map_err(|error| relative_error(&self.prefix, error))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let gate = Arc::clone(&self.gate);
        let prefix = self.prefix.clone();
        let gated = locations
            .and_then(move |location| {
                let gate = Arc::clone(&gate);
                let full = join(&prefix, &location);
                async move {
                    check(&*gate, &location).await?;
                    Ok(full)
                }
            })
            .boxed();
        let prefix = self.prefix.clone();
        self.store
            .delete_stream(gated)
            .map(move |deleted| match deleted {
                Ok(location) => Ok(relative(&prefix, location)),
                Err(error) => Err(relative_error(&prefix, error)),
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let full = self.full_prefix(prefix);
        self.gated_stream(&prefix.cloned().unwrap_or_default(), move |store| {
            store.list(Some(&full))
        })
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let full = self.full_prefix(prefix);
        let offset = self.full(offset);
        self.gated_stream(&prefix.cloned().unwrap_or_default(), move |store| {
            store.list_with_offset(Some(&full), &offset)
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check(prefix.unwrap_or(&Path::default())).await?;
        let full = self.full_prefix(prefix);
        let mut result = self
            .store
            .list_with_delimiter(Some(&full))
            .await
            .map_err(|error| relative_error(&self.prefix, error))?;
        for common in &mut result.common_prefixes {
            *common = relative(&self.prefix, std::mem::take(common));
        }
        for meta in &mut result.objects {
            meta.location = relative(&self.prefix, std::mem::take(&mut meta.location));
        }
        Ok(result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.check(from).await?;
        self.store
            .copy_opts(&self.full(from), &self.full(to), options)
            .await
            .map_err(|error| relative_error(&self.prefix, error))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.check(from).await?;
        self.store
            .rename_opts(&self.full(from), &self.full(to), options)
            .await
            .map_err(|error| relative_error(&self.prefix, error))
    }
}

/// An upload whose parts and completion ask the gate.
#[derive(Debug)]
struct ConfinedUpload {
    upload: Box<dyn MultipartUpload>,
    gate: Arc<dyn Gate>,
    prefix: Path,
    location: Path,
    /// What the gate said to the first part that it refused. Such a part is missing, so the
    /// upload can never be completed, even if the gate opens again.
    refused: Arc<OnceLock<GateError>>,
}

#[async_trait]
impl MultipartUpload for ConfinedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        // The part's number is its place in the order of the calls, so the store is told now; its
        // bytes are written when the future is polled, after the gate has agreed.
        let part = self.upload.put_part(data);
        let gate = Arc::clone(&self.gate);
        let (prefix, location) = (self.prefix.clone(), self.location.clone());
        let refused = Arc::clone(&self.refused);
        async move {
            match gate.check().await {
                Ok(()) => part.await.map_err(|error| relative_error(&prefix, error)),
                Err(error) => Err(denied(refused.get_or_init(|| error).clone(), &location)),
            }
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if let Some(error) = self.refused.get() {
            return Err(denied(error.clone(), &self.location));
        }
        check(&*self.gate, &self.location).await?;
        let completed = self.upload.complete().await;
        completed.map_err(|error| relative_error(&self.prefix, error))
    }

    async fn abort(&mut self) -> Result<()> {
        let given_up = self.upload.abort().await;
        given_up.map_err(|error| relative_error(&self.prefix, error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    #[derive(Debug, Default)]
    struct Switch {
        closed: AtomicBool,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl Gate for Switch {
        async fn check(&self) -> Result<(), GateError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.closed.load(Ordering::SeqCst) {
                return Err(GateError::new("42501", "USAGE was revoked"));
            }
            Ok(())
        }
    }

    fn confined() -> (Arc<InMemory>, Arc<Switch>, Confined) {
        let inner = Arc::new(InMemory::new());
        let gate = Arc::new(Switch::default());
        let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&inner);
        let question: Arc<dyn Gate> = Arc::<Switch>::clone(&gate);
        let confined = Confined::new(store, Path::from("base/deep"), question);
        (inner, gate, confined)
    }

    fn refused<V: fmt::Debug>(result: Result<V>) {
        let error = result.expect_err("refused");
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
        let gate = GateError::find(&error).expect("the gate's error");
        assert_eq!(gate.sqlstate(), "42501");
        assert_eq!(gate.message(), "USAGE was revoked");
    }

    #[tokio::test]
    async fn an_error_names_the_path_that_the_caller_knows() {
        let store = Confined::new(
            Arc::new(InMemory::new()),
            Path::from("hidden/place"),
            Arc::new(crate::OpenGate),
        );
        let error = store.head(&Path::from("a/b")).await.expect_err("nothing");
        let Error::NotFound { path, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(path, "a/b");
    }

    #[tokio::test]
    async fn paths_are_relative_on_both_ways() {
        let (inner, _, store) = confined();
        let name = Path::from("a/b");
        inner
            .put(&Path::from("base/other"), "x".into())
            .await
            .expect("put");
        store.put(&name, "hello".into()).await.expect("put");
        inner
            .head(&Path::from("base/deep/a/b"))
            .await
            .expect("below the prefix");
        assert_eq!(store.head(&name).await.expect("head").location, name);
        let listed: Vec<_> = store.list(None).try_collect().await.expect("list");
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].location, name);
        let below: Vec<_> = store
            .list_with_offset(Some(&Path::from("a")), &Path::from("a/a"))
            .try_collect()
            .await
            .expect("list");
        assert_eq!(below[0].location, name);
        let result = store.list_with_delimiter(None).await.expect("list");
        assert_eq!(result.common_prefixes, [Path::from("a")]);
        store.rename(&name, &Path::from("c")).await.expect("rename");
        store
            .copy(&Path::from("c"), &Path::from("d"))
            .await
            .expect("copy");
        store.delete(&Path::from("c")).await.expect("delete");
        inner
            .head(&Path::from("base/deep/d"))
            .await
            .expect("copied");
    }

    #[tokio::test]
    async fn every_operation_fails_once_the_gate_is_closed() {
        let (_, gate, store) = confined();
        let name = Path::from("a");
        store.put(&name, "hello".into()).await.expect("put");
        gate.closed.store(true, Ordering::SeqCst);
        refused(store.put(&name, "x".into()).await);
        refused(store.put_multipart(&name).await);
        refused(store.get(&name).await);
        refused(store.head(&name).await);
        refused(store.get_range(&name, 0..1).await);
        refused(store.get_ranges(&name, &[0..1, 2..3]).await);
        refused(store.delete(&name).await);
        refused(store.list(None).try_collect::<Vec<_>>().await);
        refused(
            store
                .list_with_offset(None, &name)
                .try_collect::<Vec<_>>()
                .await,
        );
        refused(store.list_with_delimiter(None).await);
        refused(store.copy(&name, &Path::from("b")).await);
        refused(store.copy_if_not_exists(&name, &Path::from("b")).await);
        refused(store.rename(&name, &Path::from("b")).await);
        refused(store.rename_if_not_exists(&name, &Path::from("b")).await);
        gate.closed.store(false, Ordering::SeqCst);
        let names: Vec<_> = store
            .list(None)
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .expect("list");
        assert_eq!(names, [name], "nothing of it reached the store");
    }

    #[tokio::test]
    async fn an_upload_that_began_ends_at_its_next_part() {
        let (inner, gate, store) = confined();
        let mut upload = store.put_multipart(&Path::from("a")).await.expect("start");
        upload.put_part("one".into()).await.expect("open still");
        gate.closed.store(true, Ordering::SeqCst);
        refused(upload.put_part("two".into()).await);
        gate.closed.store(false, Ordering::SeqCst);
        refused(upload.complete().await);
        upload.abort().await.expect("giving up is always allowed");
        assert!(inner.list(None).next().await.is_none());
        assert_eq!(gate.asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_list_asks_when_it_starts_and_not_when_it_is_made() {
        let (_, gate, store) = confined();
        let list = store.list(None);
        assert_eq!(gate.asked.load(Ordering::SeqCst), 0);
        gate.closed.store(true, Ordering::SeqCst);
        refused(list.try_collect::<Vec<_>>().await);
    }
}
