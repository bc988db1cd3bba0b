//! Guest memory access: values, faults where they are, and what partial accesses leave.
//!
//! The memory is three pages: one to use, one that is only readable, and a hole behind; the
//! process-wide handler does what the engine's does, and no more.
//!
//! # Safety
//! The handler runs on faults of this process; those outside the routines end it.

use guest::{Access, FaultKind, GUEST_ADDRESS_LIMIT, GuestAddr, MemFault, PAGE_SIZE};
use guest_memory::access::{self, Stopped};
use memmap2::{MmapMut, MmapOptions};
use std::fs::File;
use std::os::fd::FromRawFd as _;
use std::sync::Once;

/// Puts `fixup` behind SIGSEGV and SIGBUS.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            // SAFETY: all zero is a valid sigaction.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            // SAFETY: the handler is async-signal-safe, as `fixup` says of itself.
            let result = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
            assert_eq!(result, 0);
        }
    });
}

extern "C" fn handler(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    const SEGV_ACCERR: i32 = 2;
    // SAFETY: the kernel passes both, for the time of the handler.
    let (code, context) = unsafe { ((*info).si_code, &mut *context.cast::<libc::ucontext_t>()) };
    let kind = match (signal, code) {
        (libc::SIGBUS, _) => FaultKind::Bus,
        (_, SEGV_ACCERR) => FaultKind::Permission,
        (_, _) => FaultKind::Unmapped,
    };
    let rip = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    match access::fixup(*rip as u64, kind) {
        Some(resume) => *rip = resume as i64,
        // SAFETY: the process cannot go on.
        None => unsafe { libc::_exit(99) },
    }
}

/// A writable page, a read-only one, and nothing.
struct Pages(MmapMut);

impl Pages {
    fn new() -> Pages {
        install();
        let mut pages = MmapMut::map_anon(3 * PAGE_SIZE as usize).expect("memory");
        let base = pages.as_mut_ptr();
        let page = |index: usize| base.wrapping_add(index * PAGE_SIZE as usize).cast();
        // SAFETY: the pages are of the mapping above, which nothing else uses.
        let done = unsafe {
            libc::mprotect(page(1), PAGE_SIZE as usize, libc::PROT_READ)
                | libc::mprotect(page(2), PAGE_SIZE as usize, libc::PROT_NONE)
        };
        assert_eq!(done, 0);
        Pages(pages)
    }

    /// `offset` bytes from the end of the writable page.
    fn writable_end(&self, offset: i64) -> GuestAddr {
        GuestAddr(self.0.as_ptr() as u64 + PAGE_SIZE).offset(offset)
    }

    /// `offset` bytes from the end of what can be read.
    fn readable_end(&self, offset: i64) -> GuestAddr {
        GuestAddr(self.0.as_ptr() as u64 + 2 * PAGE_SIZE).offset(offset)
    }
}

fn fault(addr: GuestAddr, access: Access, kind: FaultKind) -> MemFault {
    MemFault { addr, access, kind }
}

fn read_fault(addr: GuestAddr) -> MemFault {
    fault(addr, Access::Read, FaultKind::Permission)
}

fn write_fault(addr: GuestAddr) -> MemFault {
    fault(addr, Access::Write, FaultKind::Permission)
}

#[test]
fn scalars_of_each_size_go_there_and_back() {
    let pages = Pages::new();
    for size in [1, 2, 4, 8] {
        for offset in -16..=-(size as i64) {
            let at = pages.writable_end(offset);
            access::write(pages.writable_end(-24), &[0xee; 24]).expect("writable");
            access::store(at, size, 0x8877_6655_4433_2211).expect("writable");
            let mask = u64::MAX >> (64 - 8 * size);
            assert_eq!(
                access::load(at, size),
                Ok(0x8877_6655_4433_2211 & mask),
                "{size} at {offset}"
            );
            let mut around = [0; 24];
            access::read(pages.writable_end(-24), &mut around).expect("readable");
            let changed = around.iter().filter(|&&byte| byte != 0xee).count();
            assert_eq!(changed, size, "no other byte changes: {size} at {offset}");
        }
    }
}

#[test]
fn scalars_across_a_page_end_fault_in_the_second_page() {
    let pages = Pages::new();
    for size in [2, 4, 8] {
        for inside in 1..size as i64 {
            assert_eq!(
                access::load(pages.readable_end(-inside), size),
                Err(read_fault(pages.readable_end(0)))
            );
            let stored = access::store(pages.writable_end(-inside), size, u64::MAX);
            assert_eq!(stored, Err(write_fault(pages.writable_end(0))));
            assert_eq!(
                access::load(pages.writable_end(-8), 8),
                Ok(0),
                "a store that faults stores nothing"
            );
        }
        assert_eq!(
            access::load(pages.readable_end(0), size),
            Err(read_fault(pages.readable_end(0)))
        );
    }
}

#[test]
fn copies_stop_at_the_first_byte_that_faults() {
    let pages = Pages::new();
    for inside in [0, 1, 7, 64, 4096_i64] {
        let mut buf = [0xaa; 4100];
        let from = pages.readable_end(-inside);
        assert_eq!(
            access::read(from, &mut buf),
            Err(read_fault(pages.readable_end(0))),
            "{inside}"
        );
        assert!(
            buf[..inside as usize].iter().all(|&byte| byte == 0),
            "what could be read was"
        );
        assert!(
            buf[inside as usize..].iter().all(|&byte| byte == 0xaa),
            "and nothing else"
        );
        let to = pages.writable_end(-inside);
        assert_eq!(
            access::write(to, &[0x55; 4100]),
            Err(write_fault(pages.writable_end(0))),
            "{inside}"
        );
        let mut written = vec![0; inside as usize];
        access::read(to, &mut written).expect("readable");
        assert!(
            written.iter().all(|&byte| byte == 0x55),
            "earlier bytes have been written"
        );
    }
}

#[test]
fn nothing_faults_where_nothing_is_accessed() {
    let pages = Pages::new();
    assert_eq!(access::read(pages.readable_end(0), &mut []), Ok(()));
    assert_eq!(access::write(pages.readable_end(0), &[]), Ok(()));
    assert_eq!(
        access::copy_up(pages.readable_end(0), pages.readable_end(0), 0),
        Ok(())
    );
    assert_eq!(
        access::copy_down(pages.readable_end(0), pages.readable_end(0), 0),
        Ok(())
    );
    assert_eq!(access::fill(pages.readable_end(0), 1, 0), Ok(()));
}

#[test]
fn sixteen_bytes_go_there_and_back_or_fault_whole() {
    let pages = Pages::new();
    for offset in -40..=-16 {
        let at = pages.writable_end(offset);
        let words = [0x1111_2222_3333_4444, offset as u64];
        access::store16(at, words).expect("writable");
        assert_eq!(access::load16(at), Ok(words));
    }
    access::store16(pages.writable_end(-16), [0; 2]).expect("writable");
    for inside in 1..16 {
        let stored = access::store16(pages.writable_end(-inside), [u64::MAX; 2]);
        assert_eq!(stored, Err(write_fault(pages.writable_end(0))));
        assert_eq!(access::load16(pages.writable_end(-16)), Ok([0; 2]), "all or none");
        let loaded = access::load16(pages.readable_end(-inside));
        assert_eq!(loaded, Err(read_fault(pages.readable_end(0))));
    }
}

#[test]
fn compare_and_exchange_writes_what_matches() {
    let pages = Pages::new();
    for size in [1, 2, 4, 8] {
        let mask = u64::MAX >> (64 - 8 * size);
        // Aligned or not: the alignment check is the caller's, with the instruction's rules.
        for offset in [-8, -9, -13] {
            let at = pages.writable_end(offset);
            access::store(at, size, 7).expect("writable");
            assert_eq!(
                access::compare_exchange(at, size, 8, 9),
                Ok(7),
                "no match: {size}"
            );
            assert_eq!(access::load(at, size), Ok(7));
            assert_eq!(
                access::compare_exchange(at, size, 7, u64::MAX),
                Ok(7),
                "match: {size}"
            );
            assert_eq!(access::load(at, size), Ok(mask));
        }
        // Read-only memory faults as a write, whether it would match or not.
        let readonly = pages.readable_end(-8);
        for expected in [0, 1] {
            assert_eq!(
                access::compare_exchange(readonly, size, expected, 2),
                Err(write_fault(readonly))
            );
        }
        let hole = pages.readable_end(0);
        assert_eq!(access::compare_exchange(hole, size, 0, 1), Err(write_fault(hole)));
    }
}

#[test]
fn compare_and_exchange_of_a_pair_needs_alignment() {
    let pages = Pages::new();
    let at = pages.writable_end(-32);
    access::store16(at, [1, 2]).expect("writable");
    assert_eq!(access::compare_exchange_pair(at, [1, 3], [5, 6]), Ok([1, 2]));
    assert_eq!(access::compare_exchange_pair(at, [1, 2], [5, 6]), Ok([1, 2]));
    assert_eq!(access::load16(at), Ok([5, 6]));
    let misaligned = access::compare_exchange_pair(at.offset(8), [0; 2], [1; 2]);
    assert!(misaligned.is_err(), "a host fault is reported as a guest's");
    assert_eq!(access::load16(at), Ok([5, 6]));
    let readonly = pages.readable_end(-16);
    assert_eq!(
        access::compare_exchange_pair(readonly, [1; 2], [0; 2]),
        Err(write_fault(readonly))
    );
}

#[test]
fn strings_end_at_their_nul_their_limit_or_their_memory() {
    let pages = Pages::new();
    let text = b"across the end of a page";
    // The NUL is the first byte of the read-only page, which is zero.
    let at = pages.writable_end(-(text.len() as i64));
    access::write(at, text).expect("writable");
    assert_eq!(access::read_cstr(at, 100), Ok(Some(text.to_vec())));
    assert_eq!(
        access::read_cstr(at, text.len()),
        Ok(Some(text.to_vec())),
        "the limit is without the NUL"
    );
    assert_eq!(access::read_cstr(at, text.len() - 1), Ok(None));
    assert_eq!(
        access::read_cstr(pages.readable_end(-1), 10),
        Ok(Some(Vec::new()))
    );
    assert_eq!(
        access::read_cstr(pages.readable_end(0), 10),
        Err(read_fault(pages.readable_end(0)))
    );
    access::write(
        pages.writable_end(-(PAGE_SIZE as i64)),
        &[b'x'; PAGE_SIZE as usize],
    )
    .expect("writable");
    let long = access::read_cstr(pages.writable_end(-600), 4096).expect("readable");
    assert_eq!(long.map(|bytes| bytes.len()), Some(600));
    assert_eq!(access::read_cstr(pages.writable_end(-600), 599), Ok(None));
}

#[test]
fn bulk_copies_go_both_ways_and_tell_what_is_left() {
    let pages = Pages::new();
    let bytes: Vec<u8> = (0..200).collect();
    let low = pages.writable_end(-400);
    access::write(low, &bytes).expect("writable");
    // Overlapping upwards by one byte repeats the first, as the architecture's forward copy does.
    access::copy_up(low.offset(1), low, 199).expect("writable");
    let mut found = vec![1; 200];
    access::read(low, &mut found).expect("readable");
    assert!(found.iter().all(|&byte| byte == 0));
    // Downwards, an overlap to higher addresses is whole.
    access::write(low, &bytes).expect("writable");
    access::copy_down(low.offset(208), low.offset(200), 200).expect("writable");
    access::read(low.offset(8), &mut found).expect("readable");
    assert_eq!(found, bytes);
    // Each side's fault, upwards: how much is left, and where.
    let stopped = access::copy_up(low, pages.readable_end(-10), 100);
    assert_eq!(
        stopped,
        Err(Stopped {
            left: 90,
            fault: read_fault(pages.readable_end(0))
        })
    );
    let stopped = access::copy_up(pages.writable_end(-10), low, 100);
    assert_eq!(
        stopped,
        Err(Stopped {
            left: 90,
            fault: write_fault(pages.writable_end(0))
        })
    );
    // Downwards from ends: the upper page is read-only, nothing is done.
    let stopped = access::copy_down(pages.writable_end(10), low.offset(100), 100).expect_err("read-only");
    assert_eq!(stopped.left, 100);
    assert_eq!(stopped.fault.access, Access::Write);
    // Filling.
    let stopped = access::fill(pages.writable_end(-10), 0x77, 5000);
    assert_eq!(
        stopped,
        Err(Stopped {
            left: 4990,
            fault: write_fault(pages.writable_end(0))
        })
    );
    let mut filled = [0; 10];
    access::read(pages.writable_end(-10), &mut filled).expect("readable");
    assert_eq!(filled, [0x77; 10]);
}

/// Every function that takes an address, by what it does there.
type Attempt = fn(GuestAddr) -> Option<MemFault>;
const READS: &[(&str, Attempt)] = &[
    ("read", |at| access::read(at, &mut [0; 3]).err()),
    ("load", |at| access::load(at, 4).err()),
    ("load16", |at| access::load16(at).err()),
    ("read_cstr", |at| access::read_cstr(at, 8).err()),
    ("copy_up from", |at| {
        access::copy_up(GuestAddr(scratch()), at, 8)
            .err()
            .map(|stopped| stopped.fault)
    }),
];
const WRITES: &[(&str, Attempt)] = &[
    ("write", |at| access::write(at, &[0; 3]).err()),
    ("store", |at| access::store(at, 4, 0).err()),
    ("store16", |at| access::store16(at, [0; 2]).err()),
    ("compare_exchange", |at| {
        access::compare_exchange(at, 4, 0, 0).err()
    }),
    ("compare_exchange_pair", |at| {
        access::compare_exchange_pair(at, [0; 2], [0; 2]).err()
    }),
    ("copy_up to", |at| {
        access::copy_up(at, GuestAddr(scratch()), 8)
            .err()
            .map(|stopped| stopped.fault)
    }),
    ("fill", |at| {
        access::fill(at, 0, 8).err().map(|stopped| stopped.fault)
    }),
];

fn scratch() -> u64 {
    static SCRATCH: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    SCRATCH.as_ptr() as u64
}

#[test]
fn addresses_that_no_guest_has_are_unmapped() {
    install();
    let never = [
        GUEST_ADDRESS_LIMIT,
        GUEST_ADDRESS_LIMIT + PAGE_SIZE,
        // Not canonical on the host, kernel addresses of both, the last byte.
        0x0080_0000_0000_0000,
        0x8080_0000_0000_0000,
        0xffff_8000_0000_0000,
        u64::MAX - 15,
        u64::MAX,
    ];
    for addr in never.map(GuestAddr) {
        for (table, access) in [(READS, Access::Read), (WRITES, Access::Write)] {
            for (name, attempt) in table {
                let found = attempt(addr).unwrap_or_else(|| panic!("{name} at {addr:?} succeeds"));
                assert_eq!(
                    (found.access, found.kind),
                    (access, FaultKind::Unmapped),
                    "{name} at {addr:?}"
                );
            }
        }
    }
    // Up to the limit it is the host's to say; one byte further it is outside.
    let last = GuestAddr(GUEST_ADDRESS_LIMIT - 4);
    assert_eq!(
        access::read(last, &mut [0; 5]),
        Err(fault(last, Access::Read, FaultKind::Unmapped))
    );
    assert!(
        access::load(last, 4).is_err(),
        "the host maps nothing in the last page"
    );
}

#[test]
fn the_top_byte_is_ignored_in_the_user_half_only() {
    let pages = Pages::new();
    let at = pages.writable_end(-16);
    let tagged = GuestAddr(at.0 | 0xab << 56);
    assert_eq!(access::untag(tagged), at);
    for (_, attempt) in READS.iter().chain(WRITES) {
        assert_eq!(attempt(tagged), None);
    }
    access::store(tagged, 8, 0x1234).expect("writable");
    assert_eq!(access::load(at, 8), Ok(0x1234));
    let kernel = GuestAddr(0xab80_0000_0000_0000);
    assert_eq!(access::untag(kernel), kernel);
}

#[test]
fn files_shorter_than_their_mapping_give_bus_errors() {
    install();
    // SAFETY: a new file in memory.
    let fd = unsafe { libc::memfd_create(c"short".as_ptr(), 0) };
    assert!(fd >= 0);
    // SAFETY: nobody else has it.
    let file = unsafe { File::from_raw_fd(fd) };
    // SAFETY: only the routines touch what the file does not have.
    let mapping = unsafe { MmapOptions::new().len(PAGE_SIZE as usize).map_mut(&file) }.expect("mapped");
    let at = mapping.as_ptr() as u64;
    assert_eq!(
        access::load(GuestAddr(at), 1),
        Err(fault(GuestAddr(at), Access::Read, FaultKind::Bus))
    );
    assert_eq!(
        access::store(GuestAddr(at), 1, 1),
        Err(fault(GuestAddr(at), Access::Write, FaultKind::Bus))
    );
}

#[test]
fn only_the_routines_are_resumed() {
    let here = only_the_routines_are_resumed as *const () as u64;
    assert_eq!(access::fixup(here, FaultKind::Unmapped), None);
    assert_eq!(access::fixup(0, FaultKind::Unmapped), None);
}
