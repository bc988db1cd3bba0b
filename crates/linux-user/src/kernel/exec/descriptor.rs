//! [`Descriptor`]: an open file of the emulator's for as long as an execve looks at it.

use crate::host;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, flags};
use std::ffi::CStr;

const O_CLOEXEC: u64 = 0o2000000;
const F_SETFD: u64 = 2;

/// Closed when dropped. It owns no heap memory, which a vfork child that executes would never free.
pub struct Descriptor(i32);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the call takes no address.
        let _ = unsafe { host::raw(nr::close, [self.0 as u64, 0, 0, 0, 0, 0]) };
    }
}

impl Descriptor {
    /// Takes over what a host call gave.
    pub fn own(fd: u64) -> Descriptor {
        Descriptor(fd as i32)
    }

    /// Opens a file for reading, closed on exec.
    pub fn open(path: &CStr) -> Result<Descriptor, Errno> {
        let dir = flags::AT_FDCWD as i64 as u64;
        // SAFETY: the path is a string of ours, and only read.
        unsafe { host::raw(nr::openat, [dir, path.as_ptr() as u64, O_CLOEXEC, 0, 0, 0]) }.map(Descriptor::own)
    }

    pub fn number(&self) -> i32 {
        self.0
    }

    /// From here on the next program inherits it.
    pub fn hand_over(&self) {
        // It is open.
        // SAFETY: the argument of this command is a number.
        let _ = unsafe { host::raw(nr::fcntl, [self.0 as u64, F_SETFD, 0, 0, 0, 0]) };
    }
}
