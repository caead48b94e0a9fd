//! `http`: requests under the rules of the manifest, and answers with opaque members.

use std::fmt::Write as _;

use portolan_contract::{AskedRequest, Endpoint, PartEncoding};
use wasmtime::{Result, bail, format_err};

use super::Host;
use super::parts::{encoding_name, writing};
use crate::bindings::lent_host::http::{self, Request, Response};
use crate::bindings::lent_host::parts::Part;
use crate::bindings::types::Failure;
use crate::known::Writing;
use crate::words::{Words, quote};

/// A member of an answer that the guest does not see, and how it is written.
type Kept = (String, Writing);

impl http::Host for Host {
    fn send(&mut self, request: Request) -> Result<Result<Response, Failure>> {
        let mut kept = self.judge(&request)?;
        let mut call = format!(
            "send {} {} {} /{}",
            request.rule,
            request.endpoint,
            request.method,
            request.path.join("/")
        );
        for (name, value) in request.query {
            let value = self.show(vec![value])?;
            let _ = write!(call, "\n    query {name} ={value}");
        }
        for (name, value) in request.headers {
            let _ = write!(call, "\n    header {name}: {value}");
        }
        if !request.body.is_empty() {
            let body = self.show(request.body)?;
            let _ = write!(call, "\n    body{body}");
        }
        for member in &request.keep_opaque {
            let encoding = encoding_name(&member.encoding);
            let _ = write!(call, "\n    opaque {} {encoding}", member.pointer);
            if !kept.iter().any(|(pointer, _)| *pointer == member.pointer) {
                kept.push((member.pointer.clone(), writing(&member.encoding)?));
            }
        }
        self.answered(&call, |host, words| host.response(words, &kept))
    }
}

impl Host {
    /// What the real host refuses before it signs; else the members that the rule keeps opaque.
    fn judge(&self, request: &Request) -> Result<Vec<Kept>> {
        let endpoint = self.endpoint(request.endpoint)?;
        let endpoint = Endpoint {
            host: endpoint.host.clone(),
            port: endpoint.port,
            tls_profile: endpoint.tls_profile.clone(),
        };
        let (mut body, mut opaque) = (Vec::new(), Vec::new());
        for part in &request.body {
            match part {
                Part::Bytes(bytes) => body.extend_from_slice(bytes),
                Part::Secret(_) => opaque.push(body.len()),
            }
        }
        let is_opaque = |part: &Part| matches!(part, Part::Secret(_));
        let query = request.query.iter();
        let query: Vec<_> = query
            .map(|(name, value)| (name.as_str(), is_opaque(value)))
            .collect();
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let asked = AskedRequest {
            rule: &request.rule,
            endpoint: &endpoint,
            method: &request.method,
            path: &request.path,
            query: &query,
            headers: &headers,
            body: &body,
            opaque: &opaque,
        };
        match self.manifest.judge_request(&asked, &self.rules) {
            Ok(rule) => {
                let members = rule.opaque_answer.iter();
                let members = members.map(|(pointer, encoding)| {
                    let writing = match encoding {
                        PartEncoding::Base64 => Writing::Base64,
                        PartEncoding::Base64url => Writing::Base64url,
                        PartEncoding::JsonText => Writing::JsonText,
                        PartEncoding::Hex => bail!("this host reads no hex"),
                    };
                    Ok((pointer.as_str().to_owned(), writing))
                });
                members.collect()
            }
            Err(refusal) => bail!("{refusal}"),
        }
    }

    /// An answer: a status, then `header` lines and one `body`, in which `base64(NAME …)` and
    /// `base64url(NAME …)` are a secret as the server writes it.
    fn response(&mut self, words: &mut Words<'_>, kept: &[Kept]) -> Result<Response> {
        let status = words.number()?;
        let mut headers = Vec::new();
        let mut body = Vec::new();
        while !words.is_empty() {
            match words.word()? {
                "header" => {
                    let line = words.line();
                    let header = line.split_once(": ");
                    let (name, value) = header.ok_or_else(|| format_err!("no header: {line}"))?;
                    headers.push((name.to_owned(), value.to_owned()));
                }
                "body" => {
                    while !words.is_empty() {
                        let mut written = None;
                        for (name, writing) in Writing::ALL {
                            if let Some(secret) = words.call(name)? {
                                written = Some(writing.of(&self.known.read(secret)?.bytes));
                                break;
                            }
                        }
                        body.extend(match written {
                            Some(written) => written,
                            None => words.bytes()?,
                        });
                    }
                }
                other => bail!("`{other}` is nothing of an answer"),
            }
        }
        let body = self.keep_opaque(body, kept)?;
        let seen = body.iter().filter_map(|part| match part {
            Part::Bytes(bytes) => Some(bytes.as_slice()),
            Part::Secret(_) => None,
        });
        self.visible(&seen.collect::<Vec<_>>().concat())?;
        self.visible(format!("{headers:?}").as_bytes())?;
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Takes the members out of a JSON document that the guest must not see.
    fn keep_opaque(&mut self, body: Vec<u8>, kept: &[Kept]) -> Result<Vec<Part>> {
        if kept.is_empty() {
            return Ok(vec![Part::Bytes(body)]);
        }
        let document: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|error| format_err!("the body is no JSON: {error}"))?;
        let mut rest = String::from_utf8(body)?;
        let mut parts = Vec::new();
        for (pointer, writing) in kept {
            let Some(value) = document.pointer(pointer) else {
                continue;
            };
            let Some(text) = value.as_str() else {
                bail!("{pointer} is no string");
            };
            let (before, after) = rest
                .split_once(&quote(text.as_bytes()))
                .ok_or_else(|| format_err!("{pointer} is out of order"))?;
            parts.push(Part::Bytes(format!("{before}\"").into_bytes()));
            let secret = self.known.add(pointer, writing.read(text)?);
            parts.push(Part::Secret(self.lend(secret)?));
            rest = format!("\"{after}");
        }
        parts.push(Part::Bytes(rest.into_bytes()));
        Ok(parts)
    }
}
