//! The area: address space reserved for the emulator, and what of it is in use.
//!
//! It consists of extents, nearly always one. An extent is reserved without access, and begins with a bitmap of
//! the granules in use. When all are full, another follows: right behind the last if nothing of the guest's is there
//! (then it stays one range), else where there is room.
//!
//! The list of extents only grows. A bit is set before its granule is used and cleared after its memory has gone, each
//! by one store, so whoever stops in between (a child that shares memory can be killed at any instruction) leaves
//! a granule that is never used again, and nothing worse.
//!
//! # Safety
//! An [`Extent`] stands at the start of its own memory and is never freed.

use crate::own;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use std::io;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Unit of what is handed out. Coarse, because address space is cheap and bits are looked for one by one.
const GRANULE: usize = 64 << 10;

const PAGE: usize = 4 << 10;

/// Sizes tried for the first extent: the code cache with its tables and the memory of some ten threads, or less where
/// the address space is limited.
const FIRST_SIZES: [usize; 4] = [640 << 20, 192 << 20, 64 << 20, 16 << 20];

/// A further extent has at least this size.
const NEXT_SIZE: usize = 64 << 20;

/// Where the area is to be, in a range as large again. Linux puts mappings from the stack downwards, or with
/// an unlimited stack from 0x2aaa_aaaa_a000 upwards, and position-independent programs and their heaps at
/// 0x5555_5555_4000 and above, each up to 2^40 away (arch/x86/mm/mmap.c, ELF_ET_DYN_BASE). Programs that choose addresses
/// themselves take low ones.
const HOME: usize = 0x4000_0000_0000;
const HOME_SPREAD: usize = 1 << 40;

/// Kept for the taking and giving back, not for reading `own`'s ranges.
static LOCK: Mutex<()> = Mutex::new(());

static FIRST: AtomicPtr<Extent> = AtomicPtr::new(ptr::null_mut());

#[repr(C)]
struct Extent {
    len: usize,
    next: AtomicPtr<Extent>,
    /// No granule below is free.
    full_below: AtomicUsize,
    /// `len / GRANULE` bits; set: in use, or behind the end.
    used: [AtomicU64; 0],
}

impl Extent {
    fn granules(&self) -> usize {
        self.len / GRANULE
    }

    fn words(&self) -> &[AtomicU64] {
        let count = self.granules().div_ceil(64);
        // SAFETY: the bitmap follows in the extent's first granules, which `make` has reserved for it.
        unsafe { std::slice::from_raw_parts(self.used.as_ptr(), count) }
    }

    fn is_used(&self, granule: usize) -> bool {
        self.words()[granule / 64].load(Ordering::Relaxed) >> (granule % 64) & 1 != 0
    }

    /// Under the lock.
    fn set_used(&self, granules: std::ops::Range<usize>, used: bool) {
        for granule in granules {
            let (word, bit) = (&self.words()[granule / 64], 1 << (granule % 64));
            let before = word.load(Ordering::Relaxed);
            word.store(if used { before | bit } else { before & !bit }, Ordering::Relaxed);
        }
    }

    /// The first run of `count` free granules.
    fn find(&self, count: usize) -> Option<usize> {
        let mut start = self.full_below.load(Ordering::Relaxed);
        let mut at = start;
        while at - start < count {
            if at >= self.granules() {
                return None;
            }
            if self.is_used(at) {
                start = at + 1;
            }
            at += 1;
        }
        Some(start)
    }

    fn take(&self, len: usize) -> Option<NonNull<u8>> {
        let count = len.div_ceil(GRANULE);
        let found = self.find(count)?;
        self.set_used(found..found + count, true);
        if found == self.full_below.load(Ordering::Relaxed) {
            self.full_below.store(found + count, Ordering::Relaxed);
        }
        NonNull::new(((self as *const Extent as usize) + found * GRANULE) as *mut u8)
    }
}

fn extents() -> impl Iterator<Item = &'static Extent> {
    // SAFETY: null, or an extent, which is never freed.
    let first = unsafe { FIRST.load(Ordering::Acquire).as_ref() };
    std::iter::successors(first, |extent| {
        // SAFETY: as above.
        unsafe { extent.next.load(Ordering::Acquire).as_ref() }
    })
}

/// Address space without access for `len` bytes: at least a page, zero once it may be read.
///
/// # Errors
/// When the address space is full, or limited.
pub fn take(len: usize) -> io::Result<NonNull<u8>> {
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let len = len.max(1);
    if let Some(start) = extents().find_map(|extent| extent.take(len)) {
        return Ok(start);
    }
    let extent = grow(len)?;
    extent
        .take(len)
        .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

/// # Safety
/// `start` and `len` must be those of a [`take`], and the memory no longer used.
pub unsafe fn give_back(start: NonNull<u8>, len: usize) {
    let len = len.max(1);
    let pages = NonZeroUsize::new(len.next_multiple_of(PAGE)).expect("at least a page");
    // The pages go at once, and what comes next finds zeros.
    // SAFETY: replaces memory of the area that nobody uses (the caller's promise).
    let cleared = unsafe { reserve(Some(start.addr()), pages, MapFlags::MAP_FIXED) };
    if cleared.is_err() {
        // For want of memory for the kernel's own records. The range stays in use.
        return;
    }
    let _lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let address = start.as_ptr() as usize;
    let holder = extents().find(|extent| {
        let offset = address.wrapping_sub(*extent as *const Extent as usize);
        offset < extent.len
    });
    let Some(extent) = holder else { return };
    let first = (address - extent as *const Extent as usize) / GRANULE;
    extent.set_used(first..first + len.div_ceil(GRANULE), false);
    extent.full_below.fetch_min(first, Ordering::Relaxed);
}

/// Appends an extent that has room for `len` bytes. Under the lock.
fn grow(len: usize) -> io::Result<&'static Extent> {
    let Some(last) = extents().last() else {
        own::take_stock();
        let home = HOME + own::image_offset(HOME_SPREAD);
        let fitting = FIRST_SIZES.into_iter().filter(|&size| size / 2 >= len);
        let sizes = fitting.chain([with_bitmap(len)]);
        let extent = try_sizes(sizes, |size| place(home, size))?;
        FIRST.store(ptr::from_ref(extent).cast_mut(), Ordering::Release);
        return Ok(extent);
    };
    let behind = last as *const Extent as usize + last.len;
    let needed = with_bitmap(len);
    let extent = try_sizes([needed.max(NEXT_SIZE), needed], |size| place(behind, size))?;
    last.next
        .store(ptr::from_ref(extent).cast_mut(), Ordering::Release);
    Ok(extent)
}

/// A size with room for `len` bytes and the extent's own.
fn with_bitmap(len: usize) -> usize {
    let granules = len.div_ceil(GRANULE);
    (granules + 1 + granules / (8 * GRANULE)) * GRANULE
}

fn try_sizes(
    sizes: impl IntoIterator<Item = usize>,
    mut place: impl FnMut(usize) -> nix::Result<NonNull<u8>>,
) -> io::Result<&'static Extent> {
    let mut result = Err(Errno::ENOMEM);
    for size in sizes {
        result = place(size).and_then(|start| make(start, size));
        if result.is_ok() {
            break;
        }
    }
    result.map_err(io::Error::from)
}

/// Reserves `size` bytes at `home`, or else where the kernel has room.
fn place(home: usize, size: usize) -> nix::Result<NonNull<u8>> {
    let len = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
    // A kernel before 4.17 takes the address as a hint, which is as good.
    // SAFETY: replaces nothing.
    let there = unsafe { reserve(NonZeroUsize::new(home), len, MapFlags::MAP_FIXED_NOREPLACE) };
    // SAFETY: as above.
    there.or_else(|_| unsafe { reserve(None, len, MapFlags::empty()) })
}

/// # Safety
/// With MAP_FIXED, what is there must be the caller's and no longer used.
unsafe fn reserve(at: Option<NonZeroUsize>, len: NonZeroUsize, how: MapFlags) -> nix::Result<NonNull<u8>> {
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | how;
    // SAFETY: the caller's promise; else nothing is replaced.
    unsafe { mmap_anonymous(at, len, ProtFlags::PROT_NONE, flags) }.map(NonNull::cast)
}

/// Makes reserved address space an extent, and the emulator's.
fn make(start: NonNull<u8>, len: usize) -> nix::Result<&'static Extent> {
    let granules = len / GRANULE;
    let header = size_of::<Extent>() + granules.div_ceil(64) * 8;
    // SAFETY: the start of memory that was just reserved.
    let accessible = unsafe {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        mprotect(start.cast(), header.next_multiple_of(PAGE), access)
    };
    if let Err(error) = accessible {
        // SAFETY: as above; nothing knows of it yet.
        let _ = unsafe { munmap(start.cast(), len) };
        return Err(error);
    }
    let extent = start.cast::<Extent>();
    // SAFETY: writable, zero and ours; zeros are a bitmap of free granules.
    unsafe {
        extent.write(Extent {
            len,
            next: AtomicPtr::new(ptr::null_mut()),
            full_below: AtomicUsize::new(0),
            used: [],
        });
    };
    // SAFETY: just written, and never freed.
    let extent = unsafe { extent.as_ref() };
    extent.set_used(0..header.div_ceil(GRANULE), true);
    own::add_extent(start.as_ptr() as u64, len as u64);
    Ok(extent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Mapping};

    #[test]
    fn more_than_an_extent_holds_is_still_ours() {
        let mappings: Vec<Mapping> = (0..24)
            .map(|_| Mapping::new(64 << 20, Access::None).expect("address space"))
            .collect();
        for mapping in &mappings {
            assert!(own::overlaps(mapping.address(), 1));
            assert!(own::overlaps(mapping.range().end - 1, 1));
        }
        let mut starts: Vec<u64> = mappings.iter().map(Mapping::address).collect();
        starts.sort_unstable();
        assert!(starts.windows(2).all(|pair| pair[0] + (64 << 20) <= pair[1]));
    }

    #[test]
    fn what_is_given_back_is_taken_again() {
        // Other tests take and give as well, so not each round gets the same.
        let mut places: Vec<u64> = (0..200)
            .map(|_| {
                Mapping::new(5 << 20, Access::None)
                    .expect("address space")
                    .address()
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        assert!(places.len() < 150, "{} places", places.len());
    }
}
