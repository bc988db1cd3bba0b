//! /sys/devices/system/cpu/cpuN/regs/identification, which only arm64 has (arch/arm64/kernel/cpuinfo.c): what a
//! program reads that does not trust its own MRS, as it may be on another CPU a moment later.

use super::{At, File, host_file, shown};
use crate::host;
use crate::task::Task;
use linux_abi::{Errno, OpenFlags, SysResult};

/// statfs's f_type of a sysfs.
const SYSFS_MAGIC: i64 = 0x6265_6572;

const SUFFIXES: [(&[u8], File); 2] = [
    (b"/regs/identification/midr_el1", File::Midr),
    (b"/regs/identification/revidr_el1", File::Revidr),
];

/// The CPU's directory, as the kernel names it, if the path leads to one of its registers.
fn cpu_directory(path: &[u8], dirfd: u64) -> Option<Vec<u8>> {
    let prefix = SUFFIXES
        .iter()
        .find_map(|(suffix, _)| path.strip_suffix(*suffix))?;
    let open = OpenFlags::O_PATH.union(OpenFlags::O_CLOEXEC).to_host();
    let fd = host::openat(dirfd as i32, &host_file::c_path(prefix).ok()?, open, 0).ok()? as i32;
    let in_sysfs = host::fstatfs(fd).is_ok_and(|status| status.f_type == SYSFS_MAGIC);
    let name = host_file::name_of(fd);
    let _ = host::close(fd);
    let name = name.ok().filter(|_| in_sysfs)?;
    let at = name.iter().rposition(|&byte| byte == b'/')?;
    let number = name[at..].strip_prefix(b"/cpu")?;
    let is_cpu = name[..at].ends_with(b"/devices/system/cpu")
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit);
    is_cpu.then_some(name)
}

/// A file of the host's that looks as the register's would.
pub fn look_alike(path: &[u8], dirfd: u64) -> Option<Vec<u8>> {
    cpu_directory(path, dirfd).map(|directory| [&directory, &b"/topology/core_id"[..]].concat())
}

/// Opens the file of a register.
pub fn open(task: &Task, at: &At<'_>, file: File, open: OpenFlags) -> Option<SysResult> {
    let directory = cpu_directory(&(at.text)()?, at.dirfd)?;
    if open.access_mode() != 0 {
        return Some(Err(Errno::EACCES));
    }
    if open.contains(OpenFlags::O_DIRECTORY) {
        return Some(Err(Errno::ENOTDIR));
    }
    let value = match file {
        File::Midr => task.process.engine.model().midr,
        // No model has revisions of its own.
        _ => 0,
    };
    let suffix = SUFFIXES.iter().find(|(_, known)| *known == file)?.0;
    Some(shown::create(
        format!("0x{value:016x}\n").as_bytes(),
        &[&directory, suffix].concat(),
        open,
    ))
}
