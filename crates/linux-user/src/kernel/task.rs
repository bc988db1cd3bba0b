//! [`Task`]: one guest thread, run by one host thread.

use super::exec::Scratch;
use super::process::Process;
use super::vfork::ChildStack;
use crate::host;
use crate::signal::set::SigSet;
use crate::signal::{ThreadSignals, handler};
use crate::strace::Trace;
use crate::syscall::signal::read_mask;
use engine::Cpu;
use guest::GuestAddr;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult};
use std::sync::Arc;

/// One guest thread. Lives on the host thread that runs it.
pub struct Task {
    pub cpu: Cpu,
    pub process: Arc<Process>,
    pub tid: i32,
    pub signals: ThreadSignals,
    /// set_tid_address(2): cleared and woken when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// set_robust_list(2): walked when the thread ends.
    pub robust_list: GuestAddr,
    /// Stacks for children that share memory (vfork), kept for the next one.
    pub child_stacks: Vec<ChildStack>,
    pub exec: Scratch,
    /// PR_SET_TAGGED_ADDR_CTRL; tags are always ignored, this only reads back.
    pub tagged_addresses: u64,
    /// Set once the thread has called exit(2): the run loop returns.
    pub ended: Option<i32>,
    /// Where -strace writes, if it is on.
    pub trace: Option<Trace>,
}

impl Task {
    /// The task of the calling host thread; `mask` is the guest's signal mask. The host's
    /// mask is left alone until [`Task::attach`].
    #[must_use]
    pub fn new(cpu: Cpu, process: Arc<Process>, mask: SigSet) -> Task {
        let signals = ThreadSignals::new(cpu.poll_handle(), mask);
        let trace = process.options.trace;
        Task {
            cpu,
            process,
            tid: host_tid(),
            signals,
            clear_child_tid: GuestAddr::NULL,
            robust_list: GuestAddr::NULL,
            child_stacks: Vec::new(),
            exec: Scratch::default(),
            tagged_addresses: 0,
            ended: None,
            trace,
        }
    }

    /// Starts recording the thread's signals and gives the host the guest's mask.
    pub fn attach(&mut self) {
        handler::attach(&self.signals);
        self.signals.open();
    }

    /// Makes a host call that a signal for the guest may end.
    ///
    /// # Errors
    /// The kernel's; [`host::ERESTART`] when a signal came before the call took effect, or
    /// the kernel wants it restarted: the guest's SVC is then executed again.
    pub fn interruptible(&mut self, number: u64, args: [u64; 6]) -> SysResult {
        host::interruptible(self.signals.pending(), number, args)
    }

    /// Makes the call with the guest's signal mask replaced, as ppoll(2) does; a null
    /// pointer leaves it alone. Such calls are never restarted: once the mask is in place,
    /// a signal ends them with EINTR.
    ///
    /// # Errors
    /// The call's.
    pub fn with_signal_mask(
        &mut self,
        mask: GuestAddr,
        size: u64,
        call: impl FnOnce(&mut Task) -> SysResult,
    ) -> SysResult {
        if mask.is_null() {
            return call(self);
        }
        let temporary = read_mask(mask, size)?;
        self.signals.open_with(temporary)?;
        let result = call(self);
        // With a signal recorded, the host's mask is closed and delivery opens it again.
        self.signals.open();
        match result {
            Err(host::ERESTART) => Err(Errno::EINTR),
            result => result,
        }
    }
}

pub(crate) fn host_tid() -> i32 {
    // gettid cannot fail.
    host::syscall(nr::gettid, [0; 6]).unwrap_or(0) as i32
}
