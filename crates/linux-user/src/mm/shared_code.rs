//! [`SharedCode`]: code in memory that several processes map, changed by one and executed by another.
//!
//! IC IVAU reaches every processor of the system, so a process that generates code for another executes it on its own
//! mapping, tells the other, and that one only needs a context synchronisation event (Arm ARM B2.7.4.2). Here each process
//! has translations of its own: a counter in a page that a process and its descendants share says how often any of them
//! executed IC IVAU on shared memory. A task that leaves its translated code looks at it, which every system call, fault
//! and signal does; so who was told through the kernel finds the new code. Once shared memory is executable, ISB does so
//! too ([`engine::AddressSpace::synchronise`]).
//!
//! Not seen: code changed by a process that is no relative by fork.

use host_memory::SharedWord;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What one memory map knows of others' changes.
#[derive(Default)]
pub struct SharedCode {
    /// There was a shared mapping, so children of a fork may change this process's code.
    concerned: AtomicBool,
    /// Made before the first fork that it matters to; children have the same page.
    changes: SharedWord,
    /// The changes that this process knows.
    known: AtomicU64,
}

impl SharedCode {
    /// The guest has mapped shared memory.
    pub fn concern(&self) {
        self.concerned.store(true, Ordering::Relaxed);
    }

    /// To be called before a process is forked off. Without memory for the page, changes go unseen.
    pub fn before_fork(&self) {
        if self.concerned.load(Ordering::Relaxed) {
            let _ = self.changes.make();
        }
    }

    /// This process has executed IC IVAU on shared memory and dropped its own translations.
    pub fn announce(&self) {
        if let Some(changes) = self.changes.get() {
            let before = changes.fetch_add(1, Ordering::AcqRel);
            // Unless others changed something too, nothing is new to this process.
            let _ = self
                .known
                .compare_exchange(before, before + 1, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Whether others have changed something since the last call that said so.
    #[inline]
    pub fn changed(&self) -> bool {
        self.changes.get().is_some_and(|changes| {
            let now = changes.load(Ordering::Acquire);
            now != self.known.load(Ordering::Relaxed) && self.known.swap(now, Ordering::AcqRel) != now
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_others_changes_are_new() {
        let mine = SharedCode::default();
        mine.before_fork();
        mine.announce();
        assert!(mine.changes.get().is_none(), "nothing is shared");
        mine.concern();
        mine.before_fork();
        mine.announce();
        assert!(!mine.changed());
        let others = mine.changes.get().expect("made before the fork");
        others.fetch_add(1, Ordering::AcqRel);
        mine.announce();
        assert!(mine.changed(), "between two of its own");
        assert!(!mine.changed());
    }
}
