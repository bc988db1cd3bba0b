//! Advanced SIMD instructions that move lanes and bytes: copy, permute, extract,
//! table lookup; and the modified immediates (Arm ARM C4.1): `asimd_copy.isa`.

use crate::Translate;
use crate::ops::{Ops, Span, Vec2};
use crate::simd::{bits, copy_lane};
use a64_isa::AsimdCopy;
use a64_isa::asimd_copy::*;
use a64_isa::simd::lane_index;

/// What a modified immediate does to the destination.
#[derive(Clone, Copy)]
pub(crate) enum Modify {
    Move,
    MoveNot,
    Or,
    Clear,
}

/// 64 bits once or twice.
const fn repeat(constant: u64, q: bool) -> u128 {
    let low = constant as u128;
    if q { low << 64 | low } else { low }
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn modified_immediate(&mut self, how: Modify, constant: u64, q: bool, rd: u8) {
        let result = match how {
            Modify::Move => self.0.vec_imm(repeat(constant, q)),
            Modify::MoveNot => self.0.vec_imm(repeat(!constant, q)),
            Modify::Or => self.with_immediate(Vec2::Or, constant, q, rd),
            Modify::Clear => self.with_immediate(Vec2::Bic, constant, q, rd),
        };
        self.0.set_v(rd, result);
    }

    fn with_immediate(&mut self, op: Vec2, constant: u64, q: bool, rd: u8) -> O::Vector {
        let old = self.0.v(rd);
        let constant = self.0.vec_imm(repeat(constant, q));
        self.0.vec2(op, bits(q), old, constant)
    }

    /// TBL and TBX; `len` is the number of table registers less one.
    fn table_lookup(&mut self, q: bool, len: u8, rm: u8, rn: u8, fallback: Option<O::Vector>) -> O::Vector {
        let indices = self.0.v(rm);
        let table: [_; 4] = std::array::from_fn(|k| self.0.v((rn + k as u8 % (len + 1)) % 32));
        self.0
            .vec_table(Span::from_q(q), &table[..=usize::from(len)], indices, fallback)
    }
}

impl<O: Ops> AsimdCopy for Translate<'_, O> {
    fn ins_general(&mut self, i: InsGeneral) {
        let value = self.0.x(i.rn);
        let old = self.0.v(i.rd);
        let result = self
            .0
            .vec_set_lane(copy_lane(i.imm5), old, lane_index(i.imm5), value);
        self.0.set_v(i.rd, result);
    }

    fn ins_elem(&mut self, i: InsElem) {
        let (lane, to) = (copy_lane(i.imm5), lane_index(i.imm5));
        let from = i.imm4 >> lane as u8;
        let source = self.0.v(i.rn);
        let old = self.0.v(i.rd);
        let result = self.0.vec_copy_lane(lane, old, to, source, from);
        self.0.set_v(i.rd, result);
    }

    fn ext(&mut self, i: Ext) {
        let lo = self.0.v(i.rn);
        let hi = self.0.v(i.rm);
        let result = self.0.vec_ext(Span::from_q(i.q), lo, hi, i.imm4);
        self.0.set_v(i.rd, result);
    }

    fn tbl(&mut self, i: Tbl) {
        let result = self.table_lookup(i.q, i.len, i.rm, i.rn, None);
        self.0.set_v(i.rd, result);
    }

    fn tbx(&mut self, i: Tbx) {
        let old = self.0.v(i.rd);
        let result = self.table_lookup(i.q, i.len, i.rm, i.rn, Some(old));
        self.0.set_v(i.rd, result);
    }
}
