use portolan_sdk::testing::{pieces, public_options};
use portolan_sdk::{
    AssumedRole, Endpoint, FailureClass, Fragment, NamedSecret, ObjectStore, Operation, Provider,
    TlsProfile, print_redacted,
};

use super::*;
use crate::S3;

const MANIFEST: &str = include_str!("../../manifest.toml");
const KEYS: &str = "AWS_ACCESS_KEY_ID=AKIA&AWS_SECRET_ACCESS_KEY=hunter2";

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

/// The plan of a bucket with keys and these options beside them.
fn with(options: &str) -> Plan {
    planned(&format!("s3://backups/daily?{KEYS}&{options}")).expect(options)
}

fn refusal(uri: &str) -> Failure {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure
}

fn message(uri: &str) -> String {
    refusal(uri).message
}

fn setting(name: &str, value: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), value.to_owned()))
}

fn secret(name: &str, number: u32) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(number)],
    })
}

fn tls(name: &str, verify: TlsVerification) -> PlanEntry {
    PlanEntry::Tls(TlsProfile {
        name: name.to_owned(),
        certificate_authority: None,
        client_certificate: None,
        client_key: None,
        verify,
    })
}

fn endpoint(host: &str, port: u16, profile: Option<&str>) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    })
}

/// What every plan begins with.
fn storage() -> Vec<PlanEntry> {
    vec![
        PlanEntry::Kind(Kind::Storage),
        PlanEntry::Supports(Operation::Backup),
        PlanEntry::Supports(Operation::Restore),
        PlanEntry::Supports(Operation::Import),
        PlanEntry::Supports(Operation::Export),
        PlanEntry::Supports(Operation::Changefeed),
    ]
}

fn store(container: &str, prefix: &str) -> PlanEntry {
    PlanEntry::ObjectStore(ObjectStore {
        backend: "s3".to_owned(),
        container: container.to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn is_implicit(plan: &Plan) -> bool {
    plan.entries()
        .iter()
        .any(|entry| matches!(entry, PlanEntry::ImplicitAccess(_)))
}

#[test]
fn keys_and_a_region_are_a_whole_plan() {
    let plan = planned(&format!(
        "s3://backups/daily/?{KEYS}&AWS_SESSION_TOKEN=t&AWS_REGION=eu-central-1\
         &AWS_SERVER_ENC_MODE=aws:kms&AWS_SERVER_KMS_ID=key&S3_STORAGE_CLASS=STANDARD_IA\
         &AWS_SKIP_CHECKSUM=true&COCKROACH_LOCALITY=region%3Dx"
    ));
    let mut expected = storage();
    expected.extend([
        setting("credentials", "specified"),
        setting("access-key-id", "AKIA"),
        secret("secret-access-key", 0),
        secret("session-token", 1),
        tls("server", TlsVerification::Full),
        endpoint("backups.s3.eu-central-1.amazonaws.com", 443, Some("server")),
        setting("region", "eu-central-1"),
        setting("path-style", "false"),
        setting("server-side-encryption", "aws:kms"),
        setting("kms-key", "key"),
        setting("storage-class", "STANDARD_IA"),
        setting("checksum", "skip"),
        store("backups", "daily"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn a_server_of_the_uris_own_with_a_chain_of_roles_is_a_whole_plan() {
    let plan = with(
        "AWS_ENDPOINT=minio.example:9000&AWS_SKIP_TLS_VERIFY=1&AWS_REGION=eu-west-1\
                     &ASSUME_ROLE=arn:a,arn:b%3Bexternal_id%3Dx",
    );
    let role = |role: &str, external_id: Option<&str>| {
        PlanEntry::AssumeRole(AssumedRole {
            role: role.to_owned(),
            external_id: external_id.map(str::to_owned),
        })
    };
    let mut expected = storage();
    expected.extend([
        setting("credentials", "specified"),
        setting("access-key-id", "AKIA"),
        secret("secret-access-key", 0),
        tls("server", TlsVerification::None),
        endpoint("backups.minio.example", 9000, Some("server")),
        role("arn:a", None),
        role("arn:b", Some("x")),
        tls("server-of-tokens", TlsVerification::Full),
        endpoint("sts.eu-west-1.amazonaws.com", 443, Some("server-of-tokens")),
        setting("custom-endpoint", "true"),
        PlanEntry::ImplicitAccess("a server of the URI's own choice".to_owned()),
        setting("region", "eu-west-1"),
        PlanEntry::Warning(
            "AWS_SKIP_TLS_VERIFY: whoever stands between here and the server can read and change \
             everything."
                .to_owned(),
        ),
        setting("path-style", "false"),
        store("backups", "daily"),
    ]);
    assert_eq!(plan.into_entries(), expected);
}

#[test]
fn without_a_region_the_bucket_is_asked_unless_the_server_has_none() {
    let plan = with("");
    assert_eq!(plan.setting("region"), None);
    assert_eq!(plan.setting("region-discovery"), Some("true"));
    let plan = with("AWS_ENDPOINT=http://127.0.0.1:9000");
    assert_eq!(plan.setting("region"), Some("us-east-1"));
    assert_eq!(plan.setting("region-discovery"), None);
    assert_eq!(plan.setting("path-style"), Some("true"));
    assert!(
        !plan
            .entries()
            .iter()
            .any(|it| matches!(it, PlanEntry::Tls(_)))
    );
    // The region of a server without regions is not one that has a token service.
    let plan = with("AWS_ENDPOINT=minio.example&ASSUME_ROLE=arn:a");
    let tokens = plan.endpoint_number(1).map(|it| it.host.as_str());
    assert_eq!(tokens, Some("sts.amazonaws.com"));
}

#[test]
fn what_is_the_servers_own_or_the_uris_own_choice_is_implicit() {
    assert!(!is_implicit(&with("")));
    assert!(!is_implicit(&with("AUTH=specified")));
    assert!(is_implicit(&with("AWS_ENDPOINT=minio.example")));
    // Keys beside it are accepted and not used, as users of this feature know it.
    let implicit = with("AUTH=implicit");
    assert!(is_implicit(&implicit));
    assert_eq!(implicit.setting("credentials"), Some("implicit"));
    assert!(
        !implicit
            .entries()
            .iter()
            .any(|it| matches!(it, PlanEntry::Secret(_)))
    );
    assert!(planned("s3://b?AUTH=implicit").is_ok());
}

#[test]
fn errors_come_in_the_order_that_users_know() {
    let everything_wrong = "AWS_USE_PATH_STYLE=x&BAD=hunter2&AUTH=x&AWS_SERVER_ENC_MODE=x\
                            &AWS_REGION=a.b&AWS_ENDPOINT=ftp://x&ASSUME_ROLE=,";
    let steps = [
        (
            format!("s3:///p?{everything_wrong}"),
            "empty host component; s3 URI must specify a target bucket",
        ),
        (
            format!("s3://$?{everything_wrong}"),
            "cannot parse AWS_USE_PATH_STYLE as bool",
        ),
        (
            "s3://$?WORSE=x&BAD=hunter2&AUTH=x".to_owned(),
            "unknown S3 query parameters: WORSE, BAD",
        ),
        (
            "s3://$?AUTH=x&AWS_SERVER_ENC_MODE=x".to_owned(),
            "unsupported value x for AUTH",
        ),
        (
            "s3://$?AWS_SERVER_ENC_MODE=x".to_owned(),
            "AUTH is set to 'specified', but AWS_ACCESS_KEY_ID is not set",
        ),
        (
            "s3://$?AUTH=&AWS_ACCESS_KEY_ID=a&AWS_SECRET_ACCESS_KEY=".to_owned(),
            "AUTH is set to 'specified', but AWS_SECRET_ACCESS_KEY is not set",
        ),
        (
            format!("s3://$?{KEYS}&AWS_SERVER_ENC_MODE=aws:kms"),
            "AWS_SERVER_KMS_ID param must be set when using aws:kms server side encryption mode.",
        ),
        (
            format!("s3://$?{KEYS}&AWS_SERVER_ENC_MODE=aes256"),
            "unsupported server encryption mode aes256. Supported values are `aws:kms` and \
             `AES256`.",
        ),
        (
            format!("s3://hunter2@$?{KEYS}"),
            "the s3 URI holds a user or a password before its host",
        ),
        (
            format!("s3://$?{KEYS}&S3_STORAGE_CLASS=a+b"),
            "S3_STORAGE_CLASS holds a character that it cannot have",
        ),
        (
            format!("s3://$?{KEYS}&AWS_REGION=a.b"),
            "the host of the s3 URI is not the name of a bucket",
        ),
        (
            format!("s3://b?{KEYS}&AWS_REGION=a.b&AWS_ENDPOINT=ftp://x"),
            "AWS_REGION is not the name of a region",
        ),
        (
            format!("s3://b?{KEYS}&AWS_ENDPOINT=ftp://x&ASSUME_ROLE=,"),
            "AWS_ENDPOINT is no URL of HTTP",
        ),
        (
            format!("s3://b/..?{KEYS}&ASSUME_ROLE=,"),
            "ASSUME_ROLE is no list of roles",
        ),
        (
            format!("s3://b/..?{KEYS}"),
            "the path holds a `.` or `..` segment",
        ),
    ];
    for (uri, expected) in steps {
        assert_eq!(message(&uri), expected, "{uri}");
    }
}

#[test]
fn a_region_is_one_label_of_a_host() {
    for region in [
        "a.b",
        "eu@x",
        "eu/x",
        "eu#",
        "EU-West-1",
        "-eu",
        "eu:1",
        "eu%2e",
    ] {
        let region = region.replace('#', "%23");
        let failure = refusal(&format!("s3://b?{KEYS}&AWS_REGION={region}"));
        assert_eq!(failure.message, "AWS_REGION is not the name of a region");
        assert_eq!(failure.option_name.as_deref(), Some("AWS_REGION"));
    }
}

#[test]
fn a_bucket_leads_nowhere_else() {
    for bucket in [
        "..",
        ".",
        "b:9000",
        "b%2fc",
        "b$",
        "-_-",
        "a,b",
        "bücher",
        "bucket name",
    ] {
        assert_eq!(
            message(&format!("s3://{bucket}/x?{KEYS}")),
            "the host of the s3 URI is not the name of a bucket",
            "{bucket}"
        );
    }
    for bucket in ["my.bucket", "My_Bucket", "b"] {
        assert!(
            planned(&format!("s3://{bucket}?{KEYS}")).is_ok(),
            "{bucket}"
        );
    }
}

#[test]
fn what_is_shown_is_what_users_know() {
    for (uri, shown) in [
        (
            "s3://bucket?AUTH=specified&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=secret",
            "s3://bucket?AUTH=specified&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=redacted",
        ),
        (
            "s3://bucket/p?AWS_SESSION_TOKEN=&aws_secret_access_key=x&AWS_ENDPOINT=http://h:1",
            "s3://bucket/p?AWS_ENDPOINT=http%3A%2F%2Fh%3A1&AWS_SESSION_TOKEN=redacted\
             &aws_secret_access_key=redacted",
        ),
    ] {
        let pieces = pieces(uri, &public_options(MANIFEST));
        assert_eq!(print_redacted(&S3::redact(pieces)), shown);
    }
}
