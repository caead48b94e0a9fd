//! Frames: four bytes of length, and what they announce.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a broker takes by default: `socket.request.max.bytes`.
const MAX_BYTES: usize = 100 * 1024 * 1024;

/// The next frame; none where the client has gone away.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Bytes>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let length = u32::from_be_bytes(length) as usize;
    // A client that speaks TLS to a plain port announces more than this.
    if length > MAX_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(Some(frame.into()))
}

/// Sends a frame.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    write_some(stream, body, usize::MAX).await
}

/// Sends so many bytes of a frame at most, its length included.
pub(crate) async fn write_some(
    stream: &mut (impl AsyncWrite + Unpin),
    body: &[u8],
    at_most: usize,
) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame.truncate(at_most);
    stream.write_all(&frame).await?;
    stream.flush().await
}
