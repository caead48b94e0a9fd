//! Phase two: the marker is written, listed, read back and compared.

use portolan_sdk::{MarkerProbe, Stopped, StorageProbe};

/// The probe of a set of user files. What the host says about its store needs no words of ours.
pub(crate) fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
    MarkerProbe::default().run(probe)
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{MemoryMarkers, RecordedSteps, pieces};
    use portolan_sdk::{
        Depth, Failure, FailureClass, MARKER_CONTENT, Provider, Steps, StorageProvider,
    };

    use super::*;
    use crate::Userfile;

    fn run(markers: &MemoryMarkers, depth: Depth) -> (Result<(), Stopped>, RecordedSteps) {
        let plan = Userfile::plan(&pieces("userfile:///x", &[])).expect("a plan");
        let mut log = RecordedSteps::default();
        let result = Userfile::probe(&mut StorageProbe {
            plan: &plan,
            reader: markers,
            writer: Some(markers),
            depth,
            steps: Steps::new(&mut log),
        });
        (result, log)
    }

    #[test]
    fn a_full_probe_writes_the_marker_and_finds_it_again() {
        let markers = MemoryMarkers::default();
        for _ in 0..2 {
            let (result, log) = run(&markers, Depth::Full);
            assert_eq!(result, Ok(()), "{log:?}");
        }
        assert_eq!(markers.content().as_deref(), Some(MARKER_CONTENT));
    }

    #[test]
    fn a_reading_probe_writes_nothing() {
        let markers = MemoryMarkers::default();
        let (result, _) = run(&markers, Depth::Read);
        assert_eq!(result, Ok(()));
        assert_eq!(markers.content(), None);
    }

    #[test]
    fn what_the_host_says_to_do_is_kept() {
        let full = Failure::new(FailureClass::Budget, "the disk is full").with_hint("free space");
        let (result, log) = run(&MemoryMarkers::default().fail_write(full), Depth::Full);
        assert_eq!(result, Err(Stopped));
        let failure = log.failure().expect("a failure");
        assert_eq!(failure.hint.as_deref(), Some("free space"));
    }
}
