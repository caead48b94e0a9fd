use portolan_contract::{Manifest, PLAN_FORMAT, Plan, RequestRule, RuleContext};
use portolan_secret::SecretBytes;

use super::*;

fn rule(more: &str) -> RequestRule {
    let manifest = format!(
        "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
         kinds = [\"sink\"]\noperations = []\npath = \"secret\"\n[[request]]\nname = \"r\"\n\
         host = \"{{authority}}\"\nmethod = \"GET\"\n{more}"
    );
    let manifest = Manifest::parse(&manifest).expect("a manifest");
    manifest.requests[0].clone()
}

fn url(
    more: &str,
    endpoint: (&str, u16, bool),
    path: &[&str],
    query: &[(&str, &str)],
    secrets: &[(&str, &str)],
) -> Result<String, ServiceError> {
    let (host, port, encrypted) = endpoint;
    let bytes = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    let secret = |(name, value): &(&str, &str)| ((*name).to_owned(), SecretBytes::new(*value));
    let plan = StoredPlan {
        format: PLAN_FORMAT,
        provider: "n".to_owned(),
        provider_version: "0.1.0".parse().expect("a version"),
        plan: Plan::default(),
        context: RuleContext::default(),
        secrets: secrets.iter().map(secret).collect(),
        places: Vec::new(),
    };
    let path: Vec<_> = path.iter().map(|one| (*one).to_owned()).collect();
    let query: Vec<_> = query.iter().map(bytes).collect();
    let request = ServiceRequest {
        rule: &rule(more),
        endpoint: &Endpoint {
            host: host.to_owned(),
            port,
            tls_profile: encrypted.then(|| "server".to_owned()),
        },
        path: &path,
        query: &query,
        headers: &[],
        body: &[],
        keep_opaque: &[],
        most: 0,
    };
    target(&request, &plan).map(|uri| uri.to_string())
}

const PLAIN: &str = "path = \"/**\"\n";
const HOST: (&str, u16, bool) = ("a.example.com", 443, true);

#[test]
fn nothing_that_a_provider_writes_becomes_a_host_or_another_segment() {
    for (segments, path) in [
        (&[][..], "/"),
        (&["v1", "k:encrypt"], "/v1/k:encrypt"),
        (
            &["a/b", "?c#d", "%2e", "..%2f", "é", "a b", "\\"],
            "/a%2Fb/%3Fc%23d/%252e/..%252f/%C3%A9/a%20b/%5C",
        ),
        (&["", "evil.example"], "//evil.example"),
        (&["@evil.example"], "/@evil.example"),
        (&["a", ""], "/a/"),
        (&["a+b", "a\r\nb\0"], "/a%2Bb/a%0D%0Ab%00"),
    ] {
        let expected = format!("https://a.example.com{path}");
        assert_eq!(url(PLAIN, HOST, segments, &[], &[]), Ok(expected));
    }
    for segments in [&["."][..], &["a", "..", "b"]] {
        let refused = url(PLAIN, HOST, segments, &[], &[]).expect_err("it climbs");
        assert!(matches!(refused, ServiceError::Unwritable(_)));
    }
}

#[test]
fn the_origin_is_the_endpoint_s() {
    for (endpoint, origin) in [
        (("a.example.com", 80, false), "http://a.example.com/"),
        (("a.example.com", 443, false), "http://a.example.com:443/"),
        (("a.example.com", 8443, true), "https://a.example.com:8443/"),
        (("::1", 443, true), "https://[::1]/"),
    ] {
        assert_eq!(url(PLAIN, endpoint, &[], &[], &[]), Ok(origin.to_owned()));
    }
}

#[test]
fn a_query_is_the_rule_s_and_the_provider_s_and_the_plan_s() {
    let more = format!(
        "{PLAIN}query = {{ v = \"7.4\" }}\nauthentication = \"secret-query\"\nparameter = \"*\"\n"
    );
    let secrets = [("query.key", "s3/+ &="), ("basic", "no"), ("query.a b", "")];
    assert_eq!(
        url(&more, HOST, &["x"], &[("a&b", "c=d")], &secrets),
        Ok("https://a.example.com/x?v=7.4&a%26b=c%3Dd&key=s3%2F%2B%20%26%3D&a%20b=".to_owned())
    );
    let twice = [("query.a", "1"), ("query.b", ""), ("query.a", "2")];
    assert_eq!(
        url(&more, HOST, &["x"], &[], &twice),
        Ok("https://a.example.com/x?v=7.4&a=1&b=&a=2".to_owned())
    );
    let one = more.replace("\"*\"", "\"key\"");
    assert_eq!(
        url(&one, HOST, &["x"], &[], &secrets),
        Ok("https://a.example.com/x?v=7.4&key=s3%2F%2B%20%26%3D".to_owned())
    );
}

#[test]
fn a_secret_path_stays_below_the_host_as_it_was_given() {
    let secret = |path: &str| url("path = \"/{path}\"\n", HOST, &[], &[], &[("path", path)]);
    for (path, expected) in [
        (
            "/services/T0/B0/a%2Fb",
            "https://a.example.com/services/T0/B0/a%2Fb",
        ),
        ("", "https://a.example.com/"),
    ] {
        assert_eq!(secret(path), Ok(expected.to_owned()));
    }
    for path in [
        "a",
        "@evil.example",
        "/a?b",
        "/a#b",
        "/a b",
        "/a\\b",
        "/../a",
        "/%2e%2E/a",
        "/a\r\n",
        "/é",
    ] {
        let wrong = ServiceError::Unwritable("the secret path of its URI");
        assert_eq!(secret(path), Err(wrong), "{path}");
    }
    let missing = url("path = \"/{path}\"\n", HOST, &[], &[], &[]);
    assert_eq!(missing, Err(ServiceError::Missing("path")));
}
