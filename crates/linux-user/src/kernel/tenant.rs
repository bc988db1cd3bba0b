//! A guest process that is a tenant of its host process: its end is a value, and the host process lives on.
//!
//! The command's guest is the host process, so exit_group(2) ends it and a fatal signal kills it. Under a library the
//! host process belongs to somebody else. There [`Process::tenancy`] holds how the guest ended; whoever ends it has all
//! its other threads leave their run loops, and [`resume`] gives the outcome once they are gone. A child that the
//! guest forks is a host process of its own, and ends as one.
//!
//! Place in the path: above the run loop, and ahead of the few system calls that would reach beyond the guest
//! ([`intercept`]). Tasks of a tenant go the way of observed ones through the system call table, so that others pay
//! nothing.
//!
//! Lock order: the locks here come after all others, `members` before `outcome`. A signal may be sent under `members`.

use super::process::Process;
use super::run;
use super::task::Task;
use super::thread;
use crate::host;
use crate::signal::action::SA_RESTART;
use crate::signal::handler;
use crate::signal::set::{SIGKILL, SIGTRAP};
use crate::signal::thread::{Alarm, ThreadSignals, host_mask, set_host_mask};
use crate::syscall::arg::Regs;
use guest::Exit;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

/// How a guest process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// By exit_group(2), or by exit(2) of its last thread, with this status (0 to 255).
    Exited(i32),
    /// By a signal.
    Killed(Death),
}

/// A death by a signal, with what siginfo_t says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    /// The signal's number.
    pub signal: i32,
    /// `si_code`: positive for what the guest's own instruction caused.
    pub code: i32,
    /// `si_addr` of a fault, a guest address; 0 for other signals.
    pub addr: u64,
    /// The guest's program counter: the instruction that faulted, or the next one.
    pub pc: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Exited(status) => write!(f, "exited with status {status}"),
            Outcome::Killed(death) => {
                let Death { addr, pc, .. } = death;
                let name = crate::signal::set::name(death.signal);
                write!(f, "killed by {name} (address {addr:#x}) at {pc:#x}")
            }
        }
    }
}

/// A thread of a tenant.
struct Member {
    tid: i32,
    alarm: Alarm,
}

/// How a tenant ended, once it has, and its threads until then.
#[derive(Default)]
pub struct Tenancy {
    outcome: Mutex<Option<Outcome>>,
    members: Mutex<Vec<Member>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tenancy {
    /// How the process ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        *lock(&self.outcome)
    }

    /// The process ends thus, unless it has ended already; no thread of it goes on.
    fn end(&self, outcome: Outcome) {
        lock(&self.outcome).get_or_insert(outcome);
        self.stop_members();
    }

    /// Has all threads leave their run loops at their next boundary, and what blocks them in the kernel return.
    fn stop_members(&self) {
        let pid = std::process::id();
        for member in lock(&self.members).iter() {
            member.alarm.end();
            // A thread that is gone meanwhile needs none.
            let args = [u64::from(pid), member.tid as u64, SIGTRAP as u64, 0, 0, 0];
            // SAFETY: the call takes no address.
            let _ = unsafe { host::raw(nr::tgkill, args) };
        }
    }

    fn is_member(&self, tid: i32) -> bool {
        lock(&self.members).iter().any(|member| member.tid == tid)
    }

    /// Starts a host thread for a guest thread, which is waited for before the tenant is gone.
    ///
    /// # Errors
    /// The host's.
    pub(super) fn start(&self, stack_size: usize, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new().stack_size(stack_size).spawn(body)?;
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Waits until all threads but the caller's are gone.
    fn join(&self) {
        loop {
            let Some(thread) = lock(&self.threads).pop() else {
                return;
            };
            while !thread.is_finished() {
                if self.outcome().is_some() {
                    // It may have come to block just when it was told.
                    self.stop_members();
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            // A panic was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

/// A thread's place among those of its tenant; dropping it gives the place up.
pub struct Membership {
    tenancy: Arc<Tenancy>,
    tid: i32,
}

impl Membership {
    /// Of the calling thread, whose task's signals these are.
    pub(super) fn new(tenancy: &Arc<Tenancy>, tid: i32, signals: &ThreadSignals) -> Membership {
        let alarm = signals.alarm();
        let mut members = lock(&tenancy.members);
        if tenancy.outcome().is_some() {
            alarm.end();
        }
        members.push(Member { tid, alarm });
        Membership {
            tenancy: Arc::clone(tenancy),
            tid,
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.tenancy.members).retain(|member| member.tid != self.tid);
    }
}

/// Why [`resume`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resumed {
    /// This exit was asked for; the guest has not seen it.
    Stopped(Exit),
    /// The process ended, and none of its threads is left.
    Ended(Outcome),
}

/// Runs the main thread of a tenant on the calling host thread, until it ends or `stop` says so of an exit of its CPU.
/// A child that the guest forks meanwhile never returns from here: where its parent would be stopped, it exits with
/// status 0.
pub fn resume(task: &mut Task, stop: impl FnMut(&mut Task, Exit) -> bool) -> Resumed {
    let mask = host_mask();
    task.attach();
    let stopped = run::run_until(task, stop);
    let Some(tenancy) = task.process.tenancy().cloned() else {
        let status = task.ended.unwrap_or(0);
        loop {
            // SAFETY: the call takes no address.
            let _ = unsafe { host::raw(nr::exit_group, [status as u64, 0, 0, 0, 0, 0]) };
        }
    };
    let resumed = match stopped {
        Some(exit) => Resumed::Stopped(exit),
        None => {
            if tenancy.outcome().is_none() {
                // The main thread alone has ended.
                thread::retire(task);
            }
            tenancy.join();
            let status = task.ended.unwrap_or(0);
            Resumed::Ended(*lock(&tenancy.outcome).get_or_insert(Outcome::Exited(status)))
        }
    };
    task.detach();
    set_host_mask(mask);
    resumed
}

/// Makes a tenant that has ended one that may be resumed, with what memory and registers then hold.
pub fn revive(task: &mut Task) {
    let Some(tenancy) = task.process.tenancy() else {
        return;
    };
    *lock(&tenancy.outcome) = None;
    task.process.tasks.only(task.tid, task.cpu.poll_handle());
    task.signals.forget_end();
    task.ended = None;
}

/// Ends a tenant whose main thread does not run, without anybody's asking; none of its threads is left.
pub fn evict(task: &mut Task) {
    let pc = task.cpu.state().pc;
    let killed = Death {
        signal: SIGKILL,
        code: 0,
        addr: 0,
        pc,
    };
    end(task, Outcome::Killed(killed));
    if let Some(tenancy) = task.process.tenancy() {
        tenancy.join();
    }
}

/// Ends the task's process with `outcome`, if it is a tenant.
pub fn end(task: &mut Task, outcome: Outcome) {
    if let Some(tenancy) = task.process.tenancy() {
        tenancy.end(outcome);
        task.ended = Some(0);
    }
}

/// The system calls that mean the host process, or all of it, and are to mean the guest; `None` leaves the call to
/// its row.
pub fn intercept(task: &mut Task, name: &str, regs: &Regs) -> Option<SysResult> {
    let tenancy = Arc::clone(task.process.tenancy()?);
    let pid = task.process.pid();
    let [first, second, third] = [regs[0], regs[1], regs[2]].map(|register| register as i32);
    match name {
        "exit_group" => {
            end(task, Outcome::Exited(first & 0xff));
            Some(Ok(0))
        }
        // A signal for the process could be taken by any thread of the host's; for the guest it makes no difference
        // which of its threads takes it.
        "kill" if first == pid => Some(send(task, second, |pid, tid| {
            // SAFETY: the call takes no address.
            unsafe { host::raw(nr::tgkill, [pid, tid, second as u64, 0, 0, 0]) }
        })),
        "rt_sigqueueinfo" if first == pid => {
            let info = regs[2];
            Some(send(task, second, |pid, tid| {
                crate::mm::own::check(info, 128)?;
                // SAFETY: the kernel reads a siginfo_t, which `info` points to.
                unsafe { host::raw(nr::rt_tgsigqueueinfo, [pid, tid, second as u64, info, 0, 0]) }
            }))
        }
        "tkill" if tenancy.is_member(first) => take_over(task, second),
        "tgkill" | "rt_tgsigqueueinfo" if first == pid && tenancy.is_member(second) => take_over(task, third),
        // These would replace the host's program, or send it signals out of the blue.
        "execve" | "execveat" | "setitimer" | "timer_create" => Some(Err(Errno::ENOSYS)),
        _ => None,
    }
}

/// Sends the calling task a signal.
fn send(task: &mut Task, signal: i32, call: impl FnOnce(u64, u64) -> SysResult) -> SysResult {
    match take_over(task, signal) {
        Some(result) => result,
        None => call(task.process.pid() as u64, task.tid as u64),
    }
}

/// Makes sure that a signal about to be sent to the guest is recorded for it, whatever the host's disposition is.
fn take_over(task: &mut Task, signal: i32) -> Option<SysResult> {
    if signal == SIGKILL {
        let pc = task.cpu.state().pc;
        let death = Death {
            signal,
            code: 0,
            addr: 0,
            pc,
        };
        end(task, Outcome::Killed(death));
        return Some(Ok(0));
    }
    handler::take_over(signal, SA_RESTART);
    None
}

impl Process {
    /// This process as a tenant: see the module.
    #[must_use]
    pub fn as_tenant(mut self) -> Process {
        self.tenancy = Some(Arc::default());
        self.tasks.watch_calls();
        self
    }
}
