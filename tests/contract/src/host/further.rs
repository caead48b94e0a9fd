//! Which further brokers a connection may dial.

use portolan_contract::AuthorityHost;

/// Whether a name that a broker advertises belongs to the bootstrap brokers: it is one of them, or
/// stands below the parent domain of one. An address literal admits only itself.
///
/// The real host asks the list of public suffixes and the operator's `[[egress.brokers]]` as well.
pub(super) fn admitted(host: &str, bootstrap: &[AuthorityHost]) -> bool {
    let host = host.to_ascii_lowercase();
    bootstrap.iter().any(|known| {
        let known = known.host.to_ascii_lowercase();
        let literal = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
        if host == known || literal(&host) || literal(&known) {
            return host == known;
        }
        known.split_once('.').is_some_and(|(_, parent)| {
            parent.contains('.')
                && host
                    .strip_suffix(parent)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_admitted_below_the_parent_domain_of_a_bootstrap_broker() {
        let admitted = |host: &str, known: &str| {
            admitted(
                host,
                &[AuthorityHost {
                    host: known.to_owned(),
                    port: Some(9092),
                }],
            )
        };
        assert!(admitted("b-2.kafka.example.com", "b-1.kafka.example.com"));
        assert!(admitted("B-1.kafka.example.com", "b-1.kafka.example.com"));
        assert!(!admitted("b-2.example.com", "b-1.kafka.example.com"));
        assert!(!admitted("evilkafka.example.com", "b-1.kafka.example.com"));
        assert!(!admitted("b.com", "a.com"));
        assert!(admitted("192.0.2.1", "192.0.2.1"));
        assert!(!admitted("192.0.2.2", "192.0.2.1"));
        assert!(!admitted("x.0.2.1", "192.0.2.1"));
    }
}
