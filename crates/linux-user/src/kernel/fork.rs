//! fork: a host process with a copy of memory.
//!
//! The kernel's own call, also while other threads run: every lock of the emulator's is held over it, and the C library's
//! are only taken under those (`host_memory::thread`). The process of a tenant has other threads, which take the C
//! library's at any time; so there the C library forks, which holds its allocator's locks meanwhile.
//!
//! # Safety
//! One call of fork(3), whose child goes on as the calling thread.
#![allow(unsafe_code)]

use super::clone::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_PARENT_SETTID, CLONE_SETTLS, CloneArgs, Request, SIGCHLD,
};
use super::ptrace;
use super::task::{Task, host_tid};
use crate::host;
use crate::syscall::arg::write;
use guest::GuestAddr;
use host_memory::lock;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

/// A process with a copy of memory.
pub fn fork(task: &mut Task, request: Request) -> SysResult {
    let process = Arc::clone(&task.process);
    let mut extended = CloneArgs::default();
    let (number, args) = request.host_call(&mut extended, None);
    process.mm.before_fork();
    let mut all = lock::all();
    let pid = match process.tenancy() {
        Some(_) if request.is_plain_fork() => fork_by_libc(&request)?,
        // SAFETY: the tid pointers were checked not to be the emulator's; the child has the caller's memory, or a copy.
        _ => unsafe { host::raw(number, args) }?,
    };
    if pid == 0 {
        // Also without threads here: the parent of a vfork child may have some.
        process.engine.keep_only(&mut all, &task.cpu);
    }
    drop(all);
    if pid == 0 {
        lock::become_whole();
        process.became_child(task.cpu.poll_handle());
        process.has_own_memory();
        process.mm.became_copy();
        process.filters.only(host_tid(), task.state.seccomp.filters());
        request.enter_child(task);
        ptrace::forked(task);
        task.forked = true;
    }
    Ok(pid)
}

impl Request {
    /// Whether libc's fork does the same.
    fn is_plain_fork(&self) -> bool {
        let tids = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS;
        let args = self.args();
        args.flags & !tids == 0 && args.exit_signal == SIGCHLD && args.set_tid_size == 0
    }
}

/// The plain fork, and the kernel's share in the guest's tid pointers.
fn fork_by_libc(request: &Request) -> SysResult {
    let args = request.args();
    // The kernel ignores a bad pointer in these places as well.
    // SAFETY: all locks of the emulator's are held, so the child finds what they guard whole.
    match unsafe { libc::fork() } {
        0 => {
            if args.flags & CLONE_CHILD_SETTID != 0 {
                let _ = write(GuestAddr(args.child_tid), &host_tid());
            }
            Ok(0)
        }
        pid if pid > 0 => {
            if args.flags & CLONE_PARENT_SETTID != 0 {
                let _ = write(GuestAddr(args.parent_tid), &pid);
            }
            Ok(pid as u64)
        }
        // The kernel's other reason, ENOMEM, is as transient.
        _ => Err(Errno::EAGAIN),
    }
}
