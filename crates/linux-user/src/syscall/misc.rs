//! Calls that tell what system this is.

use super::arg::Out;
use crate::host;
use crate::task::Task;
use linux_abi::layout::Utsname;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// uname(2): the host's names, but the guest's machine, and the release of -r.
pub fn uname(task: &mut Task, buf: Out<Utsname>) -> SysResult {
    let mut names = host::uname()?;
    names.machine = field(b"aarch64");
    if let Some(release) = &task.process.options.uname_release {
        names.release = field(release.as_bytes());
    }
    buf.write(&names)?;
    Ok(0)
}

/// A NUL-terminated field, cut to fit.
fn field(text: &[u8]) -> [u8; 65] {
    let mut bytes = [0; 65];
    let len = text.len().min(64);
    bytes[..len].copy_from_slice(&text[..len]);
    bytes
}

/// restart_syscall(2): what the kernel has a traced task call, behind a stop within a call that sleeps.
///
/// # Errors
/// EINTR if there is nothing to take up again.
pub fn restart_syscall(task: &mut Task) -> SysResult {
    if !task.trace.take_resumes() {
        return Err(Errno::EINTR);
    }
    // SAFETY: the kernel goes on with the call that it interrupted, on the memory that this was given.
    unsafe { task.interruptible(nr::restart_syscall, [0; 6]) }
}
