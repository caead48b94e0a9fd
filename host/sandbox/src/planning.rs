//! Phase one: `plan` and `redact` in an instance from which no byte can leave.

pub(crate) mod generated {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        reason = "generated"
    )]
    wasmtime::component::bindgen!({
        path: "wit",
        world: "portolan:provider/planner",
        exports: { default: async },
        require_store_data_send: true,
    });
}

use generated::{Planner, PlannerPre};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Store};

use crate::Fault;
use crate::budget::Budget;

/// What a handle stands for in phase one, where there are none.
struct NoHandle;

/// A component that is ready to plan.
pub(crate) fn prepare(
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<PlannerPre<Budget>> {
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
    PlannerPre::new(linker.instantiate_pre(component)?)
}

fn define_trap(
    traps: &mut LinkerInstance<'_, Budget>,
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

/// A fresh instance in its store.
pub(crate) async fn instantiate(
    pre: &PlannerPre<Budget>,
    store: &mut Store<Budget>,
) -> wasmtime::Result<Planner> {
    pre.instantiate_async(store).await
}
