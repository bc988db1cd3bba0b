//! The stat family: results are laid out anew for the guest.

use super::arg::{Arg, AtFlags, Fd, GuestCStr, Hex, Out};
use super::fs::{links, target_path};
use super::path::{self, Links};
use crate::host;
use crate::task::Task;
use linux_abi::SysResult;
use linux_abi::layout::{HostStat, Stat, Statfs, Statx};
use linux_abi::nr::x86_64 as nr;

/// newfstatat(2).
pub fn newfstatat(task: &mut Task, dirfd: Fd, path: GuestCStr, buf: Out<Stat>, at: AtFlags) -> SysResult {
    let host_path = target_path(task, path, links(at));
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
    buf.write(&Stat::from(stat))?;
    Ok(0)
}

/// fstat(2).
pub fn fstat(_: &mut Task, fd: Fd, buf: Out<Stat>) -> SysResult {
    buf.write(&Stat::from(host::fstat(fd.0)?))?;
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
    let host_path = target_path(task, path, links(at));
    let args = [
        dirfd.register(),
        host_path.register(),
        at.bits(),
        mask.0,
        buf.passed(),
        0,
    ];
    // SAFETY: the path is only read, and the guest's struct statx is guarded.
    unsafe { host::raw(nr::statx, args) }
}

/// statfs(2).
pub fn statfs(task: &mut Task, path: GuestCStr, buf: Out<Statfs>) -> SysResult {
    let host_path = path::resolve(task, path, Links::Follow);
    let args = [host_path.register(), buf.passed(), 0, 0, 0, 0];
    // SAFETY: the path is only read, and the guest's struct statfs is guarded.
    unsafe { host::raw(nr::statfs, args) }
}
