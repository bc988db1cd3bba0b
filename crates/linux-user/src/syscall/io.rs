//! Descriptors and ioctl. The emulator's own descriptors do not exist for the guest.

use super::arg::{Fd, FdFlags, Hex, Request, UInt};
use crate::mm::own;
use crate::task::Task;
use crate::{host, own_fds};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// close(2). Never restarted: the descriptor is gone even when the call is interrupted.
pub fn close(_: &mut Task, fd: Fd) -> SysResult {
    if own_fds::contains(fd.0) {
        return Err(Errno::EBADF);
    }
    host::syscall(nr::close, [fd.register(), 0, 0, 0, 0, 0])
}

/// dup(2).
pub fn dup(_: &mut Task, oldfd: Fd) -> SysResult {
    if own_fds::contains(oldfd.0) {
        return Err(Errno::EBADF);
    }
    host::syscall(nr::dup, [oldfd.register(), 0, 0, 0, 0, 0])
}

/// dup3(2).
pub fn dup3(_: &mut Task, oldfd: Fd, newfd: Fd, flags: FdFlags) -> SysResult {
    // Onto a descriptor of the emulator's: as if the limit stood below it.
    if own_fds::contains(oldfd.0) || own_fds::contains(newfd.0) {
        return Err(Errno::EBADF);
    }
    host::syscall(nr::dup3, [oldfd.register(), newfd.register(), flags.0, 0, 0, 0])
}

/// close_range(2), around the emulator's descriptors.
pub fn close_range(_: &mut Task, first: UInt, last: UInt, flags: Hex) -> SysResult {
    let call = |from: u32, to: u32| {
        host::syscall(
            nr::close_range,
            [u64::from(from), u64::from(to), flags.0, 0, 0, 0],
        )
    };
    if first.0 > last.0 {
        return call(first.0, last.0);
    }
    let mut from = first.0;
    for own in own_fds::sorted() {
        let own = own as u32;
        if own < from || own > last.0 {
            continue;
        }
        if own > from {
            call(from, own - 1)?;
        }
        from = own + 1;
    }
    if from <= last.0 { call(from, last.0) } else { Ok(0) }
}

/// ioctl(2): requests and structures are alike on both sides.
pub fn ioctl(task: &mut Task, fd: Fd, request: Request, arg: Hex) -> SysResult {
    if own_fds::contains(fd.0) {
        return Err(Errno::EBADF);
    }
    own::check(arg.0, ioctl_size(request.0))?;
    task.interruptible(nr::ioctl, [fd.register(), request.0, arg.0, 0, 0, 0])
}

/// How many bytes the kernel writes, as far as the request's number tells (_IOC_READ).
fn ioctl_size(request: u64) -> u64 {
    const READ: u64 = 2;
    if request >> 30 & READ != 0 {
        request >> 16 & 0x3fff
    } else {
        1
    }
}
