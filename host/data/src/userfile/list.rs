//! Lists: every object below a prefix, in the order of its path.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};
use portolan_files::{Entry, ListPage, ListRequest, UserFiles};

use super::meta::object_meta;
use super::{start, told};

/// How many objects one page has.
const PAGE: usize = 1000;

/// What a list is of.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) files: Arc<dyn UserFiles>,
    pub(super) set: Arc<str>,
    pub(super) prefix: String,
}

impl Scope {
    fn page(&self, from: String, by_directory: bool) -> Result<ListPage> {
        let request = ListRequest {
            prefix: self.prefix.clone(),
            from,
            by_directory,
            limit: PAGE,
        };
        self.files.list(&self.set, &request).map_err(told)
    }
}

/// The first text after a path that can be a path: none holds a control character.
pub(super) fn after(path: &Path) -> String {
    format!("{path}\u{1}")
}

/// Every object from a text on.
pub(super) fn list(scope: Scope, from: String) -> BoxStream<'static, Result<ObjectMeta>> {
    let ready = VecDeque::<ObjectMeta>::new();
    stream::try_unfold(
        (scope, Some(from), ready),
        async |(scope, mut from, mut ready)| {
            while ready.is_empty()
                && let Some(start_at) = from.take()
            {
                let asked = scope.clone();
                let page = start(move || asked.page(start_at, false)).await?;
                ready = page.entries.iter().filter_map(of_file).collect();
                from = page.next;
            }
            Ok(ready.pop_front().map(|meta| (meta, (scope, from, ready))))
        },
    )
    .boxed()
}

fn of_file(entry: &Entry) -> Option<ObjectMeta> {
    match entry {
        Entry::File(meta) => object_meta(meta),
        Entry::Directory(_) => None,
    }
}

/// The objects right below the prefix, and the paths there that lead to others.
pub(super) fn list_with_delimiter(scope: &Scope) -> Result<ListResult> {
    let mut result = ListResult {
        common_prefixes: Vec::new(),
        objects: Vec::new(),
        extensions: object_store::Extensions::default(),
    };
    let mut from = Some(String::new());
    while let Some(start_at) = from {
        let page = scope.page(start_at, true)?;
        for entry in &page.entries {
            match entry {
                Entry::Directory(path) => result.common_prefixes.extend(Path::parse(path)),
                Entry::File(meta) => result.objects.extend(object_meta(meta)),
            }
        }
        from = page.next;
    }
    Ok(result)
}
