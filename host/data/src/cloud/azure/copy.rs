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
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http::Request;
    use portolan_contract::{
        Endpoint, ObjectStorePlan, PLAN_FORMAT, Plan, PlanEntry, RuleContext, StoredPlan,
    };
    use portolan_egress::{ConnectTo, Egress, EgressOptions};
    use portolan_secret::SecretBytes;
    use portolan_servers::{HttpServer, answer};

    use super::*;
    use crate::Lent;

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

    /// The container of a plan whose account is the server at this address.
    fn container(server: &HttpServer) -> Container {
        let host = "account.blob.core.windows.net";
        let mut connect_to = ConnectTo::default();
        connect_to
            .add(&format!("{host}:80"), &server.address().to_string())
            .expect("a line");
        let egress = Egress::new(EgressOptions {
            connect_to,
            ..EgressOptions::default()
        });
        let target = ObjectStorePlan {
            backend: "azure".to_owned(),
            container: "harbour".to_owned(),
            prefix: String::new(),
        };
        let plan = StoredPlan {
            format: PLAN_FORMAT,
            provider: "test".to_owned(),
            provider_version: "0.1.0".parse().expect("a version"),
            plan: Plan {
                entries: vec![
                    PlanEntry::Endpoint(Endpoint {
                        host: host.to_owned(),
                        port: 80,
                        tls_profile: None,
                    }),
                    PlanEntry::Setting("account".to_owned(), "account".to_owned()),
                ],
            },
            context: RuleContext::default(),
            secrets: vec![("account-key".to_owned(), SecretBytes::new("a2V5"))],
            places: Vec::new(),
        };
        let built = super::super::container(&egress, &plan, &target, &Lent::default());
        built.expect("built").0
    }

    #[tokio::test]
    async fn a_copy_that_does_not_end_is_given_up_with_its_target_against_a_stand_in() {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let server = HttpServer::plain(move |request: Request<Bytes>| {
            let action = request.headers().get(&ACTION);
            let action = action.map_or("", |action| action.to_str().expect("text"));
            let line = format!("{} {} {action}", request.method(), request.uri());
            seen.lock().expect("no panic").push(line);
            let pending = [(STATUS, "pending"), (ID, "a copy")];
            let answered = match *request.method() {
                Method::PUT if action.is_empty() => answer(202, &pending, ""),
                Method::PUT => answer(204, &[], ""),
                _ => answer(200, &pending, ""),
            };
            Box::pin(async move { answered })
        });
        let most = Duration::from_secs(1);
        let (from, to) = (Path::from("one"), Path::from("two"));
        let copied = container(&server).copy_within(&from, &to, true, most).await;
        let error = copied.expect_err("endless");
        assert_eq!(error, CloudError::NotCopied { after: Some(most) });
        assert_eq!(
            error.to_string(),
            "the service began to copy and did not end within 1 s"
        );
        let asked = asked.lock().expect("no panic").clone();
        assert_eq!(asked[0], "PUT /harbour/two ");
        let (looks, end) = asked[1..].split_at(asked.len() - 3);
        assert!(
            looks.iter().all(|look| look == "HEAD /harbour/two "),
            "{asked:?}"
        );
        assert!((2..10).contains(&looks.len()), "{asked:?}");
        assert_eq!(
            end,
            [
                "PUT /harbour/two?comp=copy&copyid=a%20copy abort",
                "DELETE /harbour/two "
            ]
        );
    }
}
