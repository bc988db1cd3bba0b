//! clone(2), clone3(2): processes as host processes, threads as host threads.
//!
//! - CLONE_THREAD: a host thread made by the C library, so that thread-local storage works.
//! - CLONE_VM with CLONE_VFORK (vfork, posix_spawn): a host process that shares memory, on
//!   a stack of its own, driving the parent's Task while the parent sleeps in the kernel.
//! - CLONE_VM alone: the same, made by a helper thread that sleeps in the parent's place.
//! - All else: a host process with a copy of memory, flags (CLONE_NEW*) passed on.

use super::fork::fork;
use super::ptrace;
use super::state::ThreadState;
use super::stop::{self, Boundary, Made};
use super::task::{Task, host_tid};
use super::vfork::vfork;
use super::{shared, thread};
use crate::mm::own;
use crate::signal::altstack::AltStack;
use crate::syscall::arg::guard::strip;
use crate::syscall::arg::{read, write};
use guest::cpu_model;
use guest::{CpuState, GuestAddr};
pub use linux_abi::flags::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_FILES, CLONE_FS, CLONE_PARENT, CLONE_PARENT_SETTID,
    CLONE_PIDFD, CLONE_SETTLS, CLONE_SIGHAND, CLONE_THREAD, CLONE_UNTRACED, CLONE_VFORK, CLONE_VM,
};
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use zerocopy::{FromBytes, Immutable, IntoBytes};

pub const CSIGNAL: u64 = 0xff;
pub const SIGCHLD: u64 = 17;
pub const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;

/// struct clone_args, all versions.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}
pub const CLONE_ARGS_SIZE_VER0: u64 = 64;
pub const CLONE_ARGS_SIZE: u64 = size_of::<CloneArgs>() as u64;

/// MAX_PID_NS_LEVEL: how many numbers set_tid may have.
const MAX_PID_NS_LEVEL: u64 = 32;

/// What is asked for, whichever call asked.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub args: CloneArgs,
    /// The child's first stack pointer; 0 keeps the parent's.
    pub sp: u64,
    /// By clone3(2).
    pub extended: bool,
    /// Makes the calling thread sleep while the child shares memory, whatever the guest asked for.
    pub sleeps: bool,
    pub guest_parent_tid: Option<GuestAddr>,
}

/// Starts the process or thread.
///
/// # Errors
/// The kernel's.
pub fn start(task: &mut Task, mut request: Request) -> SysResult {
    let flags = request.args.flags;
    let CloneArgs {
        pidfd,
        parent_tid,
        child_tid,
        set_tid,
        ..
    } = &mut request.args;
    for address in [pidfd, parent_tid, child_tid, set_tid] {
        *address = strip(*address);
    }
    for (flag, pointer) in [
        (CLONE_PARENT_SETTID, request.args.parent_tid),
        (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, request.args.child_tid),
        (CLONE_PIDFD, request.args.pidfd),
    ] {
        if flags & flag != 0 {
            own::check(pointer, 4)?;
        }
    }
    if request.args.set_tid_size <= MAX_PID_NS_LEVEL {
        own::check(request.args.set_tid, request.args.set_tid_size * 4)?;
    }
    if flags & CLONE_SIGHAND != 0 && flags & CLONE_VM == 0 {
        return Err(Errno::EINVAL);
    }
    if flags & CLONE_PIDFD != 0 && flags & CLONE_PARENT_SETTID != 0 && !request.extended {
        return Err(Errno::EINVAL);
    }
    ptrace::prepare(
        task,
        &request,
        flags & (CLONE_VM | CLONE_VFORK | CLONE_THREAD) == CLONE_VM,
    );
    if flags & CLONE_THREAD != 0 {
        if request.args.set_tid_size != 0 && task.trace.is_traced() {
            // The host's tracer would see two threads. So it is for the unprivileged.
            return Err(Errno::EPERM);
        }
        let tid = thread::start(task, request)?;
        stop::raise(task, &Boundary::Cloned(Made::Clone, tid as i32));
        return Ok(tid);
    }
    // The kernel starts no process while a signal waits; it restarts the call.
    task.signals.close()?;
    let result = match flags & (CLONE_VM | CLONE_VFORK) {
        CLONE_VM => shared::start(task, request),
        both if both == CLONE_VM | CLONE_VFORK => vfork(task, request),
        _ => fork(task, request),
    };
    task.signals.open();
    if let Ok(pid @ 1..) = result
        && flags & (CLONE_VM | CLONE_VFORK) != CLONE_VM | CLONE_VFORK
    {
        stop::raise(task, &Boundary::Cloned(request.made(), pid as i32));
        if request.made() == Made::Vfork {
            stop::raise(task, &Boundary::VforkDone(pid as i32));
        }
    }
    result
}

impl Request {
    #[must_use]
    pub fn flags(&self) -> u64 {
        self.args.flags
    }

    /// What the kernel calls it (kernel_clone).
    #[must_use]
    pub fn made(&self) -> Made {
        if self.flags() & CLONE_VFORK != 0 {
            Made::Vfork
        } else if self.args.exit_signal == SIGCHLD {
            Made::Fork
        } else {
            Made::Clone
        }
    }

    /// The same child, but the calling host thread sleeps while it shares memory.
    #[must_use]
    pub fn with_vfork(mut self) -> Request {
        self.sleeps = true;
        self
    }

    /// The same child, but no tracer of the calling host thread gets it.
    #[must_use]
    pub fn untraced(mut self) -> Request {
        self.args.flags |= CLONE_UNTRACED;
        self
    }

    /// Has the kernel write the child's pid to `pid` instead of the guest's pointer. The
    /// guest's own gets it from the child.
    pub fn report_pid_to(&mut self, pid: *mut i32) {
        self.guest_parent_tid =
            (self.args.flags & CLONE_PARENT_SETTID != 0).then_some(GuestAddr(self.args.parent_tid));
        self.args.flags |= CLONE_PARENT_SETTID;
        self.args.parent_tid = pid as u64;
        if self.args.flags & CLONE_PIDFD != 0 {
            // clone(2) has one place for both, clone3(2) has two. It takes no exit signal for a sibling, who
            // gets the parent's.
            self.extended = true;
            if self.args.flags & CLONE_PARENT != 0 {
                self.args.exit_signal = 0;
            }
        }
    }

    /// Stores the child's pid where the guest wanted it, after [`Request::report_pid_to`].
    pub fn store_parent_tid(&self, pid: i32) {
        if let Some(addr) = self.guest_parent_tid {
            // The kernel ignores a bad pointer here as well.
            let _ = write(addr, &pid);
        }
    }

    /// The numbers that the child is to have, from its own namespace outwards.
    ///
    /// # Errors
    /// EINVAL, EFAULT.
    pub fn numbers(&self) -> Result<Vec<i32>, Errno> {
        let CloneArgs {
            set_tid,
            set_tid_size: count,
            ..
        } = self.args;
        if count > MAX_PID_NS_LEVEL || (set_tid == 0) != (count == 0) {
            return Err(Errno::EINVAL);
        }
        (0..count)
            .map(|at| read(GuestAddr(set_tid.wrapping_add(at * 4))))
            .collect()
    }

    #[must_use]
    pub fn args(&self) -> &CloneArgs {
        &self.args
    }

    /// Gives the child's CPU its first state: X0 is 0, stack and TLS are the new ones.
    pub fn prepare(&self, state: &mut CpuState) {
        state.x[0] = 0;
        if self.sp != 0 {
            state.set_sp(self.sp);
        }
        if self.args.flags & CLONE_SETTLS != 0 {
            state.tpidr_el0 = self.args.tls;
        }
        state.exclusive_addr = u64::MAX;
        if state.random != 0 {
            // A repeatable sequence of its own.
            state.random = cpu_model::mixed(state.random) | 1;
        }
    }

    /// The child's own attributes.
    #[must_use]
    pub fn inherited(&self, parent: &ThreadState) -> ThreadState {
        let mut child = parent.clone();
        // man 2 sigaltstack: both would use it at the same time.
        if self.args.flags & (CLONE_VM | CLONE_VFORK) == CLONE_VM {
            child.altstack = AltStack::default();
        }
        if self.args.flags & CLONE_CHILD_CLEARTID != 0 {
            child.clear_child_tid = GuestAddr(self.args.child_tid);
        }
        child
    }

    /// The child takes over the task that it drives.
    pub fn enter_child(&self, task: &mut Task) {
        self.prepare(task.cpu.state_mut());
        task.tid = host_tid();
        task.state = self.inherited(&task.state);
        task.signals.forget_held();
        if self.args.flags & CLONE_CLEAR_SIGHAND != 0 {
            task.process.signals.reset_handlers();
        }
    }

    /// The host's call: its number and arguments. `stack` is the host stack of the child
    /// (start and size), for one that shares memory. The kernel itself serves the tid
    /// pointers and the pidfd; TLS is the guest's own matter.
    pub fn host_call(&self, extended: &mut CloneArgs, stack: Option<(u64, u64)>) -> (u64, [u64; 6]) {
        let sleeps = if self.sleeps { CLONE_VFORK } else { 0 };
        let flags = self.args.flags & !(CLONE_SETTLS | CLONE_CLEAR_SIGHAND) | sleeps;
        let (start, size) = stack.unwrap_or((0, 0));
        if self.extended {
            *extended = CloneArgs {
                flags,
                stack: start,
                stack_size: size,
                tls: 0,
                ..self.args
            };
            let pointer = (&raw const *extended) as u64;
            return (nr::clone3, [pointer, CLONE_ARGS_SIZE, 0, 0, 0, 0]);
        }
        let flags = flags | self.args.exit_signal;
        let top = start + size;
        (
            nr::clone,
            [flags, top, self.args.parent_tid, self.args.child_tid, 0, 0],
        )
    }
}
