//! What one emulator hands to the next over execve, beside the options: one private
//! environment variable, which the guest never sees.

use crate::{host, own_fds};
use linux_abi::SysResult;
use linux_abi::flags;
use linux_abi::nr::x86_64 as nr;
use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, Ordering};

/// The variable's name.
pub const VARIABLE: &[u8] = b"_RAEMU_EXEC";

/// The emulator's own file, open since start: a chroot may hold neither it nor /proc.
static EMULATOR: AtomicI32 = AtomicI32::new(-1);

/// The contents of the variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The emulator's file.
    pub emulator: Option<i32>,
    /// The guest's program, if it was executed through a descriptor. To be closed once loaded.
    pub program: Option<i32>,
    /// The name of the main thread.
    pub comm: Vec<u8>,
}

impl Inherited {
    /// `NAME=value`.
    #[must_use]
    pub fn to_variable(&self) -> Vec<u8> {
        let number = |fd: Option<i32>| fd.unwrap_or(-1);
        let mut text = VARIABLE.to_vec();
        text.extend_from_slice(format!("={},{},", number(self.emulator), number(self.program)).as_bytes());
        text.extend_from_slice(&self.comm);
        text
    }

    /// From an environment entry; `None` if it is another variable.
    #[must_use]
    pub fn from_variable(entry: &[u8]) -> Option<Inherited> {
        let value = entry.strip_prefix(VARIABLE)?.strip_prefix(b"=")?;
        let mut parts = value.splitn(3, |&byte| byte == b',');
        let mut number = || {
            let text = std::str::from_utf8(parts.next()?).ok()?;
            text.parse::<i32>().ok().filter(|&fd| fd >= 0)
        };
        let (emulator, program) = (number(), number());
        Some(Inherited {
            emulator,
            program,
            comm: parts.next().unwrap_or_default().to_vec(),
        })
    }
}

/// Keeps the emulator's own file open: the inherited descriptor, /proc/self/exe, or, where
/// there is no /proc, the file at `path` if the caller knows one. To be called once at start,
/// before the guest can change root.
pub fn hold_emulator(inherited: Option<i32>, path: Option<&CStr>) {
    let held = match inherited {
        Some(fd) => own_fds::claim(fd),
        None => open_high(c"/proc/self/exe").or_else(|error| open_high(path.ok_or(error)?)),
    };
    // Without it the guest cannot execute arm64 programs but by the kernel.
    if let Ok(fd) = held {
        EMULATOR.store(fd as i32, Ordering::Relaxed);
    }
}

/// Opens a file for execution, at a descriptor that is the emulator's.
fn open_high(path: &CStr) -> SysResult {
    const O_PATH: u64 = 0o10000000;
    const O_CLOEXEC: u64 = 0o2000000;
    let dir = flags::AT_FDCWD as i64 as u64;
    let args = [dir, path.as_ptr() as u64, O_PATH | O_CLOEXEC, 0, 0, 0];
    let fd = host::syscall(nr::openat, args)?;
    let high = own_fds::adopt(fd as i32);
    host::syscall(nr::close, [fd, 0, 0, 0, 0, 0])?;
    high.map(|fd| fd as u64)
}

/// The descriptor of [`hold_emulator`].
#[must_use]
pub fn emulator_fd() -> Option<i32> {
    let fd = EMULATOR.load(Ordering::Relaxed);
    (fd >= 0).then_some(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_reads_back() {
        let cases = [
            Inherited::default(),
            Inherited {
                emulator: Some(1000),
                program: Some(4),
                comm: b"a,b=c".to_vec(),
            },
        ];
        for case in cases {
            assert_eq!(Inherited::from_variable(&case.to_variable()), Some(case));
        }
        assert_eq!(Inherited::from_variable(b"_RAEMU_EXECUTE=1"), None);
        assert_eq!(
            Inherited::from_variable(b"_RAEMU_EXEC=x"),
            Some(Inherited::default())
        );
    }
}
