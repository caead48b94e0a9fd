//! An object becomes a file that is not published yet.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::Result;
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::content;
use super::engine::Tools;
use super::local;
use super::selection::Object;

/// Writes the content of `object` to `file`, parts side by side, and gives its size.
pub(super) async fn download(
    object: &Object,
    file: &Arc<std::fs::File>,
    name: &str,
    tools: &Tools,
) -> Result<u64> {
    let mut content = tools
        .unless_asked(content::of_object(object, tools))
        .await??;
    let mut running = JoinSet::new();
    let mut offset = 0;
    while let Some(part) = tools.unless_asked(content.parts.try_next()).await?? {
        let (file, start) = (Arc::clone(file), offset);
        let progress = tools.progress.clone();
        offset += part.size;
        running.spawn_blocking(move || {
            let mut place = start;
            for bytes in &part.bytes {
                file.write_all_at(bytes, place)?;
                place += bytes.len() as u64;
            }
            progress.advance(part.size);
            // The lane is given back when the bytes are.
            drop(part);
            Ok::<_, std::io::Error>(())
        });
        while let Some(written) = running.try_join_next() {
            written?.map_err(|error| local::failed("write", name, &error))?;
        }
    }
    while let Some(written) = running.join_next().await {
        written?.map_err(|error| local::failed("write", name, &error))?;
    }
    Ok(offset)
}
