//! Phase two: the service is reached, and the marker goes there and back.

use portolan_sdk::{MarkerProbe, Network, Reach, Stopped, StorageProbe};

use crate::plan::STORAGE;

/// The probe of a bucket.
pub(crate) fn probe(probe: &mut StorageProbe<'_>, network: &dyn Network) -> Result<(), Stopped> {
    Reach::endpoint(STORAGE).run(network, probe.plan, &mut probe.steps)?;
    MarkerProbe::default()
        .when_not_writable(
            "Grant storage.objects.create and storage.objects.delete for the bucket.",
        )
        .when_not_readable("Grant storage.objects.list and storage.objects.get for the bucket.")
        .run(probe)
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{
        MemoryMarkers, RecordedNetwork, RecordedSteps, pieces, public_options,
    };
    use portolan_sdk::{Depth, Failure, FailureClass, Provider, Steps, WriteMarker};

    use super::*;
    use crate::Gs;

    fn run(depth: Depth, network: &RecordedNetwork, markers: &MemoryMarkers) -> RecordedSteps {
        let public = public_options(include_str!("../manifest.toml"));
        let plan = Gs::plan(&pieces("gs://b/p?BEARER_TOKEN=x", &public)).expect("a plan");
        let mut log = RecordedSteps::default();
        let writer: Option<&dyn WriteMarker> = match depth {
            Depth::Full => Some(markers),
            _ => None,
        };
        let _ = probe(
            &mut StorageProbe {
                plan: &plan,
                reader: markers,
                writer,
                depth,
                steps: Steps::new(&mut log),
            },
            network,
        );
        log
    }

    #[test]
    fn the_service_is_reached_before_the_marker_goes_there_and_back() {
        let (network, markers) = (RecordedNetwork::default(), MemoryMarkers::default());
        let log = run(Depth::Full, &network, &markers);
        assert_eq!(
            log.words(),
            [
                ("resolve", "ok"),
                ("dial", "ok"),
                ("tls", "ok"),
                ("write", "ok"),
                ("list", "ok"),
                ("read back", "ok"),
                ("compare", "ok")
            ]
        );
        assert_eq!(
            network.asked(),
            ["resolve 0", "dial 0", "tls server http/1.1"]
        );
    }

    #[test]
    fn a_probe_that_only_reads_writes_nothing_and_misses_no_marker() {
        let (network, markers) = (RecordedNetwork::default(), MemoryMarkers::default());
        let log = run(Depth::Read, &network, &markers);
        assert_eq!(log.failure(), None);
        assert_eq!(log.words()[3..], [("list", "ok"), ("read back", "skipped")]);
        assert_eq!(markers.content(), None);
    }

    #[test]
    fn nothing_is_written_where_the_certificate_is_not_trusted() {
        let untrusted = Failure::new(FailureClass::Protocol, "unknown authority")
            .with_hint("Add it to [tls] extra_ca.");
        let network = RecordedNetwork::default().fail_tls(untrusted.clone());
        let markers = MemoryMarkers::default();
        let log = run(Depth::Full, &network, &markers);
        assert_eq!(log.failure(), Some(&untrusted));
        assert_eq!(markers.content(), None);
    }

    #[test]
    fn what_may_not_be_written_names_the_permission() {
        let denied = Failure::new(FailureClass::Denied, "forbidden");
        let markers = MemoryMarkers::default().fail_write(denied);
        let log = run(Depth::Full, &RecordedNetwork::default(), &markers);
        let failure = log.failure().expect("it fails");
        assert_eq!(
            failure.hint.as_deref(),
            Some("Grant storage.objects.create and storage.objects.delete for the bucket.")
        );
    }
}
