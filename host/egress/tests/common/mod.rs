//! What the tests of credentials share.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::net::SocketAddr;

use portolan_contract::{
    AssumedRole, Endpoint, Fragment, NamedSecret, PLAN_FORMAT, Plan, PlanEntry, RuleContext,
    StoredPlan, TlsProfile, TlsVerification,
};
use portolan_egress::http::EndpointClient;
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, Egress, EgressOptions};
use portolan_secret::SecretBytes;
use portolan_servers::Authority;

/// A plan with these hosts as endpoints, at the port of HTTPS.
pub(crate) fn plan(
    hosts: &[&str],
    settings: &[(&str, &str)],
    secrets: &[(&str, &str)],
    roles: &[&str],
) -> StoredPlan {
    let mut entries = vec![PlanEntry::Tls(TlsProfile {
        name: "server".to_owned(),
        certificate_authority: None,
        client_certificate: None,
        client_key: None,
        verify: TlsVerification::Full,
    })];
    for host in hosts {
        entries.push(PlanEntry::Endpoint(Endpoint {
            host: (*host).to_owned(),
            port: 443,
            tls_profile: Some("server".to_owned()),
        }));
    }
    for (name, value) in settings {
        entries.push(PlanEntry::Setting((*name).to_owned(), (*value).to_owned()));
    }
    for (number, (name, _)) in (0..).zip(secrets) {
        entries.push(PlanEntry::Secret(NamedSecret {
            name: (*name).to_owned(),
            fragments: vec![Fragment::Secret(number)],
        }));
    }
    for role in roles {
        entries.push(PlanEntry::AssumeRole(AssumedRole {
            role: (*role).to_owned(),
            external_id: None,
        }));
    }
    let secrets = secrets.iter();
    let secrets = secrets.map(|(name, value)| ((*name).to_owned(), SecretBytes::new(*value)));
    StoredPlan {
        format: PLAN_FORMAT,
        provider: "test".to_owned(),
        provider_version: "0.1.0".parse().expect("a version"),
        plan: Plan { entries },
        context: RuleContext::default(),
        secrets: secrets.collect(),
        places: Vec::new(),
    }
}

/// The client of a plan whose hosts are led to one server.
pub(crate) fn client(plan: &StoredPlan, authority: &Authority, to: SocketAddr) -> EndpointClient {
    let hosts: Vec<_> = plan.plan.endpoints().map(|one| one.host.as_str()).collect();
    client_of(plan, &hosts, authority, to)
}

/// The same for these hosts, which need not be the plan's.
pub(crate) fn client_of(
    plan: &StoredPlan,
    hosts: &[&str],
    authority: &Authority,
    to: SocketAddr,
) -> EndpointClient {
    let mut connect_to = ConnectTo::default();
    for host in hosts {
        let from = format!("{host}:443");
        connect_to.add(&from, &to.to_string()).expect("a line");
    }
    let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
    let egress = Egress::new(EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        ..EgressOptions::default()
    });
    EndpointClient::new(&egress, plan).expect("a client")
}
