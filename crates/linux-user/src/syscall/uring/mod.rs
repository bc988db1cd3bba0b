//! io_uring: submission entries carry addresses past the table, so each is looked at when
//! the kernel is told to take it.
//!
//! An entry that names the emulator's memory gets an address where there is nothing, and
//! completes with EFAULT as it would. What the kernel would take on its own time cannot be
//! looked at: polling of the queue by a kernel thread, rings of provided buffers, and rings
//! or parameters in memory of the guest's choice are refused as a kernel without them
//! does. What an opcode or operation newer than these tables points to is unknown; they
//! are refused alike.
//!
//! The guest's own mappings of a ring say where it is: `mmap` tells us ([`mapped`]). Only as
//! many entries are submitted as were seen there.
//!
//! Descriptors belong to the host process, so the table of rings does. It has no lock, and
//! holds only numbers: a stale entry can mislead nobody into more than a failed read.

use super::arg::guard::{clear_len, nowhere, passed, passed_pages, touches_own};
use super::arg::{
    Addr, Arg, Fd, Hex, Size, UInt, Writes, iovecs_touch_own, message_touches_own, read, write,
};
use crate::host;
use crate::task::Task;
use guest::GuestAddr;
use linux_abi::layout::Msghdr;
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
const FLAGS: usize = 2;
const SQ_HEAD: usize = 10;
const SQ_TAIL: usize = 11;
const SQ_ARRAY: usize = 16;

const SETUP_SQPOLL: u32 = 1 << 1;
const SETUP_SQE128: u32 = 1 << 10;
const SETUP_NO_SQARRAY: u32 = 1 << 16;
/// IOPOLL, CQSIZE, CLAMP, ATTACH_WQ, R_DISABLED, SUBMIT_ALL, COOP_TASKRUN, TASKRUN_FLAG,
/// SQE128, CQE32, SINGLE_ISSUER, DEFER_TASKRUN, NO_SQARRAY.
const SETUP_KNOWN: u32 = 1 | 0x3ff8 | SETUP_NO_SQARRAY;

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
    let ring = free_ring().ok_or(Errno::ENOMEM)?;
    // SAFETY: the kernel reads and writes a struct io_uring_params, which `ours` is.
    let fd = unsafe {
        host::raw(
            nr::io_uring_setup,
            [entries.register(), (&raw mut ours) as u64, 0, 0, 0, 0],
        )
    }?;
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
    ring.ring.store(0, Ordering::Relaxed);
    ring.sqes.store(0, Ordering::Relaxed);
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
    let Some(ring) = find(fd.0) else {
        // Nothing of the emulator's, or another process's ring, whose entries nobody can see.
        return host::fcntl(fd.0, host::Fcntl::GetStatusFlags).and(Err(Errno::EOPNOTSUPP));
    };
    let seen = match to_submit.0 {
        0 => 0,
        wanted => guard_entries(ring, wanted),
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
    unsafe { task.interruptible(nr::io_uring_enter, args) }
}

/// Guards the entries between head and tail, as many as `wanted`; gives how many were seen.
fn guard_entries(ring: &Ring, wanted: u32) -> u32 {
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
        if entry < entries && guard_entry(sqes + (u64::from(entry) << shift)).is_err() {
            return index;
        }
    }
    count
}

/// What a field of an entry points to.
#[derive(Clone, Copy)]
enum Target {
    /// So many bytes; of a string, one.
    Bytes(u64),
    /// As many bytes as the entry's `len` says.
    Len,
    /// The same, and the kernel may stop before.
    UpToLen,
    /// Elements of this size, `len` of them.
    Elements(u64),
    /// As many bytes as `addr2` (connect, bind), or the small `addr_len` (send) says.
    Addr2Len,
    AddrLen,
    Iovecs,
    Message,
    Pages,
    /// A socket's address, its size where `addr2` points to.
    Name,
    /// Buffers of `len` bytes each, `fd` of them.
    Buffers,
}

/// Offsets of the fields that hold addresses: `off` or `addr2`, `addr`, `addr3`.
const ADDR2: u64 = 8;
const ADDR: u64 = 16;
const ADDR3: u64 = 48;

/// The opcodes of include/uapi/linux/io_uring.h, in order, and their addresses.
#[rustfmt::skip]
const OPCODES: &[&[(u64, Target)]] = &[
    /* NOP */ &[],
    /* READV */ &[(ADDR, Target::Iovecs)],
    /* WRITEV */ &[(ADDR, Target::Iovecs)],
    /* FSYNC */ &[],
    /* READ_FIXED */ &[],
    /* WRITE_FIXED */ &[],
    /* POLL_ADD */ &[],
    /* POLL_REMOVE */ &[],
    /* SYNC_FILE_RANGE */ &[],
    /* SENDMSG */ &[(ADDR, Target::Message)],
    /* RECVMSG */ &[(ADDR, Target::Message)],
    /* TIMEOUT */ &[(ADDR, Target::Bytes(16))],
    /* TIMEOUT_REMOVE */ &[(ADDR2, Target::Bytes(16))],
    /* ACCEPT */ &[(ADDR, Target::Name), (ADDR2, Target::Bytes(4))],
    /* ASYNC_CANCEL */ &[],
    /* LINK_TIMEOUT */ &[(ADDR, Target::Bytes(16))],
    /* CONNECT */ &[(ADDR, Target::Addr2Len)],
    /* FALLOCATE */ &[],
    /* OPENAT */ &[(ADDR, Target::Bytes(1))],
    /* CLOSE */ &[],
    /* FILES_UPDATE */ &[(ADDR, Target::Elements(4))],
    /* STATX */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(256))],
    /* READ */ &[(ADDR, Target::UpToLen)],
    /* WRITE */ &[(ADDR, Target::UpToLen)],
    /* FADVISE */ &[],
    /* MADVISE */ &[(ADDR, Target::Pages)],
    /* SEND */ &[(ADDR, Target::Len), (ADDR2, Target::AddrLen)],
    /* RECV */ &[(ADDR, Target::UpToLen)],
    /* OPENAT2 */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len)],
    /* EPOLL_CTL */ &[(ADDR, Target::Bytes(12))],
    /* SPLICE */ &[],
    /* PROVIDE_BUFFERS */ &[(ADDR, Target::Buffers)],
    /* REMOVE_BUFFERS */ &[],
    /* TEE */ &[],
    /* SHUTDOWN */ &[],
    /* RENAMEAT */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(1))],
    /* UNLINKAT */ &[(ADDR, Target::Bytes(1))],
    /* MKDIRAT */ &[(ADDR, Target::Bytes(1))],
    /* SYMLINKAT */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(1))],
    /* LINKAT */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(1))],
    /* MSG_RING */ &[],
    /* FSETXATTR */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len)],
    /* SETXATTR */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len), (ADDR3, Target::Bytes(1))],
    /* FGETXATTR */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len)],
    /* GETXATTR */ &[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len), (ADDR3, Target::Bytes(1))],
    /* SOCKET */ &[],
];
const _: () = assert!(OPCODES.len() == URING_CMD);
/// SEND_ZC to PIPE, behind URING_CMD, whose command only its driver knows.
#[rustfmt::skip]
const OPCODES_BEHIND: &[&[(u64, Target)]] = &[
    /* SEND_ZC */ &[(ADDR, Target::Len), (ADDR2, Target::AddrLen)],
    /* SENDMSG_ZC */ &[(ADDR, Target::Message)],
    /* READ_MULTISHOT */ &[],
    /* WAITID */ &[(ADDR2, Target::Bytes(128))],
    /* FUTEX_WAIT */ &[(ADDR, Target::Bytes(8))],
    /* FUTEX_WAKE */ &[(ADDR, Target::Bytes(8))],
    /* FUTEX_WAITV */ &[(ADDR, Target::Elements(24))],
    /* FIXED_FD_INSTALL */ &[],
    /* FTRUNCATE */ &[],
    /* BIND */ &[(ADDR, Target::Addr2Len)],
    /* LISTEN */ &[],
];
const URING_CMD: usize = 46;

/// Replaces the addresses of ours in the entry at `sqe`.
fn guard_entry(sqe: u64) -> Result<(), Errno> {
    /// None has this number.
    const INVALID: u8 = 255;
    const BUFFER_SELECT: u64 = 1 << 5;
    let words: [u64; 8] = read(GuestAddr(sqe))?;
    let opcode = usize::from(words[0] as u8);
    let fields = match opcode.checked_sub(URING_CMD + 1) {
        Some(behind) => OPCODES_BEHIND.get(behind),
        None => OPCODES.get(opcode),
    };
    let Some(fields) = fields else {
        return write(GuestAddr(sqe), &INVALID);
    };
    let selects = words[0] >> 8 & BUFFER_SELECT != 0;
    for &(offset, target) in *fields {
        let addr = words[offset as usize / 8];
        if addr == 0 || (selects && matches!(target, Target::Len | Target::UpToLen)) {
            continue;
        }
        let len = words[3] & 0xffff_ffff;
        if let Target::UpToLen = target {
            let clear = clear_len(addr, len);
            if clear != 0 && clear != len {
                write(GuestAddr(sqe + 24), &(clear as u32))?;
                continue;
            }
        }
        let replaced = match target {
            Target::Pages => passed_pages(addr, len),
            _ if target_touches_own(target, addr, &words) => nowhere(addr),
            _ => addr,
        };
        if replaced != addr {
            write(GuestAddr(sqe + offset), &replaced)?;
        }
    }
    Ok(())
}

fn target_touches_own(target: Target, addr: u64, words: &[u64; 8]) -> bool {
    let len = words[3] & 0xffff_ffff;
    match target {
        Target::Bytes(bytes) => touches_own(addr, bytes),
        Target::Len | Target::UpToLen | Target::Pages => touches_own(addr, len),
        Target::Elements(size) => touches_own(addr, len * size),
        Target::Addr2Len => touches_own(addr, words[1]),
        Target::AddrLen => touches_own(addr, words[5] >> 32 & 0xffff),
        Target::Iovecs => iovecs_touch_own(addr, len),
        Target::Message => {
            touches_own(addr, size_of::<Msghdr>() as u64)
                || read::<Msghdr>(GuestAddr(addr)).is_ok_and(|header| message_touches_own(&header))
        }
        Target::Name => {
            let size = read::<u32>(GuestAddr(words[1])).unwrap_or(0);
            touches_own(addr, u64::from(size).min(128))
        }
        Target::Buffers => touches_own(addr, len.saturating_mul(words[0] >> 32)),
    }
}

/// io_uring_register(2).
pub fn io_uring_register(task: &mut Task, fd: Fd, opcode: UInt, arg: Addr, nr_args: UInt) -> SysResult {
    let pointer = if registration_touches_own(opcode.0, arg.0.0, u64::from(nr_args.0))? {
        nowhere(arg.0.0)
    } else {
        arg.0.0
    };
    let args = [
        fd.register(),
        opcode.register(),
        pointer,
        nr_args.register(),
        0,
        0,
    ];
    // SAFETY: what the operation reads and writes, now or later, is guarded.
    unsafe { task.interruptible(nr::io_uring_register, args) }
}

/// Whether an array of iovec for registration, or a buffer in it, touches the emulator's
/// memory; it may be longer than those of other calls.
fn buffers_touch_own(addr: u64, count: u64) -> bool {
    /// IORING_MAX_REG_BUFFERS: the kernel refuses more.
    const MOST: u64 = 1 << 14;
    let count = count.min(MOST);
    touches_own(addr, count * 16)
        || (0..count)
            .map_while(|index| read::<[u64; 2]>(GuestAddr(addr.wrapping_add(index * 16))).ok())
            .any(|[base, len]| touches_own(base, len))
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
        // Registered rings, rings of buffers, memory regions and what is newer.
        _ => return Err(Errno::EINVAL),
    })
}
