//! exit(2), exit_group(2), waiting, ptrace(2) and seccomp(2); clone.rs, exec.rs and thread.rs have the rest of task life.

use super::arg::{Addr, Hex, Int, Out, Pid, UInt, WaitOptions, Writes};
use crate::host;
use crate::kernel::ptrace;
use crate::kernel::stop::{self, Boundary, End};
use crate::seccomp::install;
use crate::task::Task;
use linux_abi::SysResult;
use linux_abi::layout::Rusage;

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

/// wait4(2).
///
/// # Errors
/// The kernel's.
pub fn wait4(
    task: &mut Task,
    pid: Pid,
    status: Out<i32>,
    options: WaitOptions,
    rusage: Out<Rusage>,
) -> SysResult {
    ptrace::wait4(task, pid, status, options.bits(), rusage)
}

/// waitid(2).
///
/// # Errors
/// The kernel's.
pub fn waitid(
    task: &mut Task,
    kind: Int,
    id: Pid,
    info: Writes<128>,
    options: WaitOptions,
    rusage: Out<Rusage>,
) -> SysResult {
    ptrace::waitid(task, kind.0 as u64, id, info, options.bits(), rusage)
}

/// ptrace(2).
///
/// # Errors
/// The kernel's.
pub fn ptrace(task: &mut Task, request: Hex, pid: Pid, addr: Addr, data: Addr) -> SysResult {
    ptrace::ptrace(task, request.0, pid.0, addr.0.0, data.0.0)
}

/// seccomp(2).
///
/// # Errors
/// The kernel's.
pub fn seccomp(task: &mut Task, operation: UInt, flags: Hex, args: Addr) -> SysResult {
    install::operate(task, operation.0, flags.0 as u32, args.0)
}
