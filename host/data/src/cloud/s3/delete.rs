//! Many objects are deleted by one request.
//!
//! `object_store` has this request as well, and makes texts of what the answer says of each object.
//! Here each is a [`CloudError`] that names the object by its path.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, header};
use md5::Md5;
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::path::Path;
use quick_xml::escape::escape;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::dialect::S3Dialect;
use super::settings::Settings;
use super::signer::Signer;
use crate::cloud::answer::succeeded;
use crate::cloud::{Answer, Cause, CloudError, Connector};

/// The most objects that S3 deletes by one request.
pub(super) const MOST_OBJECTS: usize = 1_000;

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is gone, or was not there.
    Deleted,
    /// It is still there.
    Kept(CloudError),
    /// A request of its own may still delete it.
    Undone,
}

/// The request that deletes many.
#[derive(Debug)]
pub(super) struct Deletes {
    connector: Connector,
    dialect: S3Dialect,
    signer: Signer,
    /// Where the request goes: the bucket itself.
    url: String,
    skip_checksum: bool,
    /// The server was found to have no such request.
    lacking: AtomicBool,
}

impl Deletes {
    pub(super) fn new(
        settings: &Settings,
        connector: &Connector,
        dialect: S3Dialect,
        signer: Signer,
    ) -> Self {
        Self {
            connector: connector.clone(),
            dialect,
            signer,
            url: match settings.path_style {
                true => format!("{}?delete", settings.url()),
                false => format!("{}/?delete", settings.url()),
            },
            skip_checksum: settings.skip_checksum,
            lacking: AtomicBool::new(false),
        }
    }

    /// Deletes at most [`MOST_OBJECTS`] objects; what became of each, in their order.
    pub(super) async fn delete(&self, paths: &[&Path]) -> Vec<Fate> {
        let every = |fate: &Fate| vec![fate.clone(); paths.len()];
        // XML cannot carry every name; and one object has a request that every server knows.
        let together: Vec<&Path> = paths.iter().copied().filter(|path| fits(path)).collect();
        if together.len() < 2 || self.lacking.load(Ordering::Relaxed) {
            return every(&Fate::Undone);
        }
        let asked = match self.ask(&together).await {
            Err(error) if self.signer.renews(&error) => self.ask(&together).await,
            asked => asked,
        };
        let told = match asked {
            Ok(told) => told,
            Err(CloudError::Refused(refusal)) if *refusal.cause() == Cause::NotImplemented => {
                self.lacking.store(true, Ordering::Relaxed);
                return every(&Fate::Undone);
            }
            Err(error) => return every(&Fate::Kept(error)),
        };
        let fate = |path: &&Path| match told.get(path.as_ref()) {
            Some(fate) => fate.clone(),
            None if fits(path) => Fate::Kept(CloudError::Unreadable),
            None => Fate::Undone,
        };
        paths.iter().map(fate).collect()
    }

    /// Sends the request; what the answer says of each name.
    async fn ask(&self, paths: &[&Path]) -> Result<HashMap<String, Fate>, CloudError> {
        let request = self.request(paths).await?;
        let (asked, body) = request.into_parts();
        let again = HttpRequest::from_parts(asked.clone(), body);
        let answer = self.connector.send(again).await?;
        let answer = succeeded(asked.method.clone(), answer).await?;
        let result: DeleteResult =
            quick_xml::de::from_reader(&answer.body[..]).map_err(|_| CloudError::Unreadable)?;
        let told = result.told.into_iter().filter_map(|told| match told {
            Told::Deleted(of) => Some((of.key, Fate::Deleted)),
            Told::Error(of) => {
                let fate = self.refused(&asked, &answer, of.code.as_deref());
                Some((of.key, fate))
            }
            Told::Other => None,
        });
        Ok(told.collect())
    }

    fn refused(&self, asked: &Parts, answer: &Answer, code: Option<&str>) -> Fate {
        let code = code.unwrap_or_default();
        // Of an object that is not there some servers say so.
        if matches!(code, "NoSuchKey" | "NoSuchVersion") {
            return Fate::Deleted;
        }
        let meaning = self.dialect.meaning(code, asked, answer);
        let (cause, code) = meaning.unwrap_or((Cause::Unexpected, None));
        match cause {
            // What passes is waited for by the request of one object.
            Cause::Throttled | Cause::ServerError | Cause::Conflict => Fate::Undone,
            cause => Fate::Kept(self.connector.refused_one(asked, answer, cause, code)),
        }
    }

    async fn request(&self, paths: &[&Path]) -> Result<HttpRequest, CloudError> {
        let unusable = || CloudError::Setting {
            setting: "endpoint",
        };
        let body = Bytes::from(document(paths));
        let digest = Sha256::digest(&body);
        let mut request = HttpRequest::new(HttpRequestBody::from(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.parse().map_err(|_| unusable())?;
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/xml"),
        );
        let text = |sum: &[u8]| {
            HeaderValue::from_str(&BASE64_STANDARD.encode(sum)).map_err(|_| unusable())
        };
        // S3 takes this request only with a sum of its body: AWS either, older servers the first.
        headers.insert("content-md5", text(&Md5::digest(&body))?);
        if !self.skip_checksum {
            headers.insert("x-amz-checksum-sha256", text(&digest)?);
        }
        self.signer.sign(&mut request, &digest).await?;
        Ok(request)
    }
}

/// Whether XML can carry a name, and brings it back as it is.
fn fits(path: &Path) -> bool {
    let name = path.as_ref();
    let kept =
        |character: char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    name.chars().all(kept)
}

/// The body that names the objects.
fn document(paths: &[&Path]) -> String {
    let mut text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for path in paths {
        text.push_str("<Object><Key>");
        text.push_str(&escape(path.as_ref()));
        text.push_str("</Key></Object>");
    }
    text.push_str("</Delete>");
    text
}

#[derive(Debug, Deserialize)]
struct DeleteResult {
    #[serde(rename = "$value", default)]
    told: Vec<Told>,
}

#[derive(Debug, Deserialize)]
enum Told {
    Deleted(Object),
    Error(Object),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    key: String,
    code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_xml_wants_them() {
        let paths = ["a&b <c>", "d"].map(|name| Path::parse(name).expect("a name"));
        assert_eq!(
            document(&[&paths[0], &paths[1]]),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b \
             &lt;c&gt;</Key></Object><Object><Key>d</Key></Object></Delete>"
        );
    }

    #[test]
    fn an_answer_tells_of_each_object_in_any_order() {
        let text = "<?xml version=\"1.0\"?><DeleteResult xmlns=\"u\"><Deleted><Key>a</Key>\
                    <VersionId>1</VersionId></Deleted><Error><Key> b&amp;c </Key>\
                    <Code>AccessDenied</Code><Message>m</Message></Error><Later/><Deleted>\
                    <Key>d</Key></Deleted></DeleteResult>";
        let result: DeleteResult = quick_xml::de::from_str(text).expect("an answer");
        let told: Vec<_> = result
            .told
            .iter()
            .map(|told| match told {
                Told::Deleted(of) => (of.key.as_str(), None),
                Told::Error(of) => (of.key.as_str(), of.code.as_deref()),
                Told::Other => ("other", None),
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a", None),
                (" b&c ", Some("AccessDenied")),
                ("other", None),
                ("d", None)
            ]
        );
        assert!(quick_xml::de::from_str::<DeleteResult>("<DeleteResult><Deleted/>").is_err());
    }
}
