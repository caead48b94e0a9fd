//! The first steps of a probe over a network: the name, the port, the certificate.

use crate::lent::net;
use crate::{Failure, FailureClass, Plan, Steps, Stopped, joined};

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
    name_hint: Option<&'static str>,
}

impl Reach {
    /// The steps for the endpoint of this number.
    #[must_use]
    pub fn endpoint(number: u32) -> Self {
        Self {
            endpoint: number,
            name_hint: None,
        }
    }

    /// What to try first when the name does not resolve, or the policy does not allow it; it stands
    /// before the hint of the host.
    #[must_use]
    pub fn when_name_fails(mut self, hint: &'static str) -> Self {
        self.name_hint = Some(hint);
        self
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
            let addresses = network
                .resolve(self.endpoint)
                .map_err(|failure| self.explained(failure, true))?;
            details.add("addresses", addresses.to_string());
            Ok(endpoint)
        })?;
        let connection = steps.step("dial", |details| {
            details.add("port", endpoint.port.to_string());
            network
                .dial(self.endpoint)
                .map_err(|failure| self.explained(failure, false))
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

    /// Puts the provider's hint before the host's where the name is what fails: it is denied at any
    /// step, and does not resolve at the first.
    fn explained(self, mut failure: Failure, resolving: bool) -> Failure {
        let name_fails = match failure.class {
            FailureClass::Denied => true,
            FailureClass::Unreachable | FailureClass::Timeout => resolving,
            _ => false,
        };
        if let (true, Some(hint)) = (name_fails, self.name_hint) {
            failure.hint = Some(match &failure.hint {
                Some(of_host) => joined(&[hint, " ", of_host]),
                None => hint.to_owned(),
            });
        }
        failure
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
    fn the_providers_hint_stands_before_the_hosts_where_the_name_fails() {
        let hint = |network: RecordedNetwork| {
            let reach = Reach::endpoint(0).when_name_fails("Try another name.");
            let log = run(reach, &network, Some("server"));
            log.failure().and_then(|failure| failure.hint.clone())
        };
        let network = RecordedNetwork::default;
        let both = Some("Try another name. Use a flag.".to_owned());
        assert_eq!(
            hint(network().fail_resolve(failed(FailureClass::Denied))),
            both
        );
        assert_eq!(
            hint(network().fail_resolve(failed(FailureClass::Unreachable))),
            both
        );
        assert_eq!(
            hint(network().fail_dial(failed(FailureClass::Denied))),
            both
        );
        let silent = Failure::new(FailureClass::Unreachable, "no");
        assert_eq!(
            hint(network().fail_resolve(silent)).as_deref(),
            Some("Try another name.")
        );
        // A port that nobody listens at is not the fault of the name.
        let flag = Some("Use a flag.".to_owned());
        assert_eq!(
            hint(network().fail_dial(failed(FailureClass::Unreachable))),
            flag
        );
        assert_eq!(hint(network().fail_tls(failed(FailureClass::Denied))), flag);
    }

    #[test]
    fn an_endpoint_that_the_plan_lacks_is_a_failure_of_the_provider() {
        let network = RecordedNetwork::default();
        let log = run(Reach::endpoint(1), &network, None);
        assert_eq!(log.words(), [("resolve", "failed")]);
        assert_eq!(network.asked(), Vec::<String>::new());
    }
}
