//! Two-operand operations.

use super::lanes::{
    lane, map, map_saturating, map_true, saturate_signed, shape_mask, signed_lane, signed_limit, spare_bits,
};
use super::permute::{transpose, unzip, zip};
use super::shift::Rounding;
use super::{aes, sha, sha512, shift, sm};
use guest::FpEnv;
use semantics::ops::{Lane, Shape, Span, Vec2};

/// Body of [`semantics::ops::VectorOps::vec2`].
pub fn vec2(op: Vec2, s: Shape, a: u128, b: u128, env: &mut FpEnv) -> u128 {
    let unsigned = |i| (lane(a, s.lane, i), lane(b, s.lane, i));
    let signed = |i| (signed_lane(a, s.lane, i), signed_lane(b, s.lane, i));
    let half = s.lane.narrower();
    let narrow = |i| (lane(a, half, i), lane(b, half, i));
    let narrow_signed = |i| (signed_lane(a, half, i), signed_lane(b, half, i));
    match op {
        Vec2::And => a & b & shape_mask(s),
        Vec2::Or => (a | b) & shape_mask(s),
        Vec2::Xor => (a ^ b) & shape_mask(s),
        Vec2::Bic => a & !b & shape_mask(s),
        Vec2::Orn => (a | !b) & shape_mask(s),
        Vec2::Add => binary(s, unsigned, u64::wrapping_add),
        Vec2::Sub => binary(s, unsigned, u64::wrapping_sub),
        Vec2::Mul => binary(s, unsigned, u64::wrapping_mul),
        Vec2::Smax => binary_signed(s, signed, i64::max),
        Vec2::Smin => binary_signed(s, signed, i64::min),
        Vec2::Umax => binary(s, unsigned, u64::max),
        Vec2::Umin => binary(s, unsigned, u64::min),
        // Sums and differences by way of the carry-less sum, so that no lane size overflows.
        Vec2::Shadd => binary_signed(s, signed, |x, y| (x & y) + ((x ^ y) >> 1)),
        Vec2::Uhadd => binary(s, unsigned, |x, y| (x & y) + ((x ^ y) >> 1)),
        Vec2::Srhadd => binary_signed(s, signed, |x, y| (x | y) - ((x ^ y) >> 1)),
        Vec2::Urhadd => binary(s, unsigned, |x, y| (x | y) - ((x ^ y) >> 1)),
        Vec2::Shsub => binary_signed(s, signed, |x, y| ((x ^ y) >> 1) - (!x & y)),
        Vec2::Uhsub => binary(s, unsigned, |x, y| ((x ^ y) >> 1).wrapping_sub(!x & y)),
        Vec2::Sabd => binary_signed(s, signed, |x, y| x.abs_diff(y) as i64),
        Vec2::Uabd => binary(s, unsigned, u64::abs_diff),
        Vec2::Pmul => binary(s, unsigned, |x, y| carryless_product(x, y) as u64),
        Vec2::CmEq => compare(s, unsigned, |x, y| x == y),
        Vec2::CmHi => compare(s, unsigned, |x, y| x > y),
        Vec2::CmHs => compare(s, unsigned, |x, y| x >= y),
        Vec2::CmTst => compare(s, unsigned, |x, y| x & y != 0),
        Vec2::CmGt => compare(s, signed, |x, y| x > y),
        Vec2::CmGe => compare(s, signed, |x, y| x >= y),
        Vec2::Addp => pairwise(s, a, b, lane, u64::wrapping_add),
        Vec2::Umaxp => pairwise(s, a, b, lane, u64::max),
        Vec2::Uminp => pairwise(s, a, b, lane, u64::min),
        Vec2::Smaxp => pairwise(s, a, b, lane_as_signed, |x, y| (x as i64).max(y as i64) as u64),
        Vec2::Sminp => pairwise(s, a, b, lane_as_signed, |x, y| (x as i64).min(y as i64) as u64),
        Vec2::SqAdd => map_saturating(s, env, |i| saturating(s.lane, signed(i), i64::checked_add)),
        Vec2::SqSub => map_saturating(s, env, |i| saturating(s.lane, signed(i), i64::checked_sub)),
        Vec2::Suqadd => map_saturating(s, env, |i| {
            // The second operand is never negative, so the limit is the upper one.
            let (x, y) = signed(i);
            let up = spare_bits(s.lane);
            match (x << up).checked_add_unsigned((y as u64) << up) {
                Some(r) => ((r >> up) as u64, false),
                None => (signed_limit(1, s.lane), true),
            }
        }),
        Vec2::UqAdd => map_saturating(s, env, |i| {
            saturating_unsigned(s.lane, unsigned(i), u64::checked_add, u64::MAX)
        }),
        Vec2::UqSub => map_saturating(s, env, |i| {
            saturating_unsigned(s.lane, unsigned(i), u64::checked_sub, 0)
        }),
        Vec2::Usqadd => map_saturating(s, env, |i| {
            let limit = if signed(i).1 < 0 { 0 } else { u64::MAX };
            saturating_unsigned(s.lane, unsigned(i), |x, y| x.checked_add_signed(y as i64), limit)
        }),
        Vec2::Sshl => binary_signed(s, signed, |x, y| shift::by_signed(x, y as i8)),
        Vec2::Ushl => binary(s, unsigned, |x, y| shift::by_unsigned(x, y as i8)),
        Vec2::Srshl => binary_signed(s, signed, |x, y| shift::by_rounding_signed(x, y as i8)),
        Vec2::Urshl => binary(s, unsigned, |x, y| shift::by_rounding_unsigned(x, y as i8)),
        Vec2::SqShl => map_saturating(s, env, |i| {
            shift::by_saturating_signed(s.lane, signed(i), Rounding::Down)
        }),
        Vec2::UqShl => map_saturating(s, env, |i| {
            shift::by_saturating_unsigned(s.lane, unsigned(i), Rounding::Down)
        }),
        Vec2::SqRshl => map_saturating(s, env, |i| {
            shift::by_saturating_signed(s.lane, signed(i), Rounding::Nearest)
        }),
        Vec2::UqRshl => map_saturating(s, env, |i| {
            shift::by_saturating_unsigned(s.lane, unsigned(i), Rounding::Nearest)
        }),
        Vec2::SqDmulh => map_saturating(s, env, |i| doubling_high(signed(i), s.lane, Rounding::Down)),
        Vec2::SqRdmulh => map_saturating(s, env, |i| doubling_high(signed(i), s.lane, Rounding::Nearest)),
        Vec2::Saddl => binary_signed(s, narrow_signed, |x, y| x + y),
        Vec2::Ssubl => binary_signed(s, narrow_signed, |x, y| x - y),
        Vec2::Smull => binary_signed(s, narrow_signed, |x, y| x * y),
        Vec2::Sabdl => binary_signed(s, narrow_signed, |x, y| (x - y).abs()),
        Vec2::Uaddl => binary(s, narrow, |x, y| x + y),
        Vec2::Usubl => binary(s, narrow, u64::wrapping_sub),
        Vec2::Umull => binary(s, narrow, |x, y| x * y),
        Vec2::Uabdl => binary(s, narrow, u64::abs_diff),
        Vec2::SqDmull => map_saturating(s, env, |i| {
            let (product, saturated) = doubling_product(s.lane, narrow_signed(i));
            (product as u64, saturated)
        }),
        Vec2::Pmull => polynomial_long(s, a, b),
        Vec2::Saddw => map(s, |i| lane(a, s.lane, i).wrapping_add(narrow_signed(i).1 as u64)),
        Vec2::Ssubw => map(s, |i| lane(a, s.lane, i).wrapping_sub(narrow_signed(i).1 as u64)),
        Vec2::Uaddw => map(s, |i| lane(a, s.lane, i).wrapping_add(narrow(i).1)),
        Vec2::Usubw => map(s, |i| lane(a, s.lane, i).wrapping_sub(narrow(i).1)),
        Vec2::Addhn => narrowing_high(s, a, b, u64::wrapping_add, Rounding::Down),
        Vec2::Subhn => narrowing_high(s, a, b, u64::wrapping_sub, Rounding::Down),
        Vec2::Raddhn => narrowing_high(s, a, b, u64::wrapping_add, Rounding::Nearest),
        Vec2::Rsubhn => narrowing_high(s, a, b, u64::wrapping_sub, Rounding::Nearest),
        Vec2::Zip1 => zip(s, a, b, 0),
        Vec2::Zip2 => zip(s, a, b, 1),
        Vec2::Uzp1 => unzip(s, a, b, 0),
        Vec2::Uzp2 => unzip(s, a, b, 1),
        Vec2::Trn1 => transpose(s, a, b, 0),
        Vec2::Trn2 => transpose(s, a, b, 1),
        Vec2::AesE => aes::encrypt_round(a, b),
        Vec2::AesD => aes::decrypt_round(a, b),
        Vec2::Sha1Su1 => sha::sha1su1(a, b),
        Vec2::Sha256Su0 => sha::sha256su0(a, b),
        Vec2::Sha512Su0 => sha512::sha512su0(a, b),
        Vec2::Sm4E => sm::sm4e(a, b),
        Vec2::Sm4EKey => sm::sm4ekey(a, b),
        Vec2::JoinLow => a & shape_mask(Shape::new(s.lane, Span::Half)) | b << 64,
    }
}

fn binary(s: Shape, lanes: impl Fn(usize) -> (u64, u64), f: impl Fn(u64, u64) -> u64) -> u128 {
    map(s, |i| {
        let (x, y) = lanes(i);
        f(x, y)
    })
}

fn binary_signed(s: Shape, lanes: impl Fn(usize) -> (i64, i64), f: impl Fn(i64, i64) -> i64) -> u128 {
    map(s, |i| {
        let (x, y) = lanes(i);
        f(x, y) as u64
    })
}

fn compare<T>(s: Shape, lanes: impl Fn(usize) -> (T, T), f: impl Fn(T, T) -> bool) -> u128 {
    map_true(s, |i| {
        let (x, y) = lanes(i);
        f(x, y)
    })
}

fn lane_as_signed(v: u128, size: Lane, i: usize) -> u64 {
    signed_lane(v, size, i) as u64
}

/// Pairs of `a` give the low half, pairs of `b` the upper; with a scalar span, the pair in `a`.
fn pairwise(
    s: Shape,
    a: u128,
    b: u128,
    get: impl Fn(u128, Lane, usize) -> u64,
    f: impl Fn(u64, u64) -> u64,
) -> u128 {
    let n = s.lanes().max(2);
    map(s, |i| {
        let (v, at) = if 2 * i < n { (a, 2 * i) } else { (b, 2 * i - n) };
        f(get(v, s.lane, at), get(v, s.lane, at + 1))
    })
}

/// A saturating addition or subtraction. The lanes are moved to the top of 64 bits,
/// where the overflow of the host's arithmetic is theirs.
fn saturating(size: Lane, (x, y): (i64, i64), f: impl Fn(i64, i64) -> Option<i64>) -> (u64, bool) {
    let up = spare_bits(size);
    match f(x << up, y << up) {
        Some(r) => ((r >> up) as u64, false),
        // Both overflow in the direction of the first operand.
        None => (signed_limit(x, size), true),
    }
}

fn saturating_unsigned(
    size: Lane,
    (x, y): (u64, u64),
    f: impl Fn(u64, u64) -> Option<u64>,
    limit: u64,
) -> (u64, bool) {
    let up = spare_bits(size);
    match f(x << up, y << up) {
        Some(r) => (r >> up, false),
        None => (limit, true),
    }
}

/// Upper half of twice the product.
fn doubling_high((x, y): (i64, i64), size: Lane, rounding: Rounding) -> (u64, bool) {
    let bits = size.bits().min(32);
    // Shifting by one less is the doubling.
    let product = x
        .wrapping_mul(y)
        .wrapping_add(rounding.half_unit(bits - 1) as i64);
    saturate_signed(product >> (bits - 1), size)
}

/// Twice the product, saturated to a lane.
pub(super) fn doubling_product(size: Lane, (x, y): (i64, i64)) -> (i64, bool) {
    let up = spare_bits(size);
    match ((x * y) << up).checked_mul(2) {
        Some(r) => (r >> up, false),
        // Only the square of the most negative number is too large.
        None => (i64::MAX >> up, true),
    }
}

/// The upper half of each sum or difference.
fn narrowing_high(s: Shape, a: u128, b: u128, f: impl Fn(u64, u64) -> u64, rounding: Rounding) -> u128 {
    let (wide, bits) = (s.lane.wider(), s.lane.bits().min(32));
    map(s, |i| {
        f(lane(a, wide, i), lane(b, wide, i)).wrapping_add(rounding.half_unit(bits)) >> bits
    })
}

/// Product of polynomials over {0, 1}.
fn carryless_product(x: u64, y: u64) -> u128 {
    (0..64).fold(0, |sum, bit| {
        // The bit of `y` stretched to a mask.
        let chosen = u128::from(y >> bit & 1).wrapping_neg();
        sum ^ (u128::from(x) << bit & chosen)
    })
}

fn polynomial_long(s: Shape, a: u128, b: u128) -> u128 {
    let half = s.lane.narrower();
    if s.lane == Lane::Q {
        return carryless_product(a as u64, b as u64);
    }
    map(s, |i| {
        carryless_product(lane(a, half, i), lane(b, half, i)) as u64
    })
}
