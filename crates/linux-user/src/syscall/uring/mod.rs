//! io_uring: submission entries carry addresses, flags and paths past the table, so each is looked at when the kernel is told
//! to take it ([`entry`]).
//!
//! What the kernel would take on its own time cannot be looked at, and is not there, as in a kernel without it: polling of
//! the queue by a kernel thread, rings of provided buffers, registered rings, memory regions, commands of drivers,
//! attributes of reads, epoll's events and received buffers without copies. Features and probe say so. So it is
//! with opcodes and operations newer than these tables.
//!
//! The guest's own mappings of a ring say where it is: `mmap` tells us ([`mapped`]), or the ring is made where the guest says
//! (IORING_SETUP_NO_MMAP). Only as many entries are submitted as were seen there.
//!
//! Descriptors belong to the host process, so the table of rings does. It has no lock, and
//! holds only numbers: a stale entry can mislead nobody into more than a failed read.

mod entry;

use super::arg::guard::{HostArgs, nowhere, passed, strip, touches_own};
use super::arg::{Addr, Arg, Fd, Hex, Size, UInt, Writes, read, write};
use crate::host;
use crate::proc::host_file;
use crate::task::Task;
use entry::Submission;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

const MOST_RINGS: usize = 64;

/// Where a ring's submission queue is. `fd` is stored last, and -1 for a free place.
struct Ring {
    fd: AtomicI32,
    flags: AtomicU32,
    entries: AtomicU32,
    head: AtomicU32,
    tail: AtomicU32,
    array: AtomicU32,
    /// Where the guest mapped the ring and its entries; 0 as long as it has not.
    ring: AtomicU64,
    sqes: AtomicU64,
}

static RINGS: [Ring; MOST_RINGS] = [const {
    Ring {
        fd: AtomicI32::new(-1),
        flags: AtomicU32::new(0),
        entries: AtomicU32::new(0),
        head: AtomicU32::new(0),
        tail: AtomicU32::new(0),
        array: AtomicU32::new(0),
        ring: AtomicU64::new(0),
        sqes: AtomicU64::new(0),
    }
}; MOST_RINGS];

/// struct io_uring_params as words of 32 bits.
type Params = [u32; 30];
/// Indices there.
const SQ_ENTRIES: usize = 0;
const CQ_ENTRIES: usize = 1;
const FLAGS: usize = 2;
const FEATURES: usize = 5;
const SQ_HEAD: usize = 10;
const SQ_TAIL: usize = 11;
const SQ_ARRAY: usize = 16;
/// Addresses: of the entries, and of the ring.
const SQ_USER_ADDR: usize = 18;
const CQ_USER_ADDR: usize = 28;

const SETUP_SQPOLL: u32 = 1 << 1;
const SETUP_CQSIZE: u32 = 1 << 3;
const SETUP_SQE128: u32 = 1 << 10;
const SETUP_NO_MMAP: u32 = 1 << 14;
const SETUP_NO_SQARRAY: u32 = 1 << 16;
/// IOPOLL, CQSIZE, CLAMP, ATTACH_WQ, R_DISABLED, SUBMIT_ALL, COOP_TASKRUN, TASKRUN_FLAG,
/// SQE128, CQE32, SINGLE_ISSUER, DEFER_TASKRUN, NO_MMAP, NO_SQARRAY.
const SETUP_KNOWN: u32 = 1 | 0x3ff8 | SETUP_NO_MMAP | SETUP_NO_SQARRAY;

/// IORING_FEAT_SQPOLL_NONFIXED, REG_REG_RING, RW_ATTR: of what is not there.
const FEATURES_MISSING: u32 = 1 << 7 | 1 << 13 | 1 << 16;

const IORING_OFF_SQ_RING: u64 = 0;
const IORING_OFF_CQ_RING: u64 = 0x800_0000;
const IORING_OFF_SQES: u64 = 0x1000_0000;

/// io_uring_setup(2).
pub fn io_uring_setup(_: &mut Task, entries: UInt, params: Writes<120>) -> SysResult {
    let mut ours: Params = read(params.0)?;
    let setup_flags = ours[FLAGS];
    if setup_flags & SETUP_SQPOLL != 0 {
        // As for an unprivileged caller before Linux 5.11.
        return Err(Errno::EPERM);
    }
    if setup_flags & !SETUP_KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    if setup_flags & SETUP_NO_MMAP != 0 {
        guard_memory(entries.0, &mut ours);
    }
    let ring = free_ring().ok_or(Errno::ENOMEM)?;
    // SAFETY: the kernel reads and writes a struct io_uring_params, which `ours` is.
    let fd = unsafe {
        host::raw(
            nr::io_uring_setup,
            [entries.register(), (&raw mut ours) as u64, 0, 0, 0, 0],
        )
    }?;
    ours[FEATURES] &= !FEATURES_MISSING;
    if let Err(error) = write(params.0, &ours) {
        host::close(fd as i32)?;
        return Err(error);
    }
    for (place, value) in [
        (&ring.flags, ours[FLAGS]),
        (&ring.entries, ours[SQ_ENTRIES]),
        (&ring.head, ours[SQ_HEAD]),
        (&ring.tail, ours[SQ_TAIL]),
        (&ring.array, ours[SQ_ARRAY]),
    ] {
        place.store(value, Ordering::Relaxed);
    }
    let (of_ring, of_entries) = match setup_flags & SETUP_NO_MMAP {
        0 => (0, 0),
        _ => (address(&ours, CQ_USER_ADDR), address(&ours, SQ_USER_ADDR)),
    };
    ring.ring.store(of_ring, Ordering::Relaxed);
    ring.sqes.store(of_entries, Ordering::Relaxed);
    // What an earlier ring of this number has left behind.
    for old in RINGS
        .iter()
        .filter(|old| old.fd.load(Ordering::Acquire) == fd as i32)
    {
        old.fd.store(-1, Ordering::Release);
    }
    ring.fd.store(fd as i32, Ordering::Release);
    Ok(fd)
}

fn address(params: &Params, at: usize) -> u64 {
    u64::from(params[at]) | u64::from(params[at + 1]) << 32
}

/// A ring in memory of the guest's choice, which is not the emulator's.
fn guard_memory(entries: u32, params: &mut Params) {
    /// IORING_MAX_ENTRIES; IORING_MAX_CQ_ENTRIES is twice that.
    const MOST: u64 = 32768;
    /// Heads, tails and what stands beside them.
    const HEADERS: u64 = guest::PAGE_SIZE;
    const ENTRY: u64 = 128;
    const COMPLETION: u64 = 32;
    let submissions = u64::from(entries).next_power_of_two().min(MOST);
    let completions = match params[FLAGS] & SETUP_CQSIZE {
        0 => 2 * submissions,
        _ => u64::from(params[CQ_ENTRIES]).next_power_of_two().min(2 * MOST),
    };
    let ring = HEADERS + completions * COMPLETION + submissions * 4;
    for (at, size) in [(SQ_USER_ADDR, submissions * ENTRY), (CQ_USER_ADDR, ring)] {
        let addr = passed(address(params, at), size);
        (params[at], params[at + 1]) = (addr as u32, (addr >> 32) as u32);
    }
}

/// Takes a place for a ring; one of a descriptor that is closed will do.
fn free_ring() -> Option<&'static Ring> {
    /// Taken, and not in use yet.
    const TAKEN: i32 = -2;
    RINGS.iter().find(|ring| {
        let fd = ring.fd.load(Ordering::Acquire);
        let free = fd == -1 || (fd >= 0 && host::fcntl(fd, host::Fcntl::GetStatusFlags) == Err(Errno::EBADF));
        free && ring
            .fd
            .compare_exchange(fd, TAKEN, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    })
}

/// The ring of a descriptor, or of what it is a duplicate of.
fn find(fd: i32) -> Option<&'static Ring> {
    const KCMP_FILE: u64 = 0;
    let open = |ring: &&Ring| ring.fd.load(Ordering::Acquire) >= 0;
    let is_it = |ring: &&Ring| ring.fd.load(Ordering::Acquire) == fd;
    if let Some(ring) = RINGS.iter().find(is_it) {
        return Some(ring);
    }
    let pid = host::getpid() as u64;
    RINGS.iter().filter(open).find(|ring| {
        let other = ring.fd.load(Ordering::Acquire) as u64;
        // SAFETY: the call takes no address.
        let same = unsafe { host::raw(nr::kcmp, [pid, pid, KCMP_FILE, fd as u64, other, 0]) };
        same == Ok(0)
    })
}

/// Notes where the guest has mapped a ring: called after each successful mmap of a file.
pub fn mapped(fd: i32, offset: u64, addr: u64) {
    if !matches!(offset, IORING_OFF_SQ_RING | IORING_OFF_CQ_RING | IORING_OFF_SQES)
        || RINGS.iter().all(|ring| ring.fd.load(Ordering::Acquire) < 0)
    {
        return;
    }
    if let Some(ring) = find(fd) {
        let place = if offset == IORING_OFF_SQES {
            &ring.sqes
        } else if offset == IORING_OFF_SQ_RING || ring.ring.load(Ordering::Acquire) == 0 {
            // Both queues are in one mapping since Linux 5.4 (IORING_FEAT_SINGLE_MMAP).
            &ring.ring
        } else {
            return;
        };
        place.store(addr, Ordering::Release);
    }
}

const ENTER_EXT_ARG: u64 = 1 << 3;
/// GETEVENTS, SQ_WAKEUP, SQ_WAIT, EXT_ARG, ABS_TIMER, NO_IOWAIT.
const ENTER_KNOWN: u64 = 0xaf;

/// io_uring_enter(2).
pub fn io_uring_enter(
    task: &mut Task,
    fd: Fd,
    to_submit: UInt,
    min_complete: UInt,
    flags: Hex,
    arg: Addr,
    size: Size,
) -> SysResult {
    if flags.0 as u32 as u64 & !ENTER_KNOWN != 0 {
        return Err(Errno::EINVAL);
    }
    let mut submission = Submission::new(fd.0);
    let seen = match (to_submit.0, find(fd.0)) {
        (0, _) => 0,
        (wanted, Some(ring)) => guard_entries(task, ring, wanted, &mut submission),
        // Another program's ring, whose entries nobody can see: as one that it made for itself
        // (IORING_SETUP_SINGLE_ISSUER). What is no ring, the kernel says.
        (_, None) if is_ring(fd.0) => return Err(Errno::EEXIST),
        (wanted, None) => wanted,
    };
    let mut pointer = passed(arg.0.0, size.0);
    if flags.0 & ENTER_EXT_ARG != 0
        && let Ok([mask, mask_size, timeout]) = read::<[u64; 3]>(arg.0)
        && (touches_own(mask, mask_size & 0xffff_ffff) || touches_own(timeout, 16))
    {
        pointer = nowhere(arg.0.0);
    }
    let args = [
        fd.register(),
        u64::from(seen),
        min_complete.register(),
        flags.0,
        pointer,
        size.0,
    ];
    // SAFETY: the entries to be taken and the argument are guarded.
    let result = unsafe { task.interruptible(nr::io_uring_enter, args) };
    submission.taken(match result {
        Ok(count) if to_submit.0 != 0 => count as usize,
        Ok(_) | Err(_) => 0,
    });
    result
}

/// Whether a descriptor that no ring here has is one's all the same.
fn is_ring(fd: i32) -> bool {
    host_file::name_of(fd).is_ok_and(|name| name == b"anon_inode:[io_uring]")
}

/// Guards the entries between head and tail, as many as `wanted`; gives how many were seen.
fn guard_entries(task: &Task, ring: &Ring, wanted: u32, submission: &mut Submission) -> u32 {
    let base = ring.ring.load(Ordering::Acquire);
    let sqes = ring.sqes.load(Ordering::Acquire);
    if base == 0 || sqes == 0 {
        return 0;
    }
    let word = |offset: u64| read::<u32>(GuestAddr(base.wrapping_add(offset))).ok();
    let at = |offset: &AtomicU32| u64::from(offset.load(Ordering::Relaxed));
    let (Some(head), Some(tail)) = (word(at(&ring.head)), word(at(&ring.tail))) else {
        return 0;
    };
    let entries = ring.entries.load(Ordering::Relaxed);
    let setup_flags = ring.flags.load(Ordering::Relaxed);
    let shift = if setup_flags & SETUP_SQE128 == 0 { 6 } else { 7 };
    let count = tail.wrapping_sub(head).min(wanted).min(entries);
    for index in 0..count {
        let slot = head.wrapping_add(index) & entries.wrapping_sub(1);
        let entry = if setup_flags & SETUP_NO_SQARRAY == 0 {
            match word(at(&ring.array) + u64::from(slot) * 4) {
                Some(entry) => entry,
                None => return index,
            }
        } else {
            slot
        };
        // The kernel drops what is out of range.
        let sqe = sqes + (u64::from(entry) << shift);
        if entry < entries && submission.take(task, sqe).is_err() {
            return index;
        }
    }
    count
}

/// io_uring_register(2).
pub fn io_uring_register(task: &mut Task, fd: Fd, opcode: UInt, arg: Addr, nr_args: UInt) -> SysResult {
    const REGISTER_BUFFERS: u32 = 0;
    const REGISTER_PROBE: u32 = 8;
    let mut host = HostArgs::default();
    let pointer = if registration_touches_own(opcode.0, arg.0.0, u64::from(nr_args.0))? {
        nowhere(arg.0.0)
    } else if opcode.0 == REGISTER_BUFFERS {
        untagged_buffers(strip(arg.0.0), u64::from(nr_args.0), &mut host)
    } else {
        strip(arg.0.0)
    };
    host.regs = [
        fd.register(),
        opcode.register(),
        pointer,
        nr_args.register(),
        0,
        0,
    ];
    // SAFETY: what the operation reads and writes, now or later, is guarded.
    let result = unsafe { task.interruptible(nr::io_uring_register, host.regs) }?;
    if opcode.0 == REGISTER_PROBE {
        restrict_probe(arg.0, nr_args.0)?;
    }
    Ok(result)
}

/// A probe tells of the opcodes that there are.
fn restrict_probe(probe: GuestAddr, count: u32) -> Result<(), Errno> {
    /// struct io_uring_probe's head: last_op, ops_len. struct io_uring_probe_op follows: op, and IO_URING_OP_SUPPORTED.
    const HEAD: i64 = 16;
    let [last, len] = read::<[u8; 2]>(probe)?;
    for op in 0..u32::from(len).min(count) {
        if !entry::is_known(op as usize) {
            let at = probe.offset(HEAD + i64::from(op) * 8 + 2);
            write(at, &0_u16)?;
        }
    }
    write(probe, &last.min(entry::LAST_OPCODE))
}

/// Whether an array of iovec for registration, or a buffer in it, touches the emulator's
/// memory; it may be longer than those of other calls.
fn buffers_touch_own(addr: u64, count: u64) -> bool {
    touches_own(addr, count.min(MOST_BUFFERS) * 16)
        || buffers(addr, count).any(|[base, len]| touches_own(base, len))
}

/// IORING_MAX_REG_BUFFERS: the kernel refuses more.
const MOST_BUFFERS: u64 = 1 << 14;

/// Address and length of each buffer, as far as they can be read.
fn buffers(addr: u64, count: u64) -> impl Iterator<Item = [u64; 2]> {
    (0..count.min(MOST_BUFFERS))
        .map_while(move |index| read::<[u64; 2]>(GuestAddr(addr.wrapping_add(index * 16))).ok())
}

/// The array of iovec to register: a copy where a buffer's address has a tag that the guest's kernel takes.
fn untagged_buffers(addr: u64, count: u64, host: &mut HostArgs) -> u64 {
    let all_there = || buffers(addr, count).count() as u64 == count;
    if buffers(addr, count).all(|[base, _]| strip(base) == base) || !all_there() {
        return addr;
    }
    host.keep(
        buffers(addr, count)
            .flat_map(|[base, len]| [strip(base), len])
            .collect(),
    )
}

/// # Errors
/// EINVAL for operations that let the kernel take addresses unseen, and for unknown ones.
fn registration_touches_own(opcode: u32, arg: u64, count: u64) -> Result<bool, Errno> {
    let word = |offset: u64| read::<u64>(GuestAddr(arg.wrapping_add(offset))).unwrap_or(0);
    let half = |offset: u64| u64::from(read::<u32>(GuestAddr(arg.wrapping_add(offset))).unwrap_or(0));
    Ok(match opcode {
        // BUFFERS.
        0 => buffers_touch_own(arg, count),
        // Those without an argument: UNREGISTER_*, PERSONALITY, ENABLE_RINGS.
        1 | 3 | 5 | 9 | 10 | 12 | 18 => false,
        // FILES, EVENTFD, EVENTFD_ASYNC: ints.
        2 | 4 | 7 => touches_own(arg, count * 4),
        // FILES_UPDATE: an offset, and the address of ints.
        6 => touches_own(arg, 16) || touches_own(word(8), count * 4),
        // PROBE, RESTRICTIONS.
        8 => touches_own(arg, 16 + count * 8),
        11 => touches_own(arg, count * 16),
        // FILES2, BUFFERS2: number, data, tags.
        13 => {
            touches_own(arg, 32) || touches_own(word(16), half(0) * 4) || touches_own(word(24), half(0) * 8)
        }
        15 => {
            touches_own(arg, 32) || buffers_touch_own(word(16), half(0)) || touches_own(word(24), half(0) * 8)
        }
        // FILES_UPDATE2, BUFFERS_UPDATE: data, tags, number.
        14 => {
            touches_own(arg, 32) || touches_own(word(8), half(24) * 4) || touches_own(word(16), half(24) * 8)
        }
        16 => {
            touches_own(arg, 32)
                || buffers_touch_own(word(8), half(24))
                || touches_own(word(16), half(24) * 8)
        }
        // IOWQ_AFF, IOWQ_MAX_WORKERS.
        17 => touches_own(arg, count),
        19 => touches_own(arg, 8),
        // SYNC_CANCEL, FILE_ALLOC_RANGE, NAPI, UNREGISTER_NAPI, CLOCK.
        24 => touches_own(arg, 64),
        25 | 27 | 28 | 29 => touches_own(arg, 16),
        // CLONE_BUFFERS: descriptors and numbers. SEND_MSG_RING: an entry without addresses.
        30 => touches_own(arg, 32),
        31 => touches_own(arg, 64),
        // Registered rings, rings of buffers, memory regions and what is newer.
        _ => return Err(Errno::EINVAL),
    })
}
