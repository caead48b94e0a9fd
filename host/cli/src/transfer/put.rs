//! `portolan put`: a file, or standard input, becomes an object.

use std::path::Path;

use anyhow::{Context, Result};
use bytes::BytesMut;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::progress::Progress;
use super::{Place, upload};
use crate::args::PutArguments;
use crate::store::Store;

/// How much is read at once.
const CHUNK: usize = 1024 * 1024;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: PutArguments) -> Result<()> {
    let session = store.session().await?;
    let place = Place::object(&session, &arguments.url).await?;
    let (content, size) = if arguments.source == Path::new("-") {
        (
            chunks(tokio::io::stdin(), "standard input".to_owned()),
            None,
        )
    } else {
        let name = arguments.source.display().to_string();
        let file = tokio::fs::File::open(&arguments.source)
            .await
            .with_context(|| format!("cannot read {name}"))?;
        let size = file.metadata().await.ok().map(|metadata| metadata.len());
        (chunks(file, name), size)
    };
    let progress = Progress::new(&arguments.url, size);
    upload(&place, content, &progress).await?;
    Ok(())
}

fn chunks(
    source: impl AsyncRead + Unpin + Send + 'static,
    name: String,
) -> BoxStream<'static, Result<bytes::Bytes>> {
    stream::try_unfold((source, name), async |(mut source, name)| {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = source
            .read_buf(&mut chunk)
            .await
            .with_context(|| format!("cannot read {name}"))?;
        Ok((read > 0).then(|| (chunk.freeze(), (source, name))))
    })
    .boxed()
}
