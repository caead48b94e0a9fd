//! How much memory a large object takes on its way.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const PART: usize = 8 * MIB;
/// How many parts the object has: 1 GiB.
pub(crate) const PARTS: usize = 128;

/// How much memory the process holds, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("reads");
    let pages = status.split_whitespace().nth(1);
    pages.expect("a figure").parse::<usize>().expect("a number") * 4096
}

/// Writes an object of 1 GiB in parts and reads it back; by how many MiB the process grew meanwhile
/// at most.
pub(crate) async fn growth(store: Arc<dyn ObjectStore>) -> usize {
    let name = Path::from("large");
    let before = resident();
    let mut most = before;
    let mut upload = store.put_multipart(&name).await.expect("begun");
    for number in 0..PARTS {
        let part = Bytes::from(vec![number as u8; PART]);
        upload.put_part(part.into()).await.expect("a part");
        most = most.max(resident());
    }
    upload.complete().await.expect("completed");
    let mut content = store.get(&name).await.expect("get").into_stream();
    let (mut read, mut expected) = (0, vec![0; PART]);
    while let Some(piece) = content.next().await {
        let piece = piece.expect("a piece");
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let length = rest.len().min(PART - read % PART);
            if expected[0] != (read / PART) as u8 {
                expected.fill((read / PART) as u8);
            }
            // Byte by byte it would take as long as the way there and back.
            assert!(rest[..length] == expected[..length], "at {read}");
            rest = &rest[length..];
            read += length;
        }
        most = most.max(resident());
    }
    assert_eq!(read, PARTS * PART);
    most.saturating_sub(before) / MIB
}
