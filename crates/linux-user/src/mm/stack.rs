//! Areas that grow down: the main stack, and what the guest maps with MAP_GROWSDOWN.
//!
//! The host's kernel lets them grow, by what is touched and as far as RLIMIT_STACK says at that moment. The table follows
//! when a call comes near (`State::settle`): until then an area may reach further down than it says.

use super::{Backing, Mm, State, Vma};
use crate::host;
use engine::Engine;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use host_memory::own;
use linux_abi::nr::x86_64 as nr;
use linux_abi::{SysResult, flags};
use std::ops::Range;

impl Mm {
    /// Maps the main stack of a program that has the process to itself: right below the first stack of the emulator, from
    /// where there is nothing down to where the kernel begins to put mappings, as far away as RLIMIT_STACK asks for.
    /// With a limit of its addresses, right below that. `None` if there is no such place.
    #[must_use]
    pub fn map_stack(&self, engine: &Engine, len: u64, prot: u64) -> Option<Range<GuestAddr>> {
        let limit = self.lock().limit;
        let end = match limit {
            Some(limit) => limit.end,
            None => own::below_first_stack()?,
        };
        let start = end.checked_sub(GuestAddr(len).page_up().0)?;
        let mut request = super::MapRequest::anonymous(end - start, prot);
        request.addr = GuestAddr(start);
        request.flags |= flags::MAP_FIXED_NOREPLACE | flags::MAP_GROWSDOWN;
        let at = self.mmap(engine, request).ok()?;
        let range = GuestAddr(at)..GuestAddr(at + (end - start));
        if at != start {
            // A kernel before 4.17 takes the address as a hint only.
            let _ = self.munmap(engine, range.start, end - start);
            return None;
        }
        self.label(range.clone(), Backing::Stack);
        Some(range)
    }
}

impl State {
    /// Has the areas that could have grown into `range` begin where they do now.
    pub(super) fn settle(&mut self, range: &Range<u64>) {
        for (vma, floor) in self.table.growing_into(range) {
            let start = reached(floor, vma.start);
            if start < vma.start {
                self.table.insert(Vma { start, ..vma });
            }
        }
    }

    pub(super) fn settle_all(&mut self) {
        self.settle(&(0..GUEST_ADDRESS_LIMIT));
    }
}

/// How far down from `start` all pages are mapped, at most to `floor`.
fn reached(floor: u64, start: u64) -> u64 {
    let (mut low, mut step) = (start, PAGE_SIZE);
    while low > floor {
        let next = low.saturating_sub(step).max(floor);
        if !is_mapped(&(next..low)) {
            break;
        }
        low = next;
        step *= 2;
    }
    while step > PAGE_SIZE {
        step /= 2;
        let next = low.saturating_sub(step).max(floor);
        if next < low && is_mapped(&(next..low)) {
            low = next;
        }
    }
    low
}

/// Whether all pages of the range are mapped: MS_ASYNC looks at the mappings and does nothing else (man 2 msync).
fn is_mapped(range: &Range<u64>) -> bool {
    let msync = || -> SysResult {
        // SAFETY: nothing changes.
        unsafe {
            host::raw(
                nr::msync,
                [range.start, range.end - range.start, flags::MS_ASYNC, 0, 0, 0],
            )
        }
    };
    msync().is_ok()
}
