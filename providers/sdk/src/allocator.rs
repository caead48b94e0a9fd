//! The allocator of a component, in the place of the standard library's.
//!
//! A guest of phase one lives for a plan: some eighty pieces of memory, which come and go within
//! microseconds. What counts is how soon it has the first, and how little time each of them takes. So
//! it begins with an arena that is part of the memory from the start, and takes one piece behind the
//! other from it; after each call of phase one the arena is free again. What does not fit goes to
//! [talc], which grows the memory: there a guest that lives for long, as that of a sink, soon finds
//! everything.
//!
//! Measured with the provider of `nodelocal`, plan and redaction of one URI: 2.8 µs in a warm guest,
//! and 3.3 µs with talc alone. With the standard library's allocator a fresh guest takes a quarter
//! longer, because the host changes the protection of pages when the memory grows, and again when it
//! makes the place ready for the next guest.
//!
//! A provider that brings another one switches the feature `allocator` off.

use core::mem::MaybeUninit;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

use crate::arena::{Arena, ArenaFirst};

#[cfg(target_feature = "atomics")]
compile_error!("the allocator is for components with one thread");

/// A stretch of the component's own memory.
struct OfTheComponent;

static mut MEMORY: [MaybeUninit<u8>; OfTheComponent::SIZE] =
    [MaybeUninit::uninit(); OfTheComponent::SIZE];

// SAFETY: it is named here only, and one allocator is made of it.
unsafe impl Arena for OfTheComponent {
    const SIZE: usize = 128 << 10;

    fn start() -> *mut u8 {
        (&raw mut MEMORY).cast()
    }
}

// SAFETY: a component has one thread, see above.
unsafe impl Sync for ArenaFirst<OfTheComponent, WasmDynamicTalc> {}

#[global_allocator]
static ALLOCATOR: ArenaFirst<OfTheComponent, WasmDynamicTalc> =
    ArenaFirst::new(new_wasm_dynamic_allocator());
