//! execve(2) and execveat(2).

use super::arg::{AtFlags, CStrArray, Fd, GuestCStr};
use crate::kernel::exec::execute;
use crate::task::Task;
use linux_abi::{SysResult, flags};

/// execve(2).
pub fn execve(task: &mut Task, path: GuestCStr, argv: CStrArray, envp: CStrArray) -> SysResult {
    execute(task, flags::AT_FDCWD, path.0, argv.0, envp.0, 0)
}

/// execveat(2).
pub fn execveat(
    task: &mut Task,
    dirfd: Fd,
    path: GuestCStr,
    argv: CStrArray,
    envp: CStrArray,
    at: AtFlags,
) -> SysResult {
    execute(task, dirfd.0, path.0, argv.0, envp.0, at.bits())
}
