//! Opening files, their descriptors' flags, links and access checks.

use super::arg::guard::{HostArgs, passed};
use super::arg::{
    AccessMode, Arg, AtFlags, FcntlCmd, Fd, GuestCStr, Hex, In, Long, Mode, OutBuf, Regs, Size, Whence,
    read_bytes, write_bytes,
};
use super::path::{self, HostPath, Links};
use crate::proc::{At, File, shown};
use crate::task::Task;
use crate::{host, proc};
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::layout::{Flock, OpenHow};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, OpenFlags, SysResult, flags};

/// openat(2).
pub fn openat(task: &mut Task, dirfd: Fd, path: GuestCStr, open: OpenFlags, mode: Mode) -> SysResult {
    let special = |at: &At<'_>, file| proc::open(task, at, file, open);
    if let Some(result) = path::special(dirfd.register(), path, 0, special) {
        return result;
    }
    let host_path = path::resolve(task, path, Links::Follow);
    let args = [
        dirfd.register(),
        host_path.register(),
        open.to_host(),
        u64::from(mode.0),
        0,
        0,
    ];
    // SAFETY: the path is only read.
    unsafe { task.interruptible(nr::openat, args) }
}

/// openat2(2). The resolve rules are about the path as the guest wrote it, so with any of
/// them the -L rule does not apply.
pub fn openat2(task: &mut Task, dirfd: Fd, path: GuestCStr, how: In<OpenHow>, size: Size) -> SysResult {
    const HOW: u64 = size_of::<OpenHow>() as u64;
    if size.0 < HOW {
        return Err(Errno::EINVAL);
    }
    if size.0 > guest::PAGE_SIZE {
        return Err(Errno::E2BIG);
    }
    if size.0 > HOW && !is_zero(how.0.offset(HOW as i64), size.0 - HOW)? {
        return Err(Errno::E2BIG);
    }
    let mut how = how.read()?;
    let open = OpenFlags::from_bits_retain(how.flags);
    let special = |at: &At<'_>, file| proc::open(task, at, file, open);
    if how.mode == 0
        && let Some(result) = path::special(dirfd.register(), path, how.resolve, special)
    {
        return result;
    }
    how.flags = OpenFlags::from_bits_retain(how.flags).to_host();
    let host_path = match how.resolve {
        0 => path::resolve(task, path, Links::Follow),
        _ => HostPath::plain(path),
    };
    let args = [
        dirfd.register(),
        host_path.register(),
        (&raw const how) as u64,
        HOW,
        0,
        0,
    ];
    // SAFETY: the path and `how`, which is ours, are only read.
    unsafe { task.interruptible(nr::openat2, args) }
}

/// Whether the tail of an extensible structure is zero, as copy_struct_from_user asks.
fn is_zero(addr: guest::GuestAddr, len: u64) -> Result<bool, Errno> {
    let mut bytes = vec![0; len as usize];
    read_bytes(addr, &mut bytes)?;
    Ok(bytes.iter().all(|&byte| byte == 0))
}

/// faccessat(2) as the kernel has it: without flags.
pub fn faccessat(task: &mut Task, dirfd: Fd, path: GuestCStr, mode: AccessMode) -> SysResult {
    let host_path = target_path(task, dirfd, path, Links::Follow);
    let args = [dirfd.register(), host_path.register(), mode.bits(), 0, 0, 0];
    // SAFETY: the path is only read.
    unsafe { host::raw(nr::faccessat, args) }
}

/// faccessat2(2).
pub fn faccessat2(task: &mut Task, dirfd: Fd, path: GuestCStr, mode: AccessMode, at: AtFlags) -> SysResult {
    let host_path = target_path(task, dirfd, path, links(at));
    let args = [
        dirfd.register(),
        host_path.register(),
        mode.bits(),
        at.bits(),
        0,
        0,
    ];
    // SAFETY: the path is only read.
    unsafe { host::raw(nr::faccessat2, args) }
}

/// What the flags of an *at call say of a last symbolic link.
pub fn links(at: AtFlags) -> Links {
    if at.contains(AtFlags::AT_SYMLINK_NOFOLLOW) {
        Links::Keep
    } else {
        Links::Follow
    }
}

/// The path to look at: behind a link of /proc that means a guest (as /proc/self/exe
/// does) when links are followed, else by the -L rule.
pub fn target_path(task: &Task, dirfd: Fd, path: GuestCStr, links: Links) -> HostPath {
    let special = |at: &At<'_>, file| match (links, file) {
        (Links::Keep, File::Exe) => None,
        (Links::Follow | Links::Keep, file) => proc::target(task, at, file),
    };
    if let Some(target) = path::special(dirfd.register(), path, 0, special) {
        return HostPath::replaced(target);
    }
    path::resolve(task, path, links)
}

/// readlinkat(2).
pub fn readlinkat(task: &mut Task, dirfd: Fd, path: GuestCStr, buf: OutBuf, size: Size) -> SysResult {
    if size.0 as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let special = |at: &At<'_>, file| proc::readlink(task, at, file);
    if let Some(target) = path::special(dirfd.register(), path, 0, special) {
        let count = target.len().min(size.0 as i32 as usize);
        write_bytes(buf.addr, &target[..count])?;
        return Ok(count as u64);
    }
    let host_path = path::resolve(task, path, Links::Keep);
    let mut host = HostArgs::default();
    host.regs = [
        dirfd.register(),
        host_path.register(),
        buf.register(),
        size.register(),
        0,
        0,
    ];
    buf.guard(2, &mut host);
    // SAFETY: the path is only read, and the buffer is guarded.
    let count = unsafe { host::raw(nr::readlinkat, host.regs) }?;
    // A descriptor's link to a memory file of ours.
    let mut start = [0; 8];
    let start = &mut start[..8.min(count as usize)];
    if access::read(buf.addr, start).is_ok() && shown::SHOWN_NAME.starts_with(start) {
        return read_shown_link(host.regs, buf.addr, size.0).map(|shown| shown.unwrap_or(count));
    }
    Ok(count)
}

/// The link of `regs`, the registers for readlinkat(2), as the guest is to see it; `None` if that is as it is.
#[cold]
fn read_shown_link(mut regs: Regs, buf: GuestAddr, size: u64) -> Result<Option<u64>, Errno> {
    let mut target = vec![0_u8; 4096];
    (regs[2], regs[3]) = (target.as_mut_ptr() as u64, target.len() as u64);
    // SAFETY: the path is only read, and the buffer is ours for its length.
    let len = unsafe { host::raw(nr::readlinkat, regs) }? as usize;
    let Some(shown) = shown::original(&target[..len]) else {
        return Ok(None);
    };
    let count = shown.len().min(size as i32 as usize);
    write_bytes(buf, &shown[..count])?;
    Ok(Some(count as u64))
}

/// lseek(2).
pub fn lseek(task: &mut Task, fd: Fd, offset: Long, whence: Whence) -> SysResult {
    // SAFETY: the call takes no address.
    let result = unsafe {
        host::raw(
            nr::lseek,
            [fd.register(), offset.register(), whence.register(), 0, 0, 0],
        )
    };
    if result == Ok(0) && shown::any() {
        shown::refresh(task, fd.0);
    }
    result
}

/// pread64(2).
pub fn pread64(task: &mut Task, fd: Fd, buf: OutBuf, count: Size, offset: Long) -> SysResult {
    if offset.0 == 0 && shown::any() {
        shown::refresh(task, fd.0);
    }
    let mut host = HostArgs::default();
    host.regs = [
        fd.register(),
        buf.register(),
        count.register(),
        offset.register(),
        0,
        0,
    ];
    buf.guard(1, &mut host);
    // SAFETY: the buffer is guarded.
    unsafe { task.interruptible(nr::pread64, host.regs) }
}

/// fcntl(2): the flags of open stand elsewhere on the host, locks may wait.
pub fn fcntl(task: &mut Task, fd: Fd, cmd: FcntlCmd, arg: Hex) -> SysResult {
    let command = [fd.register(), cmd.0];
    let call = |arg: u64| {
        // SAFETY: the argument is a number, or an address that is guarded for this command.
        unsafe { host::raw(nr::fcntl, [command[0], command[1], arg, 0, 0, 0]) }
    };
    let lock = || passed(arg.0, size_of::<Flock>() as u64);
    match cmd.0 {
        flags::F_GETFL => Ok(OpenFlags::from_host(call(0)?).bits()),
        flags::F_SETFL => call(OpenFlags::from_bits_retain(arg.0).to_host()),
        flags::F_GETLK | flags::F_OFD_GETLK | flags::F_SETLK | flags::F_OFD_SETLK | flags::F_CANCELLK => {
            call(lock())
        }
        flags::F_SETLKW | flags::F_OFD_SETLKW => {
            // SAFETY: the struct flock is guarded.
            unsafe { task.interruptible(nr::fcntl, [command[0], command[1], lock(), 0, 0, 0]) }
        }
        flags::F_GETOWN_EX
        | flags::F_SETOWN_EX
        | flags::F_GETOWNER_UIDS
        | flags::F_GET_RW_HINT
        | flags::F_SET_RW_HINT
        | flags::F_GET_FILE_RW_HINT
        | flags::F_SET_FILE_RW_HINT => call(passed(arg.0, 8)),
        // Numbers, and commands newer than the table: of those a page is looked at.
        _ => call(passed(arg.0, guest::PAGE_SIZE)),
    }
}
