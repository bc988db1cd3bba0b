//! [`Descriptor`]: an open file of the emulator's for as long as an execve looks at it.

use crate::host::{self, Fcntl};
use linux_abi::{Errno, OpenFlags, flags};
use std::ffi::CStr;

/// Closed when dropped. It owns no heap memory, which a vfork child that executes would never free.
pub struct Descriptor(i32);

impl Drop for Descriptor {
    fn drop(&mut self) {
        let _ = host::close(self.0);
    }
}

impl Descriptor {
    /// Takes over what a host call gave.
    pub fn own(fd: u64) -> Descriptor {
        Descriptor(fd as i32)
    }

    /// Opens a file for reading, closed on exec.
    pub fn open(path: &CStr) -> Result<Descriptor, Errno> {
        host::openat(flags::AT_FDCWD, path, OpenFlags::O_CLOEXEC.to_host(), 0).map(Descriptor::own)
    }

    pub fn number(&self) -> i32 {
        self.0
    }

    /// From here on the next program inherits it.
    pub fn hand_over(&self) {
        // It is open.
        let _ = host::fcntl(self.0, Fcntl::SetFdFlags(0));
    }
}
