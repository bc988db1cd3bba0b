//! set_tid_address(2), set_robust_list(2) and get_robust_list(2).

use super::arg::{Addr, Pid, Size, Writes, write};
use crate::host;
use crate::kernel::thread::ROBUST_LIST_HEAD_SIZE;
use crate::mm::own;
use crate::task::Task;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};

/// set_tid_address(2).
pub fn set_tid_address(task: &mut Task, tid: Addr) -> SysResult {
    task.state.clear_child_tid = tid.0;
    Ok(task.tid as u64)
}

/// set_robust_list(2). The host's kernel knows the list as well, and walks it when the
/// whole process is killed.
pub fn set_robust_list(task: &mut Task, head: Addr, len: Size) -> SysResult {
    if len.0 != ROBUST_LIST_HEAD_SIZE {
        return Err(Errno::EINVAL);
    }
    own::check(head.0.0, len.0)?;
    // SAFETY: the kernel only notes the address. What it marks at the end of the thread are words
    // that hold its thread identifier.
    unsafe { host::raw(nr::set_robust_list, [head.0.0, len.0, 0, 0, 0, 0]) }?;
    task.state.robust_list = head.0;
    Ok(0)
}

/// get_robust_list(2).
pub fn get_robust_list(task: &mut Task, pid: Pid, head: Writes<8>, len: Writes<8>) -> SysResult {
    if pid.0 == 0 || pid.0 == task.tid {
        // The host's may still be libc's own.
        write(len.0, &ROBUST_LIST_HEAD_SIZE)?;
        write(head.0, &task.state.robust_list.0)?;
        return Ok(0);
    }
    let args = [pid.0 as i64 as u64, head.passed(), len.passed(), 0, 0, 0];
    // SAFETY: both words are guarded.
    unsafe { host::raw(nr::get_robust_list, args) }
}
