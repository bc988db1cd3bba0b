//! The JIT gives what the interpreter gives, for every row of the table.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::EngineRunner;
use insn_tests::outcome;
use insn_tests::rng::Rng;
use insn_tests::rows;
use insn_tests::sequence;

/// Random states compared for each row.
const CASES_PER_ROW: usize = 200;
/// States for each word.
const STATES: u64 = 8;

/// Counts cases and reports the first differences.
#[derive(Default)]
struct Comparison {
    total: usize,
    differing: usize,
    report: String,
}

impl Comparison {
    fn run(&mut self, arena: &mut Arena, engine: &mut EngineRunner, case: &Case) {
        let Some(expected) = rows::interpret(arena, case) else {
            return;
        };
        let expected = expected.delta(case);
        let got = engine.run(arena, case).delta(case);
        self.total += 1;
        if got != expected {
            self.differing += 1;
            if self.differing <= 20 {
                self.report += &outcome::explain(case, ("interpreter", &expected), ("engine", &got));
            }
        }
    }

    fn finish(self) {
        let Comparison {
            total,
            differing,
            report,
        } = self;
        assert!(differing == 0, "{differing} of {total} cases differ\n{report}");
        assert!(total > 0);
        println!("{total} cases agree");
    }
}

/// Runs random cases of all rows on the engine and on the interpreter. Words that cannot
/// be compared (a counter is read, the code loops) are replaced by others.
fn compare(mode: Mode, cases_per_row: usize) {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(mode);
    let mut comparison = Comparison::default();
    for row in a64_isa::ROWS {
        let enough = comparison.total + cases_per_row;
        let mut words = 0;
        while comparison.total < enough {
            let mut rng = Rng::for_case(row.name, words);
            words += 1;
            assert!(words < 1000, "{}: too few words can be compared", row.name);
            let word = a64_isa::sample(row, rng.next());
            for _ in 0..STATES {
                comparison.run(arena, &mut engine, &Case::new(word, rng.next()));
            }
        }
    }
    comparison.finish();
}

#[test]
fn jit_agrees_with_interpreter() {
    compare(Mode::Jit, CASES_PER_ROW);
}

#[test]
fn jit_agrees_with_interpreter_on_every_immediate() {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    let mut comparison = Comparison::default();
    for row in a64_isa::ROWS {
        for (word, seed) in rows::every_immediate(row).zip(0..) {
            comparison.run(arena, &mut engine, &Case::new(word, seed));
        }
    }
    comparison.finish();
}

/// Sequences tried.
const SEQUENCES: u64 = 20_000;

#[test]
fn jit_agrees_with_interpreter_on_sequences() {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    let (differing, report) = sequence::compare(arena, &mut engine, 0..SEQUENCES);
    assert!(
        differing == 0,
        "{differing} of {SEQUENCES} sequences differ\n{report}"
    );
}

#[test]
fn interpreting_engine_agrees_with_interpreter() {
    compare(Mode::Interpreter, 16);
}
