//! Blocks that no object was made of.
//!
//! The service has no list of uploads: it lists blobs that have blocks and nothing else among the
//! others, as empty ones. So the blocks of what is empty are asked for; those that were to replace an
//! object with content are in no list. There is no call either that removes them, but for one that
//! writes the object; the service drops them after a week.

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use http::{Method, StatusCode};
use jiff::fmt::rfc2822;
use object_store::Result;
use object_store::path::Path;
use serde::Deserialize;

use super::NAME;
use super::container::Container;
use crate::cloud::answer::succeeded;
use crate::cloud::{CloudError, segment};
use crate::unfinished::{MOST_UPLOADS, below};
use crate::{Fate, Unfinished, UnfinishedUpload, UnfinishedUploads};

/// The most pages of 5,000 blobs that are looked through.
const MOST_PAGES: usize = 20;

/// How many blobs are asked for their blocks at a time.
const ASKED_AT_ONCE: usize = 8;

#[async_trait]
impl UnfinishedUploads for Container {
    async fn unfinished_uploads(&self, prefix: &Path) -> Result<Unfinished> {
        let found = self.uncommitted(&below(prefix)).await;
        found.map_err(|error| error.into_store(NAME, prefix.as_ref()))
    }

    async fn give_up(&self, upload: &UnfinishedUpload) -> Result<()> {
        Err(CloudError::Unsupported.into_store(NAME, &upload.path))
    }
}

impl Container {
    async fn uncommitted(&self, prefix: &str) -> std::result::Result<Unfinished, CloudError> {
        let (mut empty, mut marker) = (Vec::new(), String::new());
        let mut complete = false;
        for _ in 0..MOST_PAGES {
            let page = self.page(prefix, &marker).await?;
            let blobs = page.blobs.blobs.into_iter();
            empty.extend(blobs.filter(|blob| {
                // A folder's marker is one as well; what is not below the prefix was not asked for.
                blob.properties.content_length.unwrap_or(0) == 0 && blob.name.starts_with(prefix)
            }));
            complete = page.next_marker.is_empty();
            if complete || empty.len() > MOST_UPLOADS || page.next_marker == marker {
                break;
            }
            marker = page.next_marker;
        }
        if empty.len() > MOST_UPLOADS {
            empty.truncate(MOST_UPLOADS);
            complete = false;
        }
        let asked = futures::stream::iter(empty).map(|blob| async move {
            let sizes = self.blocks(&blob.name).await?;
            Ok::<_, CloudError>((!sizes.is_empty()).then(|| blob.told(sizes.iter().sum())))
        });
        let mut uploads: Vec<_> = asked
            .buffered(ASKED_AT_ONCE)
            .try_filter_map(|upload| std::future::ready(Ok(upload)))
            .try_collect()
            .await?;
        uploads.sort_by(|one: &UnfinishedUpload, other| one.path.cmp(&other.path));
        Ok(Unfinished {
            uploads,
            complete,
            fate: Fate::DroppedAfterAWeek,
        })
    }

    async fn page(&self, prefix: &str, marker: &str) -> std::result::Result<Page, CloudError> {
        let mut query = "restype=container&comp=list&include=uncommittedblobs".to_owned();
        for (name, value) in [("prefix", prefix), ("marker", marker)] {
            if !value.is_empty() {
                query.push_str(&format!("&{name}={}", segment(value)));
            }
        }
        let answer = self.send(Method::GET, "", &query, []).await?;
        let answer = succeeded(Method::GET, answer).await?;
        quick_xml::de::from_reader(&answer.body[..]).map_err(|_| CloudError::Unreadable)
    }

    /// The sizes of the blocks that wait at a name.
    async fn blocks(&self, name: &str) -> std::result::Result<Vec<u64>, CloudError> {
        let query = "comp=blocklist&blocklisttype=uncommitted";
        let answer = self.send(Method::GET, name, query, []).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            // It was completed and removed, or dropped, since the list.
            return Ok(Vec::new());
        }
        let answer = succeeded(Method::GET, answer).await?;
        let list: BlockList =
            quick_xml::de::from_reader(&answer.body[..]).map_err(|_| CloudError::Unreadable)?;
        let blocks = list.uncommitted.unwrap_or_default().blocks;
        Ok(blocks.into_iter().map(|block| block.size).collect())
    }
}

/// `EnumerationResults`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    blobs: Blobs,
    #[serde(default)]
    next_marker: String,
}

#[derive(Debug, Default, Deserialize)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    content_length: Option<u64>,
    #[serde(rename = "Last-Modified")]
    last_modified: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BlockList {
    #[serde(rename = "UncommittedBlocks")]
    uncommitted: Option<Blocks>,
}

#[derive(Debug, Default, Deserialize)]
struct Blocks {
    #[serde(rename = "Block", default)]
    blocks: Vec<Block>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    size: u64,
}

impl Blob {
    fn told(self, size: u64) -> UnfinishedUpload {
        let modified = self.properties.last_modified;
        let since = modified.and_then(|text| rfc2822::parse(&text).ok());
        UnfinishedUpload {
            path: self.name,
            size: Some(size),
            since: since.map(|time| time.timestamp().into()),
            id: None,
        }
    }
}
