//! The answer of phase one, built entry by entry, and read again in phase two.

use crate::{
    Endpoint, Fragment, Kind, NamedSecret, ObjectStore, Operation, PlanEntry, Secret, TlsProfile,
    TlsVerification,
};

/// What a connection becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan(Vec<PlanEntry>);

impl Plan {
    /// The operations of a store that serves them all.
    pub const STORAGE_OPERATIONS: [Operation; 5] = [
        Operation::Backup,
        Operation::Restore,
        Operation::Import,
        Operation::Export,
        Operation::Changefeed,
    ];

    /// A plan of this kind and nothing else yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self(vec![PlanEntry::Kind(kind)])
    }

    /// The entries as the contract writes them.
    #[must_use]
    pub fn from_entries(entries: Vec<PlanEntry>) -> Self {
        Self(entries)
    }

    /// The entries, for the contract.
    #[must_use]
    pub fn into_entries(self) -> Vec<PlanEntry> {
        self.0
    }

    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[PlanEntry] {
        &self.0
    }

    /// Adds any entry.
    #[must_use]
    pub fn with(mut self, entry: PlanEntry) -> Self {
        self.0.push(entry);
        self
    }

    /// Adds the operations that the connection supports.
    #[must_use]
    pub fn supports(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.0
            .extend(operations.into_iter().map(PlanEntry::Supports));
        self
    }

    /// Adds an endpoint; its number is its place among the endpoints.
    #[must_use]
    pub fn endpoint(self, host: &str, port: u16, tls_profile: Option<&str>) -> Self {
        self.with(PlanEntry::Endpoint(Endpoint {
            host: host.to_owned(),
            port,
            tls_profile: tls_profile.map(str::to_owned),
        }))
    }

    /// Adds a TLS profile that trusts the platform's authorities and shows no certificate.
    #[must_use]
    pub fn tls(self, name: &str, verify: TlsVerification) -> Self {
        self.with(PlanEntry::Tls(TlsProfile {
            name: name.to_owned(),
            certificate_authority: None,
            client_certificate: None,
            client_key: None,
            verify,
        }))
    }

    /// Adds that the access needs no credential of the URI, and what it uses instead.
    #[must_use]
    pub fn implicit_access(self, what: &str) -> Self {
        self.with(PlanEntry::ImplicitAccess(what.to_owned()))
    }

    /// Adds a public setting.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.with(PlanEntry::Setting((name.to_owned(), value.to_owned())))
    }

    /// Adds a secret value under a name, composed by the host.
    #[must_use]
    pub fn secret(self, name: &str, fragments: Vec<Fragment>) -> Self {
        self.with(PlanEntry::Secret(NamedSecret {
            name: name.to_owned(),
            fragments,
        }))
    }

    /// Adds a secret of the URI, as it was given, under a name.
    #[must_use]
    pub fn secret_as_given(self, name: &str, secret: &Secret) -> Self {
        self.secret(name, vec![secret.fragment()])
    }

    /// Adds the object store that the host builds. The prefix is decoded and has no leading `/`.
    #[must_use]
    pub fn object_store(self, backend: &str, container: &str, prefix: &str) -> Self {
        self.with(PlanEntry::ObjectStore(ObjectStore {
            backend: backend.to_owned(),
            container: container.to_owned(),
            prefix: prefix.to_owned(),
        }))
    }

    /// Adds a sentence for the administrator.
    #[must_use]
    pub fn warn(self, sentence: &str) -> Self {
        self.with(PlanEntry::Warning(sentence.to_owned()))
    }

    /// A public setting by its name; the first of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|entry| match entry {
            PlanEntry::Setting((key, value)) if key == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// An endpoint by its number.
    #[must_use]
    pub fn endpoint_number(&self, number: u32) -> Option<&Endpoint> {
        let mut endpoints = self.0.iter().filter_map(|entry| match entry {
            PlanEntry::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        });
        endpoints.nth(number as usize)
    }

    /// The object store, if the plan has one.
    #[must_use]
    pub fn store(&self) -> Option<&ObjectStore> {
        self.0.iter().find_map(|entry| match entry {
            PlanEntry::ObjectStore(store) => Some(store),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_read_back() {
        let plan = Plan::new(Kind::Storage)
            .supports([Operation::Backup])
            .set("region", "a")
            .set("region", "b")
            .tls("server", TlsVerification::Full)
            .endpoint("a.example", 443, Some("server"))
            .endpoint("b.example", 80, None)
            .object_store("s3", "bucket", "daily");
        assert_eq!(plan.setting("region"), Some("a"));
        assert_eq!(plan.setting("zone"), None);
        assert_eq!(
            plan.store().map(|store| store.prefix.as_str()),
            Some("daily")
        );
        let host = |number| plan.endpoint_number(number).map(|it| it.host.as_str());
        assert_eq!(
            [host(0), host(1), host(2)],
            [Some("a.example"), Some("b.example"), None]
        );
        assert_eq!(
            plan.entries()[..2],
            [
                PlanEntry::Kind(Kind::Storage),
                PlanEntry::Supports(Operation::Backup)
            ]
        );
    }
}
