//! Random code with forward branches, loops and calls: what single instructions cannot
//! show of a translator (flags and constants carried along, dead stores removed,
//! registers kept in host registers, state at a fault in the middle of a block).

use crate::arena::{Arena, CODE_ENTRY, MAX_WORDS};
use crate::case::{self, Case, Kind, NOP};
use crate::local::EngineRunner;
use crate::outcome::{self, Delta, Outcome};
use crate::rng::Rng;
use crate::rows;
use a64_isa::{ROWS, RowInfo};
use guest::FpEnv;

/// General registers that hold data addresses; SP is one as well.
const POINTERS: [u32; 3] = [26, 27, 28];
/// A general register that holds a small offset.
const OFFSET: u32 = 25;
/// A general register that holds the address behind the code.
const CODE_END: u32 = 24;
/// A general register that counts the rounds of a loop.
const COUNTER: u32 = 23;

/// A general register that holds a value for FPCR.
const NEW_FPCR: u32 = 22;

/// The `seed`-th sequence.
#[must_use]
pub fn case(seed: u64) -> Case {
    let mut rng = Rng::for_case("sequence", seed);
    let words = match rng.below(4) {
        0 => looping(&mut rng),
        1 => calling(&mut rng),
        _ => {
            let length = 1 + rng.below(MAX_WORDS as u64) as usize;
            straight(&mut rng, length)
        }
    };
    with_state(words, seed, &mut rng)
}

/// A straight sequence of one instruction for each of the first [`MAX_WORDS`] choices, and
/// the state for the first; `None` without any. For fuzzers, which change a choice at a
/// time: the other instructions stay.
#[must_use]
pub fn of_choices(choices: &[u32]) -> Option<Case> {
    let choices = &choices[..choices.len().min(MAX_WORDS)];
    let first = u64::from(*choices.first()?);
    let words = (0..)
        .zip(choices)
        .map(|(n, &choice)| word(&mut Rng::new(u64::from(choice)), choices.len() - n))
        .collect();
    Some(with_state(words, first, &mut Rng::new(first)))
}

/// The case of these words with a state chosen for them.
fn with_state(words: Vec<u32>, seed: u64, rng: &mut Rng) -> Case {
    let mut state = case::random_state(rng);
    for n in POINTERS {
        state.x[n as usize] = case::data_address(rng);
    }
    state.x[OFFSET as usize] = rng.below(512);
    state.x[CODE_END as usize] = CODE_ENTRY + 4 * words.len() as u64;
    state.x[NEW_FPCR as usize] = u64::from(case::random_fpcr(rng));
    state.x[COUNTER as usize] = 1 + rng.below(5);
    Case {
        word: words[0],
        seed,
        words,
        state,
        checks_memory: true,
    }
}

fn straight(rng: &mut Rng, length: usize) -> Vec<u32> {
    let mut words = Vec::with_capacity(length);
    while words.len() < length {
        let left = length - words.len();
        if left >= 3 && rng.one_in(24) {
            words.extend(bulk(rng));
        } else {
            words.push(word(rng, left));
        }
    }
    words
}

/// The three stages of a memory copy or set, with few registers and a small size.
fn bulk(rng: &mut Rng) -> [u32; 3] {
    let names = ["cpyfp", "cpyp", "setp"];
    let name = names[rng.below(3) as usize];
    let row = ROWS
        .iter()
        .find(|row| row.name == name)
        .expect("the table has it");
    let to = rng.below(3) as usize;
    let from = (to + 1 + rng.below(2) as usize) % 3;
    let registers = 31 << 16 | 31 << 5 | 31;
    let word = a64_isa::sample(row, rng.next()) & !registers;
    case::bulk_stages(word | POINTERS[from] << 16 | OFFSET << 5 | POINTERS[to])
}

/// The body, then a branch back to some place in it while the counter lasts.
fn looping(rng: &mut Rng) -> Vec<u32> {
    let length = 1 + rng.below(MAX_WORDS as u64 - 3) as usize;
    let mut words = straight(rng, length);
    let back = 1 + rng.below(length as u64 + 1) as u32;
    words.push(0x5100_0400 | COUNTER << 5 | COUNTER); // sub wN, wN, #1
    words.push(0x3500_0000 | (back.wrapping_neg() & 0x7_ffff) << 5 | COUNTER); // cbnz wN
    words
}

/// A body that calls a subroutine behind it, once or twice.
fn calling(rng: &mut Rng) -> Vec<u32> {
    let body = 2 + rng.below(10) as usize;
    let subroutine = 1 + rng.below(6) as usize;
    let mut words = straight(rng, body);
    for _ in 0..1 + rng.below(2) {
        let at = rng.below(body as u64) as usize;
        words[at] = 0x9400_0000 | (body + 1 - at) as u32; // bl
    }
    words.push(0x1400_0000 | (subroutine + 2) as u32); // b to the end
    words.extend(straight(rng, subroutine));
    words.push(0xd65f_03c0); // ret
    words
}

/// Reads and writes of FPCR, FPSR and NZCV, which change how the code after them runs.
fn system_word(rng: &mut Rng) -> u32 {
    let register = rng.below(8) as u32;
    match rng.below(6) {
        0 | 1 => 0xd51b_4400 | NEW_FPCR,
        2 => 0xd53b_4420 | register, // mrs fpsr
        3 => 0xd51b_4420 | register,
        4 => 0xd53b_4200 | register, // mrs nzcv
        _ => 0xd51b_4200 | register,
    }
}

/// An instruction that has `left` instructions from itself to the end.
fn word(rng: &mut Rng, left: usize) -> u32 {
    if rng.one_in(32) {
        return system_word(rng);
    }
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
            // Alone it would go on for most of memory: see `bulk`.
            Kind::Bulk => false,
        };
        if !wanted || rows::not_recorded(row).is_some() || rows::is_model_specific(word) {
            continue;
        }
        let word = if is_branch && Kind::of(word) == Kind::Plain {
            forward(word, 1 + rng.below(left as u64) as u32)
        } else {
            with_few_registers(row, word, rng)
        };
        // The row may not allow these registers; and an exception would end the sequence.
        let is_same = a64_isa::row_of(word).is_some_and(|found| found.name == row.name);
        if is_same && word >> 24 != 0xd4 {
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
    out
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

/// Differences described in full.
const SHOWN: usize = 10;

/// What the interpreter and the engine make of a case, if it is not the same.
pub fn differs(arena: &mut Arena, engine: &mut EngineRunner, case: &Case) -> Option<(Delta, Delta)> {
    let expected = rows::interpret(arena, case)?;
    let mut outcome = engine.run(arena, case);
    // The host sees whether a result is tiny after rounding it, Arm before (Arm ARM
    // A1.5.5): one that rounds up to the smallest normal number raises Underflow on
    // Arm only, and generated code lets it be until FPSR is used.
    if !engine.is_exact() && (expected.state.fpsr() ^ outcome.state.fpsr()) & !FpEnv::FPSR_UFC == 0 {
        outcome.state.fp.fpsr |= expected.state.fpsr() & FpEnv::FPSR_UFC;
    }
    // What a delta shows of memory is the beginning.
    let memory = (expected.changes != outcome.changes).then(|| [&expected, &outcome].map(rest_of_memory));
    let (mut expected, mut got) = (expected.delta(case), outcome.delta(case));
    if let (Some([left, right]), false) = (memory, expected.contains_key("fault")) {
        expected.insert("memory".into(), left);
        got.insert("memory".into(), right);
    }
    if expected.contains_key("fault") {
        // Flags that the block sets again before it reads them are not computed, and a
        // fault in between shows the older ones (docs/architecture.md, precise faults).
        expected.remove("nzcv");
        got.remove("nzcv");
    }
    (got != expected).then_some((expected, got))
}

/// The changes of memory that a delta does not show.
fn rest_of_memory(outcome: &Outcome) -> String {
    let rest = outcome.changes.iter().skip(outcome::SHOWN_CHANGES);
    rest.map(|(addr, value)| format!("{addr:x}:{value:x},")).collect()
}

/// Runs the sequences of these seeds on the engine and under the interpreter. Returns
/// how many differ, and a description of the first of them.
pub fn compare(arena: &mut Arena, engine: &mut EngineRunner, seeds: std::ops::Range<u64>) -> (usize, String) {
    let mut differs = |case: &Case| differs(arena, engine, case);
    let (mut differing, mut report) = (0, String::new());
    for seed in seeds {
        if let Some((least, expected, got)) = shrink(&case(seed), &mut differs) {
            differing += 1;
            if differing <= SHOWN {
                report += &outcome::explain(&least, ("interpreter", &expected), ("engine", &got));
            }
        }
    }
    (differing, report)
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
