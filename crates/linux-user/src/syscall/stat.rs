//! The stat family: results are laid out anew for the guest.

use super::arg::{Arg, AtFlags, Fd, GuestCStr, Hex, Out};
use super::fs::{links, target_path};
use super::path::{HostPath, Links};
use crate::host;
use crate::proc::shown;
use crate::task::Task;
use guest_memory::access;
use linux_abi::layout::{HostStat, Stat, Statfs, Statx};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{SysResult, flags};
use std::mem::offset_of;

/// newfstatat(2).
pub fn newfstatat(task: &mut Task, dirfd: Fd, path: GuestCStr, buf: Out<Stat>, at: AtFlags) -> SysResult {
    let host_path = target_path(task, dirfd, path, links(at));
    let mut stat = HostStat::ZERO;
    let args = [
        dirfd.register(),
        host_path.register(),
        (&raw mut stat) as u64,
        at.bits(),
        0,
        0,
    ];
    // SAFETY: the path is only read, and the kernel writes a struct stat, which `stat` is.
    unsafe { host::raw(nr::newfstatat, args) }?;
    if shown::is_marked(stat.st_mtime) {
        stat = shown::status(stat, name_behind(dirfd, &host_path));
    }
    buf.write(&Stat::from(stat))?;
    Ok(0)
}

/// The name of the memory file that a path leads to by a descriptor's link, or that a descriptor is open for.
#[cold]
fn name_behind(dirfd: Fd, path: &HostPath) -> Option<Vec<u8>> {
    let mut target = vec![0_u8; 4096];
    let args = [
        dirfd.register(),
        path.register(),
        target.as_mut_ptr() as u64,
        target.len() as u64,
        0,
        0,
    ];
    // SAFETY: the path is only read, and the buffer is ours for its length.
    match unsafe { host::raw(nr::readlinkat, args) } {
        Ok(len) => {
            target.truncate(len as usize);
            Some(target)
        }
        // The path is empty.
        Err(_) => shown::name_of(dirfd.0),
    }
}

/// fstat(2).
pub fn fstat(_: &mut Task, fd: Fd, buf: Out<Stat>) -> SysResult {
    let mut stat = host::fstat(fd.0)?;
    if shown::is_marked(stat.st_mtime) {
        stat = shown::status(stat, shown::name_of(fd.0));
    }
    buf.write(&Stat::from(stat))?;
    Ok(0)
}

/// statx(2): one layout for all architectures.
pub fn statx(
    task: &mut Task,
    dirfd: Fd,
    path: GuestCStr,
    at: AtFlags,
    mask: Hex,
    buf: Out<Statx>,
) -> SysResult {
    statx_of(task, dirfd, path, at, mask, buf)
}

/// What statx(2) tells, and an entry of a ring.
pub fn statx_of(
    task: &Task,
    dirfd: Fd,
    path: GuestCStr,
    at: AtFlags,
    mask: Hex,
    buf: Out<Statx>,
) -> SysResult {
    let host_path = target_path(task, dirfd, path, links(at));
    let args = [
        dirfd.register(),
        host_path.register(),
        at.bits(),
        mask.0,
        buf.passed(),
        0,
    ];
    // SAFETY: the path is only read, and the guest's struct statx is guarded.
    let result = unsafe { host::raw(nr::statx, args) }?;
    let seconds = buf.0.offset(offset_of!(Statx, stx_mtime) as i64);
    if access::load(seconds, 8).is_ok_and(|seconds| shown::is_marked(seconds as i64))
        && let Some(path) = name_behind(dirfd, &host_path)
            .as_deref()
            .and_then(shown::original)
    {
        let original = HostPath::replaced(path.to_vec());
        let args = [dirfd.register(), original.register(), 0, mask.0, buf.passed(), 0];
        // SAFETY: as above.
        return unsafe { host::raw(nr::statx, args) };
    }
    Ok(result)
}

/// fstatfs(2).
pub fn fstatfs(_: &mut Task, fd: Fd, buf: Out<Statfs>) -> SysResult {
    let status = host::fstatfs(fd.0)?;
    buf.write(&shown::file_system(fd.0, status))?;
    Ok(0)
}

/// statfs(2).
pub fn statfs(task: &mut Task, path: GuestCStr, buf: Out<Statfs>) -> SysResult {
    let host_path = target_path(task, Fd(flags::AT_FDCWD), path, Links::Follow);
    let args = [host_path.register(), buf.passed(), 0, 0, 0, 0];
    // SAFETY: the path is only read, and the guest's struct statfs is guarded.
    unsafe { host::raw(nr::statfs, args) }
}
