//! The floating-point instructions under the JIT, on operands at the limits of the formats,
//! in every rounding mode, with FZ and DN on and off: 2,000 cases of each instruction and format, 100,000 with
//! `RAEMU_TEST_LONG=1`. The reference is the interpreter, whose bodies `crates/soft/tests`
//! compares with exact arithmetic.

use engine::Mode;
use guest::FpEnv;
use insn_tests::arena::Arena;
use insn_tests::case::Case;
use insn_tests::local::EngineRunner;
use insn_tests::outcome;
use insn_tests::rng::Rng;
use insn_tests::rows;

/// What the standard demands, in scalar form: the rows without `_h` hold singles and doubles.
const OPERATIONS: [&str; 42] = [
    "fadd",
    "fsub",
    "fmul",
    "fdiv",
    "fsqrt",
    "fmadd",
    "fmsub",
    "fnmadd",
    "fnmsub",
    "fnmul",
    "fmax",
    "fmin",
    "fmaxnm",
    "fminnm",
    "frintn",
    "frinta",
    "frintp",
    "frintm",
    "frintz",
    "frinti",
    "frintx",
    "fcmp",
    "fcmpe",
    "fccmp",
    "fccmpe",
    "fcvtns_int",
    "fcvtnu_int",
    "fcvtas_int",
    "fcvtau_int",
    "fcvtps_int",
    "fcvtpu_int",
    "fcvtms_int",
    "fcvtmu_int",
    "fcvtzs_int",
    "fcvtzu_int",
    "fcvtzs_fix",
    "fcvtzu_fix",
    "scvtf_int",
    "ucvtf_int",
    "scvtf_fix",
    "ucvtf_fix",
    "fcvt",
];

/// States tried with one word, which is translated once: fewer than the traps after which an
/// instruction is left to the interpreter.
const STATES: u64 = 24;

fn cases() -> u64 {
    match std::env::var("RAEMU_TEST_LONG") {
        Ok(value) if value == "1" => 100_000,
        _ => 2_000,
    }
}

/// A case with any rounding mode, flushing or not, default NaNs or not. Half of those that flush
/// have Inexact set before, without which the first inexact operation traps.
fn case(row: &str, random: u64) -> Option<Case> {
    let row = a64_isa::ROWS.iter().find(|found| found.name == row)?;
    let mut rng = Rng::for_case(row.name, random / STATES + (1 << 40));
    let mut case = Case::new(a64_isa::sample(row, rng.next()), rng.next() ^ (random % STATES));
    let bit = |n: u64, mask: u32| if random >> n & 1 != 0 { mask } else { 0 };
    let mode = (random as u32 & 3) << FpEnv::FPCR_RMODE_SHIFT;
    let fpsr = case.state.fpsr() | bit(4, FpEnv::FPSR_IXC);
    case.state
        .set_fpcr(mode | bit(2, FpEnv::FPCR_FZ) | bit(3, FpEnv::FPCR_DN));
    case.state.set_fpsr(fpsr);
    if random >> 5 & 1 != 0 {
        case.state.use_fpsr();
    }
    Some(case)
}

#[test]
fn inline_code_gives_results_and_flags_of_the_interpreter() {
    compare(cases(), || EngineRunner::new(Mode::Jit));
}

/// With checks of results instead of Invalid's traps.
#[test]
fn checked_code_gives_results_and_flags_of_the_interpreter() {
    compare(cases() / 2, EngineRunner::checking);
}

fn compare(cases: u64, engine: impl FnOnce() -> EngineRunner) {
    let arena = &mut *Arena::lock();
    let mut engine = engine();
    let (mut total, mut tininess) = (0, 0);
    let halves = OPERATIONS.iter().map(|name| format!("{name}_h"));
    let names = OPERATIONS.iter().map(ToString::to_string).chain(halves);
    // FCVT has one row for all formats.
    for name in names.filter(|name| name != "fcvt_h") {
        for n in 0..cases {
            let case = case(&name, n).expect("every operation has its row");
            let Some(expected) = rows::interpret(arena, &case) else {
                continue;
            };
            let traps = engine.fp_traps();
            let mut got = engine.run(arena, &case);
            let flushes = case.state.fp.fpcr & FpEnv::FPCR_FZ != 0;
            assert!(
                !engine.checks() || flushes || engine.fp_traps() == traps,
                "{name} {n} trapped"
            );
            // Rounded up to the smallest normal number (docs/testing.md); halves are exact.
            let missing = expected.state.fpsr() & !got.state.fpsr();
            let exact = flushes || case.state.uses_fpsr != 0 || name.ends_with("_h");
            if missing == FpEnv::FPSR_UFC && !exact {
                let fpsr = got.state.fpsr() | missing;
                got.state.set_fpsr(fpsr);
                tininess += 1;
            }
            total += 1;
            let (expected, got) = (expected.delta(&case), got.delta(&case));
            assert!(
                expected == got,
                "{name} {n}\n{}",
                outcome::explain(&case, ("interpreter", &expected), ("engine", &got))
            );
        }
    }
    println!("{total} cases agree, {tininess} of them but for FPSR.UFC at the smallest normal number");
    assert!(total > 0);
}
