//! Long straight code of which nothing looks at the registers before its end: a translator may put it
//! into another order, and its values into any register.

use crate::arena::{Arena, CODE_BASE, CODE_ENTRY, CODE_SIZE};
use crate::case::{self, Case, Kind};
use crate::comparison::Comparison;
use crate::local::EngineRunner;
use crate::rng::Rng;
use crate::rows;
use crate::sequence;
use a64_isa::{ROWS, RowInfo};

/// Instructions of the longest: BRK must fit behind.
const MOST: u64 = (CODE_BASE + CODE_SIZE - CODE_ENTRY) / 4 - 1;

/// States for each crowded code.
const STATES: u64 = 100;

/// The `seed`-th case: up to [`MOST`] instructions of one to eight computations that share few registers or none.
#[must_use]
pub fn case(seed: u64) -> Case {
    let mut rng = Rng::for_case("quiet", seed);
    let length = 16 + rng.below(MOST - 16) as usize;
    let computations = 1 + rng.below(8) as u32;
    let mixes = rng.one_in(2);
    let words: Vec<u32> = (0..length)
        .map(|n| {
            let computation = n as u32 % computations;
            word(&mut rng, |rng| {
                let any = rng.below(32) as u32;
                if mixes && rng.one_in(16) {
                    return any;
                }
                let own = any - any % computations + computation;
                own.min(31)
            })
        })
        .collect();
    let mut state = case::random_state(&mut rng);
    state.use_fpsr();
    Case {
        word: words[0],
        seed,
        words,
        state,
        checks_memory: false,
    }
}

/// Every guest register computed again and again from ones nearer and farther: in any order, nearly all are
/// needed at once.
fn all_at_once() -> Vec<u32> {
    let step = |n: u32, distance: u32| {
        let registers = (n ^ distance) << 16 | n << 5 | n;
        let general = 0xcb00_0000 | registers; // sub xn, xn, xm
        let vector = 0x6ea0_8400 | registers; // sub vn.4s, vn.4s, vm.4s
        [general, vector]
    };
    let distances = [1, 16, 2, 8, 4, 16];
    distances
        .into_iter()
        .flat_map(|distance| (0..32).flat_map(move |n| step(n, distance)))
        .collect()
}

/// Two chains that a third one joins, step by step, beside many values: to follow one chain to its end
/// would keep a value for each step.
fn joined_chains() -> Vec<u32> {
    let step = [
        0x9b01_7c21, // mul x1, x1, x1
        0x9b03_7c63, // mul x3, x3, x3
        0x9b03_0822, // madd x2, x1, x3, x2
    ];
    let others = (4..20).map(|n| 0x8b00_0000 | n << 16 | n << 5 | n); // add xn, xn, xn
    let steps = step.into_iter().cycle().take(3 * 150);
    let sums = (4..20).map(|n| 0x8b00_0042 | n << 16); // add x2, x2, xn
    others.chain(steps).chain(sums).collect()
}

/// Codes that need many registers: a name, and the words.
fn crowded() -> [(&'static str, Vec<u32>); 2] {
    [
        ("all registers", all_at_once()),
        ("joined chains", joined_chains()),
    ]
}

/// Runs them from random states.
///
/// # Panics
/// If one differs.
pub fn compare_crowded(arena: &mut Arena, engine: &mut EngineRunner) {
    for (name, words) in crowded() {
        println!("{name}");
        let mut comparison = Comparison::default();
        for seed in 0..STATES {
            let mut case = Case::new(words[0], seed);
            case.words.clone_from(&words);
            comparison.run(arena, engine, &case);
        }
        comparison.finish();
    }
}

/// An instruction on registers that `register` chooses.
fn word(rng: &mut Rng, mut register: impl FnMut(&mut Rng) -> u32) -> u32 {
    loop {
        let row = &ROWS[rng.below(ROWS.len() as u64) as usize];
        let any = a64_isa::sample(row, rng.next());
        if !is_quiet(row, any) {
            continue;
        }
        // Rd, Rn and Rm, where the instruction has them there.
        let fields = 31 << 16 | 31 << 5 | 31;
        let word = any & !fields | register(rng) << 16 | register(rng) << 5 | register(rng);
        if a64_isa::row_of(word).is_some_and(|found| found.name == row.name) && is_quiet(row, word) {
            return word;
        }
    }
}

/// Whether it can neither branch nor fault nor leave generated code: integer and vector arithmetic.
fn is_quiet(row: &RowInfo, word: u32) -> bool {
    // Data processing with immediates, with registers, and of vectors (Arm ARM C4.1).
    let processes = matches!(
        word >> 25 & 15,
        0b1000 | 0b1001 | 0b0101 | 0b1101 | 0b0111 | 0b1111
    );
    let floating = ["f", "bf"].iter().any(|start| row.name.starts_with(start)) || row.name.contains("cvtf");
    let by_interpreter = [
        "sm3", "sm4", "urecpe", "ursqrte", "pmul", "pac", "aut", "xpac", "gmi", "irg", "subp",
    ];
    processes
        && !floating
        && !by_interpreter.iter().any(|start| row.name.starts_with(start))
        && Kind::of(word) == Kind::Plain
        && rows::not_recorded(row).is_none()
        && !rows::is_model_specific(word)
}

/// Runs the cases of these seeds on the engine and under the interpreter.
#[must_use]
pub fn compare(arena: &mut Arena, engine: &mut EngineRunner, seeds: std::ops::Range<u64>) -> (usize, String) {
    sequence::compare_cases(arena, engine, seeds.map(case))
}
