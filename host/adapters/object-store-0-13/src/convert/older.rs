//! From 0.14 to 0.13: what comes out.

use futures::{StreamExt, TryStreamExt};
use object_store as new;
use object_store_0_13 as old;

pub(crate) fn path(path: &new::path::Path) -> old::Result<old::path::Path> {
    Ok(old::path::Path::parse(path.as_ref())?)
}

pub(crate) fn put_result(result: new::PutResult) -> old::PutResult {
    old::PutResult {
        e_tag: result.e_tag,
        version: result.version,
    }
}

pub(crate) fn meta(meta: new::ObjectMeta) -> old::Result<old::ObjectMeta> {
    Ok(old::ObjectMeta {
        location: path(&meta.location)?,
        last_modified: meta.last_modified,
        size: meta.size,
        e_tag: meta.e_tag,
        version: meta.version,
    })
}

pub(crate) fn list_result(result: new::ListResult) -> old::Result<old::ListResult> {
    Ok(old::ListResult {
        common_prefixes: result
            .common_prefixes
            .iter()
            .map(path)
            .collect::<old::Result<_>>()?,
        objects: result
            .objects
            .into_iter()
            .map(meta)
            .collect::<old::Result<_>>()?,
    })
}

pub(crate) fn get_result(result: new::GetResult) -> old::Result<old::GetResult> {
    Ok(old::GetResult {
        meta: meta(result.meta.clone())?,
        range: result.range.clone(),
        attributes: attributes(&result.attributes),
        payload: old::GetResultPayload::Stream(result.into_stream().map_err(error).boxed()),
    })
}

/// The same error, its cause kept as the source. What came from the caller is given back.
pub(crate) fn error(error: new::Error) -> old::Error {
    match error {
        new::Error::NotFound { path, source } => old::Error::NotFound { path, source },
        new::Error::AlreadyExists { path, source } => old::Error::AlreadyExists { path, source },
        new::Error::Precondition { path, source } => old::Error::Precondition { path, source },
        new::Error::NotModified { path, source } => old::Error::NotModified { path, source },
        new::Error::PermissionDenied { path, source } => {
            old::Error::PermissionDenied { path, source }
        }
        new::Error::Unauthenticated { path, source } => {
            old::Error::Unauthenticated { path, source }
        }
        new::Error::NotSupported { source } => old::Error::NotSupported { source },
        new::Error::NotImplemented {
            operation,
            implementer,
        } => old::Error::NotImplemented {
            operation,
            implementer,
        },
        new::Error::Generic { store, source } => match source.downcast::<old::Error>() {
            Ok(own) => *own,
            Err(source) => old::Error::Generic { store, source },
        },
        other => old::Error::Generic {
            store: "object_store 0.14",
            source: Box::new(other),
        },
    }
}

fn attributes(attributes: &new::Attributes) -> old::Attributes {
    let pairs = attributes.iter().filter_map(|(attribute, value)| {
        let attribute = match attribute {
            new::Attribute::ContentDisposition => old::Attribute::ContentDisposition,
            new::Attribute::ContentEncoding => old::Attribute::ContentEncoding,
            new::Attribute::ContentLanguage => old::Attribute::ContentLanguage,
            new::Attribute::ContentType => old::Attribute::ContentType,
            new::Attribute::CacheControl => old::Attribute::CacheControl,
            new::Attribute::StorageClass => old::Attribute::StorageClass,
            new::Attribute::Metadata(name) => old::Attribute::Metadata(name.clone()),
            // One that neither version has today.
            _ => return None,
        };
        Some((attribute, old::AttributeValue::from(value.to_string())))
    });
    pairs.collect()
}
