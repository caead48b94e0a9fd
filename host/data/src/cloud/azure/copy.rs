//! Copies within an account, until they are done.
//!
//! The service may answer that it has begun, and copy while nobody waits. Until then the target is
//! there, and empty: so it is waited for here, and a copy that does not end is given up with its
//! target.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use object_store::path::Path;
use tokio::time::Instant;

use super::container::Container;
use crate::cloud::CloudError;

const SOURCE: HeaderName = HeaderName::from_static("x-ms-copy-source");
const ACTION: HeaderName = HeaderName::from_static("x-ms-copy-action");
const STATUS: &str = "x-ms-copy-status";
const ID: &str = "x-ms-copy-id";

/// How long a copy may take.
const MOST_TIME: Duration = Duration::from_secs(300);

/// The first wait between two looks at a copy, and the longest: it doubles.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How far the service says that a copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    Done,
    /// Under way, by the number that it has.
    Pending(Option<String>),
    /// Ended otherwise.
    Failed,
}

impl Progress {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match text(STATUS) {
            // Who says nothing of it has done it at once.
            None | Some("success") => Self::Done,
            Some("pending") => Self::Pending(text(ID).map(str::to_owned)),
            Some(_) => Self::Failed,
        }
    }
}

impl Container {
    /// Copies an object to another name.
    pub(super) async fn copy(
        &self,
        from: &Path,
        to: &Path,
        overwrite: bool,
    ) -> Result<(), CloudError> {
        self.copy_within(from, to, overwrite, MOST_TIME).await
    }

    async fn copy_within(
        &self,
        from: &Path,
        to: &Path,
        overwrite: bool,
        most: Duration,
    ) -> Result<(), CloudError> {
        let source = self.url_of(from.as_ref());
        let source = HeaderValue::from_str(&source).map_err(|_| CloudError::BadName)?;
        let mut headers = vec![
            (SOURCE, source),
            (CONTENT_LENGTH, HeaderValue::from_static("0")),
        ];
        if !overwrite {
            headers.push((IF_NONE_MATCH, HeaderValue::from_static("*")));
        }
        let end = Instant::now() + most;
        let answer = self.send(Method::PUT, to.as_ref(), "", headers).await?;
        let mut progress = match answer.status() {
            status if status.is_success() => Progress::of(answer.headers()),
            StatusCode::NOT_FOUND => return Err(CloudError::Missing),
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED if !overwrite => {
                return Err(CloudError::Exists);
            }
            _ => return Err(CloudError::Changed),
        };
        let (mut wait, longest) = WAITS;
        loop {
            let id = match progress {
                Progress::Done => return Ok(()),
                Progress::Failed => return Err(CloudError::NotCopied { after: None }),
                Progress::Pending(id) => id,
            };
            if Instant::now() + wait > end {
                self.give_up(to, id).await;
                return Err(CloudError::NotCopied { after: Some(most) });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(longest);
            let answer = self.send(Method::HEAD, to.as_ref(), "", []).await?;
            progress = match answer.status() {
                // Somebody wrote another object there meanwhile, or removed it.
                StatusCode::NOT_FOUND => return Err(CloudError::Changed),
                _ => Progress::of(answer.headers()),
            };
        }
    }

    /// Ends a copy, which leaves an empty target, and removes that. The error is told in any case.
    async fn give_up(&self, to: &Path, id: Option<String>) {
        let Some(id) = id else { return };
        let query = format!("comp=copy&copyid={}", crate::cloud::segment(&id));
        let action = [
            (ACTION, HeaderValue::from_static("abort")),
            (CONTENT_LENGTH, HeaderValue::from_static("0")),
        ];
        let ended = self.send(Method::PUT, to.as_ref(), &query, action).await;
        if ended.is_ok_and(|answer| answer.status().is_success()) {
            let _ = self.send(Method::DELETE, to.as_ref(), "", []).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_done_when_the_service_says_so_or_says_nothing() {
        let progress = |fields: &[(&'static str, &'static str)]| {
            let fields = fields.iter().map(|(name, value)| {
                let value = HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            });
            Progress::of(&fields.collect())
        };
        assert_eq!(progress(&[]), Progress::Done);
        assert_eq!(progress(&[(STATUS, "success")]), Progress::Done);
        assert_eq!(
            progress(&[(STATUS, "pending"), (ID, "a b")]),
            Progress::Pending(Some("a b".to_owned()))
        );
        for ended in ["aborted", "failed", "what"] {
            assert_eq!(progress(&[(STATUS, ended)]), Progress::Failed);
        }
    }
}
