//! The brokers of the authority: `HOST:PORT,HOST:PORT`.

use portolan_sdk::{Failure, HostAndPort, Plan, UriPieces, joined};

/// A plan has 256 entries, and nobody writes so many brokers.
const AT_MOST: usize = 64;

/// The brokers that are asked first, in their order.
pub(super) struct Brokers(Vec<(String, u16)>);

impl Brokers {
    pub(super) fn of(uri: &UriPieces) -> Result<Self, Failure> {
        let what = joined(&["the ", &uri.scheme, " URI"]);
        let (several, port) = match uri.scheme.as_str() {
            "kafka" => (true, 9092),
            "azure-event-hub" => (false, 9093),
            _ => (false, 9092),
        };
        let texts: Vec<&str> = match several {
            true => uri.authority.split(',').collect(),
            false => vec![uri.authority.as_str()],
        };
        if texts.len() > AT_MOST {
            return Err(
                Failure::invalid_uri(joined(&[&what, " names too many brokers"]))
                    .with_hint("Write at most 64; the others are found through these."),
            );
        }
        let brokers = texts.into_iter().map(|text| {
            let broker = HostAndPort::of(text).map_err(|error| error.failure(&what))?;
            Ok((broker.host, broker.port.unwrap_or(port)))
        });
        brokers.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn planned(&self, plan: Plan, profile: Option<&str>) -> Plan {
        let brokers = self.0.iter();
        let plan = brokers.fold(plan, |plan, (host, port)| {
            plan.endpoint(host, *port, profile)
        });
        plan.set("brokers", &self.0.len().to_string())
    }
}
