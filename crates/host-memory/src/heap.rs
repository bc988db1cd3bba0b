//! [`Heap`]: Rust's heap, in the area.
//!
//! One heap serves the process, under a lock of this crate's, so that fork needs nothing of the C library's. A child
//! that shares memory may be killed within an allocation, and its parent and siblings use the heap meanwhile. So it
//! allocates from a heap of its own, and puts what it frees of others' on a list of theirs: one store that happens or does not.
//! What the child leaves behind (in tables that all share) stays valid. Its heap serves the next child, unless it was
//! killed within it: then nothing is allocated from it again. Likewise the process's own heap is given up for another one
//! by a process that a child forks off whose maker was killed within that heap.
//!
//! # Safety
//! A [`Memory`] is used by who has its lock or, of a child, by that child alone. None is ever freed.

use crate::area::{self, FIRST_HEAP, MAPPED};
use crate::lock::{Level, Word, is_mortal};
use crate::{Access, Mapping};
use dlmalloc::{Allocator, Dlmalloc};
use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering, compiler_fence};

/// What the process's heap takes of the area at a time; memory is used as it is touched.
const GRANULARITY: usize = 1 << 20;

/// Takes memory from the area in a heap's name.
struct Pages {
    owner: u16,
}

// SAFETY: gives out memory of the area, each part once, and takes it back whole.
unsafe impl Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        match area::take(size, self.owner) {
            Ok(start) => (start.as_ptr(), size, 0),
            Err(_) => (ptr::null_mut(), 0, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, start: *mut u8, size: usize) -> bool {
        let Some(start) = NonNull::new(start) else {
            return false;
        };
        // SAFETY: the heap gives back what it got by `alloc`.
        unsafe { area::give_back(start, size) };
        true
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        4 << 10
    }
}

/// A block that another heap's user has freed; it lies in the block.
struct Returned {
    next: *mut Returned,
}

/// The smallest block, so that each has room for [`Returned`].
const SMALLEST: usize = size_of::<Returned>();

/// One heap.
struct Memory {
    owner: u16,
    blocks: UnsafeCell<Dlmalloc<Pages>>,
    /// Blocks to be freed by its user.
    returned: AtomicPtr<Returned>,
    /// Of a child's: it is taken, or was left within an allocation.
    taken: AtomicBool,
    /// Of a child's: its user is within an allocation.
    inside: AtomicBool,
    next: AtomicPtr<Memory>,
}

// SAFETY: see the module's header.
unsafe impl Sync for Memory {}

static LOCK: Word = Word::new(Level::Heap);
static FIRST: Memory = Memory::new(FIRST_HEAP, GRANULARITY);
/// The process's heap, if the first was given up.
static MAIN: AtomicPtr<Memory> = AtomicPtr::new(ptr::null_mut());
/// All others: of children, and what the process's was replaced by.
static CHILDREN: AtomicPtr<Memory> = AtomicPtr::new(ptr::null_mut());
static NEXT_OWNER: AtomicU16 = AtomicU16::new(FIRST_HEAP + 1);

thread_local! {
    /// The heap that a child has taken. Its parent finds it here: they share thread-local storage.
    static TAKEN: Cell<*const Memory> = const { Cell::new(ptr::null()) };
}

impl Memory {
    const fn new(owner: u16, granularity: usize) -> Memory {
        let mut blocks = Dlmalloc::new_with_allocator(Pages { owner });
        assert!(blocks.set_granularity(granularity));
        Memory {
            owner,
            blocks: UnsafeCell::new(blocks),
            returned: AtomicPtr::new(ptr::null_mut()),
            taken: AtomicBool::new(true),
            inside: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Has `block` freed by the heap's user.
    ///
    /// # Safety
    /// It must be one of this heap's, and no longer used.
    unsafe fn give(&self, block: *mut u8) {
        let returned = block.cast::<Returned>();
        let mut first = self.returned.load(Ordering::Relaxed);
        loop {
            // SAFETY: no block is smaller, and this one is the caller's.
            unsafe { returned.write(Returned { next: first }) };
            match self
                .returned
                .compare_exchange_weak(first, returned, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Frees what others gave.
    fn drain(&self, blocks: &mut Dlmalloc<Pages>) {
        if self.returned.load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut next = self.returned.swap(ptr::null_mut(), Ordering::Acquire);
        while !next.is_null() {
            let block = next;
            // SAFETY: written by `give`, and the list is ours alone now.
            next = unsafe { (*block).next };
            // SAFETY: a block of this heap that is no longer used.
            unsafe { blocks.c_free(block.cast()) };
        }
    }

    /// # Safety
    /// The caller is the heap's user (see the module's header).
    unsafe fn enter<R>(&self, act: impl FnOnce(&mut Dlmalloc<Pages>) -> R) -> R {
        // SAFETY: the caller's promise: nobody else is in it.
        let blocks = unsafe { &mut *self.blocks.get() };
        self.drain(blocks);
        act(blocks)
    }
}

/// Lets `act` use the heap that the caller allocates from.
#[inline]
fn with<R>(act: impl FnOnce(&mut Dlmalloc<Pages>) -> R) -> R {
    if is_mortal()
        && let Some(own) = childs_own()
    {
        own.inside.store(true, Ordering::Relaxed);
        // Its parent looks when the child is gone: what counts is the order of instructions.
        compiler_fence(Ordering::SeqCst);
        // SAFETY: the child has taken it, and has one thread.
        let result = unsafe { own.enter(act) };
        compiler_fence(Ordering::SeqCst);
        own.inside.store(false, Ordering::Relaxed);
        return result;
    }
    LOCK.acquire();
    // SAFETY: under the lock.
    let result = unsafe { main().enter(act) };
    LOCK.release();
    result
}

/// The process's heap.
#[inline]
fn main() -> &'static Memory {
    // SAFETY: null, or a heap, which is never freed.
    unsafe { MAIN.load(Ordering::Relaxed).as_ref() }.unwrap_or(&FIRST)
}

fn children() -> impl Iterator<Item = &'static Memory> {
    // SAFETY: null, or a heap, which is never freed.
    let first = unsafe { CHILDREN.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |memory| {
        // SAFETY: as above.
        unsafe { memory.next.load(Ordering::Acquire).as_ref() }
    })
}

/// The heap of the calling child. None if there are no more: it uses its parent's then.
#[inline]
fn childs_own() -> Option<&'static Memory> {
    // SAFETY: null, or a heap, which is never freed.
    let taken = unsafe { TAKEN.get().as_ref() };
    taken.or_else(take)
}

#[cold]
fn take() -> Option<&'static Memory> {
    let free = |memory: &&Memory| {
        !memory.taken.load(Ordering::Relaxed) && !memory.taken.swap(true, Ordering::Acquire)
    };
    let memory = children().find(free).or_else(|| make(64 << 10))?;
    TAKEN.set(memory);
    Some(memory)
}

fn make(granularity: usize) -> Option<&'static Memory> {
    let owner = NEXT_OWNER
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| next.checked_add(1))
        .ok()?;
    let mapping = Mapping::new(size_of::<Memory>(), Access::ReadWrite).ok()?;
    let memory = mapping.start().cast::<Memory>();
    mem::forget(mapping);
    // SAFETY: memory of this size, aligned to a page, that is never given back.
    unsafe { memory.write(Memory::new(owner, granularity)) };
    let mut first = CHILDREN.load(Ordering::Relaxed);
    loop {
        // SAFETY: just written, and never freed.
        unsafe { &*memory }.next.store(first, Ordering::Relaxed);
        match CHILDREN.compare_exchange_weak(first, memory, Ordering::Release, Ordering::Relaxed) {
            // SAFETY: as above.
            Ok(_) => return Some(unsafe { &*memory }),
            Err(now) => first = now,
        }
    }
}

/// A child that used the caller's thread-local storage is gone.
pub(crate) fn child_is_gone() {
    // SAFETY: null, or a heap, which is never freed.
    if let Some(memory) = unsafe { TAKEN.replace(ptr::null()).as_ref() }
        && !memory.inside.load(Ordering::Relaxed)
    {
        memory.taken.store(false, Ordering::Release);
    }
}

/// The caller's copy of memory is its own now: it allocates from the process's heap, or from another in its place if
/// the lock's owner was killed. (A child that is killed with the lock has left the heap whole, but that cannot be told.)
pub(crate) fn become_whole() {
    TAKEN.set(ptr::null());
    if LOCK.is_orphaned()
        && let Some(memory) = make(GRANULARITY)
    {
        MAIN.store(ptr::from_ref(memory).cast_mut(), Ordering::Relaxed);
        LOCK.adopt();
    }
}

/// Sets a child that the calling thread is about to make apart from the thread's own; gives what the thread had.
pub(crate) fn expect_child() -> *const () {
    TAKEN.replace(ptr::null()).cast()
}

/// Puts back what [`expect_child`] gave.
pub(crate) fn return_to(had: *const ()) {
    TAKEN.set(had.cast());
}

/// The heap that a block lies in, unless it is the caller's own.
#[inline]
fn foreign(block: *mut u8) -> Option<&'static Memory> {
    let mortal = is_mortal();
    if !mortal && CHILDREN.load(Ordering::Relaxed).is_null() {
        return None;
    }
    let owner = area::owner(block);
    debug_assert!(owner > MAPPED, "a block of a heap");
    let own = if mortal { childs_own() } else { None }
        .unwrap_or_else(main)
        .owner;
    if owner == own {
        return None;
    }
    if owner == FIRST_HEAP {
        return Some(&FIRST);
    }
    children().find(|memory| memory.owner == owner)
}

/// Rust's global allocator.
pub struct Heap;

fn padded(layout: Layout) -> (usize, usize) {
    (layout.size().max(SMALLEST), layout.align())
}

// SAFETY: blocks come from `Dlmalloc`, whose user the caller is for the time of each call.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = padded(layout);
        // SAFETY: a size and an alignment of a layout.
        with(|blocks| unsafe { blocks.malloc(size, align) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = padded(layout);
        // SAFETY: as above.
        with(|blocks| unsafe { blocks.calloc(size, align) })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(memory) = foreign(block) {
            // SAFETY: a block of that heap, which the caller no longer uses.
            unsafe { memory.give(block) };
            return;
        }
        let (size, align) = padded(layout);
        // SAFETY: a block of this heap, with the layout it was made with.
        with(|blocks| unsafe { blocks.free(block, size, align) });
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if foreign(block).is_some() {
            // SAFETY: the caller's promise for the new size.
            let new = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
            if !new.is_null() {
                // SAFETY: both have at least this many bytes.
                unsafe { ptr::copy_nonoverlapping(block, new, layout.size().min(new_size)) };
                // SAFETY: the caller gives the old block up.
                unsafe { self.dealloc(block, layout) };
            }
            return new;
        }
        let (size, align) = padded(layout);
        // SAFETY: a block of this heap, with the layout it was made with.
        with(|blocks| unsafe { blocks.realloc(block, size, align, new_size.max(SMALLEST)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Child, leaving};

    const LAYOUT: Layout = Layout::new::<[u64; 10]>();

    fn allocate() -> *mut u8 {
        // SAFETY: a size above 0.
        let block = unsafe { Heap.alloc(LAYOUT) };
        assert!(!block.is_null());
        block
    }

    fn free(block: *mut u8) {
        // SAFETY: made by `allocate`, and used no more.
        unsafe { Heap.dealloc(block, LAYOUT) };
    }

    #[test]
    fn blocks_of_a_child_are_valid_after_it_and_freed_by_anybody() {
        let before = allocate();
        let child = Child::expect();
        let (kept, freed) = (allocate(), allocate());
        free(freed);
        free(before);
        leaving(true);
        child.bury();
        assert_eq!(area::owner(before), FIRST_HEAP);
        assert!(area::owner(kept) > FIRST_HEAP);
        // SAFETY: a block that nobody else has.
        unsafe { kept.write_bytes(7, LAYOUT.size()) };
        // SAFETY: as above.
        let grown = unsafe { Heap.realloc(kept, LAYOUT, 4000) };
        assert_eq!(area::owner(grown), FIRST_HEAP);
        // SAFETY: the bytes were copied.
        assert_eq!(unsafe { grown.add(79).read() }, 7);
        // SAFETY: made with this layout by `realloc`.
        unsafe { Heap.dealloc(grown, Layout::from_size_align(4000, 8).expect("a layout")) };
    }

    #[test]
    fn a_heap_that_a_child_died_in_is_left_alone() {
        let child = Child::expect();
        let block = allocate();
        let owner = area::owner(block);
        childs_own()
            .expect("a heap")
            .inside
            .store(true, Ordering::Relaxed);
        child.bury();
        free(block);
        let child = Child::expect();
        assert_ne!(area::owner(allocate()), owner);
        child.bury();
    }

    #[test]
    fn many_threads_allocate() {
        let threads: Vec<_> = (1..5_usize)
            .map(|seed| {
                std::thread::spawn(move || {
                    let mut blocks: Vec<(*mut u8, Layout)> = Vec::new();
                    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    for round in 0..20_000_usize {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        if blocks.len() > 100 || random % 3 == 0 && !blocks.is_empty() {
                            let (block, layout) = blocks.swap_remove(random % blocks.len());
                            // SAFETY: the first byte of a block.
                            assert_eq!(unsafe { block.read() }, layout.size() as u8, "{round}");
                            // SAFETY: made with this layout below.
                            unsafe { Heap.dealloc(block, layout) };
                        } else {
                            let layout = Layout::from_size_align(1 + random % 3000, 16).expect("a layout");
                            // SAFETY: a size above 0.
                            let block = unsafe { Heap.alloc(layout) };
                            // SAFETY: the first byte of a new block.
                            unsafe { block.write(layout.size() as u8) };
                            blocks.push((block, layout));
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("all blocks are whole");
        }
    }
}
