//! Where mappings go that may go anywhere, if the guest's addresses have a limit (option -R). Without one the host's
//! kernel chooses.
//!
//! It is done as a kernel with a smaller address space does it: from the top down, below the room of the main stack
//! (arch_pick_mmap_layout). ThreadSanitizer and MemorySanitizer want such a one: they know the layouts of 39, 42 and 48
//! bits, and tell by the stack's address, which on an x86-64 host has 47.

use super::map::{MapRequest, claim_holes};
use super::vma::VmaTable;
use super::{Mm, State};
use elf_loader::STACK_GUARD;
use guest::{GUEST_ADDRESS_LIMIT, PAGE_SIZE};
use linux_abi::{Errno, SysResult, flags};
use std::ops::Range;

/// The kernel's smallest room for the main stack.
const STACK_ROOM: u64 = 128 << 20;
/// Nothing is put below: an ordinary mmap_min_addr.
const LOWEST: u64 = 1 << 16;

/// The guest's part of the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Where it ends, and the main stack begins.
    pub end: u64,
    /// Where mappings begin, downwards.
    top: u64,
}

impl Limit {
    fn new(end: u64, stack: u64) -> Limit {
        let end = end & !(PAGE_SIZE - 1);
        let largest = end / 6 * 5;
        let room = stack
            .saturating_add(STACK_GUARD)
            .max(STACK_ROOM)
            .min(largest)
            .next_multiple_of(PAGE_SIZE);
        Limit { end, top: end - room }
    }
}

impl Mm {
    /// The guest's addresses end at `end`; the main stack shall be able to grow to `stack` bytes. To be called before the
    /// guest has any memory.
    pub fn limit_addresses(&self, end: u64, stack: u64) {
        self.lock().limit = Some(Limit::new(end, stack));
    }
}

impl State {
    /// Where the guest's addresses end.
    pub(super) fn end(&self) -> u64 {
        self.limit.map_or(GUEST_ADDRESS_LIMIT, |limit| limit.end)
    }

    /// A place for `len` bytes, if the host's kernel is not to choose one.
    ///
    /// # Errors
    /// ENOMEM where there is none.
    pub(super) fn place(&mut self, len: u64, align: u64) -> Result<Option<u64>, Errno> {
        let Some(limit) = self.limit else {
            return Ok(None);
        };
        self.settle_all();
        let place = [limit.top, limit.end]
            .into_iter()
            .find_map(|below| highest_hole(&self.table, below, len, align));
        place.map(Some).ok_or(Errno::ENOMEM)
    }

    /// A place as [`Self::place`] gives it, in which nothing of the emulator's or the host's can be replaced.
    pub(super) fn claim_place(&mut self, len: u64) -> Result<Option<Range<u64>>, Errno> {
        let Some(start) = self.place(len, PAGE_SIZE)? else {
            return Ok(None);
        };
        let range = start..start + len;
        claim_holes(self, &range)?;
        Ok(Some(range))
    }

    /// mmap(2) where the guest leaves the choice, or gives a hint.
    pub(super) fn map_anywhere(&mut self, request: &MapRequest, hint: u64, map_flags: u64) -> SysResult {
        let len = request.mapped_len();
        if self.limit.is_none() || len == 0 {
            return request.to_host(hint, map_flags);
        }
        let exact = map_flags | flags::MAP_FIXED_NOREPLACE;
        let hint = hint.next_multiple_of(PAGE_SIZE)..hint.next_multiple_of(PAGE_SIZE).saturating_add(len);
        self.settle(&hint);
        if hint.start >= LOWEST
            && hint.end <= self.end()
            && self.table.overlapping(hint.clone()).next().is_none()
        {
            match request.to_host(hint.start, exact) {
                Err(Errno::EEXIST) => {}
                result => return result,
            }
        }
        match self.place(len, request.alignment())? {
            Some(start) => request.to_host(start, exact),
            None => request.to_host(0, map_flags),
        }
    }
}

/// The highest place below `below` where `len` bytes are free, at a multiple of `align`.
fn highest_hole(table: &VmaTable, below: u64, len: u64, align: u64) -> Option<u64> {
    let mut end = below;
    let fits = |floor: u64, end: u64| {
        let start = end.checked_sub(len)? / align * align;
        (start >= floor).then_some(start)
    };
    for vma in table.below(below) {
        if let Some(start) = fits(vma.end, end) {
            return Some(start);
        }
        let guard = if vma.grows_down { STACK_GUARD } else { 0 };
        end = end.min(vma.start.saturating_sub(guard));
    }
    fits(LOWEST, end)
}

#[cfg(test)]
mod tests {
    use super::super::{Backing, Vma};
    use super::*;

    fn table(areas: &[(u64, u64, bool)]) -> VmaTable {
        let mut table = VmaTable::new();
        for &(start, end, grows_down) in areas {
            table.insert(Vma {
                start,
                end,
                prot: flags::PROT_READ,
                shared: false,
                grows_down,
                offset: 0,
                backing: Backing::Anonymous,
            });
        }
        table
    }

    #[test]
    fn holes_are_found_from_the_top_down() {
        let some = table(&[(0x5_0000, 0x6_0000, false), (0x8_0000, 0x9_0000, false)]);
        for (below, len, align, expected) in [
            (0x10_0000, 0x1000, 0x1000, Some(0xf_f000)),
            (0x9_8000, 0x1_0000, 0x1000, Some(0x7_0000)),
            (0x8_8000, 0x1_0000, 0x1000, Some(0x7_0000)),
            (0x9_0000, 0x2_0000, 0x1000, Some(0x6_0000)),
            (0x9_0000, 0x3_0000, 0x1000, Some(0x2_0000)),
            (0x9_0000, 0x1000, 0x2_0000, Some(0x6_0000)),
            (0x9_0000, 0x5_0000, 0x1000, None),
        ] {
            assert_eq!(
                highest_hole(&some, below, len, align),
                expected,
                "{below:x} {len:x}"
            );
        }
    }

    #[test]
    fn what_grows_down_keeps_its_distance() {
        let stack = table(&[(0x100_0000, 0x101_0000, true)]);
        assert_eq!(
            highest_hole(&stack, 0x100_8000, 0x1000, 0x1000),
            Some(0x100_0000 - STACK_GUARD - 0x1000)
        );
    }

    #[test]
    fn the_stack_has_room() {
        assert_eq!(Limit::new(1 << 42, 8 << 20).top, (1 << 42) - STACK_ROOM);
        assert_eq!(
            Limit::new(1 << 42, u64::MAX).top,
            ((1_u64 << 42) - (1 << 42) / 6 * 5) & !0xfff
        );
    }
}
