//! Sums, products and differences that take several instructions.

use super::Lower;
use super::{
    SHIFT_BYTES_RIGHT, SHIFT_LEFT, SHIFT_RIGHT, SIGN_WIDEN, SMAX, SMIN, SUB, UMAX, UMIN, ZERO_WIDEN, by_lane,
};
use crate::asm::Xmm;
use crate::asm::mem::Vex;
use crate::asm::sse::*;
use crate::const_offset;
use semantics::ops::{Lane, Shape, Vec1};

impl Lower<'_> {
    /// Each byte's nibbles through two tables, combined.
    pub(super) fn nibbles(&mut self, d: Xmm, a: Xmm, low: i32, high: i32, combine: Vex) {
        let (t, table) = (self.vtemp(), self.vtemp());
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
    }

    pub(super) fn add_pairs_long(&mut self, op: Vec1, lane: Lane, d: Xmm, a: Xmm) {
        match (op, lane) {
            (Vec1::Uaddlp, Lane::H) => self.asm.v3_state(VPMADDUBSW, d, a, const_offset!(byte_ones)),
            (Vec1::Saddlp, Lane::H) => {
                self.load_const(d, const_offset!(byte_ones));
                self.asm.v3(VPMADDUBSW, d, d, a);
            }
            _ => self.asm.v3_state(VPMADDWD, d, a, const_offset!(half_ones)),
        }
    }

    /// Folds the register in halves until one lane is left.
    pub(super) fn across(&mut self, forms: [Option<Vex>; 4], s: Shape, d: Xmm, a: Xmm) {
        let t = self.vtemp();
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
        let t = self.vtemp();
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, a, 8);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, b, 8);
        self.asm.v3(VPMULLW, d, d, t);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, d, 8);
        self.asm.v3(VPMULLW, t, a, b);
        self.asm.v3_state(VPAND, t, t, const_offset!(low_byte_h));
        self.asm.v3(VPOR, d, d, t);
    }

    pub(super) fn multiply_long(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.vtemp();
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
        let t = self.vtemp();
        self.three(if signed { SMAX } else { UMAX }, lane, d, a, b);
        self.three(if signed { SMIN } else { UMIN }, lane, t, a, b);
        self.three(SUB, lane, d, d, t);
    }
}
