//! One file for each kind of request.

mod fetch;
pub(crate) use fetch::{fetch, find_coordinator, list_offsets};

mod login;
pub(crate) use login::{authenticate, authenticate_message, handshake};

mod metadata;
pub(crate) use metadata::metadata;

mod produce;
pub(crate) use produce::produce;

mod versions;
pub(crate) use versions::versions;

use bytes::BytesMut;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, ResponseHeader};
use kafka_protocol::protocol::Encodable;

/// What a request says of itself.
pub(crate) struct Asked {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation: i32,
}

impl Asked {
    /// The answer with its header, without the length of the frame.
    fn answer(&self, answer: &impl Encodable) -> anyhow::Result<Vec<u8>> {
        self.answer_in(self.version, answer)
    }

    fn answer_in(&self, version: i16, answer: &impl Encodable) -> anyhow::Result<Vec<u8>> {
        let mut bytes = BytesMut::new();
        ResponseHeader::default()
            .with_correlation_id(self.correlation)
            .encode(&mut bytes, self.api.response_header_version(version))?;
        answer.encode(&mut bytes, version)?;
        Ok(bytes.to_vec())
    }
}

fn code(error: Option<ResponseError>) -> i16 {
    error.map_or(0, |error| error.code())
}
