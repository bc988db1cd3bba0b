//! Scalar floating point (Arm ARM C4.1.97): `fp.isa`.
//!
//! A scalar result zeroes the rest of its register, as every operation of a scalar shape does.

use crate::Ops;
use crate::ops::{Cond, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Vec1, Width};
use crate::translate::Translate;
use a64_isa::fp::*;
use a64_isa::{Fp, imm};

/// The `ftype` of halves.
pub(crate) const FTYPE_H: u8 = 3;

/// The scalar shape of an `ftype` field.
pub(crate) fn fp_shape(ftype: u8) -> Shape {
    Shape::scalar(FpSize::from_ftype(ftype).lane())
}

/// The operation of FCVT. `None` between equal formats, which the table does not admit.
fn precision_change(from: FpSize, to: FpSize) -> Option<Fp1> {
    match (from, to) {
        (FpSize::H, FpSize::S) => Some(Fp1::CvtHS),
        (FpSize::H, FpSize::D) => Some(Fp1::CvtHD),
        (FpSize::S, FpSize::D) => Some(Fp1::CvtSD),
        (FpSize::S, FpSize::H) => Some(Fp1::CvtSH),
        (FpSize::D, FpSize::H) => Some(Fp1::CvtDH),
        (FpSize::D, FpSize::S) => Some(Fp1::CvtDS),
        (FpSize::H, FpSize::H) | (FpSize::S, FpSize::S) | (FpSize::D, FpSize::D) => None,
    }
}

/// A conversion to signed numbers with so many fraction bits.
pub(crate) const fn to_signed(rounding: Rounding, fbits: u8) -> FpToInt {
    FpToInt {
        signed: true,
        rounding,
        fbits,
    }
}

pub(crate) const fn to_unsigned(rounding: Rounding, fbits: u8) -> FpToInt {
    FpToInt {
        signed: false,
        rounding,
        fbits,
    }
}

/// A conversion from signed numbers with so many fraction bits.
pub(crate) const fn from_signed(fbits: u8) -> IntToFp {
    IntToFp { signed: true, fbits }
}

pub(crate) const fn from_unsigned(fbits: u8) -> IntToFp {
    IntToFp { signed: false, fbits }
}

/// The register that FMOV of a constant gives.
pub(crate) fn fp_constant(ftype: u8, imm8: u8) -> u128 {
    match FpSize::from_ftype(ftype) {
        FpSize::H => u128::from(imm::fp_imm_f16(imm8)),
        FpSize::S => u128::from(imm::fp_imm_f32(imm8)),
        FpSize::D => u128::from(imm::fp_imm_f64(imm8)),
    }
}

/// The second operand of FCMP and FCMPE.
pub(crate) enum Comparand {
    Register(u8),
    Zero,
}

/// When FCMP and FCCMP raise Invalid Operation for a NaN operand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NanCompare {
    /// Only for a signaling one.
    Quiet,
    /// For any (the E forms).
    Signaling,
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn fp_unary(&mut self, op: Fp1, ftype: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.fp1(op, fp_shape(ftype), a);
        self.0.set_v(rd, result);
    }

    pub(crate) fn fp_binary(&mut self, op: Fp2, ftype: u8, rm: u8, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.0.v(rm));
        let result = self.0.fp2(op, fp_shape(ftype), a, b);
        self.0.set_v(rd, result);
    }

    /// The fused products: `ra` is the addend.
    pub(crate) fn fp_fused(&mut self, op: Fp3, ftype: u8, ra: u8, rm: u8, rn: u8, rd: u8) {
        let (addend, a, b) = (self.0.v(ra), self.0.v(rn), self.0.v(rm));
        let result = self.0.fp3(op, fp_shape(ftype), addend, a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn fp_compare(&mut self, how: NanCompare, ftype: u8, rn: u8, with: Comparand) {
        let a = self.0.v(rn);
        let b = match with {
            Comparand::Register(rm) => self.0.v(rm),
            Comparand::Zero => self.0.vec_imm(0),
        };
        let signaling = how == NanCompare::Signaling;
        self.0.fp_compare(FpSize::from_ftype(ftype), signaling, a, b);
    }

    pub(crate) fn fp_cond_compare(
        &mut self,
        how: NanCompare,
        ftype: u8,
        rn: u8,
        rm: u8,
        cond: Cond,
        nzcv: u8,
    ) {
        let (a, b) = (self.0.v(rn), self.0.v(rm));
        let signaling = how == NanCompare::Signaling;
        self.0
            .fp_cond_compare(FpSize::from_ftype(ftype), signaling, cond, a, b, nzcv);
    }

    pub(crate) fn fp_select(&mut self, ftype: u8, cond: Cond, rm: u8, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.0.v(rm));
        let chosen = self.0.vec_select(cond, a, b);
        let result = self.0.vec1(Vec1::Mov, fp_shape(ftype), chosen);
        self.0.set_v(rd, result);
    }

    pub(crate) fn fp_to_gpr(&mut self, how: FpToInt, sf: bool, ftype: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self
            .0
            .fp_to_int(how, Width::from_sf(sf), FpSize::from_ftype(ftype), a);
        self.0.set_x(rd, result);
    }

    pub(crate) fn gpr_to_fp(&mut self, how: IntToFp, sf: bool, ftype: u8, rn: u8, rd: u8) {
        let value = self.0.x(rn);
        let result = self
            .0
            .int_to_fp(how, Width::from_sf(sf), FpSize::from_ftype(ftype), value);
        self.0.set_v(rd, result);
    }
}

impl<O: Ops> Fp for Translate<'_, O> {
    fn fcvt(&mut self, i: Fcvt) {
        let (from, to) = (FpSize::from_ftype(i.ftype), FpSize::from_ftype(i.opc));
        if let Some(op) = precision_change(from, to) {
            self.fp_unary(op, i.opc, i.rn, i.rd);
        }
    }

    fn fmov_from_gpr_top(&mut self, i: FmovFromGprTop) {
        let (old, value) = (self.0.v(i.rd), self.0.x(i.rn));
        let result = self.0.vec_set_lane(Lane::D, old, 1, value);
        self.0.set_v(i.rd, result);
    }
}
