//! The probe that every object store shares: write the marker, list it, read it back, compare.

use crate::{Attempt, Depth, Details, Failure, FailureClass, Stopped, StorageProbe, joined};

/// What the marker holds, word for word what servers of this feature write.
pub const MARKER_CONTENT: &[u8] =
    b"a CockroachDB cluster has been configured to read and write to this location";

/// Names to ask for: one would do, but others may begin like the marker.
const LIST_AT_MOST: u32 = 100;

/// Why nothing is read back at depth `read`.
const NO_MARKER: &str = "no marker is there yet";

/// How much of a foreign marker is shown, in characters.
const SHOWN_OF_FOREIGN_CONTENT: usize = 100;

/// Reads the marker of a store.
pub trait ReadMarker {
    /// The marker's name.
    fn name(&self) -> String;
    /// The marker's content.
    ///
    /// # Errors
    ///
    /// `not-found` without a marker, or why it cannot be read.
    fn read(&self) -> Result<Vec<u8>, Failure>;
    /// Names below the connection's prefix that begin with the marker's.
    ///
    /// # Errors
    ///
    /// Why the store cannot be listed.
    fn list(&self, at_most: u32) -> Result<Vec<String>, Failure>;
}

/// Writes the marker of a store.
pub trait WriteMarker {
    /// Replaces the marker.
    ///
    /// # Errors
    ///
    /// Why it cannot be written.
    fn write(&self, content: &[u8]) -> Result<(), Failure>;
}

/// The probe of an object store. The marker stays where it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarkerProbe {
    write_hint: Option<&'static str>,
    read_hint: Option<&'static str>,
    may_lack_lists: bool,
}

impl MarkerProbe {
    /// What to do when the store cannot be written, unless the host knows better.
    #[must_use]
    pub fn when_not_writable(mut self, hint: &'static str) -> Self {
        self.write_hint = Some(hint);
        self
    }

    /// What to do when the store cannot be listed or read, unless the host knows better.
    #[must_use]
    pub fn when_not_readable(mut self, hint: &'static str) -> Self {
        self.read_hint = Some(hint);
        self
    }

    /// The store may be of a kind that lists nothing: then `list` is skipped, and the marker is
    /// looked for by its name.
    #[must_use]
    pub fn may_lack_lists(mut self) -> Self {
        self.may_lack_lists = true;
        self
    }

    /// Runs it: at depth `full` it writes, lists, reads back and compares; otherwise it lists, and
    /// reads a marker that is there.
    ///
    /// A marker that another connection writes meanwhile holds the same and is no failure.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed.
    pub fn run(self, probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        match (&probe.depth, probe.writer) {
            (Depth::Full, Some(writer)) => self.run_full(probe, writer),
            _ => self.run_read(probe),
        }
    }

    fn run_full(
        self,
        probe: &mut StorageProbe<'_>,
        writer: &dyn WriteMarker,
    ) -> Result<(), Stopped> {
        let reader = probe.reader;
        probe.steps.step("write", |details| {
            details.add("bytes", MARKER_CONTENT.len().to_string());
            writer.write(MARKER_CONTENT).map_err(|failure| {
                hinted(failure, self.write_hint)
                    .context("failed to write a sentinel ExternalStorage file")
            })
        })?;
        probe.steps.attempt("list", |details| {
            let marker = reader.name();
            match self.list(reader, details)? {
                Attempt::Done(names) if !has_marker(&names, &marker) => Err(not_listed(&marker)),
                listed => Ok(listed),
            }
        })?;
        let content = probe.steps.step("read back", |_| self.read(reader))?;
        probe.steps.step("compare", |_| compare(&content))
    }

    fn run_read(self, probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        let reader = probe.reader;
        let listed = probe
            .steps
            .attempt("list", |details| self.list(reader, details))?;
        let marker = reader.name();
        let there = |names: &Vec<String>| names.iter().any(|name| last_segment(name) == marker);
        if listed.as_ref().is_some_and(|names| !there(names)) {
            probe.steps.skip("read back", NO_MARKER);
            return Ok(());
        }
        let read_back = probe
            .steps
            .attempt("read back", |_| match self.read(reader) {
                Err(failure) if failure.class == FailureClass::NotFound => {
                    Ok(Attempt::Skipped(NO_MARKER.to_owned()))
                }
                Err(failure) => Err(failure),
                Ok(_) => Ok(Attempt::Done(())),
            });
        read_back.map(drop)
    }

    fn list(
        self,
        reader: &dyn ReadMarker,
        details: &mut Details,
    ) -> Result<Attempt<Vec<String>>, Failure> {
        match reader.list(LIST_AT_MOST) {
            Ok(names) => {
                details.add("found", names.len().to_string());
                Ok(Attempt::Done(names))
            }
            Err(failure) if self.may_lack_lists && failure.class == FailureClass::Unsupported => {
                Ok(Attempt::Skipped(failure.message))
            }
            Err(failure) => Err(hinted(failure, self.read_hint)
                .context("failed to list sentinel ExternalStorage file")),
        }
    }

    fn read(self, reader: &dyn ReadMarker) -> Result<Vec<u8>, Failure> {
        reader.read().map_err(|failure| {
            hinted(failure, self.read_hint).context("failed to read sentinel ExternalStorage file")
        })
    }
}

fn hinted(mut failure: Failure, hint: Option<&str>) -> Failure {
    failure.hint = failure.hint.or(hint.map(str::to_owned));
    failure
}

/// Whether a name begins like the marker's, as the ancestor looks for it.
fn has_marker(names: &[String], marker: &str) -> bool {
    names
        .iter()
        .any(|name| last_segment(name).starts_with(marker))
}

fn not_listed(marker: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&[
            "failed to find sentinel ExternalStorage file '",
            marker,
            "'",
        ]),
    )
    .with_hint("What was written is not listed: allow listing below the connection's path.")
}

fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn compare(content: &[u8]) -> Result<(), Failure> {
    if content == MARKER_CONTENT {
        return Ok(());
    }
    let found = String::from_utf8_lossy(content);
    let mut shown: String = found.chars().take(SHOWN_OF_FOREIGN_CONTENT).collect();
    if shown.len() < found.len() {
        shown.push('…');
    }
    Err(Failure::new(
        FailureClass::Protocol,
        joined(&[
            "content mismatch, expected: ",
            &String::from_utf8_lossy(MARKER_CONTENT),
            " but found: ",
            &shown,
        ]),
    )
    .with_hint(
        "Something else writes there under the same name, or the store answers from a cache.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryMarkers, RecordedSteps};
    use crate::{Kind, Plan, Steps};

    fn run(markers: &MemoryMarkers, depth: Depth) -> RecordedSteps {
        let mut log = RecordedSteps::default();
        let writer: Option<&dyn WriteMarker> = match depth {
            Depth::Full => Some(markers),
            _ => None,
        };
        let _ = MarkerProbe::default()
            .when_not_writable("Make it writable.")
            .run(&mut StorageProbe {
                plan: &Plan::new(Kind::Storage),
                reader: markers,
                writer,
                depth,
                steps: Steps::new(&mut log),
            });
        log
    }

    #[test]
    fn a_full_probe_leaves_the_marker_there() {
        let markers = MemoryMarkers::default();
        let log = run(&markers, Depth::Full);
        assert_eq!(
            log.words(),
            [
                ("write", "ok"),
                ("list", "ok"),
                ("read back", "ok"),
                ("compare", "ok")
            ]
        );
        assert_eq!(markers.content().as_deref(), Some(MARKER_CONTENT));
    }

    #[test]
    fn a_read_probe_writes_nothing_and_reads_a_marker_that_is_there() {
        let markers = MemoryMarkers::default();
        assert_eq!(
            run(&markers, Depth::Read).words(),
            [("list", "ok"), ("read back", "skipped")]
        );
        assert_eq!(markers.content(), None);
        markers.put(b"anything");
        assert_eq!(
            run(&markers, Depth::Read).words(),
            [("list", "ok"), ("read back", "ok")]
        );
    }

    #[test]
    fn a_store_without_lists_is_written_and_read_all_the_same() {
        let no_lists = || Failure::new(FailureClass::Unsupported, "the server lists nothing");
        let run = |markers: &MemoryMarkers, depth, may_lack_lists| {
            let mut log = RecordedSteps::default();
            let probe = MarkerProbe {
                may_lack_lists,
                ..MarkerProbe::default()
            };
            let _ = probe.run(&mut StorageProbe {
                plan: &Plan::new(Kind::Storage),
                reader: markers,
                writer: Some(markers),
                depth,
                steps: Steps::new(&mut log),
            });
            log
        };
        let markers = MemoryMarkers::default().fail_list(no_lists());
        assert_eq!(
            run(&markers, Depth::Read, true).words(),
            [("list", "skipped"), ("read back", "skipped")]
        );
        assert_eq!(
            run(&markers, Depth::Full, true).words(),
            [
                ("write", "ok"),
                ("list", "skipped"),
                ("read back", "ok"),
                ("compare", "ok")
            ]
        );
        assert_eq!(
            run(&markers, Depth::Read, true).words(),
            [("list", "skipped"), ("read back", "ok")]
        );
        assert_eq!(
            run(&markers, Depth::Read, false).words(),
            [("list", "failed")]
        );
        let denied = Failure::new(FailureClass::Denied, "no");
        let markers = MemoryMarkers::default().fail_list(denied);
        assert_eq!(
            run(&markers, Depth::Read, true).words(),
            [("list", "failed")]
        );
    }

    #[test]
    fn a_depth_of_a_later_contract_is_treated_as_read() {
        let markers = MemoryMarkers::default();
        run(&markers, Depth::Other("deep".to_owned()));
        assert_eq!(markers.content(), None);
    }

    #[test]
    fn each_way_to_fail_has_its_text() {
        let refused = || Failure::new(FailureClass::Denied, "permission denied");
        let cases = [
            (
                MemoryMarkers::default().fail_write(refused()),
                "failed to write a sentinel ExternalStorage file: permission denied",
            ),
            (
                MemoryMarkers::default().fail_list(refused()),
                "failed to list sentinel ExternalStorage file: permission denied",
            ),
            (
                MemoryMarkers::default().hidden_from_lists(),
                "failed to find sentinel ExternalStorage file 'crdb_external_storage_location'",
            ),
            (
                MemoryMarkers::default().fail_read(refused()),
                "failed to read sentinel ExternalStorage file: permission denied",
            ),
            (
                MemoryMarkers::default().reads_as(b"somebody else"),
                "content mismatch, expected: a CockroachDB cluster has been configured to read and \
                 write to this location but found: somebody else",
            ),
        ];
        for (markers, text) in cases {
            let log = run(&markers, Depth::Full);
            assert_eq!(
                log.failure().map(|failure| failure.message.as_str()),
                Some(text)
            );
        }
    }

    #[test]
    fn a_hint_of_the_host_is_kept_and_a_missing_one_is_filled_in() {
        let host_knows = Failure::new(FailureClass::Denied, "full").with_hint("Free some space.");
        let log = run(
            &MemoryMarkers::default().fail_write(host_knows),
            Depth::Full,
        );
        assert_eq!(
            log.failure().and_then(|failure| failure.hint.as_deref()),
            Some("Free some space.")
        );
        let unknown = Failure::new(FailureClass::Denied, "denied");
        let log = run(&MemoryMarkers::default().fail_write(unknown), Depth::Full);
        assert_eq!(
            log.failure().and_then(|failure| failure.hint.as_deref()),
            Some("Make it writable.")
        );
    }

    #[test]
    fn a_long_foreign_marker_is_cut() {
        let log = run(
            &MemoryMarkers::default().reads_as(&[b'x'; 60_000]),
            Depth::Full,
        );
        let message = &log.failure().expect("it differs").message;
        assert!(message.ends_with("x…"), "{message}");
        assert!(message.len() < 300, "{}", message.len());
    }
}
