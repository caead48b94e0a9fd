//! A provider that does everything that the sandbox must survive.
//!
//! The path of the URI chooses the misdeed: `hostile://x/spins_forever`. What is done with a secret
//! takes a form as well: `hostile://x/leaks_into_a_hint/hex`. `hostile://x/good` behaves, and so does
//! `hostile://host/dials`, which plans the host of its URI as an endpoint.
//!
//! # Layout
//!
//! * `misdeeds`: their list, which the tests read too.
//! * `planning`, `redacting`, `probing`, `dialling`, `authenticating`, `requesting`, `using_keys`: one
//!   function for each misdeed of a function of the contract.
//! * `leaks`: what is told of secrets that the manifest reveals, in every `forms`.

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        dead_code,
        clippy::all,
        reason = "generated"
    )]
    // It exports what a key does as well, whether its manifest lists the kind or not.
    wit_bindgen::generate!({
        path: "../../../wit/v0.1",
        inline: "
            package portolan:hostile;
            world provider {
                include portolan:provider/storage-provider@0.1.0;
                export portolan:provider/kms@0.1.0;
            }
        ",
        world: "portolan:hostile/provider",
        generate_all,
    });
    export!(Hostile with_types_in self);
    use super::Hostile;
}

mod authenticating;
mod dialling;
mod forms;
mod leaks;
mod misdeeds;
mod planning;
mod probing;
mod redacting;
mod requesting;
mod using_keys;

use bindings::exports::portolan::provider::{planning as planned, storage};
use bindings::portolan::host::objects::{MarkerReader, MarkerWriter};
use bindings::portolan::host::steps::{self, Depth, Outcome};
use bindings::portolan::types::types::{
    Failure, FailureClass, Fragment, Kind, NamedSecret, Operation, PlanEntry, UriPieces, Value,
};

/// What `plan` answers.
type Planned = Result<Vec<PlanEntry>, Failure>;

struct Hostile;

/// What a probe was given.
struct Probe {
    plan: Vec<PlanEntry>,
    reader: MarkerReader,
    writer: Option<MarkerWriter>,
}

/// The misdeed that the path names, and its form.
fn chosen(uri: &UriPieces) -> (&str, &str) {
    let Value::Text(path) = &uri.path else {
        return ("good", "");
    };
    let path = path.trim_start_matches('/');
    path.split_once('/').unwrap_or((path, ""))
}

macro_rules! choose {
    (
        planning { $($plan:ident,)* }
        redacting { $($redact:ident,)* }
        probing { $($probe:ident,)* }
        dialling { $($dial:ident,)* }
        authenticating { $($authenticate:ident,)* }
        requesting { $($ask:ident,)* }
        using_keys { $($use:ident,)* }
        leaking { $($leak:ident,)* }
        telling { $($tell:ident,)* }
        building { $($built:ident,)* }
        claiming { $($claimed:ident,)* }
    ) => {
        fn plan(uri: &UriPieces) -> Planned {
            let (name, form) = chosen(uri);
            match name {
                $(stringify!($plan) => planning::$plan(uri),)*
                $(stringify!($leak) => leaks::$leak(&leaks::Leak::of(uri, form)).planned(uri),)*
                _ => Ok(good_plan(uri)),
            }
        }

        fn redact(uri: UriPieces) -> UriPieces {
            let (name, form) = chosen(&uri);
            match name {
                $(stringify!($redact) => redacting::$redact(uri),)*
                $(stringify!($leak) => leaks::$leak(&leaks::Leak::of(&uri, form)).redacted(uri),)*
                _ => uri,
            }
        }

        fn probe(misdeed: &str, probe: Probe) {
            let (name, form) = misdeed.split_once('/').unwrap_or((misdeed, ""));
            match name {
                $(stringify!($probe) => probing::$probe(probe),)*
                $(stringify!($dial) => dialling::$dial(&probe.plan),)*
                $(stringify!($authenticate) => authenticating::$authenticate(&probe.plan),)*
                $(stringify!($ask) => requesting::$ask(),)*
                $(stringify!($tell) => leaks::$tell(&leaks::Leak::of_plan(&probe.plan, form)),)*
                _ => good_probe(&probe),
            }
        }

        /// What is done with a key; each misdeed has one of the two.
        fn use_key(misdeed: &str, asked: using_keys::Asked) -> using_keys::Answer {
            let (name, _) = misdeed.split_once('/').unwrap_or((misdeed, ""));
            match name {
                $(stringify!($use) => using_keys::$use(asked),)*
                _ => using_keys::good(asked),
            }
        }
    };
}
misdeeds::for_each_misdeed!(choose);

/// A plan that obeys every rule, and tells the probe which misdeed to do.
fn good_plan(uri: &UriPieces) -> Vec<PlanEntry> {
    good_plan_at(uri, "hostile")
}

fn good_plan_at(uri: &UriPieces, prefix: &str) -> Vec<PlanEntry> {
    let (name, form) = chosen(uri);
    let mut plan = vec![
        PlanEntry::Kind(Kind::Storage),
        PlanEntry::Supports(Operation::Backup),
        PlanEntry::Setting(("misdeed".to_owned(), format!("{name}/{form}"))),
        planning::object_store(prefix),
    ];
    planning::plan_endpoints(uri, &mut plan);
    match name {
        "dials" => plan.push(planning::endpoint(&uri.authority, 443, None)),
        "sends_to_another_host" => plan.push(planning::endpoint("a.example.com", 443, None)),
        _ => {}
    }
    for option in &uri.options {
        let fragment = match &option.value {
            Value::Secret(secret) => Fragment::Secret(secret.number),
            Value::Text(text) if option.name == "key" => Fragment::Text(text.clone()),
            Value::Text(_) => continue,
        };
        plan.push(PlanEntry::Secret(NamedSecret {
            name: option.name.clone(),
            fragments: vec![fragment],
        }));
    }
    plan
}

/// Writes the marker if it may, reads it, and tells both.
fn good_probe(probe: &Probe) {
    steps::begin("write");
    match &probe.writer {
        Some(writer) => told(writer.write_marker(b"good")),
        None => steps::end(&Outcome::Skipped("the depth is read".to_owned()), &[]),
    }
    steps::begin("read back");
    told(probe.reader.read_marker().map(|_| ()));
}

fn told(result: Result<(), Failure>) {
    match result {
        Ok(()) => steps::end(&Outcome::Ok, &[]),
        Err(failure) => steps::end(&Outcome::Failed(failure), &[]),
    }
}

fn refusal(message: impl Into<String>) -> Failure {
    Failure {
        class: FailureClass::InvalidUri,
        message: message.into(),
        hint: None,
        option_name: None,
        facts: Vec::new(),
    }
}

impl planned::Guest for Hostile {
    fn plan(uri: UriPieces) -> Planned {
        plan(&uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        redact(uri)
    }
}

/// The misdeed that a plan names.
fn misdeed_of(plan: &[PlanEntry]) -> String {
    let named = plan.iter().find_map(|entry| match entry {
        PlanEntry::Setting((name, value)) if name == "misdeed" => Some(value.clone()),
        _ => None,
    });
    named.unwrap_or_default()
}

impl storage::Guest for Hostile {
    fn probe(
        plan: Vec<PlanEntry>,
        reader: MarkerReader,
        writer: Option<MarkerWriter>,
        _depth: Depth,
    ) {
        probe(
            &misdeed_of(&plan),
            Probe {
                plan,
                reader,
                writer,
            },
        );
    }
}
