//! Each cause, brought about, and what is told of it compared whole: step, outcome, detail, SQLSTATE
//! and hint.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Method};
use portolan::{ConnectTo, EgressOptions, TrustRoots};
use portolan_egress::Resolve;
use portolan_servers::s3::*;

use crate::told::{Step, Told, options as way_to, step, told, uri};

/// The steps up to the server's door, all well.
fn planned() -> Vec<Step> {
    vec![step("plan", "ok", "NULL"), step("policy", "ok", "NULL")]
}

fn resolved() -> Vec<Step> {
    let mut steps = planned();
    steps.push(step(
        "resolve",
        "ok",
        &format!("host: {HOST}, addresses: 1"),
    ));
    steps
}

fn dialled() -> Vec<Step> {
    let mut steps = resolved();
    steps.push(step("dial", "ok", "port: 443"));
    steps
}

pub(crate) fn reached() -> Vec<Step> {
    let mut steps = dialled();
    steps.push(step("tls", "ok", "version: TLSv1.3"));
    steps
}

pub(crate) fn written() -> Vec<Step> {
    let mut steps = reached();
    steps.push(step("write", "ok", "bytes: 76"));
    steps
}

async fn full(server: &Server, options: &[(&str, &str)]) -> Told {
    told(way_to(server), &uri(options), "full").await
}

/// Knows every name as these addresses, or none.
#[derive(Debug)]
struct Names(Vec<IpAddr>);

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(self.0.clone()),
        }
    }
}

fn names(addresses: &[IpAddr]) -> EgressOptions {
    EgressOptions {
        resolver: Arc::new(Names(addresses.to_vec())),
        ..EgressOptions::default()
    }
}

#[tokio::test]
async fn a_bucket_that_serves_is_told_step_by_step() {
    let server = start(Front::open()).await;
    let mut steps = written();
    steps.extend([
        step("list", "ok", "found: 1"),
        step("read back", "ok", "NULL"),
        step("compare", "ok", "NULL"),
    ]);
    full(&server, &[]).await.is_well(&steps);
}

#[tokio::test]
async fn a_probe_that_only_reads_sends_nothing_but_reads() {
    let server = start(Front::denying(&["PutObject"])).await;
    let mut steps = reached();
    steps.extend([
        step("list", "ok", "found: 0"),
        step("read back", "skipped", "no marker is there yet"),
    ]);
    let read = told(way_to(&server), &uri(&[]), "read").await;
    read.is_well(&steps);
    let seen = server.requests();
    assert!(seen.len() >= 2, "{seen:?}");
    assert!(seen.iter().all(|request| request.method == Method::GET));
    let bucket = server.root.path().join(BUCKET);
    assert_eq!(std::fs::read_dir(bucket).expect("the bucket").count(), 0);
}

#[tokio::test]
async fn a_wrong_secret() {
    let server = start(Front::open()).await;
    let told = full(
        &server,
        &[("AWS_SECRET_ACCESS_KEY", "swordfish-of-another-key")],
    )
    .await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: S3 refused AWS_SECRET_ACCESS_KEY: it is \
         not that of AWS_ACCESS_KEY_ID (SignatureDoesNotMatch)",
        "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a URI a + is \
         written %2B",
    );
}

#[tokio::test]
async fn an_unknown_key() {
    let server = start(Front::open()).await;
    let told = full(&server, &[("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS1")]).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: S3 does not know AWS_ACCESS_KEY_ID \
         (InvalidAccessKeyId)",
        "check AWS_ACCESS_KEY_ID: it may have been deleted, or be one of another service",
    );
}

#[tokio::test]
async fn a_clock_that_is_an_hour_behind_in_seconds() {
    let server = start(Front::an_hour_ahead()).await;
    let mut told = full(&server, &[]).await;
    // The two probes may each see another second, and a busy machine some more.
    let seconds = |text: &str| -> u32 {
        let (_, rest) = text.split_once("clock is ").expect("the skew");
        let (seconds, _) = rest.split_once(' ').expect("a number");
        seconds.parse().expect("a number")
    };
    let last = told.steps.last_mut().expect("a step");
    let of_step = seconds(&last[2]);
    let of_error = seconds(told.error.as_ref().expect("it fails").message());
    for seconds in [of_step, of_error] {
        assert!((3540..=3600).contains(&seconds), "{seconds}");
    }
    last[2] = last[2].replace(&of_step.to_string(), &of_error.to_string());
    told.is(
        &reached(),
        "write",
        "28000",
        &format!(
            "failed to write a sentinel ExternalStorage file: this host's clock is {of_error} s \
             behind that of S3 (RequestTimeTooSkewed)"
        ),
        "set this host's clock, and keep it by NTP",
    );
}

#[tokio::test]
async fn no_such_bucket() {
    let server = start(Front::open()).await;
    std::fs::remove_dir(server.root.path().join(BUCKET)).expect("removed");
    full(&server, &[]).await.is(
        &reached(),
        "write",
        "42704",
        "failed to write a sentinel ExternalStorage file: the bucket does not exist (NoSuchBucket)",
        "check the name of the bucket, or create it",
    );
}

#[tokio::test]
async fn a_wrong_region_in_the_words_of_awss_documentation() {
    let front = Front::answering(|_, _| {
        let region = "<Region>us-west-2</Region>";
        Some(refusal(400, "AuthorizationHeaderMalformed", region))
    });
    let server = start(front).await;
    full(&server, &[]).await.is(
        &reached(),
        "write",
        "22023",
        "failed to write a sentinel ExternalStorage file: the bucket is in the region us-west-2 \
         (AuthorizationHeaderMalformed)",
        "write AWS_REGION=us-west-2",
    );
}

#[tokio::test]
async fn a_missing_permission_to_write() {
    let server = start(Front::denying(&["PutObject"])).await;
    full(&server, &[]).await.is(
        &reached(),
        "write",
        "42501",
        "failed to write a sentinel ExternalStorage file: S3 does not allow s3:PutObject \
         (AccessDenied)",
        "grant the connection's credentials s3:PutObject on the bucket, and look for a policy that \
         denies it",
    );
}

#[tokio::test]
async fn a_missing_permission_to_list() {
    let server = start(Front::denying(&["ListObjectsV2"])).await;
    full(&server, &[]).await.is(
        &written(),
        "list",
        "42501",
        "failed to list sentinel ExternalStorage file: S3 does not allow s3:ListBucket \
         (AccessDenied)",
        "grant the connection's credentials s3:ListBucket on the bucket, and look for a policy \
         that denies it",
    );
}

#[tokio::test]
async fn a_missing_permission_to_read() {
    let server = start(Front::denying(&["GetObject"])).await;
    let mut before = written();
    before.push(step("list", "ok", "found: 1"));
    full(&server, &[]).await.is(
        &before,
        "read back",
        "42501",
        "failed to read sentinel ExternalStorage file: S3 does not allow s3:GetObject \
         (AccessDenied)",
        "grant the connection's credentials s3:GetObject on the bucket, and look for a policy that \
         denies it",
    );
}

#[tokio::test]
async fn a_token_that_has_ended_in_the_words_of_awss_documentation() {
    let server = start(Front::answering(|_, _| {
        Some(refusal(400, "ExpiredToken", ""))
    }))
    .await;
    let told = full(&server, &[("AWS_SESSION_TOKEN", "swordfish/of+a+session")]).await;
    told.is(
        &reached(),
        "write",
        "28000",
        "failed to write a sentinel ExternalStorage file: the temporary credentials have expired \
         (ExpiredToken)",
        "give new temporary credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
         AWS_SESSION_TOKEN",
    );
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let server = start_as(&["elsewhere.example"], Front::open()).await;
    full(&server, &[])
        .await
        .is(&dialled(), "tls", "08001", "harbour.s3.eu-north-1.amazonaws.com:443: the server's certificate is for another name", "write the host as the server's certificate names it, or have the certificate issued for this name");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority() {
    let server = start(Front::open()).await;
    let options = EgressOptions {
        roots: TrustRoots::nobody(),
        ..way_to(&server)
    };
    told(options, &uri(&[]), "full")
        .await
        .is(&dialled(), "tls", "08001", "harbour.s3.eu-north-1.amazonaws.com:443: the server's certificate comes from an authority that is not trusted", "give the connection the certificate of the server's own authority, or add it to [tls] extra_ca; if the authority should be known, look for a proxy that breaks TLS");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_refused_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = listener.and_then(|listener| listener.local_addr());
    let mut connect_to = ConnectTo::default();
    connect_to
        .add(
            &format!("{HOST}:443"),
            &address.expect("an address").to_string(),
        )
        .expect("a line");
    let options = EgressOptions {
        connect_to,
        ..EgressOptions::default()
    };
    told(options, &uri(&[]), "full").await.is(
        &resolved(),
        "dial",
        "08001",
        "harbour.s3.eu-north-1.amazonaws.com:443 refused the connection",
        "check the port, and that the server is running",
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    told(names(&[]), &uri(&[]), "full").await.is(
        &planned(),
        "resolve",
        "08001",
        "the name harbour.s3.eu-north-1.amazonaws.com does not resolve",
        "check the spelling of the host, and the DNS of this host",
    );
}

#[tokio::test]
async fn a_redirect() {
    let front = Front::answering(|_, _| {
        let mut answer = xml(307, String::new());
        let location = HeaderValue::from_static("https://swordfish@evil.example/");
        answer.headers_mut().insert("location", location);
        Some(answer)
    });
    let server = start(front).await;
    full(&server, &[])
        .await
        .is(&reached(), "write", "08P01", "failed to write a sentinel ExternalStorage file: harbour.s3.eu-north-1.amazonaws.com redirects to evil.example", "name the host that is meant: redirects are not followed, so that credentials go nowhere else");
}

#[tokio::test]
async fn a_name_that_leads_where_the_policy_allows_nothing() {
    let options = names(&[[10, 91, 82, 73].into()]);
    told(options, &uri(&[]), "full")
        .await
        .is(&planned(), "resolve", "42501", "the policy denies harbour.s3.eu-north-1.amazonaws.com:443: the name stands for a private address", "if it is meant, allow it with the rule harbour.s3.eu-north-1.amazonaws.com:443 in the host's policy");
}

#[tokio::test]
async fn an_address_that_the_policy_denies_is_refused_before_any_probe() {
    let endpoint = [("AWS_ENDPOINT", "https://127.0.0.1:9000")];
    let told = told(EgressOptions::default(), &uri(&endpoint), "full").await;
    assert_eq!(told.steps, Vec::<Step>::new());
    told.is_error(
        "42501",
        "the policy denies 127.0.0.1:9000, a loopback address",
        "if it is meant, allow it with the rule 127.0.0.1:9000 in the host's policy",
    );
}

#[tokio::test]
async fn a_bucket_before_the_host_of_an_own_server_suggests_path_style_before_any_rule() {
    let endpoint = |url| uri(&[("AWS_ENDPOINT", url)]);
    let virtual_host = endpoint("https://minio.example");
    let unknown = told(names(&[]), &virtual_host, "full").await;
    unknown.is(&planned(), "resolve", "08001", "the name harbour.minio.example does not resolve", "if the server has its buckets in the path, as MinIO does, write AWS_USE_PATH_STYLE=true; else check the spelling of the host, and the DNS of this host");
    let denied = told(names(&[[10, 91, 82, 73].into()]), &virtual_host, "full").await;
    denied.is(&planned(), "resolve", "42501", "the policy denies harbour.minio.example:443: the name stands for a private address", "if the server has its buckets in the path, as MinIO does, write AWS_USE_PATH_STYLE=true; else if it is meant, allow it with the rule harbour.minio.example:443 in the host's policy");
    let by_name = told(names(&[]), &endpoint("http://localhost:9000"), "full").await;
    by_name.is_error("42501", "the policy denies harbour.localhost:9000: the name stands for a loopback address", "if the server has its buckets in the path, as MinIO does, write AWS_USE_PATH_STYLE=true; else if it is meant, allow it with the rule harbour.localhost:9000 in the host's policy");
    let style = [
        ("AWS_ENDPOINT", "https://minio.example"),
        ("AWS_USE_PATH_STYLE", "true"),
    ];
    let path = told(names(&[[10, 91, 82, 73].into()]), &uri(&style), "full").await;
    path.is(
        &planned(),
        "resolve",
        "42501",
        "the policy denies minio.example:443: the name stands for a private address",
        "if it is meant, allow it with the rule minio.example:443 in the host's policy",
    );
}
