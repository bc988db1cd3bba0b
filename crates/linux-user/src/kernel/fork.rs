//! fork: a host process with a copy of memory.

use super::clone::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_PARENT_SETTID, CLONE_SETTLS, CloneArgs, Request, SIGCHLD,
};
use super::task::{Task, host_tid};
use crate::host;
use crate::syscall::arg::write;
use guest::GuestAddr;
use linux_abi::SysResult;
use std::sync::Arc;

/// A process with a copy of memory.
pub fn fork(task: &mut Task, request: Request) -> SysResult {
    let process = Arc::clone(&task.process);
    // Lock order: the map, the dispositions, the engine.
    let map = process.mm.freeze();
    let actions = process.signals.freeze();
    let mut engine = process.engine.lock_for_fork();
    let tasks = process.tasks.freeze();
    let threaded = process.is_threaded();
    let pid = if threaded && request.is_plain_fork() {
        host::fork_with_libc_locks(&request)?
    } else {
        let mut extended = CloneArgs::default();
        let (number, args) = request.host_call(&mut extended, None);
        host::syscall(number, args)?
    };
    if pid == 0 {
        // Also without threads here: the parent of a vfork child may have some.
        engine.keep_only(&task.cpu);
    }
    drop((tasks, engine, actions, map));
    if pid == 0 {
        process.became_child(task.cpu.poll_handle());
        request.enter_child(task);
        task.forked = true;
    }
    Ok(pid)
}

impl Request {
    /// Whether libc's fork does the same.
    fn is_plain_fork(&self) -> bool {
        let tids = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS;
        self.args.flags & !tids == 0 && self.args.exit_signal == SIGCHLD && self.args.set_tid_size == 0
    }
}

impl host::ForkTids for Request {
    fn in_child(&self) {
        if self.args.flags & CLONE_CHILD_SETTID != 0 {
            // The kernel ignores a bad pointer here as well.
            let _ = write(GuestAddr(self.args.child_tid), &host_tid());
        }
    }
    fn in_parent(&self, pid: i32) {
        if self.args.flags & CLONE_PARENT_SETTID != 0 {
            let _ = write(GuestAddr(self.args.parent_tid), &pid);
        }
    }
}
