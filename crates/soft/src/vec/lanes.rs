//! Lane access and the loops the bodies are written with.

use guest::FpEnv;
use semantics::ops::{Lane, Shape};

/// Bits of a lane, as the low bits of a 64-bit value.
pub(super) const fn lane_mask(lane: Lane) -> u64 {
    match lane {
        Lane::B => 0xff,
        Lane::H => 0xffff,
        Lane::S => 0xffff_ffff,
        Lane::D | Lane::Q => u64::MAX,
    }
}

/// Bits an operation of this shape computes.
pub(super) const fn shape_mask(s: Shape) -> u128 {
    u128::MAX >> (128 - s.bits())
}

/// Lane `index` of `v`, zero-extended (of a Q lane: its low 64 bits).
#[must_use]
pub const fn lane(v: u128, lane: Lane, index: usize) -> u64 {
    (v >> ((index as u32 * lane.bits()) & 127)) as u64 & lane_mask(lane)
}

/// Lane `index` of `v`, sign-extended.
#[must_use]
pub const fn signed_lane(v: u128, size: Lane, index: usize) -> i64 {
    let up = spare_bits(size);
    ((lane(v, size, index) << up) as i64) >> up
}

/// `v` with lane `index` replaced by the low bits of `value`.
#[must_use]
pub const fn set_lane(v: u128, lane: Lane, index: usize, value: u64) -> u128 {
    let at = (index as u32 * lane.bits()) & 127;
    let mask = lane_mask(lane) as u128;
    v & !(mask << at) | ((value as u128) & mask) << at
}

/// All lanes of the shape become the low bits of `value`.
#[must_use]
pub fn dup_lane(s: Shape, value: u64) -> u128 {
    map(s, |_| value)
}

/// Bits by which a lane is shorter than 64. Shifting a lane up by as many makes
/// the overflow of 64-bit arithmetic that of the lane.
pub(super) const fn spare_bits(lane: Lane) -> u32 {
    64u32.saturating_sub(lane.bits())
}

/// Builds a vector from a function of the lane's index.
#[inline]
pub(super) fn map(s: Shape, mut f: impl FnMut(usize) -> u64) -> u128 {
    let mask = lane_mask(s.lane);
    (0..s.lanes()).fold(0, |v, i| {
        v | u128::from(f(i) & mask) << (i as u32 * s.lane.bits())
    })
}

/// As [`map`] with a function that says whether the lane saturated, which sets FPSR.QC.
#[inline]
pub(super) fn map_saturating(s: Shape, env: &mut FpEnv, mut f: impl FnMut(usize) -> (u64, bool)) -> u128 {
    let mut any = false;
    let v = map(s, |i| {
        let (value, saturated) = f(i);
        any |= saturated;
        value
    });
    if any {
        env.fpsr |= FpEnv::FPSR_QC;
    }
    v
}

/// All ones where the condition holds.
#[inline]
pub(super) fn map_true(s: Shape, mut f: impl FnMut(usize) -> bool) -> u128 {
    map(s, |i| if f(i) { u64::MAX } else { 0 })
}

/// `value` saturated to a signed lane.
pub(super) fn saturate_signed(value: i64, lane: Lane) -> (u64, bool) {
    let up = spare_bits(lane);
    let clamped = value.clamp(i64::MIN >> up, i64::MAX >> up);
    (clamped as u64, clamped != value)
}

/// `value` saturated to an unsigned lane.
pub(super) fn saturate_unsigned(value: u64, lane: Lane) -> (u64, bool) {
    let clamped = value.min(lane_mask(lane));
    (clamped, clamped != value)
}

/// A signed `value` saturated to an unsigned lane.
pub(super) fn saturate_signed_to_unsigned(value: i64, lane: Lane) -> (u64, bool) {
    match u64::try_from(value) {
        Ok(value) => saturate_unsigned(value, lane),
        Err(_) => (0, true),
    }
}

/// The limit of a signed lane in the direction of `sign`.
pub(super) const fn signed_limit(sign: i64, lane: Lane) -> u64 {
    let limit = if sign < 0 { i64::MIN } else { i64::MAX };
    (limit >> spare_bits(lane)) as u64
}
