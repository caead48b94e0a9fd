//! Plans, names and options of the tests.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use portolan_contract::{
    Endpoint, FailureClass, PLAN_FORMAT, Plan, PlanEntry, RuleContext, StoredPlan, TlsProfile,
    TlsVerification, Version,
};
use portolan_egress::http::{EndpointClient, RequestBody};
use portolan_egress::{Egress, EgressError, EgressOptions, Policy, Resolve};

/// The limit of everything that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(500);

/// Text that no error may show.
pub(crate) const SECRET: &str = "hunter2";

/// Names of the tests, instead of the DNS. Each look-up of a name takes the next of its answers,
/// and the last one again and again.
#[derive(Debug, Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Answer>>>,
    asked: AtomicUsize,
}

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Addresses(Vec<IpAddr>),
    Fails(io::ErrorKind),
    Never,
}

impl Names {
    pub(crate) fn with(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses
            .iter()
            .map(|text| text.parse().expect("an address"));
        self.answering(name, Answer::Addresses(addresses.collect()))
    }

    pub(crate) fn answering(self, name: &str, answer: Answer) -> Self {
        let mut answers = self.answers.lock().expect("no panic");
        answers.entry(name.to_owned()).or_default().push(answer);
        drop(answers);
        self
    }

    /// How many look-ups there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = {
            let mut answers = self.answers.lock().expect("no panic");
            match answers.get_mut(name) {
                Some(answers) if answers.len() > 1 => Some(answers.remove(0)),
                Some(answers) => answers.first().cloned(),
                None => None,
            }
        };
        match answer {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Answer::Addresses(addresses)) => Ok(addresses),
            Some(Answer::Fails(kind)) => Err(kind.into()),
            Some(Answer::Never) => std::future::pending().await,
        }
    }
}

pub(crate) fn policy(rules: &[&str]) -> Policy {
    let rules = rules.iter().map(|rule| rule.parse().expect("a rule"));
    Policy::with_rules(rules.collect())
}

/// Short limits; `server.test` is 127.0.0.1 and allowed.
pub(crate) fn options() -> EgressOptions {
    EgressOptions {
        policy: policy(&["server.test"]),
        resolver: Arc::new(Names::default().with("server.test", &["127.0.0.1"])),
        resolve_timeout: SHORT,
        dial_timeout: SHORT,
        tls_timeout: SHORT,
        silence_timeout: SHORT,
        ..EgressOptions::default()
    }
}

/// How TLS is spoken in a plan.
#[derive(Default)]
pub(crate) struct Profile {
    pub(crate) verify: Option<TlsVerification>,
    pub(crate) authority: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) key: Option<String>,
}

/// A plan with one endpoint.
pub(crate) fn plan(host: &str, port: u16, profile: Option<Profile>) -> StoredPlan {
    let mut secrets = Vec::new();
    let mut entries = vec![PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.as_ref().map(|_| "server".to_owned()),
    })];
    if let Some(profile) = profile {
        let mut secret = |name: &str, value: Option<String>| {
            let value = value?;
            secrets.push((name.to_owned(), value.into_bytes().into()));
            Some(name.to_owned())
        };
        entries.push(PlanEntry::Tls(TlsProfile {
            name: "server".to_owned(),
            certificate_authority: secret("ca", profile.authority),
            client_certificate: secret("certificate", profile.certificate),
            client_key: secret("key", profile.key),
            verify: profile.verify.unwrap_or(TlsVerification::Full),
        }));
    }
    StoredPlan {
        format: PLAN_FORMAT,
        provider: "test".to_owned(),
        provider_version: Version {
            major: 1,
            minor: 0,
            patch: 0,
        },
        plan: Plan { entries },
        context: RuleContext::default(),
        secrets,
        places: Vec::new(),
    }
}

/// A client of `server.test` without TLS.
pub(crate) fn client(egress: &Egress, port: u16) -> EndpointClient {
    EndpointClient::new(egress, &plan("server.test", port, None)).expect("a client")
}

pub(crate) fn empty() -> RequestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A request with secrets wherever there may be one.
pub(crate) fn request(uri: &str) -> Request<RequestBody> {
    Request::get(format!("{uri}/{SECRET}?key={SECRET}"))
        .header("authorization", SECRET)
        .body(empty())
        .expect("a request")
}

/// The status and the body of an answer.
pub(crate) async fn fetch(
    client: &EndpointClient,
    uri: &str,
) -> Result<(StatusCode, Bytes), EgressError> {
    let answer = client.send(request(uri)).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, body))
}

/// Asks `server.test` over HTTP, which has to fail within a few limits.
pub(crate) async fn failure_of(port: u16) -> EgressError {
    let egress = Egress::new(options());
    let began = Instant::now();
    let error = fetch(
        &client(&egress, port),
        &format!("http://server.test:{port}"),
    )
    .await
    .expect_err("no answer");
    assert!(began.elapsed() < SHORT * 5, "{:?}", began.elapsed());
    error
}

/// Compares an error whole: type, class, text and hint; and that it tells no more than it may.
#[track_caller]
pub(crate) fn assert_failure(
    error: &EgressError,
    expected: &EgressError,
    class: FailureClass,
    text: &str,
    hint: &str,
) {
    assert_eq!(error, expected);
    assert_eq!(
        (error.class(), &*error.to_string(), &*error.hint()),
        (class, text, hint)
    );
    assert_discreet(error);
}

/// No address that was found, nothing of the request.
#[track_caller]
pub(crate) fn assert_discreet(error: &EgressError) {
    for shown in [error.to_string(), error.hint(), format!("{error:?}")] {
        for hidden in ["127.0.0.", SECRET] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}

pub(crate) const HOST: &str = "server.test";

pub(crate) fn host() -> String {
    HOST.to_owned()
}
