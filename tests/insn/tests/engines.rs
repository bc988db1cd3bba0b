//! Several engines in one process: each one's traps are its own, whichever was made last.

use engine::Mode;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::{self, EngineRunner};
use std::sync::atomic::{AtomicBool, Ordering};

const FADD_D: u32 = 0x1e62_2820; // fadd d0, d1, d2
const SIGNALING: u128 = 0x7ff0_0000_0000_0001;
const ROUNDS: u64 = 300;

/// A sum that traps: of a signaling NaN.
fn trapping(seed: u64) -> Case {
    let mut case = Case::new(FADD_D, seed);
    case.state.set_fpcr(0);
    case.state.set_fpsr(0);
    case.state.v[1] = SIGNALING;
    case
}

fn compare(arena: &mut Arena, engine: &mut EngineRunner, seed: u64) {
    let case = trapping(seed);
    let expected = local::interpret(arena, &case).delta(&case);
    let traps = engine.fp_traps();
    assert_eq!(engine.run(arena, &case).delta(&case), expected, "seed {seed}");
    // At last the instruction is left to the interpreter.
    assert!(engine.fp_traps() == traps + 1 || traps >= 32);
}

#[test]
fn each_engine_handles_its_own_traps() {
    let arena = &mut *Arena::lock();
    let mut first = EngineRunner::new(Mode::Jit);
    let mut second = EngineRunner::new(Mode::Jit);
    compare(arena, &mut first, 1);
    compare(arena, &mut second, 2);
    compare(arena, &mut first, 3);
    drop(second);
    compare(arena, &mut first, 4);
    let mut third = EngineRunner::new(Mode::Jit);
    drop(first);
    compare(arena, &mut third, 5);
}

/// Engines made and dropped on other threads, which do not hold the arena.
#[test]
fn engines_come_and_go_while_another_traps() {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(EngineRunner::new(Mode::Jit));
                }
            });
        }
        let arena = &mut *Arena::lock();
        for round in 0..ROUNDS {
            let mut engine = EngineRunner::new(Mode::Jit);
            for seed in 0..3 {
                compare(arena, &mut engine, 3 * round + seed);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
