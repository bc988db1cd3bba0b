//! Files of the host's, read for what they say.

use crate::host;
use linux_abi::{Errno, OpenFlags, flags};
use std::ffi::CString;

/// A path for the kernel.
///
/// # Errors
/// ENOENT for a path with a NUL in it, which no file has.
pub fn c_path(path: &[u8]) -> Result<CString, Errno> {
    CString::new(path).map_err(|_| Errno::ENOENT)
}

/// A file, read whole.
///
/// # Errors
/// The kernel's.
pub fn read(path: &[u8]) -> Result<Vec<u8>, Errno> {
    let flags = OpenFlags::O_CLOEXEC.to_host();
    let fd = host::openat(flags::AT_FDCWD, &c_path(path)?, flags, 0)? as i32;
    let bytes = read_open(fd);
    host::close(fd)?;
    bytes
}

/// The rest of an open file.
///
/// # Errors
/// The kernel's.
pub fn read_open(fd: i32) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut buf = [0_u8; 4096];
    loop {
        match host::read(fd, &mut buf) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&buf[..count as usize]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where a symbolic link leads.
///
/// # Errors
/// The kernel's.
pub fn link(path: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut target = [0_u8; 4096];
    let len = host::readlink(&c_path(path)?, &mut target)? as usize;
    Ok(target[..len].to_vec())
}

/// How the kernel names what a descriptor is open for.
///
/// # Errors
/// Where no proc file system tells.
pub fn name_of(fd: i32) -> Result<Vec<u8>, Errno> {
    link(format!("/proc/self/fd/{fd}").as_bytes())
}
