//! Advanced SIMD floating point in half precision: `asimd_fp16.isa`, the rows of
//! `asimd_fp.isa` for halves.

use crate::Ops;
use crate::asimd_fp::Element;
use crate::ops::{Fp1, Fp2, Fp3, FpToInt, IntToFp, Lane, Rounding, Shape};
use crate::translate::Translate;
use a64_isa::asimd_fp16::{
    FabdScalarH, FabdVecH, FabsVecH, FacgeScalarH, FacgeVecH, FacgtScalarH, FacgtVecH, FaddVecH,
    FaddpScalarH, FaddpVecH, FcmeqScalarH, FcmeqVecH, FcmeqZeroScalarH, FcmeqZeroVecH, FcmgeScalarH,
    FcmgeVecH, FcmgeZeroScalarH, FcmgeZeroVecH, FcmgtScalarH, FcmgtVecH, FcmgtZeroScalarH, FcmgtZeroVecH,
    FcmleZeroScalarH, FcmleZeroVecH, FcmltZeroScalarH, FcmltZeroVecH, FcvtasScalarH, FcvtasVecH,
    FcvtauScalarH, FcvtauVecH, FcvtmsScalarH, FcvtmsVecH, FcvtmuScalarH, FcvtmuVecH, FcvtnsScalarH,
    FcvtnsVecH, FcvtnuScalarH, FcvtnuVecH, FcvtpsScalarH, FcvtpsVecH, FcvtpuScalarH, FcvtpuVecH,
    FcvtzsFixScalarH, FcvtzsFixVecH, FcvtzsScalarH, FcvtzsVecH, FcvtzuFixScalarH, FcvtzuFixVecH,
    FcvtzuScalarH, FcvtzuVecH, FdivVecH, FmaxVecH, FmaxnmVecH, FmaxnmpScalarH, FmaxnmpVecH, FmaxnmvVecH,
    FmaxpScalarH, FmaxpVecH, FmaxvVecH, FminVecH, FminnmVecH, FminnmpScalarH, FminnmpVecH, FminnmvVecH,
    FminpScalarH, FminpVecH, FminvVecH, FmlaElemH, FmlaElemScalarH, FmlaVecH, FmlsElemH, FmlsElemScalarH,
    FmlsVecH, FmovVecH, FmulElemH, FmulElemScalarH, FmulVecH, FmulxElemH, FmulxElemScalarH, FmulxScalarH,
    FmulxVecH, FnegVecH, FrecpeScalarH, FrecpeVecH, FrecpsScalarH, FrecpsVecH, FrecpxScalarH, FrintaVecH,
    FrintiVecH, FrintmVecH, FrintnVecH, FrintpVecH, FrintxVecH, FrintzVecH, FrsqrteScalarH, FrsqrteVecH,
    FrsqrtsScalarH, FrsqrtsVecH, FsqrtVecH, FsubVecH, ScvtfFixScalarH, ScvtfFixVecH, ScvtfScalarH, ScvtfVecH,
    UcvtfFixScalarH, UcvtfFixVecH, UcvtfScalarH, UcvtfVecH,
};
use a64_isa::{AsimdFp16, imm};

const fn vector(q: bool) -> Shape {
    Shape::vector(Lane::H, q)
}

const SCALAR: Shape = Shape::scalar(Lane::H);

/// One operand: method, argument struct, operation.
macro_rules! unary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, vector(i.q), i.rn, i.rd);
        }
    )*};
}

macro_rules! unary_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, SCALAR, i.rn, i.rd);
        }
    )*};
}

macro_rules! binary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, vector(i.q), i.rm, i.rn, i.rd);
        }
    )*};
}

macro_rules! binary_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, SCALAR, i.rm, i.rn, i.rd);
        }
    )*};
}

/// The pair of lanes of one register.
macro_rules! pair_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, SCALAR, i.rn, i.rn, i.rd);
        }
    )*};
}

/// Conversions to integers: method, argument struct, signed, rounding.
macro_rules! to_integer {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.asimd_fp_to_int(how, vector(i.q), i.rn, i.rd);
        }
    )*};
}

macro_rules! to_integer_scalar {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.asimd_fp_to_int(how, SCALAR, i.rn, i.rd);
        }
    )*};
}

/// By element: method, argument struct, helper, operation, shape.
macro_rules! element {
    ($($name:ident($args:ident) = $helper:ident, $op:expr, |$i:ident| $shape:expr;)*) => {$(
        fn $name(&mut self, $i: $args) {
            let element = Element::half($i.h, $i.l, $i.m, $i.rm);
            self.$helper($op, $shape, &element, $i.rn, $i.rd);
        }
    )*};
}

/// Conversions from integers and fixed point: method, argument struct, signed, fraction bits, shape.
macro_rules! from_fixed {
    ($($name:ident($args:ident) = $signed:literal, |$i:ident| $fbits:expr, $shape:expr;)*) => {$(
        fn $name(&mut self, $i: $args) {
            let how = IntToFp { signed: $signed, fbits: $fbits };
            self.asimd_int_to_fp(how, $shape, $i.rn, $i.rd);
        }
    )*};
}

macro_rules! to_fixed {
    ($($name:ident($args:ident) = $signed:literal, |$i:ident| $shape:expr;)*) => {$(
        fn $name(&mut self, $i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::Zero, fbits: 16 - $i.fb };
            self.asimd_fp_to_int(how, $shape, $i.rn, $i.rd);
        }
    )*};
}

impl<O: Ops> AsimdFp16 for Translate<'_, O> {
    binary! {
        fmaxnm_vec_h(FmaxnmVecH) = MaxNm;
        fadd_vec_h(FaddVecH) = Add;
        fmulx_vec_h(FmulxVecH) = Mulx;
        fcmeq_vec_h(FcmeqVecH) = CmEq;
        fmax_vec_h(FmaxVecH) = Max;
        frecps_vec_h(FrecpsVecH) = Recps;
        fminnm_vec_h(FminnmVecH) = MinNm;
        fsub_vec_h(FsubVecH) = Sub;
        fmin_vec_h(FminVecH) = Min;
        frsqrts_vec_h(FrsqrtsVecH) = Rsqrts;
        fmaxnmp_vec_h(FmaxnmpVecH) = MaxNmp;
        faddp_vec_h(FaddpVecH) = Addp;
        fmul_vec_h(FmulVecH) = Mul;
        fcmge_vec_h(FcmgeVecH) = CmGe;
        facge_vec_h(FacgeVecH) = AcGe;
        fmaxp_vec_h(FmaxpVecH) = Maxp;
        fdiv_vec_h(FdivVecH) = Div;
        fminnmp_vec_h(FminnmpVecH) = MinNmp;
        fabd_vec_h(FabdVecH) = Abd;
        fcmgt_vec_h(FcmgtVecH) = CmGt;
        facgt_vec_h(FacgtVecH) = AcGt;
        fminp_vec_h(FminpVecH) = Minp;
    }

    binary_scalar! {
        fmulx_scalar_h(FmulxScalarH) = Mulx;
        fcmeq_scalar_h(FcmeqScalarH) = CmEq;
        frecps_scalar_h(FrecpsScalarH) = Recps;
        frsqrts_scalar_h(FrsqrtsScalarH) = Rsqrts;
        fcmge_scalar_h(FcmgeScalarH) = CmGe;
        facge_scalar_h(FacgeScalarH) = AcGe;
        fabd_scalar_h(FabdScalarH) = Abd;
        fcmgt_scalar_h(FcmgtScalarH) = CmGt;
        facgt_scalar_h(FacgtScalarH) = AcGt;
    }

    unary! {
        frintn_vec_h(FrintnVecH) = RintN;
        frintm_vec_h(FrintmVecH) = RintM;
        fcmgt_zero_vec_h(FcmgtZeroVecH) = CmGtZero;
        fcmeq_zero_vec_h(FcmeqZeroVecH) = CmEqZero;
        fcmlt_zero_vec_h(FcmltZeroVecH) = CmLtZero;
        fabs_vec_h(FabsVecH) = Abs;
        frintp_vec_h(FrintpVecH) = RintP;
        frintz_vec_h(FrintzVecH) = RintZ;
        frecpe_vec_h(FrecpeVecH) = Recpe;
        frinta_vec_h(FrintaVecH) = RintA;
        frintx_vec_h(FrintxVecH) = RintX;
        fcmge_zero_vec_h(FcmgeZeroVecH) = CmGeZero;
        fcmle_zero_vec_h(FcmleZeroVecH) = CmLeZero;
        fneg_vec_h(FnegVecH) = Neg;
        frinti_vec_h(FrintiVecH) = RintI;
        frsqrte_vec_h(FrsqrteVecH) = Rsqrte;
        fsqrt_vec_h(FsqrtVecH) = Sqrt;
    }

    unary_scalar! {
        fcmgt_zero_scalar_h(FcmgtZeroScalarH) = CmGtZero;
        fcmeq_zero_scalar_h(FcmeqZeroScalarH) = CmEqZero;
        fcmlt_zero_scalar_h(FcmltZeroScalarH) = CmLtZero;
        frecpe_scalar_h(FrecpeScalarH) = Recpe;
        fcmge_zero_scalar_h(FcmgeZeroScalarH) = CmGeZero;
        fcmle_zero_scalar_h(FcmleZeroScalarH) = CmLeZero;
        frsqrte_scalar_h(FrsqrteScalarH) = Rsqrte;
        frecpx_scalar_h(FrecpxScalarH) = Recpx;
    }

    to_integer! {
        fcvtns_vec_h(FcvtnsVecH) = true, TieEven;
        fcvtms_vec_h(FcvtmsVecH) = true, MinusInf;
        fcvtas_vec_h(FcvtasVecH) = true, TieAway;
        fcvtps_vec_h(FcvtpsVecH) = true, PlusInf;
        fcvtzs_vec_h(FcvtzsVecH) = true, Zero;
        fcvtnu_vec_h(FcvtnuVecH) = false, TieEven;
        fcvtmu_vec_h(FcvtmuVecH) = false, MinusInf;
        fcvtau_vec_h(FcvtauVecH) = false, TieAway;
        fcvtpu_vec_h(FcvtpuVecH) = false, PlusInf;
        fcvtzu_vec_h(FcvtzuVecH) = false, Zero;
    }

    to_integer_scalar! {
        fcvtns_scalar_h(FcvtnsScalarH) = true, TieEven;
        fcvtms_scalar_h(FcvtmsScalarH) = true, MinusInf;
        fcvtas_scalar_h(FcvtasScalarH) = true, TieAway;
        fcvtps_scalar_h(FcvtpsScalarH) = true, PlusInf;
        fcvtzs_scalar_h(FcvtzsScalarH) = true, Zero;
        fcvtnu_scalar_h(FcvtnuScalarH) = false, TieEven;
        fcvtmu_scalar_h(FcvtmuScalarH) = false, MinusInf;
        fcvtau_scalar_h(FcvtauScalarH) = false, TieAway;
        fcvtpu_scalar_h(FcvtpuScalarH) = false, PlusInf;
        fcvtzu_scalar_h(FcvtzuScalarH) = false, Zero;
    }

    pair_scalar! {
        fmaxnmp_scalar_h(FmaxnmpScalarH) = MaxNmp;
        faddp_scalar_h(FaddpScalarH) = Addp;
        fmaxp_scalar_h(FmaxpScalarH) = Maxp;
        fminnmp_scalar_h(FminnmpScalarH) = MinNmp;
        fminp_scalar_h(FminpScalarH) = Minp;
    }

    unary! {
        fmaxnmv_vec_h(FmaxnmvVecH) = MaxNmv;
        fmaxv_vec_h(FmaxvVecH) = Maxv;
        fminnmv_vec_h(FminnmvVecH) = MinNmv;
        fminv_vec_h(FminvVecH) = Minv;
    }

    element! {
        fmla_elem_h(FmlaElemH) = asimd_fp3_element, Fp3::MulAdd, |i| vector(i.q);
        fmls_elem_h(FmlsElemH) = asimd_fp3_element, Fp3::MulSub, |i| vector(i.q);
        fmul_elem_h(FmulElemH) = asimd_fp2_element, Fp2::Mul, |i| vector(i.q);
        fmulx_elem_h(FmulxElemH) = asimd_fp2_element, Fp2::Mulx, |i| vector(i.q);
        fmla_elem_scalar_h(FmlaElemScalarH) = asimd_fp3_element, Fp3::MulAdd, |i| SCALAR;
        fmls_elem_scalar_h(FmlsElemScalarH) = asimd_fp3_element, Fp3::MulSub, |i| SCALAR;
        fmul_elem_scalar_h(FmulElemScalarH) = asimd_fp2_element, Fp2::Mul, |i| SCALAR;
        fmulx_elem_scalar_h(FmulxElemScalarH) = asimd_fp2_element, Fp2::Mulx, |i| SCALAR;
    }

    from_fixed! {
        scvtf_vec_h(ScvtfVecH) = true, |i| 0, vector(i.q);
        ucvtf_vec_h(UcvtfVecH) = false, |i| 0, vector(i.q);
        scvtf_scalar_h(ScvtfScalarH) = true, |i| 0, SCALAR;
        ucvtf_scalar_h(UcvtfScalarH) = false, |i| 0, SCALAR;
        scvtf_fix_vec_h(ScvtfFixVecH) = true, |i| 16 - i.fb, vector(i.q);
        ucvtf_fix_vec_h(UcvtfFixVecH) = false, |i| 16 - i.fb, vector(i.q);
        scvtf_fix_scalar_h(ScvtfFixScalarH) = true, |i| 16 - i.fb, SCALAR;
        ucvtf_fix_scalar_h(UcvtfFixScalarH) = false, |i| 16 - i.fb, SCALAR;
    }

    to_fixed! {
        fcvtzs_fix_vec_h(FcvtzsFixVecH) = true, |i| vector(i.q);
        fcvtzu_fix_vec_h(FcvtzuFixVecH) = false, |i| vector(i.q);
        fcvtzs_fix_scalar_h(FcvtzsFixScalarH) = true, |i| SCALAR;
        fcvtzu_fix_scalar_h(FcvtzuFixScalarH) = false, |i| SCALAR;
    }

    fn fmla_vec_h(&mut self, i: FmlaVecH) {
        self.asimd_fp3(Fp3::MulAdd, vector(i.q), i.rm, i.rn, i.rd);
    }
    fn fmls_vec_h(&mut self, i: FmlsVecH) {
        self.asimd_fp3(Fp3::MulSub, vector(i.q), i.rm, i.rn, i.rd);
    }

    fn fmov_vec_h(&mut self, i: FmovVecH) {
        let value = imm::fp_imm_f16(i.abc << 5 | i.defgh);
        let lanes = u64::from(value) * 0x0001_0001_0001_0001;
        let high = if i.q { lanes } else { 0 };
        let result = self.0.vec_imm(u128::from(high) << 64 | u128::from(lanes));
        self.0.set_v(i.rd, result);
    }
}
