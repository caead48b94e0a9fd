//! A manifest, a plan, and a client whose hosts are led to one server.

use std::net::SocketAddr;
use std::sync::Arc;

use portolan_contract::{
    AuthorityHost, Endpoint, JsonPointer, Manifest, PartEncoding, PlanEntry, RequestRule,
    RuleContext, StoredPlan, TlsProfile, TlsVerification,
};
use portolan_egress::credentials::Lent;
use portolan_egress::service::{
    AnswerPart, ServiceAnswer, ServiceClient, ServiceError, ServiceRequest,
};
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, Egress, EgressOptions, Piece};
use portolan_servers::Authority;

use crate::common;

/// What tests vary of a connection.
pub(crate) struct Setting {
    pub(crate) manifest: Manifest,
    pub(crate) plan: StoredPlan,
}

/// What tests vary of a request.
#[derive(Default, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: usize,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [Piece<'a>],
    pub(crate) keep_opaque: &'a [&'a str],
}

/// A manifest with these options and one rule.
pub(crate) fn manifest(rule: &str) -> Manifest {
    let text = format!(
        "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
         kinds = [\"sink\"]\noperations = []\npath = \"secret\"\n[[option]]\nname = \"token_at\"\n\
         public = true\ntoken_url = true\nmeaning = \"where tokens are asked for\"\n[[request]]\n\
         name = \"r\"\n{rule}"
    );
    Manifest::parse(&text).expect("a manifest")
}

impl Setting {
    /// One rule, and a plan with these hosts.
    pub(crate) fn new(
        rule: &str,
        hosts: &[&str],
        settings: &[(&str, &str)],
        secrets: &[(&str, &str)],
    ) -> Self {
        Self {
            manifest: manifest(rule),
            plan: common::plan(hosts, settings, secrets, &[]),
        }
    }

    /// Requests to a server at this address, without TLS, that the URI names.
    pub(crate) fn in_clear(rule: &str, server: SocketAddr) -> Self {
        Self::in_clear_with(rule, server, &[])
    }

    /// The same with secrets.
    pub(crate) fn in_clear_with(rule: &str, server: SocketAddr, secrets: &[(&str, &str)]) -> Self {
        let mut setting = Self::new(rule, &[], &[], secrets);
        setting
            .plan
            .plan
            .entries
            .push(PlanEntry::Endpoint(Endpoint {
                host: "service.example.com".to_owned(),
                port: server.port(),
                tls_profile: None,
            }));
        setting.of_authority("service.example.com", Some(server.port()))
    }

    /// The same, with this host in the URI's authority.
    pub(crate) fn of_authority(mut self, host: &str, port: Option<u16>) -> Self {
        let context = &self.plan.context;
        let mut authority = context.authority().to_vec();
        authority.push(AuthorityHost {
            host: host.to_owned(),
            port,
        });
        self.plan.context = RuleContext::of(authority, context.options().to_vec());
        self
    }

    /// The same, with a URI of this scheme.
    pub(crate) fn of_scheme(mut self, scheme: &str) -> Self {
        self.plan.context = self.plan.context.with_scheme(scheme);
        self
    }

    /// The same, with a public option of the URI.
    pub(crate) fn of_option(mut self, name: &str, value: &str) -> Self {
        let context = &self.plan.context;
        let mut options = context.options().to_vec();
        options.push((name.to_owned(), value.to_owned()));
        self.plan.context = RuleContext::of(context.authority().to_vec(), options);
        self
    }

    /// The same, with a certificate of the client in the profile of all endpoints.
    pub(crate) fn with_certificate(mut self) -> Self {
        for entry in &mut self.plan.plan.entries {
            if let PlanEntry::Tls(profile) = entry {
                *profile = TlsProfile {
                    client_certificate: Some("certificate".to_owned()),
                    client_key: Some("key".to_owned()),
                    verify: TlsVerification::Full,
                    ..profile.clone()
                };
            }
        }
        self
    }

    pub(crate) fn rule(&self) -> &RequestRule {
        &self.manifest.requests[0]
    }

    /// A client whose hosts are led to this server.
    pub(crate) fn client(&self, authority: &Authority, to: SocketAddr) -> ServiceClient {
        self.lending(authority, to, Lent::default())
    }

    /// The same, on a host that lends this.
    pub(crate) fn lending(
        &self,
        authority: &Authority,
        to: SocketAddr,
        lent: Lent,
    ) -> ServiceClient {
        let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
        let change = |options: &mut EgressOptions| options.roots = roots.expect("an authority");
        self.made(to, change, lent).expect("a client")
    }

    /// The same, with options of the test's choice.
    pub(crate) fn client_with(
        &self,
        to: SocketAddr,
        change: impl FnOnce(&mut EgressOptions),
    ) -> Result<ServiceClient, ServiceError> {
        self.made(to, change, Lent::default())
    }

    fn made(
        &self,
        to: SocketAddr,
        change: impl FnOnce(&mut EgressOptions),
        lent: Lent,
    ) -> Result<ServiceClient, ServiceError> {
        let mut options = EgressOptions {
            connect_to: self.led_to(to),
            ..EgressOptions::default()
        };
        change(&mut options);
        let plan = Arc::new(self.plan.clone());
        ServiceClient::new(&Egress::new(options), &plan, &self.manifest, lent)
    }

    fn led_to(&self, to: SocketAddr) -> ConnectTo {
        let mut connect_to = ConnectTo::default();
        for endpoint in self.plan.plan.endpoints() {
            let from = format!("{}:{}", endpoint.host, endpoint.port);
            connect_to.add(&from, &to.to_string()).expect("a line");
        }
        connect_to
    }

    pub(crate) async fn send(
        &self,
        client: &ServiceClient,
        asked: Asked<'_>,
    ) -> Result<ServiceAnswer, ServiceError> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let path: Vec<_> = asked.path.iter().map(|one| (*one).to_owned()).collect();
        let bytes = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        let query: Vec<_> = asked.query.iter().map(bytes).collect();
        let headers: Vec<_> = asked.headers.iter().map(owned).collect();
        let kept: Vec<_> = asked.keep_opaque.iter().map(|one| pointer(one)).collect();
        let endpoint = self.plan.plan.endpoints().nth(asked.endpoint);
        client
            .send(&ServiceRequest {
                rule: self.rule(),
                endpoint: endpoint.expect("an endpoint"),
                path: &path,
                query: &query,
                headers: &headers,
                body: asked.body,
                keep_opaque: &kept,
                most: usize::MAX,
            })
            .await
    }
}

fn pointer(text: &str) -> (JsonPointer, PartEncoding) {
    let pointer = JsonPointer::try_from(text.to_owned()).expect("a pointer");
    (pointer, PartEncoding::Base64)
}

/// The body of an answer that is all shown.
pub(crate) fn shown(answer: &ServiceAnswer) -> String {
    match answer.body.as_slice() {
        [AnswerPart::Shown(bytes)] => String::from_utf8(bytes.clone()).expect("text"),
        body => panic!("{body:?}"),
    }
}
