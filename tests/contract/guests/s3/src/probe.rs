//! Phase two: the server is reached, the bucket tells its region, and the marker goes there and back.

use crate::bindings::portolan::host::http::{Request, send};
use crate::bindings::portolan::host::objects::{MarkerReader, MarkerWriter};
use crate::bindings::portolan::types::types::{Failure, FailureClass, ObjectStore, PlanEntry};
use crate::dial::{dial_step, resolve_step, tls};
use crate::plan::BUCKET;
use crate::plans::{TLS, endpoints, read};
use crate::step::{Stopped, failed, skip, step, tell};

const CONTENT: &[u8] =
    b"a CockroachDB cluster has been configured to read and write to this location";
const AT_MOST: u32 = 10;

/// The whole probe. Without a writer nothing is written, and an absent marker is no failure.
pub(crate) fn probe(
    plan: &[PlanEntry],
    reader: &MarkerReader,
    writer: Option<&MarkerWriter>,
) -> Result<(), Stopped> {
    reach(plan)?;
    if let Some(request) = read(plan, "region-discovery") {
        step("region", |details| {
            tell(details, "region", region(plan, request)?);
            Ok(())
        })?;
    }
    let Some(writer) = writer else {
        skip("write", "this depth writes nothing");
        return list(reader).map(drop);
    };
    step("write", |_| writer.write_marker(CONTENT))?;
    if !list(reader)? {
        return Ok(());
    }
    let content = step("read back", |_| reader.read_marker())?;
    step("compare", |_| {
        if content == CONTENT {
            return Ok(());
        }
        Err(failed(
            FailureClass::Protocol,
            "the marker that came back is another one",
        )
        .with_hint("Look whether something rewrites the objects of this bucket."))
    })
}

/// A connection of its own tells apart what hinders one: the name, the port or the certificate.
fn reach(plan: &[PlanEntry]) -> Result<(), Stopped> {
    resolve_step(BUCKET)?;
    let connection = dial_step(BUCKET)?;
    let encrypted = endpoints(plan)
        .first()
        .is_some_and(|endpoint| endpoint.tls_profile.is_some());
    if encrypted {
        step("tls", |details| {
            tls(&connection, TLS, &["http/1.1"], details).map(drop)
        })?;
    }
    Ok(())
}

/// What a bucket answers to a request that nobody signed: its region, whoever asks.
fn region(plan: &[PlanEntry], request: &str) -> Result<String, Failure> {
    let bucket = plan
        .iter()
        .find_map(|entry| match entry {
            PlanEntry::ObjectStore(ObjectStore { container, .. }) => Some(container.clone()),
            _ => None,
        })
        .unwrap_or_default();
    let by_path = read(plan, "path-style") == Some("true");
    let response = send(Request {
        rule: request.to_owned(),
        endpoint: BUCKET,
        method: "HEAD".to_owned(),
        path: if by_path { vec![bucket] } else { Vec::new() },
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        keep_opaque: Vec::new(),
    })?;
    let region = response
        .headers
        .into_iter()
        .find(|(name, _)| name == "x-amz-bucket-region");
    match (region, response.status) {
        (Some((_, region)), _) => Ok(region),
        (None, 404) => Err(failed(FailureClass::NotFound, "there is no such bucket")
            .with_hint("Look at the name of the bucket; it is the same in every region.")),
        (None, status) => Err(failed(
            FailureClass::Protocol,
            format!("could not find s3 bucket's region: the server answered {status} without one"),
        )
        .with_hint("Write the region as AWS_REGION.")),
    }
}

/// Whether the marker is among the names.
fn list(reader: &MarkerReader) -> Result<bool, Stopped> {
    step("list", |details| {
        let names = reader.list_markers(AT_MOST)?;
        tell(details, "found", names.len());
        Ok(names.contains(&reader.marker_name()))
    })
}
