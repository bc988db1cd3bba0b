//! getdents64: a listing of /proc/PID/fd does not show the emulator's own descriptors.

use super::arg::{Fd, Ptr, Size};
use crate::mm::own;
use crate::task::Task;
use crate::{host, own_fds};
use guest::GuestAddr;
use guest_memory::access;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// Offsets in struct linux_dirent64.
const RECLEN: i64 = 16;
const NAME: i64 = 19;

/// getdents64(2).
pub fn getdents64(task: &mut Task, fd: Fd, entries: Ptr, size: Size) -> SysResult {
    own::check(entries.0.0, size.0 & 0xffff_ffff)?;
    let args = [fd.register(), entries.0.0, size.0, 0, 0, 0];
    loop {
        let filled = task.interruptible(nr::getdents64, args)?;
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
    let link = format!("/proc/self/fd/{}\0", fd.0);
    let mut target = [0_u8; 64];
    let args = [
        link.as_ptr() as u64,
        (&raw mut target) as u64,
        target.len() as u64,
        0,
        0,
        0,
    ];
    let Ok(len) = host::syscall(nr::readlink, args) else {
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
