//! What a request rule may not say.

use super::{Authentication, JsonPointer, RequestRule};
use crate::manifest::check::{at_most, bad_name, host, is_name, is_option_name, no_doubles, short};
use crate::{HostPattern, Manifest, ManifestError, Visibility};

/// The most names or pointers in one list of a rule.
const MAX_LISTED: usize = 16;
/// The longest name of a query parameter.
const MAX_PARAMETER: usize = 128;
/// The services that Entra's tokens are asked for.
const ENTRA_SERVICES: [&str; 2] = ["key-vault", "storage"];

pub(in crate::manifest) fn rule(
    rule: &RequestRule,
    manifest: &Manifest,
) -> Result<(), ManifestError> {
    if !is_name(&rule.name) {
        return Err(bad_name("[[request]] name"));
    }
    let field = |field: &str| format!("request {}: {field}", rule.name);
    at_most(&field("host"), rule.host.len(), MAX_LISTED)?;
    if rule.host.is_empty() {
        return Err(ManifestError::invalid(
            field("host"),
            "at least one is listed",
        ));
    }
    for pattern in &rule.host {
        host(&field("host"), pattern, manifest)?;
    }
    if !(1..=16).contains(&rule.method.len())
        || !rule.method.bytes().all(|byte| byte.is_ascii_uppercase())
        || matches!(rule.method.as_str(), "CONNECT" | "TRACE")
    {
        return Err(ManifestError::invalid(
            field("method"),
            "a method is 1 to 16 capital letters, and not CONNECT or TRACE",
        ));
    }
    let own = rule.host.iter().all(HostPattern::is_authority);
    if rule.path.is_secret() && (manifest.path != Visibility::Secret || !own) {
        return Err(ManifestError::invalid(
            field("path"),
            "/{path} is the secret path of a URI, which goes only to the URI's own authority; write \
             path = \"secret\" in the manifest and host = \"{authority}\" in the rule",
        ));
    }
    query(rule, &field)?;
    headers(rule, &field)?;
    pointers(&field("opaque_body"), rule.opaque_body.iter())?;
    pointers(&field("opaque_answer"), rule.opaque_answer.keys())?;
    goes_with_authentication(rule, manifest, &field)
}

fn query(rule: &RequestRule, field: &dyn Fn(&str) -> String) -> Result<(), ManifestError> {
    at_most(&field("query"), rule.query.len(), MAX_LISTED)?;
    at_most(&field("allow_query"), rule.allow_query.len(), MAX_LISTED)?;
    let names = rule.query.keys().chain(&rule.allow_query);
    no_doubles("the query parameter", names.clone().map(String::as_str))?;
    let texts = names.chain(rule.query.values());
    if rule
        .query
        .keys()
        .chain(&rule.allow_query)
        .any(String::is_empty)
        || texts.into_iter().any(|text| {
            text.len() > MAX_PARAMETER || crate::strip_controls(text, text.len()) != *text
        })
    {
        return Err(ManifestError::invalid(
            field("query"),
            format!(
                "a name has 1 to {MAX_PARAMETER} bytes, a value at most as many, without controls"
            ),
        ));
    }
    match &rule.parameter {
        Some(name) if name != "*" && !is_option_name(name) => Err(ManifestError::invalid(
            field("parameter"),
            "it is an option's name or *",
        )),
        Some(name) if rule.query.contains_key(name) || rule.allow_query.contains(name) => {
            Err(ManifestError::Duplicate {
                what: "the query parameter",
                name: short(name),
            })
        }
        _ => Ok(()),
    }
}

fn headers(rule: &RequestRule, field: &dyn Fn(&str) -> String) -> Result<(), ManifestError> {
    at_most(&field("headers"), rule.headers.len(), MAX_LISTED)?;
    at_most(
        &field("allow_headers"),
        rule.allow_headers.len(),
        MAX_LISTED,
    )?;
    for (name, value) in &rule.headers {
        header_name(&field("headers"), name)?;
        if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(ManifestError::invalid(
                field("headers"),
                format!("the value of {name} is not printable ASCII"),
            ));
        }
    }
    for name in &rule.allow_headers {
        header_name(&field("allow_headers"), name)?;
    }
    // The one header that a secret may be the value of although it authenticates.
    if let Some(name) = &rule.header
        && name != "authorization"
    {
        header_name(&field("header"), name)?;
    }
    let names = rule.headers.keys().chain(&rule.allow_headers);
    no_doubles("the header", names.chain(&rule.header).map(String::as_str))
}

fn header_name(field: &str, name: &str) -> Result<(), ManifestError> {
    let token = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if token && !is_reserved(name) {
        return Ok(());
    }
    Err(ManifestError::invalid(
        field,
        format!(
            "{:?} is written in capitals, is no header name, or is the host's own",
            short(name)
        ),
    ))
}

/// What frames, routes or authenticates a message, or gives it another method, is the host's.
fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "host"
            | "connection"
            | "keep-alive"
            | "content-length"
            | "content-encoding"
            | "transfer-encoding"
            | "te"
            | "trailer"
            | "upgrade"
            | "http2-settings"
            | "accept-encoding"
            | "expect"
            | "cookie"
            | "cookie2"
            | "authorization"
            | "forwarded"
            | "via"
            | "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-url"
            | "x-rewrite-url"
            | "x-amz-date"
            | "x-amz-content-sha256"
            | "x-amz-security-token"
            | "x-amz-region-set"
    ) || name.starts_with("proxy-")
        || name.starts_with("x-forwarded-")
}

fn pointers<'a>(
    field: &str,
    pointers: impl ExactSizeIterator<Item = &'a JsonPointer> + Clone,
) -> Result<(), ManifestError> {
    at_most(field, pointers.len(), MAX_LISTED)?;
    no_doubles("the pointer", pointers.clone().map(JsonPointer::as_str))?;
    let mut pairs = pointers
        .clone()
        .flat_map(|one| pointers.clone().map(move |other| (one, other)));
    match pairs.find(|(one, other)| one != other && other.steps().starts_with(one.steps())) {
        Some((outer, inner)) => Err(ManifestError::invalid(
            field,
            format!("{inner} is inside of {outer}, which is a string"),
        )),
        None => Ok(()),
    }
}

fn goes_with_authentication(
    rule: &RequestRule,
    manifest: &Manifest,
    field: &dyn Fn(&str) -> String,
) -> Result<(), ManifestError> {
    use Authentication as A;
    let has = |way| rule.authenticates(way);
    let fields = [
        (
            "service",
            rule.service.is_some(),
            has(A::SigV4) || has(A::Entra),
            has(A::SigV4) || has(A::Entra),
        ),
        (
            "scope",
            rule.scope.is_some(),
            has(A::Google),
            has(A::Google) || has(A::OauthClientCredentials),
        ),
        (
            "header",
            rule.header.is_some(),
            has(A::SecretHeader),
            has(A::SecretHeader),
        ),
        (
            "parameter",
            rule.parameter.is_some(),
            has(A::SecretQuery),
            has(A::SecretQuery),
        ),
    ];
    for (name, given, needed, allowed) in fields {
        let problem = match (given, needed, allowed) {
            (false, true, _) => "this authentication needs it",
            (true, _, false) => "this authentication has no use for it",
            _ => continue,
        };
        return Err(ManifestError::invalid(field(name), problem));
    }
    let service = rule.service.as_deref();
    if has(A::Entra) && !service.is_some_and(|service| ENTRA_SERVICES.contains(&service)) {
        return Err(ManifestError::invalid(
            field("service"),
            format!("the services of Entra are {}", ENTRA_SERVICES.join(" and ")),
        ));
    }
    let mut ways = rule.authentication.iter();
    let own = rule.host.iter().all(HostPattern::is_authority);
    if ways.any(|way| way.stays_at_the_authority()) && !own {
        return Err(ManifestError::invalid(
            field("host"),
            "this authentication goes only to the URI's own authority; write {authority}",
        ));
    }
    let mut hosts = rule.host.iter();
    if has(A::Google) && !hosts.all(|host| host.stays_below("googleapis.com")) {
        return Err(ManifestError::invalid(
            field("host"),
            "tokens of Google go only to hosts below googleapis.com",
        ));
    }
    if has(A::OauthClientCredentials) && !manifest.options.iter().any(|option| option.token_url) {
        return Err(ManifestError::invalid(
            field("authentication"),
            "oauth-client-credentials needs an option that is marked token_url",
        ));
    }
    together(rule, field)
}

/// No two of them may write the same header.
fn together(rule: &RequestRule, field: &dyn Fn(&str) -> String) -> Result<(), ManifestError> {
    use Authentication as A;
    let writes_authorization = |way: &&A| match way {
        A::SigV4 | A::Google | A::Entra | A::OauthClientCredentials | A::Basic => true,
        A::SecretHeader => rule.header.as_deref() == Some("authorization"),
        A::SecretQuery | A::ClientCertificate => false,
    };
    let ways = &rule.authentication;
    let doubles = (1..ways.len()).any(|place| {
        let (before, rest) = ways.split_at(place);
        rest.first().is_some_and(|way| before.contains(way))
    });
    if doubles || ways.iter().filter(writes_authorization).count() > 1 {
        return Err(ManifestError::invalid(
            field("authentication"),
            "a way is listed twice, or two would both write the header authorization",
        ));
    }
    Ok(())
}
