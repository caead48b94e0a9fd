//! The endpoints of a plan, in the order in which they are tried.

use portolan_contract::{Endpoint, Plan};

/// One server, and the ways to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server<'plan> {
    /// With TLS, without, or one after the other.
    pub(super) ways: Vec<&'plan Endpoint>,
}

/// The servers of a plan. Where `sslmode` is `allow` or `prefer`, two endpoints of one place that
/// follow one another are two ways to one server.
pub(super) fn servers(plan: &Plan) -> Vec<Server<'_>> {
    let both = matches!(plan.setting("sslmode"), Some("allow" | "prefer"));
    let mut servers: Vec<Server<'_>> = Vec::new();
    for endpoint in plan.endpoints() {
        let other_way = |way: &Endpoint| {
            way.host == endpoint.host
                && way.port == endpoint.port
                && way.tls_profile.is_some() != endpoint.tls_profile.is_some()
        };
        match servers.last_mut().map(|server| &mut server.ways) {
            Some(ways) if both && ways.len() == 1 && other_way(ways[0]) => ways.push(endpoint),
            _ => servers.push(Server {
                ways: vec![endpoint],
            }),
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use portolan_contract::PlanEntry;

    use super::*;

    fn ways(mode: &str, endpoints: &[(&str, bool)]) -> Vec<Vec<bool>> {
        let mut entries = vec![PlanEntry::Setting("sslmode".to_owned(), mode.to_owned())];
        entries.extend(endpoints.iter().map(|(host, encrypted)| {
            PlanEntry::Endpoint(Endpoint {
                host: (*host).to_owned(),
                port: 5432,
                tls_profile: encrypted.then(|| "server".to_owned()),
            })
        }));
        let plan = Plan { entries };
        let encrypted = |way: &&Endpoint| way.tls_profile.is_some();
        servers(&plan)
            .iter()
            .map(|server| server.ways.iter().map(encrypted).collect())
            .collect()
    }

    #[test]
    fn two_ways_to_one_server_are_told_from_two_servers() {
        let endpoints = [("a", true), ("a", false), ("a", true), ("b", false)];
        assert_eq!(
            ways("prefer", &endpoints),
            [vec![true, false], vec![true], vec![false]]
        );
        assert_eq!(ways("verify-full", &endpoints).len(), 4);
        let twice = [("a", false), ("a", false)];
        assert_eq!(ways("allow", &twice), [vec![false], vec![false]]);
    }
}
