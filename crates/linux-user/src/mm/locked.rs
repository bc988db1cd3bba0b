//! mlockall and munlockall: the guest's mappings, not the emulator's.

use super::{Mm, Vma};
use crate::host;
use linux_abi::layout::Rlimit;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{Errno, SysResult, flags};
use std::ops::Range;

const MCL_CURRENT: u64 = 1;
const MCL_FUTURE: u64 = 2;
const MCL_ONFAULT: u64 = 4;
const MLOCK_ONFAULT: u64 = 1;

/// How new mappings are locked: MCL_FUTURE, or that and MCL_ONFAULT, or 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LockFuture(u64);

impl LockFuture {
    /// The flag that has the kernel lock and fill a new mapping.
    pub(super) fn map_flags(self) -> u64 {
        if self.0 == MCL_FUTURE {
            flags::MAP_LOCKED
        } else {
            0
        }
    }

    /// Locks a new mapping that is to be filled as it is used.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn lock(self, range: &Range<u64>) -> Result<(), Errno> {
        if self.0 & MCL_ONFAULT != 0 {
            lock(range, self.0)?;
        }
        Ok(())
    }
}

fn lock(range: &Range<u64>, mcl: u64) -> SysResult {
    let on_fault = if mcl & MCL_ONFAULT != 0 { MLOCK_ONFAULT } else { 0 };
    let args = [range.start, range.end - range.start, on_fault, 0, 0, 0];
    // SAFETY: the range is the guest's own; nothing in it changes.
    unsafe { host::raw(nr::mlock2, args) }
}

impl Mm {
    /// mlockall(2).
    ///
    /// # Errors
    /// The kernel's: EINVAL, EPERM without any allowance, ENOMEM beyond it.
    pub fn mlockall(&self, mcl: u64) -> SysResult {
        let known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
        if mcl == 0 || mcl & !known != 0 || mcl == MCL_ONFAULT {
            return Err(Errno::EINVAL);
        }
        let limit = allowance()?;
        let areas: Vec<Vma> = {
            let mut state = self.lock();
            state.settle_all();
            let areas: Vec<Vma> = state.table.iter().copied().collect();
            let total: u64 = areas.iter().map(|vma| vma.end - vma.start).sum();
            if mcl & MCL_CURRENT != 0 && limit.is_some_and(|limit| total > limit) {
                return Err(Errno::ENOMEM);
            }
            state.lock_future = LockFuture(if mcl & MCL_FUTURE == 0 {
                0
            } else {
                mcl & !MCL_CURRENT
            });
            areas
        };
        if mcl & MCL_CURRENT != 0 {
            for vma in areas {
                // The kernel, too, goes on: what another thread has unmapped meanwhile, or cannot be read.
                let _ = lock(&vma.range(), mcl);
            }
        }
        Ok(0)
    }

    /// munlockall(2).
    pub fn munlockall(&self) -> SysResult {
        self.lock().lock_future = LockFuture::default();
        // SAFETY: no contents change; the emulator locks nothing of its own.
        unsafe { host::raw(nr::munlockall, [0; 6]) }
    }
}

/// RLIMIT_MEMLOCK; nothing where it does not hold (can_do_mlock).
fn allowance() -> Result<Option<u64>, Errno> {
    const CAP_IPC_LOCK: u32 = 14;
    if host::has_capability(CAP_IPC_LOCK) {
        return Ok(None);
    }
    let Rlimit { rlim_cur, .. } = host::prlimit(flags::RLIMIT_MEMLOCK, None)?;
    match rlim_cur {
        0 => Err(Errno::EPERM),
        u64::MAX => Ok(None),
        limit => Ok(Some(limit)),
    }
}
