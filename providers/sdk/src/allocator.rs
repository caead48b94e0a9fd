//! The allocator of a component, in the place of the standard library's.
//!
//! A guest lives for one operation, so what counts is how fast it has its first bytes. The standard
//! library's allocator asks the host for memory at the first of them, and the host then changes the
//! protection of pages twice: when the memory grows, and when its place is made ready for the next
//! guest. This one begins with an arena that is part of the memory from the start, which is as much
//! as most operations need; beyond that it grows as well. It is also smaller.
//!
//! A provider that brings another one switches the feature `allocator` off.

use core::alloc::Layout;
use core::arch::wasm32::memory_grow;
use core::mem::MaybeUninit;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// What a guest has without asking, in bytes.
const ARENA: usize = 128 << 10;
const PAGE: usize = 64 << 10;
/// What the allocator needs of a heap for itself, with room to spare.
const OVERHEAD: usize = 64;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<ArenaFirst, WasmBinning> =
    TalcSyncCell::new_wasm(ArenaFirst { used: false });

static mut MEMORY: [MaybeUninit<u8>; ARENA] = [MaybeUninit::uninit(); ARENA];

/// The arena, and after it pages of the host.
#[derive(Debug)]
struct ArenaFirst {
    used: bool,
}

// SAFETY: it allocates nothing, and what it hands over belongs to nobody else: the arena is named
// here only and handed over once, and the pages are new.
unsafe impl Source for ArenaFirst {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let (base, size) = match core::mem::replace(&mut talc.source.used, true) {
            false => ((&raw mut MEMORY).cast(), ARENA),
            true => grown(layout)?,
        };
        // SAFETY: as above.
        let claimed = unsafe { talc.claim(base, size) };
        claimed.map(drop).ok_or(())
    }
}

/// New pages that hold at least this.
fn grown(layout: Layout) -> Result<(*mut u8, usize), ()> {
    let wanted = layout.size().checked_add(layout.align() + OVERHEAD);
    let pages = wanted.ok_or(())?.div_ceil(PAGE);
    match memory_grow::<0>(pages) {
        usize::MAX => Err(()),
        before => Ok(((before * PAGE) as *mut u8, pages * PAGE)),
    }
}
