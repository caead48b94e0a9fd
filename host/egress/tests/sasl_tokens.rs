//! `OAUTHBEARER` and `AWS_MSK_IAM`: what is fetched for an exchange, from whom, and how often. The
//! token services are stand-ins that keep what they were asked; that a real one answers so is not
//! proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use portolan_contract::{
    AssumedRole, Endpoint, Manifest, PLAN_FORMAT, Plan, PlanEntry, RuleContext, StoredPlan,
    TlsProfile, TlsVerification,
};
use portolan_egress::credentials::Lent;
use portolan_egress::credentials::aws::HostEnvironment;
use portolan_egress::sasl::{
    Answer, Authenticator, Channel, Mechanism, Property, SaslError, ServerRefusal,
};
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, Egress, EgressOptions};
use portolan_servers::{Authority, HttpServer, answer};

const URL: &str = "https://login.example.com/token";
const BROKER: &str = "b-1.kafka.eu-central-1.amazonaws.com";

/// A token service that keeps what came.
struct Service {
    authority: Authority,
    server: HttpServer,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Service {
    fn new(names: &[&str], status: u16, body: &'static str) -> Self {
        let authority = Authority::new("tests");
        let seen = Arc::<Mutex<Vec<Request<Bytes>>>>::default();
        let keeps = Arc::clone(&seen);
        let server = HttpServer::encrypted(&authority, names, move |request| {
            keeps.lock().expect("a lock").push(request);
            async move { answer(status, &[], body) }.boxed()
        });
        Self {
            authority,
            server,
            seen,
        }
    }

    fn bodies(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("a lock");
        let body = |request: &Request<Bytes>| String::from_utf8_lossy(request.body()).into_owned();
        seen.iter().map(body).collect()
    }

    fn egress(&self, hosts: &[&str], authority: &Authority) -> Egress {
        egress(hosts, self.server.address(), authority)
    }
}

fn egress(hosts: &[&str], to: SocketAddr, authority: &Authority) -> Egress {
    let mut connect_to = ConnectTo::default();
    for host in hosts {
        let from = format!("{host}:443");
        connect_to.add(&from, &to.to_string()).expect("a line");
    }
    let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
    Egress::new(EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        ..EgressOptions::default()
    })
}

fn manifest() -> Manifest {
    Manifest::parse(
        "name = \"p\"\nversion = \"1.0.0\"\ncontract = \"0.1\"\nschemes = [\"p\"]\n\
         kinds = [\"sink\"]\noperations = []\n[[option]]\nname = \"sasl_token_url\"\n\
         public = true\ntoken_url = true\nmeaning = \"m\"\nexample = \"e\"\n",
    )
    .expect("a manifest")
}

/// A plan whose TLS checks nothing: that of its brokers, and not that of a token service.
fn plan(entries: Vec<PlanEntry>) -> Arc<StoredPlan> {
    let mut all = vec![
        PlanEntry::Tls(TlsProfile {
            name: "lax".to_owned(),
            certificate_authority: None,
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::None,
        }),
        PlanEntry::Endpoint(Endpoint {
            host: "login.example.com".to_owned(),
            port: 443,
            tls_profile: Some("lax".to_owned()),
        }),
    ];
    all.extend(entries);
    Arc::new(StoredPlan {
        format: PLAN_FORMAT,
        provider: "p".to_owned(),
        provider_version: "1.0.0".parse().expect("a version"),
        plan: Plan { entries: all },
        context: RuleContext::of(
            Vec::new(),
            vec![("sasl_token_url".to_owned(), URL.to_owned())],
        ),
        secrets: vec![("client-secret".to_owned(), b"s:3/+".to_vec().into())],
        places: Vec::new(),
    })
}

fn text(name: &str, text: &str) -> Property {
    Property::Text(name.to_owned(), text.to_owned())
}

fn client() -> Vec<Property> {
    vec![
        text("token-url", URL),
        text("client-id", "cl ient"),
        Property::Secret("client-secret".to_owned(), "client-secret".to_owned()),
        text("scope", "all of it"),
    ]
}

fn said(answer: &Answer) -> String {
    match answer {
        Answer::Message(message) | Answer::Last(message) => {
            String::from_utf8_lossy(message.expose()).into_owned()
        }
        Answer::Done => panic!("nothing is said"),
    }
}

/// RFC 7628, section 3.1.
#[tokio::test]
async fn a_token_is_fetched_once_and_serves_every_broker() {
    let service = Service::new(
        &["login.example.com"],
        200,
        r#"{"access_token":"t0k3n","expires_in":3600}"#,
    );
    let egress = service.egress(&["login.example.com"], &service.authority);
    let authenticator =
        Authenticator::new(&egress, &plan(Vec::new()), &manifest(), Lent::default());
    for _ in 0..2 {
        let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
        let mut exchange = begun.expect("begun");
        let answer = exchange.step(b"").await.expect("an answer");
        assert!(matches!(answer, Answer::Last(_)));
        assert_eq!(said(&answer), "n,,\u{1}auth=Bearer t0k3n\u{1}\u{1}");
        let fetched = exchange.take_fetched();
        assert_eq!(fetched.len(), 1, "so that nobody shows it");
        assert_eq!(exchange.step(b"").await, Ok(Answer::Done));
    }
    assert_eq!(
        service.bodies(),
        ["grant_type=client_credentials&scope=all+of+it"]
    );
    // A token that a broker does not take is not given to the next one.
    let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
    let mut exchange = begun.expect("begun");
    exchange.step(b"").await.expect("an answer");
    let refused = exchange.step(br#"{"status":"invalid_token"}"#).await;
    assert_eq!(refused, Err(SaslError::Refused(ServerRefusal::Token)));
    let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
    begun.expect("begun").step(b"").await.expect("an answer");
    assert_eq!(service.bodies().len(), 2);
}

#[tokio::test]
async fn another_grant_type_is_asked_for_as_it_is_given() {
    let service = Service::new(&["login.example.com"], 200, r#"{"access_token":"t"}"#);
    let egress = service.egress(&["login.example.com"], &service.authority);
    let authenticator =
        Authenticator::new(&egress, &plan(Vec::new()), &manifest(), Lent::default());
    let properties = [client(), vec![text("grant-type", "urn:x:y")]].concat();
    let begun = authenticator.start(Mechanism::OauthBearer, &properties, None);
    begun.expect("begun").step(b"").await.expect("an answer");
    assert_eq!(service.bodies(), ["grant_type=urn%3Ax%3Ay&scope=all+of+it"]);
}

#[tokio::test]
async fn a_token_service_is_checked_in_full_and_its_refusal_told_by_its_code() {
    let service = Service::new(
        &["login.example.com"],
        401,
        r#"{"error":"invalid_client","error_description":"s:3/+ is wrong"}"#,
    );
    let egress = service.egress(&["login.example.com"], &service.authority);
    let authenticator =
        Authenticator::new(&egress, &plan(Vec::new()), &manifest(), Lent::default());
    let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
    let error = begun.expect("begun").step(b"").await.expect_err("refused");
    assert_eq!(error.class().sqlstate(), "28000");
    assert_eq!(
        error.to_string(),
        "login.example.com refused the credentials: the client secret is wrong"
    );
    // The plan's own profile would take this certificate.
    let egress = service.egress(&["login.example.com"], &Authority::new("somebody else"));
    let authenticator =
        Authenticator::new(&egress, &plan(Vec::new()), &manifest(), Lent::default());
    let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
    let error = begun.expect("begun").step(b"").await.expect_err("no trust");
    assert_eq!(error.class().sqlstate(), "08001", "{error}");
    assert_eq!(service.bodies().len(), 1);
}

#[tokio::test]
async fn a_token_that_would_end_its_field_is_not_sent() {
    let service = Service::new(
        &["login.example.com"],
        200,
        r#"{"access_token":"t\u0001host=evil"}"#,
    );
    let egress = service.egress(&["login.example.com"], &service.authority);
    let authenticator =
        Authenticator::new(&egress, &plan(Vec::new()), &manifest(), Lent::default());
    let begun = authenticator.start(Mechanism::OauthBearer, &client(), None);
    let error = begun.expect("begun").step(b"").await.expect_err("no token");
    assert!(!format!("{error:?}").contains("evil"));
}

fn lent() -> Lent {
    Lent::default().with_environment(HostEnvironment::of([
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ),
    ]))
}

fn channel() -> Channel {
    Channel {
        host: BROKER.to_owned(),
        server_end_point: Vec::new(),
    }
}

fn implicit() -> PlanEntry {
    PlanEntry::ImplicitAccess("AWS_MSK_IAM".to_owned())
}

#[tokio::test]
async fn what_the_host_lends_signs_for_the_broker_that_was_dialled() {
    let authority = Authority::new("tests");
    let egress = egress(&[], "127.0.0.1:9".parse().expect("an address"), &authority);
    let authenticator = Authenticator::new(&egress, &plan(vec![implicit()]), &manifest(), lent());
    let properties = [text("region", "eu-central-1")];
    let begun = authenticator.start(Mechanism::AwsMskIam, &properties, Some(&channel()));
    let mut exchange = begun.expect("begun");
    let payload = said(&exchange.step(b"").await.expect("an answer"));
    let payload: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
    assert_eq!(payload["host"], BROKER);
    let credential = payload["x-amz-credential"].as_str().expect("a text");
    assert!(credential.starts_with("AKIDEXAMPLE/"), "{credential}");
    assert!(credential.ends_with("/eu-central-1/kafka-cluster/aws4_request"));
    let accepted = br#"{"version":"2020_10_22","request-id":"r"}"#;
    assert_eq!(exchange.step(accepted).await, Ok(Answer::Done));
}

#[tokio::test]
async fn a_role_is_taken_on_at_the_regions_own_service_under_its_session_name() {
    const STS: &str = "sts.eu-central-1.amazonaws.com";
    let service = Service::new(
        &[STS],
        200,
        "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>a-session-token</SessionToken>\
         <Expiration>2100-01-01T00:00:00Z</Expiration>\
         </Credentials></AssumeRoleResult></AssumeRoleResponse>",
    );
    let egress = service.egress(&[STS], &service.authority);
    let role = PlanEntry::AssumeRole(AssumedRole {
        role: "arn:aws:iam::123456789012:role/msk".to_owned(),
        external_id: None,
    });
    let authenticator =
        Authenticator::new(&egress, &plan(vec![implicit(), role]), &manifest(), lent());
    let properties = [
        text("region", "eu-central-1"),
        text("session-name", "changefeed"),
    ];
    for _ in 0..2 {
        let begun = authenticator.start(Mechanism::AwsMskIam, &properties, Some(&channel()));
        let mut exchange = begun.expect("begun");
        let payload = said(&exchange.step(b"").await.expect("an answer"));
        let payload: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
        let credential = payload["x-amz-credential"].as_str().expect("a text");
        assert!(credential.starts_with("ASIAROLE/"), "{credential}");
        assert_eq!(payload["x-amz-security-token"], "a-session-token");
        assert_eq!(exchange.take_fetched().len(), 1, "so that nobody shows it");
    }
    let [asked] = &service.bodies()[..] else {
        panic!("one key serves both");
    };
    assert!(asked.contains("RoleSessionName=changefeed"), "{asked}");
    assert!(asked.contains("role%2Fmsk"), "{asked}");
}
