//! A folder as WebDAV tells it (RFC 4918).
//!
//! Folders are listed one by one: many servers refuse `Depth: infinity`, and what is held is one
//! folder and the names of those still to be listed.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use object_store::client::HttpRequestBody;
use object_store::path::Path;
use object_store::{ObjectMeta, Result};
use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::dialect::PROPFIND;
use super::read::date;
use super::write::method;
use super::{HttpStore, NAME};
use crate::cloud::{Cause, CloudError};

/// How deep folders may lie in each other, so that a server that makes up ever new ones comes to an
/// end.
const MOST_DEPTH: usize = 256;

/// How deep elements of an answer may lie in each other.
const MOST_ELEMENTS: usize = 32;

/// How far below the place a request reaches.
pub(super) const DEPTH: HeaderName = HeaderName::from_static("depth");

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Neither an object nor a folder.
    Nothing,
    /// A folder, with whatever is in it.
    Folder,
    /// An object.
    Object,
    /// A server without WebDAV does not say.
    Untold,
}

/// What lies right in a folder, in the order of names.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) objects: Vec<ObjectMeta>,
    pub(super) folders: Vec<Path>,
}

impl HttpStore {
    /// What WebDAV tells of a place: nothing where nothing is there.
    async fn told(
        &self,
        url: String,
        depth: &'static str,
    ) -> std::result::Result<Vec<Entry>, CloudError> {
        let headers = [(DEPTH, HeaderValue::from_static(depth))];
        let empty = HttpRequestBody::empty();
        let answer = self.send(method(PROPFIND)?, url, headers, empty).await?;
        match answer.status() {
            StatusCode::MULTI_STATUS => {}
            // Also where an object has the name of the folder.
            StatusCode::NOT_FOUND | StatusCode::CONFLICT => return Ok(Vec::new()),
            // A server that answers as it would to any method speaks no WebDAV.
            _ => return Err(CloudError::Unsupported),
        }
        let body = answer.into_body().bytes().await;
        entries(&body.map_err(|_| CloudError::Unreadable)?)
    }

    /// What is at a place, as far as the server tells.
    pub(super) async fn place(&self, location: &Path) -> std::result::Result<Place, CloudError> {
        match self.told(self.url(location), "0").await {
            Ok(entries) if entries.is_empty() => Ok(Place::Nothing),
            Ok(entries) if entries.iter().any(|entry| entry.is_folder) => Ok(Place::Folder),
            Ok(_) => Ok(Place::Object),
            Err(CloudError::Unsupported) => Ok(Place::Untold),
            Err(CloudError::Refused(refusal)) => match refusal.cause() {
                Cause::Folder => Ok(Place::Folder),
                Cause::NotImplemented => Ok(Place::Untold),
                _ => Err(CloudError::Refused(refusal)),
            },
            Err(error) => Err(error),
        }
    }

    /// One folder; one that is not there is empty.
    pub(super) async fn folder(&self, location: &Path) -> std::result::Result<Folder, CloudError> {
        let mut folder = Folder::default();
        for entry in self.told(self.folder_url(location), "1").await? {
            let path = path_of(&entry.href)?;
            let Some(mut rest) = path.prefix_match(location) else {
                return Err(CloudError::Unreadable);
            };
            match (rest.next(), rest.next()) {
                // The folder itself.
                (None, _) => continue,
                (Some(_), None) => {}
                (Some(_), Some(_)) => return Err(CloudError::Unreadable),
            }
            match entry.is_folder {
                true => folder.folders.push(path.clone()),
                false => folder.objects.push(ObjectMeta {
                    location: path.clone(),
                    last_modified: entry.modified.unwrap_or(UNIX_EPOCH).into(),
                    size: entry.size.ok_or(CloudError::Unreadable)?,
                    e_tag: entry.e_tag,
                    version: None,
                }),
            }
        }
        folder
            .objects
            .sort_unstable_by(|one, other| one.location.cmp(&other.location));
        folder.folders.sort_unstable();
        Ok(folder)
    }

    /// Every object below a folder.
    pub(super) fn walk(&self, root: Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let this = self.clone();
        let depth = root.parts().count();
        let folders = VecDeque::from([root]);
        futures::stream::try_unfold(folders, move |mut folders| {
            let this = this.clone();
            async move {
                let Some(next) = folders.pop_front() else {
                    return Ok(None);
                };
                let listed = match next.parts().count() <= depth + MOST_DEPTH {
                    true => this.folder(&next).await,
                    false => Err(CloudError::Unreadable),
                };
                let listed = listed.map_err(|error| error.into_store(NAME, next.as_ref()))?;
                // Depth first, so that few names wait.
                for folder in listed.folders.into_iter().rev() {
                    folders.push_front(folder);
                }
                let objects = listed.objects.into_iter().map(Ok);
                Ok::<_, object_store::Error>(Some((futures::stream::iter(objects), folders)))
            }
        })
        .try_flatten()
        .boxed()
    }
}

/// One `response` of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    href: String,
    is_folder: bool,
    size: Option<u64>,
    modified: Option<SystemTime>,
    e_tag: Option<String>,
}

/// The path of an object's URL, which may be whole or a path alone.
fn path_of(href: &str) -> std::result::Result<Path, CloudError> {
    let uri: Uri = href.parse().map_err(|_| CloudError::Unreadable)?;
    let mut parts = Vec::new();
    for segment in uri.path().trim_matches('/').split('/') {
        let segment = percent_decode_str(segment).decode_utf8();
        let segment = segment.map_err(|_| CloudError::BadName)?;
        if !segment.is_empty() {
            crate::nodelocal::check_name(&segment).map_err(|_| CloudError::BadName)?;
            parts.push(segment);
        }
    }
    Path::parse(parts.join("/")).map_err(|_| CloudError::BadName)
}

/// The responses of a `multistatus`. Properties that the server does not have stand there as well,
/// empty; they are left out.
fn entries(body: &[u8]) -> std::result::Result<Vec<Entry>, CloudError> {
    let unreadable = CloudError::Unreadable;
    let mut reader = Reader::from_reader(body);
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut entries = Vec::new();
    let mut entry = Entry::default();
    let mut text = String::new();
    let mut is_list = false;
    loop {
        match reader.read_event().map_err(|_| CloudError::Unreadable)? {
            Event::Start(start) => {
                if open.len() == MOST_ELEMENTS {
                    return Err(unreadable);
                }
                open.push(start.local_name().as_ref().to_vec());
                is_list |= is_root(&open);
                entry.is_folder |= is_collection(&open);
                text.clear();
            }
            Event::Empty(empty) => {
                open.push(empty.local_name().as_ref().to_vec());
                is_list |= is_root(&open);
                entry.is_folder |= is_collection(&open);
                open.pop();
            }
            Event::Text(part) => {
                text.push_str(&part.decode().map_err(|_| CloudError::Unreadable)?);
            }
            Event::CData(part) => {
                text.push_str(&part.decode().map_err(|_| CloudError::Unreadable)?);
            }
            Event::GeneralRef(part) => {
                text.push_str(
                    &crate::cloud::answer::resolved(&part).ok_or(CloudError::Unreadable)?,
                );
            }
            Event::End(_) => {
                let value = text.trim();
                let names: Vec<_> = open.iter().map(Vec::as_slice).collect();
                match names[..] {
                    [b"multistatus", b"response"] => entries.push(std::mem::take(&mut entry)),
                    [_, _, b"href"] => value.clone_into(&mut entry.href),
                    [_, _, b"propstat", b"prop", name] if !value.is_empty() => {
                        entry.set(name, value);
                    }
                    _ => {}
                }
                text.clear();
                open.pop();
            }
            // Entities of a document's own are not for lists.
            Event::DocType(_) => return Err(unreadable),
            Event::Eof => break,
            _ => {}
        }
    }
    match is_list && open.is_empty() {
        true => Ok(entries),
        false => Err(unreadable),
    }
}

fn is_root(open: &[Vec<u8>]) -> bool {
    open == [b"multistatus"]
}

fn is_collection(open: &[Vec<u8>]) -> bool {
    let last: Vec<_> = open.iter().rev().take(2).map(Vec::as_slice).collect();
    last[..] == [&b"collection"[..], &b"resourcetype"[..]]
}

impl Entry {
    fn set(&mut self, property: &[u8], value: &str) {
        match property {
            b"getcontentlength" => self.size = value.parse().ok(),
            b"getlastmodified" => self.modified = date(value),
            b"getetag" => self.e_tag = Some(value.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_any_prefix_is_read() {
        let body = r#"<?xml version="1.0" encoding="utf-8"?>
            <D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
            <D:response><D:href>/a%20b/</D:href><D:propstat><D:prop>
              <lp1:resourcetype xmlns:lp1="DAV:"><D:collection/></lp1:resourcetype>
            </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>http://h/a%20b/c&amp;d</D:href><D:propstat><D:prop>
              <D:resourcetype/><D:getcontentlength>5</D:getcontentlength>
              <D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>
              <D:getetag>"x"</D:getetag>
            </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
            <D:propstat><D:prop><D:getcontentlength/></D:prop></D:propstat></D:response>
            </D:multistatus>"#;
        let read = entries(body.as_bytes()).expect("read");
        assert!(read[0].is_folder && !read[1].is_folder, "{read:?}");
        assert_eq!(read[1].size, Some(5));
        assert_eq!(read[1].e_tag.as_deref(), Some("\"x\""));
        assert_eq!(path_of(&read[0].href).expect("a path").as_ref(), "a b");
        assert_eq!(path_of(&read[1].href).expect("a path").as_ref(), "a b/c&d");
    }

    #[test]
    fn what_is_no_list_is_told_and_never_panics() {
        let deep = "<a>".repeat(100_000);
        for body in [
            "<multistatus><response>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><multistatus/>",
            "<multistatus>&unknown;</multistatus>",
            "</multistatus>",
            &deep,
        ] {
            assert_eq!(
                entries(body.as_bytes()),
                Err(CloudError::Unreadable),
                "{body:.40}"
            );
        }
        for href in ["/a/%2e%2e/b", "/a/%2Fb", "/a%00", "/a/%ff", "/a/%5cb", "::"] {
            path_of(href).expect_err(href);
        }
    }
}
