//! Shifts, by an immediate and by a register.

use super::lanes::{
    lane, lane_mask, map, map_saturating, saturate_signed, saturate_signed_to_unsigned, saturate_unsigned,
    signed_lane, signed_limit, spare_bits,
};
use guest::FpEnv;
use semantics::ops::{Lane, Shape, VecShift};

/// Body of [`semantics::ops::VectorOps::vec_shift`].
pub fn vec_shift(op: VecShift, s: Shape, acc: u128, a: u128, amount: u8, env: &mut FpEnv) -> u128 {
    let n = u32::from(amount);
    let (half, wide) = (s.lane.narrower(), s.lane.wider());
    let unsigned = |i| lane(a, s.lane, i);
    let signed = |i| signed_lane(a, s.lane, i);
    let wide_unsigned = |i| lane(a, wide, i);
    let wide_signed = |i| signed_lane(a, wide, i);
    match op {
        VecShift::Shl => map(s, |i| left(unsigned(i), n)),
        VecShift::Sshr => map(s, |i| right_signed(signed(i), n) as u64),
        VecShift::Ushr => map(s, |i| right(unsigned(i), n)),
        VecShift::Srshr => map(s, |i| right_rounding_signed(signed(i), n) as u64),
        VecShift::Urshr => map(s, |i| right_rounding(unsigned(i), n)),
        VecShift::Sli => map(s, |i| {
            let kept = !left(u64::MAX, n);
            left(unsigned(i), n) | lane(acc, s.lane, i) & kept
        }),
        VecShift::Sri => map(s, |i| {
            let kept = !right(lane_mask(s.lane), n);
            right(unsigned(i), n) | lane(acc, s.lane, i) & kept
        }),
        VecShift::SqShl => map_saturating(s, env, |i| left_saturating_signed(s.lane, signed(i), n)),
        VecShift::UqShl => map_saturating(s, env, |i| left_saturating(s.lane, unsigned(i), n)),
        VecShift::SqShlu => map_saturating(s, env, |i| match signed(i) {
            x if x < 0 => (0, true),
            x => left_saturating(s.lane, x as u64, n),
        }),
        VecShift::Shrn => map(s, |i| right(wide_unsigned(i), n)),
        VecShift::Rshrn => map(s, |i| right_rounding(wide_unsigned(i), n)),
        VecShift::SqShrn => map_saturating(s, env, |i| {
            saturate_signed(right_signed(wide_signed(i), n), s.lane)
        }),
        VecShift::SqRshrn => map_saturating(s, env, |i| {
            saturate_signed(right_rounding_signed(wide_signed(i), n), s.lane)
        }),
        VecShift::UqShrn => map_saturating(s, env, |i| saturate_unsigned(right(wide_unsigned(i), n), s.lane)),
        VecShift::UqRshrn => map_saturating(s, env, |i| {
            saturate_unsigned(right_rounding(wide_unsigned(i), n), s.lane)
        }),
        VecShift::SqShrun => map_saturating(s, env, |i| {
            saturate_signed_to_unsigned(right_signed(wide_signed(i), n), s.lane)
        }),
        VecShift::SqRshrun => map_saturating(s, env, |i| {
            saturate_signed_to_unsigned(right_rounding_signed(wide_signed(i), n), s.lane)
        }),
        VecShift::Sshll => map(s, |i| left(signed_lane(a, half, i) as u64, n)),
        VecShift::Ushll => map(s, |i| left(lane(a, half, i), n)),
        VecShift::Ror => map(s, |i| unsigned(i).rotate_right(n)),
    }
}

// Amounts may be anything up to 128: the register forms take a signed byte.

fn left(x: u64, n: u32) -> u64 {
    x.checked_shl(n).unwrap_or(0)
}

fn right(x: u64, n: u32) -> u64 {
    x.checked_shr(n).unwrap_or(0)
}

fn right_signed(x: i64, n: u32) -> i64 {
    x >> n.min(63)
}

/// Adds the last bit shifted out, which rounds without an overflow in between.
fn right_rounding(x: u64, n: u32) -> u64 {
    match n {
        0 => x,
        n => right(x, n) + (right(x, n - 1) & 1),
    }
}

fn right_rounding_signed(x: i64, n: u32) -> i64 {
    match n {
        0 => x,
        n => right_signed(x, n) + (right_signed(x, n - 1) & 1),
    }
}

fn left_saturating(size: Lane, x: u64, n: u32) -> (u64, bool) {
    let up = spare_bits(size);
    let top = x << up;
    if right(left(top, n), n) == top {
        (left(x, n), false)
    } else {
        (u64::MAX, true)
    }
}

fn left_saturating_signed(size: Lane, x: i64, n: u32) -> (u64, bool) {
    let up = spare_bits(size);
    let top = x << up;
    let shifted = left(top as u64, n) as i64;
    // Nothing is left of `x` from 64 on, not even the sign.
    if right_signed(shifted, n) == top && (n < 64 || x == 0) {
        ((shifted >> up) as u64, false)
    } else {
        (signed_limit(x, size), true)
    }
}

/// SSHL: to the left, or to the right where the amount is negative.
pub(super) fn by_signed(x: i64, amount: i8) -> i64 {
    if amount < 0 {
        right_signed(x, u32::from(amount.unsigned_abs()))
    } else {
        left(x as u64, u32::from(amount.unsigned_abs())) as i64
    }
}

/// USHL.
pub(super) fn by_unsigned(x: u64, amount: i8) -> u64 {
    let n = u32::from(amount.unsigned_abs());
    if amount < 0 { right(x, n) } else { left(x, n) }
}

/// SRSHL.
pub(super) fn by_rounding_signed(x: i64, amount: i8) -> i64 {
    if amount < 0 {
        right_rounding_signed(x, u32::from(amount.unsigned_abs()))
    } else {
        by_signed(x, amount)
    }
}

/// URSHL.
pub(super) fn by_rounding_unsigned(x: u64, amount: i8) -> u64 {
    if amount < 0 {
        right_rounding(x, u32::from(amount.unsigned_abs()))
    } else {
        by_unsigned(x, amount)
    }
}

/// SQSHL and SQRSHL.
pub(super) fn by_saturating_signed(size: Lane, (x, y): (i64, i64), rounding: Rounding) -> (u64, bool) {
    let amount = y as i8;
    if amount >= 0 {
        return left_saturating_signed(size, x, u32::from(amount.unsigned_abs()));
    }
    let shifted = match rounding {
        Rounding::Down => by_signed(x, amount),
        Rounding::Nearest => by_rounding_signed(x, amount),
    };
    (shifted as u64, false)
}

/// UQSHL and UQRSHL.
pub(super) fn by_saturating_unsigned(size: Lane, (x, y): (u64, u64), rounding: Rounding) -> (u64, bool) {
    let amount = y as i8;
    if amount >= 0 {
        return left_saturating(size, x, u32::from(amount.unsigned_abs()));
    }
    let shifted = match rounding {
        Rounding::Down => by_unsigned(x, amount),
        Rounding::Nearest => by_rounding_unsigned(x, amount),
    };
    (shifted, false)
}

/// What becomes of bits shifted out to the right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    Nearest,
}

impl Rounding {
    /// What to add before `bits` are shifted out.
    pub(super) const fn half_unit(self, bits: u32) -> u64 {
        match self {
            Rounding::Down => 0,
            Rounding::Nearest => 1 << (bits - 1),
        }
    }
}
