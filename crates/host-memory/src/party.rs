//! [`Party`]: who uses this memory, a thread or a child that shares it, by a number that is not used again soon.
//!
//! Each has a slot in a table, which says what the kernel calls it. So others can ask whether it still lives: it must
//! have this very memory, which a process that has ended (also one that nobody has waited for) or that took its number
//! over has not. That is what process_vm_readv(2) tells: it may always look into the caller's own memory.
//!
//! Where nobody can know, a party counts as alive: without a free slot, without that call, or between PID namespaces.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

const SLOT_BITS: u32 = 12;
const SLOTS: usize = 1 << SLOT_BITS;
/// Numbers leave two bits for the words of locks.
const BITS: u32 = 30;

/// In a slot: free, or of a child that does not exist (yet).
const FREE: i32 = 0;
const EXPECTED: i32 = -1;

struct Slot {
    tid: AtomicI32,
    /// Of a child.
    maker: AtomicU32,
}

/// The first is that of all parties for which there was no room.
static TABLE: [Slot; SLOTS] = [const {
    Slot {
        tid: AtomicI32::new(FREE),
        maker: AtomicU32::new(0),
    }
}; SLOTS];
/// The last slot ever used.
static USED: AtomicU32 = AtomicU32::new(0);
static NEXT: AtomicU32 = AtomicU32::new(1);
/// Another number for each memory; children of a fork have a copy of all else.
static MEMORY: AtomicU64 = AtomicU64::new(0);
/// Parties see different numbers of each other.
static BLIND: AtomicBool = AtomicBool::new(false);

/// A thread or a child that shares memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Party(pub(crate) u32);

/// The maker of a party without a slot.
pub(crate) const NOBODY: Party = Party(0);

impl Party {
    /// A new party; `tid` is what stands in its slot.
    fn new(tid: i32, maker: u32) -> Party {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        // Wraps after hundreds of thousands of threads and children; what they held is long free then.
        let unique = (count << SLOT_BITS & ((1 << BITS) - 1)).max(1 << SLOT_BITS);
        let take = |&slot: &usize| {
            let free = &TABLE[slot].tid;
            free.load(Ordering::Relaxed) == FREE
                && free
                    .compare_exchange(FREE, tid, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
        };
        let slot = (1..SLOTS).find(take).unwrap_or(0);
        USED.fetch_max(slot as u32, Ordering::Relaxed);
        TABLE[slot].maker.store(maker, Ordering::Relaxed);
        Party(unique | slot as u32)
    }

    pub(crate) fn of_this_thread() -> Party {
        Party::new(gettid(), 0)
    }

    /// One that is about to be made.
    pub(crate) fn of_child(maker: Party) -> Party {
        if MEMORY.load(Ordering::Relaxed) == 0 {
            mark_memory();
        }
        Party::new(EXPECTED, maker.0)
    }

    /// The calling thread, the only user of its memory.
    pub(crate) fn alone() -> Party {
        let used = USED.swap(0, Ordering::Relaxed) as usize;
        for slot in &TABLE[..=used] {
            slot.tid.store(FREE, Ordering::Relaxed);
        }
        BLIND.store(false, Ordering::Relaxed);
        mark_memory();
        Party::of_this_thread()
    }

    /// For keeping it in a word.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// From what [`Party::number`] gave.
    #[must_use]
    pub fn from_number(number: u32) -> Party {
        Party(number)
    }

    fn slot(self) -> Option<&'static Slot> {
        let slot = self.0 as usize % SLOTS;
        (slot != 0).then(|| &TABLE[slot])
    }

    pub(crate) fn number_at(self) -> Option<*mut i32> {
        self.slot().map(|slot| slot.tid.as_ptr())
    }

    pub(crate) fn maker(self) -> Party {
        Party(self.slot().map_or(0, |slot| slot.maker.load(Ordering::Relaxed)))
    }

    /// It is no more.
    pub(crate) fn leave(self) {
        if let Some(slot) = self.slot() {
            slot.tid.store(FREE, Ordering::Relaxed);
        }
    }

    /// The caller is this child.
    pub(crate) fn introduce(self) {
        let Some(slot) = self.slot() else { return };
        let (seen, own) = (slot.tid.load(Ordering::Relaxed), gettid());
        if seen == EXPECTED {
            slot.tid.store(own, Ordering::Relaxed);
        } else if seen != own {
            BLIND.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it can be known that it has ended.
    #[must_use]
    pub fn is_dead(self) -> bool {
        let Some(slot) = self.slot() else {
            return false;
        };
        match slot.tid.load(Ordering::Relaxed) {
            FREE => true,
            EXPECTED => false,
            tid => !BLIND.load(Ordering::Relaxed) && has_memory(gettid()) && !has_memory(tid),
        }
    }

    /// As far as can be known, it still uses this memory; it is no thread of the calling process's.
    fn lives(self) -> bool {
        let tid = self.slot().map_or(FREE, |slot| slot.tid.load(Ordering::Relaxed));
        tid > 0 && !BLIND.load(Ordering::Relaxed) && has_memory(tid)
    }

    /// Waits until all from `last` to this one's first child are gone: each was made by the next. `last` says who is the
    /// last now. This one is gone.
    pub(crate) fn outlive_descendants(self, last: impl Fn() -> Party) {
        let mut rounds = 0;
        let gone = || {
            let mut party = last();
            while party != self && party != NOBODY && !party.lives() {
                party = party.maker();
            }
            party == self || party == NOBODY
        };
        while !gone() {
            std::thread::sleep(Duration::from_millis(1 << rounds));
            rounds = 6.min(rounds + 1);
        }
    }
}

fn gettid() -> i32 {
    // SAFETY: takes no address, and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

fn mark_memory() {
    // SAFETY: reads the processor's counter.
    let now = unsafe { std::arch::x86_64::_rdtsc() };
    MEMORY.store(now << 22 | gettid() as u64, Ordering::Relaxed);
}

/// Whether the task with this number has the caller's memory.
fn has_memory(tid: i32) -> bool {
    let mut found = 0_u64;
    let len = size_of::<u64>();
    let local = libc::iovec {
        iov_base: (&raw mut found).cast(),
        iov_len: len,
    };
    let remote = libc::iovec {
        iov_base: MEMORY.as_ptr().cast(),
        iov_len: len,
    };
    let no_flags = 0_u64;
    // SAFETY: the kernel writes `found`, which is as long as `local` says.
    let read = unsafe {
        libc::syscall(
            libc::SYS_process_vm_readv,
            tid,
            ptr::from_ref(&local),
            1_u64,
            ptr::from_ref(&remote),
            1_u64,
            no_flags,
        )
    };
    read == len as i64 && found == MEMORY.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_ended_is_dead() {
        let _child = Party::of_child(Party::of_this_thread());
        let mine = Party::of_this_thread();
        assert!(!mine.is_dead());
        let other = std::thread::spawn(Party::of_this_thread).join().expect("ends");
        // The thread's number is free when it has been joined, or soon after.
        while !other.is_dead() {
            std::thread::yield_now();
        }
        // SAFETY: the child makes one system call.
        let zombie = match unsafe { libc::fork() } {
            // SAFETY: ends the process.
            0 => unsafe { libc::_exit(0) },
            pid => Party::new(pid, 0),
        };
        while !zombie.is_dead() {
            std::thread::yield_now();
        }
        zombie.leave();
        // SAFETY: a child of ours; no status is wanted.
        unsafe { libc::waitpid(-1, ptr::null_mut(), 0) };
        mine.leave();
    }
}
