//! The XML API of Cloud Storage over objects in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use http::{HeaderMap, Method, Request};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyMode, CopyOptions, Error, GetOptions, GetRange, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use percent_encoding::percent_decode_str;

use crate::http_server::{Answer, answer};

type Query = HashMap<String, String>;

/// One bucket.
#[derive(Debug)]
pub(super) struct Objects {
    bucket: String,
    store: InMemory,
    page: AtomicUsize,
    begun: AtomicUsize,
    uploads: Mutex<HashMap<String, Upload>>,
    /// What was put, by key and generation: old versions are kept.
    versions: Mutex<HashMap<(Path, String), Bytes>>,
}

/// An upload in parts.
#[derive(Debug)]
struct Upload {
    key: Path,
    begun: jiff::Timestamp,
    attributes: Attributes,
    parts: BTreeMap<u32, Bytes>,
}

impl Objects {
    pub(super) fn new(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            store: InMemory::new(),
            page: AtomicUsize::new(1000),
            begun: AtomicUsize::new(0),
            uploads: Mutex::default(),
            versions: Mutex::default(),
        }
    }

    pub(super) fn set_page(&self, most: usize) {
        self.page.store(most, Ordering::Relaxed);
    }

    pub(super) fn fill(&self, folder: &str, count: usize) {
        for number in 0..count {
            let name = Path::from(format!("{folder}/{number:05}"));
            let put = self.store.put(&name, "x".into()).now_or_never();
            put.expect("in memory").expect("put");
        }
    }

    pub(super) async fn respond(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let path = head.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let query: Query = url::form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes())
            .into_owned()
            .collect();
        if decoded(bucket) != self.bucket {
            return refused(404, "NoSuchBucket");
        }
        if key.is_empty() && query.contains_key("uploads") {
            return self.list_uploads(&query);
        }
        if key.is_empty() {
            return self.list(&query).await;
        }
        let Ok(key) = Path::parse(decoded(key)) else {
            return refused(400, "InvalidObjectName");
        };
        let answered = match (&head.method, query.get("uploadId")) {
            (&Method::POST, None) if query.contains_key("uploads") => {
                Ok(self.begin(&key, &head.headers))
            }
            (&Method::PUT, Some(upload)) => Ok(self.part(upload, &query, body)),
            (&Method::POST, Some(upload)) => self.complete(upload, &key, &body).await,
            (&Method::DELETE, Some(upload)) => Ok(self.abort(upload)),
            (&Method::PUT, None) => self.put(&key, &head.headers, body).await,
            (&Method::GET | &Method::HEAD, None) => self.get(&key, &head, &query).await,
            (&Method::DELETE, None) => self.delete(&key).await,
            _ => return refused(405, "MethodNotAllowed"),
        };
        answered.unwrap_or_else(|error| match error {
            Error::NotFound { .. } => refused(404, "NoSuchKey"),
            Error::NotModified { .. } => answer(304, &[], ""),
            Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                refused(412, "PreconditionFailed")
            }
            _ => refused(416, "InvalidRange"),
        })
    }

    async fn put(&self, key: &Path, headers: &HeaderMap, body: Bytes) -> Result<Answer, Error> {
        let condition = text(headers, "x-goog-if-generation-match");
        if let Some(source) = text(headers, "x-goog-copy-source") {
            let (_, source) = source.split_once('/').unwrap_or_default();
            let source = Path::parse(decoded(source))?;
            let mode = match condition {
                Some(_) => CopyMode::Create,
                None => CopyMode::Overwrite,
            };
            let options = CopyOptions::new().with_mode(mode);
            self.store.copy_opts(&source, key, options).await?;
            return Ok(answer(200, &[], "<CopyObjectResult/>"));
        }
        let mode = match condition {
            None => PutMode::Overwrite,
            Some("0") => PutMode::Create,
            Some(generation) => PutMode::Update(UpdateVersion {
                e_tag: Some(tag_of_generation(generation)),
                version: None,
            }),
        };
        let options = PutOptions {
            mode,
            attributes: attributes(headers),
            ..PutOptions::default()
        };
        let put = self.store.put_opts(key, body.clone().into(), options).await;
        let put = put.map_err(|error| match error {
            Error::NotFound { path, source } => Error::Precondition { path, source },
            other => other,
        })?;
        let tag = put.e_tag.unwrap_or_default();
        let generation = generation(&tag);
        let mut versions = self.versions.lock().expect("a lock");
        versions.insert((key.clone(), generation.clone()), body);
        let fields = [("etag", &*tag), ("x-goog-generation", &generation)];
        Ok(answer(200, &fields, ""))
    }

    async fn get(
        &self,
        key: &Path,
        head: &http::request::Parts,
        query: &Query,
    ) -> Result<Answer, Error> {
        let headers = &head.headers;
        let tag = |name| text(headers, name).map(str::to_owned);
        let date = |name| {
            let date = jiff::fmt::rfc2822::parse(text(headers, name)?).ok()?;
            Some(date.timestamp().as_second())
        };
        let options = GetOptions::new()
            .with_if_match(tag("if-match"))
            .with_if_none_match(tag("if-none-match"))
            .with_range(text(headers, "range").and_then(range));
        // Headers have whole seconds, and tags go before dates.
        let modified = self.store.head(key).await?.last_modified.timestamp();
        let changed = date("if-unmodified-since").is_some_and(|time| modified > time);
        if changed && options.if_match.is_none() {
            return Ok(refused(412, "PreconditionFailed"));
        }
        let unchanged = date("if-modified-since").is_some_and(|time| modified <= time);
        if unchanged && options.if_none_match.is_none() {
            return Ok(answer(304, &[], ""));
        }
        let partial = options.range.is_some();
        let got = self.store.get_opts(key, options).await?;
        let tag = got.meta.e_tag.clone().unwrap_or_default();
        let generation = generation(&tag);
        if let Some(asked) = query
            .get("generation")
            .filter(|asked| **asked != generation)
        {
            return Ok(self.version(key, asked, &got.meta));
        }
        let (meta, range) = (got.meta.clone(), got.range.clone());
        let mut fields = vec![
            ("etag".to_owned(), tag),
            ("x-goog-generation".to_owned(), generation),
            ("last-modified".to_owned(), rfc9110(&meta)),
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            // Of an empty object the head has no other sign of it.
            (
                "content-length".to_owned(),
                (range.end - range.start).to_string(),
            ),
        ];
        for (attribute, value) in &got.attributes {
            fields.push((header_of(attribute), value.to_string()));
        }
        if partial {
            let last = range.end.saturating_sub(1);
            let range = format!("bytes {}-{last}/{}", range.start, meta.size);
            fields.push(("content-range".to_owned(), range));
        }
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let bytes = got.bytes().await?;
        Ok(answer(if partial { 206 } else { 200 }, &fields, bytes))
    }

    /// The whole of an old version.
    fn version(&self, key: &Path, generation: &str, current: &ObjectMeta) -> Answer {
        let versions = self.versions.lock().expect("a lock");
        let Some(content) = versions.get(&(key.clone(), generation.to_owned())) else {
            return refused(404, "NoSuchKey");
        };
        let fields = [
            ("etag", &*tag_of_generation(generation)),
            ("x-goog-generation", generation),
            ("last-modified", &rfc9110(current)),
        ];
        answer(200, &fields, content.clone())
    }

    async fn delete(&self, key: &Path) -> Result<Answer, Error> {
        // The store in memory does not mind an object that is missing; the service does.
        self.store.head(key).await?;
        self.store.delete(key).await?;
        Ok(answer(204, &[], ""))
    }

    async fn list(&self, query: &Query) -> Answer {
        let field = |name: &str| query.get(name).map_or("", String::as_str);
        let (prefix, delimiter) = (field("prefix"), field("delimiter"));
        let after = field("start-after").max(field("continuation-token"));
        let page = self.page.load(Ordering::Relaxed);
        let page = field("max-keys").parse().unwrap_or(page).min(page);
        let mut all: Vec<_> = self
            .store
            .list(None)
            .try_collect()
            .await
            .unwrap_or_default();
        all.sort_by(|one, other| one.location.cmp(&other.location));
        let (mut contents, mut prefixes) = (Vec::new(), BTreeSet::new());
        let mut next = None;
        for meta in all {
            let key = meta.location.as_ref();
            let Some(rest) = key.strip_prefix(prefix).filter(|_| key > after) else {
                continue;
            };
            let folder = match delimiter {
                "" => None,
                delimiter => rest.find(delimiter).map(|at| &key[..prefix.len() + at + 1]),
            };
            if folder.is_some_and(|folder| prefixes.contains(folder) || after.starts_with(folder)) {
                continue;
            }
            if contents.len() + prefixes.len() == page {
                next = contents
                    .last()
                    .map(|meta: &ObjectMeta| meta.location.to_string());
                next = next.max(prefixes.last().map(|folder: &String| format!("{folder}~")));
                break;
            }
            match folder {
                Some(folder) => drop(prefixes.insert(folder.to_owned())),
                None => contents.push(meta),
            }
        }
        answer(
            200,
            &[("content-type", "application/xml")],
            page_of(&contents, &prefixes, next),
        )
    }

    fn list_uploads(&self, query: &Query) -> Answer {
        let prefix = query.get("prefix").map_or("", String::as_str);
        let uploads = self.uploads.lock().expect("a lock");
        let below = uploads
            .iter()
            .filter(|(_, upload)| upload.key.as_ref().starts_with(prefix));
        let listed: String = below
            .map(|(id, upload)| {
                format!(
                    "<Upload><Key>{}</Key><UploadId>{id}</UploadId><StorageClass>STANDARD\
                     </StorageClass><Initiated>{}</Initiated></Upload>",
                    xml(upload.key.as_ref()),
                    upload.begun
                )
            })
            .collect();
        let body = format!(
            "<?xml version='1.0' encoding='UTF-8'?><ListMultipartUploadsResult>\
             <Bucket>{}</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker>\
             <NextKeyMarker></NextKeyMarker><NextUploadIdMarker></NextUploadIdMarker>\
             <MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>{listed}\
             </ListMultipartUploadsResult>",
            self.bucket
        );
        answer(200, &[("content-type", "application/xml")], body)
    }

    fn begin(&self, key: &Path, headers: &HeaderMap) -> Answer {
        let id = format!("upload-{}", self.begun.fetch_add(1, Ordering::Relaxed));
        let mut uploads = self.uploads.lock().expect("a lock");
        let upload = Upload {
            key: key.clone(),
            begun: jiff::Timestamp::now(),
            attributes: attributes(headers),
            parts: BTreeMap::new(),
        };
        uploads.insert(id.clone(), upload);
        let body = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        answer(200, &[], body)
    }

    /// How many uploads were begun and neither completed nor given up.
    pub(super) fn uploads(&self) -> usize {
        self.uploads.lock().expect("a lock").len()
    }

    fn part(&self, upload: &str, query: &Query, body: Bytes) -> Answer {
        let mut uploads = self.uploads.lock().expect("a lock");
        let number = query
            .get("partNumber")
            .and_then(|number| number.parse().ok());
        let (Some(begun), Some(number)) = (uploads.get_mut(upload), number) else {
            return refused(404, "NoSuchUpload");
        };
        begun.parts.insert(number, body);
        answer(200, &[("etag", &tag_of(upload, number))], "")
    }

    async fn complete(&self, upload: &str, key: &Path, body: &Bytes) -> Result<Answer, Error> {
        let Some(begun) = self.uploads.lock().expect("a lock").remove(upload) else {
            return Ok(refused(404, "NoSuchUpload"));
        };
        let asked = String::from_utf8_lossy(body).into_owned();
        // Every part is named with the tag that it was given, in the order of the numbers.
        let mut rest = asked.as_str();
        for number in begun.parts.keys() {
            let tag = tag_of(upload, *number);
            let Some(at) = rest.find(&tag) else {
                return Ok(refused(400, "InvalidPart"));
            };
            rest = &rest[at + tag.len()..];
        }
        let whole: PutPayload = begun.parts.into_values().collect();
        let put = self
            .store
            .put_opts(key, whole, begun.attributes.into())
            .await?;
        let tag = put.e_tag.unwrap_or_default();
        let body = format!(
            "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>k</Key><ETag>{tag}</ETag>\
             </CompleteMultipartUploadResult>",
            self.bucket
        );
        Ok(answer(
            200,
            &[("x-goog-generation", &generation(&tag))],
            body,
        ))
    }

    fn abort(&self, upload: &str) -> Answer {
        match self.uploads.lock().expect("a lock").remove(upload) {
            Some(_) => answer(204, &[], ""),
            None => refused(404, "NoSuchUpload"),
        }
    }
}

/// An error as the XML API writes it.
pub(super) fn refused(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>\
         <Message>a text of the service</Message></Error>"
    );
    answer(status, &[("content-type", "application/xml")], body)
}

fn page_of(contents: &[ObjectMeta], prefixes: &BTreeSet<String>, next: Option<String>) -> String {
    let mut page = "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>".to_owned();
    page += &format!("<IsTruncated>{}</IsTruncated>", next.is_some());
    if let Some(next) = next {
        page += &format!(
            "<NextContinuationToken>{}</NextContinuationToken>",
            xml(&next)
        );
    }
    for meta in contents {
        page += &format!(
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
             <Size>{}</Size></Contents>",
            xml(meta.location.as_ref()),
            meta.last_modified.to_rfc3339(),
            meta.e_tag.as_deref().unwrap_or_default(),
            meta.size
        );
    }
    for prefix in prefixes {
        page += &format!(
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            xml(prefix)
        );
    }
    page + "</ListBucketResult>"
}

/// The generation of an object of the store in memory, which counts its tags from 0; no object has
/// the generation 0.
fn generation(tag: &str) -> String {
    let number: u64 = tag.trim_matches('"').parse().expect("a number");
    (number + 1).to_string()
}

fn tag_of_generation(generation: &str) -> String {
    match generation
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_sub(1))
    {
        Some(number) => format!("\"{number}\""),
        None => "none".to_owned(),
    }
}

fn tag_of(upload: &str, part: u32) -> String {
    format!("\"{upload}-part-{part}\"")
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn range(text: &str) -> Option<GetRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some(match (first.parse().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) => GetRange::Bounded(first..last + 1),
        (Some(first), None) => GetRange::Offset(first),
        (None, Some(length)) => GetRange::Suffix(length),
        (None, None) => return None,
    })
}

fn rfc9110(meta: &ObjectMeta) -> String {
    let time = std::time::SystemTime::from(meta.last_modified);
    let time = jiff::Timestamp::try_from(time).expect("a time");
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .expect("a date")
}

fn attributes(headers: &HeaderMap) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in headers {
        let attribute = match name.as_str() {
            "cache-control" => Attribute::CacheControl,
            "content-disposition" => Attribute::ContentDisposition,
            "content-encoding" => Attribute::ContentEncoding,
            "content-language" => Attribute::ContentLanguage,
            "content-type" => Attribute::ContentType,
            other => match other.strip_prefix("x-goog-meta-") {
                Some(name) => Attribute::Metadata(name.to_owned().into()),
                None => continue,
            },
        };
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        attributes.insert(attribute, value.into());
    }
    attributes
}

fn header_of(attribute: &Attribute) -> String {
    match attribute {
        Attribute::CacheControl => "cache-control".to_owned(),
        Attribute::ContentDisposition => "content-disposition".to_owned(),
        Attribute::ContentEncoding => "content-encoding".to_owned(),
        Attribute::ContentLanguage => "content-language".to_owned(),
        Attribute::Metadata(name) => format!("x-goog-meta-{name}"),
        _ => "content-type".to_owned(),
    }
}
