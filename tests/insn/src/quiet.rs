//! Long straight code of which nothing looks at the registers before its end: a translator may put it
//! into another order, and its values into any register.

use crate::arena::{Arena, CODE_BASE, CODE_ENTRY, CODE_SIZE};
use crate::case::{self, Case, Kind};
use crate::local::EngineRunner;
use crate::rng::Rng;
use crate::rows;
use crate::sequence;
use a64_isa::{ROWS, RowInfo};

/// Instructions of the longest: BRK must fit behind.
const MOST: u64 = (CODE_BASE + CODE_SIZE - CODE_ENTRY) / 4 - 1;

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
