//! Entries of a plan: made in phase one, read in phase two.
#![allow(dead_code, reason = "no guest needs all of it")]

use crate::bindings::portolan::types::types::{
    Endpoint, Fragment, Kind, NamedSecret, Operation, PlanEntry, Secret, TlsProfile,
    TlsVerification,
};

/// The TLS profile of every endpoint of these plans.
pub(crate) const TLS: &str = "server";

/// What a connection is and may be used for.
pub(crate) fn begun(kind: Kind, operations: &[Operation]) -> Vec<PlanEntry> {
    let supports = operations.iter().cloned().map(PlanEntry::Supports);
    std::iter::once(PlanEntry::Kind(kind))
        .chain(supports)
        .collect()
}

/// A setting.
pub(crate) fn setting(name: &str, text: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), text.to_owned()))
}

/// A secret of the URI as it is, under a name.
pub(crate) fn named(name: &str, secret: &Secret) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(secret.number)],
    })
}

/// An endpoint, with the profile [`TLS`] or in plain text.
pub(crate) fn endpoint(host: &str, port: u16, encrypted: bool) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: encrypted.then(|| TLS.to_owned()),
    })
}

/// The profile [`TLS`] with the named secrets that hold its certificates and its key.
pub(crate) fn tls_profile(
    verify: TlsVerification,
    authority: Option<&str>,
    certificate_and_key: Option<(&str, &str)>,
) -> PlanEntry {
    PlanEntry::Tls(TlsProfile {
        name: TLS.to_owned(),
        certificate_authority: authority.map(str::to_owned),
        client_certificate: certificate_and_key.map(|(certificate, _)| certificate.to_owned()),
        client_key: certificate_and_key.map(|(_, key)| key.to_owned()),
        verify,
    })
}

/// The text of a setting.
pub(crate) fn read<'a>(plan: &'a [PlanEntry], name: &str) -> Option<&'a str> {
    plan.iter().find_map(|entry| match entry {
        PlanEntry::Setting((key, text)) if key == name => Some(text.as_str()),
        _ => None,
    })
}

/// The endpoints, in the order of their numbers.
pub(crate) fn endpoints(plan: &[PlanEntry]) -> Vec<&Endpoint> {
    plan.iter()
        .filter_map(|entry| match entry {
            PlanEntry::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        })
        .collect()
}
