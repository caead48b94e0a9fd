//! Phase two: the marker is written, listed, read back and compared.

use portolan_sdk::{MarkerProbe, Stopped, StorageProbe};

/// The probe of the shared directory.
pub(crate) fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
    MarkerProbe::default()
        .when_not_writable("Let the server's process write below its external I/O directory.")
        .when_not_readable("Let the server's process list and read its external I/O directory.")
        .run(probe)
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{MemoryMarkers, RecordedSteps, pieces};
    use portolan_sdk::{
        Depth, Failure, FailureClass, MARKER_CONTENT, Provider, StepLog, Steps, StorageProvider,
    };

    use super::*;
    use crate::Nodelocal;

    fn run(markers: &MemoryMarkers, log: &mut dyn StepLog) -> Result<(), Stopped> {
        let plan = Nodelocal::plan(&pieces("nodelocal://self/x", &[])).expect("a plan");
        Nodelocal::probe(&mut StorageProbe {
            plan: &plan,
            reader: markers,
            writer: Some(markers),
            depth: Depth::Full,
            steps: Steps::new(log),
        })
    }

    #[test]
    fn a_second_connection_to_the_same_directory_finds_an_equal_marker_and_is_content() {
        let markers = MemoryMarkers::default();
        for _ in 0..2 {
            let mut log = RecordedSteps::default();
            assert_eq!(run(&markers, &mut log), Ok(()));
            assert_eq!(log.failure(), None);
        }
        assert_eq!(markers.content().as_deref(), Some(MARKER_CONTENT));
    }

    #[test]
    fn a_directory_that_cannot_be_written_says_what_to_do() {
        let denied = Failure::new(FailureClass::Denied, "permission denied");
        let mut log = RecordedSteps::default();
        assert_eq!(
            run(&MemoryMarkers::default().fail_write(denied), &mut log),
            Err(Stopped)
        );
        let failure = log.failure().expect("a failure");
        assert_eq!(failure.class, FailureClass::Denied);
        assert_eq!(
            failure.hint.as_deref(),
            Some("Let the server's process write below its external I/O directory.")
        );
    }
}
