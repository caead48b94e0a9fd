//! Requests that differ from a conforming one in one field.

use portolan_contract::{Difference, RequestRule};

use crate::conforming::{Body, Request};

/// Each of them, with the field.
pub(crate) fn requests(rule: &RequestRule, conforming: &Request) -> Vec<(Difference, Request)> {
    let changed = |change: &dyn Fn(&mut Request)| {
        let mut request = conforming.clone();
        change(&mut request);
        request
    };
    let hosts = hosts(rule, conforming.host());
    let hosts = hosts.into_iter().map(|host| conforming.to(&host));
    let mut all: Vec<_> = hosts.map(|request| (Difference::Host, request)).collect();
    for method in methods(rule) {
        let request = changed(&|request| request.method.clone_from(&method));
        all.push((Difference::Method, request));
    }
    for path in paths(rule.path.as_str(), &conforming.path) {
        let request = changed(&|request| request.path.clone_from(&path));
        all.push((Difference::Path, request));
    }
    for parameter in parameters(rule) {
        let request = changed(&|request| request.query.push(parameter.clone()));
        all.push((Difference::Query, request));
    }
    for header in headers(rule) {
        let request = changed(&|request| request.headers.push(header.clone()));
        all.push((Difference::Headers, request));
    }
    for body in bodies(rule, &conforming.body) {
        let request = changed(&|request| request.body.clone_from(&body));
        all.push((Difference::Body, request));
    }
    all
}

fn hosts(rule: &RequestRule, host: &str) -> Vec<String> {
    let mut hosts = vec![
        "evil.example".to_owned(),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        format!("{host}.evil.example"),
        format!("{host}:443"),
        host.replace('.', "-"),
    ];
    if let Some((_, parent)) = host.split_once('.') {
        hosts.push(parent.to_owned());
        hosts.push(format!("evil{parent}"));
    }
    let starred = |stars: &str| {
        let mut patterns = rule.host.iter();
        patterns.any(|pattern| pattern.as_str().starts_with(stars))
    };
    if !starred("**") {
        hosts.push(format!("a.{host}"));
    }
    if !starred("*") {
        hosts.push(format!("evil{host}"));
    }
    hosts
}

fn methods(rule: &RequestRule) -> Vec<String> {
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let methods = methods.iter().filter(|method| **method != rule.method);
    let mut methods: Vec<_> = methods.map(|method| (*method).to_owned()).collect();
    methods.extend([rule.method.to_lowercase(), format!("{} ", rule.method)]);
    methods
}

fn paths(pattern: &str, path: &[String]) -> Vec<Vec<String>> {
    let open = pattern.ends_with("/**");
    let mut paths = Vec::new();
    let mut change = |place: usize, segment: String| {
        let mut changed = path.to_vec();
        if changed.get(place) != Some(&segment) {
            changed[place] = segment;
            paths.push(changed);
        }
    };
    let patterns: Vec<_> = pattern.trim_start_matches('/').split('/').collect();
    for (place, segment) in path.iter().enumerate() {
        change(place, String::new());
        let pattern = patterns.get(place).copied().unwrap_or("**");
        match pattern {
            "*" | "**" => {}
            // What is written out around a star, and what is all of a segment.
            pattern if pattern.contains('*') => {
                change(place, "a b".to_owned());
                change(place, pattern.replace('*', ""));
                change(place, format!("{segment}x"));
            }
            _ => {
                change(place, format!("{segment}x"));
                change(place, format!("x{segment}"));
                change(place, segment.to_uppercase());
                change(place, "..".to_owned());
            }
        }
    }
    if open {
        paths.push(path[..patterns.len() - 1].to_vec());
    } else {
        paths.push([path, &["more".to_owned()]].concat());
        paths.push([path, &[String::new()]].concat());
        if !path.is_empty() {
            paths.push(path[..path.len() - 1].to_vec());
        }
    }
    paths
}

/// Parameters that a provider may not send: any other, one that the host sets, one that carries the
/// secret, and an opaque part in one that it may send.
fn parameters(rule: &RequestRule) -> Vec<(String, bool)> {
    let others = ["other".to_owned(), String::new()];
    let set = rule.query.keys().cloned();
    let secret = rule.parameter.iter().filter(|name| *name != "*").cloned();
    let all = others.into_iter().chain(set).chain(secret);
    let all = all.filter(|name| !rule.allow_query.contains(name));
    let mut all: Vec<_> = all.map(|name| (name, false)).collect();
    all.extend(rule.allow_query.iter().map(|name| (name.clone(), true)));
    all.extend(
        rule.allow_query
            .iter()
            .map(|name| (name.to_uppercase(), false)),
    );
    all
}

/// Headers that a provider may not send: those that the host sets or that say who asks, and any
/// other.
fn headers(rule: &RequestRule) -> Vec<String> {
    let own = [
        "authorization",
        "host",
        "content-length",
        "content-type",
        "cookie",
        "x-amz-security-token",
        "x-amz-target",
        "x-other",
    ];
    let set = rule.headers.keys().cloned();
    let secret = rule.header.iter().cloned();
    let all = own.map(str::to_owned).into_iter().chain(set).chain(secret);
    all.filter(|name| !rule.allow_headers.contains(name))
        .collect()
}

fn bodies(rule: &RequestRule, body: &Body) -> Vec<Body> {
    let marked = body.with_marks_as("@opaque@").text();
    if rule.opaque_body.is_empty() {
        let bodies = ["@opaque@", "content@opaque@", "{\"Other\":\"@opaque@\"}"];
        return bodies.map(Body::marked).to_vec();
    }
    vec![
        Body::marked(""),
        // In clear, twice, not alone in its string, and no string.
        body.with_marks_as("content"),
        body.with_marks_as("@opaque@@opaque@"),
        body.with_marks_as("a@opaque@"),
        body.with_marks_as("\"@opaque@\""),
        // Elsewhere, as well or instead.
        Body::marked(&marked.replace("content", "@opaque@")),
        Body::marked(&marked.replace("\"Other\"", "\"@opaque@\"")),
        Body::marked("{\"Other\":\"@opaque@\"}"),
        Body::marked(&format!("{marked}@opaque@")),
        // No one document.
        Body::marked(&format!("{marked}{marked}")),
        Body::marked(&format!("[{marked}]")),
    ]
}
