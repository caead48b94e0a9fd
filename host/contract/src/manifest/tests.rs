use super::*;

pub(super) const FULL: &str = r#"
name = "example"
version = "1.4.0"
contract = "0.1"
schemes = ["example", "example-tls"]
kinds = ["storage", "registry"]
operations = ["backup", "schema-registry"]
user = "public"
path = "secret"
unknown_options = "refuse"
default_validate = "full"
failure_prefix = "failed to create example external connection"

[[option]]
name = "ENDPOINT"
public = true
account = true
required = true
meaning = "where it is"
example = "https://example.com"

[[option]]
name = "signing_key"
format = "pem"
meaning = "signs"
sign = ["ed25519"]

[[option]]
name = "sasl_token_url"
public = true
token_url = true
meaning = "where tokens are asked for"

[[endpoint]]
host = "{option:ENDPOINT}"

[[endpoint]]
host = "*.example.com"
ports = [443, 8443]

[[request]]
name = "encrypt"
host = "*.example.com"
method = "POST"
path = "/keys/*/encrypt"
headers = { "x-target" = "Encrypt" }
authentication = "sigv4"
service = "kms"

[reveal]
acting = ["{password}", "signing_key"]
"#;

fn refusal(text: &str) -> String {
    Manifest::parse(text).expect_err("refused").to_string()
}

fn replaced(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    FULL.replacen(from, to, 1)
}

#[test]
fn every_field_is_read_and_written_back() {
    let manifest = Manifest::parse(FULL).expect("a manifest");
    assert_eq!(manifest.version, Version::new(1, 4, 0));
    assert_eq!(manifest.user, Visibility::Public);
    assert_eq!(manifest.path, Visibility::Secret);
    assert_eq!(manifest.unknown_options, UnknownOptions::Refuse);
    assert_eq!(manifest.default_validate.depth(), Some(Depth::Full));
    assert_eq!(
        manifest.failure_prefix.as_deref(),
        Some("failed to create example external connection")
    );
    assert_eq!(
        manifest.option("signing_key").map(|rule| rule.format),
        Some(Format::Pem)
    );
    let written = toml::to_string(&manifest).expect("written");
    assert_eq!(Manifest::parse(&written), Ok(manifest));
}

#[test]
fn what_is_left_out_has_the_careful_default() {
    let manifest = Manifest::parse(
        "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\nkinds = [\"kms\"]\n\
         operations = []\n[[option]]\nname = \"a\"\nmeaning = \"b\"\n",
    )
    .expect("a manifest");
    assert!(!manifest.is_public("a"));
    assert!(!manifest.is_public("not listed"));
    assert_eq!(manifest.user, Visibility::Secret);
    assert_eq!(manifest.path, Visibility::Public);
    assert_eq!(manifest.unknown_options, UnknownOptions::Secret);
    assert_eq!(manifest.default_validate, Validate::Read);
    let anywhere = Endpoint {
        host: "example.com".into(),
        port: 443,
        tls_profile: None,
    };
    assert_eq!(
        manifest.endpoint_rule(&anywhere, &RuleContext::default()),
        None
    );
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    assert_eq!(
        refusal(&replaced("unknown_options", "unknown_option")),
        "the manifest has no key \"unknown_option\"; did you mean \"unknown_options\"?"
    );
    assert_eq!(
        refusal(&replaced("format =", "fromat =")),
        "[[option]] number 2 has no key \"fromat\"; did you mean \"format\"?"
    );
    assert_eq!(
        refusal(&replaced("acting =", "zzz =")),
        "[reveal] has no key \"zzz\""
    );
}

#[test]
fn a_wrong_value_is_shown_with_its_line() {
    let text = refusal(&replaced("user = \"public\"", "user = \"maybe\""));
    assert!(text.contains("line 8"), "{text}");
    assert!(text.contains("public"), "{text}");
}

#[test]
fn another_contract_is_told_before_anything_else() {
    let text = replaced("contract = \"0.1\"", "contract = \"7.0\"\nnew_field = 1");
    assert_eq!(
        refusal(&text),
        "the provider was built for contract 7.0, and this host speaks 0.1; build it again with \
         an SDK for 0.1, or use a host for 7.0"
    );
}

#[test]
fn names_doubles_and_sizes_are_checked() {
    for (from, to, expected) in [
        ("\"example\"\n", "\"Example\"\n", "name: "),
        (
            "\"example-tls\"",
            "\"external\"",
            "schemes: external is how",
        ),
        (
            "\"example-tls\"",
            "\"example\"",
            "the scheme \"example\" is listed twice",
        ),
        (
            "name = \"signing_key\"",
            "name = \"ENDPOINT\"",
            "the option \"ENDPOINT\" is listed twice",
        ),
        (
            "name = \"signing_key\"",
            "name = \"a b\"",
            "option: \"a b\" is no option name",
        ),
        ("[\"storage\", \"registry\"]", "[]", "kinds: at least one"),
        (
            "public = true\naccount",
            "public = false\naccount",
            "option ENDPOINT: account: ",
        ),
        (
            "format = \"pem\"",
            "public = true",
            "option signing_key: sign: ",
        ),
        (
            "ports = [443, 8443]",
            "ports = [0]",
            "[[endpoint]] number 2: a port",
        ),
        (
            "{option:ENDPOINT}",
            "{option:signing_key}",
            "[[endpoint]] number 1: the host refers to signing_key",
        ),
        ("\"POST\"", "\"post\"", "request encrypt: method: "),
        (
            "service = \"kms\"",
            "",
            "request encrypt: service: this authentication needs it",
        ),
        (
            "\"sigv4\"",
            "\"basic\"",
            "request encrypt: service: this authentication has no use",
        ),
        ("x-target", "Host", "request encrypt: headers: "),
        ("x-target", "host", "request encrypt: headers: "),
        (
            "\"signing_key\"]",
            "\"ENDPOINT\"]",
            "reveal.acting: \"ENDPOINT\" is no secret option",
        ),
        (
            "meaning = \"signs\"",
            "meaning = \"a\\u001b[2Jb\"",
            "option signing_key: meaning: ",
        ),
        (
            "failed to create example external connection",
            "a\\nb",
            "failure_prefix: it holds control characters",
        ),
    ] {
        let text = refusal(&replaced(from, to));
        assert!(
            text.starts_with(expected),
            "{expected:?} is not how this starts: {text}"
        );
    }
    assert_eq!(
        refusal(&format!("{FULL}#{}", "x".repeat(MAX_MANIFEST_BYTES))),
        format!(
            "the manifest has {} bytes; the most is 65536",
            FULL.len() + 1 + MAX_MANIFEST_BYTES
        )
    );
}

#[test]
fn credentials_go_only_where_their_kind_may_go() {
    let basic = replaced(
        "authentication = \"sigv4\"\nservice = \"kms\"",
        "authentication = \"basic\"",
    );
    assert!(
        refusal(&basic).contains("only to the URI's own authority"),
        "{}",
        refusal(&basic)
    );
    let google = replaced(
        "authentication = \"sigv4\"\nservice = \"kms\"",
        "authentication = \"google\"\nscope = \"a\"",
    );
    assert!(
        refusal(&google).contains("below googleapis.com"),
        "{}",
        refusal(&google)
    );
}

#[test]
fn a_public_credential_needs_the_administrators_word() {
    let manifest = Manifest::parse(
        &replaced("name = \"ENDPOINT\"", "name = \"ENDPOINT_TOKEN\"")
            .replace("option:ENDPOINT", "option:ENDPOINT_TOKEN"),
    )
    .expect("a manifest");
    assert_eq!(
        manifest
            .check_public_as_embedded()
            .expect_err("refused")
            .to_string(),
        "the option ENDPOINT_TOKEN looks like a credential and is declared public; if its value \
         may be shown to everybody who sees the connection, add the provider with --allow-public \
         ENDPOINT_TOKEN"
    );
    assert_eq!(
        manifest.check_public(&["sasl_token_url", "ENDPOINT_TOKEN"]),
        Ok(())
    );
    // A stranger's provider is allowed nothing that was not said.
    assert!(manifest.check_public::<&str>(&[]).is_err());
}

/// The full manifest with this request rule in the place of its own.
pub(super) fn with_request(rule: &str) -> String {
    let start = FULL.find("[[request]]").expect("a rule");
    let end = FULL.find("[reveal]").expect("what follows");
    format!("{}[[request]]\n{rule}\n{}", &FULL[..start], &FULL[end..])
}

pub(super) const RULE: &str =
    "name = \"send\"\nhost = \"*.example.com\"\nmethod = \"POST\"\npath = \"/a\"\n";
const OWN: &str = "name = \"send\"\nhost = \"{authority}\"\nmethod = \"POST\"\npath = \"/a\"\n";

#[test]
fn every_field_of_a_request_rule_is_read_and_told_in_one_sentence() {
    let rule = "name = \"send\"\nhost = \"{authority}\"\nmethod = \"POST\"\npath = \"/{path}\"\n\
                query = { v = \"1\" }\nallow_query = [\"after\"]\nheaders = { accept = \"a/b\" }\n\
                allow_headers = [\"x-a\", \"x-b\"]\n\
                authentication = [\"secret-query\", \"secret-header\", \"client-certificate\"]\n\
                header = \"authorization\"\nparameter = \"*\"\nopaque_body = [\"/p\"]\n\
                opaque_answer = { \"/q\" = \"base64url\" }";
    let manifest = Manifest::parse(&with_request(rule)).expect("a manifest");
    let written = toml::to_string(&manifest).expect("written");
    assert_eq!(Manifest::parse(&written).as_ref(), Ok(&manifest));
    assert_eq!(
        manifest.requests[0].to_string(),
        "It may have the host send the request send: POST of /{path} at {authority}, with the \
         parameter v=1, with the header accept: a/b, with a parameter of its own after, with a \
         header of its own x-a and x-b; the host authenticates it with secrets in the query and a \
         secret in the header authorization and the connection's client certificate; /p of its \
         body the provider does not see; /q of the answer the provider does not see."
    );
    let several = RULE.replace(
        "\"*.example.com\"",
        "[\"*.example.com\", \"{option:ENDPOINT}\"]",
    );
    let several = Manifest::parse(&with_request(&several)).expect("a manifest");
    let written = toml::to_string(&several).expect("written");
    assert_eq!(Manifest::parse(&written).as_ref(), Ok(&several));
    assert!(
        several.requests[0]
            .to_string()
            .contains("at *.example.com or {option:ENDPOINT};")
    );
    let plain = Manifest::parse(&with_request(RULE)).expect("a manifest");
    assert_eq!(
        plain.requests[0].to_string(),
        "It may have the host send the request send: POST of /a at *.example.com; nothing \
         authenticates it."
    );
}

#[test]
fn what_a_request_rule_may_not_say_is_refused_with_its_field() {
    for (rule, more, expected) in [
        (
            "name = \"send\"\nhost = []\nmethod = \"POST\"\npath = \"/a\"\n",
            "",
            "request send: host: at least one is listed",
        ),
        (
            "name = \"send\"\nhost = [\"{authority}\", \"*.example.com\"]\nmethod = \"POST\"\n\
             path = \"/a\"\n",
            "authentication = \"basic\"",
            "request send: host: this authentication goes only to the URI's own authority",
        ),
        (
            RULE,
            "authentication = \"none\"",
            "the manifest cannot be read",
        ),
        (
            RULE,
            "authentication = [\"google\"]",
            "request send: scope: this authentication needs it",
        ),
        (
            RULE,
            "authentication = \"entra\"\nservice = \"kms\"",
            "request send: service: the services of Entra are key-vault and storage",
        ),
        (
            RULE,
            "authentication = \"secret-header\"\nheader = \"x-key\"",
            "request send: host: this authentication goes only to the URI's own authority",
        ),
        (
            RULE,
            "authentication = \"client-certificate\"",
            "request send: host: this authentication goes only to the URI's own authority",
        ),
        (
            OWN,
            "authentication = \"secret-header\"\nheader = \"cookie\"",
            "request send: header: \"cookie\" is written in capitals",
        ),
        (
            OWN,
            "authentication = [\"basic\", \"secret-header\"]\nheader = \"authorization\"",
            "request send: authentication: a way is listed twice, or two would both write",
        ),
        (
            OWN,
            "authentication = [\"basic\", \"basic\"]",
            "request send: authentication: a way is listed twice",
        ),
        (
            OWN,
            "authentication = \"secret-query\"\nparameter = \"key\"\nallow_query = [\"key\"]",
            "the query parameter \"key\" is listed twice",
        ),
        (
            RULE,
            "allow_headers = [\"authorization\"]",
            "request send: allow_headers: ",
        ),
        (
            RULE,
            "allow_headers = [\"X-A\"]",
            "request send: allow_headers: ",
        ),
        (
            RULE,
            "allow_headers = [\"x-http-method-override\"]",
            "request send: allow_headers: ",
        ),
        (
            RULE,
            "headers = { \"x-amz-security-token\" = \"a\" }",
            "request send: headers: ",
        ),
        (
            RULE,
            "headers = { x-a = \"1\" }\nallow_headers = [\"x-a\"]",
            "the header \"x-a\" is listed twice",
        ),
        (
            RULE,
            "query = { a = \"1\" }\nallow_query = [\"a\"]",
            "the query parameter \"a\" is listed twice",
        ),
        (RULE, "query = { \"\" = \"1\" }", "request send: query: "),
        (
            RULE,
            "opaque_body = [\"Plaintext\"]",
            "the manifest cannot be read",
        ),
        (
            RULE,
            "opaque_body = [\"/a\", \"/a/b\"]",
            "request send: opaque_body: /a/b is inside of /a, which is a string",
        ),
        (
            RULE,
            "opaque_answer = { \"/a\" = \"base32\" }",
            "the manifest cannot be read",
        ),
        (
            RULE,
            "opaque_answers = {}",
            "[[request]] number 1 has no key \"opaque_answers\"; did you mean",
        ),
        (
            "name = \"send\"\nhost = \"*.example.com\"\nmethod = \"POST\"\npath = \"/{path}\"\n",
            "",
            "request send: path: /{path} is the secret path of a URI",
        ),
    ] {
        let text = refusal(&with_request(&format!("{rule}{more}")));
        assert!(
            text.starts_with(expected),
            "{expected:?} is not how this starts: {text}"
        );
    }
    let oauth = with_request(&format!(
        "{RULE}authentication = \"oauth-client-credentials\""
    ));
    assert!(Manifest::parse(&oauth).is_ok());
    assert!(
        refusal(&oauth.replace("token_url = true\n", ""))
            .starts_with("request send: authentication: oauth-client-credentials needs an option")
    );
}

/// Every name that `is_reserved` has, and one of each of its prefixes.
const RESERVED: [&str; 28] = [
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "http2-settings",
    "accept-encoding",
    "expect",
    "cookie",
    "cookie2",
    "authorization",
    "forwarded",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-amz-date",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-amz-region-set",
    "proxy-authorization",
    "x-forwarded-host",
];

#[test]
fn a_rule_says_and_allows_no_header_that_is_the_hosts_own() {
    let with = |header: &str| {
        [
            format!("{RULE}headers = {{ \"{header}\" = \"a\" }}\n"),
            format!("{RULE}allow_headers = [\"{header}\"]\n"),
        ]
        .map(|rule| Manifest::parse(&with_request(&rule)))
    };
    assert!(with("x-a").iter().all(Result::is_ok));
    for header in RESERVED {
        for refused in with(header) {
            let told = refused.expect_err(header).to_string();
            assert!(told.contains("is the host's own"), "{header}: {told}");
        }
    }
}

#[test]
fn each_kind_of_authentication_is_told_with_all_that_the_rule_says_of_it() {
    for (rule, told) in [
        (
            "authentication = \"sigv4\"\nservice = \"kms\"",
            "a signature of AWS (SigV4) for kms",
        ),
        (
            "authentication = \"google\"\nscope = \"https://www.googleapis.com/auth/a\"",
            "a token of Google for https://www.googleapis.com/auth/a",
        ),
        (
            "authentication = \"entra\"\nservice = \"key-vault\"",
            "a token of Microsoft Entra for key-vault",
        ),
        (
            "authentication = \"oauth-client-credentials\"",
            "a token from the connection's own token URL",
        ),
        (
            "authentication = \"oauth-client-credentials\"\nscope = \"write\"",
            "a token from the connection's own token URL for write",
        ),
        (
            "authentication = \"basic\"",
            "the connection's user and password",
        ),
        (
            "authentication = \"secret-header\"\nheader = \"x-key\"",
            "a secret in the header x-key",
        ),
        (
            "authentication = \"secret-query\"\nparameter = \"sig\"",
            "a secret in the parameter sig",
        ),
        (
            "authentication = \"secret-query\"\nparameter = \"*\"",
            "secrets in the query",
        ),
        (
            "authentication = \"client-certificate\"",
            "the connection's client certificate",
        ),
    ] {
        // Google's tokens go to Google alone.
        let own = match rule.contains("google") {
            true => RULE.replace("*.example.com", "*.googleapis.com"),
            false => OWN.to_owned(),
        };
        let manifest = Manifest::parse(&with_request(&format!("{own}{rule}\n")));
        let manifest = manifest.unwrap_or_else(|error| panic!("{rule}: {error}"));
        let sentence = manifest.requests[0].to_string();
        let end = format!("; the host authenticates it with {told}.");
        assert!(sentence.ends_with(&end), "{sentence}");
    }
}
