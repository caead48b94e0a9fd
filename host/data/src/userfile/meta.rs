//! What is said of an object, and the entity tag that tells its versions apart.

use object_store::path::Path;
use object_store::{ObjectMeta, PutResult, Result, UpdateVersion};
use portolan_files::{Condition, FileMeta, UserFilesError};

use super::told;

/// A file's version as an entity tag.
fn entity_tag(meta: &FileMeta) -> String {
    format!("\"{:x}\"", meta.version)
}

/// What a write answers. There is no version beside the entity tag: no older one can be read.
pub(super) fn put_result(meta: &FileMeta) -> PutResult {
    PutResult {
        e_tag: Some(entity_tag(meta)),
        version: None,
        extensions: object_store::Extensions::default(),
    }
}

/// What `head` and the lists say of a file; nothing where its path is none of an object.
pub(super) fn object_meta(meta: &FileMeta) -> Option<ObjectMeta> {
    Some(ObjectMeta {
        location: Path::parse(&meta.path).ok()?,
        last_modified: meta.modified.into(),
        size: meta.size,
        e_tag: Some(entity_tag(meta)),
        version: None,
    })
}

/// What an update asks of the file that it replaces. A tag that is none of ours, or none at all, is
/// the tag of no file.
pub(super) fn condition_of(version: &UpdateVersion, location: &Path) -> Result<Condition> {
    version
        .e_tag
        .as_deref()
        .and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'))
        .and_then(|tag| u64::from_str_radix(tag, 16).ok())
        .map(Condition::Version)
        .ok_or_else(|| {
            told(UserFilesError::Changed {
                path: location.to_string(),
            })
        })
}
