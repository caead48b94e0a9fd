//! `objects`: the marker of a storage connection, and the roles that are taken on before its use.

use wasmtime::component::Resource;
use wasmtime::{Result, ensure};

use super::Host;
use crate::bindings::lent_host::objects;
use crate::bindings::types::{Failure, PlanEntry};
use crate::known::Opaque;
use crate::plan::setting;
use crate::script::Side;
use crate::words::{Words, quote};

/// Reads the marker.
#[derive(Debug)]
pub struct MarkerReader;

/// Writes the marker.
#[derive(Debug)]
pub struct MarkerWriter;

/// What requests are signed with.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    id: String,
    key: Opaque,
    token: Option<Opaque>,
}

impl Host {
    /// A use of the object store: the first one of an instance takes on the roles of the plan.
    fn store<T>(
        &mut self,
        call: &str,
        read: impl FnOnce(&mut Self, &mut Words<'_>) -> Result<T>,
    ) -> Result<Result<T, Failure>> {
        self.asked(call)?;
        if self.credentials.is_none() {
            match self.roles()? {
                Ok(credentials) => self.credentials = Some(credentials),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        self.reply(read)
    }

    /// Every role of the plan in its order, each asked for with what the one before gave.
    fn roles(&mut self) -> Result<Result<Credentials, Failure>> {
        let mut credentials = Credentials {
            id: setting(&self.plan, "access-key-id").to_owned(),
            key: self.named_secret("secret-access-key")?,
            token: None,
        };
        let roles: Vec<_> = self
            .plan
            .iter()
            .filter_map(|entry| match entry {
                PlanEntry::AssumeRole(role) => Some(role.clone()),
                _ => None,
            })
            .collect();
        for role in roles {
            ensure!(
                self.plan.iter().any(|entry| matches!(
                    entry,
                    PlanEntry::Endpoint(endpoint) if endpoint.host.starts_with("sts.")
                )),
                "no endpoint of the plan hands out the credentials of roles"
            );
            let call = format!(
                "assume-role {} external-id={} as {} secret({}) token={}",
                role.role,
                role.external_id.as_deref().unwrap_or("-"),
                credentials.id,
                credentials.key.name,
                credentials.token.as_ref().map_or("-", |token| &token.name),
            );
            self.script.expect(Side::Host, &call)?;
            let given = self.reply(|host, words| {
                super::ok(words)?;
                Ok(Credentials {
                    id: words.word()?.to_owned(),
                    key: host.secret(words)?,
                    token: Some(host.secret(words)?),
                })
            })?;
            match given {
                Ok(given) => credentials = given,
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(credentials))
    }
}

impl objects::Host for Host {}

impl objects::HostMarkerReader for Host {
    fn read_marker(&mut self, _: Resource<MarkerReader>) -> Result<Result<Vec<u8>, Failure>> {
        self.store("read-marker", |host, words| host.bytes(words))
    }

    fn list_markers(
        &mut self,
        _: Resource<MarkerReader>,
        at_most: u32,
    ) -> Result<Result<Vec<String>, Failure>> {
        self.store(&format!("list-markers {at_most}"), |_, words| {
            let mut names = Vec::new();
            while !words.is_empty() {
                names.push(words.text()?);
            }
            Ok(names)
        })
    }

    fn marker_name(&mut self, _: Resource<MarkerReader>) -> Result<String> {
        Ok("crdb_external_storage_location".to_owned())
    }

    fn drop(&mut self, reader: Resource<MarkerReader>) -> Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl objects::HostMarkerWriter for Host {
    fn write_marker(
        &mut self,
        _: Resource<MarkerWriter>,
        content: Vec<u8>,
    ) -> Result<Result<(), Failure>> {
        let call = format!("write-marker {}", quote(&content));
        self.store(&call, |_, words| super::ok(words))
    }

    fn drop(&mut self, writer: Resource<MarkerWriter>) -> Result<()> {
        self.table.delete(writer)?;
        Ok(())
    }
}
