//! The JIT gives what the interpreter gives, for every row of the table.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::comparison::{self, Comparison};
use insn_tests::fused;
use insn_tests::local::EngineRunner;
use insn_tests::quiet;
use insn_tests::rows;
use insn_tests::sequence;

/// Random states compared for each row.
const CASES_PER_ROW: usize = 200;
#[test]
fn jit_agrees_with_interpreter() {
    comparison::rows(Mode::Jit, CASES_PER_ROW, |_| true);
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

/// Hundreds of instructions in one block, put into another order.
#[test]
fn jit_agrees_with_interpreter_on_long_quiet_code() {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    let count = SEQUENCES / 4;
    let (differing, report) = quiet::compare(arena, &mut engine, 0..count);
    assert!(differing == 0, "{differing} of {count} differ\n{report}");
}

#[test]
fn jit_agrees_with_interpreter_on_crowded_code() {
    quiet::compare_crowded(&mut Arena::lock(), &mut EngineRunner::new(Mode::Jit));
}

/// Loops go from the interpreter to generated code on their way.
#[test]
fn a_patient_engine_agrees_with_interpreter_on_sequences() {
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    engine.set_patience(1);
    let count = SEQUENCES / 4;
    let (differing, report) = sequence::compare(arena, &mut engine, 0..count);
    assert!(
        differing == 0,
        "{differing} of {count} sequences differ\n{report}"
    );
}

/// Checks of floating-point results instead of traps.
#[test]
fn a_checking_engine_agrees_with_interpreter() {
    let floating = |name: &str| name.starts_with('f') || name.starts_with("bf") || name.contains("cvtf");
    comparison::rows_under(EngineRunner::checking, CASES_PER_ROW, |row| floating(row.name));
    let arena = &mut *Arena::lock();
    let count = SEQUENCES / 4;
    let (differing, report) = sequence::compare(arena, &mut EngineRunner::checking(), 0..count);
    assert!(
        differing == 0,
        "{differing} of {count} sequences differ\n{report}"
    );
}

#[test]
fn interpreting_engine_agrees_with_interpreter() {
    comparison::rows(Mode::Interpreter, 16, |_| true);
}

#[test]
fn jit_agrees_with_interpreter_on_fused_operations() {
    fused::compare(&mut Arena::lock(), &mut EngineRunner::new(Mode::Jit));
}
