//! Random straight-line code with forward branches: what single instructions cannot
//! show of a translator (flags and constants carried along, dead stores removed,
//! registers kept in host registers, state at a fault in the middle of a block).

use crate::arena::{CODE_ENTRY, MAX_WORDS};
use crate::case::{self, Case, Kind, NOP};
use crate::outcome::Delta;
use crate::rng::Rng;
use crate::rows;
use a64_isa::{ROWS, RowInfo};

/// General registers that hold data addresses; SP is one as well.
const POINTERS: [u32; 3] = [26, 27, 28];
/// A general register that holds a small offset.
const OFFSET: u32 = 25;
/// A general register that holds the address behind the code.
const CODE_END: u32 = 24;

/// The `seed`-th sequence.
#[must_use]
pub fn case(seed: u64) -> Case {
    let mut rng = Rng::for_case("sequence", seed);
    let length = 2 + rng.below(MAX_WORDS as u64 - 2) as usize;
    let words: Vec<u32> = (0..length).map(|n| word(&mut rng, length - n)).collect();
    let mut state = case::random_state(&mut rng);
    for n in POINTERS {
        state.x[n as usize] = case::data_address(&mut rng);
    }
    state.x[OFFSET as usize] = rng.below(512);
    state.x[CODE_END as usize] = CODE_ENTRY + 4 * length as u64;
    Case {
        word: words[0],
        seed,
        words,
        state,
        checks_memory: true,
    }
}

/// An instruction that has `left` instructions from itself to the end.
fn word(rng: &mut Rng, left: usize) -> u32 {
    loop {
        let row = &ROWS[rng.below(ROWS.len() as u64) as usize];
        let word = a64_isa::sample(row, rng.next());
        let is_branch = word >> 26 & 7 == 5;
        // Fewer vector loads and stores and more of the rest than the table has rows.
        let wanted = match Kind::of(word) {
            Kind::Plain if is_branch => true,
            Kind::Plain => !is_vector(word) || rng.one_in(2),
            Kind::BranchRegister => rng.one_in(4),
            Kind::Memory
            | Kind::StoreExclusive
            | Kind::CompareSwap
            | Kind::CompareSwapPair
            | Kind::CacheLine => rng.one_in(2),
        };
        if !wanted || rows::not_recorded(row).is_some() || rows::is_model_specific(word) {
            continue;
        }
        let word = if is_branch && Kind::of(word) == Kind::Plain {
            forward(word, 1 + rng.below(left as u64) as u32)
        } else {
            with_few_registers(row, word, rng)
        };
        // The result must still be an instruction, and no exception generation.
        let found = a64_isa::row_of(word);
        if found.is_some_and(|row| rows::not_recorded(row).is_none()) && word >> 24 != 0xd4 {
            return word;
        }
    }
}

const fn is_vector(word: u32) -> bool {
    word >> 25 & 7 == 7
}

/// The branch with its target `distance` instructions ahead.
const fn forward(word: u32, distance: u32) -> u32 {
    if word & 0x7c00_0000 == 0x1400_0000 {
        word & 0xfc00_0000 | distance
    } else if word & 0x7e00_0000 == 0x3600_0000 {
        word & !(0x3fff << 5) | distance << 5
    } else {
        word & !(0x7_ffff << 5) | distance << 5
    }
}

/// The word with its registers replaced by few, so that instructions depend on each
/// other, and with addresses where it needs them.
fn with_few_registers(row: &RowInfo, word: u32, rng: &mut Rng) -> u32 {
    let kind = Kind::of(word);
    let mut out = word;
    for field in row
        .fields
        .iter()
        .filter(|field| field.name.starts_with('r') && field.width == 5)
    {
        let pointer = match rng.below(5) {
            0 | 1 => 31,
            n => POINTERS[n as usize - 2],
        };
        let register = match (kind, field.name) {
            (Kind::BranchRegister, "rn") => CODE_END,
            (Kind::CacheLine, "rt") | (_, "rn") if kind.writes_memory() => pointer,
            (Kind::Memory, "rm") => OFFSET,
            _ if rng.one_in(16) => 31,
            _ => rng.below(8) as u32,
        };
        out = out & !(31 << field.lsb) | register << field.lsb;
    }
    if a64_isa::row_of(out).is_some_and(|found| found.name == row.name) {
        out
    } else {
        word
    }
}

/// The shortest variant of `case` (instructions replaced by NOP) for which `differs`
/// still gives two outcomes, and these.
pub fn shrink(
    case: &Case,
    mut differs: impl FnMut(&Case) -> Option<(Delta, Delta)>,
) -> Option<(Case, Delta, Delta)> {
    let mut best = case.clone();
    let mut outcomes = differs(&best)?;
    for n in (0..best.words.len()).rev() {
        let mut candidate = best.clone();
        candidate.words[n] = NOP;
        if let Some(found) = differs(&candidate) {
            (best, outcomes) = (candidate, found);
        }
    }
    Some((best, outcomes.0, outcomes.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_go_forward() {
        assert_eq!(forward(0x17ff_ffff, 2), 0x1400_0002); // b .+8
        assert_eq!(forward(0x54ff_ffe0, 2), 0x5400_0040); // b.eq .+8
        assert_eq!(forward(0xb4ff_ffe5, 2), 0xb400_0045); // cbz x5, .+8
        assert_eq!(forward(0x360f_ffe5, 2), 0x3608_0045); // tbz w5, #1, .+8
    }

    #[test]
    fn shrinking_keeps_what_matters() {
        let mut whole = case(1);
        whole.words = vec![1, 2, 3, 4];
        let differs = |case: &Case| case.words.contains(&3).then(Default::default);
        let (least, ..) = shrink(&whole, differs).unwrap();
        assert_eq!(least.words, [NOP, NOP, 3, NOP]);
    }
}
