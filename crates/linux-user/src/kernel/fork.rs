//! fork: a host process with a copy of memory.
//!
//! The kernel's own call, also while other threads run: every lock of the emulator's is held over it, and the C library's
//! are only taken under those (`host_memory::thread`).

use super::clone::{CloneArgs, Request};
use super::task::Task;
use crate::host;
use host_memory::lock;
use linux_abi::SysResult;
use std::sync::Arc;

/// A process with a copy of memory.
pub fn fork(task: &mut Task, request: Request) -> SysResult {
    let process = Arc::clone(&task.process);
    let mut extended = CloneArgs::default();
    let (number, args) = request.host_call(&mut extended, None);
    let mut all = lock::all();
    let pid = host::syscall(number, args)?;
    if pid == 0 {
        // Also without threads here: the parent of a vfork child may have some.
        process.engine.keep_only(&mut all, &task.cpu);
    }
    drop(all);
    if pid == 0 {
        lock::become_whole();
        process.became_child(task.cpu.poll_handle());
        process.has_own_memory();
        request.enter_child(task);
        task.forked = true;
    }
    Ok(pid)
}
