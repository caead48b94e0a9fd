//! `net`: connections to the endpoints of the plan.

use std::fmt::Write as _;

use wasmtime::component::Resource;
use wasmtime::{Result, bail, ensure};

use super::{Host, further};
use crate::bindings::lent_host::net::{self, TlsFacts};
use crate::bindings::lent_host::parts::Part;
use crate::bindings::types::{Failure, FailureClass};

/// One connection, by its place among those of the instance: the first is `c0`.
#[derive(Debug)]
pub struct Connection {
    place: usize,
    profile: Option<String>,
    encrypted: bool,
}

impl Host {
    pub(super) fn channel(&self, connection: &Resource<Connection>) -> Result<String> {
        Ok(format!("c{}", self.table.get(connection)?.place))
    }

    fn dialled(
        &mut self,
        call: &str,
        endpoint: u32,
    ) -> Result<Result<Resource<Connection>, Failure>> {
        let profile = self.endpoint(endpoint)?.tls_profile.clone();
        self.answered(call, |host, words| {
            super::ok(words)?;
            let place = host.connections;
            host.connections += 1;
            Ok(host.table.push(Connection {
                place,
                profile,
                encrypted: false,
            })?)
        })
    }
}

impl net::Host for Host {
    fn resolve(&mut self, endpoint: u32) -> Result<Result<u32, Failure>> {
        self.endpoint(endpoint)?;
        self.answered(&format!("resolve {endpoint}"), |_, words| words.number())
    }

    fn connect(&mut self, endpoint: u32) -> Result<Result<Resource<Connection>, Failure>> {
        self.dialled(&format!("connect {endpoint}"), endpoint)
    }

    fn connect_further(
        &mut self,
        endpoint: u32,
        host: String,
        port: u16,
    ) -> Result<Result<Resource<Connection>, Failure>> {
        let admitted = further::admitted(&host, self.rules.authority());
        let call = format!("connect-further {endpoint} {host}:{port}");
        let connection = self.dialled(&call, endpoint)?;
        let denied = |failure: &Failure| matches!(failure.class, FailureClass::Denied);
        ensure!(
            admitted || connection.as_ref().is_err_and(denied),
            "the rules for further brokers do not admit {host}, and the script lets it be dialled"
        );
        Ok(connection)
    }

    fn wait(
        &mut self,
        connections: Vec<Resource<Connection>>,
        timeout_milliseconds: u32,
    ) -> Result<Vec<u32>> {
        let mut call = "wait".to_owned();
        for connection in &connections {
            let _ = write!(call, " {}", self.channel(connection)?);
        }
        let _ = write!(call, " for {timeout_milliseconds} ms");
        let places = self.answered(&call, |_, words| {
            let mut places = Vec::new();
            while !words.is_empty() {
                match words.word()? {
                    "nothing" => {}
                    place => places.push(place.parse().map_err(wasmtime::Error::new)?),
                }
            }
            Ok(places)
        })?;
        places.or_else(|_| bail!("a wait does not fail"))
    }
}

impl net::HostConnection for Host {
    fn start_tls(
        &mut self,
        connection: Resource<Connection>,
        profile: String,
        alpn: Vec<String>,
    ) -> Result<Result<TlsFacts, Failure>> {
        let mut call = format!("start-tls {} {profile}", self.channel(&connection)?);
        for protocol in &alpn {
            let _ = write!(call, " alpn={protocol}");
        }
        let known = self.table.get(&connection)?;
        ensure!(
            known.profile.as_ref() == Some(&profile) && !known.encrypted,
            "TLS is spoken once, with the profile of the endpoint"
        );
        let facts = self.answered(&call, |_, words| {
            Ok(TlsFacts {
                version: words.word()?.to_owned(),
                alpn: match words.word()? {
                    "-" => None,
                    protocol => Some(protocol.to_owned()),
                },
                server_end_point: words.bytes()?,
            })
        })?;
        self.table.get_mut(&connection)?.encrypted = facts.is_ok();
        Ok(facts)
    }

    fn write(
        &mut self,
        connection: Resource<Connection>,
        parts: Vec<Part>,
    ) -> Result<Result<(), Failure>> {
        let known = self.table.get(&connection)?;
        let secret = parts.iter().any(|part| matches!(part, Part::Secret(_)));
        ensure!(
            !secret || known.encrypted || known.profile.is_none(),
            "an opaque part is denied until TLS is spoken"
        );
        let call = format!("write {}{}", self.channel(&connection)?, self.show(parts)?);
        self.answered(&call, |_, words| super::ok(words))
    }

    fn read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
    ) -> Result<Result<Vec<u8>, Failure>> {
        let call = format!("read {} {max}", self.channel(&connection)?);
        self.answered(&call, |host, words| host.bytes(words))
    }

    fn try_read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
    ) -> Result<Result<Option<Vec<u8>>, Failure>> {
        let call = format!("try-read {} {max}", self.channel(&connection)?);
        self.answered(&call, |host, words| match words.peek() {
            "nothing" => words.word().map(|_| None),
            _ => host.bytes(words).map(Some),
        })
    }

    fn close(&mut self, connection: Resource<Connection>) -> Result<Result<(), Failure>> {
        let call = format!("close {}", self.channel(&connection)?);
        self.answered(&call, |_, words| super::ok(words))
    }

    fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}
