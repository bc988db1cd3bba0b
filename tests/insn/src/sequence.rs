//! Random code with forward branches, loops and calls: what single instructions cannot
//! show of a translator (flags and constants carried along, dead stores removed,
//! registers kept in host registers, state at a fault in the middle of a block).

use crate::arena::{Arena, CODE_ENTRY, DATA_SIZE, MAX_WORDS};
use crate::case::{self, Case, Kind, NOP};
use crate::local::EngineRunner;
use crate::outcome::{self, Delta, Outcome};
use crate::rng::Rng;
use crate::rows;
use a64_isa::{ROWS, RowInfo};
use guest::FpEnv;

/// General registers that hold data addresses; SP is one as well.
const POINTERS: [u32; 3] = [26, 27, 28];
/// Where in the data their addresses are: far enough from each other that a copy does not
/// overlap what it copies, upwards at least.
const PARTS: [u64; 3] = [0x2000, 0xa000, 0x1_2000];
/// A general register that holds a small offset.
const OFFSET: u32 = 25;
/// A general register that holds the address behind the code.
const CODE_END: u32 = 24;
/// A general register that counts the rounds of a loop.
const COUNTER: u32 = 23;

/// The vector registers of sequences: translators treat them differently (some are kept in
/// a host register, some in its upper bank, some in memory). As general registers, none has a role.
const VECTORS: [u32; 8] = [0, 1, 5, 9, 12, 17, 20, 21];

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
fn with_state(mut words: Vec<u32>, seed: u64, rng: &mut Rng) -> Case {
    drop_broken_groups(&mut words);
    drop_unlike_exclusives(&mut words);
    let mut state = case::random_state(rng);
    for (n, part) in POINTERS.into_iter().zip(PARTS) {
        let address = case::data_address(rng);
        state.x[n as usize] = address & !(DATA_SIZE - 1) | part | address & 0x3fff;
    }
    state.x[OFFSET as usize] = rng.below(512);
    state.x[CODE_END as usize] = CODE_ENTRY + 4 * words.len() as u64;
    state.x[NEW_FPCR as usize] = u64::from(case::random_fpcr(rng));
    state.x[COUNTER as usize] = 1 + rng.below(5);
    // A quarter does not use FPSR (nor do its words), and is translated for that.
    if !seed.is_multiple_of(4) || words.iter().any(|&word| is_fpsr_access(word)) {
        state.use_fpsr();
    }
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
        } else if left >= 2 && rng.one_in(48) {
            words.extend(signed(rng));
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
    let from = match (name, to) {
        // It copies upwards in any case: the addresses must not be the other way round.
        ("cpyfp", 0) => 1 + rng.below(2) as usize,
        ("cpyfp", _) => 2,
        _ => (to + 1 + rng.below(2) as usize) % 3,
    };
    let to = if to == from { 1 } else { to };
    let registers = 31 << 16 | 31 << 5 | 31;
    let word = a64_isa::sample(row, rng.next()) & !registers;
    case::bulk_stages(word | POINTERS[from] << 16 | OFFSET << 5 | POINTERS[to])
}

/// A pointer signed, and authenticated or stripped at once: the keys of another emulator, and so
/// the signature, are not known.
fn signed(rng: &mut Rng) -> [u32; 2] {
    let pointer = POINTERS[rng.below(3) as usize];
    let key = rng.below(4) as u32;
    let modifier = match rng.below(4) {
        0 => 1 << 13 | 31 << 5, // the forms with zero
        1 => 31 << 5,
        _ => (rng.below(8) as u32) << 5,
    };
    let sign = PACIA | modifier | key << 10 | pointer;
    let undo = if rng.one_in(4) {
        XPACI | key >> 1 << 10 | pointer
    } else {
        sign | AUTHENTICATES
    };
    [sign, undo]
}

/// PACIA X0, X0, and the bit that makes AUTIA of it; XPACI X0.
const PACIA: u32 = 0xdac1_0000;
const AUTHENTICATES: u32 = 1 << 12;
const XPACI: u32 = 0xdac1_43e0;

/// PAC*, AUT* and XPAC* (Arm ARM C4.1.95, data processing of one source).
const fn is_signing(word: u32) -> bool {
    word & 0xffff_8000 == PACIA
}

/// Whether `undo` takes away the signature that `sign` gives.
const fn undoes(sign: u32, undo: u32) -> bool {
    let strips = XPACI | (sign >> 11 & 1) << 10 | sign & 31;
    is_signing(sign)
        && sign & (AUTHENTICATES | 1 << 14) == 0
        && (undo == sign | AUTHENTICATES || undo == strips)
}

/// The case with instruction `n` replaced by NOP, and the rest of its group with it.
pub(crate) fn without(case: &Case, n: usize) -> Case {
    let mut candidate = case.clone();
    candidate.words[n] = NOP;
    drop_broken_groups(&mut candidate.words);
    candidate
}

/// The length of the group that begins here: stages of a copy or set, or a signature given and taken.
fn group(words: &[u32]) -> Option<usize> {
    match *words {
        [first, second, third, ..] if [first, second, third] == case::bulk_stages(first) => Some(3),
        [sign, undo, ..] if undoes(sign, undo) => Some(2),
        _ => None,
    }
}

/// Replaces copies and sets that do not run from their first stage to their last (how much each
/// stage does is IMPLEMENTATION DEFINED, Arm ARM C6.2, CPYP), and signatures that would stay.
fn drop_broken_groups(words: &mut [u32]) {
    let mut entered = vec![false; words.len()];
    let mut enter = |at: i64| {
        if let Some(entered) = usize::try_from(at).ok().and_then(|at| entered.get_mut(at)) {
            *entered = true;
        }
    };
    for (at, &word) in (0..).zip(words.iter()) {
        if let Some(distance) = branch_distance(word) {
            enter(at + distance);
            // Where a call returns to.
            enter(at + 1);
        }
    }
    let mut at = 0;
    while at < words.len() {
        let is_part = Kind::of(words[at]) == Kind::Bulk || is_signing(words[at]);
        let whole = group(&words[at..]).filter(|length| !entered[at + 1..at + length].contains(&true));
        match whole {
            Some(length) if is_part => at += length,
            _ => {
                if is_part {
                    words[at] = NOP;
                }
                at += 1;
            }
        }
    }
}

/// Replaces stores-exclusive of another size than one of the loads-exclusive: whether they may
/// succeed is CONSTRAINED UNPREDICTABLE (Arm ARM B2.9.5).
fn drop_unlike_exclusives(words: &mut [u32]) {
    let loads: Vec<u32> = words
        .iter()
        .filter(|&&word| is_exclusive(word) && word >> 22 & 1 == 1)
        .map(|&word| exclusive_size(word))
        .collect();
    for word in words {
        if is_store_exclusive(*word) && loads.iter().any(|&size| size != exclusive_size(*word)) {
            *word = NOP;
        }
    }
}

/// Loads and stores exclusive, of pairs too (Arm ARM C4.1.94).
const fn is_exclusive(word: u32) -> bool {
    let is_casp = word >> 31 == 0 && word >> 21 & 1 == 1;
    word & 0x3f80_0000 == 0x0800_0000 && !is_casp
}

pub(crate) const fn is_store_exclusive(word: u32) -> bool {
    is_exclusive(word) && word >> 22 & 1 == 0
}

/// The size bits and whether it is a pair.
const fn exclusive_size(word: u32) -> u32 {
    word >> 30 << 1 | word >> 21 & 1
}

/// How many words ahead a direct branch goes (Arm ARM C4.1.66).
const fn branch_distance(word: u32) -> Option<i64> {
    // The field's sign bit is moved to the top and back.
    let (lsb, width) = if word & 0x7c00_0000 == 0x1400_0000 {
        (0, 26)
    } else if word & 0x7e00_0000 == 0x3600_0000 {
        (5, 14)
    } else if word & 0x7e00_0000 == 0x3400_0000 || word & 0xff00_0000 == 0x5400_0000 {
        (5, 19)
    } else {
        return None;
    };
    let top = 64 - width;
    Some(((word as u64 >> lsb) << top) as i64 >> top)
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

/// MSR FPCR of X0.
const MSR_FPCR: u32 = 0xd51b_4400;

/// Reads and writes of FPCR, FPSR and NZCV, which change how the code after them runs.
fn system_word(rng: &mut Rng) -> u32 {
    let register = rng.below(8) as u32;
    match rng.below(6) {
        0 | 1 => MSR_FPCR | NEW_FPCR,
        2 => 0xd53b_4420 | register, // mrs fpsr
        3 => 0xd51b_4420 | register,
        4 => 0xd53b_4200 | register, // mrs nzcv
        _ => 0xd51b_4200 | register,
    }
}

/// MRS and MSR of FPSR.
const fn is_fpsr_access(word: u32) -> bool {
    word & !(1 << 21 | 31) == 0xd51b_4420
}

/// An instruction that has `left` instructions from itself to the end.
fn word(rng: &mut Rng, left: usize) -> u32 {
    if rng.one_in(32) {
        return system_word(rng);
    }
    loop {
        let row = &ROWS[rng.below(ROWS.len() as u64) as usize];
        let word = a64_isa::sample(row, rng.next());
        let is_branch = branch_distance(word).is_some();
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

/// Whether it has vector operands (the bit that Arm's tables of encodings call V or op0<1>).
const fn uses_vectors(word: u32) -> bool {
    word >> 26 & 1 == 1
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
            // Other values would set bits that only FEAT_AFP and FEAT_EBF16 have (Arm ARM C5.2.8),
            // which qemu's `max` offers and this emulator does not.
            _ if word & !31 == MSR_FPCR => NEW_FPCR,
            _ if rng.one_in(16) => 31,
            _ if uses_vectors(word) => VECTORS[rng.below(8) as usize],
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
        let candidate = without(&best, n);
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
    // A1.5.5): for one that rounds up to the smallest normal number, generated code
    // takes the trouble from the guest's first use of FPSR on.
    if case.state.uses_fpsr == 0 && (expected.state.fpsr() ^ outcome.state.fpsr()) & !FpEnv::FPSR_UFC == 0 {
        outcome.state.fp.fpsr |= expected.state.fpsr() & FpEnv::FPSR_UFC;
    }
    // What a delta shows of memory is the beginning.
    let memory = (expected.changes != outcome.changes).then(|| [&expected, &outcome].map(rest_of_memory));
    let (mut expected, mut got) = (expected.delta(case), outcome.delta(case));
    if let (Some([left, right]), false) = (memory, expected.contains_key("fault")) {
        expected.insert("memory".into(), left);
        got.insert("memory".into(), right);
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
    compare_cases(arena, engine, seeds.map(case))
}

pub(crate) fn compare_cases(
    arena: &mut Arena,
    engine: &mut EngineRunner,
    cases: impl Iterator<Item = Case>,
) -> (usize, String) {
    let mut differs = |case: &Case| differs(arena, engine, case);
    let (mut differing, mut report) = (0, String::new());
    for case in cases {
        if let Some((least, expected, got)) = shrink(&case, &mut differs) {
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
    fn distances_of_branches_are_read_back() {
        assert_eq!(branch_distance(0x1400_0005), Some(5)); // b .+20
        assert_eq!(branch_distance(0x97ff_ffff), Some(-1)); // bl .-4
        assert_eq!(branch_distance(0x5400_0040), Some(2)); // b.eq .+8
        assert_eq!(branch_distance(0x35ff_ffe7), Some(-1)); // cbnz w7, .-4
        assert_eq!(branch_distance(0x3608_0045), Some(2)); // tbz w5, #1, .+8
        assert_eq!(branch_distance(0xd65f_03c0), None); // ret
    }

    #[test]
    fn exclusives_are_of_one_size() {
        let (ldxr, ldxp) = (0xc85f_7c41, 0xc87f_0c41); // x1, [x2]; x1, x3, [x2]
        let (stxr, stxrb, casp) = (0xc800_7c41, 0x0800_7c41, 0x4820_7c42);
        let dropped = |mut words: [u32; 4]| {
            drop_unlike_exclusives(&mut words);
            words
        };
        assert_eq!(dropped([ldxr, stxr, casp, NOP]), [ldxr, stxr, casp, NOP]);
        assert_eq!(dropped([ldxr, stxrb, stxr, casp]), [ldxr, NOP, stxr, casp]);
        assert_eq!(dropped([ldxp, stxr, NOP, NOP]), [ldxp, NOP, NOP, NOP]);
        assert_eq!(dropped([stxrb, stxr, casp, NOP]), [stxrb, stxr, casp, NOP]);
    }

    #[test]
    fn copies_are_whole_or_not_there() {
        let copy = case::bulk_stages(0x1901_0443); // cpyfp [x3]!, [x1]!, x2!
        let call = |distance: u32| 0x9400_0000 | distance;
        let dropped = |words: &[u32]| {
            let mut words = words.to_vec();
            drop_broken_groups(&mut words);
            words
        };
        let whole = [call(1), copy[0], copy[1], copy[2]];
        assert_eq!(dropped(&whole), whole);
        assert_eq!(
            dropped(&[copy[0], call(4), copy[2], NOP]),
            [NOP, call(4), NOP, NOP]
        );
        let entered = [call(3), NOP, copy[0], copy[1], copy[2]];
        assert_eq!(dropped(&entered), [call(3), NOP, NOP, NOP, NOP]);
        let (pacib, autib, xpaci, xpacd) = (0xdac1_0441, 0xdac1_1441, 0xdac1_43e1, 0xdac1_47e1);
        assert_eq!(dropped(&[pacib, autib]), [pacib, autib]);
        assert_eq!(dropped(&[pacib, xpaci]), [pacib, xpaci]);
        assert_eq!(dropped(&[pacib, xpacd, autib]), [NOP; 3]);
        assert_eq!(dropped(&[call(2), pacib, autib]), [call(2), NOP, NOP]);
    }

    /// Rows that sequences do not have, besides those that cannot be compared with qemu: the
    /// reason stands beside them.
    const ABSENT: [(&str, &str); 5] = [
        ("brk", "it ends each sequence"),
        ("dc_zva", "qemu's block size is another"),
        ("setgp", "qemu offers it with checks of tags only"),
        ("setgm", "as setgp"),
        ("setge", "as setgp"),
    ];

    #[test]
    fn every_row_occurs() {
        let mut rows = std::collections::BTreeSet::new();
        for seed in 0..30_000 {
            rows.extend(
                case(seed)
                    .words
                    .iter()
                    .filter_map(|&word| Some(a64_isa::row_of(word)?.name)),
            );
        }
        let missing: Vec<&str> = rows::recorded()
            .map(|row| row.name)
            .filter(|name| !rows.contains(name) && !ABSENT.iter().any(|(absent, _)| absent == name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
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
