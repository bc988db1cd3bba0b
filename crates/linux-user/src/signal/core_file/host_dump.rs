//! How the host's process comes to end with the core flag set (WCOREDUMP, CLD_DUMPED), which only the kernel's own dump
//! does, and only if it could open its file (fs/coredump.c; how much it then writes does not matter).
//!
//! That dump would show the emulator. So it is kept to a page, and goes into a file system in memory that nobody sees and
//! that vanishes with the process: the working directory becomes one, for the moment that is left.

use super::name::Pattern;
use crate::host;
use guest::PAGE_SIZE;
use linux_abi::flags::{CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_NEWUSER, CLONE_VFORK};
use linux_abi::layout::Rlimit;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::ffi::CString;
use std::os::fd::AsRawFd;

/// Makes the calling thread's death by a signal that dumps core one with the flag. False where that cannot be: without
/// user namespaces, or where core_pattern names an absolute path and the process may not change its root.
pub fn prepare(pattern: &Pattern) -> bool {
    // Registers only, whoever reads it. Without /proc the limit alone has to do.
    let _ = std::fs::write("/proc/self/coredump_filter", "0");
    match pattern {
        Pattern::Pipe => true,
        Pattern::File { kernel, .. } => hide(kernel).is_ok() && limit().is_ok(),
    }
}

fn limit() -> Result<(), Errno> {
    let now = host::prlimit(super::RLIMIT_CORE, None)?;
    let small = Rlimit {
        rlim_cur: PAGE_SIZE,
        ..now
    };
    host::prlimit(super::RLIMIT_CORE, Some(&small)).map(drop)
}

/// Has the kernel's file go where nobody sees it.
fn hide(pattern: &[u8]) -> Result<(), Errno> {
    // Others that share the working directory keep theirs.
    host::unshare(CLONE_FS)?;
    let place = file_system().or_else(|_| by_child())?;
    // SAFETY: the call takes no address.
    unsafe { host::raw(nr::fchdir, [place, 0, 0, 0, 0, 0]) }?;
    if pattern.first() == Some(&b'/') {
        let parents = pattern
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| at > 0 && byte == b'/');
        for (at, _) in parents {
            let _ = make_directory(&pattern[1..at]);
        }
        // SAFETY: the kernel reads a string, which it is given.
        unsafe { host::raw(nr::chroot, [c".".as_ptr() as u64, 0, 0, 0, 0, 0]) }?;
    }
    Ok(())
}

fn make_directory(path: &[u8]) -> Result<(), Errno> {
    let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads a string, which it is given.
    unsafe { host::raw(nr::mkdir, [path.as_ptr() as u64, 0o700, 0, 0, 0, 0]) }.map(drop)
}

/// A descriptor of the root of a new tmpfs that is mounted nowhere (fsopen(2)); asks for CAP_SYS_ADMIN.
fn file_system() -> SysResult {
    const FSCONFIG_CMD_CREATE: u64 = 6;
    // SAFETY: the kernel reads a string, which it is given.
    let context = unsafe { host::raw(nr::fsopen, [c"tmpfs".as_ptr() as u64, 0, 0, 0, 0, 0]) }?;
    // SAFETY: the call takes no address.
    unsafe { host::raw(nr::fsconfig, [context, FSCONFIG_CMD_CREATE, 0, 0, 0, 0]) }?;
    // SAFETY: the call takes no address.
    unsafe { host::raw(nr::fsmount, [context, 0, 0, 0, 0, 0]) }
}

/// The same by a child in a user namespace of its own, which shares the descriptors and puts it in place of one.
fn by_child() -> SysResult {
    let place = nix::sys::memfd::memfd_create(c"place", nix::sys::memfd::MFdFlags::empty());
    let place = place.map_err(|error| Errno(error as i32))?;
    let number = place.as_raw_fd() as u64;
    let ask = |number| {
        // SAFETY: the call takes no address.
        unsafe { host::raw(number, [0; 6]) }.unwrap_or(0)
    };
    let maps = [
        (c"/proc/self/setgroups", "deny".to_owned()),
        (c"/proc/self/uid_map", format!("{0} {0} 1", ask(nr::geteuid))),
        (c"/proc/self/gid_map", format!("{0} {0} 1", ask(nr::getegid))),
    ];
    let how = CLONE_FILES | CLONE_VFORK | CLONE_NEWUSER | CLONE_NEWNS;
    // SAFETY: the child has a copy of memory, makes bare system calls, and exits.
    let child = unsafe { host::raw(nr::clone, [how, 0, 0, 0, 0, 0]) }?;
    if child == 0 {
        for (path, text) in &maps {
            if let Ok(fd) = host::openat(flags::AT_FDCWD, path, WRITE_ONLY, 0) {
                let _ = host::write(fd as i32, text.as_bytes());
                let _ = host::close(fd as i32);
            }
        }
        let made = file_system().and_then(|root| host::dup3(root, number, 0));
        loop {
            let _ = host::exit_group(u64::from(made.is_err()));
        }
    }
    let mut status = 0_u32;
    // __WALL: the child has no signal to tell of its end.
    const WALL: u64 = 0x4000_0000;
    // SAFETY: the kernel writes an int, which `status` is.
    let waited = unsafe { host::raw(nr::wait4, [child, (&raw mut status) as u64, WALL, 0, 0, 0]) };
    if waited.is_ok() && status == 0 {
        std::mem::forget(place);
        Ok(number)
    } else {
        Err(Errno::EPERM)
    }
}

const WRITE_ONLY: u64 = 1;
