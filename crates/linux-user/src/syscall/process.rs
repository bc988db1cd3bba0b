//! exit(2) and exit_group(2); clone.rs, exec.rs and thread.rs have the rest of task life, wait4(2) is the host's.

use super::arg::Int;
use crate::host;
use crate::kernel::stop::{self, Boundary, End};
use crate::task::Task;
use linux_abi::SysResult;

/// exit(2): ends this thread.
///
/// # Errors
/// None.
pub fn exit(task: &mut Task, status: Int) -> SysResult {
    task.ended = Some(status.0 & 0xff);
    Ok(0)
}

/// exit_group(2): ends the process, whichever thread asks.
///
/// # Errors
/// None: it does not return.
pub fn exit_group(task: &mut Task, status: Int) -> SysResult {
    stop::raise(task, &Boundary::Exit(End::Status(status.0 & 0xff)));
    task.process.report_statistics();
    host_memory::lock::leaving(true);
    host::exit_group(status.0 as i64 as u64)
}
