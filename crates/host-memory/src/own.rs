//! What of the address space is the emulator's, so that no call of the guest's reads, writes or replaces it.
//!
//! That is the area, and what stood there before the guest had anything: the program's image, the first stack,
//! the C library's heap (brk), the kernel's vDSO. A lookup compares with each: a handful of ranges, whatever is mapped.
//! (What a program that uses the library maps for itself is not known here.)
//!
//! This guards against accidents. It is no security boundary: guest code runs in this process and can write anywhere
//! by an ordinary store.

use std::ffi::{CStr, c_char};
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

const PAGE: u64 = 4 << 10;

/// What the first stack may have below AT_RANDOM's bytes: arguments and environment (6 MiB at most: fs/exec.c,
/// bprm_set_stack_limits), and what it grows by. The kernel leaves at least 128 MiB free there (arch/x86/mm/mmap.c).
const STACK_RESERVE: u64 = 16 << 20;

/// The kernel lets no stack grow closer to what is mapped below it (stack_guard_gap).
const STACK_GUARD: u64 = 256 * PAGE;

/// A range that may grow, but never moves.
struct Span {
    start: AtomicU64,
    end: AtomicU64,
}

impl Span {
    const fn new() -> Span {
        Span {
            start: AtomicU64::new(0),
            end: AtomicU64::new(0),
        }
    }

    #[inline]
    fn overlaps(&self, addr: u64, end: u64) -> bool {
        addr < self.end.load(Ordering::Relaxed) && end > self.start.load(Ordering::Relaxed)
    }

    fn range(&self) -> Range<u64> {
        self.start.load(Ordering::Relaxed)..self.end.load(Ordering::Relaxed)
    }

    fn set(&self, start: u64, end: u64) {
        // A reader between the two sees an empty range.
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Release);
    }
}

static AREA: Span = Span::new();
static IMAGE: Span = Span::new();
static STACK: Span = Span::new();
static VDSO: Span = Span::new();
static HEAP: Span = Span::new();

/// An extent of the area that does not follow the others; it stands in the extent.
pub(crate) struct Apart {
    span: Span,
    next: AtomicPtr<Apart>,
}

impl Apart {
    pub(crate) const fn new() -> Apart {
        Apart {
            span: Span::new(),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

static APART: AtomicPtr<Apart> = AtomicPtr::new(ptr::null_mut());

/// Whether the `len` bytes at `addr` touch the emulator's memory.
#[must_use]
#[inline]
pub fn overlaps(addr: u64, len: u64) -> bool {
    let end = addr.saturating_add(len);
    len != 0
        && (AREA.overlaps(addr, end)
            || IMAGE.overlaps(addr, end)
            || STACK.overlaps(addr, end)
            || VDSO.overlaps(addr, end)
            || HEAP.overlaps(addr, end)
            || !APART.load(Ordering::Relaxed).is_null() && overlaps_apart(addr, end))
}

fn extents_apart() -> impl Iterator<Item = &'static Apart> {
    // SAFETY: null, or an entry, which is never freed.
    let first = unsafe { APART.load(Ordering::Acquire).as_ref() };
    // SAFETY: as above; `next` was written before the entry was published.
    std::iter::successors(first, |apart| unsafe {
        apart.next.load(Ordering::Relaxed).as_ref()
    })
}

#[cold]
fn overlaps_apart(addr: u64, end: u64) -> bool {
    extents_apart().any(|apart| apart.span.overlaps(addr, end))
}

/// The parts of a range that are not the emulator's. (Where memory of both is alike and adjacent, the kernel makes one
/// mapping of it: below the image's data, for instance.)
#[must_use]
pub fn outside(range: Range<u64>) -> Vec<Range<u64>> {
    let mut parts = vec![range];
    let spans = [&AREA, &IMAGE, &STACK, &VDSO, &HEAP];
    let apart = extents_apart().map(|apart| &apart.span);
    for own in spans.into_iter().chain(apart).map(Span::range) {
        parts = parts
            .into_iter()
            .flat_map(|part| {
                [
                    part.start..part.end.min(own.start),
                    part.start.max(own.end)..part.end,
                ]
            })
            .filter(|part| !part.is_empty())
            .collect();
    }
    parts
}

/// The `len` bytes at `start` are the emulator's from now on; `apart` is for this module. Called under the area's lock.
pub(crate) fn add_extent(start: u64, len: u64, apart: &'static Apart) {
    let (first, last) = (
        AREA.start.load(Ordering::Relaxed),
        AREA.end.load(Ordering::Relaxed),
    );
    if last == 0 {
        AREA.set(start, start + len);
    } else if last == start {
        AREA.end.store(start + len, Ordering::Release);
    } else if start + len == first {
        AREA.start.store(start, Ordering::Release);
    } else {
        apart.span.set(start, start + len);
        apart.next.store(APART.load(Ordering::Relaxed), Ordering::Relaxed);
        APART.store(ptr::from_ref(apart).cast_mut(), Ordering::Release);
    }
}

/// The area, but for extents that stand apart.
#[must_use]
pub fn area() -> Range<u64> {
    AREA.range()
}

/// The C library's heap, to the very end that the kernel knows.
#[must_use]
pub fn heap() -> Range<u64> {
    note_heap();
    // SAFETY: 0 asks only.
    let end = unsafe { libc::sbrk(0) } as u64;
    HEAP.range().start.min(end)..end
}

/// The program's image.
#[must_use]
pub fn program() -> Range<u64> {
    IMAGE.range()
}

/// Where the area's one range ends.
pub(crate) fn area_end() -> u64 {
    AREA.end.load(Ordering::Relaxed)
}

/// Looks what is there before the guest has anything.
pub(crate) fn take_stock() {
    let (start, end) = image();
    IMAGE.set(start, end);
    fill_gaps(start);
    // SAFETY: takes any key.
    let (random, name, vdso) = unsafe {
        (
            libc::getauxval(libc::AT_RANDOM),
            libc::getauxval(libc::AT_EXECFN) as *const c_char,
            libc::getauxval(libc::AT_SYSINFO_EHDR),
        )
    };
    let end = if name.is_null() {
        mapped_around(random).1
    } else {
        // The program's file name is the first thing the kernel puts there, above it are eight bytes.
        // SAFETY: a string that the kernel has made.
        let length = unsafe { CStr::from_ptr(name) }.count_bytes() as u64;
        (name as u64 + length + 1 + 8).next_multiple_of(PAGE)
    };
    // Its 16 bytes stand somewhat below the names.
    STACK.set(random.saturating_sub(STACK_RESERVE), end);
    if vdso != 0 {
        let (start, end) = kernels_pages(vdso);
        VDSO.set(start, end);
    }
    note_heap();
}

/// Takes the pages between the image's segments, which the kernel would give to the guest: they count as the image's.
fn fill_gaps(start: u64) {
    // SAFETY: takes any key.
    let (table, count) = unsafe { (libc::getauxval(libc::AT_PHDR), libc::getauxval(libc::AT_PHNUM)) };
    if table == 0 {
        return;
    }
    // SAFETY: the kernel says that so many program headers of this image stand there.
    let headers = unsafe { std::slice::from_raw_parts(table as *const libc::Elf64_Phdr, count as usize) };
    let mut segments = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let Some(first) = segments.next() else {
        return;
    };
    let bias = start.wrapping_sub(first.p_vaddr & !(PAGE - 1));
    let mut end = first.p_vaddr + first.p_memsz;
    for next in segments {
        let gap = end.next_multiple_of(PAGE)..next.p_vaddr & !(PAGE - 1);
        if !gap.is_empty() {
            let how =
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
            let (at, len) = (gap.start.wrapping_add(bias), gap.end - gap.start);
            // SAFETY: replaces nothing. Where something is, it is no gap.
            let _ = unsafe { libc::mmap(at as *mut libc::c_void, len as usize, libc::PROT_NONE, how, -1, 0) };
        }
        end = next.p_vaddr + next.p_memsz;
    }
}

/// The vDSO and the kernel's variables below it. Others' mappings may be adjacent: a program that uses the library has some.
fn kernels_pages(vdso: u64) -> (u64, u64) {
    /// There were never more pages of variables (arch/x86/include/asm/vdso/vsyscall.h and its predecessors).
    const MOST: u64 = 16;
    // SAFETY: the kernel puts a whole ELF image there, whose header comes first.
    let header = unsafe { &*(vdso as *const libc::Elf64_Ehdr) };
    // Its table of sections comes last.
    let length = header.e_shoff + u64::from(header.e_shnum) * u64::from(header.e_shentsize);
    // Of memory that is no struct page's, pages cannot be cold: EINVAL (mm/madvise.c). Nothing of other memory changes but
    // how soon one page is swapped out.
    let is_variables = |page: &u64| {
        // SAFETY: this advice changes no contents.
        let result = unsafe { libc::madvise(*page as *mut libc::c_void, PAGE as usize, libc::MADV_COLD) };
        result != 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL)
    };
    let below = (1..=MOST)
        .map(|n| vdso - n * PAGE)
        .take_while(is_variables)
        .last();
    (below.unwrap_or(vdso), (vdso + length).next_multiple_of(PAGE))
}

/// Where a guest's stack may end that takes the place of the first one: right below what is mapped of that. `None` while
/// somebody is on it. The kernel keeps the range below free of mappings, and larger than RLIMIT_STACK was at execve.
#[must_use]
pub fn below_first_stack() -> Option<u64> {
    let end = STACK.end.load(Ordering::Relaxed);
    let here = 0_u8;
    if end == 0 || STACK.overlaps(ptr::from_ref(&here).addr() as u64, 1) {
        return None;
    }
    let (start, _) = mapped_around(end - 1);
    // It grows no more.
    STACK.set(start, end);
    start.checked_sub(STACK_GUARD)
}

/// The C library may have moved the end of its heap: to be called after it may have allocated.
pub fn note_heap() {
    // SAFETY: 0 asks only.
    let end = unsafe { libc::sbrk(0) } as u64;
    if end == HEAP.end.load(Ordering::Relaxed) || end == u64::MAX {
        return;
    }
    if HEAP.start.load(Ordering::Relaxed) == 0 {
        let (start, _) = mapped_around(end.saturating_sub(1));
        HEAP.set(start, end.next_multiple_of(PAGE));
    } else {
        HEAP.end.store(end.next_multiple_of(PAGE), Ordering::Release);
    }
}

fn image() -> (u64, u64) {
    unsafe extern "C" {
        static __executable_start: u8;
        static _end: u8;
    }
    let end = (&raw const _end) as u64;
    ((&raw const __executable_start) as u64, end.next_multiple_of(PAGE))
}

/// A multiple of 2 MiB below `spread`, as random as the address of this program's image: the kernel's own choice,
/// so that a layout without chance (setarch -R) is without it here as well.
pub(crate) fn image_offset(spread: usize) -> usize {
    const STEP: usize = 2 << 20;
    let pages = image().0 as usize / PAGE as usize;
    // The page numbers of neighbouring layouts are spread by a multiplicative hash.
    (pages.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16) % (spread / STEP) * STEP
}

/// The mapped pages around an address, without a hole between; empty if there are none.
fn mapped_around(addr: u64) -> (u64, u64) {
    let page = addr & !(PAGE - 1);
    let below = mapped_run(|done, len| is_mapped(page.wrapping_sub(done + len), len));
    let above = mapped_run(|done, len| is_mapped(page + done, len));
    (page - below, page + above)
}

/// How far a run of pages extends: `is_mapped(done, len)` says whether the `len` bytes behind the first `done` are of it.
/// Steps are small at first, since runs are short: each is a system call.
fn mapped_run(is_mapped: impl Fn(u64, u64) -> bool) -> u64 {
    let (mut done, mut step) = (0, 4 * PAGE);
    while is_mapped(done, step) {
        done += step;
        step = (step * 2).min(64 * PAGE);
    }
    // Less than a step is left.
    while step > PAGE {
        step /= 2;
        if is_mapped(done, step) {
            done += step;
        }
    }
    done
}

/// Whether all pages of the range are mapped; up to 64.
fn is_mapped(start: u64, len: u64) -> bool {
    let mut residence = [0_u8; 64];
    assert!(len <= 64 * PAGE);
    // SAFETY: mincore reads page tables only, and writes one byte a page to an array that is long enough.
    unsafe { libc::mincore(start as *mut libc::c_void, len as usize, residence.as_mut_ptr()) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Mapping};
    use std::cell::Cell;
    use std::fs;

    #[test]
    fn what_the_emulator_has_is_found() {
        let mapping = Mapping::new(0x2000, Access::ReadWrite).expect("memory");
        let constant = &PAGE;
        // SAFETY: takes any key.
        let vdso = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) };
        // SAFETY: 0 asks only.
        let heap = unsafe { libc::sbrk(0) } as u64;
        for (name, addr) in [
            ("mapping", mapping.address()),
            ("image", ptr::from_ref(constant) as u64),
            ("vdso", vdso),
        ] {
            assert!(overlaps(addr, 1), "{name} {addr:#x}");
            assert!(!overlaps(addr, 0), "{name} {addr:#x}: no byte is touched");
            assert!(overlaps(addr - 0x1000, 0x1001), "{name} {addr:#x}");
            assert!(overlaps(0, u64::MAX), "{name} {addr:#x}");
        }
        assert!(!overlaps(heap.next_multiple_of(PAGE), 1));
        assert!(!overlaps(0, 0x1_0000));
        assert!(!overlaps(u64::MAX, 1));
    }

    #[test]
    fn what_lies_outside_is_cut_where_ours_begins() {
        let _mapping = Mapping::new(0x1000, Access::ReadWrite).expect("memory");
        let image = program();
        let around = image.start - 8 * PAGE..image.end + 8 * PAGE;
        let parts = outside(around.clone());
        for page in around.step_by(PAGE as usize) {
            let is_outside = parts.iter().any(|part| part.contains(&page));
            assert_ne!(is_outside, overlaps(page, 1), "{page:#x}");
        }
        let low = 0x1000..0x3000;
        assert_eq!(outside(low.clone()), std::slice::from_ref(&low));
    }

    /// Else the kernel puts mappings of the guest's there.
    #[test]
    fn the_image_has_no_free_page() {
        let _mapping = Mapping::new(0x1000, Access::ReadWrite).expect("memory");
        for page in program().step_by(PAGE as usize) {
            assert!(is_mapped(page, PAGE), "{page:#x}");
        }
    }

    #[test]
    fn runs_are_found_exactly_in_few_steps() {
        for pages in 0..700_u64 {
            let calls = Cell::new(0);
            let found = mapped_run(|done, len| {
                calls.set(calls.get() + 1);
                done + len <= pages * PAGE
            });
            assert_eq!(found, pages * PAGE);
            assert!(calls.get() <= 13 + pages / 64, "{pages}: {}", calls.get());
        }
    }

    /// Threads of the test harness have stacks elsewhere; this process's first is in /proc/self/maps.
    #[test]
    fn ranges_are_those_of_the_kernel() {
        let _mapping = Mapping::new(0x1000, Access::ReadWrite).expect("memory");
        note_heap();
        let text = fs::read_to_string("/proc/self/maps").expect("maps");
        for line in text.lines().filter(|line| {
            ["[vdso]", "[vvar]", "[stack]", "[heap]"]
                .iter()
                .any(|name| line.ends_with(name))
        }) {
            let range = line.split(' ').next().expect("a range");
            let (start, end) = range.split_once('-').expect("two addresses");
            let parse = |text| u64::from_str_radix(text, 16).expect("hexadecimal");
            for addr in [parse(start), parse(end) - 1] {
                assert!(overlaps(addr, 1), "{line}");
            }
            // What stands right behind the stack is the kernel's; behind the others may be more of ours.
            if line.ends_with("[stack]") {
                assert!(!overlaps(parse(end), 1), "{line}");
            }
        }
    }
}
