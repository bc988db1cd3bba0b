//! What the Arm architecture defines beyond IEEE 754, or chooses where IEEE leaves a choice:
//! one line, one case. Single precision unless a case is about the format.
//!
//! Sources: Arm ARM A1.5 and the functions named in the tests (shared/functions/float).

use guest::FpEnv;
use semantics::ops::{Fp1, Fp2, Fp3, FpSize, Lane, Shape, Span};

use crate::scalar;

pub const IOC: u32 = FpEnv::FPSR_IOC;
pub const DZC: u32 = FpEnv::FPSR_DZC;
pub const OFC: u32 = FpEnv::FPSR_OFC;
pub const UFC: u32 = FpEnv::FPSR_UFC;
pub const IXC: u32 = FpEnv::FPSR_IXC;
pub const IDC: u32 = FpEnv::FPSR_IDC;
const FZ: u32 = FpEnv::FPCR_FZ;
const FZ16: u32 = FpEnv::FPCR_FZ16;
const DN: u32 = FpEnv::FPCR_DN;
const PLUS: u32 = 1 << 22;
const MINUS: u32 = 2 << 22;
const TO_ZERO: u32 = 3 << 22;

// Singles.
const ZERO: u64 = 0;
const NEG_ZERO: u64 = 0x8000_0000;
const ONE: u64 = 0x3f80_0000;
const NEG_ONE: u64 = 0xbf80_0000;
const TWO: u64 = 0x4000_0000;
const THREE: u64 = 0x4040_0000;
const INF: u64 = 0x7f80_0000;
const NEG_INF: u64 = 0xff80_0000;
const MAX: u64 = 0x7f7f_ffff;
const NEG_MAX: u64 = 0xff7f_ffff;
const MIN_NORMAL: u64 = 0x0080_0000;
const DENORMAL: u64 = 0x0040_0000;
const NEG_DENORMAL: u64 = 0x8040_0000;
const TINIEST: u64 = 1;
const DEFAULT: u64 = 0x7fc0_0000;
const NEG_DEFAULT: u64 = 0xffc0_0000;
/// Quiet and signaling NaNs with payloads, and the signaling ones made quiet.
const Q1: u64 = 0x7fc0_0011;
const Q2: u64 = 0xffc0_0022;
const Q3: u64 = 0x7fc0_0033;
const S1: u64 = 0x7f80_0041;
const S2: u64 = 0xff80_0042;
const S3: u64 = 0x7f80_0043;
const S1Q: u64 = 0x7fc0_0041;
const S2Q: u64 = 0xffc0_0042;
const S3Q: u64 = 0x7fc0_0043;
const NEG: u64 = 0x8000_0000;
const TRUE: u64 = 0xffff_ffff;

fn env(fpcr: u32) -> FpEnv {
    FpEnv { fpcr, fpsr: 0 }
}

fn one(op: Fp1, size: FpSize, fpcr: u32, a: u64) -> (u64, u32) {
    let mut env = env(fpcr);
    let result = soft::fp1(op, scalar(size), a.into(), &mut env);
    (result as u64, env.fpsr)
}

fn two(op: Fp2, size: FpSize, fpcr: u32, a: u64, b: u64) -> (u64, u32) {
    let mut env = env(fpcr);
    let result = soft::fp2(op, scalar(size), a.into(), b.into(), &mut env);
    (result as u64, env.fpsr)
}

/// Compares and prints the case in hex.
fn expect(got: (u64, u32), want: (u64, u32), what: std::fmt::Arguments) {
    assert!(
        got == want,
        "{what}: got {:#x} {:#x}, want {:#x} {:#x}",
        got.0,
        got.1,
        want.0,
        want.1
    );
}

fn table1(cases: &[(Fp1, FpSize, u32, u64, u64, u32)]) {
    for &(op, size, fpcr, a, want, flags) in cases {
        expect(
            one(op, size, fpcr, a),
            (want, flags),
            format_args!("{op:?} {size:?} {fpcr:#x} {a:#x}"),
        );
    }
}

fn table2(cases: &[(Fp2, u32, u64, u64, u64, u32)]) {
    for &(op, fpcr, a, b, want, flags) in cases {
        let got = two(op, FpSize::S, fpcr, a, b);
        expect(got, (want, flags), format_args!("{op:?} {fpcr:#x} {a:#x} {b:#x}"));
    }
}

/// FPProcessNaNs: first signaling, then quiet, first operand before second.
#[test]
fn nans_of_two_operands() {
    use Fp2::{Add, Div, Max, MaxNm, Min, MinNm, Mul, Mulx, Sub};
    for op in [Add, Sub, Mul, Div, Mulx, Max, Min] {
        table2(&[
            (op, 0, Q1, ONE, Q1, 0),
            (op, 0, ONE, Q2, Q2, 0),
            (op, 0, Q1, Q2, Q1, 0),
            (op, 0, S1, Q2, S1Q, IOC),
            (op, 0, Q1, S2, S2Q, IOC),
            (op, 0, S1, S2, S1Q, IOC),
            (op, DN, Q2, ONE, DEFAULT, 0),
            (op, DN, ONE, S2, DEFAULT, IOC),
        ]);
    }
    for op in [MaxNm, MinNm] {
        table2(&[
            (op, 0, Q1, ONE, ONE, 0),
            (op, 0, NEG_ONE, Q2, NEG_ONE, 0),
            (op, 0, Q1, Q2, Q1, 0),
            (op, 0, S1, ONE, S1Q, IOC),
            (op, 0, Q1, S2, S2Q, IOC),
            (op, 0, S1, Q2, S1Q, IOC),
            (op, DN, Q1, ONE, ONE, 0),
            (op, DN, Q1, Q2, DEFAULT, 0),
            (op, 0, Q1, INF, INF, 0),
            (op, 0, NEG_INF, Q1, NEG_INF, 0),
            (op, FZ, Q1, NEG_DENORMAL, NEG_ZERO, IDC),
        ]);
    }
    table2(&[
        // The result is negated after the fact, NaN or not.
        (Fp2::Nmul, 0, Q1, ONE, Q1 | NEG, 0),
        (Fp2::Nmul, DN, Q1, ONE, NEG_DEFAULT, 0),
        (Fp2::Nmul, 0, INF, ZERO, NEG_DEFAULT, IOC),
        (Fp2::Abd, 0, ONE, Q2, Q2 & !NEG, 0),
        // The first operand is negated before anything else.
        (Fp2::Recps, 0, Q1, ONE, Q1 | NEG, 0),
        (Fp2::Recps, 0, ONE, Q2, Q2, 0),
        (Fp2::Rsqrts, 0, S1, ONE, S1Q | NEG, IOC),
    ]);
}

#[test]
fn nans_of_one_operand() {
    use Fp1::{Recpe, Recpx, RintA, RintI, RintM, RintN, RintP, RintX, RintZ, Rsqrte, Sqrt};
    for op in [
        Recpe, Recpx, RintA, RintI, RintM, RintN, RintP, RintX, RintZ, Rsqrte, Sqrt,
    ] {
        table1(&[
            (op, FpSize::S, 0, Q2, Q2, 0),
            (op, FpSize::S, 0, S2, S2Q, IOC),
            (op, FpSize::S, DN, Q2, DEFAULT, 0),
            (op, FpSize::S, DN, S2, DEFAULT, IOC),
            (op, FpSize::H, 0, 0xfc01, 0xfe01, IOC),
            (
                op,
                FpSize::D,
                0,
                0xfff0_0000_0000_0001,
                0xfff8_0000_0000_0001,
                IOC,
            ),
        ]);
    }
    // Sign changes look at nothing.
    table1(&[
        (Fp1::Neg, FpSize::S, DN | FZ, S2, S2 & !NEG, 0),
        (Fp1::Abs, FpSize::S, DN | FZ, S2, S2 & !NEG, 0),
        (Fp1::Neg, FpSize::S, FZ, DENORMAL, NEG_DENORMAL, 0),
        (Fp1::Neg, FpSize::H, 0, 0x7c01, 0xfc01, 0),
        (
            Fp1::Abs,
            FpSize::D,
            0,
            0xfff0_0000_0000_0001,
            0x7ff0_0000_0000_0001,
            0,
        ),
    ]);
}

/// FPProcessNaNs3, and the invalid product under a quiet NaN (FPMulAdd).
#[test]
fn nans_of_three_operands() {
    use Fp3::{MulAdd, MulSub, NegMulAdd, NegMulSub};
    // Operation, FPCR, addend, factors, result, flags.
    let cases = [
        (MulAdd, 0, Q1, ONE, ONE, Q1, 0),
        (MulAdd, 0, ONE, Q2, ONE, Q2, 0),
        (MulAdd, 0, ONE, ONE, Q3, Q3, 0),
        (MulAdd, 0, Q1, Q2, Q3, Q1, 0),
        (MulAdd, 0, Q1, Q2, S3, S3Q, IOC),
        (MulAdd, 0, Q1, S2, S3, S2Q, IOC),
        (MulAdd, 0, S1, S2, S3, S1Q, IOC),
        (MulAdd, DN, Q1, Q2, S3, DEFAULT, IOC),
        (MulAdd, DN, Q1, Q2, Q3, DEFAULT, 0),
        (MulAdd, 0, Q1, INF, ZERO, DEFAULT, IOC),
        (MulAdd, 0, Q1, ZERO, NEG_INF, DEFAULT, IOC),
        (MulAdd, 0, S1, INF, ZERO, S1Q, IOC),
        (MulAdd, 0, ONE, INF, ZERO, DEFAULT, IOC),
        (MulAdd, 0, NEG_INF, INF, ONE, DEFAULT, IOC),
        (MulAdd, 0, INF, INF, ONE, INF, 0),
        (MulAdd, 0, NEG_INF, MAX, MAX, NEG_INF, 0),
        // Operands are negated first, NaNs too.
        (MulSub, 0, ONE, Q2, ONE, Q2 & !NEG, 0),
        (MulSub, 0, Q1, Q2, ONE, Q1, 0),
        (MulSub, 0, ONE, ONE, Q3, Q3, 0),
        (NegMulAdd, 0, Q1, Q2, ONE, Q1 | NEG, 0),
        (NegMulAdd, 0, ONE, Q2, ONE, Q2 & !NEG, 0),
        (NegMulSub, 0, Q1, Q2, ONE, Q1 | NEG, 0),
        (NegMulSub, 0, ONE, Q2, ONE, Q2, 0),
        // Signs of zero sums.
        (MulAdd, 0, NEG_ONE, ONE, ONE, ZERO, 0),
        (MulAdd, MINUS, NEG_ONE, ONE, ONE, NEG_ZERO, 0),
        (MulAdd, 0, NEG_ZERO, NEG_ZERO, ONE, NEG_ZERO, 0),
        (MulAdd, 0, NEG_ZERO, ZERO, ONE, ZERO, 0),
        // Denormals under FZ, in and out.
        (MulAdd, FZ, ONE, DENORMAL, ONE, ONE, IDC),
        (MulAdd, FZ, DENORMAL, ONE, ONE, ONE, IDC),
        (MulAdd, FZ, DENORMAL, INF, ZERO, DEFAULT, IDC | IOC),
        (MulAdd, FZ, MIN_NORMAL, 0x8040_0001, ONE, MIN_NORMAL, IDC),
        (MulAdd, FZ, MIN_NORMAL, MIN_NORMAL, 0xbf00_0000, ZERO, UFC),
    ];
    for (op, fpcr, a, b, c, want, flags) in cases {
        let mut env = env(fpcr);
        let got = soft::fp3(op, scalar(FpSize::S), a.into(), b.into(), c.into(), &mut env);
        let what = format_args!("{op:?} {fpcr:#x} {a:#x} {b:#x} {c:#x}");
        expect((got as u64, env.fpsr), (want, flags), what);
    }
}

#[test]
fn invalid_operations_and_zeros() {
    use Fp2::{Add, Div, Max, Min, Mul, Mulx, Recps, Rsqrts, Sub};
    table2(&[
        (Add, 0, INF, NEG_INF, DEFAULT, IOC),
        (Sub, 0, INF, INF, DEFAULT, IOC),
        (Mul, 0, INF, NEG_ZERO, DEFAULT, IOC),
        (Div, 0, INF, NEG_INF, DEFAULT, IOC),
        (Div, 0, ZERO, NEG_ZERO, DEFAULT, IOC),
        (Div, 0, ONE, NEG_ZERO, NEG_INF, DZC),
        (Div, 0, INF, ZERO, INF, 0),
        (Div, 0, NEG_ONE, INF, NEG_ZERO, 0),
        (Mulx, 0, INF, NEG_ZERO, TWO | NEG, 0),
        (Mulx, 0, ZERO, INF, TWO, 0),
        (Recps, 0, INF, ZERO, TWO, 0),
        (Recps, 0, NEG_ZERO, INF, TWO, 0),
        (Rsqrts, 0, INF, NEG_ZERO, 0x3fc0_0000, 0),
        (Recps, 0, INF, ONE, NEG_INF, 0),
        (Rsqrts, 0, NEG_INF, TWO, INF, 0),
        (Recps, 0, TWO, ONE, ZERO, 0),
        (Recps, MINUS, TWO, ONE, NEG_ZERO, 0),
        (Rsqrts, 0, THREE, ONE, ZERO, 0),
        (Rsqrts, 0, ONE, ONE, ONE, 0),
        (Add, 0, ONE, NEG_ONE, ZERO, 0),
        (Add, MINUS, ONE, NEG_ONE, NEG_ZERO, 0),
        (Add, MINUS, ZERO, NEG_ZERO, NEG_ZERO, 0),
        (Add, 0, NEG_ZERO, NEG_ZERO, NEG_ZERO, 0),
        (Sub, 0, NEG_ZERO, ZERO, NEG_ZERO, 0),
        (Max, 0, NEG_ZERO, ZERO, ZERO, 0),
        (Max, 0, ZERO, NEG_ZERO, ZERO, 0),
        (Min, 0, NEG_ZERO, ZERO, NEG_ZERO, 0),
        (Min, 0, ZERO, NEG_ZERO, NEG_ZERO, 0),
        (Max, 0, NEG_ZERO, NEG_ONE, NEG_ZERO, 0),
        (Min, 0, NEG_INF, NEG_MAX, NEG_INF, 0),
        (Max, 0, DENORMAL, TINIEST, DENORMAL, 0),
        (Max, FZ, DENORMAL, NEG_DENORMAL, ZERO, IDC),
        (Min, FZ, DENORMAL, ONE, ZERO, IDC),
    ]);
    table1(&[
        (Fp1::Sqrt, FpSize::S, 0, NEG_ONE, DEFAULT, IOC),
        (Fp1::Sqrt, FpSize::S, 0, NEG_INF, DEFAULT, IOC),
        (Fp1::Sqrt, FpSize::S, 0, NEG_ZERO, NEG_ZERO, 0),
        (Fp1::Sqrt, FpSize::S, 0, INF, INF, 0),
        (Fp1::Sqrt, FpSize::S, FZ, NEG_DENORMAL, NEG_ZERO, IDC),
        (Fp1::Recpe, FpSize::S, 0, NEG_ZERO, NEG_INF, DZC),
        (Fp1::Recpe, FpSize::S, 0, NEG_INF, NEG_ZERO, 0),
        (Fp1::Recpe, FpSize::S, FZ, NEG_DENORMAL, NEG_INF, DZC | IDC),
        (Fp1::Recpe, FpSize::S, 0, TINIEST, INF, OFC | IXC),
        (Fp1::Recpe, FpSize::S, TO_ZERO, TINIEST, MAX, OFC | IXC),
        (Fp1::Recpe, FpSize::S, PLUS, TINIEST | NEG, NEG_MAX, OFC | IXC),
        (Fp1::Recpe, FpSize::S, MINUS, TINIEST | NEG, NEG_INF, OFC | IXC),
        (Fp1::Recpe, FpSize::S, FZ, NEG_MAX, NEG_ZERO, UFC),
        (Fp1::Recpe, FpSize::S, FZ, 0x7e80_0000, ZERO, UFC),
        (Fp1::Recpe, FpSize::H, FZ, 0x7400, 0x03fe, 0),
        (Fp1::Recpe, FpSize::H, FZ16, 0x7400, 0, UFC),
        (Fp1::Rsqrte, FpSize::S, 0, NEG_ZERO, NEG_INF, DZC),
        (Fp1::Rsqrte, FpSize::S, 0, INF, ZERO, 0),
        (Fp1::Rsqrte, FpSize::S, 0, NEG_ONE, DEFAULT, IOC),
        (Fp1::Rsqrte, FpSize::S, 0, NEG_INF, DEFAULT, IOC),
        (Fp1::Rsqrte, FpSize::S, FZ, NEG_DENORMAL, NEG_INF, DZC | IDC),
        (Fp1::Recpx, FpSize::S, 0, NEG_ZERO, 0xff00_0000, 0),
        (Fp1::Recpx, FpSize::S, 0, NEG_INF, NEG_ZERO, 0),
        (Fp1::Recpx, FpSize::S, FZ, DENORMAL, 0x7f00_0000, IDC),
    ]);
}

/// FPRound: flushing, tininess before rounding, overflow by rounding mode.
#[test]
fn results_at_the_limits() {
    use Fp2::{Add, Div, Mul, Sub};
    table2(&[
        // Flushed operands and results; a flushed result is not Inexact.
        (Add, FZ, DENORMAL, NEG_ZERO, ZERO, IDC),
        (Add, FZ, NEG_DENORMAL, NEG_ZERO, NEG_ZERO, IDC),
        (Add, FZ, DENORMAL, Q1, Q1, IDC),
        (Div, FZ, ONE, NEG_DENORMAL, NEG_INF, IDC | DZC),
        (Sub, FZ, 0x80c0_0000, NEG | MIN_NORMAL, NEG_ZERO, UFC),
        (Mul, FZ, MIN_NORMAL, 0x3f7f_ffff, ZERO, UFC),
        // FZ16 has no say here.
        (Add, FZ16, DENORMAL, ZERO, DENORMAL, 0),
        // An exact denormal is no underflow.
        (Mul, 0, MIN_NORMAL, 0x3f00_0000, DENORMAL, 0),
        (Mul, 0, TINIEST, 0x3f00_0000, ZERO, UFC | IXC),
        (Mul, PLUS, TINIEST, 0x3f00_0000, TINIEST, UFC | IXC),
        // Rounds up to the smallest normal number: tiny before rounding.
        (Mul, 0, MIN_NORMAL, 0x3f7f_ffff, MIN_NORMAL, UFC | IXC),
        (Mul, TO_ZERO, MIN_NORMAL, 0x3f7f_ffff, 0x007f_ffff, UFC | IXC),
        (Mul, 0, MAX, TWO, INF, OFC | IXC),
        (Mul, TO_ZERO, MAX, TWO, MAX, OFC | IXC),
        (Mul, PLUS, MAX, TWO | NEG, NEG_MAX, OFC | IXC),
        (Mul, MINUS, MAX, TWO | NEG, NEG_INF, OFC | IXC),
        (Mul, MINUS, MAX, TWO, MAX, OFC | IXC),
        // Cut off at the largest number without an overflow.
        (Add, TO_ZERO, MAX, ONE, MAX, IXC),
        (Add, PLUS, MAX, ONE, INF, OFC | IXC),
    ]);
    // Half precision has its own control and no Input Denormal.
    let half = |fpcr| two(Fp2::Add, FpSize::H, fpcr, 0x0001, 0x0001);
    assert_eq!(half(FZ), (2, 0));
    assert_eq!(half(FZ16), (0, 0));
    assert_eq!(two(Fp2::Sub, FpSize::H, FZ16, 0x0401, 0x0400), (0, UFC));
    // FRINT of a flushed denormal is not Inexact.
    table1(&[
        (Fp1::RintX, FpSize::S, FZ, NEG_DENORMAL, NEG_ZERO, IDC),
        (Fp1::RintX, FpSize::S, 0, NEG_DENORMAL, NEG_ZERO, IXC),
        (Fp1::RintP, FpSize::S, 0, TINIEST, ONE, 0),
        (Fp1::RintM, FpSize::S, 0, 0xbf00_0000, NEG_ONE, 0),
        (Fp1::RintP, FpSize::S, 0, 0xbf00_0000, NEG_ZERO, 0),
        (Fp1::RintA, FpSize::S, 0, 0x3f00_0000, ONE, 0),
        (Fp1::RintN, FpSize::S, 0, 0x3f00_0000, ZERO, 0),
    ]);
}

/// FPCompare and the lane-wise comparisons.
#[test]
fn comparisons() {
    let (less, equal, greater, unordered) = (8 << 28, 6 << 28, 2 << 28, 3 << 28);
    // FPCR, operands, NZCV, flags of FCMP and of FCMPE.
    let cases = [
        (0, ONE, TWO, less, 0, 0),
        (0, TWO, ONE, greater, 0, 0),
        (0, NEG_ONE, NEG | TWO, greater, 0, 0),
        (0, NEG_INF, NEG_MAX, less, 0, 0),
        (0, ZERO, NEG_ZERO, equal, 0, 0),
        (0, TINIEST, ZERO, greater, 0, 0),
        (FZ, TINIEST, ZERO, equal, IDC, IDC),
        (0, NEG_DENORMAL, ZERO, less, 0, 0),
        (0, INF, INF, equal, 0, 0),
        (0, Q1, ONE, unordered, 0, IOC),
        (0, ONE, S1, unordered, IOC, IOC),
        (FZ, DENORMAL, Q1, unordered, IDC, IDC | IOC),
    ];
    for (fpcr, a, b, nzcv, quiet_flags, signaling_flags) in cases {
        for (signaling, flags) in [(false, quiet_flags), (true, signaling_flags)] {
            let mut env = env(fpcr);
            let got = soft::fp_compare(FpSize::S, signaling, a.into(), b.into(), &mut env);
            assert!(
                (got, env.fpsr) == (nzcv, flags),
                "{signaling} {a:#x} {b:#x}: {got:x} {:x}",
                env.fpsr
            );
        }
    }
    use Fp2::{AcGe, AcGt, CmEq, CmGe, CmGt};
    table2(&[
        (CmEq, 0, ZERO, NEG_ZERO, TRUE, 0),
        (CmEq, 0, Q1, Q1, 0, 0),
        (CmEq, 0, S1, ONE, 0, IOC),
        (CmGe, 0, Q1, ONE, 0, IOC),
        (CmGe, 0, ONE, ONE, TRUE, 0),
        (CmGt, 0, ONE, ONE, 0, 0),
        (CmGt, 0, ONE, NEG_INF, TRUE, 0),
        (AcGe, 0, NEG | TWO, ONE, TRUE, 0),
        (AcGt, 0, NEG_ONE, ONE, 0, 0),
        (AcGt, 0, NEG_INF, MAX, TRUE, 0),
        (AcGe, 0, ONE, Q2, 0, IOC),
    ]);
    use Fp1::{CmEqZero, CmGeZero, CmGtZero, CmLeZero, CmLtZero};
    let size = FpSize::S;
    table1(&[
        (CmEqZero, size, 0, NEG_ZERO, TRUE, 0),
        (CmEqZero, size, 0, Q1, 0, 0),
        (CmEqZero, size, FZ, DENORMAL, TRUE, IDC),
        (CmGtZero, size, 0, TINIEST, TRUE, 0),
        (CmGeZero, size, 0, NEG_ZERO, TRUE, 0),
        (CmLeZero, size, 0, ZERO, TRUE, 0),
        (CmLeZero, size, 0, Q1, 0, IOC),
        (CmLtZero, size, 0, NEG_ZERO, 0, 0),
        (CmLtZero, size, 0, NEG_DENORMAL, TRUE, 0),
    ]);
}

fn singles(lanes: [u64; 4]) -> u128 {
    lanes.iter().rev().fold(0, |v, lane| v << 32 | u128::from(*lane))
}

/// The order in which lanes meet shows in which NaN is kept.
#[test]
fn pairs_and_reductions() {
    let (full, half) = (Shape::new(Lane::S, Span::Full), Shape::new(Lane::S, Span::Half));
    let env = &mut FpEnv::default();
    let a = singles([ONE, TWO, THREE, NEG_ONE]);
    let b = singles([TWO, TWO, Q1, Q2]);
    let pairs = soft::fp2(Fp2::Addp, full, a, b, env);
    assert_eq!(pairs, singles([THREE, TWO, 0x4080_0000, Q1]));
    assert_eq!(soft::fp2(Fp2::Maxp, half, a, b, env), singles([TWO, TWO, 0, 0]));
    assert_eq!(
        soft::fp2(Fp2::Addp, Shape::scalar(Lane::S), a, b, env),
        singles([THREE, 0, 0, 0])
    );
    assert_eq!(soft::fp1(Fp1::Maxv, full, a, env), singles([THREE, 0, 0, 0]));
    assert_eq!(soft::fp1(Fp1::Minv, full, a, env), singles([NEG_ONE, 0, 0, 0]));
    assert_eq!(env.fpsr, 0);
    // (lane 0, lane 1), then (lane 2, lane 3), then both results.
    let nans = singles([ONE, Q1, S2, S3]);
    assert_eq!(soft::fp1(Fp1::Maxv, full, nans, env), singles([Q1, 0, 0, 0]));
    assert_eq!(env.fpsr, IOC);
    env.fpsr = 0;
    assert_eq!(soft::fp1(Fp1::MaxNmv, full, nans, env), singles([ONE, 0, 0, 0]));
    assert_eq!(env.fpsr, IOC);
}
