//! BFloat16 products (Arm ARM, shared/functions/bfloat), for FPCR.EBF = 0.
//!
//! Invariant: BFDOT and BFMMLA neither read FPCR nor write FPSR. Each of their steps flushes
//! denormals, rounds to odd (to infinity on overflow) and makes any NaN the default one.
//! BFMLALB and BFMLALT are ordinary fused operations on singles.

use guest::FpEnv;
use semantics::ops::Rounding;

use super::arith::{self, ZeroTimesInfinity};
use super::format::{Brain, Format, Single};
use super::status::{Status, flag};
use super::{at, lane, lanes};

/// Lane `index` as the single of the same value.
fn single(a: u128, index: usize) -> u64 {
    lane::<Brain>(a, index) << 16
}

/// Carries out an operation on singles as the BFloat16 dot products do.
fn step(run: impl FnOnce(&mut Status) -> u64) -> u64 {
    let mut env = FpEnv {
        fpcr: FpEnv::FPCR_FZ | FpEnv::FPCR_DN,
        fpsr: 0,
    };
    let result = run(&mut Status::with_rounding(&mut env, Rounding::Odd));
    // Too large a number is infinite; rounding to odd by itself gives the largest one.
    if env.fpsr & flag::OFC != 0 {
        Single::INF | result & Single::SIGN
    } else {
        result
    }
}

/// FPMul_BF16.
fn mul(a: u64, b: u64) -> u64 {
    step(|st| arith::mul::<Single>(a, b, ZeroTimesInfinity::Invalid, st))
}

/// FPAdd_BF16.
fn add(a: u64, b: u64) -> u64 {
    step(|st| arith::add::<Single>(a, b, false, st))
}

/// BFDotAdd: pair `i` of `b` times pair `j` of `c`, added to a single.
fn dot_add(addend: u64, b: u128, i: usize, c: u128, j: usize) -> u64 {
    let even = mul(single(b, 2 * i), single(c, 2 * j));
    let odd = mul(single(b, 2 * i + 1), single(c, 2 * j + 1));
    add(addend, add(even, odd))
}

/// BFDOT.
pub(super) fn dot(n: usize, a: u128, b: u128, c: u128) -> u128 {
    lanes::<Single>(n, |i| dot_add(lane::<Single>(a, i), b, i, c, i))
}

/// BFMMLA: `a`, 2 by 2, plus `b`, 2 by 4, times the transposed `c`, 2 by 4.
pub(super) fn matrix_product(a: u128, b: u128, c: u128) -> u128 {
    lanes::<Single>(4, |i| {
        let (row, column) = (i >> 1, i & 1);
        (0..2).fold(lane::<Single>(a, i), |sum, k| {
            dot_add(sum, b, 2 * row + k, c, 2 * column + k)
        })
    })
}

/// BFMLALB (`odd` 0) and BFMLALT (1).
pub(super) fn fused(odd: usize, n: usize, a: u128, b: u128, c: u128, st: &mut Status) -> u128 {
    (0..n).fold(0, |result, i| {
        let (b, c) = (single(b, 2 * i + odd), single(c, 2 * i + odd));
        result | at::<Single>(i, arith::mul_add::<Single>(lane::<Single>(a, i), b, c, st))
    })
}
