//! Phase two: the server is reached, and the marker goes there and back.

use portolan_sdk::{MarkerProbe, Network, Reach, Stopped, StorageProbe};

use crate::plan::BUCKET;

/// The probe of a bucket.
pub(crate) fn probe(probe: &mut StorageProbe<'_>, network: &dyn Network) -> Result<(), Stopped> {
    Reach::endpoint(BUCKET).run(network, probe.plan, &mut probe.steps)?;
    MarkerProbe::default()
        .when_not_writable("Allow s3:PutObject below the path of the connection.")
        .when_not_readable(
            "Allow s3:ListBucket for the bucket and s3:GetObject below the path of the connection.",
        )
        .run(probe)
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{
        MemoryMarkers, RecordedNetwork, RecordedSteps, pieces, public_options,
    };
    use portolan_sdk::{
        Depth, Failure, FailureClass, MARKER_CONTENT, Provider, Steps, WriteMarker,
    };

    use super::*;
    use crate::S3;

    fn run(
        options: &str,
        depth: Depth,
        network: &RecordedNetwork,
        markers: &MemoryMarkers,
    ) -> RecordedSteps {
        let uri = format!("s3://b/p?AWS_ACCESS_KEY_ID=a&AWS_SECRET_ACCESS_KEY=b&{options}");
        let public = public_options(include_str!("../manifest.toml"));
        let plan = S3::plan(&pieces(&uri, &public)).expect("a plan");
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
    fn the_server_is_reached_before_the_marker_goes_there_and_back() {
        let (network, markers) = (RecordedNetwork::default(), MemoryMarkers::default());
        let log = run("AWS_REGION=eu-west-1", Depth::Full, &network, &markers);
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
            log.steps[0].details[0].1,
            "b.s3.eu-west-1.amazonaws.com".to_owned()
        );
        assert_eq!(
            network.asked(),
            ["resolve 0", "dial 0", "tls server http/1.1"]
        );
        assert_eq!(markers.content().as_deref(), Some(MARKER_CONTENT));
    }

    #[test]
    fn a_probe_that_only_reads_writes_nothing_and_misses_no_marker() {
        let (network, markers) = (RecordedNetwork::default(), MemoryMarkers::default());
        let log = run("", Depth::Read, &network, &markers);
        assert_eq!(log.failure(), None);
        assert_eq!(log.words()[3..], [("list", "ok"), ("read back", "skipped")]);
        assert_eq!(markers.content(), None);
    }

    #[test]
    fn what_may_not_be_written_or_listed_names_the_permission() {
        let refused = || Failure::new(FailureClass::Denied, "AccessDenied");
        for (markers, message, hint) in [
            (
                MemoryMarkers::default().fail_write(refused()),
                "failed to write a sentinel ExternalStorage file: AccessDenied",
                "Allow s3:PutObject below the path of the connection.",
            ),
            (
                MemoryMarkers::default().fail_list(refused()),
                "failed to list sentinel ExternalStorage file: AccessDenied",
                "Allow s3:ListBucket for the bucket and s3:GetObject below the path of the \
                 connection.",
            ),
        ] {
            let log = run("", Depth::Full, &RecordedNetwork::default(), &markers);
            let failure = log.failure().expect("it fails");
            assert_eq!(failure.message, message);
            assert_eq!(failure.hint.as_deref(), Some(hint));
        }
    }
}
