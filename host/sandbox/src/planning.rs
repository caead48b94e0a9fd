//! Phase one: `plan` and `redact` in an instance from which no byte can leave.

use portolan_contract::{Failure, Manifest, Plan, SplitUri, UriPieces, print_redacted, split};
use portolan_secret::SecretText;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Store};

use crate::answer::{Given, check_plan};
use crate::binding::Unbound;
use crate::bindings::provided::planning::{Guest as Planning, GuestIndices};
use crate::bindings::types;
use crate::component::PLANNING;
use crate::convert::{from_guest_failure, from_guest_pieces, to_guest_pieces};
use crate::guest::Guest;
use crate::refusal::Refusal;
use crate::words::Words;
use crate::{AnswerProblem, Fault, Limits, redaction};

/// What a handle stands for in phase one, where there are none.
struct NoHandle;

/// A component that is ready to plan.
pub(crate) struct Planner {
    instances: InstancePre<Guest>,
    planning: GuestIndices,
}

/// What phase one makes of a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What the connection becomes.
    pub plan: Plan,
    /// What may be shown of the URI; the host printed it.
    pub redacted_uri: String,
}

impl Planner {
    /// Links a component for phase one. Whatever it imports is a trap that says which one was
    /// called.
    pub(crate) fn new(engine: &Engine, component: &Component) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        for (interface, import) in component.component_type().imports(engine) {
            let ComponentItem::ComponentInstance(instance) = import.ty else {
                continue;
            };
            let mut traps = linker.instance(interface)?;
            for (name, item) in instance.exports(engine) {
                define_trap(&mut traps, interface, name, &item.ty)?;
            }
        }
        let instances = linker.instantiate_pre(component)?;
        let planning = GuestIndices::new(&instances)?;
        Ok(Self {
            instances,
            planning,
        })
    }

    /// Makes an instance in the fresh store given and binds its exports. The guest's clock runs from
    /// here on.
    pub(crate) async fn start(
        &self,
        store: &mut Store<Guest>,
        limits: &Limits,
    ) -> Result<Planning, Unbound> {
        store.data().budget.clock().start();
        let instance = self.instances.instantiate_async(&mut *store).await;
        let instance = instance.map_err(|error| Unbound::start(&error, limits))?;
        self.planning
            .load(&mut *store, &instance)
            .map_err(|error| Unbound::Type(PLANNING, error))
    }

    /// Plans and redacts one URI in the fresh store given.
    pub(crate) async fn run(
        &self,
        store: &mut Store<Guest>,
        manifest: &Manifest,
        uri: &SplitUri,
        limits: &Limits,
    ) -> Result<Planned, Refusal> {
        let called = |error: wasmtime::Error| Refusal::Fault(Fault::of_call(&error, limits));
        let clock = std::sync::Arc::clone(store.data().budget.clock());
        let blind = to_guest_pieces(uri.pieces.clone());
        let revealed = uri.revealed_pieces(manifest).map(to_guest_pieces);
        let sighted = revealed.is_some();
        let words = if sighted {
            Words::seeing(&uri.secrets)
        } else {
            Words::blind()
        };

        let planning = self.start(store, limits).await;
        let planning = planning.map_err(|unbound| Refusal::Fault(unbound.into_fault(limits)))?;
        let planned = planning
            .call_plan(&mut *store, revealed.as_ref().unwrap_or(&blind))
            .await
            .map_err(called)?;
        clock.stop();
        let entries = planned.map_err(|failure| {
            Refusal::Refused(with_nearest(from_guest_failure(failure, &words), manifest))
        })?;
        let given = Given {
            manifest,
            uri: &uri.pieces,
            secrets: &uri.secrets,
            words: &words,
            sighted,
        };
        let plan = check_plan(entries, &given).map_err(Refusal::Answer)?;

        let redacted = redact(&planning, store, &blind).await.map_err(called)?;
        redaction::check(uri, &redacted, &words).map_err(Refusal::Answer)?;
        let redacted_uri = print_redacted(&redacted);
        let again = split(&SecretText::new(redacted_uri.as_str()), manifest).map_err(|_| {
            Refusal::Answer(AnswerProblem::Redaction("what it shows is no URI any more"))
        })?;
        let again = to_guest_pieces(again.pieces);
        let again = redact(&planning, store, &again).await.map_err(called)?;
        if print_redacted(&again) != redacted_uri {
            return Err(Refusal::Answer(AnswerProblem::Redaction(
                "what it shows is shown differently the next time",
            )));
        }
        Ok(Planned { plan, redacted_uri })
    }
}

/// A refusal with a hint, where the provider gave none and names an option that its manifest does
/// not list: the nearest one that it does. The splitter says the same where it refuses such options
/// itself.
fn with_nearest(failure: Failure, manifest: &Manifest) -> Failure {
    let unlisted = failure
        .option_name
        .as_deref()
        .filter(|name| failure.hint.is_none() && manifest.option(name).is_none());
    let Some(name) = unlisted else {
        return failure;
    };
    let hint = match manifest.nearest_option(name) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "write & as %26 in the value before it, or leave it out".to_owned(),
    };
    failure.with_hint(hint)
}

/// Calls `redact`. It never sees a secret, whatever the manifest reveals to `plan`.
async fn redact(
    planning: &Planning,
    store: &mut Store<Guest>,
    pieces: &types::UriPieces,
) -> wasmtime::Result<UriPieces> {
    let clock = std::sync::Arc::clone(store.data().budget.clock());
    clock.start();
    let redacted = planning.call_redact(store, pieces).await?;
    clock.stop();
    Ok(from_guest_pieces(redacted))
}

fn define_trap(
    traps: &mut LinkerInstance<'_, Guest>,
    interface: &str,
    name: &str,
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    match item {
        ComponentItem::ComponentFunc(_) => {
            let import = format!("{interface}#{name}");
            traps.func_new(name, move |_, _, _, _| {
                Err(Fault::PlanningImport(import.clone()).into())
            })
        }
        ComponentItem::Resource(_) => {
            traps.resource(name, ResourceType::host::<NoHandle>(), |_, _| Ok(()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::FailureClass;

    use super::*;

    fn hint(option: Option<&str>, hint: Option<&str>) -> Option<String> {
        let manifest = Manifest::parse(
            "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
             kinds = [\"storage\"]\noperations = []\n\
             [[option]]\nname = \"AWS_REGION\"\npublic = true\nmeaning = \"where\"",
        )
        .expect("a manifest");
        let mut failure = Failure::new(FailureClass::InvalidUri, "refused");
        failure.option_name = option.map(str::to_owned);
        failure.hint = hint.map(str::to_owned);
        with_nearest(failure, &manifest).hint
    }

    #[test]
    fn an_option_that_no_provider_knows_gets_the_nearest_one_as_its_hint() {
        for slip in ["aws_region", "Aws_Region", "AWS_REGOIN"] {
            let hint = hint(Some(slip), None);
            assert_eq!(hint.as_deref(), Some("did you mean AWS_REGION?"), "{slip}");
        }
        assert_eq!(
            hint(Some("sslmode"), None).as_deref(),
            Some("write & as %26 in the value before it, or leave it out")
        );
    }

    #[test]
    fn what_the_provider_says_itself_stays() {
        assert_eq!(hint(Some("AWS_REGION"), None), None);
        assert_eq!(hint(None, None), None);
        let own = Some("Write less.");
        assert_eq!(hint(Some("aws_region"), own).as_deref(), own);
    }
}
