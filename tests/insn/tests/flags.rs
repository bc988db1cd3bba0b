//! What the engine believes about an instruction's use of NZCV when it looks ahead, against the interpreter: the same
//! instruction is executed from two states that differ in NZCV alone.
//!
//! What is said not to read the flags must do the same from both; what is said to set them must leave the same flags,
//! and what is said to keep them those it found. To be said to read them is never wrong, but costs: rows that
//! are said to in vain are counted and named.

use a64_isa::{FeatureSet, ROWS, RowInfo, sample};
use engine::peek::{FlagUse, flag_use};
use guest::CpuState;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::rng::Rng;
use insn_tests::rows::reads_counter;

/// Encodings of each row, each executed from one pair of states.
const SAMPLES: u64 = 1000;

/// Rows said to read the flags, in the order of the tables, because they leave for code that is not known, or for
/// the kernel.
const LEAVING: [&str; 11] = [
    "svc",
    "brk",
    "br",
    "blr",
    "ret",
    "bra_zero",
    "blra_zero",
    "bra",
    "blra",
    "reta",
    "ic_ivau",
];

/// What one execution left behind, NZCV apart.
#[derive(PartialEq, Debug)]
struct Left {
    exit: Result<(), interp::Stop>,
    x: [u64; 32],
    v: [u128; 32],
    pc: u64,
    others: [u64; 11],
    memory: Vec<(u64, u64)>,
}

/// Executes the instruction; gives the flags as well.
fn execute(arena: &mut Arena, case: &Case, state: &mut CpuState, word: u32) -> (Left, u32) {
    let exit = interp::step(state, word);
    let memory = if case.checks_memory {
        arena.take_changes()
    } else {
        Vec::new()
    };
    let mut x = state.x;
    if reads_counter(word) {
        // It reads another value each time.
        x[(word & 31) as usize] = 0;
    }
    let left = Left {
        exit,
        x,
        v: state.v,
        pc: state.pc,
        others: [
            state.fp.fpcr.into(),
            state.fpsr().into(),
            state.tpidr_el0,
            state.exclusive_addr,
            state.exclusive_value[0],
            state.exclusive_value[1],
            state.exclusive_size,
            state.btype,
            state.uses_fpsr,
            state.random,
            state.pstate,
        ],
        memory,
    };
    (left, state.nzcv())
}

/// Counts of one row.
#[derive(Default)]
struct Row {
    /// Encodings said to read the flags.
    said: u64,
    /// Of those, the ones whose outcome differed.
    seen: u64,
}

fn check(arena: &mut Arena, row: &RowInfo, random: u64, counts: &mut Row) {
    let mut rng = Rng::for_case(row.name, random);
    let word = sample(row, rng.next());
    let case = Case::new(word, rng.next());
    let mut first = case.state.clone();
    // What the instruction needs before it: the mark of a store-exclusive, a signature.
    for &before in case.words.iter().take_while(|&&before| before != word) {
        let _ = interp::step(&mut first, before);
    }
    arena.take_changes();
    let (pc, mut second) = (first.pc, first.clone());
    second.set_nzcv(first.nzcv() ^ (1 + rng.below(15) as u32) << 28);
    let found = [first.nzcv(), second.nzcv()];
    let (one, one_flags) = execute(arena, &case, &mut first, word);
    let (two, two_flags) = execute(arena, &case, &mut second, word);
    let left = [one_flags, two_flags];
    let said = flag_use(word, FeatureSet::ALL);
    let text = || {
        let (name, text) = (row.name, a64_isa::disassemble(word, pc));
        format!(
            "{name} {word:08x} {text} (seed {:#x}): {said:x?}, NZCV {found:x?} became {left:x?}",
            case.seed
        )
    };
    let at = |offset: i32| pc.wrapping_add_signed(offset.into());
    let places = match said {
        FlagUse::Reads => {
            counts.said += 1;
            let kept_or_set = left == found || left[0] == left[1];
            counts.seen += u64::from(one != two || !kept_or_set);
            return;
        }
        FlagUse::Sets | FlagUse::Keeps => [at(4); 2],
        FlagUse::GoesTo(offset) => [at(offset); 2],
        FlagUse::MayGoTo(offset) => [at(4), at(offset)],
    };
    assert_eq!(one, two, "the outcome depends on the flags: {}", text());
    if one.exit.is_ok() {
        assert!(places.contains(&one.pc), "it goes to {:#x}: {}", one.pc, text());
    }
    match said {
        // An instruction that faults sets nothing.
        FlagUse::Sets if one.exit.is_ok() => assert_eq!(left[0], left[1], "{}", text()),
        FlagUse::Sets => assert_eq!(left, found, "{}", text()),
        FlagUse::Keeps | FlagUse::GoesTo(_) | FlagUse::MayGoTo(_) => assert_eq!(left, found, "{}", text()),
        FlagUse::Reads => unreachable!("returned above"),
    }
}

#[test]
fn looking_ahead_agrees_with_the_interpreter_on_every_row() {
    let arena = &mut *Arena::lock();
    let (mut said, mut in_vain) = (0, Vec::new());
    for row in ROWS {
        let mut counts = Row::default();
        for random in 0..SAMPLES {
            check(arena, row, random, &mut counts);
        }
        said += usize::from(counts.said > 0);
        if counts.said > 0 && counts.seen == 0 {
            in_vain.push(row.name);
        }
    }
    println!(
        "{} samples of {} rows agree; {said} rows read flags or leave for what is not known, {} without need: {in_vain:?}",
        ROWS.len() as u64 * SAMPLES,
        ROWS.len(),
        in_vain.len()
    );
    let unexplained: Vec<_> = in_vain.iter().filter(|name| !LEAVING.contains(name)).collect();
    assert!(
        unexplained.is_empty(),
        "said to read flags in vain: {unexplained:?}"
    );
}
