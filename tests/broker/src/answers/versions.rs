//! Which versions of each request are spoken.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};

use super::{Asked, code};
use crate::cluster::Shared;

/// The oldest and the newest version of each kind of request.
const SPOKEN: [(ApiKey, i16, i16); 8] = [
    (ApiKey::Produce, 3, 12),
    (ApiKey::Fetch, 4, 11),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 12),
    (ApiKey::FindCoordinator, 0, 2),
    (ApiKey::SaslHandshake, 0, 1),
    (ApiKey::ApiVersions, 0, 3),
    (ApiKey::SaslAuthenticate, 0, 2),
];

/// The answer; to a version that is too new in the oldest one, as the protocol has it.
pub(crate) fn versions(
    asked: &Asked,
    shared: &Shared,
    error: Option<ResponseError>,
) -> anyhow::Result<Vec<u8>> {
    let newest = &shared.settings.newest;
    let spoken = SPOKEN.map(|(api, oldest, latest)| {
        let latest = newest.get(&(api as i16)).copied().unwrap_or(latest);
        ApiVersion::default()
            .with_api_key(api as i16)
            .with_min_version(oldest)
            .with_max_version(latest)
    });
    let known = spoken
        .iter()
        .find(|spoken| spoken.api_key == ApiKey::ApiVersions as i16)
        .is_some_and(|spoken| asked.version <= spoken.max_version);
    let (version, error) = match known {
        true => (asked.version, code(error)),
        false => (0, ResponseError::UnsupportedVersion.code()),
    };
    let answer = ApiVersionsResponse::default()
        .with_error_code(error)
        .with_api_keys(spoken.to_vec());
    asked.answer_in(version, &answer)
}
