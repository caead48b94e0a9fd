//! A request that a rule describes, made from the rule.

use portolan_contract::{
    AskedRequest, AuthorityHost, Endpoint, Manifest, RequestRefusal, RequestRule, RuleContext,
};
use serde_json::{Map, Value};

/// What the URI's authority and each of its options lead to.
const HOST: &str = "server.example";

/// What stands where an opaque part will be.
const MARK: &str = "@opaque@";

/// A request, and the URI's part in it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    rule: String,
    endpoint: Endpoint,
    pub(crate) method: String,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, bool)>,
    pub(crate) headers: Vec<String>,
    pub(crate) body: Body,
    context: RuleContext,
}

/// A body, and where opaque parts stand in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    opaque: Vec<usize>,
}

impl Body {
    /// The body in whose text a mark stands for each opaque part.
    pub(crate) fn marked(text: &str) -> Self {
        let mut pieces = text.split(MARK);
        let mut body = Self::default();
        let first = pieces.next().unwrap_or_default();
        body.bytes.extend_from_slice(first.as_bytes());
        for piece in pieces {
            body.opaque.push(body.bytes.len());
            body.bytes.extend_from_slice(piece.as_bytes());
        }
        body
    }

    /// The text, with a mark for each opaque part.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8(self.bytes.clone()).expect("text");
        for place in self.opaque.iter().rev() {
            text.insert_str(*place, MARK);
        }
        text
    }

    /// The same with each mark as this text.
    pub(crate) fn with_marks_as(&self, text: &str) -> Self {
        Self::marked(&self.text().replace(MARK, text))
    }
}

impl Request {
    pub(crate) fn host(&self) -> &str {
        &self.endpoint.host
    }

    pub(crate) fn named(&self, name: &str) -> Self {
        Self {
            rule: name.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn to(&self, host: &str) -> Self {
        let mut request = self.clone();
        request.endpoint.host = host.to_owned();
        request
    }

    /// The rule of the manifest that describes it.
    pub(crate) fn judge<'a>(
        &self,
        manifest: &'a Manifest,
    ) -> Result<&'a RequestRule, RequestRefusal> {
        let query = self.query.iter();
        let query: Vec<_> = query.map(|(name, opaque)| (&**name, *opaque)).collect();
        let headers: Vec<_> = self.headers.iter().map(String::as_str).collect();
        let asked = AskedRequest {
            rule: &self.rule,
            endpoint: &self.endpoint,
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &headers,
            body: &self.body.bytes,
            opaque: &self.body.opaque,
        };
        manifest.judge_request(&asked, &self.context)
    }
}

/// A request to a host of this pattern, with everything that the rule lets a provider send.
pub(crate) fn conforming(manifest: &Manifest, rule: &RequestRule, host: &str) -> Request {
    let authority = AuthorityHost {
        host: HOST.to_owned(),
        port: None,
    };
    let options = manifest.options.iter().filter(|option| option.public);
    let options = options.map(|option| (option.name.clone(), format!("https://{HOST}")));
    let sent = rule.allow_query.iter().cloned();
    Request {
        rule: rule.name.clone(),
        endpoint: Endpoint {
            host: matching_host(host),
            port: 443,
            tls_profile: Some("server".to_owned()),
        },
        method: rule.method.clone(),
        path: matching_path(rule.path.as_str()),
        query: sent.map(|name| (name, false)).collect(),
        headers: rule.allow_headers.clone(),
        body: body(rule),
        context: RuleContext::of(vec![authority], options.collect()),
    }
}

fn matching_host(pattern: &str) -> String {
    let labels = pattern.split_once('{').map(|(labels, _)| labels);
    let pattern = match labels {
        Some(labels) => format!("{labels}{HOST}"),
        None => pattern.to_owned(),
    };
    pattern.replace("**", "a.b").replace('*', "a")
}

fn matching_path(pattern: &str) -> Vec<String> {
    // The host puts the secret path in.
    if pattern == "/{path}" || pattern == "/" {
        return Vec::new();
    }
    let segments = pattern.trim_start_matches('/').split('/');
    let segments = segments.flat_map(|segment| match segment {
        "**" => vec!["a".to_owned(), "b".to_owned()],
        segment => vec![segment.replace('*', "a b")],
    });
    segments.collect()
}

/// A JSON document with an opaque part at each pointer of the rule.
fn body(rule: &RequestRule) -> Body {
    if rule.opaque_body.is_empty() {
        return Body::marked("content");
    }
    let mut document = Value::Object(Map::new());
    document["Other"] = "content".into();
    for pointer in &rule.opaque_body {
        let mut place = &mut document;
        for step in pointer.as_str().trim_start_matches('/').split('/') {
            place = &mut place[step.replace("~1", "/").replace("~0", "~")];
        }
        *place = MARK.into();
    }
    Body::marked(&document.to_string())
}
