//! Opening a client of a known plan: what `open` of a connection pays for its way out.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use portolan_contract::{
    Endpoint, PLAN_FORMAT, Plan, PlanEntry, RuleContext, StoredPlan, TlsProfile, TlsVerification,
    Version,
};
use portolan_egress::http::EndpointClient;
use portolan_egress::{Egress, EgressOptions};
use portolan_figures::{Figure, median};
use portolan_secret::SecretBytes;
use rcgen::{CertificateParams, KeyPair};

const ROUNDS: usize = 101;
const IN_A_ROUND: u32 = 1_000;

fn main() {
    let own = identity();
    let plans = [
        ("a client of a known plan, usual profile", plan(None)),
        (
            "a client of a known plan, own certificates",
            plan(Some(own)),
        ),
    ];
    let egress = Egress::new(EgressOptions::default());
    for (name, plan) in &plans {
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                for _ in 0..IN_A_ROUND {
                    black_box(EndpointClient::new(&egress, black_box(plan)).expect("a client"));
                }
                began.elapsed() / IN_A_ROUND
            })
            .collect();
        let most = Duration::from_micros(10);
        println!("{}", Figure::new(*name, median(&mut times), most));
    }
}

/// A certificate and its key in PEM.
fn identity() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["client.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

/// As a plan of `s3` is, or with an authority, a certificate and a key of its own.
fn plan(own: Option<(String, String)>) -> StoredPlan {
    let named = |name: &str| own.as_ref().map(|_| name.to_owned());
    let profile = TlsProfile {
        name: "server".to_owned(),
        certificate_authority: named("authority"),
        client_certificate: named("certificate"),
        client_key: named("key"),
        verify: TlsVerification::Full,
    };
    let endpoint = Endpoint {
        host: "bucket.s3.eu-central-1.amazonaws.com".to_owned(),
        port: 443,
        tls_profile: Some("server".to_owned()),
    };
    let secrets = own.iter().flat_map(|(certificate, key)| {
        [
            ("authority".to_owned(), certificate),
            ("certificate".to_owned(), certificate),
            ("key".to_owned(), key),
        ]
    });
    StoredPlan {
        format: PLAN_FORMAT,
        provider: "s3".to_owned(),
        provider_version: Version {
            major: 1,
            minor: 0,
            patch: 0,
        },
        plan: Plan {
            entries: vec![PlanEntry::Endpoint(endpoint), PlanEntry::Tls(profile)],
        },
        context: RuleContext::default(),
        secrets: secrets
            .map(|(name, text)| (name, SecretBytes::from(text.as_bytes())))
            .collect(),
        places: Vec::new(),
    }
}
