//! [`ThreadState`]: what Linux keeps for each thread that neither the CPU nor the host's kernel keeps for us.
//!
//! Invariant: a clone of it is what a child or a thread inherits (Linux kernel/fork.c, copy_process, and arm64's
//! copy_thread); docs/inheritance.md names each attribute. What belongs to the one thread alone is empty in a clone.

use crate::seccomp::Seccomp;
use crate::signal::altstack::AltStack;
use guest::GuestAddr;

/// The last fault, as the frames of all later signals report it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    pub address: u64,
    pub esr: u64,
}

/// One thread's own attributes.
#[derive(Debug, Default)]
pub struct ThreadState {
    /// sigaltstack(2).
    pub altstack: AltStack,
    pub fault: Fault,
    /// seccomp(2).
    pub seccomp: Seccomp,
    /// PR_SET_TAGGED_ADDR_CTRL: system calls accept tagged addresses. (Loads and stores ignore tags always.)
    pub tagged_addresses: u64,
    /// personality(2) with READ_IMPLIES_EXEC; execve takes it away (SET_PERSONALITY).
    pub read_implies_exec: bool,
    /// set_tid_address(2): cleared and woken when the thread ends.
    pub clear_child_tid: GuestAddr,
    /// set_robust_list(2): walked when the thread ends.
    pub robust_list: GuestAddr,
}

impl Clone for ThreadState {
    fn clone(&self) -> ThreadState {
        // Each field is named, so that a new one is decided on.
        let ThreadState {
            altstack,
            fault,
            ref seccomp,
            tagged_addresses,
            read_implies_exec,
            clear_child_tid: _,
            robust_list: _,
        } = *self;
        ThreadState {
            altstack,
            fault,
            seccomp: seccomp.clone(),
            tagged_addresses,
            read_implies_exec,
            clear_child_tid: GuestAddr::NULL,
            robust_list: GuestAddr::NULL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_what_is_inherited() {
        let parent = ThreadState {
            altstack: AltStack {
                sp: 0x1000,
                size: 0x4000,
                flags: 0,
            },
            fault: Fault { address: 8, esr: 9 },
            seccomp: Seccomp::default(),
            tagged_addresses: 1,
            read_implies_exec: true,
            clear_child_tid: GuestAddr(0x10),
            robust_list: GuestAddr(0x20),
        };
        let child = parent.clone();
        assert_eq!(child.altstack, parent.altstack);
        assert_eq!(child.fault, parent.fault);
        assert_eq!((child.tagged_addresses, child.read_implies_exec), (1, true));
        assert!(child.clear_child_tid.is_null() && child.robust_list.is_null());
    }
}
