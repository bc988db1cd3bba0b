//! getdents64: a listing of /proc/PID/fd does not show the emulator's own descriptors.

use super::arg::guard::HostArgs;
use super::arg::{Arg, Fd, UInt, WritesUpTo};
use crate::task::Task;
use crate::{host, own_fds};
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::ffi::CString;

/// Offsets in struct linux_dirent64.
const RECLEN: i64 = 16;
const NAME: i64 = 19;

/// getdents64(2).
pub fn getdents64(task: &mut Task, fd: Fd, entries: WritesUpTo<1, 2>, size: UInt) -> SysResult {
    let mut host = HostArgs::default();
    host.regs = [fd.register(), entries.register(), size.register(), 0, 0, 0];
    entries.guard(1, &mut host);
    loop {
        // SAFETY: the entries are guarded.
        let filled = unsafe { task.interruptible(nr::getdents64, host.regs) }?;
        if filled == 0 || !own_fds::any() {
            return Ok(filled);
        }
        let left = remove_own(entries.0, filled, || lists_descriptors(fd)).map_err(|_| Errno::EFAULT)?;
        // Nothing left is not the end of the directory.
        if left > 0 {
            return Ok(left);
        }
    }
}

/// Whether the directory is some process's fd or fdinfo.
fn lists_descriptors(fd: Fd) -> bool {
    let Ok(link) = CString::new(format!("/proc/self/fd/{}", fd.0)) else {
        return false;
    };
    let mut target = [0_u8; 64];
    let Ok(len) = host::readlink(&link, &mut target) else {
        return false;
    };
    let target = &target[..(len as usize).min(target.len())];
    target.starts_with(b"/proc/") && (target.ends_with(b"/fd") || target.ends_with(b"/fdinfo"))
}

/// Takes the entries that are named as own descriptors out of the `filled` bytes, if
/// `applies`; gives what is left.
fn remove_own(entries: GuestAddr, filled: u64, applies: impl Fn() -> bool) -> Result<u64, guest::MemFault> {
    let mut end = filled;
    let mut at = 0;
    while at + (NAME as u64) < end {
        let entry = entries.offset(at as i64);
        let len = access::load(entry.offset(RECLEN), 2)?;
        if len == 0 {
            break;
        }
        if !own_fds::contains(number(entry.offset(NAME))?) {
            at += len;
            continue;
        }
        if !applies() {
            break;
        }
        let mut rest = vec![0; end.saturating_sub(at + len) as usize];
        access::read(entry.offset(len as i64), &mut rest)?;
        access::write(entry, &rest)?;
        end -= len;
    }
    Ok(end)
}

/// The number a name of at most seven digits is, or -1.
fn number(name: GuestAddr) -> Result<i32, guest::MemFault> {
    let mut value = 0;
    for index in 0..8 {
        match access::load(name.offset(index), 1)? as u8 {
            digit @ b'0'..=b'9' => value = value * 10 + i32::from(digit - b'0'),
            0 if index > 0 => return Ok(value),
            _ => return Ok(-1),
        }
    }
    Ok(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of 24 bytes as the kernel lays them out, for names of up to four letters.
    fn listing(names: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in names {
            let mut entry = [0_u8; 24];
            entry[RECLEN as usize] = 24;
            entry[NAME as usize..NAME as usize + name.len()].copy_from_slice(name.as_bytes());
            bytes.extend_from_slice(&entry);
        }
        bytes
    }

    #[test]
    fn own_descriptors_are_left_out() {
        let high = own_fds::adopt(2).expect("a free descriptor");
        let high_name = high.to_string();
        let mut bytes = listing(&["0", &high_name, "1", "x1", ".."]);
        let expected = listing(&["0", "1", "x1", ".."]);
        let addr = GuestAddr(bytes.as_mut_ptr() as u64);
        assert_eq!(
            remove_own(addr, bytes.len() as u64, || false),
            Ok(bytes.len() as u64)
        );
        let left = remove_own(addr, bytes.len() as u64, || true).expect("own memory") as usize;
        assert_eq!(bytes[..left], expected);
    }
}
