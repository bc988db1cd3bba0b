//! Sums, products and differences that take several instructions.

use super::Lower;
use super::{
    ADD, MAX_CONST, SHIFT_ARITHMETIC, SHIFT_BYTES_RIGHT, SHIFT_LEFT, SHIFT_RIGHT, SIGN_CONST, SIGN_WIDEN,
    SMAX, SMIN, SUB, UMAX, UMIN, ZERO_WIDEN, by_lane,
};
use crate::asm::Xmm;
use crate::asm::mem::Vex;
use crate::asm::sse::*;
use crate::const_offset;
use semantics::ops::{Lane, Shape, Vec1, Vec2};

impl Lower<'_> {
    /// Each byte's nibbles through two tables, combined.
    pub(super) fn nibbles(&mut self, d: Xmm, a: Xmm, low: i32, high: i32, combine: Vex) {
        let (t, table) = (self.scratch(), self.scratch());
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, a, 4);
        self.asm.v3_state(VPAND, t, t, const_offset!(nibble));
        self.asm.v3_state(VPAND, d, a, const_offset!(nibble));
        self.load_const(table, low);
        self.asm.v3(VPSHUFB, d, table, d);
        if high != low {
            self.load_const(table, high);
        }
        self.asm.v3(VPSHUFB, t, table, t);
        self.asm.v3(combine, d, d, t);
        self.done_with(t);
        self.done_with(table);
    }

    pub(super) fn add_pairs_long(&mut self, op: Vec1, lane: Lane, d: Xmm, a: Xmm) {
        match (op, lane) {
            (Vec1::Uaddlp, Lane::H) => self.asm.v3_state(VPMADDUBSW, d, a, const_offset!(byte_ones)),
            (_, Lane::H) => {
                self.load_const(d, const_offset!(byte_ones));
                self.asm.v3(VPMADDUBSW, d, d, a);
            }
            (Vec1::Saddlp, Lane::S) => self.asm.v3_state(VPMADDWD, d, a, const_offset!(half_ones)),
            (Vec1::Saddlp, _) => {
                let t = self.scratch();
                self.asm.v2i(VPSHUFD, d, a, 0x08);
                self.asm.v2i(VPSHUFD, t, a, 0x0d);
                self.asm.v2(VPMOVSXDQ, d, d);
                self.asm.v2(VPMOVSXDQ, t, t);
                self.asm.v3(VPADDQ, d, d, t);
                self.done_with(t);
            }
            _ => {
                let (shift, low) = if lane == Lane::S {
                    (VPSHIFT_D, const_offset!(low_half_s))
                } else {
                    (VPSHIFT_Q, const_offset!(low_word_d))
                };
                let t = self.scratch();
                self.asm
                    .vshift(shift, SHIFT_RIGHT, t, a, lane.narrower().bits() as u8);
                self.asm.v3_state(VPAND, d, a, low);
                self.three(ADD, lane, d, d, t);
                self.done_with(t);
            }
        }
    }

    /// Folds the register in halves until one lane is left.
    pub(super) fn across(&mut self, forms: [Option<Vex>; 4], s: Shape, d: Xmm, a: Xmm) {
        let t = self.scratch();
        let mut bytes = (s.bits() / 16) as u8;
        self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, t, a, bytes);
        self.three(forms, s.lane, d, a, t);
        bytes /= 2;
        while bytes as usize >= s.lane.bytes() {
            self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, t, d, bytes);
            self.three(forms, s.lane, d, d, t);
            bytes /= 2;
        }
        self.cut(Shape::scalar(s.lane), d);
    }

    pub(super) fn widen(&mut self, signed: bool, lane: Lane, d: Xmm, s: Xmm) {
        let forms = if signed { SIGN_WIDEN } else { ZERO_WIDEN };
        let form = by_lane(lane, forms).expect("only H, S and D are widened to");
        self.asm.v2(form, d, s);
    }

    /// Products of bytes: of the even ones in place, of the odd ones shifted down and up.
    pub(super) fn multiply_bytes(&mut self, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, a, 8);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, b, 8);
        self.asm.v3(VPMULLW, d, d, t);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, d, 8);
        self.asm.v3(VPMULLW, t, a, b);
        self.asm.v3_state(VPAND, t, t, const_offset!(low_byte_h));
        self.asm.v3(VPOR, d, d, t);
    }

    pub(super) fn multiply_long(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        match lane {
            Lane::H => {
                self.widen(signed, lane, d, a);
                self.widen(signed, lane, t, b);
                self.asm.v3(VPMULLW, d, d, t);
            }
            Lane::S => {
                self.asm.v3(VPMULLW, t, a, b);
                self.asm.v3(if signed { VPMULHW } else { VPMULHUW }, d, a, b);
                self.asm.v3(VPUNPCKLWD, d, t, d);
            }
            _ => {
                self.asm.v2i(VPSHUFD, d, a, 0x50);
                self.asm.v2i(VPSHUFD, t, b, 0x50);
                self.asm.v3(if signed { VPMULDQ } else { VPMULUDQ }, d, d, t);
            }
        }
    }

    pub(super) fn absolute_difference(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        self.three(if signed { SMAX } else { UMAX }, lane, d, a, b);
        self.three(if signed { SMIN } else { UMIN }, lane, t, a, b);
        self.three(SUB, lane, d, d, t);
    }

    /// SHADD, UHADD, SRHADD, URHADD, SHSUB, UHSUB. Bytes and halfwords by x86's rounded
    /// unsigned average: complements turn the rounding around, inverted sign bits make
    /// signed numbers unsigned ones.
    pub(super) fn halving(&mut self, op: Vec2, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        if lane == Lane::S {
            return self.halving_words(op, d, a, b);
        }
        let ones = [const_offset!(ones); 4];
        // What is inverted in both operands and in the average.
        let (in_a, in_b, in_result) = match op {
            Vec2::Uhadd => (Some(ones), ones, ones),
            Vec2::Shadd => (Some(MAX_CONST), MAX_CONST, MAX_CONST),
            Vec2::Shsub => (Some(SIGN_CONST), MAX_CONST, SIGN_CONST),
            Vec2::Uhsub => (None, ones, SIGN_CONST),
            _ => (Some(SIGN_CONST), SIGN_CONST, SIGN_CONST),
        };
        let average = if lane == Lane::B { VPAVGB } else { VPAVGW };
        self.with_const(VPXOR, lane, d, b, in_b);
        match in_a {
            Some(constants) => {
                let t = self.scratch();
                self.with_const(VPXOR, lane, t, a, constants);
                self.asm.v3(average, d, d, t);
                self.done_with(t);
            }
            None => self.asm.v3(average, d, d, a),
        }
        self.with_const(VPXOR, lane, d, d, in_result);
    }

    /// By way of the sum without carries, so that nothing overflows.
    fn halving_words(&mut self, op: Vec2, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        let kind = match op {
            Vec2::Shadd | Vec2::Srhadd | Vec2::Shsub => SHIFT_ARITHMETIC,
            _ => SHIFT_RIGHT,
        };
        self.asm.v3(VPXOR, d, a, b);
        self.asm.vshift(VPSHIFT_D, kind, d, d, 1);
        match op {
            Vec2::Shadd | Vec2::Uhadd => {
                self.asm.v3(VPAND, t, a, b);
                self.asm.v3(VPADDD, d, d, t);
            }
            Vec2::Shsub | Vec2::Uhsub => {
                self.asm.v3(VPANDN, t, a, b);
                self.asm.v3(VPSUBD, d, d, t);
            }
            _ => {
                self.asm.v3(VPOR, t, a, b);
                self.asm.v3(VPSUBD, d, t, d);
            }
        }
        self.done_with(t);
    }

    /// ADDHN, SUBHN, RADDHN, RSUBHN.
    pub(super) fn narrow_high(&mut self, op: Vec2, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let wide = lane.wider();
        let forms = match op {
            Vec2::Addhn | Vec2::Raddhn => ADD,
            _ => SUB,
        };
        self.three(forms, wide, d, a, b);
        if matches!(op, Vec2::Raddhn | Vec2::Rsubhn) {
            let add = by_lane(wide, ADD).expect("wide lanes are H, S or D");
            let half_unit = [
                0,
                const_offset!(half_unit_h),
                const_offset!(half_unit_s),
                const_offset!(half_unit_d),
            ];
            self.with_const(add, wide, d, d, half_unit);
        }
        self.narrow(lane, d, d, true);
    }
}
