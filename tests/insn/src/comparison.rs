//! An engine against the interpreter: cases counted, the first differences reported.

use crate::arena::Arena;
use crate::case::Case;
use crate::local::EngineRunner;
use crate::outcome;
use crate::rng::Rng;
use crate::rows;
use a64_isa::{ROWS, RowInfo};
use engine::Mode;

/// States for each word.
const STATES: u64 = 8;

/// Counts cases and reports the first differences.
#[derive(Default)]
pub struct Comparison {
    total: usize,
    differing: usize,
    report: String,
}

impl Comparison {
    /// Runs one case, if it can be compared.
    pub fn run(&mut self, arena: &mut Arena, engine: &mut EngineRunner, case: &Case) {
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

    /// # Panics
    /// If a case differed, or there was none.
    pub fn finish(self) {
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

/// Runs random cases of the chosen rows on the engine and on the interpreter. Words that cannot
/// be compared (a counter is read, the code loops) are replaced by others.
///
/// # Panics
/// If a case differs.
pub fn rows(mode: Mode, cases_per_row: usize, chosen: impl Fn(&RowInfo) -> bool) {
    rows_under(|| EngineRunner::new(mode), cases_per_row, chosen);
}

/// The same on an engine made here, while nobody else's is in use.
///
/// # Panics
/// If a case differs.
pub fn rows_under(
    engine: impl FnOnce() -> EngineRunner,
    cases_per_row: usize,
    chosen: impl Fn(&RowInfo) -> bool,
) {
    let arena = &mut *Arena::lock();
    let mut engine = engine();
    let mut comparison = Comparison::default();
    for row in ROWS.iter().filter(|row| chosen(row)) {
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
