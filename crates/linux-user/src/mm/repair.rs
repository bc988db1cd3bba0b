//! After the death of a child that shared memory: the table follows the host's map.
//!
//! A child that is killed within a call has made the host's change or has not, as on hardware; here it may also have made
//! it without the table's. Its change of the table is lost whole then (`host_memory::lock::Guarded`). So what the
//! host has mapped decides, and the table still says what it cannot know: PROT_EXEC, heap and stack.

use super::{Backing, Mm, State, Vma, host_prot};
use engine::Engine;
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use host_memory::own;
use linux_abi::flags;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// A line of the host's /proc/self/maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostRange {
    pub range: Range<u64>,
    /// PROT_READ and PROT_WRITE.
    pub prot: u64,
    pub shared: bool,
}

pub(super) fn parse(maps: &str) -> Vec<HostRange> {
    let parse = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let permissions = rest.as_bytes();
        let bit = |at: usize, letter: u8, flag: u64| match permissions.get(at) {
            Some(&found) if found == letter => flag,
            Some(_) | None => 0,
        };
        Some(HostRange {
            range: u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?,
            prot: bit(0, b'r', flags::PROT_READ) | bit(1, b'w', flags::PROT_WRITE),
            shared: bit(3, b's', 1) != 0,
        })
    };
    let guests = |line: HostRange| {
        let parts = own::outside(line.range.clone());
        parts.into_iter().map(move |range| HostRange { range, ..line })
    };
    maps.lines()
        .filter_map(parse)
        .filter(|line| line.range.end <= GUEST_ADDRESS_LIMIT)
        .flat_map(guests)
        .collect()
}

impl Mm {
    /// Brings the table up to date after the death of a child that shared memory, if it died within a change.
    pub fn repair(&self, engine: &Engine) {
        let mut state = self.lock();
        if !state.unsure {
            self.shared.unsure.store(false, Ordering::Relaxed);
            return;
        }
        // Where there is no /proc, only what the next calls find is found.
        if let Ok(maps) = std::fs::read_to_string("/proc/self/maps") {
            reconcile(&mut state, &parse(&maps));
        }
        state.unsure = false;
        self.shared.unsure.store(false, Ordering::Relaxed);
        let guarded = state.table.guarded_ranges();
        self.shared
            .executable
            .replace(state.table.executable_ranges(), guarded);
        engine.invalidate(GuestAddr(0)..GuestAddr(GUEST_ADDRESS_LIMIT));
    }
}

fn reconcile(state: &mut State, host: &[HostRange]) {
    let mut gone = state.table.covered_parts(&(0..GUEST_ADDRESS_LIMIT));
    for line in host {
        gone = gone.iter().flat_map(|part| without(part, &line.range)).collect();
    }
    for part in gone {
        state.table.remove(&part);
    }
    for line in host {
        for hole in state.table.holes(&line.range) {
            // An area that grows down has grown, if this lies right below it.
            let grown = state.table.find(hole.end).is_some_and(|above| above.grows_down);
            if !grown {
                state.table.insert(Vma {
                    start: hole.start,
                    end: hole.end,
                    prot: line.prot,
                    shared: line.shared,
                    grows_down: false,
                    offset: 0,
                    backing: Backing::Anonymous,
                });
            }
        }
        for piece in state.table.pieces(&line.range) {
            if host_prot(piece.prot) != line.prot {
                state.table.insert(Vma {
                    prot: line.prot,
                    ..piece
                });
            }
        }
    }
    // The heap ends where its mapping does.
    let heap = state.table.covered_until(&(state.brk_start..GUEST_ADDRESS_LIMIT));
    if state.brk.next_multiple_of(PAGE_SIZE) > heap {
        state.brk = heap;
    }
    let table = &state.table;
    state.attached.retain(|&start, _| table.find(start).is_some());
}

/// The parts of a range outside another.
fn without(part: &Range<u64>, taken: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let below = part.start..part.end.min(taken.start);
    let above = part.start.max(taken.end)..part.end;
    [below, above].into_iter().filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vma(start: u64, end: u64, prot: u64, backing: Backing) -> Vma {
        Vma {
            start,
            end,
            prot,
            shared: false,
            grows_down: backing == Backing::Stack,
            offset: 0,
            backing,
        }
    }

    #[test]
    fn what_the_kernel_has_joined_with_ours_is_the_guests() {
        let _own = host_memory::Mapping::new(1, host_memory::Access::ReadWrite).expect("memory");
        let start = own::area().start;
        let found = parse(&format!(
            "{:x}-{:x} rw-p 00000000 00:00 0\n",
            start - 0x3000,
            start + 0x1000
        ));
        let ranges: Vec<_> = found.into_iter().map(|line| line.range).collect();
        assert_eq!(ranges, std::slice::from_ref(&(start - 0x3000..start)));
    }

    #[test]
    fn the_host_decides() {
        const RW: u64 = flags::PROT_READ | flags::PROT_WRITE;
        const RX: u64 = flags::PROT_READ | flags::PROT_EXEC;
        let mut state = State {
            brk_start: 0x10_0000,
            brk: 0x10_2800,
            ..State::default()
        };
        for area in [
            vma(0x1_0000, 0x1_3000, RX, Backing::Anonymous),
            vma(0x2_0000, 0x2_4000, RW, Backing::Anonymous),
            vma(0x3_0000, 0x3_1000, RX, Backing::Anonymous),
            vma(0x10_0000, 0x10_3000, RW, Backing::Heap),
            vma(0x20_1000, 0x20_2000, RW, Backing::Stack),
        ] {
            state.table.insert(area);
        }
        // Unmapped a page in the middle, mapped another, shrank the heap, made code writable; the stack has grown.
        let host = parse(
            "00010000-00013000 r--p 00000000 00:00 0\n\
             00020000-00021000 rw-p 00000000 00:00 0\n\
             00022000-00024000 rw-p 00000000 00:00 0\n\
             00030000-00031000 rw-p 00000000 00:00 0\n\
             00040000-00041000 r--s 00000000 00:00 0\n\
             00100000-00101000 rw-p 00000000 00:00 0\n\
             00200000-00202000 rw-p 00000000 00:00 0\n\
             ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n",
        );
        reconcile(&mut state, &host);
        let found: Vec<_> = state
            .table
            .iter()
            .map(|vma| (vma.start, vma.end, vma.prot))
            .collect();
        assert_eq!(
            found,
            [
                (0x1_0000, 0x1_3000, RX),
                (0x2_0000, 0x2_1000, RW),
                (0x2_2000, 0x2_4000, RW),
                (0x3_0000, 0x3_1000, RW),
                (0x4_0000, 0x4_1000, flags::PROT_READ),
                (0x10_0000, 0x10_1000, RW),
                (0x20_1000, 0x20_2000, RW),
            ]
        );
        assert_eq!(state.brk, 0x10_1000);
    }
}
