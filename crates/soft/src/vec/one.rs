//! One-operand operations.

use super::lanes::{
    lane, map, map_saturating, map_true, saturate_signed, saturate_signed_to_unsigned, saturate_unsigned,
    shape_mask, signed_lane, signed_limit,
};
use super::{aes, estimate};
use guest::FpEnv;
use semantics::ops::{Lane, Shape, Vec1};

/// Body of [`semantics::ops::VectorOps::vec1`].
pub fn vec1(op: Vec1, s: Shape, a: u128, env: &mut FpEnv) -> u128 {
    let unsigned = |i| lane(a, s.lane, i);
    let signed = |i| signed_lane(a, s.lane, i);
    let bits = s.lane.bits();
    let (half, wide) = (s.lane.narrower(), s.lane.wider());
    match op {
        Vec1::Mov => a & shape_mask(s),
        Vec1::HighHalf => a >> 64,
        Vec1::Not => !a & shape_mask(s),
        Vec1::Neg => map(s, |i| unsigned(i).wrapping_neg()),
        Vec1::Abs => map(s, |i| signed(i).unsigned_abs()),
        // A lane has `64 - bits` leading zeros more as a u64.
        Vec1::Clz => map(s, |i| u64::from(unsigned(i).leading_zeros() + bits - 64)),
        Vec1::Cls => map(s, |i| u64::from(leading_sign_bits(signed(i)) + bits - 64)),
        Vec1::Cnt => map(s, |i| u64::from(unsigned(i).count_ones())),
        Vec1::Rbit => map(bytes(s), |i| {
            u64::from((lane(a, Lane::B, i) as u8).reverse_bits())
        }),
        Vec1::Rev16 => reverse_within(s, a, Lane::H),
        Vec1::Rev32 => reverse_within(s, a, Lane::S),
        Vec1::Rev64 => reverse_within(s, a, Lane::D),
        Vec1::SqAbs => map_saturating(s, env, |i| match signed(i) {
            x if x < 0 => negate_saturating(x, s.lane),
            x => (x as u64, false),
        }),
        Vec1::SqNeg => map_saturating(s, env, |i| negate_saturating(signed(i), s.lane)),
        Vec1::Xtn => map(s, |i| lane(a, wide, i)),
        Vec1::SqXtn => map_saturating(s, env, |i| saturate_signed(signed_lane(a, wide, i), s.lane)),
        Vec1::UqXtn => map_saturating(s, env, |i| saturate_unsigned(lane(a, wide, i), s.lane)),
        Vec1::SqXtun => map_saturating(s, env, |i| {
            saturate_signed_to_unsigned(signed_lane(a, wide, i), s.lane)
        }),
        Vec1::Sxtl => map(s, |i| signed_lane(a, half, i) as u64),
        Vec1::Uxtl => map(s, |i| lane(a, half, i)),
        Vec1::Saddlp => map(s, |i| {
            (signed_lane(a, half, 2 * i) + signed_lane(a, half, 2 * i + 1)) as u64
        }),
        Vec1::Uaddlp => map(s, |i| lane(a, half, 2 * i) + lane(a, half, 2 * i + 1)),
        Vec1::Addv => lane_zero(s.lane, (0..s.lanes()).map(unsigned).fold(0, u64::wrapping_add)),
        Vec1::Smaxv => lane_zero(s.lane, (0..s.lanes()).map(signed).fold(i64::MIN, i64::max) as u64),
        Vec1::Sminv => lane_zero(s.lane, (0..s.lanes()).map(signed).fold(i64::MAX, i64::min) as u64),
        Vec1::Umaxv => lane_zero(s.lane, (0..s.lanes()).map(unsigned).fold(0, u64::max)),
        Vec1::Uminv => lane_zero(s.lane, (0..s.lanes()).map(unsigned).fold(u64::MAX, u64::min)),
        Vec1::Saddlv => lane_zero(wide, (0..s.lanes()).map(signed).fold(0, i64::wrapping_add) as u64),
        Vec1::Uaddlv => lane_zero(wide, (0..s.lanes()).map(unsigned).fold(0, u64::wrapping_add)),
        Vec1::Urecpe => map(s, |i| u64::from(estimate::urecpe(unsigned(i) as u32))),
        Vec1::Ursqrte => map(s, |i| u64::from(estimate::ursqrte(unsigned(i) as u32))),
        Vec1::CmEqZero => map_true(s, |i| signed(i) == 0),
        Vec1::CmGtZero => map_true(s, |i| signed(i) > 0),
        Vec1::CmGeZero => map_true(s, |i| signed(i) >= 0),
        Vec1::CmLeZero => map_true(s, |i| signed(i) <= 0),
        Vec1::CmLtZero => map_true(s, |i| signed(i) < 0),
        Vec1::AesMc => aes::mix_columns(a),
        Vec1::AesImc => aes::inverse_mix_columns(a),
        Vec1::Sha1H => u128::from((a as u32).rotate_left(30)),
    }
}

const fn bytes(s: Shape) -> Shape {
    Shape::new(Lane::B, s.span)
}

/// `value` in lane 0, the rest zero.
fn lane_zero(size: Lane, value: u64) -> u128 {
    map(Shape::scalar(size), |_| value)
}

/// Bits equal to the sign bit below it, of 64.
const fn leading_sign_bits(x: i64) -> u32 {
    // XOR with the sign makes the sign bits leading zeros; the sign itself does not count.
    (x ^ (x >> 63)).leading_zeros() - 1
}

/// Reverses the order of the lanes within each part of the register.
fn reverse_within(s: Shape, a: u128, part: Lane) -> u128 {
    let last = (part.bytes() / s.lane.bytes()).max(1) - 1;
    map(s, |i| lane(a, s.lane, i ^ last))
}

fn negate_saturating(x: i64, size: Lane) -> (u64, bool) {
    if x as u64 == signed_limit(-1, size) {
        (signed_limit(1, size), true)
    } else {
        (-x as u64, false)
    }
}
