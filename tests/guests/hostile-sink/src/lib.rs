//! A provider of sinks that does everything that the sandbox must survive. The path of the URI chooses
//! the misdeed: `hostile-sink:///traps_at_the_third_call`. Every other path behaves.

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        dead_code,
        clippy::all,
        reason = "generated"
    )]
    wit_bindgen::generate!({
        path: "../../../wit/v0.1",
        world: "portolan:provider/sink-provider",
        generate_all,
    });
    export!(HostileSink with_types_in self);
    use super::HostileSink;
}

use std::cell::RefCell;
use std::hint::black_box;

use bindings::exports::portolan::provider::{planning, sink};
use bindings::portolan::host::log;
use bindings::portolan::host::steps::{self, Depth, Outcome};
use bindings::portolan::types::types::{
    Failure, FailureClass, Kind, Operation, PlanEntry, UriPieces, Value,
};

/// Calls to the host in one call of the sink: within its budget once, and over it in two.
const CALLS: usize = 6_000;

struct HostileSink;

/// What this instance has seen.
#[derive(Default)]
struct State {
    misdeed: String,
    calls: u64,
    messages: u64,
    kept: Vec<Vec<u8>>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

impl planning::Guest for HostileSink {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        let Value::Text(path) = uri.path else {
            return Err(refusal("the path is a secret"));
        };
        let misdeed = path.trim_start_matches('/').to_owned();
        Ok(vec![
            PlanEntry::Kind(Kind::Sink),
            PlanEntry::Supports(Operation::Changefeed),
            PlanEntry::Setting(("misdeed".to_owned(), misdeed)),
        ])
    }

    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl sink::Guest for HostileSink {
    fn probe(_: Vec<PlanEntry>, _: Vec<String>, _: Depth) {
        steps::begin("look");
        steps::end(&Outcome::Ok, &[]);
    }

    fn open(plan: Vec<PlanEntry>) -> Result<(), Failure> {
        let misdeed = plan.into_iter().find_map(|entry| match entry {
            PlanEntry::Setting((name, value)) if name == "misdeed" => Some(value),
            _ => None,
        });
        let misdeed = misdeed.unwrap_or_default();
        match misdeed.as_str() {
            "refuses_to_open" => return Err(refusal("\u{1b}[31mnot today")),
            "traps_when_it_opens" => panic!("at once"),
            _ => {}
        }
        STATE.with_borrow_mut(|state| state.misdeed = misdeed);
        Ok(())
    }

    fn emit(messages: Vec<sink::Message>) -> Result<u64, Failure> {
        STATE.with_borrow_mut(|state| {
            state.calls += 1;
            state.messages += messages.len() as u64;
            let all = state.messages;
            match state.misdeed.as_str() {
                "acknowledges_more_than_it_was_given" => Ok(all + 1),
                "acknowledges_less_than_before" if state.calls > 1 => Ok(0),
                "acknowledges_nothing" => Ok(0),
                "traps_at_the_third_call" if state.calls == 3 => panic!("enough"),
                "fails_at_every_second_call" if state.calls == 2 => Err(refusal("every second")),
                "spins" => loop {
                    black_box(state.calls);
                },
                "keeps_everything" => {
                    state.kept.push(vec![1; 4 << 20]);
                    Ok(all)
                }
                "calls_the_host_often" => {
                    (0..CALLS).for_each(|_| log::write(&log::Level::Info, ""));
                    Ok(all)
                }
                "calls_the_host_too_often" => {
                    (0..2 * CALLS).for_each(|_| log::write(&log::Level::Info, ""));
                    Ok(all)
                }
                "computes_for_long" => {
                    (0..20_000_000_u64).for_each(|number| {
                        black_box(number);
                    });
                    Ok(all)
                }
                _ => Ok(all),
            }
        })
    }

    fn flush() -> Result<u64, Failure> {
        STATE.with_borrow(|state| match state.misdeed.as_str() {
            "acknowledges_nothing" => Ok(0),
            _ => Ok(state.messages),
        })
    }

    fn close() -> Result<(), Failure> {
        STATE.with_borrow(|state| match state.misdeed.as_str() {
            "traps_when_it_closes" => panic!("at last"),
            _ => Ok(()),
        })
    }
}

fn refusal(message: &str) -> Failure {
    Failure {
        class: FailureClass::Unreachable,
        message: message.to_owned(),
        hint: None,
        option_name: None,
        facts: Vec::new(),
    }
}
