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

impl SystemResolver {
    /// Runs a look-up on a thread that may block; the place is free when it ends, not when nobody
    /// waits for it any longer.
    async fn blocking(
        &self,
        look_up: impl FnOnce() -> io::Result<Vec<IpAddr>> + Send + 'static,
    ) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.free).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let looked_up = tokio::task::spawn_blocking(move || {
            let _place = place;
            look_up()
        });
        looked_up.await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let name = name.to_owned();
        // The standard library's own look-up does not tell "there is no such name" apart from "the
        // name server is away", which are two different hints.
        self.blocking(move || match dns_lookup::lookup_host(&name) {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(match error.kind() {
                LookupErrorKind::NoName | LookupErrorKind::NoData => {
                    io::Error::from(io::ErrorKind::NotFound)
                }
                _ => io::Error::from(error),
            }),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn look_ups_that_nobody_waits_for_still_count_until_they_end() {
        let resolver = SystemResolver::default();
        let started = Arc::new(AtomicUsize::new(0));
        let mut ends = Vec::new();
        let mut waiting = Vec::new();
        for _ in 0..MOST_LOOKUPS + 8 {
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let (resolver, started) = (resolver.clone(), Arc::clone(&started));
            waiting.push(tokio::spawn(async move {
                let dead = resolver.blocking(move || {
                    started.fetch_add(1, Ordering::SeqCst);
                    // Until the test lets go of the other end.
                    let _ = ended.recv();
                    Ok(Vec::new())
                });
                tokio::time::timeout(Duration::from_millis(200), dead).await
            }));
        }
        for look_up in waiting {
            assert!(look_up.await.expect("no panic").is_err(), "it times out");
        }
        assert_eq!(started.load(Ordering::SeqCst), MOST_LOOKUPS);
        let next = resolver.blocking(|| Ok(Vec::new()));
        let next = tokio::time::timeout(Duration::from_millis(50), next).await;
        assert!(next.is_err(), "every place is taken");
        drop(ends);
        let next = resolver.blocking(|| Ok(Vec::new()));
        let next = tokio::time::timeout(Duration::from_secs(5), next).await;
        assert!(next.is_ok(), "the places are free again");
    }
}
