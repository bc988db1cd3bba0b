//! [`ExecIndex`]: "may the guest execute this address?", cheap enough for every block
//! lookup of the engine (and every instruction of the interpreter).
//!
//! Each thread keeps the executable range it hit last, with the generation it belongs to;
//! a change of any executable range makes a new generation. Only a miss takes the lock.

use guest::GuestAddr;
use host_memory::lock::{Guarded, Level, Lock};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Generations are unique in the process, so that a thread's memory of one index is never
/// taken for another's.
static NEXT_GENERATION: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Copy)]
struct Hit {
    generation: u64,
    start: u64,
    end: u64,
}

thread_local! {
    static LAST: Cell<Hit> = const { Cell::new(Hit { generation: 0, start: 0, end: 0 }) };
}

pub struct ExecIndex {
    generation: AtomicU64,
    ranges: Lock<Ranges>,
    /// Whether there are any with PROT_BTI.
    any_guarded: AtomicBool,
}

#[derive(Clone, Default)]
struct Ranges {
    executable: Vec<(u64, u64)>,
    /// Those of them with PROT_BTI.
    guarded: Vec<(u64, u64)>,
}

impl Guarded for Ranges {
    fn copied(&self) -> Option<Ranges> {
        Some(self.clone())
    }
    /// The map's own repair replaces them.
    fn owner_died(&mut self) {}
}

impl ExecIndex {
    pub fn new() -> ExecIndex {
        ExecIndex {
            generation: AtomicU64::new(0),
            ranges: Lock::new(Level::Executable, Ranges::default()),
            any_guarded: AtomicBool::new(false),
        }
    }

    pub fn contains(&self, addr: GuestAddr) -> bool {
        let last = LAST.get();
        if last.generation == self.generation.load(Ordering::Acquire)
            && (last.start..last.end).contains(&addr.0)
        {
            return true;
        }
        self.look_up(addr.0)
    }

    #[cold]
    fn look_up(&self, addr: u64) -> bool {
        let ranges = self.ranges.lock();
        let ranges = &ranges.executable;
        // Stable while the lock is held: `replace` changes both under it.
        let generation = self.generation.load(Ordering::Acquire);
        let at = ranges.partition_point(|&(_, end)| end <= addr);
        match ranges.get(at) {
            Some(&(start, end)) if start <= addr => {
                LAST.set(Hit {
                    generation,
                    start,
                    end,
                });
                true
            }
            _ => false,
        }
    }

    /// Whether the address is executable with PROT_BTI.
    pub fn is_guarded(&self, addr: GuestAddr) -> bool {
        if !self.any_guarded.load(Ordering::Acquire) {
            return false;
        }
        let ranges = self.ranges.lock();
        let ranges = &ranges.guarded;
        let at = ranges.partition_point(|&(_, end)| end <= addr.0);
        ranges.get(at).is_some_and(|&(start, _)| start <= addr.0)
    }

    /// Replaces the ranges (ascending, disjoint).
    pub fn replace(&self, ranges: Vec<(u64, u64)>, guarded: Vec<(u64, u64)>) {
        let mut slot = self.ranges.lock();
        self.any_guarded.store(!guarded.is_empty(), Ordering::Release);
        slot.executable = ranges;
        slot.guarded = guarded;
        self.generation
            .store(NEXT_GENERATION.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_changes() {
        let index = ExecIndex::new();
        assert!(!index.contains(GuestAddr(0)));
        index.replace(vec![(0x1000, 0x3000), (0x5000, 0x6000)], vec![(0x5000, 0x6000)]);
        assert!(index.is_guarded(GuestAddr(0x5fff)) && !index.is_guarded(GuestAddr(0x1000)));
        for (addr, expected) in [
            (0xfff, false),
            (0x1000, true),
            (0x2fff, true),
            (0x3000, false),
            (0x5fff, true),
        ] {
            assert_eq!(index.contains(GuestAddr(addr)), expected, "{addr:#x}");
        }
        index.replace(vec![(0x5000, 0x6000)], Vec::new());
        assert!(!index.is_guarded(GuestAddr(0x5000)));
        assert!(!index.contains(GuestAddr(0x1000)));
        assert!(index.contains(GuestAddr(0x5000)));
    }
}
