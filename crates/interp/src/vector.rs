//! Vector operations of the interpreter.

use crate::Player;
use semantics::ops::{Cond, Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift, VectorOps, Width};

impl VectorOps for Player<'_> {
    fn vec_imm(&mut self, value: u128) -> u128 {
        value
    }
    fn vec1(&mut self, op: Vec1, s: Shape, a: u128) -> u128 {
        soft::vec1(op, s, a, &mut self.state.fp)
    }
    fn vec2(&mut self, op: Vec2, s: Shape, a: u128, b: u128) -> u128 {
        soft::vec2(op, s, a, b, &mut self.state.fp)
    }
    fn vec3(&mut self, op: Vec3, s: Shape, a: u128, b: u128, c: u128) -> u128 {
        soft::vec3(op, s, a, b, c, &mut self.state.fp)
    }
    fn vec_shift(&mut self, op: VecShift, s: Shape, acc: u128, a: u128, amount: u8) -> u128 {
        soft::vec_shift(op, s, acc, a, amount, &mut self.state.fp)
    }
    fn vec_dup_lane(&mut self, s: Shape, a: u128, index: u8) -> u128 {
        soft::dup_lane(s, soft::lane(a, s.lane, usize::from(index)))
    }
    fn vec_dup(&mut self, s: Shape, value: u64) -> u128 {
        soft::dup_lane(s, value)
    }
    fn vec_set_lane(&mut self, lane: Lane, dst: u128, index: u8, value: u64) -> u128 {
        soft::set_lane(dst, lane, usize::from(index), value)
    }
    fn vec_copy_lane(&mut self, lane: Lane, dst: u128, to: u8, src: u128, from: u8) -> u128 {
        soft::set_lane(
            dst,
            lane,
            usize::from(to),
            soft::lane(src, lane, usize::from(from)),
        )
    }
    fn vec_get_lane(&mut self, lane: Lane, a: u128, index: u8, signed: Option<Width>) -> u64 {
        match signed {
            None => soft::lane(a, lane, usize::from(index)),
            Some(w) => soft::cut(w, soft::signed_lane(a, lane, usize::from(index)) as u64),
        }
    }
    fn vec_ext(&mut self, s: Span, lo: u128, hi: u128, index: u8) -> u128 {
        soft::vec_ext(s, lo, hi, index)
    }
    fn vec_table(&mut self, s: Span, table: &[u128], indices: u128, fallback: Option<u128>) -> u128 {
        soft::vec_table(s, table, indices, fallback)
    }
    fn vec_select(&mut self, cond: Cond, a: u128, b: u128) -> u128 {
        if self.holds(cond) { a } else { b }
    }
}
