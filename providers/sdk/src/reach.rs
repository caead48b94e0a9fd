//! The first steps of a probe over a network: the name, the port, the certificate.

use crate::lent::net;
use crate::{Failure, FailureClass, Plan, Steps, Stopped};

pub use net::TlsFacts;

/// What is spoken over TLS: the host's HTTP client speaks nothing newer.
const ALPN: &str = "http/1.1";

/// What the host lends for reaching the endpoints of a plan.
pub trait Network {
    /// Resolves the name of an endpoint: how many of its addresses may be dialled.
    ///
    /// # Errors
    ///
    /// `unreachable` for a name that does not resolve, `denied` if no address is allowed.
    fn resolve(&self, endpoint: u32) -> Result<u32, Failure>;

    /// Dials an endpoint.
    ///
    /// # Errors
    ///
    /// Why nothing answers there, or why it may not be dialled.
    fn dial(&self, endpoint: u32) -> Result<Box<dyn Dialled>, Failure>;
}

/// A connection to an endpoint. Dropping it closes it.
pub trait Dialled {
    /// Speaks TLS with a profile of the plan.
    ///
    /// # Errors
    ///
    /// Why the handshake failed.
    fn start_tls(&self, profile: &str, alpn: &[String]) -> Result<TlsFacts, Failure>;
}

/// The network of the host. A component imports it only if its provider names it.
#[derive(Debug, Clone, Copy)]
pub struct HostNetwork;

impl Network for HostNetwork {
    fn resolve(&self, endpoint: u32) -> Result<u32, Failure> {
        net::resolve(endpoint)
    }

    fn dial(&self, endpoint: u32) -> Result<Box<dyn Dialled>, Failure> {
        Ok(Box::new(net::connect(endpoint)?))
    }
}

impl Dialled for net::Connection {
    fn start_tls(&self, profile: &str, alpn: &[String]) -> Result<TlsFacts, Failure> {
        net::Connection::start_tls(self, profile, alpn)
    }
}

/// Tells `resolve`, `dial` and `tls` for an endpoint of the plan, over a connection of its own: so
/// what hinders one is told apart before anything is read or written.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    endpoint: u32,
}

impl Reach {
    /// The steps for the endpoint of this number.
    #[must_use]
    pub fn endpoint(number: u32) -> Self {
        Self { endpoint: number }
    }

    /// Runs the steps. An endpoint in plain text skips `tls`.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed.
    pub fn run(
        self,
        network: &dyn Network,
        plan: &Plan,
        steps: &mut Steps<'_>,
    ) -> Result<(), Stopped> {
        let endpoint = steps.step("resolve", |details| {
            let endpoint = plan.endpoint_number(self.endpoint).ok_or_else(|| {
                Failure::new(
                    FailureClass::Protocol,
                    "the plan lacks an endpoint to reach",
                )
            })?;
            details.add("host", &*endpoint.host);
            let addresses = network.resolve(self.endpoint)?;
            details.add("addresses", addresses.to_string());
            Ok(endpoint)
        })?;
        let connection = steps.step("dial", |details| {
            details.add("port", endpoint.port.to_string());
            network.dial(self.endpoint)
        })?;
        let Some(profile) = &endpoint.tls_profile else {
            steps.skip("tls", "the endpoint speaks plain text");
            return Ok(());
        };
        steps.step("tls", |details| {
            let facts = connection.start_tls(profile, &[ALPN.to_owned()])?;
            details.add("version", facts.version);
            if let Some(protocol) = facts.alpn {
                details.add("protocol", protocol);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::testing::{RecordedNetwork, RecordedSteps};

    fn run(reach: Reach, network: &RecordedNetwork, profile: Option<&str>) -> RecordedSteps {
        let plan = Plan::new(Kind::Storage).endpoint("files.example", 443, profile);
        let mut log = RecordedSteps::default();
        let _ = reach.run(network, &plan, &mut Steps::new(&mut log));
        log
    }

    fn failed(class: FailureClass) -> Failure {
        Failure::new(class, "no").with_hint("Use a flag.")
    }

    #[test]
    fn the_name_the_port_and_the_certificate_are_told_one_after_another() {
        let network = RecordedNetwork::default();
        let log = run(Reach::endpoint(0), &network, Some("server"));
        assert_eq!(
            log.words(),
            [("resolve", "ok"), ("dial", "ok"), ("tls", "ok")]
        );
        let details: Vec<_> = log.steps.iter().flat_map(|step| &step.details).collect();
        let details: Vec<_> = details.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            details,
            [
                ("host", "files.example"),
                ("addresses", "2"),
                ("port", "443"),
                ("version", "TLSv1.3"),
                ("protocol", "http/1.1"),
            ]
        );
        assert_eq!(
            network.asked(),
            ["resolve 0", "dial 0", "tls server http/1.1"]
        );
    }

    #[test]
    fn plain_text_has_no_handshake() {
        let network = RecordedNetwork::default();
        let log = run(Reach::endpoint(0), &network, None);
        assert_eq!(
            log.words(),
            [("resolve", "ok"), ("dial", "ok"), ("tls", "skipped")]
        );
        assert_eq!(network.asked(), ["resolve 0", "dial 0"]);
    }

    #[test]
    fn the_step_that_fails_is_the_last_one() {
        let unreachable = || failed(FailureClass::Unreachable);
        for (network, words) in [
            (
                RecordedNetwork::default().fail_resolve(unreachable()),
                &[("resolve", "failed")][..],
            ),
            (
                RecordedNetwork::default().fail_dial(unreachable()),
                &[("resolve", "ok"), ("dial", "failed")],
            ),
            (
                RecordedNetwork::default().fail_tls(unreachable()),
                &[("resolve", "ok"), ("dial", "ok"), ("tls", "failed")],
            ),
        ] {
            let log = run(Reach::endpoint(0), &network, Some("server"));
            assert_eq!(log.words(), words);
            assert_eq!(log.failure(), Some(&unreachable()));
        }
    }

    #[test]
    fn an_endpoint_that_the_plan_lacks_is_a_failure_of_the_provider() {
        let network = RecordedNetwork::default();
        let log = run(Reach::endpoint(1), &network, None);
        assert_eq!(log.words(), [("resolve", "failed")]);
        assert_eq!(network.asked(), Vec::<String>::new());
    }
}
