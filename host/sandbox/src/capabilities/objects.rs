//! `objects`: the marker of a storage connection.

use portolan_data::MARKER_NAME;
use wasmtime::component::Resource;

use crate::Fault;
use crate::bindings::host::objects::{Host, HostMarkerReader, HostMarkerWriter};
use crate::bindings::types;
use crate::guest::Guest;

/// A handle that reads the marker. It holds nothing: the store belongs to the operation.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct MarkerReader;

/// A handle that writes the marker.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct MarkerWriter;

impl Guest {
    fn markers(&mut self, import: &str) -> Result<portolan_data::MarkerStore, Fault> {
        let lent = self.enter()?;
        lent.markers
            .clone()
            .ok_or_else(|| Fault::NotGranted(format!("portolan:host/objects@0.1.0#{import}")))
    }
}

impl HostMarkerReader for Guest {
    async fn read_marker(
        &mut self,
        _: Resource<MarkerReader>,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        let markers = self.markers("[method]marker-reader.read-marker")?;
        let read = self.wait(async { markers.read_marker().await }).await;
        if let Ok(content) = &read {
            self.budget.count_response(content.len())?;
        }
        self.answer(read)
    }

    async fn list_markers(
        &mut self,
        _: Resource<MarkerReader>,
        at_most: u32,
    ) -> wasmtime::Result<Result<Vec<String>, types::Failure>> {
        let markers = self.markers("[method]marker-reader.list-markers")?;
        let listed = self
            .wait(async { markers.list_markers(at_most).await })
            .await;
        if let Ok(names) = &listed {
            self.budget
                .count_response(names.iter().map(String::len).sum())?;
        }
        self.answer(listed)
    }

    async fn marker_name(&mut self, _: Resource<MarkerReader>) -> wasmtime::Result<String> {
        self.enter()?;
        self.leave(MARKER_NAME.to_owned())
    }

    async fn drop(&mut self, _: Resource<MarkerReader>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl HostMarkerWriter for Guest {
    async fn write_marker(
        &mut self,
        _: Resource<MarkerWriter>,
        content: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let markers = self.markers("[method]marker-writer.write-marker")?;
        let written = self
            .wait(async { markers.write_marker(content).await })
            .await;
        self.answer(written)
    }

    async fn drop(&mut self, _: Resource<MarkerWriter>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl Host for Guest {}
