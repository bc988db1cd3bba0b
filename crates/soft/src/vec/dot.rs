//! Products of Armv8.1 to 8.6: rounding doubling multiply-accumulate, sums of products of
//! bytes, and products of matrices of bytes (Arm ARM C7.2).

use super::lanes::{lane, map, signed_lane, signed_limit};
use semantics::ops::{Lane, Shape};

/// SQRDMLAH and SQRDMLSH: `f` adds or subtracts the doubled product, before the one
/// rounding and the one saturation.
pub(super) fn accumulate_high(
    size: Lane,
    acc: i64,
    (x, y): (i64, i64),
    f: impl Fn(i128, i128) -> i128,
) -> (u64, bool) {
    let bits = size.bits();
    let doubled = 2 * i128::from(x) * i128::from(y);
    let sum = f(i128::from(acc) << bits, doubled) + (1 << (bits - 1));
    let result = sum >> bits;
    let (low, high) = (-1 << (bits - 1), (1 << (bits - 1)) - 1);
    let clamped = result.clamp(low, high);
    if clamped == result {
        (result as u64, false)
    } else {
        (signed_limit(if result < 0 { -1 } else { 1 }, size), true)
    }
}

/// How the bytes of an operand are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    Signed,
    Unsigned,
}

impl Bytes {
    fn get(self, v: u128, index: usize) -> i64 {
        match self {
            Bytes::Signed => signed_lane(v, Lane::B, index),
            Bytes::Unsigned => lane(v, Lane::B, index) as i64,
        }
    }
}

/// The sum of the products of `n` bytes from `i` in `x` and from `j` in `y`.
fn dot((kx, x): (Bytes, u128), i: usize, (ky, y): (Bytes, u128), j: usize, n: usize) -> u64 {
    (0..n).map(|k| kx.get(x, i + k) * ky.get(y, j + k)).sum::<i64>() as u64
}

/// SDOT, UDOT, USDOT: four products a lane.
pub(super) fn products(s: Shape, acc: u128, x: (Bytes, u128), y: (Bytes, u128)) -> u128 {
    map(s, |i| {
        lane(acc, s.lane, i).wrapping_add(dot(x, 4 * i, y, 4 * i, 4))
    })
}

/// SMMLA, UMMLA, USMMLA: rows of eight bytes of both operands.
pub(super) fn matrix(s: Shape, acc: u128, x: (Bytes, u128), y: (Bytes, u128)) -> u128 {
    map(s, |i| {
        let (row, column) = (i / 2, i % 2);
        lane(acc, s.lane, i).wrapping_add(dot(x, 8 * row, y, 8 * column, 8))
    })
}
