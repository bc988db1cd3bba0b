//! PR_SET_MDWE: memory that is executable was never writable (kernel/sys.c, include/linux/mman.h).

use super::{Mm, State};
use linux_abi::{Errno, SysResult, flags};

const PR_MDWE_REFUSE_EXEC_GAIN: u64 = 1;
const PR_MDWE_NO_INHERIT: u64 = 2;

/// The bits of PR_SET_MDWE; none until it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DenyExecGain(u64);

impl DenyExecGain {
    /// Whether memory with the protection `old` may be given `new`; a new mapping has had its own.
    ///
    /// # Errors
    /// EACCES (map_deny_write_exec).
    pub(super) fn check(self, old: u64, new: u64) -> Result<(), Errno> {
        let denied = self.0 & PR_MDWE_REFUSE_EXEC_GAIN != 0
            && new & flags::PROT_EXEC != 0
            && (new & flags::PROT_WRITE != 0 || old & flags::PROT_EXEC == 0);
        if denied { Err(Errno::EACCES) } else { Ok(()) }
    }

    /// What the child of a fork has (mmf_init_flags).
    pub(super) fn inherited(self) -> DenyExecGain {
        if self.0 & PR_MDWE_NO_INHERIT == 0 {
            self
        } else {
            DenyExecGain::default()
        }
    }

    fn set(&mut self, bits: u64) -> SysResult {
        let known = PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT;
        if bits & !known != 0 || bits == PR_MDWE_NO_INHERIT {
            return Err(Errno::EINVAL);
        }
        if self.0 != 0 && self.0 != bits {
            return Err(Errno::EPERM);
        }
        self.0 = bits;
        Ok(0)
    }
}

impl Mm {
    /// PR_SET_MDWE.
    ///
    /// # Errors
    /// EINVAL for unknown bits, EPERM for other bits than before.
    pub fn deny_exec_gain(&self, bits: u64) -> SysResult {
        self.lock().deny_exec_gain.set(bits)
    }

    /// PR_GET_MDWE.
    #[must_use]
    pub fn denied_exec_gain(&self) -> u64 {
        self.lock().deny_exec_gain.0
    }

    /// In the child of a fork, which has a copy: what is not inherited goes.
    pub fn became_copy(&self) {
        let mut state = self.lock();
        let State {
            deny_exec_gain,
            lock_future,
            ..
        } = &mut *state;
        *deny_exec_gain = deny_exec_gain.inherited();
        *lock_future = super::LockFuture::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_once() {
        let mut deny = DenyExecGain::default();
        let steps: &[(u64, SysResult)] = &[
            (4, Err(Errno::EINVAL)),
            (2, Err(Errno::EINVAL)),
            (0, Ok(0)),
            (3, Ok(0)),
            (3, Ok(0)),
            (1, Err(Errno::EPERM)),
            (0, Err(Errno::EPERM)),
        ];
        for &(bits, expected) in steps {
            assert_eq!(deny.set(bits), expected, "{bits}");
        }
        assert_eq!(deny.inherited(), DenyExecGain(0));
        assert_eq!(DenyExecGain(1).inherited(), DenyExecGain(1));
    }

    #[test]
    fn exec_is_not_gained() {
        let [r, rw, rx, rwx] = [1, 3, 5, 7];
        for (old, new, allowed) in [
            (r, rw, true),
            (rw, rx, false),
            (rx, rx, true),
            (rx, rw, true),
            (rwx, rwx, false),
        ] {
            assert_eq!(DenyExecGain(1).check(old, new).is_ok(), allowed, "{old} {new}");
            assert!(DenyExecGain(0).check(old, new).is_ok());
        }
    }
}
