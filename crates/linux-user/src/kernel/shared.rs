//! A process that shares memory with its parent while both run (CLONE_VM alone).
//!
//! It needs host thread-local storage of its own. A helper thread lends its: the helper
//! makes the child with CLONE_VFORK added, so that it sleeps as long as the child lives.

use super::clone::{CLONE_SIGHAND, Request};
use super::task::{Task, host_tid};
use super::thread::host_thread;
use super::vfork::{ChildStack, Report, run_shared_child};
use crate::signal::{handler, thread};
use host_memory::lock::{self, Answer};
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

struct Start {
    task: Task,
    request: Request,
    /// The pid that the parent sees.
    report: Report,
    /// The helper's own number.
    helper: i32,
    /// The child's pid, or an error number below 0.
    started: Arc<Answer>,
}

/// Starts the child; the caller has closed its signals.
pub fn start(task: &mut Task, request: Request) -> SysResult {
    // A child of vfork has no host process structure that libc could add the helper to.
    if task.process.shares_memory() {
        return Err(Errno::EAGAIN);
    }
    let started = Arc::new(Answer::default());
    let answer = Arc::clone(&started);
    let seed = task.seed();
    let helper = move || match seed.grow() {
        Ok(child) => help(child, request, answer),
        Err(errno) => answer.give(-errno.0),
    };
    host_thread(&task.process, helper)?;
    // The helper always answers before it ends.
    match started.wait() {
        errno @ ..=0 => Err(Errno(-errno)),
        pid => Ok(pid as u64),
    }
}

/// Runs on the helper thread, with all signals blocked, until the child is gone.
fn help(task: Task, request: Request, started: Arc<Answer>) {
    let stack = match ChildStack::new() {
        Ok(stack) => stack,
        Err(errno) => {
            started.give(-errno.0);
            return;
        }
    };
    let mut start = Start {
        task,
        request: request.with_vfork().untraced(),
        report: Report::default(),
        helper: host_tid(),
        started,
    };
    handler::attach(&start.task.signals);
    let shares_actions = request.flags() & CLONE_SIGHAND != 0;
    let lent = start.task.lend(shares_actions);
    start.request.report_pid_to(start.report.place(&lent));
    let request = start.request;
    // SAFETY: CLONE_VFORK keeps this thread, and so `start`, as they are.
    let result = unsafe { stack.start(&request, child, (&raw mut start).cast()) };
    thread::set_host_mask(!crate::signal::set::SYNC_SET);
    start.task.take_back(lent, result.is_ok());
    handler::detach();
    // It may have been killed before it could say so itself.
    start.started.give(match result {
        Ok(pid) => pid as i32,
        Err(errno) => -errno.0,
    });
}

extern "C" fn child(start: *mut libc::c_void) -> ! {
    // SAFETY: `help` passes its own, which stays as long as this process shares memory.
    let start = unsafe { &mut *start.cast::<Start>() };
    lock::introduce();
    start.task.cpu.take_over();
    let pid = start.report.pid();
    start.task.process.note_pid();
    start.request.enter_child(&mut start.task);
    start.request.store_parent_tid(pid);
    start.started.give(pid);
    start.task.tracees.spare(start.helper);
    run_shared_child(&mut start.task)
}
