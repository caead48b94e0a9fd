use portolan_secret::SecretText;

use super::*;
use crate::{FormatVerdict, Manifest, Value};

/// A manifest of the options that the examples of the documentation use.
pub(super) fn manifest() -> Manifest {
    Manifest::parse(
        r#"
name = "example"
version = "0.1.0"
contract = "0.1"
schemes = ["s3", "kafka", "gs", "gcp-kms", "azure-storage", "nodelocal", "postgres", "http"]
kinds = ["storage"]
operations = []
[reveal]
planning = ["{password}"]
[[endpoint]]
host = "{option:AWS_ENDPOINT}"
[[option]]
name = "AUTH"
public = true
meaning = "how"
[[option]]
name = "AWS_ENDPOINT"
public = true
meaning = "where"
[[option]]
name = "AWS_ACCESS_KEY_ID"
public = true
account = true
meaning = "who"
[[option]]
name = "AWS_SECRET_ACCESS_KEY"
format = "plus"
meaning = "key"
[[option]]
name = "AZURE_ACCOUNT_NAME"
public = true
account = true
meaning = "who"
[[option]]
name = "AZURE_ENVIRONMENT"
public = true
meaning = "cloud"
[[option]]
name = "CREDENTIALS"
format = "base64-json"
meaning = "key file"
[[option]]
name = "sasl_enabled"
public = true
meaning = "whether"
[[option]]
name = "sasl_mechanism"
public = true
meaning = "how"
[[option]]
name = "sasl_user"
public = true
meaning = "who"
[[option]]
name = "tls_enabled"
public = true
meaning = "whether"
[[option]]
name = "topic_prefix"
public = true
meaning = "prefix"
"#,
    )
    .expect("a manifest")
}

fn with(change: impl FnOnce(&mut Manifest)) -> Manifest {
    let mut manifest = manifest();
    change(&mut manifest);
    manifest
}

/// A provider whose authority is a host that it dials.
pub(super) fn dialling() -> Manifest {
    with(|manifest| {
        let rule = "host = \"{authority}\"";
        manifest.endpoints = vec![toml::from_str(rule).expect("a rule")];
    })
}

fn shown(uri: &str) -> String {
    shown_by(uri, &manifest())
}

fn shown_by(uri: &str, manifest: &Manifest) -> String {
    let uri = split(&SecretText::new(uri), manifest).expect("it splits");
    print_redacted(&uri.pieces)
}

fn refused(uri: &str) -> UriError {
    split(&SecretText::new(uri), &manifest()).expect_err("refused")
}

#[test]
fn what_is_shown_is_what_the_documentation_shows() {
    for (uri, expected) in [
        (
            "azure-storage://bucket/path?AZURE_ACCOUNT_NAME=foo&AZURE_ACCOUNT_KEY=Zm9vCg==&AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
            "azure-storage://bucket/path?AZURE_ACCOUNT_KEY=redacted&AZURE_ACCOUNT_NAME=foo&AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
        ),
        (
            "gs://bucket?AUTH=specified&BEARER_TOKEN=foo",
            "gs://bucket?AUTH=specified&BEARER_TOKEN=redacted",
        ),
        (
            "kafka://broker.address.com:9092?topic_prefix=bar_&tls_enabled=true&ca_cert=Zm9v&sasl_enabled=true&sasl_user=fake_user&sasl_password=fake&sasl_mechanism=SCRAM-SHA-256",
            "kafka://broker.address.com:9092?ca_cert=redacted&sasl_enabled=true&sasl_mechanism=SCRAM-SHA-256&sasl_password=redacted&sasl_user=fake_user&tls_enabled=true&topic_prefix=bar_",
        ),
        ("NodeLocal://1/foo", "nodelocal://1/foo"),
        (
            "s3://bucket?AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=&AUTH=specified",
            "s3://bucket?AUTH=specified&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=redacted",
        ),
        (
            "postgres://me:pw@h:5432/db",
            "postgres://me:redacted@h:5432/db",
        ),
        ("postgres://me:@h/db", "postgres://me:redacted@h/db"),
        ("http://token@h/p", "http://redacted@h/p"),
        ("http://a@b:c@d@h/p", "http://a@b:redacted@h/p"),
        (
            "s3://bucket name/{x}?AUTH={access key}",
            "s3://bucket name/{x}?AUTH=%7Baccess+key%7D",
        ),
        ("s3://b/?&AUTH=b&&AUTH=a&", "s3://b/?AUTH=b&AUTH=a"),
        ("gcp-kms:///projects/p?", "gcp-kms:///projects/p"),
    ] {
        assert_eq!(shown(uri), expected);
    }
    let secret_path = with(|manifest| manifest.path = crate::Visibility::Secret);
    assert_eq!(
        shown_by(
            "gcp-kms:///projects/p/keys/k?AUTH=specified&BEARER_TOKEN=t",
            &secret_path
        ),
        "gcp-kms:///redacted?AUTH=specified&BEARER_TOKEN=redacted"
    );
    let public_user = with(|manifest| manifest.user = crate::Visibility::Public);
    assert_eq!(
        shown_by("postgres://me@h/db", &public_user),
        "postgres://me@h/db"
    );
}

#[test]
fn secrets_are_numbered_in_the_order_of_the_uri() {
    let uri = SecretText::new("http://u:p%40ss@h/x?b=1&CREDENTIALS=%7B&AUTH=a+b&c=&b=x%2By+z");
    let split = split(&uri, &manifest()).expect("it splits");
    let secrets: Vec<_> = split
        .secrets
        .iter()
        .map(|one| {
            (
                one.place().to_string(),
                String::from_utf8_lossy(one.given().expose()).into_owned(),
            )
        })
        .collect();
    let pair = |place: &str, given: &str| (place.to_owned(), given.to_owned());
    assert_eq!(
        secrets,
        [
            pair("{password}", "p@ss"),
            pair("b", "1"),
            pair("CREDENTIALS", "{"),
            pair("c", ""),
            pair("b", "x+y z"),
        ]
    );
    let Value::Secret(credentials) = &split.pieces.options[1].value else {
        panic!("a secret");
    };
    assert_eq!(credentials.verdict, FormatVerdict::InvalidAt(0));
    let Value::Secret(empty) = &split.pieces.options[3].value else {
        panic!("a secret");
    };
    assert!(empty.empty);
    assert_eq!(split.pieces.options[2].value, Value::Text("a b".into()));
    let revealed = split.revealed_pieces(&manifest());
    assert_eq!(
        revealed.and_then(|pieces| pieces.password),
        Some(Value::Text("p@ss".into()))
    );
}

#[test]
fn every_refusal_names_the_place_and_the_escape() {
    for (uri, message, hint) in [
        (
            "bucket",
            "the URI does not begin with a scheme",
            "write it as scheme://",
        ),
        (
            "1s://b",
            "the URI does not begin with a scheme",
            "write it as scheme://",
        ),
        (
            "s3:/b",
            "the scheme of the URI is not followed by ://",
            "write it as scheme://",
        ),
        (
            "s3://b/hunter2#",
            "the URI has a fragment at character 15",
            "write # as %23",
        ),
        (
            "s3://b?AUTH",
            "the 1st parameter of the URI has no =",
            "write & as %26",
        ),
        (
            "s3://b?a=1&b=2&&hunter2",
            "the 4th parameter of the URI has no =",
            "write & as %26",
        ),
        (
            "s3://b?a=1&=2",
            "the 2nd parameter of the URI has no name",
            "a name is a letter",
        ),
        (
            "s3://b?hunter 2=x",
            "the 1st parameter of the URI has no name",
            "a name is a letter",
        ),
        (
            "s3://b?%ff=x",
            "the 1st parameter of the URI has no name",
            "a name is a letter",
        ),
        (
            "s3://b?a=hunter2;b",
            "the URI has a raw ; in its query at character 17",
            "write ; as %3B",
        ),
        (
            "s3://b?a=%zz",
            "the URI has a broken percent escape at character 10",
            "write % as %25",
        ),
        (
            "s3://b%2",
            "the URI has a broken percent escape at character 7",
            "write % as %25",
        ),
        (
            "s3://b?AUTH=%ff",
            "the value of AUTH is not UTF-8",
            "write its bytes",
        ),
        (
            "postgres://me:hunter2/x@h",
            "a port in the URI is no number",
            "in a password write",
        ),
        (
            "kafka://a:1,b:hunter2",
            "a port in the URI is no number",
            "in a password write",
        ),
        (
            "postgres://me:12/34@h",
            "the URI has an @ in its path at character 20",
            "in a user or password write",
        ),
        (
            "s3://b/a\nb",
            "the URI has a control character at character 9",
            "write it as %0A",
        ),
        (
            "s3://b/a\u{202e}b",
            "the URI has an invisible character at character 9",
            "write it as %E2%80%AE",
        ),
        (
            "s3://b?AWS_ENDPOINT=u:p@h",
            "the value of AWS_ENDPOINT is a URL with a user",
            "leave out",
        ),
        (
            "s3://b?AUTH=https://u:p@h",
            "the value of AUTH is a URL with a user",
            "leave out",
        ),
        ("ftp://b", "the provider example does not answer", ""),
    ] {
        let error = refused(uri);
        assert!(error.message.starts_with(message), "{uri:?}: {error}");
        let given = error.hint.clone().unwrap_or_default();
        assert!(given.starts_with(hint), "{uri:?}: {given}");
        let told = format!("{error:?}");
        assert!(!told.contains("hunter") && !told.contains("34"), "{told}");
    }
}

/// What stands before the first `/` would be shown as the host, and looked up as one.
#[test]
fn an_at_sign_in_a_path_is_refused_where_it_may_end_a_secret() {
    let dialling = dialling();
    let refusal = |uri: &str, manifest: &Manifest| {
        let error = split(&SecretText::new(uri), manifest).expect_err(uri);
        let told = format!("{error:?}");
        assert!(!told.contains("hunter") && !told.contains("set"), "{told}");
        assert_eq!(
            error.hint.as_deref(),
            Some("in a user or password write / as %2F; in a path write @ as %40"),
            "{uri}"
        );
        error.message
    };
    for uri in [
        "http://hunter2/set@h/p",
        "http://hunter2/set@h:443",
        "http://hunter2/s/et@h?AUTH=a",
        "http://h\u{fc}nter2/set@h",
        "http:///set@h",
    ] {
        let at = 1 + uri.chars().position(|c| c == '@').expect("an @");
        assert_eq!(
            refusal(uri, &dialling),
            format!(
                "the URI has an @ in its path at character {at}, which may be the end of a user or \
                 password"
            )
        );
    }
    // A password with both, whose @ ends the userinfo early: so it goes for every provider.
    for uri in ["s3://me:hunter2@se/t@b/p", "s3://hunter2@se/t@b/p"] {
        refusal(uri, &manifest());
        refusal(uri, &dialling);
    }
    // A key in a bucket may hold one, and everywhere an escaped one stands for itself.
    assert_eq!(
        shown("s3://b/mail/ann@example.com"),
        "s3://b/mail/ann@example.com"
    );
    assert_eq!(
        shown_by("http://token%2Fset@h/%40scope%40x", &dialling),
        "http://redacted@h/%40scope%40x"
    );
}

#[test]
fn an_unknown_option_is_refused_only_where_the_manifest_says_so() {
    let refusing = with(|manifest| manifest.unknown_options = crate::UnknownOptions::Refuse);
    let refusal = |uri: &str| split(&SecretText::new(uri), &refusing).expect_err("refused");
    let error = refusal("s3://b?AUTH=x&auht=1");
    assert_eq!(
        error.message,
        "the 2nd parameter of the URI is no option of the provider example"
    );
    assert_eq!(error.hint.as_deref(), Some("did you mean AUTH?"));
    assert!(!format!("{:?}", refusal("s3://b?hunter2=x")).contains("hunter2"));
    assert_eq!(shown("s3://b?hunter2=x"), "s3://b?hunter2=redacted");
}

#[test]
fn sizes_are_bounded() {
    let many = refused(&format!("s3://b?a={}", "&a=1".repeat(256)));
    assert_eq!(many.message, "the URI has more than 256 parameters");
    let long = refused(&format!("s3://b?a={}", "x".repeat(MAX_URI_BYTES)));
    assert_eq!(
        long.message,
        "the URI has 1048585 bytes; the most is 1048576"
    );
}

#[test]
fn an_edit_changes_its_options_and_nothing_else() {
    let edited = |uri: &str, set: &[(&str, &str)], reset: &[&str]| {
        let set: Vec<_> = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), SecretText::new(*value)))
            .collect();
        let reset: Vec<_> = reset.iter().map(|name| (*name).to_owned()).collect();
        edit(&SecretText::new(uri), &set, &reset, &manifest())
            .map(|uri| uri.expose().to_owned())
            .map_err(|error| (error.message, error.hint.unwrap_or_default()))
    };
    assert_eq!(
        edited("S3://b/{x}", &[("a", "1&b=2 +%#")], &[]),
        Ok("S3://b/{x}?a=1%26b%3D2%20%2B%25%23".into())
    );
    assert_eq!(
        edited("s3://b?a=1&b={x}&a=2&c=3", &[("a", "9"), ("d", "")], &["c"]),
        Ok("s3://b?a=9&b={x}&d=".into())
    );
    assert_eq!(edited("s3://b?a=1", &[], &["a"]), Ok("s3://b".into()));
    assert_eq!(
        edited("s3://b?AUTH=1", &[], &["auth"]),
        Err((
            "the URI has no parameter auth to take out".into(),
            "did you mean AUTH?".into()
        ))
    );
    assert_eq!(
        edited("s3://b", &[("a", "1"), ("a", "2")], &[]),
        Err((
            "the parameter a is given twice".into(),
            "name each parameter once".into()
        ))
    );
    assert!(edited("s3://b", &[("a b", "1")], &[]).is_err());
    assert!(edited("s3://b", &[("AWS_ENDPOINT", "https://u:p@h")], &[]).is_err());
}

#[test]
fn secrets_follow_no_change_of_host_scheme_or_account() {
    let change = |old: &str, new: &str| {
        let pieces = |uri: &str| {
            split(&SecretText::new(uri), &manifest())
                .expect("it splits")
                .pieces
        };
        changes_target(&pieces(old), &pieces(new), &manifest()).map(|change| change.to_string())
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(change("s3://b/p?AUTH=a&x=1", "S3://B/q?AUTH=b&x=2"), None);
    assert_eq!(change("s3://b", "gs://b"), named("the scheme"));
    assert_eq!(change("s3://b", "s3://c"), named("the host"));
    assert_eq!(change("http://h:1", "http://h:2"), named("the host"));
    assert_eq!(change("http://u:p@h", "http://v:p@h"), named("the user"));
    assert_eq!(change("http://u:p@h", "http://u:q@h"), None);
    assert_eq!(
        change("s3://b", "s3://b?AWS_ENDPOINT=https://x.example"),
        named("AWS_ENDPOINT")
    );
    assert_eq!(
        change("s3://b?AWS_ACCESS_KEY_ID=a", "s3://b?AWS_ACCESS_KEY_ID=c"),
        named("AWS_ACCESS_KEY_ID")
    );
}

#[test]
fn a_stored_uri_differs_in_its_scheme_alone() {
    let stored =
        with_lower_case_scheme(&SecretText::new("S3://Bucket Name?A={B}")).expect("a scheme");
    assert_eq!(stored.expose(), "s3://Bucket Name?A={B}");
}
