//! Limits that only a hostile guest hits, each with a component of a few lines. The words by which
//! the runtime's errors are told apart are held on to here.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::{Component, ComponentNamedList, Lift, Linker, Lower};

use super::{Guest, store};
use crate::budget::Budget;
use crate::ticker::Ticker;
use crate::{Allocation, Fault, Limits, engine};

/// Calls the export `f` of a component under the limits, with either way to allocate.
async fn fault_of<R>(text: &str, change: fn(&mut Limits)) -> Fault
where
    (R,): ComponentNamedList + Lift + Lower + Send + Sync + 'static,
{
    let mut limits = Limits::default();
    change(&mut limits);
    let mut faults = Vec::new();
    for allocation in [Allocation::Pooling, Allocation::OnDemand] {
        let (engine, _) = engine::build(&limits, allocation).expect("an engine");
        faults.push(call::<R>(&engine, text, &limits).await);
    }
    assert_eq!(faults[0], faults[1]);
    faults.remove(0)
}

async fn call<R>(engine: &Engine, text: &str, limits: &Limits) -> Fault
where
    (R,): ComponentNamedList + Lift + Lower + Send + Sync + 'static,
{
    let ticker = Ticker::start(engine.weak()).expect("a thread");
    let _ticks = ticker.run();
    let bytes = wat::parse_str(text).expect("wat");
    let component = Component::new(engine, bytes).expect("a component");
    let guest = Guest {
        budget: Budget::new(Arc::new(limits.clone())),
        lent: None,
    };
    guest.budget.clock().start();
    let mut store = store(engine, guest);
    let instance = match Linker::new(engine)
        .instantiate_async(&mut store, &component)
        .await
    {
        Ok(instance) => instance,
        Err(error) => return Fault::of_start(&error, limits),
    };
    let function = instance
        .get_typed_func::<(), (R,)>(&mut store, "f")
        .expect("f");
    match function.call_async(&mut store, ()).await {
        Ok(_) => panic!("it was not stopped"),
        Err(error) => Fault::of_call(&error, limits),
    }
}

/// A component with one module, whose `f` has this body and gives a number.
fn number(module: &str) -> String {
    format!(
        "(component
            (core module $m {module})
            (core instance $i (instantiate $m))
            (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))"
    )
}

/// A component whose `f` gives a string of this place and length in a memory of these pages.
fn text(pages: usize, data: &str, length: usize) -> String {
    format!(
        "(component
            (core module $m
                (memory (export \"memory\") {pages})
                (data (i32.const 16) \"{data}\")
                (func (export \"f\") (result i32)
                    (i32.store (i32.const 0) (i32.const 16))
                    (i32.store (i32.const 4) (i32.const {length}))
                    (i32.const 0)))
            (core instance $i (instantiate $m))
            (func (export \"f\") (result string)
                (canon lift (core func $i \"f\") (memory (core memory $i \"memory\")))))"
    )
}

#[tokio::test]
async fn a_guest_that_spins_is_stopped_when_its_time_is_used_up() {
    let spin = number("(func (export \"f\") (result i32) (loop (br 0)) (unreachable))");
    let most = Duration::from_millis(20);
    let started = std::time::Instant::now();
    let fault = fault_of::<u32>(&spin, |limits| {
        limits.guest_time = Duration::from_millis(20);
    });
    assert_eq!(fault.await, Fault::GuestTime(most));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_guest_that_spins_lets_others_run_meanwhile() {
    let spin = number("(func (export \"f\") (result i32) (loop (br 0)) (unreachable))");
    let mut others = 0;
    let spinning = fault_of::<u32>(&spin, |limits| {
        limits.guest_time = Duration::from_millis(100);
    });
    tokio::pin!(spinning);
    loop {
        tokio::select! {
            biased;
            _ = &mut spinning => break,
            () = tokio::task::yield_now() => others += 1,
        }
    }
    assert!(others > 4, "{others}");
}

#[tokio::test]
async fn memory_is_one_budget_for_all_memories() {
    let one = number(
        "(memory 1) (func (export \"f\") (result i32) (loop (drop (memory.grow (i32.const 16))) (br 0)) (unreachable))",
    );
    let memory = Fault::Memory(1 << 20);
    let mebibyte: fn(&mut Limits) = |limits| limits.memory = 1 << 20;
    assert_eq!(fault_of::<u32>(&one, mebibyte).await, memory);
    // Neither of two modules goes over it alone.
    let two = "(component
        (core module $a (memory 10))
        (core module $b (memory 10) (func (export \"f\") (result i32) (i32.const 0)))
        (core instance (instantiate $a))
        (core instance $i (instantiate $b))
        (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))";
    assert_eq!(fault_of::<u32>(two, mebibyte).await, memory);
}

#[tokio::test]
async fn tables_are_one_budget_as_well() {
    let grow = number(
        "(table 1 funcref) (func (export \"f\") (result i32)
            (loop (drop (table.grow (ref.null func) (i32.const 100))) (br 0)) (unreachable))",
    );
    let fault = fault_of::<u32>(&grow, |limits| limits.table_elements = 1000);
    assert_eq!(fault.await, Fault::TableElements(1000));
}

#[tokio::test]
async fn a_guest_that_recurses_uses_up_its_stack() {
    let recurse = number("(func $f (export \"f\") (result i32) (i32.add (call $f) (i32.const 1)))");
    let fault = fault_of::<u32>(&recurse, |_| ()).await;
    assert_eq!(fault, Fault::Stack(512 << 10));
    assert_eq!(fault.to_string(), "used up its 512 KiB of stack");
}

#[tokio::test]
async fn text_is_copied_up_to_a_limit_and_only_if_it_is_text() {
    let copy: fn(&mut Limits) = |limits| limits.host_copy = 1 << 20;
    let long = text(40, "", 2 << 20);
    assert_eq!(
        fault_of::<String>(&long, copy).await,
        Fault::HostCopy(1 << 20)
    );
    let broken = text(1, "\\ff\\c0", 2);
    assert_eq!(fault_of::<String>(&broken, copy).await, Fault::Text);
    let outside = text(1, "", 100_000);
    assert_eq!(fault_of::<String>(&outside, copy).await, Fault::Malformed);
}

#[tokio::test]
async fn a_guest_that_makes_handles_of_its_own_is_stopped() {
    let handles = "(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import \"\" \"new\" (func $new (param i32) (result i32)))
            (func (export \"f\") (result i32)
                (loop (drop (call $new (i32.const 0))) (br 0)) (unreachable)))
        (core instance $i (instantiate $m (with \"\" (instance (export \"new\" (func $new))))))
        (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))";
    assert_eq!(fault_of::<u32>(handles, |_| ()).await, Fault::Handles(512));
}

#[tokio::test]
async fn a_crash_is_told_by_what_crashed() {
    let crash = number("(func (export \"f\") (result i32) (unreachable))");
    let fault = fault_of::<u32>(&crash, |_| ()).await;
    assert_eq!(
        fault.to_string(),
        "crashed: wasm trap: wasm `unreachable` instruction executed"
    );
}
