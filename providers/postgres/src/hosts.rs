//! The servers of a URI: those before its path, or those of the options `host` and `port`.

use portolan_sdk::{Failure, HostAndPort, check_host, joined};

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// The most servers of one URI.
const MOST: usize = 32;

/// The servers, in the order in which they are tried.
pub(crate) fn hosts(
    authority: &str,
    host: Option<&str>,
    port: Option<&str>,
) -> Result<Vec<(String, u16)>, Failure> {
    let given = match host {
        Some(hosts) => of_option(hosts)?,
        None => of_authority(authority)?,
    };
    if given.len() > MOST {
        return Err(Failure::invalid_uri("the URI names more than 32 hosts")
            .with_hint("Name the servers that a login may go to, at most 32."));
    }
    let ports = match port {
        None => Vec::new(),
        Some(ports) => of_ports(ports)?,
    };
    if ports.len() > 1 && ports.len() != given.len() {
        return Err(Failure::invalid_uri(joined(&[
            "could not match ",
            &ports.len().to_string(),
            " port numbers to ",
            &given.len().to_string(),
            " hosts",
        ]))
        .with_hint("Write one port for all hosts, or one for each.")
        .with_option("port"));
    }
    let port_of = |place: usize, own: Option<u16>| {
        let chosen = ports.get(place).or(ports.first()).copied().flatten();
        chosen.or(own).unwrap_or(PORT)
    };
    Ok(given
        .into_iter()
        .enumerate()
        .map(|(place, given)| (given.host, port_of(place, given.port)))
        .collect())
}

fn of_authority(authority: &str) -> Result<Vec<HostAndPort>, Failure> {
    if authority.is_empty() {
        return Err(Failure::invalid_uri("the URI names no host").with_hint(
            "Write postgresql://USER@HOST/DATABASE; a socket of this machine is not dialled.",
        ));
    }
    authority
        .split(',')
        .map(|host| {
            let encoded = host
                .get(..3)
                .is_some_and(|head| head.eq_ignore_ascii_case("%2f"));
            match encoded || host.starts_with('@') {
                true => Err(socket("the URI")),
                // What libpq takes as no port.
                false => HostAndPort::of(host.strip_suffix(':').unwrap_or(host))
                    .map_err(|error| error.failure("the URI")),
            }
        })
        .collect()
}

fn of_option(hosts: &str) -> Result<Vec<HostAndPort>, Failure> {
    hosts
        .split(',')
        .map(|host| {
            if host.starts_with(['/', '@']) {
                return Err(socket("host").with_option("host"));
            }
            check_host(host).map_err(|error| error.failure("host").with_option("host"))?;
            Ok(HostAndPort {
                host: host.to_owned(),
                port: None,
            })
        })
        .collect()
}

fn socket(what: &str) -> Failure {
    Failure::invalid_uri(joined(&[what, " names a socket in the file system"])).with_hint(
        "Write the name or the address of a host: this host reaches databases over TCP alone.",
    )
}

/// An empty one is the usual port.
fn of_ports(ports: &str) -> Result<Vec<Option<u16>>, Failure> {
    ports
        .split(',')
        .map(|port| match (port, port.parse()) {
            ("", _) => Ok(None),
            (_, Ok(number)) if number != 0 => Ok(Some(number)),
            _ => Err(
                Failure::invalid_uri("port has a value that no server can have")
                    .with_hint("Write a port from 1 to 65535, or one for each host.")
                    .with_option("port"),
            ),
        })
        .collect()
}
