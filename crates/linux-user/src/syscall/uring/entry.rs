//! Submission entries: what of an entry the kernel gets as the guest wrote it.
//!
//! The kernel reads an entry, and what it points to for reading, within the call that submits it (IORING_FEAT_SUBMIT_STABLE).
//! So an entry is changed where it is, copies live as long as that call, and the entries that the kernel did not take
//! get back what stood there: they are submitted again. What it writes later is the guest's own.
//!
//! An entry that names the emulator's memory gets an address where there is nothing, and completes with EFAULT as it would.

use super::super::arg::guard::{
    self, HostArgs, clear_len, nowhere, passed, passed_pages, strip, touches_own,
};
use super::super::arg::{
    AtFlags, Fd, GuestCStr, Hex, Out, guarded_message, iovecs_touch_own, message_changes,
    message_touches_own, read, words, write,
};
use super::super::path::{self, HostPath, Links};
use super::super::{fs, stat};
use crate::proc::{At, File, shown};
use crate::task::Task;
use crate::{host, proc};
use guest::GuestAddr;
use linux_abi::layout::{EpollEvent, HostEpollEvent, Msghdr, OpenHow};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};
use std::sync::OnceLock;

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
    /// A message to send, and one to receive, whose header is written to when it has come.
    Message,
    MessageOut,
    Pages,
    /// A socket's address, its size where `addr2` points to.
    Name,
    /// Buffers of `len` bytes each, `fd` of them.
    Buffers,
    /// struct futex_waitv, `len` of them.
    Waiters,
    /// A path that the kernel follows to its end, from the working directory.
    Path,
    /// One that it follows from the directory `fd` if `op_flags` have this bit.
    PathAtIf(u64),
}

/// Offsets of the fields that hold addresses: `off` or `addr2`, `addr`, `addr3`.
const ADDR2: u64 = 8;
const ADDR: u64 = 16;
const ADDR3: u64 = 48;

/// Words of an entry, and what they hold beside addresses.
const OPCODE: usize = 0;
const LEN: usize = 3;
const SPLICE: usize = 5;
const ATTRIBUTES: usize = 7;

type Sqe = [u64; 8];

const OPENAT: usize = 18;
const STATX: usize = 21;
const READ: usize = 22;
const OPENAT2: usize = 28;
const EPOLL_CTL: usize = 29;
const PIPE: usize = 62;
/// READV, WRITEV, READ_FIXED, WRITE_FIXED, READ, WRITE, READV_FIXED, WRITEV_FIXED: what may have attributes.
const WITH_ATTRIBUTES: [usize; 8] = [1, 2, 4, 5, READ, 23, 60, 61];

type Fields = &'static [(u64, Target)];

/// The opcodes of include/uapi/linux/io_uring.h, in order, and their addresses; `None` where the kernel would take addresses
/// unseen, or write structures that are the host's.
#[rustfmt::skip]
const OPCODES: &[Option<Fields>] = &[
    /* NOP */ Some(&[]),
    /* READV */ Some(&[(ADDR, Target::Iovecs)]),
    /* WRITEV */ Some(&[(ADDR, Target::Iovecs)]),
    /* FSYNC */ Some(&[]),
    /* READ_FIXED */ Some(&[]),
    /* WRITE_FIXED */ Some(&[]),
    /* POLL_ADD */ Some(&[]),
    /* POLL_REMOVE */ Some(&[]),
    /* SYNC_FILE_RANGE */ Some(&[]),
    /* SENDMSG */ Some(&[(ADDR, Target::Message)]),
    /* RECVMSG */ Some(&[(ADDR, Target::MessageOut)]),
    /* TIMEOUT */ Some(&[(ADDR, Target::Bytes(16))]),
    /* TIMEOUT_REMOVE */ Some(&[(ADDR2, Target::Bytes(16))]),
    /* ACCEPT */ Some(&[(ADDR, Target::Name), (ADDR2, Target::Bytes(4))]),
    /* ASYNC_CANCEL */ Some(&[]),
    /* LINK_TIMEOUT */ Some(&[(ADDR, Target::Bytes(16))]),
    /* CONNECT */ Some(&[(ADDR, Target::Addr2Len)]),
    /* FALLOCATE */ Some(&[]),
    /* OPENAT */ Some(&[]),
    /* CLOSE */ Some(&[]),
    /* FILES_UPDATE */ Some(&[(ADDR, Target::Elements(4))]),
    /* STATX */ Some(&[(ADDR2, Target::Bytes(256))]),
    /* READ */ Some(&[(ADDR, Target::UpToLen)]),
    /* WRITE */ Some(&[(ADDR, Target::UpToLen)]),
    /* FADVISE */ Some(&[]),
    /* MADVISE */ Some(&[(ADDR, Target::Pages)]),
    /* SEND */ Some(&[(ADDR, Target::Len), (ADDR2, Target::AddrLen)]),
    /* RECV */ Some(&[(ADDR, Target::UpToLen)]),
    /* OPENAT2 */ Some(&[]),
    /* EPOLL_CTL */ Some(&[]),
    /* SPLICE */ Some(&[]),
    /* PROVIDE_BUFFERS */ Some(&[(ADDR, Target::Buffers)]),
    /* REMOVE_BUFFERS */ Some(&[]),
    /* TEE */ Some(&[]),
    /* SHUTDOWN */ Some(&[]),
    /* RENAMEAT */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(1))]),
    /* UNLINKAT */ Some(&[(ADDR, Target::Bytes(1))]),
    /* MKDIRAT */ Some(&[(ADDR, Target::Bytes(1))]),
    /* SYMLINKAT */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Bytes(1))]),
    /* LINKAT */ Some(&[(ADDR, Target::PathAtIf(flags::AT_SYMLINK_FOLLOW)), (ADDR2, Target::Bytes(1))]),
    /* MSG_RING */ Some(&[]),
    /* FSETXATTR */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len)]),
    /* SETXATTR */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len), (ADDR3, Target::Path)]),
    /* FGETXATTR */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len)]),
    /* GETXATTR */ Some(&[(ADDR, Target::Bytes(1)), (ADDR2, Target::Len), (ADDR3, Target::Path)]),
    /* SOCKET */ Some(&[]),
    /* URING_CMD */ None,
    /* SEND_ZC */ Some(&[(ADDR, Target::Len), (ADDR2, Target::AddrLen)]),
    /* SENDMSG_ZC */ Some(&[(ADDR, Target::Message)]),
    /* READ_MULTISHOT */ Some(&[]),
    /* WAITID */ Some(&[(ADDR2, Target::Bytes(128))]),
    /* FUTEX_WAIT */ Some(&[(ADDR, Target::Bytes(8))]),
    /* FUTEX_WAKE */ Some(&[(ADDR, Target::Bytes(8))]),
    /* FUTEX_WAITV */ Some(&[(ADDR, Target::Waiters)]),
    /* FIXED_FD_INSTALL */ Some(&[]),
    /* FTRUNCATE */ Some(&[]),
    /* BIND */ Some(&[(ADDR, Target::Addr2Len)]),
    /* LISTEN */ Some(&[]),
    /* RECV_ZC */ None,
    /* EPOLL_WAIT */ None,
    /* READV_FIXED */ Some(&[(ADDR, Target::Iovecs)]),
    /* WRITEV_FIXED */ Some(&[(ADDR, Target::Iovecs)]),
    /* PIPE */ Some(&[(ADDR, Target::Bytes(8))]),
];
const _: () = assert!(OPCODES.len() == PIPE + 1);
pub const LAST_OPCODE: u8 = PIPE as u8;

/// Whether an opcode is there.
pub fn is_known(opcode: usize) -> bool {
    OPCODES.get(opcode).is_some_and(Option::is_some)
}

/// The entries of one call.
pub struct Submission {
    ring: i32,
    /// In order: where they are, and what stood there if it was changed.
    entries: Vec<(u64, Option<Sqe>)>,
    /// Files that were opened for entries, by the entry's index.
    opened: Vec<(usize, i32)>,
    kept: HostArgs,
    paths: Vec<HostPath>,
}

impl Submission {
    pub fn new(ring: i32) -> Submission {
        Submission {
            ring,
            entries: Vec::new(),
            opened: Vec::new(),
            kept: HostArgs::default(),
            paths: Vec::new(),
        }
    }

    /// Has the entry at `sqe` say what the kernel is to do.
    ///
    /// # Errors
    /// EFAULT where there is no entry.
    pub fn take(&mut self, task: &Task, sqe: u64) -> Result<(), Errno> {
        let before: Sqe = read(GuestAddr(sqe))?;
        let mut entry = before;
        self.convert(task, &mut entry);
        let changed = entry != before;
        if changed {
            write(GuestAddr(sqe), &entry)?;
        }
        self.entries.push((sqe, changed.then_some(before)));
        Ok(())
    }

    /// After the call: the kernel has taken so many; the others are the guest's as they were.
    pub fn taken(&self, count: usize) {
        for (sqe, before) in self.entries.iter().skip(count) {
            if let Some(before) = before {
                let _ = write(GuestAddr(*sqe), before);
            }
        }
        for (_, fd) in self.opened.iter().filter(|(index, _)| *index >= count) {
            let _ = host::close(*fd);
        }
    }

    fn convert(&mut self, task: &Task, entry: &mut Sqe) {
        /// None has this number.
        const INVALID: u64 = 255;
        let opcode = entry[OPCODE] as u8 as usize;
        let Some(fields) = OPCODES.get(opcode).copied().flatten() else {
            entry[OPCODE] |= INVALID;
            return;
        };
        match opcode {
            OPENAT => return self.openat(task, entry),
            OPENAT2 => return self.openat2(task, entry),
            STATX => self.statx(task, entry),
            READ => refresh(task, entry),
            EPOLL_CTL => self.epoll_ctl(entry),
            PIPE => set_op_flags(entry, OpenFlags::from_bits_retain(op_flags(entry)).to_host()),
            _ => {}
        }
        if WITH_ATTRIBUTES.contains(&opcode) {
            entry[ATTRIBUTES] = 0;
        }
        for &(offset, target) in fields {
            self.guard(task, entry, offset as usize / 8, target);
        }
    }

    fn guard(&mut self, task: &Task, entry: &mut Sqe, at: usize, target: Target) {
        const BUFFER_SELECT: u64 = 1 << 5;
        let selects = entry[OPCODE] >> 8 & BUFFER_SELECT != 0;
        let addr = entry[at];
        if addr == 0 || (selects && matches!(target, Target::Len | Target::UpToLen)) {
            return;
        }
        entry[at] = match target {
            Target::UpToLen => {
                let (len, clear) = (len(entry), clear_len(addr, len(entry)));
                if clear != 0 && clear != len {
                    entry[LEN] = entry[LEN] & !0xffff_ffff | clear;
                }
                passed(addr, clear.max(1).min(len))
            }
            Target::Pages => passed_pages(addr, len(entry)),
            Target::Iovecs => {
                let (array, count) = guard::iovecs(addr, len(entry), &mut self.kept);
                entry[LEN] = entry[LEN] & !0xffff_ffff | count & 0xffff_ffff;
                array
            }
            Target::Message => self.message(addr),
            Target::Path => self.path(task, flags::AT_FDCWD, addr),
            Target::PathAtIf(bit) if op_flags(entry) & bit != 0 => self.path(task, fd(entry), addr),
            _ if touches(target, addr, entry) => nowhere(addr),
            _ => strip(addr),
        };
    }

    /// A message that is only read.
    fn message(&mut self, addr: u64) -> u64 {
        match read::<Msghdr>(GuestAddr(addr)) {
            Ok(header) if message_changes(&header) => {
                let copy = guarded_message(header, &mut self.kept);
                self.kept.keep(words(&copy))
            }
            Ok(_) | Err(_) => passed(addr, size_of::<Msghdr>() as u64),
        }
    }

    /// A path that leads to the guest's program where it would lead to the emulator.
    fn path(&mut self, task: &Task, dirfd: i32, addr: u64) -> u64 {
        let program = |at: &At<'_>, file| proc::program(task, at, file);
        let dirfd = dirfd as i64 as u64;
        match path::special(dirfd, GuestCStr(GuestAddr(addr)), 0, program) {
            Some(program) => self.kept.keep(words(&program[..])),
            None => passed(addr, 1),
        }
    }

    /// The path by the -L rule.
    fn resolved(&mut self, task: &Task, addr: u64) -> u64 {
        let path = path::resolve(task, GuestCStr(GuestAddr(addr)), Links::Follow);
        self.kept_path(path)
    }

    fn kept_path(&mut self, path: HostPath) -> u64 {
        let register = path.register();
        self.paths.push(path);
        register
    }

    fn openat(&mut self, task: &Task, entry: &mut Sqe) {
        let open = OpenFlags::from_bits_retain(op_flags(entry));
        let addr = entry[ADDR as usize / 8];
        if !self.opens(task, entry, addr, 0, open) {
            entry[ADDR as usize / 8] = self.resolved(task, addr);
            set_op_flags(entry, open.to_host());
        }
    }

    fn openat2(&mut self, task: &Task, entry: &mut Sqe) {
        const HOW: usize = ADDR2 as usize / 8;
        let (addr, how_at, size) = (entry[ADDR as usize / 8], entry[HOW], len(entry));
        entry[HOW] = passed(how_at, size);
        let mut how = None;
        if size >= size_of::<OpenHow>() as u64
            && let Ok(found) = read::<OpenHow>(GuestAddr(how_at))
        {
            let open = OpenFlags::from_bits_retain(found.flags);
            if size == size_of::<OpenHow>() as u64
                && found.mode == 0
                && self.opens(task, entry, addr, found.resolve, open)
            {
                return;
            }
            how = Some(found);
        }
        // What follows the structure that is known is the kernel's to look at, and must be zero.
        if let Some(mut how) = how
            && let Some(copy) = self.copied(how_at, size)
        {
            how.flags = OpenFlags::from_bits_retain(how.flags).to_host();
            let mut copy = copy;
            let known = words(&how);
            copy[..known.len()].copy_from_slice(&known);
            entry[HOW] = self.kept.keep(copy);
        }
        entry[ADDR as usize / 8] = match how {
            Some(how) if how.resolve != 0 => passed(addr, 1),
            Some(_) | None => self.resolved(task, addr),
        };
    }

    /// The words of a structure, if it is not absurdly long.
    fn copied(&self, addr: u64, size: u64) -> Option<Vec<u64>> {
        let mut bytes = vec![0_u8; size.min(guest::PAGE_SIZE) as usize];
        super::super::arg::read_bytes(GuestAddr(addr), &mut bytes).ok()?;
        (size <= guest::PAGE_SIZE).then(|| words(&bytes[..]))
    }

    /// A file of /proc that tells of a guest is opened here, and the entry completes with that.
    fn opens(&mut self, task: &Task, entry: &mut Sqe, addr: u64, resolve: u64, open: OpenFlags) -> bool {
        /// The ring is to choose a place in its table of files.
        const ANY_PLACE: u32 = u32::MAX;
        let place = (entry[SPLICE] >> 32) as u32;
        if place == ANY_PLACE || !can_inject() {
            return false;
        }
        let special = |at: &At<'_>, file: File| proc::open(task, at, file, open);
        let dirfd = fd(entry) as i64 as u64;
        let Some(result) = path::special(dirfd, GuestCStr(GuestAddr(addr)), resolve, special) else {
            return false;
        };
        let result = match (result, place.checked_sub(1)) {
            (Ok(fd), Some(place)) => {
                let placed = self.place(fd as i32, place);
                let _ = host::close(fd as i32);
                placed
            }
            (Ok(fd), None) => {
                self.opened.push((self.entries.len(), fd as i32));
                Ok(fd)
            }
            (Err(errno), _) => Err(errno),
        };
        complete(entry, result);
        true
    }

    /// Puts an open file into the ring's table of files.
    fn place(&self, fd: i32, place: u32) -> SysResult {
        const REGISTER_FILES_UPDATE: u64 = 6;
        let update = [u64::from(place), (&raw const fd) as u64];
        let args = [
            self.ring as u64,
            REGISTER_FILES_UPDATE,
            (&raw const update) as u64,
            1,
            0,
            0,
        ];
        // SAFETY: the kernel reads a struct io_uring_files_update and the descriptor, which are ours.
        unsafe { host::raw(nr::io_uring_register, args) }.map(|_| 0)
    }

    fn statx(&mut self, task: &Task, entry: &mut Sqe) {
        const BUF: usize = ADDR2 as usize / 8;
        let at = AtFlags::from_bits_retain(op_flags(entry));
        let (dirfd, path) = (Fd(fd(entry)), GuestCStr(GuestAddr(entry[ADDR as usize / 8])));
        if shown::any() && can_inject() {
            // It may be one that looks like the kernel's, which statx(2) sees to.
            let (mask, buf) = (Hex(len(entry)), Out::new(GuestAddr(entry[BUF])));
            let result = stat::statx_of(task, dirfd, path, at, mask, buf);
            return complete(entry, result);
        }
        let path = fs::target_path(task, dirfd, path, fs::links(at));
        entry[ADDR as usize / 8] = self.kept_path(path);
    }

    /// The event has its data elsewhere on the host.
    fn epoll_ctl(&mut self, entry: &mut Sqe) {
        const EVENT: usize = ADDR as usize / 8;
        if len(entry) != flags::EPOLL_CTL_DEL && entry[EVENT] != 0 {
            entry[EVENT] = match read::<EpollEvent>(GuestAddr(entry[EVENT])) {
                Ok(event) => self.kept.keep(words(&HostEpollEvent::from(event))),
                Err(_) => nowhere(entry[EVENT]),
            };
        }
    }
}

fn fd(entry: &Sqe) -> i32 {
    (entry[OPCODE] >> 32) as i32
}

fn len(entry: &Sqe) -> u64 {
    entry[LEN] & 0xffff_ffff
}

fn op_flags(entry: &Sqe) -> u64 {
    entry[LEN] >> 32
}

fn set_op_flags(entry: &mut Sqe, flags: u64) {
    entry[LEN] = len(entry) | flags << 32;
}

/// Has the entry complete with a result (IORING_NOP_INJECT_RESULT), in its place among the others.
fn complete(entry: &mut Sqe, result: SysResult) {
    const INJECT_RESULT: u64 = 1;
    /// The opcode of NOP is 0. Links and the like stay; there is no file, and no buffer is selected.
    const KEPT: u64 = 0x5e << 8;
    const USER_DATA: usize = 4;
    let result = match result {
        Ok(value) => value as i32,
        Err(errno) => -errno.0,
    };
    let mut nop = [0; 8];
    nop[OPCODE] = entry[OPCODE] & KEPT;
    nop[LEN] = u64::from(result as u32) | INJECT_RESULT << 32;
    nop[USER_DATA] = entry[USER_DATA];
    *entry = nop;
}

/// A file that looks like the kernel's is read from its start.
fn refresh(task: &Task, entry: &Sqe) {
    const FIXED_FILE: u64 = 1;
    if entry[ADDR2 as usize / 8] == 0 && entry[OPCODE] >> 8 & FIXED_FILE == 0 && shown::any() {
        shown::refresh(task, fd(entry));
    }
}

fn touches(target: Target, addr: u64, entry: &Sqe) -> bool {
    let len = len(entry);
    match target {
        Target::Bytes(bytes) => touches_own(addr, bytes),
        Target::Len | Target::UpToLen | Target::Pages => touches_own(addr, len),
        Target::Elements(size) => touches_own(addr, len * size),
        Target::Addr2Len => touches_own(addr, entry[1]),
        Target::AddrLen => touches_own(addr, entry[SPLICE] >> 32 & 0xffff),
        Target::Iovecs => iovecs_touch_own(addr, len),
        Target::Message | Target::MessageOut => {
            touches_own(addr, size_of::<Msghdr>() as u64)
                || read::<Msghdr>(GuestAddr(addr)).is_ok_and(|header| message_touches_own(&header))
        }
        Target::Name => {
            let size = read::<u32>(GuestAddr(entry[1])).unwrap_or(0);
            touches_own(addr, u64::from(size).min(128))
        }
        Target::Buffers => touches_own(addr, len.saturating_mul(entry[OPCODE] >> 32)),
        Target::Waiters => {
            /// sizeof(struct futex_waitv), and FUTEX_WAITV_MAX.
            const SIZE: u64 = 24;
            let waiters = 0..len.min(128);
            let futex = |index| read::<u64>(GuestAddr(addr.wrapping_add(index * SIZE + 8)));
            touches_own(addr, len * SIZE)
                || waiters
                    .map_while(|index| futex(index).ok())
                    .any(|futex| touches_own(futex, 8))
        }
        Target::Path | Target::PathAtIf(_) => touches_own(addr, 1),
    }
}

/// Whether the host's kernel completes entries with a result of ours: since Linux 6.10. Without it, files of /proc that are
/// opened through a ring are the host's.
fn can_inject() -> bool {
    static RELEASE: OnceLock<bool> = OnceLock::new();
    *RELEASE.get_or_init(|| host::uname().is_ok_and(|names| version(&names.release) >= (6, 10)))
}

/// The first two numbers of a release.
fn version(release: &[u8]) -> (u32, u32) {
    let text = String::from_utf8_lossy(release);
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_versions() {
        assert_eq!(version(b"6.18.44-fc-v657\0\0"), (6, 18));
        assert_eq!(version(b"7.0-rc1\0"), (7, 0));
        assert_eq!(version(b"\0"), (0, 0));
    }

    #[test]
    fn completed_entries_keep_their_links_and_data() {
        // OPENAT with IOSQE_FIXED_FILE, IO_LINK, CQE_SKIP_SUCCESS.
        let mut entry = [18 | 0x45 << 8 | 5 << 32, 1, 2, 3 | 4 << 32, 5, 6, 7, 8];
        complete(&mut entry, Err(Errno::ENOENT));
        assert_eq!(
            entry,
            [0x44 << 8, 0, 0, u64::from(-2_i32 as u32) | 1 << 32, 5, 0, 0, 0]
        );
    }

    #[test]
    fn what_the_kernel_would_take_unseen_is_unknown() {
        const URING_CMD: usize = 46;
        const EPOLL_WAIT: usize = 59;
        for (opcode, known) in [
            (0, true),
            (READ, true),
            (URING_CMD, false),
            (EPOLL_WAIT, false),
            (PIPE, true),
            (63, false),
            (255, false),
        ] {
            assert_eq!(is_known(opcode), known, "{opcode}");
        }
    }
}
