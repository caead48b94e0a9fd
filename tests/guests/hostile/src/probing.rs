//! Misdeeds in `probe`.

use std::hint::black_box;
use std::mem::forget;

use crate::bindings::portolan::host::objects::{MarkerReader, MarkerWriter};
use crate::bindings::portolan::host::steps::{self, Outcome};
use crate::bindings::portolan::host::{log, net, parts, random, sasl, sign};
use crate::planning::{ESCAPES, grow, hostile_failure, invalid_utf8, recurse, send, spin};
use crate::{Probe, refusal, told};

fn one_step(name: &str) {
    steps::begin(name);
    steps::end(&Outcome::Ok, &[]);
}

pub(crate) fn spins_in_a_probe(_: Probe) {
    one_step("before");
    steps::begin("spin");
    spin()
}

pub(crate) fn waits_honestly(probe: Probe) {
    steps::begin("read");
    told(probe.reader.read_marker().map(|_| ()));
}

pub(crate) fn grows_its_memory_in_a_probe(_: Probe) {
    one_step("before");
    grow()
}

pub(crate) fn recurses_in_a_probe(_: Probe) {
    black_box(recurse(0));
}

pub(crate) fn crashes_in_a_probe(_: Probe) {
    steps::begin("crash");
    core::arch::wasm32::unreachable()
}

pub(crate) fn floods_the_log(_: Probe) {
    let line = "x".repeat(1024);
    for _ in 0..1_000 {
        log::write(&log::Level::Info, &line);
    }
    one_step("flooded");
}

pub(crate) fn logs_a_line_of_40_mib(_: Probe) {
    log::write(&log::Level::Info, &"x".repeat(40 << 20));
}

pub(crate) fn logs_terminal_escapes(_: Probe) {
    log::write(&log::Level::Warn, ESCAPES);
    log::write(&log::Level::Other(ESCAPES.to_owned()), ESCAPES);
    one_step("logged");
}

pub(crate) fn tells_invalid_utf8(_: Probe) {
    steps::begin("tell");
    steps::end(&Outcome::Skipped(invalid_utf8()), &[]);
}

pub(crate) fn calls_the_host_without_end(probe: Probe) {
    loop {
        black_box(probe.reader.marker_name());
    }
}

pub(crate) fn asks_for_too_much_random(_: Probe) {
    black_box(random::bytes(1_025));
    one_step("had it");
}

pub(crate) fn asks_for_too_much_random_in_all(_: Probe) {
    for _ in 0..65 {
        black_box(random::bytes(1_024));
    }
    one_step("had it");
}

pub(crate) fn reads_without_end(probe: Probe) {
    for _ in 0..5_000 {
        if probe.reader.read_marker().is_err() {
            return;
        }
    }
    one_step("had it all");
}

pub(crate) fn writes_too_large_a_marker(probe: Probe) {
    steps::begin("write");
    match &probe.writer {
        Some(writer) => told(writer.write_marker(&vec![0; (64 << 10) + 1])),
        None => told(Err(refusal("there is no writer"))),
    }
}

pub(crate) fn lists_without_bound(probe: Probe) {
    steps::begin("list");
    match probe.reader.list_markers(u32::MAX) {
        Ok(names) => steps::end(
            &Outcome::Ok,
            &[("names".to_owned(), names.len().to_string())],
        ),
        Err(failure) => told(Err(failure)),
    }
}

pub(crate) fn lists_without_end(probe: Probe) {
    steps::begin("list");
    // Whoever watches the store sees by the marker that the probe has begun.
    if let Some(writer) = &probe.writer {
        drop(writer.write_marker(b"begun"));
    }
    loop {
        drop(black_box(probe.reader.list_markers(1)));
    }
}

pub(crate) fn calls_parts_without_a_grant(_: Probe) {
    forget(parts::named("key"));
    one_step("named");
}

pub(crate) fn calls_net_without_a_grant(_: Probe) {
    forget(net::connect(0));
    one_step("dialled");
}

pub(crate) fn calls_http_without_a_grant(_: Probe) {
    forget(send());
    one_step("sent");
}

pub(crate) fn calls_sasl_without_a_grant(_: Probe) {
    forget(sasl::start("PLAIN", &[], None));
    one_step("began");
}

pub(crate) fn calls_sign_without_a_grant(_: Probe) {
    forget(sign::sign("key", &sign::Algorithm::HmacSha256, b"a byte"));
    one_step("signed");
}

/// At depth `read` there is no writer. Handles are numbers, so one could try them all; the first
/// that is none ends the instance.
pub(crate) fn forges_a_writer(_: Probe) {
    // SAFETY: the number is the host's to judge.
    let writer = unsafe { MarkerWriter::from_handle(7) };
    forget(writer.write_marker(b"forged"));
    forget(writer);
    one_step("wrote");
}

pub(crate) fn uses_a_reader_as_a_writer(probe: Probe) {
    // SAFETY: as above.
    let writer = unsafe { MarkerWriter::from_handle(probe.reader.handle()) };
    forget(writer.write_marker(b"forged"));
    forget(writer);
    one_step("wrote");
}

pub(crate) fn uses_a_handle_that_is_used_up(probe: Probe) {
    let number = probe.reader.handle();
    drop(probe.reader);
    // SAFETY: as above.
    let reader = unsafe { MarkerReader::from_handle(number) };
    forget(reader.read_marker());
    forget(reader);
    one_step("read");
}

pub(crate) fn begins_a_step_within_a_step(_: Probe) {
    steps::begin("outer");
    steps::begin("inner");
}

pub(crate) fn ends_a_step_that_was_not_begun(_: Probe) {
    steps::end(&Outcome::Ok, &[]);
}

pub(crate) fn tells_65_steps(_: Probe) {
    for _ in 0..65 {
        one_step("again");
    }
}

pub(crate) fn tells_too_many_details(_: Probe) {
    steps::begin("tell");
    let details = vec![("name".to_owned(), "value".to_owned()); 17];
    steps::end(&Outcome::Ok, &details);
}

pub(crate) fn leaves_a_step_open(_: Probe) {
    one_step("before");
    steps::begin("left open");
}

pub(crate) fn tells_no_step(_: Probe) {}

pub(crate) fn names_a_step_with_terminal_escapes(_: Probe) {
    one_step(ESCAPES);
}

pub(crate) fn tells_terminal_escapes(_: Probe) {
    let escapes = || ESCAPES.to_owned();
    steps::begin("skip");
    steps::end(&Outcome::Skipped(escapes()), &[(escapes(), escapes())]);
    steps::begin("fail");
    steps::end(&Outcome::Failed(hostile_failure()), &[]);
}

pub(crate) fn tells_an_outcome_of_a_later_contract(_: Probe) {
    steps::begin("tell");
    steps::end(&Outcome::Other("ok\u{1b}[2J".to_owned()), &[]);
}
