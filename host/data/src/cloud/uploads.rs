//! Unfinished uploads as S3 and the XML API of Cloud Storage list them, and give them up.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use http::Method;
use object_store::Result;
use object_store::client::HttpResponse;
use object_store::path::Path;
use serde::Deserialize;

use super::answer::succeeded;
use super::{CloudError, segment};
use crate::unfinished::{MOST_UPLOADS, below};
use crate::{Fate, Unfinished, UnfinishedUpload, UnfinishedUploads};

/// The most pages that are asked for: a server may say of each that there is another one.
const MOST_PAGES: usize = 10;

/// Sends requests about a bucket, or about an object in it, that have no body.
#[async_trait]
pub(crate) trait AskBucket: fmt::Debug + Send + Sync {
    /// Sends one. `key` is the name of an object, escaped for a URL; empty for the bucket.
    async fn ask(
        &self,
        method: Method,
        key: &str,
        query: &str,
    ) -> std::result::Result<HttpResponse, CloudError>;
}

/// The uploads of one bucket.
#[derive(Debug)]
pub(crate) struct XmlUploads<A> {
    /// The backend's name.
    name: &'static str,
    bucket: A,
}

impl<A: AskBucket> XmlUploads<A> {
    pub(crate) fn new(name: &'static str, bucket: A) -> Self {
        Self { name, bucket }
    }

    async fn page(
        &self,
        prefix: &str,
        after: &Option<(String, String)>,
    ) -> std::result::Result<Page, CloudError> {
        let mut query = format!("uploads=&max-uploads={MOST_UPLOADS}");
        if !prefix.is_empty() {
            query.push_str(&format!("&prefix={}", segment(prefix)));
        }
        if let Some((key, id)) = after {
            query.push_str(&format!("&key-marker={}", segment(key)));
            query.push_str(&format!("&upload-id-marker={}", segment(id)));
        }
        let answer = self.bucket.ask(Method::GET, "", &query).await?;
        let answer = succeeded(Method::GET, answer).await?;
        quick_xml::de::from_reader(&answer.body[..]).map_err(|_| CloudError::Unreadable)
    }

    async fn all(&self, prefix: &str) -> std::result::Result<Unfinished, CloudError> {
        let mut uploads = Vec::new();
        let mut after = None;
        let mut complete = false;
        for _ in 0..MOST_PAGES {
            let page = self.page(prefix, &after).await?;
            let named = page.uploads.into_iter().filter(|upload| {
                // What is not below the prefix was not asked for.
                upload.key.starts_with(prefix) && !upload.key.is_empty()
            });
            uploads.extend(named.map(Upload::told));
            complete = !page.is_truncated;
            if complete || uploads.len() >= MOST_UPLOADS {
                break;
            }
            let next = (page.next_key_marker, page.next_upload_id_marker);
            if after.as_ref() == Some(&next) || next.0.is_empty() {
                break;
            }
            after = Some(next);
        }
        if uploads.len() > MOST_UPLOADS {
            uploads.truncate(MOST_UPLOADS);
            complete = false;
        }
        uploads.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Unfinished {
            uploads,
            complete,
            fate: Fate::Stay,
        })
    }

    async fn abort(&self, upload: &UnfinishedUpload) -> std::result::Result<(), CloudError> {
        let id = upload.id.as_deref().ok_or(CloudError::Unsupported)?;
        let key: Vec<String> = upload.path.split('/').map(segment).collect();
        let query = format!("uploadId={}", segment(id));
        let answer = self
            .bucket
            .ask(Method::DELETE, &key.join("/"), &query)
            .await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            _ => Err(CloudError::Missing),
        }
    }
}

#[async_trait]
impl<A: AskBucket> UnfinishedUploads for XmlUploads<A> {
    async fn unfinished_uploads(&self, prefix: &Path) -> Result<Unfinished> {
        let listed = self.all(&below(prefix)).await;
        listed.map_err(|error| error.into_store(self.name, prefix.as_ref()))
    }

    async fn give_up(&self, upload: &UnfinishedUpload) -> Result<()> {
        let given_up = self.abort(upload).await;
        given_up.map_err(|error| error.into_store(self.name, &upload.path))
    }
}

/// `ListMultipartUploadsResult`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
    #[serde(rename = "Upload", default)]
    uploads: Vec<Upload>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
    initiated: Option<String>,
}

impl Upload {
    fn told(self) -> UnfinishedUpload {
        let since = self.initiated.as_deref().and_then(time);
        UnfinishedUpload {
            path: self.key,
            size: None,
            since,
            id: Some(self.upload_id),
        }
    }
}

fn time(text: &str) -> Option<SystemTime> {
    Some(text.parse::<jiff::Timestamp>().ok()?.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers with these documents, the last one again and again; keeps what it was asked.
    #[derive(Debug)]
    struct Scripted {
        answers: Vec<String>,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl AskBucket for &'static Scripted {
        async fn ask(
            &self,
            method: Method,
            key: &str,
            query: &str,
        ) -> std::result::Result<HttpResponse, CloudError> {
            let mut asked = self.asked.lock().expect("no panic");
            asked.push(format!("{method} {key}?{query}"));
            let number = (asked.len() - 1).min(self.answers.len() - 1);
            Ok(http::Response::new(self.answers[number].clone().into()))
        }
    }

    fn scripted(answers: &[String]) -> (&'static Scripted, XmlUploads<&'static Scripted>) {
        let bucket: &'static Scripted = Box::leak(Box::new(Scripted {
            answers: answers.to_vec(),
            asked: Mutex::default(),
        }));
        (bucket, XmlUploads::new("test", bucket))
    }

    fn page(keys: &[&str], next: Option<&str>) -> String {
        let mut page = "<ListMultipartUploadsResult xmlns=\"u\"><Bucket>b</Bucket>".to_owned();
        page += &format!("<IsTruncated>{}</IsTruncated>", next.is_some());
        if let Some(next) = next {
            page += &format!("<NextKeyMarker>{next}</NextKeyMarker>");
            page += "<NextUploadIdMarker>i d</NextUploadIdMarker>";
        }
        for key in keys {
            page += &format!(
                "<Upload><Key>{key}</Key><UploadId>id-of-{key}</UploadId><Owner><ID>o</ID></Owner>\
                 <Initiated>2026-11-26T05:00:00.000Z</Initiated></Upload>"
            );
        }
        page + "</ListMultipartUploadsResult>"
    }

    #[tokio::test]
    async fn pages_are_asked_for_below_the_prefix_and_names_beside_it_left_out() {
        let (bucket, uploads) = scripted(&[
            page(&["in/a &amp; b", "in2/x"], Some("in/a &amp; b")),
            page(&["in/c"], None),
        ]);
        let listed = uploads.unfinished_uploads(&Path::from("in")).await;
        let listed = listed.expect("listed");
        assert!(listed.complete);
        let paths: Vec<_> = listed.uploads.iter().map(|upload| &*upload.path).collect();
        assert_eq!(paths, ["in/a & b", "in/c"]);
        let since = listed.uploads[0].since.expect("a time");
        let since: jiff::Timestamp = since.try_into().expect("a time");
        assert_eq!(since.to_string(), "2026-11-26T05:00:00Z");
        uploads.give_up(&listed.uploads[0]).await.expect("given up");
        assert_eq!(
            *bucket.asked.lock().expect("no panic"),
            [
                "GET ?uploads=&max-uploads=1000&prefix=in%2F",
                "GET ?uploads=&max-uploads=1000&prefix=in%2F&key-marker=in%2Fa%20%26%20b\
                 &upload-id-marker=i%20d",
                "DELETE in/a%20%26%20b?uploadId=id-of-in%2Fa%20%26%20b",
            ]
        );
    }

    #[tokio::test]
    async fn a_server_that_always_has_more_is_not_asked_for_ever() {
        // The same place again and again, and one that moves.
        let (bucket, uploads) = scripted(&[page(&["a"], Some("a"))]);
        let listed = uploads.unfinished_uploads(&Path::default()).await;
        assert!(!listed.expect("listed").complete);
        assert_eq!(bucket.asked.lock().expect("no panic").len(), 2);
        let pages: Vec<_> = (0..100)
            .map(|number| page(&[], Some(&number.to_string())))
            .collect();
        let (bucket, uploads) = scripted(&pages);
        let listed = uploads.unfinished_uploads(&Path::default()).await;
        assert!(!listed.expect("listed").complete);
        assert_eq!(bucket.asked.lock().expect("no panic").len(), MOST_PAGES);
        let many: Vec<_> = (0..3000).map(|number| format!("{number:04}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let (_, uploads) = scripted(&[page(&many, None)]);
        let listed = uploads.unfinished_uploads(&Path::default()).await;
        let listed = listed.expect("listed");
        assert_eq!((listed.uploads.len(), listed.complete), (1000, false));
    }
}
