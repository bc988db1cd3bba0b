//! Scalar floating point (Arm ARM C4.1.97): `fp.isa`.
//!
//! A scalar result zeroes the rest of its register, as every operation of a scalar shape does.

use crate::Ops;
use crate::ops::{Cond, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Vec1, Width};
use crate::translate::Translate;
use a64_isa::fp::{
    Fabs, Fadd, Fccmp, Fccmpe, Fcmp, FcmpZero, Fcmpe, FcmpeZero, Fcsel, Fcvt, FcvtasInt, FcvtauInt,
    FcvtmsInt, FcvtmuInt, FcvtnsInt, FcvtnuInt, FcvtpsInt, FcvtpuInt, FcvtzsFix, FcvtzsInt, FcvtzuFix,
    FcvtzuInt, Fdiv, Fmadd, Fmax, Fmaxnm, Fmin, Fminnm, FmovFromGpr, FmovFromGprTop, FmovImm, FmovReg,
    FmovToGpr, FmovToGprTop, Fmsub, Fmul, Fneg, Fnmadd, Fnmsub, Fnmul, Frinta, Frinti, Frintm, Frintn,
    Frintp, Frintx, Frintz, Fsqrt, Fsub, ScvtfFix, ScvtfInt, UcvtfFix, UcvtfInt,
};
use a64_isa::{Fp, imm};

/// The scalar shape of an `ftype` field.
pub(crate) fn shape(ftype: u8) -> Shape {
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
        let result = self.0.fp1(op, shape(ftype), a);
        self.0.set_v(rd, result);
    }

    pub(crate) fn fp_binary(&mut self, op: Fp2, ftype: u8, rm: u8, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.0.v(rm));
        let result = self.0.fp2(op, shape(ftype), a, b);
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

    pub(crate) fn fp_cond_compare(&mut self, how: NanCompare, i: Fccmp) {
        let (a, b) = (self.0.v(i.rn), self.0.v(i.rm));
        let size = FpSize::from_ftype(i.ftype);
        let signaling = how == NanCompare::Signaling;
        self.0
            .fp_cond_compare(size, signaling, Cond::from_bits(i.cond), a, b, i.nzcv);
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

/// One operand: method, argument struct, operation.
macro_rules! unary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.fp_unary(Fp1::$op, i.ftype, i.rn, i.rd);
        }
    )*};
}

macro_rules! binary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.fp_binary(Fp2::$op, i.ftype, i.rm, i.rn, i.rd);
        }
    )*};
}

macro_rules! fused {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let (addend, a, b) = (self.0.v(i.ra), self.0.v(i.rn), self.0.v(i.rm));
            let result = self.0.fp3(Fp3::$op, shape(i.ftype), addend, a, b);
            self.0.set_v(i.rd, result);
        }
    )*};
}

/// Conversions to integers: method, argument struct, signed, rounding.
macro_rules! to_integer {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.fp_to_gpr(how, i.sf, i.ftype, i.rn, i.rd);
        }
    )*};
}

impl<O: Ops> Fp for Translate<'_, O> {
    unary! {
        fabs(Fabs) = Abs;
        fneg(Fneg) = Neg;
        fsqrt(Fsqrt) = Sqrt;
        frintn(Frintn) = RintN;
        frintp(Frintp) = RintP;
        frintm(Frintm) = RintM;
        frintz(Frintz) = RintZ;
        frinta(Frinta) = RintA;
        frintx(Frintx) = RintX;
        frinti(Frinti) = RintI;
    }

    binary! {
        fmul(Fmul) = Mul;
        fdiv(Fdiv) = Div;
        fadd(Fadd) = Add;
        fsub(Fsub) = Sub;
        fmax(Fmax) = Max;
        fmin(Fmin) = Min;
        fmaxnm(Fmaxnm) = MaxNm;
        fminnm(Fminnm) = MinNm;
        fnmul(Fnmul) = Nmul;
    }

    fused! {
        fmadd(Fmadd) = MulAdd;
        fmsub(Fmsub) = MulSub;
        fnmadd(Fnmadd) = NegMulAdd;
        fnmsub(Fnmsub) = NegMulSub;
    }

    to_integer! {
        fcvtns_int(FcvtnsInt) = true, TieEven;
        fcvtnu_int(FcvtnuInt) = false, TieEven;
        fcvtas_int(FcvtasInt) = true, TieAway;
        fcvtau_int(FcvtauInt) = false, TieAway;
        fcvtps_int(FcvtpsInt) = true, PlusInf;
        fcvtpu_int(FcvtpuInt) = false, PlusInf;
        fcvtms_int(FcvtmsInt) = true, MinusInf;
        fcvtmu_int(FcvtmuInt) = false, MinusInf;
        fcvtzs_int(FcvtzsInt) = true, Zero;
        fcvtzu_int(FcvtzuInt) = false, Zero;
    }

    fn fcvtzs_fix(&mut self, i: FcvtzsFix) {
        let how = FpToInt {
            signed: true,
            rounding: Rounding::Zero,
            fbits: 64 - i.scale,
        };
        self.fp_to_gpr(how, i.sf, i.ftype, i.rn, i.rd);
    }
    fn fcvtzu_fix(&mut self, i: FcvtzuFix) {
        let how = FpToInt {
            signed: false,
            rounding: Rounding::Zero,
            fbits: 64 - i.scale,
        };
        self.fp_to_gpr(how, i.sf, i.ftype, i.rn, i.rd);
    }
    fn scvtf_int(&mut self, i: ScvtfInt) {
        self.gpr_to_fp(
            IntToFp {
                signed: true,
                fbits: 0,
            },
            i.sf,
            i.ftype,
            i.rn,
            i.rd,
        );
    }
    fn ucvtf_int(&mut self, i: UcvtfInt) {
        self.gpr_to_fp(
            IntToFp {
                signed: false,
                fbits: 0,
            },
            i.sf,
            i.ftype,
            i.rn,
            i.rd,
        );
    }
    fn scvtf_fix(&mut self, i: ScvtfFix) {
        self.gpr_to_fp(
            IntToFp {
                signed: true,
                fbits: 64 - i.scale,
            },
            i.sf,
            i.ftype,
            i.rn,
            i.rd,
        );
    }
    fn ucvtf_fix(&mut self, i: UcvtfFix) {
        self.gpr_to_fp(
            IntToFp {
                signed: false,
                fbits: 64 - i.scale,
            },
            i.sf,
            i.ftype,
            i.rn,
            i.rd,
        );
    }

    fn fcvt(&mut self, i: Fcvt) {
        let (from, to) = (FpSize::from_ftype(i.ftype), FpSize::from_ftype(i.opc));
        if let Some(op) = precision_change(from, to) {
            self.fp_unary(op, i.opc, i.rn, i.rd);
        }
    }

    fn fcmp(&mut self, i: Fcmp) {
        self.fp_compare(NanCompare::Quiet, i.ftype, i.rn, Comparand::Register(i.rm));
    }
    fn fcmpe(&mut self, i: Fcmpe) {
        self.fp_compare(NanCompare::Signaling, i.ftype, i.rn, Comparand::Register(i.rm));
    }
    fn fcmp_zero(&mut self, i: FcmpZero) {
        self.fp_compare(NanCompare::Quiet, i.ftype, i.rn, Comparand::Zero);
    }
    fn fcmpe_zero(&mut self, i: FcmpeZero) {
        self.fp_compare(NanCompare::Signaling, i.ftype, i.rn, Comparand::Zero);
    }
    fn fccmp(&mut self, i: Fccmp) {
        self.fp_cond_compare(NanCompare::Quiet, i);
    }
    fn fccmpe(&mut self, i: Fccmpe) {
        let Fccmpe {
            ftype,
            rm,
            cond,
            rn,
            nzcv,
        } = i;
        self.fp_cond_compare(
            NanCompare::Signaling,
            Fccmp {
                ftype,
                rm,
                cond,
                rn,
                nzcv,
            },
        );
    }

    fn fcsel(&mut self, i: Fcsel) {
        let (a, b) = (self.0.v(i.rn), self.0.v(i.rm));
        let chosen = self.0.vec_select(Cond::from_bits(i.cond), a, b);
        let result = self.0.vec1(Vec1::Mov, shape(i.ftype), chosen);
        self.0.set_v(i.rd, result);
    }

    fn fmov_reg(&mut self, i: FmovReg) {
        let a = self.0.v(i.rn);
        let result = self.0.vec1(Vec1::Mov, shape(i.ftype), a);
        self.0.set_v(i.rd, result);
    }
    fn fmov_imm(&mut self, i: FmovImm) {
        let bits = match FpSize::from_ftype(i.ftype) {
            FpSize::H => u128::from(imm::fp_imm_f16(i.imm8)),
            FpSize::S => u128::from(imm::fp_imm_f32(i.imm8)),
            FpSize::D => u128::from(imm::fp_imm_f64(i.imm8)),
        };
        let result = self.0.vec_imm(bits);
        self.0.set_v(i.rd, result);
    }
    fn fmov_to_gpr(&mut self, i: FmovToGpr) {
        let a = self.0.v(i.rn);
        let result = self
            .0
            .vec_get_lane(FpSize::from_ftype(i.sz.into()).lane(), a, 0, None);
        self.0.set_x(i.rd, result);
    }
    fn fmov_from_gpr(&mut self, i: FmovFromGpr) {
        let value = self.0.x(i.rn);
        let result = self.0.vec_dup(shape(i.sz.into()), value);
        self.0.set_v(i.rd, result);
    }
    fn fmov_to_gpr_top(&mut self, i: FmovToGprTop) {
        let a = self.0.v(i.rn);
        let result = self.0.vec_get_lane(Lane::D, a, 1, None);
        self.0.set_x(i.rd, result);
    }
    fn fmov_from_gpr_top(&mut self, i: FmovFromGprTop) {
        let (old, value) = (self.0.v(i.rd), self.0.x(i.rn));
        let result = self.0.vec_set_lane(Lane::D, old, 1, value);
        self.0.set_v(i.rd, result);
    }
}
