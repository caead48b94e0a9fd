//! SHOW PROVIDERS: what the manifests of the providers in force say. No guest is started.

use std::collections::HashSet;
use std::sync::Arc;

use portolan_contract::{Manifest, Operation};

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
    let entries = call
        .read(move |access| registry.in_force(access.reader()))
        .await?;
    // A scheme has one provider: the first one that claims it, as the registry orders them.
    let mut claimed = HashSet::new();
    let mut entries: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let schemes = entry.manifest().schemes.iter();
            let schemes: Vec<_> = schemes
                .filter(|scheme| claimed.insert((*scheme).clone()))
                .cloned()
                .collect();
            (entry, schemes)
        })
        .collect();
    entries.sort_by(|(one, _), (other, _)| one.name().cmp(other.name()));
    let rows = entries
        .iter()
        .map(|(entry, schemes)| {
            let mut row = described(entry.manifest(), schemes);
            row.push(entry.source().to_string().into());
            row.push(entry.digest().into());
            row
        })
        .collect();
    Ok(Outcome::rows(Rows::ready(COLUMNS, rows)))
}

/// What a manifest says: name, version, the schemes that are its own, types and operations.
fn described(manifest: &Manifest, schemes: &[String]) -> Vec<Cell> {
    let types = each_once(manifest.kinds.iter().map(|kind| kind.connection_type()));
    let operations = manifest.offered_operations();
    vec![
        manifest.name.as_str().into(),
        manifest.version.to_string().into(),
        schemes.join(", ").into(),
        types.join(", ").into(),
        operations
            .map(Operation::keyword)
            .collect::<Vec<_>>()
            .join(", ")
            .into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_once_though_two_kinds_have_it_and_transfer_goes_with_stores() {
        let manifest = Manifest::parse(
            "name = \"http\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"http\", \"https\"]\n\
             kinds = [\"storage\", \"registry\"]\noperations = [\"import\", \"schema-registry\"]",
        )
        .expect("a manifest");
        assert_eq!(
            described(&manifest, &manifest.schemes),
            [
                "http",
                "0.1.0",
                "http, https",
                "STORAGE",
                "IMPORT, SCHEMA REGISTRY, TRANSFER"
            ]
            .map(Cell::from)
        );
    }
}
