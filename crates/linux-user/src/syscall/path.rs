//! Path arguments: the -L prefix, and the paths that may lead to files of ours ([`crate::proc`]).
//!
//! Without -L, and but for those, the guest's pointer goes to the kernel untouched.

use super::arg::guard::passed;
use super::arg::{self, GuestCStr};
use crate::host;
use crate::proc::{At, File};
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::{Errno, PATH_MAX, flags};
use std::ffi::CString;

/// Whether a last symbolic link is followed, for the test if the prefixed path exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    Follow,
    Keep,
}

/// A path for the host's kernel: the guest's own bytes, or a replacement.
pub struct HostPath {
    guest: GuestAddr,
    replaced: Option<CString>,
}

impl HostPath {
    /// The guest's string as it is.
    #[must_use]
    pub fn plain(path: GuestCStr) -> HostPath {
        HostPath {
            guest: path.0,
            replaced: None,
        }
    }

    /// Another path, up to its first NUL.
    #[must_use]
    pub fn replaced(mut path: Vec<u8>) -> HostPath {
        let end = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
        path.truncate(end);
        HostPath {
            guest: GuestAddr::NULL,
            replaced: CString::new(path).ok(),
        }
    }

    /// The register to pass; valid while `self` lives.
    #[must_use]
    pub fn register(&self) -> u64 {
        match &self.replaced {
            Some(bytes) => bytes.as_ptr() as u64,
            None => passed(self.guest.0, 1),
        }
    }
}

/// Reads a path whole.
///
/// # Errors
/// EFAULT, or ENAMETOOLONG.
pub fn read(path: GuestCStr) -> Result<Vec<u8>, Errno> {
    arg::read_cstr(path.0, PATH_MAX - 1)?.ok_or(Errno::ENAMETOOLONG)
}

/// Applies the -L rule: an absolute path that exists below the prefix is taken from there.
#[must_use]
pub fn resolve(task: &Task, path: GuestCStr, links: Links) -> HostPath {
    let Some(sysroot) = task.process.options.sysroot_bytes() else {
        return HostPath::plain(path);
    };
    if access::load(path.0, 1) != Ok(u64::from(b'/')) {
        return HostPath::plain(path);
    }
    // What cannot be read is left to the kernel to refuse.
    let Ok(bytes) = read(path) else {
        return HostPath::plain(path);
    };
    let candidate = HostPath::replaced([sysroot, &bytes].concat());
    if exists(&candidate, links) {
        candidate
    } else {
        HostPath::plain(path)
    }
}

/// What `use_it` makes of a path whose last component is a name of a file of ours.
pub fn special<R>(
    dirfd: u64,
    path: GuestCStr,
    resolve: u64,
    use_it: impl FnOnce(&At<'_>, File) -> Option<R>,
) -> Option<R> {
    let file = File::ending(path.0)?;
    let text = || read(path).ok();
    let at = At {
        dirfd,
        path: passed(path.0.0, 1),
        resolve,
        text: &text,
    };
    use_it(&at, file)
}

fn exists(path: &HostPath, links: Links) -> bool {
    let at_flags = match links {
        Links::Follow => 0,
        Links::Keep => flags::AT_SYMLINK_NOFOLLOW,
    };
    let Some(path) = &path.replaced else {
        return false;
    };
    match host::faccessat2(flags::AT_FDCWD, path, 0, at_flags) {
        Ok(_) => true,
        // Before Linux 5.8.
        Err(Errno::ENOSYS) => host::faccessat(flags::AT_FDCWD, path, 0).is_ok(),
        Err(_) => false,
    }
}
