//! The allocator of components.
//!
//! Each text of a call's arguments is a block that the host asks of the guest, and that the guest gives back before it
//! returns: a call is a dozen of small blocks that live for a microsecond. The allocator of the C library, made for
//! everything, is a large part of such a call. This one keeps free blocks of up to 1 KiB in lists, one for each
//! multiple of 16 bytes, and leaves the rest to the C library. A block goes back to the list it came from and never to
//! another size, so a module whose sizes change much holds more memory than it uses, at most the most that each size
//! ever used.
//!
//! Guests have one thread: nothing here is locked.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;

/// Sizes are multiples of this, and so are addresses.
const STEP: usize = 16;
/// Largest size that has a list.
const LARGEST: usize = 1024;
/// What is asked of the C library at a time.
const CHUNK: usize = 16 << 10;

/// A block that nobody uses.
struct Free {
    next: *mut Self,
}

struct State {
    /// By size: `lists[n]` has blocks of `n * STEP` bytes.
    lists: [*mut Free; LARGEST / STEP + 1],
    /// What is left of the last chunk.
    rest: *mut u8,
    rest_bytes: usize,
}

/// Lists of free blocks.
pub(crate) struct Lists(UnsafeCell<State>);

// SAFETY: a guest has one thread, and no function here calls itself through another.
unsafe impl Sync for Lists {}

impl Lists {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(State {
            lists: [ptr::null_mut(); LARGEST / STEP + 1],
            rest: ptr::null_mut(),
            rest_bytes: 0,
        }))
    }

    /// Where the first block of a list is named.
    ///
    /// # Safety
    /// The number is one of [`list_of`].
    #[inline]
    unsafe fn first(&self, number: usize) -> *mut *mut Free {
        // SAFETY: `list_of` gives numbers of lists alone.
        unsafe { ptr::addr_of_mut!((*self.0.get()).lists).cast::<*mut Free>().add(number) }
    }
}

/// The list that serves a layout, if one does.
#[inline]
const fn list_of(layout: Layout) -> Option<usize> {
    if layout.size() <= LARGEST && layout.align() <= STEP { Some(layout.size().div_ceil(STEP)) } else { None }
}

// SAFETY: a block leaves its list when it is handed out and enters it when it is given back, so no two users have it at
// the same time; all blocks of a list are as large as its number says, and aligned to `STEP`.
unsafe impl GlobalAlloc for Lists {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(number) = list_of(layout) else {
            // SAFETY: the caller's own promise.
            return unsafe { large(layout) };
        };
        // SAFETY: nothing else refers to the state while this runs, and a block in a list is free memory that holds a `Free`.
        unsafe {
            let list = self.first(number);
            let first = *list;
            if first.is_null() {
                return (*self.0.get()).fresh(number * STEP);
            }
            *list = (*first).next;
            first.cast()
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(number) = list_of(layout) else {
            // SAFETY: the caller's own promise; a layout without a list was served by `System`.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: as in `alloc`; the block has room for a `Free`, since the smallest list has blocks of `STEP` bytes.
        unsafe {
            let list = self.first(number);
            let block = block.cast::<Free>();
            (*block).next = *list;
            *list = block;
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that this is a layout.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (list_of(layout), list_of(new)) {
            (Some(old), Some(new)) if old == new => block,
            // SAFETY: the caller's own promise; `System` gave the block.
            (None, None) => unsafe { System.realloc(block, layout, new_size) },
            // SAFETY: both blocks are at least as long as what is copied, and two.
            _ => unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}

/// A block that no list serves. Not part of the way to one that a list serves, which would have to make room on the stack
/// for it each time.
///
/// # Safety
/// As for [`GlobalAlloc::alloc`].
#[cold]
#[inline(never)]
unsafe fn large(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's own promise.
    unsafe { System.alloc(layout) }
}

/// How the host gets room for arguments: one call for each text. This is the contract's function of that name, and comes
/// before the one that the standard library brings, which reaches the allocator through three others.
///
/// # Safety
/// The canonical ABI calls it with blocks of its own.
#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_bytes: usize, align: usize, bytes: usize) -> *mut u8 {
    if bytes == 0 {
        // What has no bytes is nowhere.
        return ptr::without_provenance_mut(align);
    }
    let (Ok(before), Ok(after)) = (Layout::from_size_align(old_bytes, align), Layout::from_size_align(bytes, align))
    else {
        core::arch::wasm32::unreachable();
    };
    let block = match old_bytes {
        // SAFETY: the layout has a size.
        0 => unsafe { crate::ALLOCATOR.alloc(after) },
        // SAFETY: the block is of this allocator and of that size, and the new one is not zero.
        _ => unsafe { crate::ALLOCATOR.realloc(old, before, bytes) },
    };
    if block.is_null() {
        core::arch::wasm32::unreachable();
    }
    block
}

impl State {
    /// A block that was never used, or null when there is no memory.
    #[cold]
    fn fresh(&mut self, bytes: usize) -> *mut u8 {
        if self.rest_bytes < bytes {
            let Ok(chunk) = Layout::from_size_align(CHUNK, STEP) else { return ptr::null_mut() };
            // SAFETY: a chunk has a size.
            let chunk = unsafe { System.alloc(chunk) };
            if chunk.is_null() {
                return chunk;
            }
            (self.rest, self.rest_bytes) = (chunk, CHUNK);
        }
        let block = self.rest;
        self.rest = block.wrapping_add(bytes);
        self.rest_bytes -= bytes;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every block keeps what was written to it until it is given back, whatever happens to others.
    #[test]
    fn blocks_do_not_overlap() {
        let lists = Lists::new();
        let mut held: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut seed = 0x7e57_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let check = |(block, layout, mark): &(*mut u8, Layout, u8), bytes: usize| {
            assert_eq!(block.addr() % layout.align(), 0, "{layout:?}");
            // SAFETY: the block is held, and as long.
            let all = unsafe { std::slice::from_raw_parts(*block, bytes) };
            assert!(all.iter().all(|b| b == mark), "{layout:?} holds {all:?}, not {mark}");
        };
        let (mut served, mut moved) = (0, 0);
        for round in 0..40_000 {
            let mark = u8::try_from(round % 251).unwrap();
            let size = 1 + if random(20) == 0 { random(5_000) } else { random(200) };
            match random(3) {
                0 if held.len() < 400 => {
                    let layout = Layout::from_size_align(size, 1 << random(6)).unwrap();
                    served += usize::from(list_of(layout).is_some());
                    // SAFETY: the layout has a size, and the block as many bytes.
                    let block = unsafe {
                        let block = lists.alloc(layout);
                        block.write_bytes(mark, size);
                        block
                    };
                    held.push((block, layout, mark));
                }
                1 if !held.is_empty() => {
                    let (block, layout, mark) = held.swap_remove(random(held.len()));
                    // SAFETY: the block is held under this layout.
                    let block_now = unsafe { lists.realloc(block, layout, size) };
                    moved += usize::from(block_now != block);
                    let layout_now = Layout::from_size_align(size, layout.align()).unwrap();
                    check(&(block_now, layout_now, mark), size.min(layout.size()));
                    // SAFETY: as above.
                    unsafe { block_now.write_bytes(mark, size) };
                    held.push((block_now, layout_now, mark));
                }
                _ if !held.is_empty() => {
                    let gone = held.swap_remove(random(held.len()));
                    check(&gone, gone.1.size());
                    // SAFETY: the block is held under this layout, and forgotten here.
                    unsafe { lists.dealloc(gone.0, gone.1) };
                }
                _ => {}
            }
        }
        assert!(served > 5_000 && moved > 1_000, "{served} served by lists, {moved} moved");
        for gone in held {
            check(&gone, gone.1.size());
            // SAFETY: as above.
            unsafe { lists.dealloc(gone.0, gone.1) };
        }
    }

    #[test]
    fn what_was_given_back_is_handed_out_first() {
        let lists = Lists::new();
        let layout = Layout::from_size_align(20, 4).unwrap();
        let other = Layout::from_size_align(31, 1).unwrap();
        // SAFETY: blocks are given back under their layouts.
        unsafe {
            let first = lists.alloc(layout);
            lists.dealloc(first, layout);
            assert_eq!(lists.alloc(other), first, "both sizes are of one list");
            assert_eq!(lists.realloc(first, other, 32), first, "and so is this one");
            lists.dealloc(first, Layout::from_size_align(32, 1).unwrap());
        }
    }
}
