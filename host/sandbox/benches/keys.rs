//! What the sandbox adds to the use of a key: encrypt and decrypt through aws-kms in its sandbox,
//! and the same two requests natively through the same client, against a server on loopback.
//!
//! They run in turns on one thread, whose processor time is what is compared; the server, a
//! stand-in that answers at once, runs on another. The key is open, as a session's handle is: its calls
//! follow each other in one instance. What a call costs that starts an instance, as the first one does
//! and every hundredth, is told beside it.

#![allow(
    missing_docs,
    reason = "Criterion's macros make undocumented functions"
)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use portolan_contract::{Encrypted, Manifest, RuleContext, StoredPlan, split};
use portolan_egress::credentials::Lent;
use portolan_egress::service::{AnswerPart, ServiceClient, ServiceRequest};
use portolan_egress::{Egress, EgressOptions, Piece, Policy};
use portolan_figures::{Figure, Quantity, median};
use portolan_sandbox::{Component, Grants, Limits, Provider, Sandbox, SandboxOptions};
use portolan_secret::{SecretBytes, SecretText};
use portolan_servers::{HttpServer, answer};
use tokio::runtime::Runtime;

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d";
/// Pairs of calls in one turn: a single one is near to what a clock can tell.
const PAIRS: u32 = 50;
const ROUNDS: usize = 60;

/// Answers an encryption with 184 bytes, as long as those of AWS, and a decryption with 32.
fn service() -> HttpServer {
    let ciphertext = BASE64_STANDARD.encode([3; 184]);
    let plaintext = BASE64_STANDARD.encode([7; 32]);
    let encrypted = format!(
        "{{\"CiphertextBlob\":\"{ciphertext}\",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\",\"KeyId\":\"{KEY}\"}}"
    );
    let decrypted = format!(
        "{{\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\",\"KeyId\":\"{KEY}\",\"Plaintext\":\"{plaintext}\"}}"
    );
    HttpServer::plain(move |request| {
        let target = request.headers().get("x-amz-target");
        let encrypts = target.is_some_and(|target| target.as_bytes().ends_with(b".Encrypt"));
        let body = if encrypts { &encrypted } else { &decrypted };
        let headers = [("content-type", "application/x-amz-json-1.1")];
        let answered = answer(200, &headers, body.clone());
        async move { answered }.boxed()
    })
}

struct Setting {
    _server: HttpServer,
    provider: Provider,
    /// The same in a sandbox where no instance rests.
    restless: Provider,
    grants: Grants,
    manifest: Manifest,
    plan: Arc<StoredPlan>,
    services: ServiceClient,
}

impl Setting {
    async fn new() -> Self {
        let server = service();
        let address = server.address();
        let rule = address.to_string().parse().expect("a rule");
        let egress = Egress::new(EgressOptions {
            policy: Policy::with_rules(vec![rule]),
            ..EgressOptions::default()
        });
        let built_in = portolan_plugins::built_in_named("aws-kms").expect("it is built in");
        let load = async |limits: Limits| {
            let options = SandboxOptions {
                limits,
                ..SandboxOptions::default()
            };
            let sandbox = Sandbox::new(options).expect("a sandbox");
            let component = Component {
                bytes: built_in.component.into(),
                expected_digest: None,
                allow_public: vec!["AWS_ACCESS_KEY_ID".to_owned()],
                allow_reveal: false,
            };
            sandbox.load(component).await.expect("a provider")
        };
        let provider = load(Limits::default()).await;
        let mut restless = Limits::default();
        restless.calls_per_instance = 1;
        let manifest = provider.manifest().clone();
        let uri = SecretText::new(format!(
            "aws-kms:///{KEY}?REGION=eu-central-1&AWS_ACCESS_KEY_ID=AKIAEXAMPLE&\
             AWS_SECRET_ACCESS_KEY=a-secret-of-40-letters&AWS_ENDPOINT=http%3A//{address}"
        ));
        let uri = split(&uri, &manifest).expect("it splits");
        let planned = provider.plan(&uri).await.expect("a plan");
        let context = RuleContext::new(&uri.pieces);
        let (name, version) = (&manifest.name, manifest.version);
        let plan = StoredPlan::new(name, version, planned.plan, context, &uri.secrets);
        let plan = Arc::new(plan.expect("a plan"));
        let grants = Grants::new(Arc::clone(&plan));
        let services = ServiceClient::new(&egress, &plan, &manifest, Lent::default());
        Self {
            _server: server,
            grants: grants.with_network(egress, Lent::default()),
            services: services.expect("a client"),
            provider,
            restless: load(restless).await,
            manifest,
            plan,
        }
    }

    async fn through_the_sandbox(&self, provider: &Provider, plaintext: &SecretBytes) {
        let encrypted = provider.encrypt(&self.grants, plaintext).await;
        let encrypted = encrypted.expect("encrypted");
        let decrypted = provider.decrypt(&self.grants, &encrypted).await;
        assert_eq!(decrypted.expect("decrypted"), *plaintext);
    }

    async fn natively(&self, plaintext: &SecretBytes) {
        let encoded = SecretBytes::new(BASE64_STANDARD.encode(plaintext.expose()).into_bytes());
        let head = serde_json::json!({ "KeyId": KEY }).to_string();
        let head = format!("{},\"Plaintext\":\"", head.trim_end_matches('}'));
        let body = [
            Piece::Shown(head.as_bytes()),
            Piece::Secret(&encoded),
            Piece::Shown(b"\"}"),
        ];
        let (document, _) = self.ask("encrypt", &body).await;
        let text = |name: &str| document[name].as_str().expect("a text").to_owned();
        let encrypted = Encrypted {
            ciphertext: BASE64_STANDARD
                .decode(text("CiphertextBlob"))
                .expect("base64"),
            key: text("KeyId"),
            key_version: None,
        };
        let body = serde_json::json!({
            "CiphertextBlob": BASE64_STANDARD.encode(&encrypted.ciphertext),
            "KeyId": encrypted.key,
        });
        let body = body.to_string();
        let (_, decrypted) = self.ask("decrypt", &[Piece::Shown(body.as_bytes())]).await;
        assert_eq!(decrypted.expect("decrypted"), *plaintext);
    }

    async fn ask(
        &self,
        rule: &str,
        body: &[Piece<'_>],
    ) -> (serde_json::Value, Option<SecretBytes>) {
        let rules = &self.manifest.requests;
        let rule = rules.iter().find(|one| one.name == rule);
        let request = ServiceRequest {
            rule: rule.expect("a rule"),
            endpoint: self.plan.plan.endpoints().next().expect("an endpoint"),
            path: &[],
            query: &[],
            headers: &[],
            body,
            keep_opaque: &[],
            most: usize::MAX,
        };
        let answered = self.services.send(&request).await.expect("an answer");
        assert_eq!(answered.status, 200);
        let mut document = Vec::new();
        let mut secret = None;
        for part in answered.body {
            match part {
                AnswerPart::Shown(bytes) => document.extend(bytes),
                AnswerPart::Secret(bytes) => secret = Some(bytes),
            }
        }
        (serde_json::from_slice(&document).expect("JSON"), secret)
    }
}

/// The processor time of this thread until now.
fn processor_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = told.split_whitespace().next().expect("a number");
    Duration::from_nanos(nanoseconds.parse().expect("a number"))
}

fn keys(criterion: &mut Criterion) {
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let setting = runtime.block_on(Setting::new());
    let plaintext = SecretBytes::new([7; 32]);
    let mut spent: [Vec<Duration>; 3] = Default::default();
    // The first round warms everything up.
    for round in 0..=ROUNDS {
        for turn in 0..3 {
            let which = (turn + round) % 3;
            let before = processor_time();
            runtime.block_on(async {
                for _ in 0..PAIRS {
                    match which {
                        0 => {
                            setting
                                .through_the_sandbox(&setting.provider, &plaintext)
                                .await
                        }
                        1 => {
                            setting
                                .through_the_sandbox(&setting.restless, &plaintext)
                                .await
                        }
                        _ => setting.natively(&plaintext).await,
                    }
                }
            });
            if round > 0 {
                spent[which].push((processor_time() - before) / PAIRS);
            }
        }
    }
    let [sandboxed, restless, native] = spent.each_mut().map(|times| median(times));
    println!(
        "  encrypt and decrypt in the sandbox {sandboxed:?}, natively {native:?}; with an instance for \
         each call {restless:?}"
    );
    let figure = Figure::new(
        "processor time that the sandbox adds to an encrypt and a decrypt",
        sandboxed.saturating_sub(native),
        Quantity::from(Duration::from_micros(100)),
    );
    println!("{figure}");
    criterion.bench_function("encrypt and decrypt through the sandbox", |bencher| {
        let through = || setting.through_the_sandbox(&setting.provider, &plaintext);
        bencher.iter(|| runtime.block_on(through()));
    });
    criterion.bench_function("encrypt and decrypt natively", |bencher| {
        bencher.iter(|| runtime.block_on(setting.natively(&plaintext)));
    });
}

criterion_group!(benches, keys);
criterion_main!(benches);
