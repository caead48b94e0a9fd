//! The second guard: metadata services, where a cloud hands credentials to its machines.
//!
//! What a machine is lent there belongs to the host and not to a connection, so no client of a
//! connection reaches it: the policy denies these addresses, and this module has a client of its
//! own. The caller names a *service*, never an address. Redirects are answers, an answer is small,
//! everything is over within seconds.
//!
//! Where a service is found is written in a table of this file, and no text, option or variable of
//! the environment changes it. [`MetadataClient::on_loopback`] is for tests: it takes a port and no
//! address, so that whoever calls it can make the host dial itself and nothing else.

use std::fmt;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use portolan_secret::SecretBytes;
use tokio::time::timeout;

use crate::http::{MOST_HEAD_BYTES, MOST_HEADERS, ResponseBody, Upload, error_of};
use crate::{EgressError, dial};

/// The most bytes of an answer. A document with credentials has two thousand.
const MOST_BYTES: usize = 64 << 10;

/// The only port on which these services answer.
const PORT: u16 = 80;

/// A service that lends a machine its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetadataService {
    /// AWS: the instance metadata service.
    AwsInstance,
    /// AWS: the credentials of a task of ECS.
    AwsTask,
    /// AWS: the credentials of a pod of EKS.
    AwsPod,
    /// Google Cloud: the metadata server.
    Google,
    /// Azure: the instance metadata service.
    Azure,
}

impl MetadataService {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::AwsInstance,
        Self::AwsTask,
        Self::AwsPod,
        Self::Google,
        Self::Azure,
    ];

    /// Where it is found.
    fn address(self) -> Ipv4Addr {
        match self {
            Self::AwsInstance | Self::Google | Self::Azure => Ipv4Addr::new(169, 254, 169, 254),
            Self::AwsTask => Ipv4Addr::new(169, 254, 170, 2),
            Self::AwsPod => Ipv4Addr::new(169, 254, 170, 23),
        }
    }

    /// The name that it wants to be called.
    fn host(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::AwsInstance | Self::Azure => "169.254.169.254",
            Self::AwsTask => "169.254.170.2",
            Self::AwsPod => "169.254.170.23",
            Self::Google => "metadata.google.internal",
        })
    }
}

/// An answer of a metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataAnswer {
    /// Its status, whatever it is.
    pub status: StatusCode,
    /// What it says, which is mostly a credential.
    pub body: SecretBytes,
}

/// A place that the second guard may dial. Only this module makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetadataPlace(SocketAddr);

impl MetadataPlace {
    pub(crate) fn socket(self) -> SocketAddr {
        self.0
    }
}

/// The client of metadata services. It can dial nothing else, whatever it is asked.
#[derive(Clone)]
pub struct MetadataClient {
    /// For tests: every service is on this port of this machine.
    loopback: Option<u16>,
    dial: Duration,
    answer: Duration,
}

impl Default for MetadataClient {
    /// Dials for 1 s (a machine outside of the cloud has nobody there who would say so), and waits
    /// 5 s for a whole answer (a token may have to be made first).
    fn default() -> Self {
        Self {
            loopback: None,
            dial: Duration::from_secs(1),
            answer: Duration::from_secs(5),
        }
    }
}

impl MetadataClient {
    /// For tests: every service answers on this port of this machine, within this time. It takes no
    /// address, so that it leads nowhere else.
    #[must_use]
    pub fn on_loopback(port: u16, answer: Duration) -> Self {
        Self {
            loopback: Some(port),
            answer,
            ..Self::default()
        }
    }

    /// Sends a request to a service and waits for the whole answer. Of the URI only the path and
    /// the query count; there may be no host in it.
    ///
    /// # Errors
    ///
    /// [`EgressError::NotPlanned`] where the URI names a host; else why no answer came.
    pub async fn send(
        &self,
        service: MetadataService,
        request: Request<Bytes>,
    ) -> Result<MetadataAnswer, EgressError> {
        let host = service.address().to_string();
        if request.uri().authority().is_some() || request.uri().path_and_query().is_none() {
            return Err(EgressError::NotPlanned { host, port: PORT });
        }
        let slow = EgressError::Silent {
            host: host.clone(),
            after: self.answer,
        };
        let stream = self.dial(service, &host).await?;
        let answer = self.exchange(service, request, stream, host);
        timeout(self.answer, answer).await.unwrap_or(Err(slow))
    }

    async fn dial(
        &self,
        service: MetadataService,
        host: &str,
    ) -> Result<tokio::net::TcpStream, EgressError> {
        let place = MetadataPlace(match self.loopback {
            None => SocketAddr::new(IpAddr::V4(service.address()), PORT),
            Some(port) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        });
        let failed = |kind, after| EgressError::Connect {
            host: host.to_owned(),
            port: PORT,
            kind,
            after,
        };
        match timeout(self.dial, dial::open_metadata(place)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failed(error.kind(), None)),
            Err(_) => Err(failed(std::io::ErrorKind::TimedOut, Some(self.dial))),
        }
    }

    async fn exchange(
        &self,
        service: MetadataService,
        mut request: Request<Bytes>,
        stream: tokio::net::TcpStream,
        host: String,
    ) -> Result<MetadataAnswer, EgressError> {
        let headers = request.headers_mut();
        headers.insert(HOST, service.host());
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let failed = |error: hyper::Error| error_of(&error, &host, PORT, self.answer, true);
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MOST_HEAD_BYTES)
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        let asked = async {
            let answer = sender.send_request(request.map(Full::new)).await;
            let (parts, body) = answer.map_err(failed)?.into_parts();
            let place = (host.clone(), PORT);
            let body = ResponseBody::new(body, Upload::whole(), place, self.answer);
            Ok(MetadataAnswer {
                status: parts.status,
                body: SecretBytes::from(body.collect_within(MOST_BYTES).await?.to_vec()),
            })
        };
        // The connection moves while it is asked, and is dropped with the answer: nothing of it goes
        // on by itself.
        let moving = async {
            let _ = connection.await;
            pending().await
        };
        match select(pin!(asked), pin!(moving)).await {
            Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
        }
    }
}

impl fmt::Debug for MetadataClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataClient")
            .field("on_loopback", &self.loopback.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AddressClass;
    use crate::policy::METADATA_ADDRESSES;

    #[test]
    fn every_service_is_at_a_fixed_address_that_no_connection_may_dial() {
        for service in MetadataService::ALL {
            let address = IpAddr::V4(service.address());
            assert!(METADATA_ADDRESSES.contains(&address), "{service:?}");
            assert_eq!(AddressClass::of(address), AddressClass::Metadata);
        }
    }
}
