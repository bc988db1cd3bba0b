//! Calls that tell what system this is.

use super::arg::Out;
use crate::host;
use crate::task::Task;
use linux_abi::SysResult;
use linux_abi::layout::Utsname;

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
