//! A process that shares memory with its parent while both run (CLONE_VM alone).
//!
//! It needs host thread-local storage of its own. A helper thread lends its: the helper
//! makes the child with CLONE_VFORK added, so that it sleeps as long as the child lives.

use super::clone::{CLONE_SIGHAND, Request};
use super::task::Task;
use super::thread::host_thread;
use super::vfork::{ChildStack, run_shared_child};
use crate::signal::{handler, thread};
use linux_abi::{Errno, SysResult};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

struct Start {
    task: Task,
    request: Request,
    /// Whose pid the parent sees: written by the kernel before the child runs.
    pid: i32,
    ready: Sender<Result<i32, Errno>>,
}

/// Starts the child; the caller has closed its signals.
pub fn start(task: &mut Task, request: Request) -> SysResult {
    let (ready, started) = mpsc::channel();
    let seed = task.seed();
    let helper = move || match seed.grow() {
        Ok(child) => help(child, request, ready),
        Err(errno) => {
            let _ = ready.send(Err(errno));
        }
    };
    host_thread(&task.process, helper)?;
    // The helper always answers before it ends.
    let pid = started.recv().unwrap_or(Err(Errno::EAGAIN))?;
    Ok(pid as u64)
}

/// Runs on the helper thread, with all signals blocked, until the child is gone.
fn help(task: Task, request: Request, ready: Sender<Result<i32, Errno>>) {
    let failed = ready.clone();
    let stack = match ChildStack::new() {
        Ok(stack) => stack,
        Err(errno) => {
            let _ = failed.send(Err(errno));
            return;
        }
    };
    let mut start = Start {
        task,
        request: request.with_vfork(),
        pid: 0,
        ready,
    };
    start.request.report_pid_to(&raw mut start.pid);
    let request = start.request;
    handler::attach(&start.task.signals);
    // SAFETY: CLONE_VFORK keeps this thread, and so `start`, as they are.
    let result = unsafe { stack.start(&request, child, (&raw mut start).cast()) };
    thread::set_host_mask(!crate::signal::set::SYNC_SET);
    handler::detach();
    if let Err(errno) = result {
        let _ = failed.send(Err(errno));
    }
}

extern "C" fn child(start: *mut libc::c_void) -> ! {
    // SAFETY: `help` passes its own, which stays as long as this process shares memory.
    let start = unsafe { &mut *start.cast::<Start>() };
    let shares_actions = start.request.flags() & CLONE_SIGHAND != 0;
    start.task.process = Arc::new(start.task.process.sharing_memory(shares_actions));
    start.request.enter_child(&mut start.task);
    start.request.store_parent_tid(start.pid);
    let _ = start.ready.send(Ok(start.pid));
    run_shared_child(&mut start.task)
}
