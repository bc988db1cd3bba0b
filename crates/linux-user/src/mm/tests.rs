//! The calls on real memory of the test process.

use super::remap::RemapRequest;
use super::*;
use engine::{AddressSpace, Mode};
use guest_memory::access;

fn setup() -> (Mm, Arc<Engine>) {
    let mm = Mm::new();
    let engine = Engine::new(
        Box::new(mm.clone()),
        Mode::Interpreter,
        &guest::cpu_model::EVERYTHING,
    );
    (mm, engine)
}

/// Memory at a low address, one region a test: holes made there stay free, because the
/// host places the test process's own mappings high.
fn low(mm: &Mm, engine: &Engine, region: u64, len: u64) -> u64 {
    let mut request = MapRequest::anonymous(len, RW);
    request.addr = GuestAddr(0x2000_0000 + (region << 24));
    request.flags |= flags::MAP_FIXED;
    mm.mmap(engine, request).expect("the low region is free")
}

const RW: u64 = flags::PROT_READ | flags::PROT_WRITE;
const PAGE: u64 = PAGE_SIZE;

fn layout(mm: &Mm, base: u64) -> Vec<(u64, u64, u64)> {
    let pages = |vma: &Vma| ((vma.start - base) / PAGE, (vma.end - base) / PAGE, vma.prot);
    mm.vmas().iter().map(pages).collect()
}

#[test]
fn odd_lengths_round_up() {
    let (mm, engine) = setup();
    let at = mm
        .mmap(&engine, MapRequest::anonymous(10_000, RW))
        .expect("memory");
    assert_eq!(layout(&mm, at), [(0, 3, RW)]);
    assert_eq!(mm.mmap(&engine, MapRequest::anonymous(0, RW)), Err(Errno::EINVAL));
    assert_eq!(mm.munmap(&engine, GuestAddr(at + 1), 1), Err(Errno::EINVAL));
    assert_eq!(mm.munmap(&engine, GuestAddr(at), 0), Err(Errno::EINVAL));
    assert_eq!(mm.munmap(&engine, GuestAddr(at), 1), Ok(0));
    assert_eq!(mm.munmap(&engine, GuestAddr(at), 3 * PAGE), Ok(0));
    assert_eq!(layout(&mm, at), []);
}

#[test]
fn the_emulators_memory_stays() {
    let (mm, engine) = setup();
    let mine = Box::new([7_u8; 3 * PAGE as usize]);
    let inside = GuestAddr((&raw const *mine) as u64).page_up();
    let mut fixed = MapRequest::anonymous(PAGE, RW);
    fixed.addr = inside;
    fixed.flags |= flags::MAP_FIXED;
    assert_eq!(mm.mmap(&engine, fixed), Err(Errno::ENOMEM));
    assert_eq!(mm.munmap(&engine, inside, PAGE), Ok(0));
    assert_eq!(mm.mprotect(&engine, inside, PAGE, 0), Err(Errno::ENOMEM));
    assert_eq!(
        mm.madvise(&engine, inside, PAGE, flags::MADV_DONTNEED),
        Err(Errno::ENOMEM)
    );
    let away = RemapRequest {
        old: inside,
        old_len: PAGE,
        new_len: 2 * PAGE,
        flags: flags::MREMAP_MAYMOVE,
        new: GuestAddr::NULL,
    };
    assert_eq!(mm.mremap(&engine, away), Err(Errno::EFAULT));
    assert!(mine.iter().all(|&byte| byte == 7));
}

#[test]
fn fixed_mappings_replace_only_the_guests() {
    let (mm, engine) = setup();
    let at = low(&mm, &engine, 1, 8 * PAGE);
    mm.munmap(&engine, GuestAddr(at + 2 * PAGE), 2 * PAGE)
        .expect("mapped");
    let mut fixed = MapRequest::anonymous(4 * PAGE, flags::PROT_READ);
    fixed.addr = GuestAddr(at + PAGE);
    fixed.flags |= flags::MAP_FIXED;
    assert_eq!(mm.mmap(&engine, fixed), Ok(at + PAGE));
    assert_eq!(
        layout(&mm, at),
        [(0, 1, RW), (1, 5, flags::PROT_READ), (5, 8, RW)]
    );
    fixed.flags |= flags::MAP_FIXED_NOREPLACE;
    assert_eq!(mm.mmap(&engine, fixed), Err(Errno::EEXIST));
}

#[test]
fn protection_stops_at_a_hole() {
    let (mm, engine) = setup();
    let at = low(&mm, &engine, 2, 4 * PAGE);
    mm.munmap(&engine, GuestAddr(at + 2 * PAGE), PAGE)
        .expect("mapped");
    let read = flags::PROT_READ;
    assert_eq!(
        mm.mprotect(&engine, GuestAddr(at), 4 * PAGE, read),
        Err(Errno::ENOMEM)
    );
    assert_eq!(layout(&mm, at), [(0, 2, read), (3, 4, RW)]);
    assert!(access::write(GuestAddr(at + 3 * PAGE), b"x").is_ok());
    let bad = flags::PROT_GROWSDOWN | flags::PROT_GROWSUP;
    assert_eq!(mm.mprotect(&engine, GuestAddr(at), PAGE, bad), Err(Errno::EINVAL));
}

#[test]
fn execute_only_code_stays_readable() {
    let (mm, engine) = setup();
    let at = mm
        .mmap(&engine, MapRequest::anonymous(2 * PAGE, RW))
        .expect("memory");
    assert!(!mm.is_executable(GuestAddr(at)));
    mm.mprotect(&engine, GuestAddr(at), PAGE, flags::PROT_EXEC | flags::PROT_BTI)
        .expect("mapped");
    assert!(mm.is_executable(GuestAddr(at)));
    assert!(!mm.is_executable(GuestAddr(at + PAGE)));
    assert_eq!(access::load(GuestAddr(at), 4), Ok(0));
    mm.munmap(&engine, GuestAddr(at), 2 * PAGE).expect("mapped");
    assert!(!mm.is_executable(GuestAddr(at)));
}

#[test]
fn mremap_moves_grows_and_shrinks() {
    let (mm, engine) = setup();
    let at = low(&mm, &engine, 4, 2 * PAGE);
    access::write(GuestAddr(at), b"kept").expect("mapped");
    let target = mm
        .mmap(&engine, MapRequest::anonymous(8 * PAGE, flags::PROT_NONE))
        .expect("memory");
    let request = RemapRequest {
        old: GuestAddr(at),
        old_len: 2 * PAGE,
        new_len: 4 * PAGE,
        flags: flags::MREMAP_MAYMOVE | flags::MREMAP_FIXED,
        new: GuestAddr(target + PAGE),
    };
    assert_eq!(mm.mremap(&engine, request), Ok(target + PAGE));
    assert_eq!(layout(&mm, target), [(0, 1, 0), (1, 5, RW), (5, 8, 0)]);
    let mut found = [0; 4];
    access::read(GuestAddr(target + PAGE), &mut found).expect("moved");
    assert_eq!(&found, b"kept");
    let shrink = RemapRequest {
        old: GuestAddr(target + PAGE),
        old_len: 4 * PAGE,
        new_len: PAGE,
        flags: 0,
        new: GuestAddr::NULL,
    };
    assert_eq!(mm.mremap(&engine, shrink), Ok(target + PAGE));
    assert_eq!(layout(&mm, target), [(0, 1, 0), (1, 2, RW), (5, 8, 0)]);
}

#[test]
fn the_heap_grows_and_shrinks() {
    let (mm, engine) = setup();
    // Free space to put a heap into: map it, then let it go.
    let base = low(&mm, &engine, 3, 16 * PAGE);
    mm.munmap(&engine, GuestAddr(base), 16 * PAGE).expect("mapped");
    mm.set_brk(GuestAddr(base));
    assert_eq!(mm.brk(&engine, GuestAddr::NULL), base);
    assert_eq!(mm.brk(&engine, GuestAddr(base + 5000)), base + 5000);
    assert_eq!(layout(&mm, base), [(0, 2, RW)]);
    access::write(GuestAddr(base + PAGE), b"old").expect("heap");
    assert_eq!(mm.brk(&engine, GuestAddr(base + 100)), base + 100);
    assert_eq!(mm.brk(&engine, GuestAddr(base + 2 * PAGE)), base + 2 * PAGE);
    assert_eq!(
        access::load(GuestAddr(base + PAGE), 4),
        Ok(0),
        "fresh pages are zero"
    );
    assert_eq!(mm.brk(&engine, GuestAddr(base - 1)), base + 2 * PAGE);
    assert_eq!(mm.brk(&engine, GuestAddr(u64::MAX)), base + 2 * PAGE);
}

/// Pages of the random test, and where they lie.
const PAGES: u64 = 48;
const BASE: u64 = 0x3000_0000;

/// What the host has at each page: `None`, or whether it can be read and written.
fn host_pages() -> Vec<Option<(bool, bool)>> {
    let mut pages = vec![None; PAGES as usize];
    let text = std::fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    for line in text.lines() {
        let (range, rest) = line.split_once(' ').expect("the kernel's format");
        let (start, end) = range.split_once('-').expect("the kernel's format");
        let number = |text| u64::from_str_radix(text, 16).expect("the kernel's format");
        for page in number(start).max(BASE) / PAGE..number(end).min(BASE + PAGES * PAGE) / PAGE {
            pages[(page - BASE / PAGE) as usize] = Some((rest.starts_with('r'), rest[1..].starts_with('w')));
        }
    }
    pages
}

fn table_pages(mm: &Mm) -> Vec<Option<(bool, bool)>> {
    let page = |page: u64| {
        let prot = host_prot(mm.find(GuestAddr(BASE + page * PAGE))?.prot);
        // x86-64 cannot write without reading, but the kernel shows what was asked for.
        Some((prot & flags::PROT_READ != 0, prot & flags::PROT_WRITE != 0))
    };
    (0..PAGES).map(page).collect()
}

/// One random call inside the region.
fn random_call(mm: &Mm, engine: &Engine, next: &mut impl FnMut(u64) -> u64) -> SysResult {
    let start = next(PAGES);
    let len = (1 + next(PAGES - start)) * PAGE;
    let addr = GuestAddr(BASE + start * PAGE);
    match next(8) {
        0..=2 => {
            let mut request = MapRequest::anonymous(len - next(PAGE), next(8));
            request.addr = addr;
            request.flags |= flags::MAP_FIXED;
            mm.mmap(engine, request)
        }
        3 => mm.munmap(engine, addr, len - next(PAGE)),
        4 | 5 => mm.mprotect(engine, addr, len, next(8)),
        6 => mm.madvise(engine, addr, len, flags::MADV_DONTNEED),
        _ => {
            let target = next(PAGES);
            let request = RemapRequest {
                old: addr,
                old_len: len.min(4 * PAGE),
                new_len: (1 + next((PAGES - target).min(6))) * PAGE,
                flags: flags::MREMAP_MAYMOVE | flags::MREMAP_FIXED,
                new: GuestAddr(BASE + target * PAGE),
            };
            mm.mremap(engine, request)
        }
    }
}

#[test]
fn the_table_agrees_with_the_host() {
    let (mm, engine) = setup();
    let seed = 0x5eed_0002_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % limit
    };
    for step in 0..3000 {
        let result = random_call(&mm, &engine, &mut next);
        assert_eq!(table_pages(&mm), host_pages(), "step {step}: {result:?}");
    }
}
