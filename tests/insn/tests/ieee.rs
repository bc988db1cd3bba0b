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

/// Results just below the smallest normal number that are rounded up to it.
#[test]
fn underflow_before_rounding_is_found_out_once_fpsr_is_used() {
    const BELOW_S: u128 = 0x007f_ffff;
    const ABOVE_ONE_S: u128 = 0x3f80_0001;
    const BELOW_D: u128 = 0x000f_ffff_ffff_ffff;
    const ABOVE_ONE_D: u128 = 0x3ff0_0000_0000_0001;
    // 2^-126 (1 - 2^-30), as a double.
    const NEARLY: u128 = 0x380f_ffff_ff80_0000;
    let both = |lane: u128| lane << 64 | lane;
    let cases = [
        ("fmul s0, s1, s2", 0x1e22_0820, BELOW_S, ABOVE_ONE_S),
        ("fmul d0, d1, d2", 0x1e62_0820, BELOW_D, ABOVE_ONE_D),
        ("fnmul d0, d1, d2", 0x1e62_8820, BELOW_D, ABOVE_ONE_D),
        ("fmadd d0, d1, d2, d3", 0x1f42_0c20, BELOW_D, ABOVE_ONE_D),
        (
            "fmul v0.2d, v1.2d, v2.2d",
            0x6e62_dc20,
            both(BELOW_D),
            both(ABOVE_ONE_D),
        ),
        ("fcvt s0, d1", 0x1e62_4020, NEARLY, 0),
    ];
    let arena = &mut *Arena::lock();
    let mut engine = EngineRunner::new(Mode::Jit);
    for (used, bits) in [
        (false, FpEnv::FPSR_IXC),
        (true, FpEnv::FPSR_IXC | FpEnv::FPSR_UFC),
    ] {
        for (name, word, a, b) in cases {
            let mut case = Case::new(word, 0);
            case.state.set_fpcr(0);
            case.state.set_fpsr(0);
            if used {
                case.state.use_fpsr();
            }
            (case.state.v[1], case.state.v[2], case.state.v[3]) = (a, b, 0);
            let outcome = engine.run(arena, &case);
            assert_eq!(outcome.state.fpsr(), bits, "{name}: {:x}", outcome.state.v[0]);
        }
    }
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
