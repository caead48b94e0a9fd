use super::*;

const MANIFEST: &str = r#"
name = "example"
version = "0.1.0"
contract = "0.1"
schemes = ["example"]
kinds = ["kms"]
operations = []

[[request]]
name = "encrypt"
host = "kms.*.example.com"
method = "POST"
path = "/keys/*/encrypt"
query = { "api-version" = "7.4" }
headers = { "x-target" = "Encrypt" }
opaque_body = ["/Plaintext"]

[[request]]
name = "list"
host = "kms.*.example.com"
method = "GET"
path = "/keys"
allow_query = ["after", "page-size"]
allow_headers = ["x-trace"]
"#;

/// A request that a rule describes, but for what a test changes.
struct Request {
    rule: &'static str,
    host: &'static str,
    method: &'static str,
    path: Vec<String>,
    query: Vec<(&'static str, bool)>,
    headers: Vec<&'static str>,
    body: &'static str,
    opaque: Vec<usize>,
}

fn encrypt() -> Request {
    Request {
        rule: "encrypt",
        host: "kms.eu.example.com",
        method: "POST",
        path: ["keys", "k", "encrypt"].map(str::to_owned).to_vec(),
        query: Vec::new(),
        headers: Vec::new(),
        body: "{\"Plaintext\":\"\"}",
        opaque: vec![14],
    }
}

fn list() -> Request {
    Request {
        rule: "list",
        method: "GET",
        path: vec!["keys".to_owned()],
        query: vec![("after", false)],
        headers: vec!["x-trace"],
        body: "",
        opaque: Vec::new(),
        ..encrypt()
    }
}

fn judged(request: &Request) -> Result<String, String> {
    let manifest = Manifest::parse(MANIFEST).expect("a manifest");
    let asked = AskedRequest {
        rule: request.rule,
        endpoint: &Endpoint {
            host: request.host.to_owned(),
            port: 443,
            tls_profile: None,
        },
        method: request.method,
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
        body: request.body.as_bytes(),
        opaque: &request.opaque,
    };
    let judged = manifest.judge_request(&asked, &RuleContext::default());
    judged.map(|rule| rule.name.clone()).map_err(|refusal| {
        assert_eq!(refusal.failure().class, FailureClass::Denied);
        refusal.to_string()
    })
}

#[test]
fn a_request_that_a_rule_describes_is_let_through() {
    assert_eq!(judged(&encrypt()), Ok("encrypt".to_owned()));
    assert_eq!(judged(&list()), Ok("list".to_owned()));
}

fn encrypt_differs(change: fn(&mut Request), field: &str) {
    let mut request = encrypt();
    change(&mut request);
    let message = judged(&request).expect_err(field);
    let expected = format!(
        "the request encrypt to {}:443 is not sent: it differs from its rule in {field}",
        request.host
    );
    assert_eq!(message, expected);
}

#[test]
fn each_field_that_differs_is_named_in_the_words_of_the_rule() {
    encrypt_differs(
        |request| request.host = "kms.example.com",
        "its host (the rule's is kms.*.example.com)",
    );
    encrypt_differs(
        |request| request.method = "PUT",
        "its method (the rule's is POST)",
    );
    for segments in [&["keys", "k", "decrypt"][..], &["keys", "encrypt"], &[]] {
        let mut request = encrypt();
        request.path = segments.iter().map(|one| (*one).to_owned()).collect();
        let message = judged(&request).expect_err("another path");
        let field = "its path (the rule's is /keys/*/encrypt)";
        assert!(message.ends_with(field), "{message}");
    }
    // Not even a parameter or a header that the host sets may come from the provider.
    for name in ["x", "api-version"] {
        let mut request = encrypt();
        request.query.push((name, false));
        let message = judged(&request).expect_err("a parameter");
        assert!(
            message.ends_with("in its query (the rule lets a provider send none)"),
            "{message}"
        );
    }
    for name in ["x-other", "x-target", "authorization"] {
        let mut request = encrypt();
        request.headers.push(name);
        let message = judged(&request).expect_err("a header");
        assert!(
            message.ends_with("in its headers (the rule lets a provider send none)"),
            "{message}"
        );
    }
    let body = "its body (the rule's is JSON whose opaque parts are /Plaintext and no others)";
    encrypt_differs(|request| request.opaque = vec![1], body);
    encrypt_differs(|request| request.opaque = Vec::new(), body);
    encrypt_differs(|request| request.body = "Plaintext=", body);
}

#[test]
fn what_a_rule_allows_is_told_where_it_is_not_kept() {
    let list_differs = |change: fn(&mut Request), field: &str| {
        let mut request = list();
        change(&mut request);
        let message = judged(&request).expect_err(field);
        assert!(message.ends_with(field), "{message}");
    };
    let query = "in its query (the rule lets a provider send after, page-size, in clear)";
    list_differs(|request| request.query = vec![("before", false)], query);
    list_differs(|request| request.query = vec![("after", true)], query);
    list_differs(
        |request| request.headers.push("x-other"),
        "in its headers (the rule lets a provider send x-trace)",
    );
    list_differs(
        |request| request.opaque = vec![0],
        "in its body (the rule lets no opaque part stand there)",
    );
}

#[test]
fn the_nearest_rule_is_the_one_that_differs_least() {
    let mut request = list();
    request.rule = "encrypt";
    assert_eq!(
        judged(&request),
        Err(
            "the request encrypt to kms.eu.example.com:443 is not sent: no rule of the provider's \
             manifest describes it; from the nearest, list, it differs in its name"
                .to_owned()
        )
    );
    // As near to both: the one that was asked for.
    let mut request = encrypt();
    request.rule = "list";
    request.method = "GET";
    request.body = "";
    request.opaque = Vec::new();
    let message = judged(&request).expect_err("another path");
    assert!(
        message.ends_with("it differs from its rule in its path (the rule's is /keys)"),
        "{message}"
    );
}

#[test]
fn the_name_of_no_rule_is_not_repeated() {
    let mut request = encrypt();
    request.rule = "hunter2";
    request.method = "DELETE";
    assert_eq!(
        judged(&request),
        Err(
            "a request to kms.eu.example.com:443 is not sent: no rule of the provider's manifest \
             describes it; from the nearest, encrypt, it differs in its name, and its method (the \
             rule's is POST)"
                .to_owned()
        )
    );
}

#[test]
fn without_any_rule_nothing_is_sent() {
    let text = MANIFEST.split("[[request]]").next().expect("the head");
    let manifest = Manifest::parse(text).expect("a manifest");
    let endpoint = Endpoint {
        host: "a.example.com".to_owned(),
        port: 1,
        tls_profile: None,
    };
    let asked = AskedRequest {
        rule: "encrypt",
        endpoint: &endpoint,
        method: "GET",
        path: &[],
        query: &[],
        headers: &[],
        body: b"",
        opaque: &[],
    };
    let refusal = manifest.judge_request(&asked, &RuleContext::default());
    let refusal = refusal.expect_err("refused");
    assert_eq!(refusal.nearest(), None);
    assert_eq!(
        refusal.to_string(),
        "a request to a.example.com:1 is not sent: the provider's manifest has no rule for any \
         request"
    );
}
