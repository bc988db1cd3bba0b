//! Advanced SIMD floating point (Arm ARM C4.1.97): `asimd_fp.isa`.
//!
//! Vector forms differ from scalar ones only in the shape of the operation; what is not
//! computed becomes zero.

use crate::Ops;
use crate::ops::{Fp1, Fp2, Fp3, FpToInt, IntToFp, Lane, Shape, Span, Vec1, Vec2};
use crate::simd::Element;
use crate::translate::Translate;
use a64_isa::asimd_fp::*;
use a64_isa::{AsimdFp, imm};

/// Singles or doubles.
const fn lane(sz: bool) -> Lane {
    if sz { Lane::D } else { Lane::S }
}

pub(crate) const fn fp_vector(sz: bool, q: bool) -> Shape {
    Shape::vector(lane(sz), q)
}

pub(crate) const fn fp_scalar(sz: bool) -> Shape {
    Shape::scalar(lane(sz))
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn asimd_fp1(&mut self, op: Fp1, s: Shape, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.fp1(op, s, a);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_fp2(&mut self, op: Fp2, s: Shape, rm: u8, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.0.v(rm));
        let result = self.0.fp2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    /// FMLA and FMLS of three registers: the destination is the addend.
    pub(crate) fn asimd_fp3(&mut self, op: Fp3, s: Shape, rm: u8, rn: u8, rd: u8) {
        let (addend, a, b) = (self.0.v(rd), self.0.v(rn), self.0.v(rm));
        let result = self.0.fp3(op, s, addend, a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_fp2_element(&mut self, op: Fp2, element: Element, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.repeated(element));
        let result = self.0.fp2(op, element.shape(), a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_fp3_element(&mut self, op: Fp3, element: Element, rn: u8, rd: u8) {
        let (addend, a, b) = (self.0.v(rd), self.0.v(rn), self.repeated(element));
        let result = self.0.fp3(op, element.shape(), addend, a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_fp_to_int(&mut self, how: FpToInt, s: Shape, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec_fp_to_int(how, s, a);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_int_to_fp(&mut self, how: IntToFp, s: Shape, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec_int_to_fp(how, s, a);
        self.0.set_v(rd, result);
    }

    /// FCVTN and FCVTXN to `lane`s: to the low half of the destination, which zeroes the upper
    /// one, or ("2" forms, `q`) to the upper half, which keeps the low one.
    pub(crate) fn asimd_fp_narrow(&mut self, op: Fp1, lane: Lane, q: bool, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let low = self.0.fp1(op, Shape::new(lane, Span::Half), a);
        let result = if q {
            let old = self.0.v(rd);
            self.0.vec2(Vec2::JoinLow, Shape::new(lane, Span::Full), old, low)
        } else {
            low
        };
        self.0.set_v(rd, result);
    }
}

impl<O: Ops> AsimdFp for Translate<'_, O> {
    fn fcvtn_vec(&mut self, i: FcvtnVec) {
        let (op, lane) = if i.sz {
            (Fp1::CvtDS, Lane::S)
        } else {
            (Fp1::CvtSH, Lane::H)
        };
        self.asimd_fp_narrow(op, lane, i.q, i.rn, i.rd);
    }
    fn fcvtl_vec(&mut self, i: FcvtlVec) {
        let op = if i.sz { Fp1::CvtSD } else { Fp1::CvtHS };
        let mut a = self.0.v(i.rn);
        if i.q {
            a = self.0.vec1(Vec1::HighHalf, Shape::new(Lane::D, Span::Full), a);
        }
        let result = self.0.fp1(op, fp_vector(i.sz, true), a);
        self.0.set_v(i.rd, result);
    }

    fn fmov_vec(&mut self, i: FmovVec) {
        let half = imm::simd_imm(i.sz, 0b1111, i.abc << 5 | i.defgh);
        let upper = if i.q { u128::from(half) << 64 } else { 0 };
        let result = self.0.vec_imm(upper | u128::from(half));
        self.0.set_v(i.rd, result);
    }
}
