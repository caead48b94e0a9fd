//! Envelopes of a key: a data key for each, wrapped by the key of a connection.

use portolan_envelope::{DataKey, EnvelopeError, Header};

use super::Kms;
use crate::{Error, SqlState};

impl Kms {
    /// Makes a data key for one new envelope and has the key wrap it. The two are what
    /// [`seal`](portolan_envelope::seal) takes.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub async fn new_envelope(&self) -> Result<(Header, DataKey), Error> {
        let data_key = DataKey::random()?;
        let (provider, wrapped) = self.encrypt_and_tell(data_key.plaintext()).await?;
        Ok((Header::new(&provider, wrapped)?, data_key))
    }

    /// Has the key unwrap the data key of an envelope, with the version that its header names. The
    /// two are what [`open`](portolan_envelope::open) takes.
    ///
    /// # Errors
    /// 22023 when the key of another provider made the envelope, and as
    /// [`decrypt`](Self::decrypt).
    pub async fn data_key(&self, header: &Header) -> Result<DataKey, Error> {
        let provider = self.provider();
        if header.provider() != provider {
            return Err(foreign(header, &provider));
        }
        let plaintext = self.decrypt(header.wrapped()).await?;
        Ok(DataKey::unwrapped(plaintext)?)
    }
}

fn foreign(header: &Header, provider: &str) -> Error {
    let made_by = header.provider();
    Error::new(
        SqlState::InvalidParameterValue,
        format!(
            "the envelope was made with a key of provider {made_by}, and the connection is one of \
             {provider}"
        ),
    )
    .with_hint(format!(
        "decrypt it with a connection to the {made_by} key {}",
        header.wrapped().key
    ))
}

impl From<EnvelopeError> for Error {
    fn from(error: EnvelopeError) -> Self {
        let state = SqlState::from_code(error.sqlstate());
        Self::new(state, error.to_string()).with_hint(error.hint())
    }
}
