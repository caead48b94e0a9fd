//! From 0.13 to 0.14: what goes in.

use object_store as new;
use object_store_0_13 as old;

pub(crate) fn path(path: &old::path::Path) -> old::Result<new::path::Path> {
    new::path::Path::parse(path.as_ref()).map_err(|source| old::Error::Generic {
        store: "object_store 0.13",
        source: Box::new(source),
    })
}

pub(crate) fn payload(payload: old::PutPayload) -> new::PutPayload {
    payload.into_iter().collect()
}

pub(crate) fn put_options(options: old::PutOptions) -> new::PutOptions {
    new::PutOptions {
        mode: match options.mode {
            old::PutMode::Overwrite => new::PutMode::Overwrite,
            old::PutMode::Create => new::PutMode::Create,
            old::PutMode::Update(version) => new::PutMode::Update(new::UpdateVersion {
                e_tag: version.e_tag,
                version: version.version,
            }),
        },
        tags: tags(&options.tags),
        attributes: attributes(&options.attributes),
        extensions: options.extensions,
    }
}

pub(crate) fn multipart_options(options: old::PutMultipartOptions) -> new::PutMultipartOptions {
    new::PutMultipartOptions {
        tags: tags(&options.tags),
        attributes: attributes(&options.attributes),
        extensions: options.extensions,
    }
}

pub(crate) fn get_options(options: old::GetOptions) -> new::GetOptions {
    new::GetOptions {
        if_match: options.if_match,
        if_none_match: options.if_none_match,
        if_modified_since: options.if_modified_since,
        if_unmodified_since: options.if_unmodified_since,
        range: options.range.map(|range| match range {
            old::GetRange::Bounded(range) => new::GetRange::Bounded(range),
            old::GetRange::Offset(offset) => new::GetRange::Offset(offset),
            old::GetRange::Suffix(length) => new::GetRange::Suffix(length),
        }),
        version: options.version,
        head: options.head,
        extensions: options.extensions,
    }
}

pub(crate) fn copy_options(options: old::CopyOptions) -> new::CopyOptions {
    new::CopyOptions {
        mode: match options.mode {
            old::CopyMode::Overwrite => new::CopyMode::Overwrite,
            old::CopyMode::Create => new::CopyMode::Create,
        },
        extensions: options.extensions,
    }
}

pub(crate) fn rename_options(options: old::RenameOptions) -> new::RenameOptions {
    new::RenameOptions {
        target_mode: match options.target_mode {
            old::RenameTargetMode::Overwrite => new::RenameTargetMode::Overwrite,
            old::RenameTargetMode::Create => new::RenameTargetMode::Create,
        },
        extensions: options.extensions,
    }
}

/// The error of a stream that the caller gave; it comes back to the caller as it was.
pub(crate) fn error(error: old::Error) -> new::Error {
    new::Error::Generic {
        store: "object_store 0.13",
        source: Box::new(error),
    }
}

/// A set of tags is kept encoded, and can only be filled tag by tag.
fn tags(tags: &old::TagSet) -> new::TagSet {
    let mut set = new::TagSet::default();
    for (key, value) in url::form_urlencoded::parse(tags.encoded().as_bytes()) {
        set.push(&key, &value);
    }
    set
}

fn attributes(attributes: &old::Attributes) -> new::Attributes {
    let pairs = attributes.iter().filter_map(|(attribute, value)| {
        let attribute = match attribute {
            old::Attribute::ContentDisposition => new::Attribute::ContentDisposition,
            old::Attribute::ContentEncoding => new::Attribute::ContentEncoding,
            old::Attribute::ContentLanguage => new::Attribute::ContentLanguage,
            old::Attribute::ContentType => new::Attribute::ContentType,
            old::Attribute::CacheControl => new::Attribute::CacheControl,
            old::Attribute::StorageClass => new::Attribute::StorageClass,
            old::Attribute::Metadata(name) => new::Attribute::Metadata(name.clone()),
            // One that neither version has today.
            _ => return None,
        };
        Some((attribute, new::AttributeValue::from(value.to_string())))
    });
    pairs.collect()
}
