//! Attributes of objects, under the names that files keep them by.

use object_store::{Attribute, AttributeValue, Attributes, Result};

use super::not_implemented;

/// Before the names of metadata that users choose.
const METADATA: &str = "metadata:";

/// Attributes as files keep them.
pub(super) fn to_files(attributes: &Attributes) -> Result<portolan_files::Attributes> {
    attributes
        .iter()
        .map(|(attribute, value)| Ok((name(attribute)?, value.as_ref().to_owned())))
        .collect()
}

fn name(attribute: &Attribute) -> Result<String> {
    let name = match attribute {
        Attribute::ContentDisposition => "content-disposition",
        Attribute::ContentEncoding => "content-encoding",
        Attribute::ContentLanguage => "content-language",
        Attribute::ContentType => "content-type",
        Attribute::CacheControl => "cache-control",
        Attribute::Metadata(key) => return Ok(format!("{METADATA}{key}")),
        _ => return Err(not_implemented("writing an object with such an attribute")),
    };
    Ok(name.to_owned())
}

/// What files keep, as attributes. What a newer program wrote and this one does not know is left out.
pub(super) fn of_files(attributes: portolan_files::Attributes) -> Attributes {
    let known = |(name, value): (String, String)| {
        let attribute = match name.as_str() {
            "content-disposition" => Attribute::ContentDisposition,
            "content-encoding" => Attribute::ContentEncoding,
            "content-language" => Attribute::ContentLanguage,
            "content-type" => Attribute::ContentType,
            "cache-control" => Attribute::CacheControl,
            other => Attribute::Metadata(other.strip_prefix(METADATA)?.to_owned().into()),
        };
        Some((attribute, AttributeValue::from(value)))
    };
    attributes.into_iter().filter_map(known).collect()
}
