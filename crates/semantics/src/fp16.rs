//! Scalar floating point in half precision: `fp16.isa`, the rows of `fp.isa` for halves.

use crate::Ops;
use crate::fp::{Comparand, NanCompare, shape};
use crate::ops::{Cond, Fp1, Fp2, Fp3, FpToInt, IntToFp, Lane, Rounding, Vec1};
use crate::translate::Translate;
use a64_isa::fp::Fccmp;
use a64_isa::fp16::{
    FabsH, FaddH, FccmpH, FccmpeH, FcmpH, FcmpZeroH, FcmpeH, FcmpeZeroH, FcselH, FcvtasIntH, FcvtauIntH,
    FcvtmsIntH, FcvtmuIntH, FcvtnsIntH, FcvtnuIntH, FcvtpsIntH, FcvtpuIntH, FcvtzsFixH, FcvtzsIntH,
    FcvtzuFixH, FcvtzuIntH, FdivH, FmaddH, FmaxH, FmaxnmH, FminH, FminnmH, FmovFromGprH, FmovImmH, FmovRegH,
    FmovToGprH, FmsubH, FmulH, FnegH, FnmaddH, FnmsubH, FnmulH, FrintaH, FrintiH, FrintmH, FrintnH, FrintpH,
    FrintxH, FrintzH, FsqrtH, FsubH, ScvtfFixH, ScvtfIntH, UcvtfFixH, UcvtfIntH,
};
use a64_isa::{Fp16, imm};

/// The `ftype` of halves.
const HALF: u8 = 3;

/// One operand: method, argument struct, operation.
macro_rules! unary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.fp_unary(Fp1::$op, HALF, i.rn, i.rd);
        }
    )*};
}

macro_rules! binary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.fp_binary(Fp2::$op, HALF, i.rm, i.rn, i.rd);
        }
    )*};
}

macro_rules! fused {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let (addend, a, b) = (self.0.v(i.ra), self.0.v(i.rn), self.0.v(i.rm));
            let result = self.0.fp3(Fp3::$op, shape(HALF), addend, a, b);
            self.0.set_v(i.rd, result);
        }
    )*};
}

/// Conversions to integers: method, argument struct, signed, rounding.
macro_rules! to_integer {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.fp_to_gpr(how, i.sf, HALF, i.rn, i.rd);
        }
    )*};
}

/// Conversions to fixed point: method, argument struct, signed.
macro_rules! to_fixed {
    ($($name:ident($args:ident) = $signed:literal;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::Zero, fbits: 64 - i.scale };
            self.fp_to_gpr(how, i.sf, HALF, i.rn, i.rd);
        }
    )*};
}

macro_rules! from_integer {
    ($($name:ident($args:ident) = $signed:literal;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = IntToFp { signed: $signed, fbits: 0 };
            self.gpr_to_fp(how, i.sf, HALF, i.rn, i.rd);
        }
    )*};
}

macro_rules! from_fixed {
    ($($name:ident($args:ident) = $signed:literal;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = IntToFp { signed: $signed, fbits: 64 - i.scale };
            self.gpr_to_fp(how, i.sf, HALF, i.rn, i.rd);
        }
    )*};
}

impl<O: Ops> Fp16 for Translate<'_, O> {
    unary! {
        fabs_h(FabsH) = Abs;
        fneg_h(FnegH) = Neg;
        fsqrt_h(FsqrtH) = Sqrt;
        frintn_h(FrintnH) = RintN;
        frintp_h(FrintpH) = RintP;
        frintm_h(FrintmH) = RintM;
        frintz_h(FrintzH) = RintZ;
        frinta_h(FrintaH) = RintA;
        frintx_h(FrintxH) = RintX;
        frinti_h(FrintiH) = RintI;
    }

    binary! {
        fmul_h(FmulH) = Mul;
        fdiv_h(FdivH) = Div;
        fadd_h(FaddH) = Add;
        fsub_h(FsubH) = Sub;
        fmax_h(FmaxH) = Max;
        fmin_h(FminH) = Min;
        fmaxnm_h(FmaxnmH) = MaxNm;
        fminnm_h(FminnmH) = MinNm;
        fnmul_h(FnmulH) = Nmul;
    }

    fused! {
        fmadd_h(FmaddH) = MulAdd;
        fmsub_h(FmsubH) = MulSub;
        fnmadd_h(FnmaddH) = NegMulAdd;
        fnmsub_h(FnmsubH) = NegMulSub;
    }

    to_integer! {
        fcvtns_int_h(FcvtnsIntH) = true, TieEven;
        fcvtnu_int_h(FcvtnuIntH) = false, TieEven;
        fcvtas_int_h(FcvtasIntH) = true, TieAway;
        fcvtau_int_h(FcvtauIntH) = false, TieAway;
        fcvtps_int_h(FcvtpsIntH) = true, PlusInf;
        fcvtpu_int_h(FcvtpuIntH) = false, PlusInf;
        fcvtms_int_h(FcvtmsIntH) = true, MinusInf;
        fcvtmu_int_h(FcvtmuIntH) = false, MinusInf;
        fcvtzs_int_h(FcvtzsIntH) = true, Zero;
        fcvtzu_int_h(FcvtzuIntH) = false, Zero;
    }

    to_fixed! {
        fcvtzs_fix_h(FcvtzsFixH) = true;
        fcvtzu_fix_h(FcvtzuFixH) = false;
    }

    from_integer! {
        scvtf_int_h(ScvtfIntH) = true;
        ucvtf_int_h(UcvtfIntH) = false;
    }

    from_fixed! {
        scvtf_fix_h(ScvtfFixH) = true;
        ucvtf_fix_h(UcvtfFixH) = false;
    }

    fn fcmp_h(&mut self, i: FcmpH) {
        self.fp_compare(NanCompare::Quiet, HALF, i.rn, Comparand::Register(i.rm));
    }
    fn fcmpe_h(&mut self, i: FcmpeH) {
        self.fp_compare(NanCompare::Signaling, HALF, i.rn, Comparand::Register(i.rm));
    }
    fn fcmp_zero_h(&mut self, i: FcmpZeroH) {
        self.fp_compare(NanCompare::Quiet, HALF, i.rn, Comparand::Zero);
    }
    fn fcmpe_zero_h(&mut self, i: FcmpeZeroH) {
        self.fp_compare(NanCompare::Signaling, HALF, i.rn, Comparand::Zero);
    }
    fn fccmp_h(&mut self, i: FccmpH) {
        let FccmpH { rm, cond, rn, nzcv } = i;
        let i = Fccmp {
            ftype: HALF,
            rm,
            cond,
            rn,
            nzcv,
        };
        self.fp_cond_compare(NanCompare::Quiet, i);
    }
    fn fccmpe_h(&mut self, i: FccmpeH) {
        let FccmpeH { rm, cond, rn, nzcv } = i;
        let i = Fccmp {
            ftype: HALF,
            rm,
            cond,
            rn,
            nzcv,
        };
        self.fp_cond_compare(NanCompare::Signaling, i);
    }

    fn fcsel_h(&mut self, i: FcselH) {
        let (a, b) = (self.0.v(i.rn), self.0.v(i.rm));
        let chosen = self.0.vec_select(Cond::from_bits(i.cond), a, b);
        let result = self.0.vec1(Vec1::Mov, shape(HALF), chosen);
        self.0.set_v(i.rd, result);
    }

    fn fmov_reg_h(&mut self, i: FmovRegH) {
        let a = self.0.v(i.rn);
        let result = self.0.vec1(Vec1::Mov, shape(HALF), a);
        self.0.set_v(i.rd, result);
    }
    fn fmov_imm_h(&mut self, i: FmovImmH) {
        let result = self.0.vec_imm(u128::from(imm::fp_imm_f16(i.imm8)));
        self.0.set_v(i.rd, result);
    }
    fn fmov_to_gpr_h(&mut self, i: FmovToGprH) {
        let a = self.0.v(i.rn);
        let result = self.0.vec_get_lane(Lane::H, a, 0, None);
        self.0.set_x(i.rd, result);
    }
    fn fmov_from_gpr_h(&mut self, i: FmovFromGprH) {
        let value = self.0.x(i.rn);
        let result = self.0.vec_dup(shape(HALF), value);
        self.0.set_v(i.rd, result);
    }
}
