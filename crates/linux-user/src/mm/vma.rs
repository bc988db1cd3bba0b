//! [`VmaTable`]: the guest's mappings as Linux's VMAs: a map from start to area, without
//! overlaps, neighbours of equal nature merged. Pure bookkeeping: no host calls.

use guest::PAGE_SIZE;
use linux_abi::flags;
use std::collections::BTreeMap;
use std::ops::Range;

/// What an area holds, as far as it matters for merging and for /proc/PID/maps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backing {
    Anonymous,
    /// A file; the name is left to the host's own /proc/self/maps, which has it for free.
    File {
        dev: u64,
        ino: u64,
    },
    /// A System V segment, by its identifier.
    SharedSegment(u32),
    Heap,
    Stack,
    Vdso,
}

impl Backing {
    /// The bracketed name of /proc/PID/maps, for areas the host would name otherwise.
    #[must_use]
    pub fn label(self) -> Option<&'static str> {
        match self {
            Backing::Heap => Some("[heap]"),
            Backing::Stack => Some("[stack]"),
            Backing::Vdso => Some("[vdso]"),
            Backing::Anonymous | Backing::File { .. } | Backing::SharedSegment(_) => None,
        }
    }

    /// Whether equal backings mean the same memory (for shared mappings).
    #[must_use]
    pub fn has_identity(self) -> bool {
        match self {
            Backing::File { ino, .. } => ino != 0,
            Backing::SharedSegment(_) => true,
            Backing::Anonymous | Backing::Heap | Backing::Stack | Backing::Vdso => false,
        }
    }

    fn has_offset(self) -> bool {
        matches!(self, Backing::File { .. } | Backing::SharedSegment(_))
    }
}

/// One mapping. `start..end` is the key range; both are page aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vma {
    pub start: u64,
    pub end: u64,
    /// The protection the guest asked for (PROT_*), PROT_EXEC included.
    pub prot: u64,
    pub shared: bool,
    pub grows_down: bool,
    /// File offset of `start`.
    pub offset: u64,
    pub backing: Backing,
}

impl Vma {
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.prot & flags::PROT_EXEC != 0
    }

    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// The part of this area inside `range`, which it must overlap.
    fn clip(&self, range: &Range<u64>) -> Vma {
        let start = self.start.max(range.start);
        let end = self.end.min(range.end);
        let offset = if self.backing.has_offset() {
            self.offset.wrapping_add(start - self.start)
        } else {
            0
        };
        Vma {
            start,
            end,
            offset,
            ..*self
        }
    }

    /// This area moved so that it begins at `start`.
    #[must_use]
    pub fn moved_to(&self, start: u64) -> Vma {
        Vma {
            start,
            end: start + (self.end - self.start),
            ..*self
        }
    }

    fn continues_as(&self, next: &Vma) -> bool {
        self.end == next.start
            && self.prot == next.prot
            && self.shared == next.shared
            && self.grows_down == next.grows_down
            && self.backing == next.backing
            && (!self.backing.has_offset() || self.offset.wrapping_add(self.end - self.start) == next.offset)
    }
}

/// All mappings of the guest, by start address.
#[derive(Clone, Default, Debug)]
pub struct VmaTable {
    areas: BTreeMap<u64, Vma>,
    changes: u64,
}

impl VmaTable {
    #[must_use]
    pub fn new() -> VmaTable {
        VmaTable::default()
    }

    /// How often anything changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn iter(&self) -> impl Iterator<Item = &Vma> {
        self.areas.values()
    }

    /// The area that contains `addr`.
    #[must_use]
    pub fn find(&self, addr: u64) -> Option<&Vma> {
        let (_, vma) = self.areas.range(..=addr).next_back()?;
        (addr < vma.end).then_some(vma)
    }

    /// The areas that overlap `range`, whole.
    pub fn overlapping(&self, range: Range<u64>) -> impl Iterator<Item = &Vma> {
        let first = self.find(range.start).map_or(range.start, |vma| vma.start);
        self.areas
            .range(first..range.end.max(first))
            .map(|(_, vma)| vma)
            .filter(move |vma| vma.start < range.end && vma.end > range.start)
    }

    /// The pieces of areas inside `range`, cut at its ends.
    #[must_use]
    pub fn pieces(&self, range: &Range<u64>) -> Vec<Vma> {
        self.overlapping(range.clone())
            .map(|vma| vma.clip(range))
            .collect()
    }

    /// The areas that begin below `addr`, from the last to the first.
    pub fn below(&self, addr: u64) -> impl Iterator<Item = &Vma> {
        self.areas.range(..addr).rev().map(|(_, vma)| vma)
    }

    /// The parts of `range` that no area covers.
    #[must_use]
    pub fn holes(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut holes = Vec::new();
        let mut at = range.start;
        for vma in self.overlapping(range.clone()) {
            if vma.start > at {
                holes.push(at..vma.start);
            }
            at = vma.end;
        }
        if at < range.end {
            holes.push(at..range.end);
        }
        holes
    }

    /// The parts of `range` that areas cover, neighbours joined: the reverse of [`Self::holes`].
    #[must_use]
    pub fn covered_parts(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts: Vec<Range<u64>> = Vec::new();
        for vma in self.overlapping(range.clone()) {
            let piece = vma.clip(range).range();
            match parts.last_mut() {
                Some(last) if last.end == piece.start => last.end = piece.end,
                _ => parts.push(piece),
            }
        }
        parts
    }

    /// How far mappings reach without a hole from `range.start`, at most to `range.end`.
    #[must_use]
    pub fn covered_until(&self, range: &Range<u64>) -> u64 {
        let mut at = range.start;
        for vma in self.overlapping(range.clone()) {
            if vma.start > at {
                break;
            }
            at = vma.end;
        }
        at.min(range.end)
    }

    #[must_use]
    pub fn covers(&self, range: &Range<u64>) -> bool {
        self.covered_until(range) >= range.end
    }

    #[must_use]
    pub fn any_executable(&self, range: &Range<u64>) -> bool {
        self.overlapping(range.clone()).any(Vma::is_executable)
    }

    /// The areas that can have grown down into a hole that `range` touches, each with where that hole begins.
    #[must_use]
    pub fn growing_into(&self, range: &Range<u64>) -> Vec<(Vma, u64)> {
        let within = self.overlapping(range.clone());
        let above = self.areas.range(range.end..).next().map(|(_, vma)| vma);
        within
            .chain(above)
            .filter(|vma| vma.grows_down && vma.start > range.start)
            .map(|vma| (*vma, self.end_below(vma.start)))
            .filter(|(vma, floor)| *floor < vma.start)
            .collect()
    }

    /// Where the last area before `addr`, which no area contains, ends; 0 if there is none.
    fn end_below(&self, addr: u64) -> u64 {
        self.areas.range(..addr).next_back().map_or(0, |(_, vma)| vma.end)
    }

    /// Whether the next area from `end` on is executable and grows down: what is mapped below is a bound for it.
    #[must_use]
    pub fn code_may_grow_to(&self, end: u64) -> bool {
        let next = self.areas.range(end..).next();
        next.is_some_and(|(_, vma)| vma.grows_down && vma.is_executable())
    }

    /// Forgets everything in `range`, cutting areas that reach beyond it.
    pub fn remove(&mut self, range: &Range<u64>) {
        self.changes += 1;
        let whole: Vec<Vma> = self.overlapping(range.clone()).copied().collect();
        for vma in whole {
            self.areas.remove(&vma.start);
            if vma.start < range.start {
                let left = vma.clip(&(vma.start..range.start));
                self.areas.insert(left.start, left);
            }
            if vma.end > range.end {
                let right = vma.clip(&(range.end..vma.end));
                self.areas.insert(right.start, right);
            }
        }
    }

    /// Records `vma`, replacing what was there, and merges it with equal neighbours.
    pub fn insert(&mut self, mut vma: Vma) {
        debug_assert!(vma.start < vma.end);
        debug_assert!(vma.start.is_multiple_of(PAGE_SIZE) && vma.end.is_multiple_of(PAGE_SIZE));
        self.remove(&vma.range());
        if let Some(left) = vma
            .start
            .checked_sub(1)
            .and_then(|before| self.find(before))
            .copied()
            && left.continues_as(&vma)
        {
            self.areas.remove(&left.start);
            vma = Vma { end: vma.end, ..left };
        }
        if let Some(right) = self.areas.get(&vma.end).copied()
            && vma.continues_as(&right)
        {
            self.areas.remove(&right.start);
            vma.end = right.end;
        }
        self.areas.insert(vma.start, vma);
    }

    /// Changes the protection of the mapped parts of `range`.
    pub fn protect(&mut self, range: &Range<u64>, prot: u64) {
        for piece in self.pieces(range) {
            self.insert(Vma { prot, ..piece });
        }
    }

    /// The executable ranges, ascending and merged.
    #[must_use]
    pub fn executable_ranges(&self) -> Vec<(u64, u64)> {
        self.ranges_with(flags::PROT_EXEC)
    }

    /// The executable ranges with PROT_BTI.
    #[must_use]
    pub fn guarded_ranges(&self) -> Vec<(u64, u64)> {
        self.ranges_with(flags::PROT_EXEC | flags::PROT_BTI)
    }

    fn ranges_with(&self, prot: u64) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let mut end_below = 0;
        for vma in self.iter() {
            // What grows down may have reached any place in the hole below.
            let start = if vma.grows_down { end_below } else { vma.start };
            end_below = vma.end;
            if vma.prot & prot != prot {
                continue;
            }
            match ranges.last_mut() {
                Some(last) if last.1 == start => last.1 = vma.end,
                _ => ranges.push((start, vma.end)),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// xorshift64*, enough for choosing test operations.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
        }
    }

    const PAGES: u64 = 48;

    fn random_vma(random: &mut Random) -> Vma {
        let start = random.below(PAGES);
        let len = 1 + random.below(PAGES - start);
        let backing = match random.below(3) {
            0 => Backing::Anonymous,
            1 => Backing::Heap,
            _ => Backing::File {
                dev: 1,
                ino: random.below(2),
            },
        };
        // Offsets equal to addresses make file mappings of one inode mergeable.
        let offset = if backing.has_offset() {
            start * PAGE_SIZE
        } else {
            0
        };
        Vma {
            start: start * PAGE_SIZE,
            end: (start + len) * PAGE_SIZE,
            prot: random.below(8),
            shared: random.below(4) == 0,
            grows_down: false,
            offset,
            backing,
        }
    }

    fn random_range(random: &mut Random) -> Range<u64> {
        let start = random.below(PAGES);
        let len = 1 + random.below(PAGES - start);
        start * PAGE_SIZE..(start + len) * PAGE_SIZE
    }

    /// What the model keeps for each page.
    type Page = (u64, bool, Backing, u64);

    fn check(table: &VmaTable, model: &HashMap<u64, Page>) {
        let mut previous: Option<Vma> = None;
        for vma in table.iter() {
            assert!(vma.start < vma.end);
            if let Some(left) = previous {
                assert!(left.end <= vma.start, "overlap: {left:x?} {vma:x?}");
                assert!(!left.continues_as(vma), "not merged: {left:x?} {vma:x?}");
            }
            previous = Some(*vma);
        }
        for page in 0..PAGES {
            let found = table.find(page * PAGE_SIZE).map(|vma| {
                let piece = vma.clip(&(page * PAGE_SIZE..(page + 1) * PAGE_SIZE));
                (piece.prot, piece.shared, piece.backing, piece.offset)
            });
            assert_eq!(found.as_ref(), model.get(&page), "page {page}");
        }
    }

    fn check_queries(table: &VmaTable, model: &HashMap<u64, Page>, range: &Range<u64>) {
        let pages = range.start / PAGE_SIZE..range.end / PAGE_SIZE;
        let missing: u64 = pages.clone().filter(|page| !model.contains_key(page)).count() as u64;
        let holes = table.holes(range);
        assert_eq!(
            holes
                .iter()
                .map(|hole| (hole.end - hole.start) / PAGE_SIZE)
                .sum::<u64>(),
            missing
        );
        let covered: u64 = table
            .covered_parts(range)
            .iter()
            .map(|part| part.end - part.start)
            .sum();
        assert_eq!(
            covered / PAGE_SIZE + missing,
            (range.end - range.start) / PAGE_SIZE
        );
        assert_eq!(table.covers(range), missing == 0);
        let first_gap = pages
            .clone()
            .find(|page| !model.contains_key(page))
            .unwrap_or(pages.end);
        assert_eq!(table.covered_until(range), first_gap * PAGE_SIZE);
        let executable = pages
            .clone()
            .any(|page| model.get(&page).is_some_and(|page| page.0 & 4 != 0));
        assert_eq!(table.any_executable(range), executable);
    }

    #[test]
    fn behaves_as_a_map_of_pages() {
        let seed = 0x5eed_0001;
        println!("seed {seed:#x}");
        let mut random = Random(seed);
        let mut table = VmaTable::new();
        let mut model: HashMap<u64, Page> = HashMap::new();
        for _ in 0..20_000 {
            match random.below(4) {
                0 => {
                    let range = random_range(&mut random);
                    table.remove(&range);
                    model.retain(|page, _| !range.contains(&(page * PAGE_SIZE)));
                }
                1 => {
                    let range = random_range(&mut random);
                    let prot = random.below(8);
                    table.protect(&range, prot);
                    for (_, page) in model
                        .iter_mut()
                        .filter(|(page, _)| range.contains(&(*page * PAGE_SIZE)))
                    {
                        page.0 = prot;
                    }
                }
                _ => {
                    let vma = random_vma(&mut random);
                    table.insert(vma);
                    for page in vma.start / PAGE_SIZE..vma.end / PAGE_SIZE {
                        let offset = if vma.backing.has_offset() {
                            page * PAGE_SIZE
                        } else {
                            0
                        };
                        model.insert(page, (vma.prot, vma.shared, vma.backing, offset));
                    }
                }
            }
            check(&table, &model);
            check_queries(&table, &model, &random_range(&mut random));
        }
    }

    #[test]
    fn what_grows_down_is_found_from_below() {
        let mut table = VmaTable::new();
        let page = |n: u64| n * PAGE_SIZE;
        for (start, end, prot, grows_down) in [(2, 3, 3, false), (10, 12, 7, true), (20, 21, 5, false)] {
            table.insert(Vma {
                start: page(start),
                end: page(end),
                prot,
                shared: false,
                grows_down,
                offset: 0,
                backing: Backing::Anonymous,
            });
        }
        let found = |from: u64, to: u64| {
            let areas = table.growing_into(&(page(from)..page(to)));
            areas
                .iter()
                .map(|(vma, floor)| (vma.start, *floor))
                .collect::<Vec<_>>()
        };
        let grown = vec![(page(10), page(3))];
        for (from, to, expected) in [(5, 6, &grown), (3, 11, &grown), (0, 64, &grown), (9, 10, &grown)] {
            assert_eq!(&found(from, to), expected, "{from} {to}");
        }
        for (from, to) in [(10, 11), (12, 13), (20, 21), (30, 31)] {
            assert_eq!(found(from, to), [], "{from} {to}");
        }
        // Code may be anywhere in the hole.
        assert_eq!(
            table.executable_ranges(),
            [(page(3), page(12)), (page(20), page(21))]
        );
        assert!(table.code_may_grow_to(page(4)) && !table.code_may_grow_to(page(12)));
    }

    #[test]
    fn executable_ranges_merge_across_areas() {
        let mut table = VmaTable::new();
        for (page, prot) in [(0, 5), (1, 7), (2, 3), (3, 4)] {
            table.insert(Vma {
                start: page * PAGE_SIZE,
                end: (page + 1) * PAGE_SIZE,
                prot,
                shared: false,
                grows_down: false,
                offset: 0,
                backing: Backing::Anonymous,
            });
        }
        assert_eq!(
            table.executable_ranges(),
            [(0, 2 * PAGE_SIZE), (3 * PAGE_SIZE, 4 * PAGE_SIZE)]
        );
    }
}
