//! PostgreSQL's MD5, for servers that have not moved on to SCRAM.

use portolan_secret::{SecretBytes, SecretText};
use postgres_protocol::authentication::md5_hash;

use super::SaslError;

/// What is answered to a salt.
pub(super) fn answer(
    user: &SecretText,
    password: &SecretBytes,
    challenge: &[u8],
) -> Result<SecretBytes, SaslError> {
    let salt: [u8; 4] = challenge.try_into().map_err(|_| SaslError::Challenge)?;
    let hash = md5_hash(user.expose().as_bytes(), password.expose(), salt);
    Ok(SecretBytes::new(hash.into_bytes()))
}
