//! From a name to addresses.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dns_lookup::LookupErrorKind;
use tokio::sync::Semaphore;

/// Looks names up. The dial guard judges what comes back, so a resolver need not be trusted.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of a name, in the order in which they are to be tried.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] where the name has none; anything else where it could not be
    /// looked up.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// How many look-ups of the operating system run at once. Each holds a thread until the system
/// answers, also when nobody waits any longer; names whose servers are dead must not use up the
/// threads of the program.
const MOST_LOOKUPS: usize = 32;

/// The resolver of the operating system.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    free: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = name.to_owned();
        let place = Arc::clone(&self.free).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        // The standard library's own look-up does not tell "there is no such name" apart from "the
        // name server is away", which are two different hints.
        let looked_up = tokio::task::spawn_blocking(move || {
            let _place = place;
            match dns_lookup::lookup_host(&name) {
                Ok(addresses) => Ok(addresses.collect()),
                Err(error) => Err(match error.kind() {
                    LookupErrorKind::NoName | LookupErrorKind::NoData => {
                        io::Error::from(io::ErrorKind::NotFound)
                    }
                    _ => io::Error::from(error),
                }),
            }
        });
        looked_up.await.map_err(io::Error::other)?
    }
}
