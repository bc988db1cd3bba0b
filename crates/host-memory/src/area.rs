//! The area: address space reserved for the emulator, and who has what of it.
//!
//! It consists of extents, nearly always one. An extent is reserved to be read and written, so that most memory of it
//! takes no further call and the kernel has one mapping for it all, and begins with a table of whose each granule is. When all are full, another follows: right behind the last if nothing of the guest's is there (then it
//! stays one range), else where there is room.
//!
//! The list of extents only grows. A granule's owner is written before it is used and taken back after its memory
//! has gone, each by one store, so whoever stops in between (a child that shares memory can be killed at any instruction)
//! leaves a granule that is never used again, and nothing worse.
//!
//! # Safety
//! An [`Extent`] stands at the start of its own memory and is never freed.

use crate::lock::{Level, Word};
use crate::own::{self, Apart};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicUsize, Ordering};

/// Unit of what is handed out. Coarse, because address space is cheap, granules are looked at one by one, and each page
/// of their table that is touched costs the start a page fault or two.
const GRANULE: usize = 256 << 10;

const PAGE: usize = 4 << 10;

/// Whose a granule is: nobody's, the extent's own or a mapping's, or (from here on) that of the heap with this number.
const FREE: u16 = 0;
pub const MAPPED: u16 = 1;
pub const FIRST_HEAP: u16 = 2;

/// Sizes tried for the first extent: the code cache with its tables and the memory of some ten threads, or less where
/// the address space is limited.
const FIRST_SIZES: [usize; 4] = [768 << 20, 256 << 20, 64 << 20, 16 << 20];

/// A further extent has at least this size, or this part of a limited address space.
const NEXT_SIZE: usize = 64 << 20;
const NEXT_SHARE: usize = 64;

/// Of a limited address space, which is for the guest, the first extent may take one part in so many, and what is asked
/// for at a time one in so many.
const FIRST_SHARE: usize = 8;
const LARGEST_SHARE: usize = 16;

/// How far behind the area a further extent is tried, where the guest, or an extent whose maker was killed, is in the way.
const DISTANCES: [usize; 4] = [0, 1 << 30, 1 << 34, 1 << 38];

/// Where the area is to be, in a range of 2^40 bytes. Linux puts mappings from the stack downwards, with an unlimited
/// stack from 0x1555_5555_5000 downwards, in the legacy layout from 0x2aaa_aaaa_a000 upwards, and position-independent
/// programs and their heaps at 0x5555_5555_4000 and above, each up to 2^40 away (arch/x86/mm/mmap.c, ELF_ET_DYN_BASE).
/// Programs that choose addresses themselves take low ones.
const HOME: usize = 0x4000_0000_0000;
const HOME_SPREAD: usize = 1 << 40;

/// Kept for the taking and giving back; who only asks needs no lock.
static LOCK: Word = Word::new(Level::Area);

static FIRST: AtomicPtr<Extent> = AtomicPtr::new(ptr::null_mut());

#[repr(C)]
struct Extent {
    len: usize,
    next: AtomicPtr<Extent>,
    /// No granule below is free.
    full_below: AtomicUsize,
    apart: Apart,
    /// `len / GRANULE` entries.
    owners: [AtomicU16; 0],
}

impl Extent {
    fn start(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn owners(&self) -> &[AtomicU16] {
        // SAFETY: the table follows in the extent's first granules, which `make` has set aside for it.
        unsafe { std::slice::from_raw_parts(self.owners.as_ptr(), self.len / GRANULE) }
    }

    fn set_owner(&self, granules: Range<usize>, owner: u16) {
        for entry in &self.owners()[granules] {
            entry.store(owner, Ordering::Relaxed);
        }
    }

    /// The first run of `count` free granules.
    fn find(&self, count: usize) -> Option<usize> {
        let owners = self.owners();
        let mut start = self.full_below.load(Ordering::Relaxed);
        let mut at = start;
        while at - start < count {
            if owners.get(at)?.load(Ordering::Relaxed) != FREE {
                start = at + 1;
            }
            at += 1;
        }
        Some(start)
    }

    /// Under the lock.
    fn take(&self, len: usize, owner: u16) -> Option<NonNull<u8>> {
        let count = len.div_ceil(GRANULE);
        let found = self.find(count)?;
        self.set_owner(found..found + count, owner);
        if found == self.full_below.load(Ordering::Relaxed) {
            self.full_below.store(found + count, Ordering::Relaxed);
        }
        NonNull::new((self.start() + found * GRANULE) as *mut u8)
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

/// The extent that holds an address, and the granule there.
#[inline]
fn locate(address: usize) -> Option<(&'static Extent, usize)> {
    extents().find_map(|extent| {
        let offset = address.wrapping_sub(extent.start());
        (offset < extent.len).then_some((extent, offset / GRANULE))
    })
}

/// Whose the memory at an address of the area is.
#[inline]
pub fn owner(address: *mut u8) -> u16 {
    locate(address.addr()).map_or(FREE, |(extent, granule)| {
        extent.owners()[granule].load(Ordering::Relaxed)
    })
}

/// Reserves the area and takes stock of what is there, if that has not happened: to be called before the guest has memory.
/// (The first mapping or allocation does it as well.) Without memory it does nothing; the guest will not get far then.
pub fn prepare() {
    if FIRST.load(Ordering::Acquire).is_null()
        && let Ok(start) = take(1, MAPPED)
    {
        // SAFETY: taken right here, and used by nobody.
        unsafe { give_back(start, 1) };
    }
}

/// Memory of `len` bytes: at least a page, zero, to be read and written.
///
/// # Errors
/// When the address space is full, or limited.
pub fn take(len: usize, owner: u16) -> io::Result<NonNull<u8>> {
    let len = len.max(1);
    LOCK.acquire();
    let found = extents().find_map(|extent| extent.take(len, owner));
    let taken = match found {
        Some(start) => Ok(start),
        None => grow(len).and_then(|extent| extent.take(len, owner).ok_or(Errno::ENOMEM)),
    };
    LOCK.release();
    taken.map_err(io::Error::from)
}

/// # Safety
/// `start` and `len` must be those of a [`take`], and the memory no longer used.
pub unsafe fn give_back(start: NonNull<u8>, len: usize) {
    let len = len.max(1);
    let pages = NonZeroUsize::new(len.next_multiple_of(PAGE)).expect("at least a page");
    // The pages go at once, and what comes next finds zeros.
    // SAFETY: replaces memory of the area that nobody uses (the caller's promise).
    let cleared = unsafe { reserve(Some(start.addr()), pages, MapFlags::MAP_FIXED) };
    // It fails for want of memory for the kernel's own records. Then the range stays in use.
    if cleared.is_ok()
        && let Some((extent, first)) = locate(start.as_ptr().addr())
    {
        LOCK.acquire();
        extent.set_owner(first..first + len.div_ceil(GRANULE), FREE);
        extent.full_below.fetch_min(first, Ordering::Relaxed);
        LOCK.release();
    }
}

/// Appends an extent that has room for `len` bytes. Under the lock.
fn grow(len: usize) -> nix::Result<&'static Extent> {
    let needed = with_table(len);
    // It counts as the guest's own mappings do, and most is for the guest: what is asked for in several sizes gets a
    // small one.
    let limit = address_space();
    if needed > limit / LARGEST_SHARE {
        return Err(Errno::ENOMEM);
    }
    let Some(last) = extents().last() else {
        own::take_stock();
        let home = HOME + own::image_offset(HOME_SPREAD);
        let most = limit / FIRST_SHARE;
        let fitting = FIRST_SIZES
            .into_iter()
            .filter(|&size| size >= needed && size <= most);
        let extent = try_sizes(fitting.chain([needed]), |size| place(&[home], size))?;
        FIRST.store(ptr::from_ref(extent).cast_mut(), Ordering::Release);
        return Ok(extent);
    };
    let homes = DISTANCES.map(|distance| own::area_end() as usize + distance);
    let usual = NEXT_SIZE.min((limit / NEXT_SHARE).next_multiple_of(GRANULE));
    let extent = try_sizes([needed.max(usual), needed], |size| place(&homes, size))?;
    last.next
        .store(ptr::from_ref(extent).cast_mut(), Ordering::Release);
    Ok(extent)
}

/// Whether address space is scarce.
#[must_use]
pub fn is_limited() -> bool {
    address_space() != usize::MAX
}

/// Bytes of address space that the process may have (RLIMIT_AS).
fn address_space() -> usize {
    match getrlimit(Resource::RLIMIT_AS) {
        Ok((RLIM_INFINITY, _)) | Err(_) => usize::MAX,
        Ok((limit, _)) => limit as usize,
    }
}

const fn table_size(granules: usize) -> usize {
    size_of::<Extent>() + granules * size_of::<AtomicU16>()
}

/// A size with room for `len` bytes and the extent's own table.
fn with_table(len: usize) -> usize {
    let granules = len.div_ceil(GRANULE);
    // One more than the table of these granules takes: it has entries for itself.
    (granules + table_size(granules).div_ceil(GRANULE) + 1) * GRANULE
}

fn try_sizes(
    sizes: impl IntoIterator<Item = usize>,
    mut place: impl FnMut(usize) -> nix::Result<NonNull<u8>>,
) -> nix::Result<&'static Extent> {
    let mut last = Errno::ENOMEM;
    for size in sizes {
        match place(size) {
            Ok(start) => return Ok(make(start, size)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reserves `size` bytes at the first of `homes` that is free, or else where the kernel has room.
fn place(homes: &[usize], size: usize) -> nix::Result<NonNull<u8>> {
    let len = NonZeroUsize::new(size).ok_or(Errno::EINVAL)?;
    for &home in homes {
        // A kernel before 4.17 takes the address as a hint, which is as good.
        // SAFETY: replaces nothing.
        let there = unsafe { reserve(NonZeroUsize::new(home), len, MapFlags::MAP_FIXED_NOREPLACE) };
        if there != Err(Errno::EEXIST) {
            return there;
        }
    }
    // SAFETY: replaces nothing.
    unsafe { reserve(None, len, MapFlags::empty()) }
}

/// # Safety
/// With MAP_FIXED, what is there must be the caller's and no longer used.
unsafe fn reserve(at: Option<NonZeroUsize>, len: NonZeroUsize, how: MapFlags) -> nix::Result<NonNull<u8>> {
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | how;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the caller's promise; else nothing is replaced.
    unsafe { mmap_anonymous(at, len, access, flags) }.map(NonNull::cast)
}

/// Makes reserved address space an extent, and the emulator's.
fn make(start: NonNull<u8>, len: usize) -> &'static Extent {
    let header = table_size(len / GRANULE);
    let extent = start.cast::<Extent>();
    // SAFETY: writable and ours; the zeros behind are a table of free granules.
    unsafe {
        extent.write(Extent {
            len,
            next: AtomicPtr::new(ptr::null_mut()),
            full_below: AtomicUsize::new(0),
            apart: Apart::new(),
            owners: [],
        });
    };
    // SAFETY: just written, and never freed.
    let extent = unsafe { extent.as_ref() };
    extent.set_owner(0..header.div_ceil(GRANULE), MAPPED);
    own::add_extent(extent.start() as u64, len as u64, &extent.apart);
    extent
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

    #[test]
    fn an_extent_apart_is_ours_as_well() {
        drop(Mapping::new(1, Access::None).expect("address space"));
        // The guest maps right behind the area; what other tests add meanwhile may be in its way.
        let behind = NonZeroUsize::new(own::area_end() as usize);
        let page = NonZeroUsize::new(PAGE).expect("a page");
        // SAFETY: replaces nothing.
        let guests = unsafe { reserve(behind, page, MapFlags::MAP_FIXED_NOREPLACE) };
        let mappings: Vec<Mapping> = (0..3)
            .map(|_| Mapping::new(600 << 20, Access::None).expect("address space"))
            .collect();
        for mapping in &mappings {
            for granule in 0..mapping.len() / GRANULE {
                let at = mapping.start().wrapping_add(granule * GRANULE);
                assert_eq!(owner(at), MAPPED);
                assert!(own::overlaps(at.addr() as u64, 1));
            }
        }
        if let Ok(guests) = guests {
            assert!(!own::overlaps(guests.as_ptr().addr() as u64, PAGE as u64));
        }
    }

    #[test]
    fn granules_have_owners() {
        let mapping = Mapping::new(3 * GRANULE, Access::None).expect("address space");
        for granule in 0..3 {
            assert_eq!(owner(mapping.start().wrapping_add(granule * GRANULE)), MAPPED);
        }
        let local = 0_u8;
        assert_eq!(owner(ptr::from_ref(&local).cast_mut()), FREE);
    }

    #[test]
    fn an_extent_has_room_for_what_it_was_made_for() {
        for len in [1, GRANULE, GRANULE + 1, 1 << 30, 31 << 30] {
            let size = with_table(len);
            assert!(
                table_size(size / GRANULE).next_multiple_of(GRANULE) + len <= size,
                "{len:#x}"
            );
        }
    }
}
