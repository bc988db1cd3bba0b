//! seccomp(2): the guest's filters, carried out where its system calls are.
//!
//! Place in the path: [`check`] stands between the boundary "call entered" and the call itself, as secure_computing
//! stands behind the tracer's stop in arm64's syscall_trace_enter. Filters see the guest's call: its number, the
//! architecture AArch64, the program counter behind the SVC. The host's kernel knows nothing of them, but for
//! a marker ([`marker`]), which keeps them over execve, and for a listener ([`notify`]).
//!
//! The files: [`bpf`] a program, [`filter`] a task's filters, [`install`] the call itself, [`shared`] what threads have
//! to agree on, [`handed`] the way to the next program.
//!
//! Invariants:
//! - A filter binds what the guest asks of the kernel. It is no wall around guest code, which runs in the emulator's
//!   process: code that attacks the emulator is not stopped.
//! - A task has no fewer filters than its maker had, and no fewer after execve.
//! - Cost: until a task of the host process has a filter, one test a call; then a bit's test for the numbers that the
//!   task's filters always allow.

pub mod bpf;
pub mod filter;
pub mod handed;
pub mod install;
mod marker;
pub mod notify;
pub mod shared;

use crate::kernel::stop::{self, Boundary};
use crate::kernel::task::Task;
use crate::signal::deliver;
use crate::signal::info::SigInfo;
use crate::signal::set::{SIGKILL, SIGSYS};
use crate::syscall::arg::Regs;
use crate::syscall::time;
use bpf::Data;
use filter::{AUDIT_ARCH_AARCH64, Action, Filter};
use linux_abi::nr::arm64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

/// SECCOMP_MODE_*, as prctl(PR_GET_SECCOMP) gives it.
pub mod mode {
    pub const DISABLED: u64 = 0;
    pub const STRICT: u64 = 1;
    pub const FILTER: u64 = 2;
}

/// What a thread has of it. A clone is what a child or thread inherits.
#[derive(Clone, Debug, Default)]
pub struct Seccomp {
    /// Mode 1: only read, write, exit and rt_sigreturn.
    strict: bool,
    filters: Option<Arc<Filter>>,
    /// How many filters of ours the host's kernel has in this thread. Each of them marks it.
    marks: u64,
    /// The synchronisation it has followed; see [`shared`].
    synced: u64,
}

impl Seccomp {
    #[must_use]
    pub fn mode(&self) -> u64 {
        if self.strict {
            mode::STRICT
        } else if self.filters.is_some() {
            mode::FILTER
        } else {
            mode::DISABLED
        }
    }

    /// The newest filter, with those below it.
    #[must_use]
    pub fn filters(&self) -> Option<&Arc<Filter>> {
        self.filters.as_ref()
    }

    /// What /proc/PID/status is to tell of the thread.
    #[must_use]
    pub fn ours(&self) -> Ours {
        Ours {
            mode: self.mode(),
            filters: self
                .filters
                .as_ref()
                .map_or(0, |filters| u64::from(filters.count())),
            marks: self.marks,
        }
    }
}

/// The guest's share in /proc/PID/status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ours {
    pub mode: u64,
    pub filters: u64,
    /// How many of the host's filters stand for them.
    pub marks: u64,
}

impl Ours {
    /// Seccomp and Seccomp_filters, where the host says `host` of the emulator's thread.
    #[must_use]
    pub fn shown(self, host: Shown) -> Shown {
        let others = host.filters.saturating_sub(self.marks);
        Shown {
            mode: self.mode.max(if others == 0 { 0 } else { host.mode }),
            filters: others + self.filters,
        }
    }
}

/// What /proc/PID/status tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    pub mode: u64,
    pub filters: u64,
}

/// What becomes of a call.
pub enum Verdict {
    Make,
    /// A tracer was shown it, so it may be another now: registers are to be read again.
    Again,
    /// It is not made; this is for X0.
    Done(SysResult),
}

/// Asks the task's filters about a call.
#[inline]
pub fn check(task: &mut Task, number: u64, regs: &Regs) -> Verdict {
    if task.process.filters.generation() != task.state.seccomp.synced {
        shared::follow(task);
    }
    let seccomp = &task.state.seccomp;
    match &seccomp.filters {
        None if !seccomp.strict => Verdict::Make,
        Some(filters) if filters.always_allows(number) => Verdict::Make,
        Some(_) | None => decide(task, number, regs, false),
    }
}

/// Asks again about a call that a tracer was shown: it is not shown twice.
pub fn recheck(task: &mut Task, number: u64, regs: &Regs) -> Verdict {
    decide(task, number, regs, true)
}

#[cold]
fn decide(task: &mut Task, number: u64, regs: &Regs, traced: bool) -> Verdict {
    let pc = task.cpu.state().pc;
    if time::is_made_without_a_call(task, number, regs[0]) {
        return Verdict::Make;
    }
    let data = Data {
        nr: number as i32,
        arch: AUDIT_ARCH_AARCH64,
        instruction_pointer: pc,
        args: std::array::from_fn(|at| regs[at]),
    };
    let action = match &task.state.seccomp.filters {
        Some(filters) => filters.decide(&data),
        None if is_strict(data.nr) => Action::Allow,
        None => {
            end_thread(task, SIGKILL, &SigInfo::fault(SIGKILL, 0, 0));
            return Verdict::Done(Ok(regs[0]));
        }
    };
    Verdict::Done(match action {
        Action::Allow => return Verdict::Make,
        Action::Errno(number) => refusal(number),
        Action::Trap(reason) => {
            deliver::seccomp_trap(task, &sigsys(&data, reason));
            // The kernel puts back what the call found, which the handler's frame has; the handler has its own.
            Ok(task.cpu.state().reg(0))
        }
        Action::Trace(_) if traced => return Verdict::Make,
        Action::Trace(message) => {
            let taken = std::cell::Cell::new(false);
            let boundary = Boundary::Seccomp {
                message,
                taken: &taken,
            };
            stop::raise(task, &boundary);
            if taken.get() {
                return Verdict::Again;
            }
            Err(Errno::ENOSYS)
        }
        Action::Notify { listener: false } => Err(Errno::ENOSYS),
        Action::Notify { listener: true } => match notify::ask(task, number, regs) {
            Some(result) => result,
            None => return Verdict::Make,
        },
        Action::KillThread => {
            end_thread(task, SIGSYS, &sigsys(&data, 0));
            Ok(regs[0])
        }
        Action::KillProcess => {
            deliver::die(task, &sigsys(&data, 0));
            Ok(regs[0])
        }
    })
}

/// A result of ERRNO: 0 is success, and the kernel's own numbers ask for no restart here.
fn refusal(number: u16) -> SysResult {
    const ERESTARTSYS: i32 = crate::host::ERESTART.0;
    match i32::from(number) {
        0 => Ok(0),
        number @ ERESTARTSYS.. => Ok(-i64::from(number) as u64),
        number => Err(Errno(number)),
    }
}

/// The calls of mode 1.
fn is_strict(number: i32) -> bool {
    const READ: i32 = nr::number("read") as i32;
    const WRITE: i32 = nr::number("write") as i32;
    const EXIT: i32 = nr::number("exit") as i32;
    const RT_SIGRETURN: i32 = nr::number("rt_sigreturn") as i32;
    matches!(number, READ | WRITE | EXIT | RT_SIGRETURN)
}

/// siginfo of a SIGSYS of seccomp's (seccomp_init_siginfo).
fn sigsys(data: &Data, reason: u16) -> SigInfo {
    const SYS_SECCOMP: i32 = 1;
    let mut info = SigInfo::fault(SIGSYS, SYS_SECCOMP, data.instruction_pointer);
    info.0[0] |= u64::from(reason) << 32;
    info.0[3] = u64::from(data.nr as u32) | u64::from(data.arch) << 32;
    info
}

/// The thread ends by a signal, alone if there are others.
fn end_thread(task: &mut Task, signal: i32, info: &SigInfo) {
    if task.process.is_threaded() {
        task.ended = Some(128 + signal);
    } else {
        deliver::die(task, info);
    }
}
