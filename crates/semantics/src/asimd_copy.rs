//! Advanced SIMD instructions that move lanes and bytes: copy, permute, extract,
//! table lookup; and the modified immediates (Arm ARM C4.1): `asimd_copy.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Span, Vec2, Width};
use crate::simd::{bits, vector};
use a64_isa::asimd_copy::*;
use a64_isa::{AsimdCopy, imm, simd};

/// The lane size and index in `imm5`.
pub(crate) const fn lane_index(imm5: u8) -> (Lane, u8) {
    (Lane::from_log2(simd::lane_size(imm5)), simd::lane_index(imm5))
}

/// `Vd = op(Vn, Vm)`, lane by lane.
macro_rules! permutations {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary(Vec2::$op, vector(i.size, i.q), i.rm, i.rn, i.rd);
        })*
    };
}

/// What a modified immediate does to the destination.
#[derive(Clone, Copy)]
enum Modify {
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

/// Modified immediates: `op` and `cmode` as AdvSIMDExpandImm takes them.
macro_rules! immediates {
    ($($name:ident: $row:ident = $how:ident, |$i:ident| ($op:literal, $cmode:expr);)*) => {
        $(fn $name(&mut self, $i: $row) {
            let constant = imm::simd_imm($op, $cmode, $i.abc << 5 | $i.defgh);
            self.modified_immediate(Modify::$how, constant, $i.q, $i.rd);
        })*
    };
}

impl<O: Ops> Translate<'_, O> {
    fn modified_immediate(&mut self, how: Modify, constant: u64, q: bool, rd: u8) {
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
    permutations! {
        zip1: Zip1 = Zip1;
        zip2: Zip2 = Zip2;
        uzp1: Uzp1 = Uzp1;
        uzp2: Uzp2 = Uzp2;
        trn1: Trn1 = Trn1;
        trn2: Trn2 = Trn2;
    }

    immediates! {
        movi_word: MoviWord = Move, |i| (false, i.shift << 1);
        movi_half: MoviHalf = Move, |i| (false, 0b1000 | u8::from(i.shift) << 1);
        movi_ones: MoviOnes = Move, |i| (false, 0b1100 | u8::from(i.shift));
        movi_byte: MoviByte = Move, |i| (false, 0b1110);
        movi_mask: MoviMask = Move, |i| (true, 0b1110);
        mvni_word: MvniWord = MoveNot, |i| (true, i.shift << 1);
        mvni_half: MvniHalf = MoveNot, |i| (true, 0b1000 | u8::from(i.shift) << 1);
        mvni_ones: MvniOnes = MoveNot, |i| (true, 0b1100 | u8::from(i.shift));
        orr_imm_word: OrrImmWord = Or, |i| (false, i.shift << 1);
        orr_imm_half: OrrImmHalf = Or, |i| (false, 0b1000 | u8::from(i.shift) << 1);
        bic_imm_word: BicImmWord = Clear, |i| (true, i.shift << 1);
        bic_imm_half: BicImmHalf = Clear, |i| (true, 0b1000 | u8::from(i.shift) << 1);
    }

    fn dup_elem(&mut self, i: DupElem) {
        let (lane, index) = lane_index(i.imm5);
        let a = self.0.v(i.rn);
        let result = self.0.vec_dup_lane(Shape::vector(lane, i.q), a, index);
        self.0.set_v(i.rd, result);
    }

    fn dup_general(&mut self, i: DupGeneral) {
        let (lane, _) = lane_index(i.imm5);
        let value = self.0.x(i.rn);
        let result = self.0.vec_dup(Shape::vector(lane, i.q), value);
        self.0.set_v(i.rd, result);
    }

    fn smov(&mut self, i: Smov) {
        let (lane, index) = lane_index(i.imm5);
        let a = self.0.v(i.rn);
        let value = self.0.vec_get_lane(lane, a, index, Some(Width::from_sf(i.q)));
        self.0.set_x(i.rd, value);
    }

    fn umov(&mut self, i: Umov) {
        let (lane, index) = lane_index(i.imm5);
        let a = self.0.v(i.rn);
        let value = self.0.vec_get_lane(lane, a, index, None);
        self.0.set_x(i.rd, value);
    }

    fn ins_general(&mut self, i: InsGeneral) {
        let (lane, index) = lane_index(i.imm5);
        let value = self.0.x(i.rn);
        let old = self.0.v(i.rd);
        let result = self.0.vec_set_lane(lane, old, index, value);
        self.0.set_v(i.rd, result);
    }

    fn ins_elem(&mut self, i: InsElem) {
        let (lane, to) = lane_index(i.imm5);
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
