//! Phase two: the server is reached; the marker goes there and back, or is only looked for.

use portolan_sdk::{
    Attempt, Depth, Failure, FailureClass, Kind, MarkerProbe, Network, Plan, PlanEntry, Probe,
    Reach, Steps, Stopped, StorageProbe,
};
use portolan_web::{BASIC, CLIENT_CERTIFICATE, SERVER};

use crate::recognise::{Found, recognise};
use crate::refusal::no_registry;
use crate::registry::Api;

/// Names to ask for where the server lists them.
const LIST_AT_MOST: u32 = 100;

/// The probe of a server of files or of a registry, whichever answers. Only one that speaks WebDAV
/// lists files.
pub(crate) fn probe(
    probe: &mut StorageProbe<'_>,
    network: &dyn Network,
    api: &dyn Api,
) -> Result<(), Stopped> {
    Reach::endpoint(SERVER).run(network, probe.plan, &mut probe.steps)?;
    if may_be_a_registry(probe.plan)
        && let Found::Registry = tell(&mut probe.steps, api, probe.plan)?
    {
        if probe.depth == Depth::Full {
            let why = "a schema registry takes no files, and a probe registers nothing";
            probe.steps.skip("write", why);
        }
        return Ok(());
    }
    if probe.depth != Depth::Full {
        return look(probe);
    }
    MarkerProbe::default()
        .may_lack_lists()
        .when_not_writable("Let the server accept PUT below the path of the connection.")
        .when_not_readable("Let the server answer GET below the path of the connection.")
        .run(probe)
}

/// The probe of a registry, which has to be one.
pub(crate) fn probe_registry(
    probe: &mut Probe<'_>,
    network: &dyn Network,
    api: &dyn Api,
) -> Result<(), Stopped> {
    Reach::endpoint(SERVER).run(network, probe.plan, &mut probe.steps)?;
    match tell(&mut probe.steps, api, probe.plan)? {
        Found::Registry => Ok(()),
        Found::Other => probe.steps.step("list", |_| Err(no_registry())),
    }
}

fn may_be_a_registry(plan: &Plan) -> bool {
    let is_registry = |entry: &PlanEntry| matches!(entry, PlanEntry::Kind(Kind::Registry));
    plan.entries().iter().any(is_registry)
}

/// Tells which of both it is, and of a registry how many subjects it lists.
fn tell(steps: &mut Steps<'_>, api: &dyn Api, plan: &Plan) -> Result<Found, Stopped> {
    steps.step("recognise", |details| {
        let (found, subjects) = recognise(api, plan)?;
        details.add("found", found.name());
        if let Some(subjects) = subjects {
            details.add("subjects", subjects.to_string());
        }
        Ok(found)
    })
}

/// Lists, and asks for the marker: whatever an HTTP server answers shows that it is one.
fn look(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
    let (reader, plan) = (probe.reader, probe.plan);
    probe
        .steps
        .attempt("list", |details| match reader.list(LIST_AT_MOST) {
            Ok(names) => {
                details.add("found", names.len().to_string());
                Ok(Attempt::Done(()))
            }
            Err(failure) if is_an_answer(&failure, plan) => Ok(Attempt::Skipped(failure.message)),
            Err(failure) => Err(failure.context("failed to list sentinel ExternalStorage file")),
        })?;
    probe
        .steps
        .step("read back", |details| match reader.read() {
            Ok(_) => {
                details.add("answer", "the marker is there");
                Ok(())
            }
            Err(failure) if is_an_answer(&failure, plan) => {
                details.add("answer", failure.message);
                Ok(())
            }
            Err(failure) => Err(failure.context("failed to read sentinel ExternalStorage file")),
        })
}

/// Whether a failure is what the server answered, and not that it did not. That it asks for
/// credentials is an answer only where the URI gives none.
fn is_an_answer(failure: &Failure, plan: &Plan) -> bool {
    match failure.class {
        FailureClass::NotFound | FailureClass::Denied | FailureClass::Unsupported => true,
        FailureClass::RefusedCredentials => !gives_credentials(plan),
        _ => false,
    }
}

fn gives_credentials(plan: &Plan) -> bool {
    plan.entries().iter().any(|entry| match entry {
        PlanEntry::Secret(named) => [BASIC, CLIENT_CERTIFICATE].contains(&named.name.as_str()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use portolan_sdk::testing::{
        MemoryMarkers, RecordedNetwork, RecordedSteps, pieces, public_options,
    };
    use portolan_sdk::{MARKER_CONTENT, Provider, Steps, WriteMarker};

    use super::*;
    use crate::Http;
    use crate::registry::tests::Scripted;

    fn run(uri: &str, depth: Depth, markers: &MemoryMarkers) -> RecordedSteps {
        let api = Scripted::answering(404, "text/html", "<html>");
        run_with(uri, depth, markers, &api)
    }

    fn run_with(uri: &str, depth: Depth, markers: &MemoryMarkers, api: &Scripted) -> RecordedSteps {
        let public = public_options(include_str!("../manifest.toml"));
        let plan = Http::plan(&pieces(uri, &public)).expect("a plan");
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
            &RecordedNetwork::default(),
            api,
        );
        log
    }

    fn failed(class: FailureClass) -> Failure {
        Failure::new(class, "the server answered so")
    }

    #[test]
    fn a_server_without_lists_is_written_and_read_all_the_same() {
        let markers = MemoryMarkers::default().fail_list(failed(FailureClass::Unsupported));
        let log = run("https://h/p", Depth::Full, &markers);
        assert_eq!(
            log.words(),
            [
                ("resolve", "ok"),
                ("dial", "ok"),
                ("tls", "ok"),
                ("recognise", "ok"),
                ("write", "ok"),
                ("list", "skipped"),
                ("read back", "ok"),
                ("compare", "ok")
            ]
        );
        assert_eq!(markers.content().as_deref(), Some(MARKER_CONTENT));
    }

    #[test]
    fn looking_writes_nothing_and_any_answer_counts() {
        for class in [
            FailureClass::NotFound,
            FailureClass::Denied,
            FailureClass::Unsupported,
            FailureClass::RefusedCredentials,
        ] {
            let markers = MemoryMarkers::default()
                .fail_list(failed(class.clone()))
                .fail_read(failed(class.clone()));
            let log = run("file-http://h/p", Depth::Read, &markers);
            assert_eq!(
                log.words(),
                [
                    ("resolve", "ok"),
                    ("dial", "ok"),
                    ("tls", "skipped"),
                    ("list", "skipped"),
                    ("read back", "ok")
                ],
                "{class:?}"
            );
            assert_eq!(log.steps[4].details[0].1, "the server answered so");
            assert_eq!(markers.content(), None);
        }
        let markers = MemoryMarkers::default();
        markers.put(b"anything");
        let log = run("file-http://h/p", Depth::Read, &markers);
        assert_eq!(log.words()[3..], [("list", "ok"), ("read back", "ok")]);
    }

    #[test]
    fn no_answer_is_a_failure() {
        for class in [
            FailureClass::Unreachable,
            FailureClass::Timeout,
            FailureClass::Protocol,
        ] {
            let markers = MemoryMarkers::default()
                .fail_list(failed(FailureClass::Unsupported))
                .fail_read(failed(class.clone()));
            let log = run("file-https://h/p", Depth::Read, &markers);
            assert_eq!(log.words()[4], ("read back", "failed"));
            let failure = log.failure().expect("it fails");
            assert_eq!(failure.class, class);
            assert_eq!(
                failure.message,
                "failed to read sentinel ExternalStorage file: the server answered so"
            );
        }
    }

    #[test]
    fn refused_credentials_are_a_failure_where_the_uri_gives_some() {
        let refused = || failed(FailureClass::RefusedCredentials);
        for uri in [
            "file-https://user:wrong@h/p",
            "file-https://token@h/p",
            "file-https://h/p?client_cert=a&client_key=b",
        ] {
            let markers = MemoryMarkers::default()
                .fail_list(failed(FailureClass::Unsupported))
                .fail_read(refused());
            let log = run(uri, Depth::Read, &markers);
            assert_eq!(log.words()[4], ("read back", "failed"), "{uri}");
            let log = run(
                uri,
                Depth::Read,
                &MemoryMarkers::default().fail_list(refused()),
            );
            assert_eq!(log.words()[3], ("list", "failed"), "{uri}");
        }
    }

    #[test]
    fn a_registry_is_recognised_and_gets_no_file() {
        let steps = [
            ("resolve", "ok"),
            ("dial", "ok"),
            ("tls", "ok"),
            ("recognise", "ok"),
        ];
        for (depth, more) in [
            (Depth::Read, &[][..]),
            (Depth::Full, &[("write", "skipped")]),
        ] {
            let markers = MemoryMarkers::default();
            let api = Scripted::answering(200, "application/json", "[\"a\",\"b\"]");
            let log = run_with("https://h/p", depth, &markers, &api);
            assert_eq!(log.words()[..4], steps);
            assert_eq!(log.words()[4..], *more);
            let details: Vec<_> = log.steps[3]
                .details
                .iter()
                .map(|(a, b)| (&**a, &**b))
                .collect();
            assert_eq!(details, [("found", "a schema registry"), ("subjects", "2")]);
            assert_eq!(markers.content(), None);
        }
        let log = run("https://h/p", Depth::Read, &MemoryMarkers::default());
        assert_eq!(log.steps[3].details[0].1, "files");
    }

    #[test]
    fn what_has_to_be_a_registry_and_is_none_is_a_failure() {
        let public = public_options(include_str!("../manifest.toml"));
        let plan = Http::plan(&pieces("https://h/p", &public)).expect("a plan");
        for (answer, last) in [("[]", ("recognise", "ok")), ("<html>", ("list", "failed"))] {
            let mut log = RecordedSteps::default();
            let _ = probe_registry(
                &mut Probe {
                    plan: &plan,
                    depth: Depth::Full,
                    steps: Steps::new(&mut log),
                },
                &RecordedNetwork::default(),
                &Scripted::answering(200, "", answer),
            );
            assert_eq!(log.words().last(), Some(&last));
        }
    }

    #[test]
    fn a_depth_of_a_later_contract_only_looks() {
        let markers = MemoryMarkers::default();
        run("https://h", Depth::Other("deep".to_owned()), &markers);
        assert_eq!(markers.content(), None);
    }
}
