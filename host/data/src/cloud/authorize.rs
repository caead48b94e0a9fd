//! What a request carries that `object_store` does not write.

use std::fmt;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Uri};

use super::CloudError;

/// Who a connection is, where `object_store` is not told: the last hand on a request before it is
/// sent.
#[async_trait]
pub(crate) trait Authorize: fmt::Debug + Send + Sync + 'static {
    /// The headers of a request to this URI; they replace those of the same name.
    ///
    /// # Errors
    ///
    /// The credentials are not for this URI, or there are none.
    async fn headers(&self, uri: &Uri) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError>;

    /// Lets go of credentials that the service did not take. Says whether there can be others.
    fn renew(&self) -> bool {
        false
    }
}
