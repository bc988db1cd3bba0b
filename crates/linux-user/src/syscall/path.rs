//! Path arguments: the -L prefix and the files of /proc that tell of the guest.
//!
//! Without -L and outside /proc, the guest's pointer goes to the kernel untouched.

use super::arg::{Fd, GuestCStr};
use crate::host;
use crate::task::Task;
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, flags};

/// PATH_MAX, with its NUL.
const PATH_MAX: usize = 4096;

/// Whether a last symbolic link is followed, for the test if the prefixed path exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    Follow,
    Keep,
}

/// A path for the host's kernel: the guest's own bytes, or a replacement.
pub struct HostPath {
    guest: GuestAddr,
    replaced: Option<Vec<u8>>,
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

    /// Another path; the NUL is added.
    #[must_use]
    pub fn replaced(mut path: Vec<u8>) -> HostPath {
        path.push(0);
        HostPath {
            guest: GuestAddr::NULL,
            replaced: Some(path),
        }
    }

    /// The register to pass; valid while `self` lives.
    #[must_use]
    pub fn register(&self) -> u64 {
        match &self.replaced {
            Some(bytes) => bytes.as_ptr() as u64,
            None => self.guest.0,
        }
    }
}

/// Reads a path whole.
///
/// # Errors
/// EFAULT, or ENAMETOOLONG.
pub fn read(path: GuestCStr) -> Result<Vec<u8>, Errno> {
    match access::read_cstr(path.0, PATH_MAX - 1) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Errno::ENAMETOOLONG),
        Err(_) => Err(Errno::EFAULT),
    }
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

fn exists(path: &HostPath, links: Links) -> bool {
    let at_flags = match links {
        Links::Follow => 0,
        Links::Keep => flags::AT_SYMLINK_NOFOLLOW,
    };
    let dirfd = Fd(flags::AT_FDCWD).register();
    match host::syscall(nr::faccessat2, [dirfd, path.register(), 0, at_flags, 0, 0]) {
        Ok(_) => true,
        // Before Linux 5.8.
        Err(Errno::ENOSYS) => host::syscall(nr::faccessat, [dirfd, path.register(), 0, 0, 0, 0]).is_ok(),
        Err(_) => false,
    }
}

/// The path without doubled slashes and `.` parts, if it leads into /proc.
#[must_use]
pub fn in_proc(path: GuestCStr) -> Option<Vec<u8>> {
    // One load tells nearly all paths apart; a short string at the end of its page may
    // refuse eight bytes, and then is read whole.
    if let Ok(word) = access::load(path.0, 8) {
        let bytes = word.to_le_bytes();
        if bytes[0] != b'/' || !matches!(bytes[1], b'p' | b'/' | b'.') {
            return None;
        }
    }
    let normal = normalise(&read(path).ok()?)?;
    (normal.starts_with(b"/proc/")).then_some(normal)
}

fn normalise(path: &[u8]) -> Option<Vec<u8>> {
    if path.first() != Some(&b'/') {
        return None;
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            // Needs the file system to know where it leads.
            b".." => return None,
            name => {
                normal.push(b'/');
                normal.extend_from_slice(name);
            }
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_into_proc_are_found() {
        let cases: [(&[u8], Option<&[u8]>); 7] = [
            (b"/proc/self/exe\0", Some(b"/proc/self/exe")),
            (b"//proc/./self//maps\0", Some(b"/proc/self/maps")),
            (b"/./proc/cpuinfo\0", Some(b"/proc/cpuinfo")),
            (b"/proc/../etc\0", None),
            (b"/process\0", None),
            (b"proc/self\0", None),
            (b"/usr/lib\0", None),
        ];
        for (path, expected) in cases {
            let found = in_proc(GuestCStr(GuestAddr(path.as_ptr() as u64)));
            assert_eq!(found.as_deref(), expected, "{}", String::from_utf8_lossy(path));
        }
    }
}
