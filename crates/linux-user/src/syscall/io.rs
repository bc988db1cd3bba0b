//! Descriptors. The emulator's own descriptors do not exist for the guest.

use super::arg::{Arg, Fd, FdFlags, Hex, UInt};
use crate::task::Task;
use crate::{host, own_fds};
use linux_abi::{Errno, SysResult};

/// close(2). Never restarted: the descriptor is gone even when the call is interrupted.
pub fn close(_: &mut Task, fd: Fd) -> SysResult {
    if own_fds::contains(fd.0) {
        return Err(Errno::EBADF);
    }
    host::close(fd.0)
}

/// dup(2).
pub fn dup(_: &mut Task, oldfd: Fd) -> SysResult {
    if own_fds::contains(oldfd.0) {
        return Err(Errno::EBADF);
    }
    host::dup(oldfd.register())
}

/// dup3(2).
pub fn dup3(_: &mut Task, oldfd: Fd, newfd: Fd, flags: FdFlags) -> SysResult {
    // Onto a descriptor of the emulator's: as if the limit stood below it.
    if own_fds::contains(oldfd.0) || own_fds::contains(newfd.0) {
        return Err(Errno::EBADF);
    }
    host::dup3(oldfd.register(), newfd.register(), flags.bits())
}

/// close_range(2), around the emulator's descriptors.
pub fn close_range(_: &mut Task, first: UInt, last: UInt, flags: Hex) -> SysResult {
    let call = |from: u32, to: u32| host::close_range(u64::from(from), u64::from(to), flags.0);
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
