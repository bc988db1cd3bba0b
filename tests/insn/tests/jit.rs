//! The JIT gives what the interpreter gives, for every row of the table.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::EngineRunner;
use insn_tests::outcome;
use insn_tests::rng::Rng;
use insn_tests::rows;
use std::ops::Range;

/// Words tried for each row, and states for each word.
const WORDS: u64 = 25;
const STATES: u64 = 8;

/// Runs all rows on the engine and on the interpreter; reports the first differences.
fn compare(mode: Mode, words: Range<u64>) {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(mode);
    let (mut total, mut differing, mut report) = (0, 0, String::new());
    for row in rows::tested() {
        for index in words.clone() {
            let mut rng = Rng::for_case(row.name, index);
            let word = a64_isa::sample(row, rng.next());
            for _ in 0..STATES {
                let case = Case::new(word, rng.next());
                let Some(expected) = rows::interpret(arena, &case) else {
                    continue;
                };
                let expected = expected.delta(&case);
                let got = engine.run(arena, &case).delta(&case);
                total += 1;
                if got != expected {
                    differing += 1;
                    if differing <= 20 {
                        report += &outcome::explain(&case, ("interpreter", &expected), ("engine", &got));
                    }
                }
            }
        }
    }
    assert!(differing == 0, "{differing} of {total} cases differ\n{report}");
    println!("{total} cases agree");
}

#[test]
fn jit_agrees_with_interpreter() {
    compare(Mode::Jit, 0..WORDS);
}

#[test]
fn interpreting_engine_agrees_with_interpreter() {
    compare(Mode::Interpreter, 0..2);
}
