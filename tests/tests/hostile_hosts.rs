//! The corpus of hostile hosts through every built-in provider: whatever a URI says, its sandboxed
//! provider plans it or refuses it, and what it plans is judged by the guard. Nothing is dialled.

#![cfg(test)]

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portolan_contract::{EMBEDDED_PUBLIC, Endpoint, Plan, split};
use portolan_egress::corpus::{Case, lines};
use portolan_egress::{
    Conclusion, Denial, Egress, EgressError, EgressOptions, Host, Judgement, Policy, Reason,
    Resolve,
};
use portolan_sandbox::{
    AnswerProblem, Component, Provider, ProviderError, Sandbox, SandboxOptions,
};
use portolan_secret::SecretText;

/// How the command line goes on after "allow it"; a test of its own holds it to these words.
const ADVICE: &str = "with --allow-egress {rule}, or for good with portolan policy allow {rule}";

/// What every name resolves to that is not in the corpus: places that no name may lead to.
const DENIED_ADDRESSES: [&str; 3] = ["10.91.82.73", "169.254.169.254", "fd12:3456:789a::91"];

const KEYS: &str = "AWS_ACCESS_KEY_ID=AKIA&AWS_SECRET_ACCESS_KEY=swordfish";

/// Where a text goes in the URIs of a provider: `{raw}` as it is, `{escaped}` percent-encoded.
/// `host` says that the text is all of a host's name there.
struct Form {
    provider: &'static str,
    uri: &'static str,
    host: bool,
}

const fn host(provider: &'static str, uri: &'static str) -> Form {
    Form {
        provider,
        uri,
        host: true,
    }
}

const fn part(provider: &'static str, uri: &'static str) -> Form {
    Form {
        provider,
        uri,
        host: false,
    }
}

/// Every place of a URI that becomes a host, or could.
const FORMS: [Form; 50] = [
    host(
        "s3",
        "s3://b/p?AWS_ENDPOINT={escaped}&AWS_USE_PATH_STYLE=true",
    ),
    host(
        "s3",
        "s3://b/p?AWS_ENDPOINT=https://{escaped}:9000&AWS_USE_PATH_STYLE=true",
    ),
    host("s3", "s3://b.b/p?AWS_ENDPOINT=http://{escaped}"),
    part("s3", "s3://b/p?AWS_ENDPOINT={escaped}"),
    part("s3", "s3://b/p?AWS_REGION={escaped}"),
    part(
        "s3",
        "s3://b/p?AWS_REGION={escaped}&AWS_USE_PATH_STYLE=true",
    ),
    part("s3", "s3://b/p?AWS_REGION={escaped}&ASSUME_ROLE=r"),
    part("s3", "s3://b/p?ASSUME_ROLE={escaped}"),
    part("s3", "s3://{raw}/p?AWS_REGION=eu-north-1"),
    part("s3", "s3://{raw}/p?AWS_ENDPOINT=https://db.example"),
    host("http", "https://{raw}/p"),
    host("http", "http://{raw}:8080/p"),
    host("http", "file-https://user:swordfish@{raw}/p"),
    part("http", "file-http://{escaped}/p"),
    part(
        "azure-blob",
        "azure-blob://c/p?AZURE_ACCOUNT_NAME={escaped}&AZURE_ACCOUNT_KEY=Zm9v",
    ),
    part(
        "azure-blob",
        "azure://c/p?AZURE_ACCOUNT_NAME=a3c&AZURE_ACCOUNT_KEY=Zm9v&AZURE_ENVIRONMENT={escaped}",
    ),
    part(
        "azure-blob",
        "azure-blob://c/p?AZURE_ACCOUNT_NAME=a3c&AZURE_CLIENT_ID=i&AZURE_CLIENT_SECRET=swordfish&AZURE_TENANT_ID={escaped}",
    ),
    part(
        "azure-blob",
        "azure-storage://{raw}/p?AZURE_ACCOUNT_NAME=a3c&AZURE_ACCOUNT_KEY=Zm9v",
    ),
    part("gs", "gs://{raw}/p?BEARER_TOKEN=swordfish"),
    part(
        "gs",
        "gs://b/p?BEARER_TOKEN=swordfish&ASSUME_ROLE={escaped}",
    ),
    part(
        "gs",
        "gs://b/p?BEARER_TOKEN=swordfish&GOOGLE_BILLING_PROJECT={escaped}",
    ),
    part("gs", "gs://b/{escaped}?AUTH=implicit"),
    host(
        "aws-kms",
        "aws-kms:///k?REGION=eu-north-1&AWS_ENDPOINT={escaped}",
    ),
    host(
        "aws-kms",
        "aws-kms:///k?REGION=eu-north-1&AWS_ENDPOINT=https://{escaped}:9000",
    ),
    part("aws-kms", "aws-kms:///k?REGION={escaped}"),
    part(
        "aws-kms",
        "aws-kms:///k?REGION=eu-north-1&ASSUME_ROLE={escaped}",
    ),
    part("aws-kms", "aws-kms://{raw}/k?REGION=eu-north-1"),
    part("gcp-kms", "gcp-kms://{raw}/k?BEARER_TOKEN=swordfish"),
    part("gcp-kms", "gcp-kms:///{escaped}?BEARER_TOKEN=swordfish"),
    part(
        "gcp-kms",
        "gcp-kms:///k?BEARER_TOKEN=swordfish&ASSUME_ROLE={escaped}",
    ),
    part(
        "azure-kms",
        "azure-kms:///k/1?AUTH=implicit&AZURE_VAULT_NAME={escaped}",
    ),
    part(
        "azure-kms",
        "azure-kms:///k/1?AUTH=implicit&AZURE_VAULT_NAME=v3c&AZURE_ENVIRONMENT={escaped}",
    ),
    part(
        "azure-kms",
        "azure-kms:///k/1?AZURE_VAULT_NAME=v3c&AZURE_CLIENT_ID=i&AZURE_CLIENT_SECRET=swordfish&AZURE_TENANT_ID={escaped}",
    ),
    part(
        "azure-kms",
        "azure-kms://{raw}/k/1?AUTH=implicit&AZURE_VAULT_NAME=v3c",
    ),
    host("webhook", "webhook-https://{raw}/swordfish"),
    host(
        "webhook",
        "webhook-https://user:swordfish@{raw}:8443/p?token=swordfish",
    ),
    part("gcpubsub", "gcpubsub://p?AUTH=implicit&region={escaped}"),
    part("gcpubsub", "gcpubsub://{raw}?AUTH=implicit&region=r3c"),
    part(
        "gcpubsub",
        "gcpubsub://p?AUTH=implicit&region=r3c&ASSUME_ROLE={escaped}",
    ),
    host(
        "postgres",
        "postgres://u:swordfish@{raw}/d?sslmode=verify-full",
    ),
    host("postgres", "postgresql://u:swordfish@{raw}:26257/d"),
    host(
        "postgres",
        "postgres://u:swordfish@db.example/d?host={escaped}&port=26257",
    ),
    part(
        "postgres",
        "postgres://u:swordfish@db.example,{raw}/d?sslmode=disable",
    ),
    host("kafka", "kafka://{raw}:9092"),
    host(
        "kafka",
        "kafka://{raw}?tls_enabled=true&sasl_enabled=true&sasl_user=u&sasl_password=swordfish",
    ),
    part("kafka", "kafka://broker.example,{raw}:9092"),
    part(
        "kafka",
        "kafka://broker.example?sasl_enabled=true&sasl_mechanism=OAUTHBEARER&sasl_client_id=c&sasl_client_secret=c3dvcmRmaXNo&sasl_token_url=https%3A%2F%2F{escaped}%2Ftoken",
    ),
    part(
        "kafka",
        "kafka://broker.example?sasl_enabled=true&sasl_mechanism=AWS_MSK_IAM&sasl_aws_region={escaped}&sasl_aws_iam_role_arn=r&sasl_aws_iam_session_name=s3c",
    ),
    host(
        "kafka",
        "confluent-cloud://{raw}:9092?api_key=k&api_secret=swordfish",
    ),
    host(
        "kafka",
        "azure-event-hub://{raw}?shared_access_key_name=n&shared_access_key=swordfish",
    ),
];

/// The providers that reach nothing, whatever their URIs say.
const WITHOUT_ENDPOINTS: [Form; 4] = [
    part("nodelocal", "nodelocal://{raw}/p"),
    part("nodelocal", "nodelocal://self/p?host={escaped}"),
    part("userfile", "userfile://{raw}/p"),
    part("userfile", "userfile:///{escaped}"),
];

impl Form {
    fn uri(&self, text: &str) -> String {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let uri = self
            .uri
            .replace("{raw}", text)
            .replace("{escaped}", &escaped);
        match (self.provider, uri.contains('?')) {
            ("s3" | "aws-kms", true) => format!("{uri}&{KEYS}"),
            _ => uri,
        }
    }
}

/// The built-in providers in one sandbox.
struct Bench(Vec<(&'static str, Provider)>);

impl Bench {
    async fn new() -> Self {
        let sandbox = Sandbox::new(SandboxOptions {
            cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
            ..SandboxOptions::default()
        });
        let sandbox = sandbox.expect("a sandbox");
        let mut providers = Vec::new();
        for built_in in portolan_plugins::built_in() {
            let component = Component {
                allow_public: EMBEDDED_PUBLIC.map(|(name, _)| name.to_owned()).to_vec(),
                ..Component::new(built_in.component)
            };
            let provider = sandbox.load(component).await.expect("it loads");
            providers.push((built_in.name, provider));
        }
        Self(providers)
    }

    /// The plan of a text in a form; nothing where host or provider refuse it, saying what to do.
    async fn plan(&self, form: &Form, text: &str) -> Option<Plan> {
        let known = self.0.iter().find(|(name, _)| *name == form.provider);
        let (_, provider) = known.expect("it is built in");
        let uri = form.uri(text);
        let uri = match split(&SecretText::new(uri.as_str()), provider.manifest()) {
            Ok(uri) => uri,
            Err(error) => {
                assert!(!error.to_string().contains("swordfish"), "{uri}");
                return None;
            }
        };
        match provider.plan(&uri).await {
            Ok(planned) => Some(planned.plan),
            Err(ProviderError::Refused(failure)) => {
                assert!(
                    failure.hint.is_some(),
                    "{text:?} in {}: {failure}",
                    form.uri
                );
                None
            }
            // The host admits only what it reads as a host itself.
            Err(ProviderError::Answer {
                problem: AnswerProblem::Endpoint { .. },
                ..
            }) => None,
            Err(error) => panic!("{text:?} in {}: {error}", form.uri),
        }
    }
}

/// Answers each look-up of a line's name, or of one with the bucket before it, by the line; every
/// other name leads to places that are denied.
#[derive(Debug, Default)]
struct Names {
    name: String,
    answers: Mutex<Vec<Vec<IpAddr>>>,
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if !self.name.is_empty() && name.strip_prefix("b.").unwrap_or(name) == self.name {
            return Ok(self.answers.lock().expect("no panic").remove(0));
        }
        let denied = DENIED_ADDRESSES.map(|text| text.parse().expect("an address"));
        Ok(denied.to_vec())
    }
}

fn egress(names: Names) -> Egress {
    Egress::new(EgressOptions {
        policy: Policy::default().advising(ADVICE),
        resolver: Arc::new(names),
        ..EgressOptions::default()
    })
}

/// What the guard comes to; nothing is dialled.
async fn judged(egress: &Egress, endpoint: &Endpoint) -> Conclusion {
    let steps = egress.explain(&endpoint.host, endpoint.port, true).await;
    match steps.last() {
        Some(Judgement::Conclusion(conclusion)) => conclusion.clone(),
        other => panic!("{other:?}"),
    }
}

fn class_of(denial: &Denial) -> String {
    match denial.reason() {
        Reason::Class(class) => class.to_string(),
        _ => "denied".to_owned(),
    }
}

/// The denial says what to do, in both ways, and nothing of the addresses that a name led to.
fn check_denial(denial: &Denial, endpoint: &Endpoint, found: &[String]) {
    let hint = denial.hint();
    let shown = format!("{denial} {denial:?} {hint}");
    match Host::parse(&endpoint.host) {
        Err(_) => assert!(matches!(denial.reason(), Reason::InvalidHost), "{shown}"),
        Ok(host) => {
            let by_name = denial.rule().is_some();
            let rule = match by_name {
                true => format!("{host}:{}", endpoint.port),
                false => format!("ADDRESS:{}", endpoint.port),
            };
            let advice = ADVICE.replace("{rule}", &rule);
            assert!(hint.ends_with(&advice), "{shown}");
            if matches!(host, Host::Address(_)) {
                assert!(by_name, "an address is the rule for itself: {shown}");
                return;
            }
        }
    }
    // As it would be shown, and as somebody might have encoded it.
    for address in found {
        let parsed: IpAddr = address.parse().expect("an address");
        for text in [
            address.clone(),
            parsed.to_string(),
            parsed.to_canonical().to_string(),
        ] {
            assert!(
                text.len() < 4 || !shown.contains(&text),
                "{text} in {shown}"
            );
        }
    }
}

#[test]
fn no_provider_is_left_out() {
    for built_in in portolan_plugins::built_in() {
        let mut forms = FORMS.iter().chain(&WITHOUT_ENDPOINTS);
        assert!(
            forms.any(|form| form.provider == built_in.name),
            "{built_in:?}"
        );
    }
}

#[tokio::test]
async fn every_hostile_text_is_denied_or_refused_wherever_a_uri_takes_it() {
    let bench = Bench::new().await;
    let egress = egress(Names::default());
    let found = DENIED_ADDRESSES.map(str::to_owned);
    let mut entries = 0;
    let (mut denied, mut refused) = (0, 0);
    for line in lines() {
        let number = line.number;
        let (text, names, verdict) = match line.case {
            Case::Host {
                text,
                names,
                verdict,
            } => (text, names, verdict),
            Case::Label { text, is_label } => (text, None, format!("label: {is_label}")),
            Case::Name { .. } => continue,
        };
        entries += 1;
        for form in &FORMS {
            let at = format!("line {number} in {}", form.uri);
            let Some(plan) = bench.plan(form, &text).await else {
                refused += 1;
                continue;
            };
            let endpoints: Vec<&Endpoint> = plan.endpoints().collect();
            assert!(!endpoints.is_empty(), "{at}");
            let first = Host::parse(&endpoints[0].host)
                .ok()
                .map(|host| host.to_string());
            if form.host && names.is_some() {
                assert_eq!(first, names, "{at}");
            }
            for endpoint in endpoints {
                match judged(&egress, endpoint).await {
                    Conclusion::Refused(EgressError::Denied(denial)) => {
                        check_denial(&denial, endpoint, &found);
                        if form.host && names.is_some() && verdict != "resolve" {
                            assert_eq!(class_of(&denial), verdict, "{at}");
                        }
                        denied += 1;
                    }
                    // A public address is nothing to be denied, however it is spelt.
                    Conclusion::Allowed if verdict == "public" => {
                        assert!(matches!(Host::parse(&endpoint.host), Ok(Host::Address(_))));
                    }
                    other => panic!("{at}: {endpoint:?} is {other:?}"),
                }
            }
        }
    }
    assert!(entries >= 240, "{entries} entries");
    assert!(denied >= 2000, "{denied} denied");
    assert!(refused >= 1000, "{refused} refused");
}

#[tokio::test]
async fn every_name_is_judged_by_what_it_leads_to_at_each_look_up() {
    let bench = Bench::new().await;
    let mut names = 0;
    for line in lines() {
        let number = line.number;
        let Case::Name { name, look_ups } = line.case else {
            continue;
        };
        names += 1;
        let taking = FORMS
            .iter()
            .filter(|form| form.uri.contains("AWS_ENDPOINT={") || form.host);
        for form in taking {
            let plan = bench.plan(form, &name).await;
            let plan = plan.unwrap_or_else(|| panic!("{name} in {} is refused", form.uri));
            let endpoint = plan.endpoints().next().expect("an endpoint").clone();
            let addresses = |found: &Vec<String>| {
                let found = found.iter().map(|text| text.parse().expect("an address"));
                found.collect()
            };
            let egress = egress(Names {
                name: name.clone(),
                answers: Mutex::new(look_ups.iter().map(|(found, _)| addresses(found)).collect()),
            });
            for (found, verdict) in &look_ups {
                let judged = match judged(&egress, &endpoint).await {
                    Conclusion::Allowed => "dials".to_owned(),
                    Conclusion::Refused(EgressError::NoSuchName { .. }) => "nothing".to_owned(),
                    Conclusion::Refused(EgressError::Denied(denial)) => {
                        check_denial(&denial, &endpoint, found);
                        class_of(&denial)
                    }
                    other => panic!("line {number} in {}: {other:?}", form.uri),
                };
                let verdict = verdict.split(' ').next().unwrap_or_default();
                assert_eq!(judged, verdict, "line {number} in {}", form.uri);
            }
        }
    }
    assert!(names >= 40, "{names} names");
}

#[tokio::test]
async fn what_becomes_a_label_of_a_host_is_one_or_is_refused() {
    let bench = Bench::new().await;
    let region = part("s3", "s3://b/p?AWS_REGION={escaped}");
    let account = part(
        "azure-blob",
        "azure-blob://c/p?AZURE_ACCOUNT_NAME={escaped}&AZURE_ACCOUNT_KEY=Zm9v",
    );
    let messages = part("gcpubsub", "gcpubsub://p?AUTH=implicit&region={escaped}");
    let mut labels = 0;
    for line in lines() {
        let Case::Label { text, is_label } = line.case else {
            continue;
        };
        labels += 1;
        let host = async |form: &Form| {
            let plan = bench.plan(form, &text).await?;
            plan.endpoints()
                .next()
                .map(|endpoint| endpoint.host.clone())
        };
        let number = line.number;
        let regional = match text.as_str() {
            // Nothing is as if it were not given.
            "" => Some("b.s3.amazonaws.com".to_owned()),
            _ => is_label.then(|| format!("b.s3.{text}.amazonaws.com")),
        };
        assert_eq!(host(&region).await, regional, "line {number}");
        if let Some(host) = host(&messages).await {
            assert!(is_label, "line {number}: {host}");
            assert_eq!(host, format!("{text}-pubsub.googleapis.com"));
        }
        // An account's name has rules of its own beyond those of a label.
        if let Some(host) = host(&account).await {
            assert!(is_label, "line {number}: {host}");
            assert_eq!(host, format!("{text}.blob.core.windows.net"));
        }
    }
    assert!(labels >= 35, "{labels} labels");
}

#[tokio::test]
async fn providers_of_files_on_this_host_reach_nothing_whatever_a_uri_says() {
    let bench = Bench::new().await;
    let (mut planned, mut refused) = (0, 0);
    for line in lines() {
        let text = match line.case {
            Case::Host { text, .. } | Case::Label { text, .. } => text,
            Case::Name { name, .. } => name,
        };
        for form in &WITHOUT_ENDPOINTS {
            match bench.plan(form, &text).await {
                Some(plan) => {
                    assert_eq!(plan.endpoints().count(), 0, "line {}", line.number);
                    planned += 1;
                }
                None => refused += 1,
            }
        }
    }
    assert!(
        planned >= 300 && refused >= 300,
        "{planned} planned, {refused} refused"
    );
}
