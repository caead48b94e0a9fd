//! An allocator that takes what it can from one stretch of memory, piece behind piece.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// The stretch of memory, which belongs to one allocator alone.
///
/// # Safety
///
/// `start` is always the same, `SIZE` bytes from there on may be read and written, and nobody else
/// does.
pub(crate) unsafe trait Arena {
    /// How many bytes it has.
    const SIZE: usize;

    /// Its first byte.
    fn start() -> *mut u8;
}

/// The arena, and another allocator for what does not fit.
///
/// A piece begins where the one before it ends. Room comes back when the piece that was taken last is
/// freed, and all of it when no piece is left.
pub(crate) struct ArenaFirst<A, B> {
    /// Where the piece that was taken last ends; all behind it is free.
    end: Cell<usize>,
    /// How many pieces are in use.
    pieces: Cell<usize>,
    beyond: B,
    arena: core::marker::PhantomData<A>,
}

impl<A: Arena, B> ArenaFirst<A, B> {
    /// The whole arena is free.
    pub(crate) const fn new(beyond: B) -> Self {
        Self {
            end: Cell::new(0),
            pieces: Cell::new(0),
            beyond,
            arena: core::marker::PhantomData,
        }
    }

    /// How far into the arena a piece begins; none where it is not of the arena.
    fn offset(piece: *mut u8) -> Option<usize> {
        // One that lies before the arena wraps around, and is far beyond its end.
        let offset = piece.addr().wrapping_sub(A::start().addr());
        (offset < A::SIZE).then_some(offset)
    }

    /// Where the next piece begins and ends; none where it does not fit.
    fn next(&self, layout: Layout) -> Option<(usize, usize)> {
        let end = self.end.get();
        let padding = A::start().wrapping_add(end).align_offset(layout.align());
        let begin = end.checked_add(padding)?;
        let end = begin.checked_add(layout.size())?;
        (end <= A::SIZE).then_some((begin, end))
    }
}

// SAFETY: a piece begins at or behind `end`, and `end` moves behind it; it moves back only over pieces
// that were freed. What is not of the arena is of the other allocator, whose promises are passed on.
// The functions are not inlined: a component has thousands of places that call them.
unsafe impl<A: Arena, B: GlobalAlloc> GlobalAlloc for ArenaFirst<A, B> {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((begin, end)) = self.next(layout) else {
            // SAFETY: see above.
            return unsafe { self.beyond.alloc(layout) };
        };
        self.end.set(end);
        self.pieces.set(self.pieces.get() + 1);
        A::start().wrapping_add(begin)
    }

    #[inline(never)]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let Some(offset) = Self::offset(piece) else {
            // SAFETY: see above.
            return unsafe { self.beyond.dealloc(piece, layout) };
        };
        let pieces = self.pieces.get() - 1;
        self.pieces.set(pieces);
        if pieces == 0 {
            self.end.set(0);
        } else if offset + layout.size() == self.end.get() {
            self.end.set(offset);
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = Self::offset(piece) else {
            // SAFETY: see above.
            return unsafe { self.beyond.realloc(piece, layout, size) };
        };
        let is_last = offset + layout.size() == self.end.get();
        if is_last && size <= A::SIZE - offset {
            self.end.set(offset + size);
            return piece;
        }
        if size <= layout.size() {
            return piece;
        }
        // SAFETY: the caller promises that this size is one of a layout; the old piece holds as many
        // bytes as are copied, and the new one more.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                piece.copy_to_nonoverlapping(moved, layout.size());
                self.dealloc(piece, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::cell::UnsafeCell;

    use proptest::prelude::*;

    use super::*;

    /// One for each thread, so that tests run beside each other.
    struct Small;

    #[repr(align(64))]
    struct Bytes(UnsafeCell<[u8; Small::SIZE]>);

    thread_local! {
        static BYTES: Bytes = const { Bytes(UnsafeCell::new([0; Small::SIZE])) };
    }

    // SAFETY: each test makes one allocator at a time in its thread.
    unsafe impl Arena for Small {
        const SIZE: usize = 512;

        fn start() -> *mut u8 {
            BYTES.with(|bytes| bytes.0.get().cast())
        }
    }

    type Allocator = ArenaFirst<Small, System>;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    fn is_of_the_arena(piece: *mut u8) -> bool {
        Allocator::offset(piece).is_some()
    }

    #[test]
    fn all_room_comes_back_with_the_last_piece() {
        let allocator = Allocator::new(System);
        // SAFETY: each piece is freed once, with its layout.
        unsafe {
            let first = allocator.alloc(layout(500, 1));
            let second = allocator.alloc(layout(100, 1));
            assert!(is_of_the_arena(first) && !is_of_the_arena(second));
            allocator.dealloc(first, layout(500, 1));
            let third = allocator.alloc(layout(512, 1));
            assert!(is_of_the_arena(third));
            allocator.dealloc(second, layout(100, 1));
            allocator.dealloc(third, layout(512, 1));
        }
    }

    #[test]
    fn the_piece_that_was_taken_last_grows_where_it_is() {
        let allocator = Allocator::new(System);
        // SAFETY: as above.
        unsafe {
            let below = allocator.alloc(layout(8, 8));
            let piece = allocator.alloc(layout(8, 8));
            assert_eq!(allocator.realloc(piece, layout(8, 8), 400), piece);
            let moved = allocator.realloc(piece, layout(400, 8), 600);
            assert!(!is_of_the_arena(moved));
            let next = allocator.alloc(layout(400, 8));
            assert_eq!(next, piece, "what moved away left its room");
            allocator.dealloc(moved, layout(600, 8));
            allocator.dealloc(next, layout(400, 8));
            allocator.dealloc(below, layout(8, 8));
        }
    }

    /// A piece and what was written over all of it.
    struct Piece {
        at: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Piece {
        fn mark(&self) {
            // SAFETY: it is in use, and this long.
            unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
        }

        fn holds(&self, bytes: usize) -> bool {
            // SAFETY: as above.
            let written = unsafe { std::slice::from_raw_parts(self.at, bytes) };
            written.iter().all(|byte| *byte == self.mark)
        }
    }

    proptest! {
        #[test]
        fn no_piece_touches_another(
            steps: Vec<(u8, prop::sample::Index, u8, u8)>,
        ) {
            let allocator = Allocator::new(System);
            let mut pieces: Vec<Piece> = Vec::new();
            for (mark, (step, which, size, align)) in steps.into_iter().enumerate() {
                let mark = mark.to_le_bytes()[0];
                let size = usize::from(size) + 1;
                let place = (!pieces.is_empty()).then(|| which.index(pieces.len()));
                match (step % 4, place) {
                    (0, Some(place)) => {
                        let piece = pieces.swap_remove(place);
                        prop_assert!(piece.holds(piece.layout.size()));
                        // SAFETY: it is in use until here.
                        unsafe { allocator.dealloc(piece.at, piece.layout) };
                    }
                    (1, Some(place)) => {
                        let piece = &mut pieces[place];
                        // SAFETY: it is in use, and from here on with the new size.
                        piece.at = unsafe { allocator.realloc(piece.at, piece.layout, size) };
                        prop_assert!(piece.holds(piece.layout.size().min(size)));
                        piece.layout = layout(size, piece.layout.align());
                        piece.mark();
                    }
                    _ => {
                        let layout = layout(size, 1 << (align % 6));
                        // SAFETY: the size is not zero.
                        let at = unsafe { allocator.alloc(layout) };
                        prop_assert_eq!(at.align_offset(layout.align()), 0);
                        let piece = Piece { at, layout, mark };
                        piece.mark();
                        pieces.push(piece);
                    }
                }
            }
            for piece in pieces {
                prop_assert!(piece.holds(piece.layout.size()));
                // SAFETY: it is in use until here.
                unsafe { allocator.dealloc(piece.at, piece.layout) };
            }
            prop_assert_eq!((allocator.end.get(), allocator.pieces.get()), (0, 0));
        }
    }
}
