//! An object store as a sink: messages in files, parted by time and topic.
//!
//! A file holds one message per line, and is named so that the names of a topic's files sort as they
//! were written: the day or hour, then the time of the first message, which sink wrote it, its number
//! and the topic. It is put as a whole, so that nobody reads half of one; its messages are
//! acknowledged once it is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use object_store::path::{Path, PathPart};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use portolan_contract::Message;

/// How files are parted by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partition {
    /// A folder for each day.
    #[default]
    Daily,
    /// A folder for each hour of each day.
    Hourly,
    /// No folders.
    Flat,
}

/// How messages become files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLayout {
    /// The bytes at which a topic's next file begins.
    pub file_size: u64,
    /// How files are parted by time.
    pub partition: Partition,
    /// What stands before the name of each topic.
    pub topic_prefix: String,
}

impl Default for FileLayout {
    fn default() -> Self {
        Self {
            file_size: 16_000_000,
            partition: Partition::default(),
            topic_prefix: String::new(),
        }
    }
}

/// Why messages are not in files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileSinkError {
    /// The store did not take a file.
    #[error("a file of messages could not be written")]
    Store(#[from] object_store::Error),
    /// A message is more than one line.
    #[error("a message with a line break cannot stand in a file with one message per line")]
    LineBreak,
}

/// Files that are being filled, below the place of a store.
#[derive(Debug)]
pub struct FileSink {
    store: Arc<dyn ObjectStore>,
    layout: FileLayout,
    /// What tells this sink's files from those of others.
    session: String,
    /// By topic.
    open: BTreeMap<String, OpenFile>,
    files: u32,
    emitted: u64,
}

/// A file that is not written yet.
#[derive(Debug)]
struct OpenFile {
    folder: String,
    name: String,
    lines: Vec<u8>,
    /// The number of its first message.
    first: u64,
}

impl FileSink {
    /// Nothing is written before the first file is full, or [flushed](Self::flush).
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, layout: FileLayout) -> Self {
        let session = uuid::Uuid::new_v4().as_u64_pair().0;
        Self {
            store,
            layout,
            session: format!("{session:016x}"),
            open: BTreeMap::new(),
            files: 0,
            emitted: 0,
        }
    }

    /// Takes messages, and says how many of all are in files that are written, counted from the
    /// first without a gap.
    ///
    /// # Errors
    ///
    /// A file could not be written, or a message is no line. What was taken before is lost with the
    /// sink unless it is acknowledged.
    pub async fn emit(&mut self, messages: &[Message]) -> Result<u64, FileSinkError> {
        for message in messages {
            if message.value.contains(&b'\n') {
                return Err(FileSinkError::LineBreak);
            }
            let folder = self.folder(message.timestamp);
            // A topic's files are written in the order of its messages.
            let is_elsewhere = |file: &OpenFile| file.folder != folder;
            if self.open.get(&message.topic).is_some_and(is_elsewhere) {
                self.write(&message.topic).await?;
            }
            let file = match self.open.remove(&message.topic) {
                Some(file) => file,
                None => self.begin(folder, message),
            };
            let file = self.open.entry(message.topic.clone()).or_insert(file);
            file.lines.extend_from_slice(&message.value);
            file.lines.push(b'\n');
            self.emitted += 1;
            if file.lines.len() as u64 >= self.layout.file_size {
                self.write(&message.topic).await?;
            }
        }
        Ok(self.acknowledged())
    }

    /// Writes every file that is being filled, and says as [`emit`](Self::emit) how many messages
    /// are in files: all of them.
    ///
    /// # Errors
    ///
    /// As [`emit`](Self::emit).
    pub async fn flush(&mut self) -> Result<u64, FileSinkError> {
        let topics: Vec<_> = self.open.keys().cloned().collect();
        for topic in topics {
            self.write(&topic).await?;
        }
        Ok(self.acknowledged())
    }

    fn acknowledged(&self) -> u64 {
        let firsts = self.open.values().map(|file| file.first);
        firsts.min().unwrap_or(self.emitted)
    }

    fn begin(&mut self, folder: String, message: &Message) -> OpenFile {
        self.files = self.files.wrapping_add(1);
        let time = time_of(message.timestamp);
        let time = time.strftime("%Y%m%d%H%M%S");
        // Nanoseconds and a logical clock, which consumers of such files cut off by their length.
        let below = message.timestamp % 1_000 * 1_000_000;
        OpenFile {
            folder,
            name: format!(
                "{time}{below:09}0000000000-{}-1-1-{:08x}-{}{}-1.ndjson",
                self.session, self.files, self.layout.topic_prefix, message.topic
            ),
            lines: Vec::new(),
            first: self.emitted,
        }
    }

    fn folder(&self, timestamp: u64) -> String {
        let time = time_of(timestamp);
        match self.layout.partition {
            Partition::Daily => time.strftime("%Y-%m-%d").to_string(),
            Partition::Hourly => time.strftime("%Y-%m-%d/%H").to_string(),
            Partition::Flat => String::new(),
        }
    }

    /// Puts the file of a topic, as a whole.
    async fn write(&mut self, topic: &str) -> Result<(), FileSinkError> {
        let Some(file) = self.open.get(topic) else {
            return Ok(());
        };
        let folder = file.folder.split('/').filter(|part| !part.is_empty());
        let parts = folder.map(PathPart::from);
        // A `/` in a topic is no border of folders.
        let path: Path = parts.chain([PathPart::from(file.name.as_str())]).collect();
        let lines = Bytes::copy_from_slice(&file.lines);
        self.store.put(&path, PutPayload::from_bytes(lines)).await?;
        self.open.remove(topic);
        Ok(())
    }
}

/// The time of a message; one that no calendar has is the first.
fn time_of(timestamp: u64) -> jiff::Zoned {
    let time = i64::try_from(timestamp).ok();
    let time = time.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    time.unwrap_or_default().to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use object_store::memory::InMemory;

    use super::*;

    /// 2026-11-26T05:59:01.234Z
    const TIME: u64 = 1_795_672_741_234;
    const HOUR: u64 = 3_600_000;

    fn message(topic: &str, value: &str, timestamp: u64) -> Message {
        Message {
            timestamp,
            ..Message::new(topic, value)
        }
    }

    fn layout(file_size: u64, partition: Partition) -> FileLayout {
        FileLayout {
            file_size,
            partition,
            topic_prefix: "p_".to_owned(),
        }
    }

    /// The files in the order of their names.
    async fn files(store: &InMemory) -> Vec<(String, String)> {
        let mut found: Vec<_> = store.list(None).try_collect().await.expect("a list");
        found.sort_by(|one, other| one.location.cmp(&other.location));
        let mut files = Vec::new();
        for object in found {
            let name = object.location.to_string();
            let read = store.get(&object.location).await.expect("an object");
            let content = read.bytes().await.expect("its bytes");
            let content = String::from_utf8(content.to_vec()).expect("a text");
            files.push((name, content));
        }
        files
    }

    #[tokio::test]
    async fn files_are_parted_by_time_and_topic_and_hold_a_line_per_message() {
        let store = Arc::new(InMemory::new());
        let mut sink = FileSink::new(
            Arc::<InMemory>::clone(&store),
            layout(1_000, Partition::Hourly),
        );
        let messages = [
            message("a/b", "1", TIME),
            message("c", "2", TIME),
            message("a/b", "3", TIME),
            message("a/b", "4", TIME + HOUR),
        ];
        // The change of the hour has the first file of its topic written.
        assert_eq!(sink.emit(&messages).await.expect("taken"), 1);
        assert_eq!(sink.flush().await.expect("written"), 4);
        let session = sink.session.clone();
        let expected = [
            (
                format!(
                    "2026-11-26/05/202611260559012340000000000000000-{session}-1-1-00000001-p_a%2Fb-1.ndjson"
                ),
                "1\n3\n".to_owned(),
            ),
            (
                format!(
                    "2026-11-26/05/202611260559012340000000000000000-{session}-1-1-00000002-p_c-1.ndjson"
                ),
                "2\n".to_owned(),
            ),
            (
                format!(
                    "2026-11-26/06/202611260659012340000000000000000-{session}-1-1-00000003-p_a%2Fb-1.ndjson"
                ),
                "4\n".to_owned(),
            ),
        ];
        assert_eq!(files(&store).await, expected);
    }

    #[tokio::test]
    async fn a_file_ends_at_its_size_and_is_acknowledged_when_it_is_there() {
        let store = Arc::new(InMemory::new());
        let mut sink = FileSink::new(Arc::<InMemory>::clone(&store), layout(4, Partition::Flat));
        let batch = |values: &[&str]| -> Vec<_> {
            let values = values.iter();
            values.map(|value| message("t", value, TIME)).collect()
        };
        assert_eq!(sink.emit(&batch(&["a"])).await.expect("taken"), 0);
        assert!(files(&store).await.is_empty(), "nothing is visible yet");
        assert_eq!(sink.emit(&batch(&["b", "c"])).await.expect("taken"), 2);
        let written = files(&store).await;
        assert_eq!(written.len(), 1);
        assert!(!written[0].0.contains('/'), "{}", written[0].0);
        assert_eq!(written[0].1, "a\nb\n");
        // Another topic's message holds the count back until it is written.
        let mixed = [message("u", "x", TIME), message("t", "dd", TIME)];
        assert_eq!(sink.emit(&mixed).await.expect("taken"), 3);
        assert_eq!(sink.flush().await.expect("written"), 5);
        assert_eq!(sink.flush().await.expect("nothing to do"), 5);
        let written: Vec<_> = files(&store)
            .await
            .into_iter()
            .map(|(_, lines)| lines)
            .collect();
        assert_eq!(written, ["a\nb\n", "c\ndd\n", "x\n"]);
    }

    #[tokio::test]
    async fn days_are_folders_by_default_and_what_is_no_line_is_refused() {
        let store = Arc::new(InMemory::new());
        let mut sink = FileSink::new(Arc::<InMemory>::clone(&store), FileLayout::default());
        sink.emit(&[message("t", "x", TIME)]).await.expect("taken");
        let refused = sink.emit(&[message("t", "a\nb", TIME)]).await;
        assert!(matches!(refused, Err(FileSinkError::LineBreak)));
        sink.flush().await.expect("written");
        assert!(
            files(&store).await[0]
                .0
                .starts_with("2026-11-26/2026112605")
        );
    }

    #[tokio::test]
    async fn a_time_that_no_calendar_has_makes_a_file_all_the_same() {
        let store = Arc::new(InMemory::new());
        let mut sink = FileSink::new(Arc::<InMemory>::clone(&store), FileLayout::default());
        sink.emit(&[message("t", "x", u64::MAX)])
            .await
            .expect("taken");
        sink.flush().await.expect("written");
        assert!(files(&store).await[0].0.starts_with("1970-01-01/"));
    }
}
