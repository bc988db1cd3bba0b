//! Operations that only move bytes.

use super::lanes::{lane, map};
use semantics::ops::{Lane, Shape, Span};

/// Body of [`semantics::ops::VectorOps::vec_ext`].
#[must_use]
pub fn vec_ext(span: Span, lo: u128, hi: u128, index: u8) -> u128 {
    let s = Shape::new(Lane::B, span);
    let n = s.lanes();
    let byte = |at| {
        if at < n {
            lane(lo, Lane::B, at)
        } else {
            lane(hi, Lane::B, at - n)
        }
    };
    map(s, |i| byte(i + usize::from(index) % n))
}

/// Body of [`semantics::ops::VectorOps::vec_table`].
#[must_use]
pub fn vec_table(span: Span, table: &[u128], indices: u128, fallback: Option<u128>) -> u128 {
    let s = Shape::new(Lane::B, span);
    map(s, |i| {
        let index = lane(indices, Lane::B, i) as usize;
        match table.get(index / 16) {
            Some(&register) => lane(register, Lane::B, index % 16),
            None => lane(fallback.unwrap_or(0), Lane::B, i),
        }
    })
}

/// Lanes of one half (0 or 1) of `a` and `b` in turn.
pub(super) fn zip(s: Shape, a: u128, b: u128, half: usize) -> u128 {
    let from = half * s.lanes() / 2;
    map(s, |i| lane(if i % 2 == 0 { a } else { b }, s.lane, from + i / 2))
}

/// Even (0) or odd (1) lanes of `a`, then of `b`.
pub(super) fn unzip(s: Shape, a: u128, b: u128, odd: usize) -> u128 {
    let n = s.lanes();
    map(s, |i| match 2 * i + odd {
        at if at < n => lane(a, s.lane, at),
        at => lane(b, s.lane, at - n),
    })
}

/// Even (0) or odd (1) lanes of `a` in the even lanes, those of `b` in the odd ones.
pub(super) fn transpose(s: Shape, a: u128, b: u128, odd: usize) -> u128 {
    map(s, |i| {
        lane(if i % 2 == 0 { a } else { b }, s.lane, (i & !1) + odd)
    })
}
