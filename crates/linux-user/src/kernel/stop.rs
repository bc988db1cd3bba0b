//! The boundaries at which a task can be stopped and looked at, and who looks.
//!
//! Place in the path: the run loop, system calls, clone and signals raise a [`Boundary`] where it happens; an
//! [`Observer`] sees the task stand there, between two guest instructions, on the task's own thread. -strace is one.
//!
//! The order is the kernel's, as ptrace(2) shows it (Linux kernel/fork.c, kernel_clone; fs/exec.c; kernel/exit.c):
//! - a call is entered, and left unless it ends the task or executes a program;
//! - between the two of a clone its maker sees [`Boundary::Cloned`], and for a vfork then [`Boundary::VforkDone`];
//! - a new task first sees [`Boundary::Started`]; it never left the call that made it;
//! - a new program first sees [`Boundary::Executed`], in the task that entered execve;
//! - BRK is [`Boundary::Breakpoint`], then its signal;
//! - a task that ends by its own doing sees [`Boundary::Exit`] last. Threads that an exit of the whole process takes
//!   along, and tasks killed by the host's kernel, see nothing more.
//!
//! Signals that the guest ignores, and those whose default action the host's kernel takes alone (it dumps no core),
//! do not come here ([`crate::signal::action`]).
//!
//! Cost: without an observer, one test of `Task::observers` at each place; system calls share it with -strace.

use super::task::Task;
use crate::signal::info::SigInfo;
use crate::syscall::Row;
use crate::syscall::arg::Regs;
use linux_abi::SysResult;
use std::cell::Cell;
use std::sync::Arc;

/// A system call as the guest asks for it.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub number: u64,
    /// `None` for a number that the guest's kernel does not have.
    pub row: Option<&'static Row>,
    /// The arguments, unchanged also when the call is left.
    pub regs: &'a Regs,
}

impl Call<'_> {
    /// The name, or the number of a call without one.
    #[must_use]
    pub fn name(&self) -> String {
        self.row
            .map_or_else(|| self.number.to_string(), |row| row.name.to_owned())
    }
}

/// How a task was made (PTRACE_EVENT_FORK, _VFORK, _CLONE).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    Fork,
    Vfork,
    Clone,
}

/// How a task ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Status(i32),
    Signal(i32),
}

/// Where a task stands.
pub enum Boundary<'a> {
    /// Before a system call; X8 and the arguments are in the registers.
    CallEntered(Call<'a>),
    /// Behind that, a seccomp filter asks a tracer about the call (SECCOMP_RET_TRACE): its message, and whether anybody
    /// takes it; without, the call fails. What is in the registers then is what is called.
    Seccomp { message: u16, taken: &'a Cell<bool> },
    /// After it. The result is not in X0 yet, and may be a request to make the call again ([`crate::host::ERESTART`]).
    CallLeft(Call<'a>, SysResult),
    /// Before a signal gets its handler's frame, or kills.
    Signal(&'a SigInfo),
    /// At a BRK.
    Breakpoint(u16),
    /// Between any two instructions, once: an observer was added while the task ran.
    Interrupted,
    /// Behind one instruction, for an observer that asked for it.
    Step,
    /// This task has made another, with that number.
    Cloned(Made, i32),
    /// The child of a vfork has executed a program or ended.
    VforkDone(i32),
    /// The task's first moment. The call is that of a fork, which the child returns from as well.
    Started(Option<Call<'a>>),
    /// A new program's first moment.
    Executed,
    /// The last.
    Exit(End),
}

/// What a task does next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Resume {
    /// Goes on to the next boundary.
    Run,
    /// Executes one instruction, and comes to [`Boundary::Step`] unless that makes another boundary.
    Step,
}

/// Who looks at tasks.
pub trait Observer: Send + Sync {
    /// The calling thread runs `task`, which stands at `boundary`.
    fn at(&self, task: &mut Task, boundary: &Boundary<'_>) -> Resume;
}

/// Those of a process ([`super::registry::Tasks`]); children and threads inherit them.
pub type Observers = Arc<Vec<Arc<dyn Observer>>>;

/// Shows the task to its observers, if it has any.
#[inline]
pub fn raise(task: &mut Task, boundary: &Boundary<'_>) {
    if task.observers.is_some() {
        show(task, boundary);
    }
}

#[cold]
fn show(task: &mut Task, boundary: &Boundary<'_>) {
    let Some(observers) = task.observers.clone() else {
        return;
    };
    let asked = observers.iter().map(|observer| observer.at(task, boundary)).max();
    task.stepping = asked == Some(Resume::Step);
}
