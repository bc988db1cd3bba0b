//! Floating point as the Arm architecture defines it, in integer arithmetic.
//!
//! Place in the path: the bodies of the `fp*` operations of `semantics::Ops`. The
//! interpreter calls them, also for generated code that has no inline sequence.
//! They follow the pseudocode of the Arm ARM (shared/functions/float) with
//! FPCR.{AH, FIZ, NEP} = 0: NaN operands propagate or become the default NaN, tininess
//! is detected before rounding, and exceptions accumulate in `FpEnv::fpsr`.
//!
//! Values are taken apart into a left-aligned 64-bit significand (`format`), computed on with
//! a sticky low bit (`arith`), and put together once (`round`).

mod arith;
mod brain;
mod compare;
mod convert;
pub(crate) mod estimate;
mod format;
mod round;
mod status;

use guest::FpEnv;
use semantics::ops::{Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Span, Width};

use arith::{Step, ZeroTimesInfinity};
use compare::{Extreme, Quiet, Relation};
use convert::Exactness;
use format::{Brain, Double, Format, Half, Single};
use status::Status;

/// Calls a function generic over the format for a lane size. Other lanes hold no floating-point
/// numbers: semantics never asks for them, and they give the fallback.
macro_rules! by_lane {
    ($lane:expr, $function:ident($($arg:expr),*), $other:expr) => {
        match $lane {
            Lane::H => $function::<Half>($($arg),*),
            Lane::S => $function::<Single>($($arg),*),
            Lane::D => $function::<Double>($($arg),*),
            Lane::B | Lane::Q => $other,
        }
    };
}

macro_rules! by_size {
    ($size:expr, $function:ident($($arg:expr),*)) => {
        match $size {
            FpSize::H => $function::<Half>($($arg),*),
            FpSize::S => $function::<Single>($($arg),*),
            FpSize::D => $function::<Double>($($arg),*),
        }
    };
}

/// Lane `index` of `a`.
fn lane<F: Format>(a: u128, index: usize) -> u64 {
    (a >> (index as u32 * F::BITS)) as u64 & F::MASK
}

/// `value` as lane `index`.
fn at<F: Format>(index: usize, value: u64) -> u128 {
    u128::from(value & F::MASK) << (index as u32 * F::BITS)
}

/// A vector of `n` lanes of `F`, each from its number.
fn lanes<F: Format>(n: usize, mut f: impl FnMut(usize) -> u64) -> u128 {
    let mut result = 0;
    for i in 0..n.min(128 / F::BITS as usize) {
        result |= at::<F>(i, f(i));
    }
    result
}

/// The one-operand operations; see [`Fp1`].
#[must_use]
pub fn fp1(op: Fp1, s: Shape, a: u128, env: &mut FpEnv) -> u128 {
    let n = s.lanes();
    let st = &mut Status::new(env);
    match op {
        Fp1::CvtHS => widen_or_narrow::<Half, Single>(n, a, Rounding::Current, st),
        Fp1::CvtHD => widen_or_narrow::<Half, Double>(n, a, Rounding::Current, st),
        Fp1::CvtSD => widen_or_narrow::<Single, Double>(n, a, Rounding::Current, st),
        Fp1::CvtSH => widen_or_narrow::<Single, Half>(n, a, Rounding::Current, st),
        Fp1::CvtDH => widen_or_narrow::<Double, Half>(n, a, Rounding::Current, st),
        Fp1::CvtDS => widen_or_narrow::<Double, Single>(n, a, Rounding::Current, st),
        Fp1::CvtDSOdd => widen_or_narrow::<Double, Single>(n, a, Rounding::Odd, st),
        Fp1::CvtSBf => widen_or_narrow::<Single, Brain>(n, a, Rounding::Current, st),
        Fp1::Maxv => by_lane!(s.lane, across(Fp2::Max, n, a, st), 0),
        Fp1::Minv => by_lane!(s.lane, across(Fp2::Min, n, a, st), 0),
        Fp1::MaxNmv => by_lane!(s.lane, across(Fp2::MaxNm, n, a, st), 0),
        Fp1::MinNmv => by_lane!(s.lane, across(Fp2::MinNm, n, a, st), 0),
        Fp1::Abs
        | Fp1::Neg
        | Fp1::Sqrt
        | Fp1::RintN
        | Fp1::RintP
        | Fp1::RintM
        | Fp1::RintZ
        | Fp1::RintA
        | Fp1::RintI
        | Fp1::RintX
        | Fp1::Recpe
        | Fp1::Rsqrte
        | Fp1::Recpx
        | Fp1::CmEqZero
        | Fp1::CmGtZero
        | Fp1::CmGeZero
        | Fp1::CmLeZero
        | Fp1::CmLtZero
        | Fp1::Rint32Z
        | Fp1::Rint32X
        | Fp1::Rint64Z
        | Fp1::Rint64X => by_lane!(s.lane, fp1_lanes(op, n, a, st), 0),
    }
}

fn widen_or_narrow<From: Format, To: Format>(n: usize, a: u128, how: Rounding, st: &mut Status) -> u128 {
    let n = n.min(128 / From::BITS as usize);
    lanes::<To>(n, |i| convert::precision::<From, To>(lane::<From>(a, i), how, st))
}

/// Reduces by halves, the lower lane first, as the pseudocode's Reduce does.
fn across<F: Format>(op: Fp2, n: usize, a: u128, st: &mut Status) -> u128 {
    let mut values = [0; 8];
    for (i, value) in values.iter_mut().enumerate().take(n) {
        *value = lane::<F>(a, i);
    }
    let mut n = n.min(values.len());
    while n > 1 {
        n /= 2;
        for i in 0..n {
            values[i] = fp2_lane::<F>(op, values[2 * i], values[2 * i + 1], st);
        }
    }
    at::<F>(0, values[0])
}

fn fp1_lanes<F: Format>(op: Fp1, n: usize, a: u128, st: &mut Status) -> u128 {
    lanes::<F>(n, |i| fp1_lane::<F>(op, lane::<F>(a, i), st))
}

fn fp1_lane<F: Format>(op: Fp1, a: u64, st: &mut Status) -> u64 {
    let rint = |how, exact, st: &mut Status| convert::to_integral::<F>(a, how, exact, st);
    match op {
        Fp1::Abs => compare::abs::<F>(a),
        Fp1::Neg => compare::neg::<F>(a),
        Fp1::Sqrt => arith::sqrt::<F>(a, st),
        Fp1::RintN => rint(Rounding::TieEven, Exactness::Silent, st),
        Fp1::RintP => rint(Rounding::PlusInf, Exactness::Silent, st),
        Fp1::RintM => rint(Rounding::MinusInf, Exactness::Silent, st),
        Fp1::RintZ => rint(Rounding::Zero, Exactness::Silent, st),
        Fp1::RintA => rint(Rounding::TieAway, Exactness::Silent, st),
        Fp1::RintI => rint(Rounding::Current, Exactness::Silent, st),
        Fp1::RintX => rint(Rounding::Current, Exactness::Signals, st),
        Fp1::Recpe => estimate::recpe::<F>(a, st),
        Fp1::Rsqrte => estimate::rsqrte::<F>(a, st),
        Fp1::Recpx => estimate::recpx::<F>(a, st),
        Fp1::CmEqZero => compare::test::<F>(Relation::Eq, a, 0, st),
        Fp1::CmGtZero => compare::test::<F>(Relation::Gt, a, 0, st),
        Fp1::CmGeZero => compare::test::<F>(Relation::Ge, a, 0, st),
        Fp1::CmLeZero => compare::test::<F>(Relation::Ge, 0, a, st),
        Fp1::CmLtZero => compare::test::<F>(Relation::Gt, 0, a, st),
        Fp1::Rint32Z => convert::to_integral_within::<F>(a, Rounding::Zero, 32, st),
        Fp1::Rint32X => convert::to_integral_within::<F>(a, Rounding::Current, 32, st),
        Fp1::Rint64Z => convert::to_integral_within::<F>(a, Rounding::Zero, 64, st),
        Fp1::Rint64X => convert::to_integral_within::<F>(a, Rounding::Current, 64, st),
        // Not lane-wise: `fp1` computes them on whole vectors.
        Fp1::CvtHS
        | Fp1::CvtHD
        | Fp1::CvtSD
        | Fp1::CvtSH
        | Fp1::CvtDH
        | Fp1::CvtDS
        | Fp1::CvtDSOdd
        | Fp1::CvtSBf
        | Fp1::Maxv
        | Fp1::Minv
        | Fp1::MaxNmv
        | Fp1::MinNmv => a,
    }
}

/// The two-operand operations; see [`Fp2`].
#[must_use]
pub fn fp2(op: Fp2, s: Shape, a: u128, b: u128, env: &mut FpEnv) -> u128 {
    let st = &mut Status::new(env);
    let n = s.lanes();
    let pairs = |op, st: &mut Status| by_lane!(s.lane, pairwise(op, s.span, n, a, b, st), 0);
    match op {
        Fp2::Addp => pairs(Fp2::Add, st),
        Fp2::Maxp => pairs(Fp2::Max, st),
        Fp2::Minp => pairs(Fp2::Min, st),
        Fp2::MaxNmp => pairs(Fp2::MaxNm, st),
        Fp2::MinNmp => pairs(Fp2::MinNm, st),
        Fp2::Cadd90 => by_lane!(s.lane, complex_add(0, 1, n, a, b, st), 0),
        Fp2::Cadd270 => by_lane!(s.lane, complex_add(1, 0, n, a, b, st), 0),
        Fp2::Add
        | Fp2::Sub
        | Fp2::Mul
        | Fp2::Div
        | Fp2::Nmul
        | Fp2::Max
        | Fp2::Min
        | Fp2::MaxNm
        | Fp2::MinNm
        | Fp2::Mulx
        | Fp2::Recps
        | Fp2::Rsqrts
        | Fp2::Abd
        | Fp2::CmEq
        | Fp2::CmGe
        | Fp2::CmGt
        | Fp2::AcGe
        | Fp2::AcGt => by_lane!(s.lane, fp2_lanes(op, n, a, b, st), 0),
    }
}

fn fp2_lanes<F: Format>(op: Fp2, n: usize, a: u128, b: u128, st: &mut Status) -> u128 {
    lanes::<F>(n, |i| fp2_lane::<F>(op, lane::<F>(a, i), lane::<F>(b, i), st))
}

fn pairwise<F: Format>(op: Fp2, span: Span, n: usize, a: u128, b: u128, st: &mut Status) -> u128 {
    let half = n.div_ceil(2);
    lanes::<F>(n, |i| {
        let (from, pair) = if i < half || span == Span::Scalar {
            (a, i)
        } else {
            (b, i - half)
        };
        fp2_lane::<F>(op, lane::<F>(from, 2 * pair), lane::<F>(from, 2 * pair + 1), st)
    })
}

/// FCADD: the parts of `b` change places; the new real and imaginary parts are negated or not.
fn complex_add<F: Format>(keep_re: u64, keep_im: u64, n: usize, a: u128, b: u128, st: &mut Status) -> u128 {
    lanes::<F>(n, |i| {
        let negated = if i & 1 == 0 { keep_re == 0 } else { keep_im == 0 };
        let turned = lane::<F>(b, i ^ 1) ^ if negated { F::SIGN } else { 0 };
        arith::add::<F>(lane::<F>(a, i), turned, false, st)
    })
}

fn fp2_lane<F: Format>(op: Fp2, a: u64, b: u64, st: &mut Status) -> u64 {
    let (abs, neg) = (compare::abs::<F>, compare::neg::<F>);
    match op {
        // The complex sums turn `b` before they add.
        Fp2::Add | Fp2::Addp | Fp2::Cadd90 | Fp2::Cadd270 => arith::add::<F>(a, b, false, st),
        Fp2::Sub => arith::add::<F>(a, b, true, st),
        Fp2::Mul => arith::mul::<F>(a, b, ZeroTimesInfinity::Invalid, st),
        Fp2::Div => arith::div::<F>(a, b, st),
        Fp2::Nmul => neg(arith::mul::<F>(a, b, ZeroTimesInfinity::Invalid, st)),
        Fp2::Max | Fp2::Maxp => compare::extreme::<F>(Extreme::Max, a, b, st),
        Fp2::Min | Fp2::Minp => compare::extreme::<F>(Extreme::Min, a, b, st),
        Fp2::MaxNm | Fp2::MaxNmp => compare::extreme_num::<F>(Extreme::Max, a, b, st),
        Fp2::MinNm | Fp2::MinNmp => compare::extreme_num::<F>(Extreme::Min, a, b, st),
        Fp2::Mulx => arith::mul::<F>(a, b, ZeroTimesInfinity::Two, st),
        Fp2::Recps => arith::step::<F>(Step::Reciprocal, a, b, st),
        Fp2::Rsqrts => arith::step::<F>(Step::ReciprocalSqrt, a, b, st),
        Fp2::Abd => abs(arith::add::<F>(a, b, true, st)),
        Fp2::CmEq => compare::test::<F>(Relation::Eq, a, b, st),
        Fp2::CmGe => compare::test::<F>(Relation::Ge, a, b, st),
        Fp2::CmGt => compare::test::<F>(Relation::Gt, a, b, st),
        Fp2::AcGe => compare::test::<F>(Relation::Ge, abs(a), abs(b), st),
        Fp2::AcGt => compare::test::<F>(Relation::Gt, abs(a), abs(b), st),
    }
}

/// The fused operations; see [`Fp3`].
#[must_use]
pub fn fp3(op: Fp3, s: Shape, a: u128, b: u128, c: u128, env: &mut FpEnv) -> u128 {
    let st = &mut Status::new(env);
    let n = s.lanes();
    match op {
        Fp3::MulAdd => by_lane!(s.lane, fused(0, 0, n, a, b, c, st), 0),
        Fp3::MulSub => by_lane!(s.lane, fused(0, 1, n, a, b, c, st), 0),
        Fp3::NegMulAdd => by_lane!(s.lane, fused(1, 1, n, a, b, c, st), 0),
        Fp3::NegMulSub => by_lane!(s.lane, fused(1, 0, n, a, b, c, st), 0),
        Fp3::MulAddLong => fused_long(0, n, a, b, c, st),
        Fp3::MulSubLong => fused_long(Half::SIGN, n, a, b, c, st),
        Fp3::Cmla0 => by_lane!(s.lane, complex_product(0, [0, 0], n, a, b, c, st), 0),
        Fp3::Cmla90 => by_lane!(s.lane, complex_product(1, [1, 0], n, a, b, c, st), 0),
        Fp3::Cmla180 => by_lane!(s.lane, complex_product(0, [1, 1], n, a, b, c, st), 0),
        Fp3::Cmla270 => by_lane!(s.lane, complex_product(1, [0, 1], n, a, b, c, st), 0),
        Fp3::BfDot => brain::dot(n, a, b, c),
        Fp3::BfMmla => brain::matrix_product(a, b, c),
        Fp3::BfMlalB => brain::fused(0, n, a, b, c, st),
        Fp3::BfMlalT => brain::fused(1, n, a, b, c, st),
    }
}

/// FMLAL and FMLSL: products of the low halves, added to singles.
fn fused_long(negate: u64, n: usize, a: u128, b: u128, c: u128, st: &mut Status) -> u128 {
    lanes::<Single>(n, |i| {
        let (b, c) = (lane::<Half>(b, i) ^ negate, lane::<Half>(c, i));
        arith::mul_add_of::<Single, Half>(lane::<Single>(a, i), b, c, st)
    })
}

/// FCMLA: part `part` of `b`'s number times the number in `c`; for the imaginary part, the
/// parts of `c` change places. `negate` holds for the real and the imaginary result.
fn complex_product<F: Format>(
    part: usize,
    negate: [u64; 2],
    n: usize,
    a: u128,
    b: u128,
    c: u128,
    st: &mut Status,
) -> u128 {
    lanes::<F>(n, |i| {
        let negated = if negate[i & 1] != 0 { F::SIGN } else { 0 };
        let factor = lane::<F>(b, (i & !1) + part);
        let other = lane::<F>(c, i ^ part) ^ negated;
        arith::mul_add::<F>(lane::<F>(a, i), factor, other, st)
    })
}

/// The lane-wise fused operations. The operands are negated, NaNs too, before anything looks
/// at them.
fn fused<F: Format>(neg_a: u64, neg_b: u64, n: usize, a: u128, b: u128, c: u128, st: &mut Status) -> u128 {
    let (neg_a, neg_b) = (neg_a * F::SIGN, neg_b * F::SIGN);
    lanes::<F>(n, |i| {
        arith::mul_add::<F>(
            lane::<F>(a, i) ^ neg_a,
            lane::<F>(b, i) ^ neg_b,
            lane::<F>(c, i),
            st,
        )
    })
}

/// FCMP (or FCMPE, `signaling`) of lane 0: NZCV in bits 31:28.
#[must_use]
pub fn fp_compare(size: FpSize, signaling: bool, a: u128, b: u128, env: &mut FpEnv) -> u32 {
    let st = &mut Status::new(env);
    let quiet = if signaling { Quiet::Signals } else { Quiet::Silent };
    by_size!(size, compare_lane0(a, b, quiet, st))
}

fn compare_lane0<F: Format>(a: u128, b: u128, quiet: Quiet, st: &mut Status) -> u32 {
    compare::compare::<F>(lane::<F>(a, 0), lane::<F>(b, 0), quiet, st)
}

/// Lane 0 as an integer of width `w`, zero-extended.
#[must_use]
pub fn fp_to_int(how: FpToInt, w: Width, size: FpSize, a: u128, env: &mut FpEnv) -> u64 {
    let st = &mut Status::new(env);
    by_size!(size, lane_to_int(how, w.bits(), a, 0, st))
}

fn lane_to_int<F: Format>(how: FpToInt, bits: u32, a: u128, index: usize, st: &mut Status) -> u64 {
    convert::to_int::<F>(lane::<F>(a, index), how.signed, how.rounding, how.fbits, bits, st)
}

/// FJCVTZS: lane 0, a double, modulo 2^32, and NZCV in bits 31:28.
#[must_use]
pub fn fp_to_js_int(a: u128, env: &mut FpEnv) -> (u64, u32) {
    let st = &mut Status::new(env);
    let (value, exact) = convert::to_js_int(lane::<Double>(a, 0), st);
    (u64::from(value), u32::from(exact) << 30)
}

/// An integer of width `w` as lane 0, the rest zero.
#[must_use]
pub fn int_to_fp(how: IntToFp, w: Width, size: FpSize, value: u64, env: &mut FpEnv) -> u128 {
    let st = &mut Status::new(env);
    u128::from(by_size!(size, extend_and_convert(how, w.bits(), value, st)))
}

/// Extends the low `bits` of `value` as `how` says and converts.
fn extend_and_convert<F: Format>(how: IntToFp, bits: u32, value: u64, st: &mut Status) -> u64 {
    let unused = 64 - bits;
    let value = value << unused;
    let value = if how.signed {
        (value as i64 >> unused) as u64
    } else {
        value >> unused
    };
    convert::from_int::<F>(value, how.signed, how.fbits, st)
}

/// Lane-wise conversion to integers of the lane's size.
#[must_use]
pub fn vec_fp_to_int(how: FpToInt, s: Shape, a: u128, env: &mut FpEnv) -> u128 {
    let st = &mut Status::new(env);
    by_lane!(s.lane, lanes_to_int(how, s.lanes(), a, st), 0)
}

fn lanes_to_int<F: Format>(how: FpToInt, n: usize, a: u128, st: &mut Status) -> u128 {
    lanes::<F>(n, |i| lane_to_int::<F>(how, F::BITS, a, i, st))
}

/// Lane-wise conversion from integers of the lane's size.
#[must_use]
pub fn vec_int_to_fp(how: IntToFp, s: Shape, a: u128, env: &mut FpEnv) -> u128 {
    let st = &mut Status::new(env);
    by_lane!(s.lane, lanes_from_int(how, s.lanes(), a, st), 0)
}

fn lanes_from_int<F: Format>(how: IntToFp, n: usize, a: u128, st: &mut Status) -> u128 {
    lanes::<F>(n, |i| extend_and_convert::<F>(how, F::BITS, lane::<F>(a, i), st))
}
