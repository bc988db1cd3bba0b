//! [`Task`]: one guest thread, run by one host thread.

use super::exec::Scratch;
use super::process::Process;
use super::ptrace::{self, Trace, Tracees, mailbox};
use super::state::ThreadState;
use super::stop::Observers;
use super::tenant::Membership;
use super::vfork::ChildStack;
use crate::host;
use crate::signal::action::SIG_IGN;
use crate::signal::set::{self, SYNC, SYNC_SET, SigSet};
use crate::signal::thread::{Saved, set_host_mask};
use crate::signal::{ThreadSignals, handler};
use crate::syscall::arg::guard::take_tags;
use crate::syscall::signal::{SIGSET_SIZE, read_mask};
use engine::Cpu;
use guest::{CpuState, GuestAddr};
use host_memory::lock::Child;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

/// One guest thread. Lives on the host thread that runs it.
pub struct Task {
    pub cpu: Cpu,
    pub process: Arc<Process>,
    pub tid: i32,
    pub signals: ThreadSignals,
    pub state: ThreadState,
    /// Stacks for children that share memory (vfork), kept for the next one.
    pub child_stacks: Vec<ChildStack>,
    pub exec: Scratch,
    /// Set once the thread has called exit(2): the run loop returns.
    pub ended: Option<i32>,
    /// Who looks at the task's boundaries ([`super::stop`]).
    pub observers: Option<Observers>,
    /// It is the child of a fork and has not returned from the call yet.
    pub forked: bool,
    /// An observer wants to see it after the next instruction.
    pub stepping: bool,
    /// Its share in being traced.
    pub trace: Trace,
    /// Whom it traces.
    pub tracees: Tracees,
    /// How many of its observers are its own, not its process's.
    pub extra_observers: usize,
    membership: Option<Membership>,
}

/// What of a lent task is the parent's own.
pub struct Lent {
    registers: CpuState,
    signals: Saved,
    state: ThreadState,
    tid: i32,
    own: Own,
    child: Child,
}

impl Lent {
    /// Where the kernel is to write the child's number.
    pub fn number_at(&self) -> Option<*mut i32> {
        self.child.number_at()
    }
}

/// What of a task is more than numbers: a child that is killed may leave it torn.
struct Own {
    process: Arc<Process>,
    exec: Scratch,
    child_stacks: Vec<ChildStack>,
    observers: Option<Observers>,
    extra_observers: usize,
    trace: Trace,
    tracees: Tracees,
}

/// What a task on another host thread begins with: a copy of its maker's.
pub struct Seed {
    registers: CpuState,
    mask: SigSet,
    state: ThreadState,
    process: Arc<Process>,
    told: mailbox::Told,
}

impl Seed {
    /// The task of the calling host thread, not attached yet.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn grow(self) -> Result<Task, Errno> {
        let cpu = Cpu::new(Arc::clone(&self.process.engine)).map_err(|_| Errno::ENOMEM)?;
        let mut task = Task::new(cpu, self.process, self.mask);
        task.cpu.state_mut().clone_from(&self.registers);
        task.state = self.state;
        task.trace.inherit(&self.told);
        ptrace::look(&mut task);
        Ok(task)
    }
}

impl Task {
    /// What a thread or a child inherits.
    #[must_use]
    pub fn seed(&self) -> Seed {
        Seed {
            registers: self.cpu.state().clone(),
            mask: self.signals.mask(),
            state: self.state.clone(),
            process: Arc::clone(&self.process),
            told: self.trace.told_to_child(),
        }
    }

    /// The task of the calling host thread; `mask` is the guest's signal mask. The host's
    /// mask is left alone until [`Task::attach`].
    #[must_use]
    pub fn new(cpu: Cpu, process: Arc<Process>, mask: SigSet) -> Task {
        let signals = ThreadSignals::new(cpu.poll_handle(), mask);
        let observers = process.tasks.observers();
        let trace = Trace::new((&raw const *signals.pending()) as u64);
        Task {
            cpu,
            process,
            tid: host_tid(),
            signals,
            state: ThreadState::default(),
            child_stacks: Vec::new(),
            exec: Scratch::default(),
            ended: None,
            observers,
            forked: false,
            stepping: false,
            trace,
            tracees: Tracees::default(),
            extra_observers: 0,
            membership: None,
        }
    }

    /// Lends the task to a child that shares memory, which drives it while the calling process sleeps. The child finds in
    /// it what it inherits. To be called right before the child is made.
    pub fn lend(&mut self, shares_actions: bool) -> Lent {
        let process = Arc::new(self.process.sharing_memory(shares_actions));
        let inherited = self.state.clone();
        let mut trace = Trace::new((&raw const *self.signals.pending()) as u64);
        trace.inherit(&self.trace.told_to_child());
        let childs = Own {
            observers: self.observers.clone(),
            extra_observers: self.extra_observers,
            trace,
            tracees: Tracees::default(),
            process,
            exec: Scratch::default(),
            child_stacks: Vec::new(),
        };
        Lent {
            registers: self.cpu.state().clone(),
            signals: self.signals.save(),
            state: std::mem::replace(&mut self.state, inherited),
            tid: self.tid,
            own: self.exchange(childs),
            child: Child::expect(),
        }
    }

    /// PR_SET_TAGGED_ADDR_CTRL: whether calls accept tagged addresses, also those that the emulator looks at by itself.
    pub fn accept_tags(&mut self, control: u64) {
        self.state.tagged_addresses = control;
        take_tags(control != 0);
    }

    fn exchange(&mut self, own: Own) -> Own {
        Own {
            process: std::mem::replace(&mut self.process, own.process),
            exec: std::mem::replace(&mut self.exec, own.exec),
            child_stacks: std::mem::replace(&mut self.child_stacks, own.child_stacks),
            observers: std::mem::replace(&mut self.observers, own.observers),
            extra_observers: std::mem::replace(&mut self.extra_observers, own.extra_observers),
            trace: std::mem::replace(&mut self.trace, own.trace),
            tracees: std::mem::replace(&mut self.tracees, own.tracees),
        }
    }

    /// Takes the task back when the kernel has let go of the child: it ended, executed another program, or was killed and
    /// then may have been within anything. Or it could not be made.
    pub fn take_back(&mut self, lent: Lent, made: bool) {
        let Lent {
            registers,
            signals,
            state,
            tid,
            own,
            child,
        } = lent;
        let end = child.bury();
        let in_order = end.in_order || !made;
        self.cpu.left_by_child(in_order);
        *self.cpu.state_mut() = registers;
        self.signals.restore(signals);
        let tags = state.tagged_addresses;
        self.state = state;
        self.accept_tags(tags);
        self.tid = tid;
        self.ended = None;
        self.stepping = false;
        let childs = self.exchange(own);
        if in_order {
            drop(childs);
        } else {
            // What the child shared with others is whole. The rest it alone knew, and it is lost with it.
            let Own {
                process,
                exec,
                child_stacks,
                observers,
                extra_observers: _,
                trace,
                tracees,
            } = childs;
            drop(process);
            trace.abandon();
            std::mem::forget((exec, child_stacks, observers, tracees));
        }
        if end.held {
            self.process.engine.repair();
            self.process.mm.repair(&self.process.engine);
        }
    }

    /// Starts recording the thread's signals and gives the host the guest's mask.
    pub fn attach(&mut self) {
        handler::attach(&self.signals);
        mailbox::attach(&self.trace);
        if let Some(tenancy) = self.process.tenancy() {
            self.membership = Some(Membership::new(tenancy, self.tid, &self.signals));
        }
        self.signals.open();
    }

    /// Ends what [`Task::attach`] began: all signals are blocked, and none is recorded.
    pub fn detach(&mut self) {
        set_host_mask(!SYNC_SET);
        self.membership = None;
        mailbox::detach();
        handler::detach();
    }

    /// Makes a host call that a signal for the guest may end.
    ///
    /// # Safety
    /// As for [`host::raw`].
    ///
    /// # Errors
    /// The kernel's; [`host::ERESTART`] when a signal came before the call took effect, or
    /// the kernel wants it restarted: the guest's SVC is then executed again.
    pub unsafe fn interruptible(&mut self, number: u64, args: [u64; 6]) -> SysResult {
        // SAFETY: the caller's promise.
        match unsafe { host::interruptible(self.signals.pending(), number, args) } {
            Err(error @ (Errno::EINTR | host::ERESTART)) => Err(self.interruption(error)),
            result => result,
        }
    }

    /// How a call ends that was interrupted with this error: ignored signals, of which the host's kernel knows all but
    /// SYNC ones, interrupt nothing.
    #[cold]
    fn interruption(&self, error: Errno) -> Errno {
        let waiting = self.signals.only_sync();
        let ignored = |signal: i32| self.process.signals.get(signal).handler == SIG_IGN;
        let wanted = |&signal: &i32| waiting & set::bit(signal) != 0 && !ignored(signal);
        // A tracer sees ignored ones as well.
        if waiting == 0 || SYNC.iter().any(wanted) || ptrace::is_traced(self) {
            return error;
        }
        self.signals.forget(waiting);
        host::ERESTART
    }

    /// Makes the call with the guest's signal mask replaced, as ppoll(2) does; a null pointer leaves it alone. The call
    /// gets address and size of the mask for the kernel, which puts it in place: what is ready comes before a signal.
    /// Such calls are never restarted: a signal that is delivered ends them with EINTR.
    ///
    /// # Errors
    /// The call's; EINVAL for another size of set, EFAULT.
    pub fn with_signal_mask(
        &mut self,
        mask: GuestAddr,
        size: u64,
        call: impl FnOnce(&mut Task, [u64; 2]) -> SysResult,
    ) -> SysResult {
        if mask.is_null() {
            return call(self, [0, 0]);
        }
        let temporary = read_mask(mask, size)?;
        self.under_mask(temporary, call)
    }

    /// As [`Task::with_signal_mask`], with the mask read.
    ///
    /// # Errors
    /// The call's.
    pub fn under_mask(
        &mut self,
        temporary: SigSet,
        call: impl FnOnce(&mut Task, [u64; 2]) -> SysResult,
    ) -> SysResult {
        let admission = self.signals.admit(temporary, self.tid)?;
        let result = call(self, [(&raw const temporary) as u64, SIGSET_SIZE]);
        self.signals.end_admission(admission);
        match result {
            // Without a signal to deliver, it was one that the guest does not notice.
            Err(host::ERESTART) if self.signals.is_pending() => Err(Errno::EINTR),
            result => result,
        }
    }
}

pub(crate) fn host_tid() -> i32 {
    // gettid cannot fail.
    host::gettid()
}
