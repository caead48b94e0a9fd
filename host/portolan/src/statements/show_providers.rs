//! SHOW PROVIDERS: what the manifests of the providers in force say. No guest is started.

use std::sync::Arc;

use portolan_contract::Manifest;

use super::several::each_once;
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows};

const COLUMNS: &[&str] = &[
    "provider",
    "version",
    "schemes",
    "type",
    "operations",
    "source",
    "digest",
];

pub(crate) async fn execute(call: &Call<'_>) -> Result<Outcome, Error> {
    let registry = Arc::clone(&call.host.providers);
    let mut entries = call
        .read(move |access| registry.in_force(access.reader()))
        .await?;
    entries.sort_by(|one, other| one.name().cmp(other.name()));
    let rows = entries
        .iter()
        .map(|entry| {
            let mut row = described(entry.manifest());
            row.push(entry.source().to_string().into());
            row.push(entry.digest().into());
            row
        })
        .collect();
    Ok(Outcome::rows(Rows::ready(COLUMNS, rows)))
}

/// What a manifest says: name, version, schemes, types and operations.
fn described(manifest: &Manifest) -> Vec<Cell> {
    let types = each_once(manifest.kinds.iter().map(|kind| kind.connection_type()));
    let operations = manifest.operations.iter().map(|one| one.keyword());
    vec![
        manifest.name.as_str().into(),
        manifest.version.to_string().into(),
        manifest.schemes.join(", ").into(),
        types.join(", ").into(),
        operations.collect::<Vec<_>>().join(", ").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_once_though_two_kinds_have_it() {
        let manifest = Manifest::parse(
            "name = \"http\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"http\", \"https\"]\n\
             kinds = [\"sink\", \"registry\"]\noperations = [\"changefeed\", \"schema-registry\"]",
        )
        .expect("a manifest");
        assert_eq!(
            described(&manifest),
            [
                "http",
                "0.1.0",
                "http, https",
                "STORAGE",
                "CHANGEFEED, SCHEMA REGISTRY"
            ]
            .map(Cell::from)
        );
    }
}
