//! Advanced SIMD floating point (Arm ARM C4.1.97): `asimd_fp.isa`.
//!
//! Vector forms differ from scalar ones only in the shape of the operation; what is not
//! computed becomes zero.

use crate::Ops;
use crate::ops::{Fp1, Fp2, Fp3, FpToInt, IntToFp, Lane, Rounding, Shape, Span, Vec1, Vec2};
use crate::translate::Translate;
use a64_isa::asimd_fp::{
    FabdScalar, FabdVec, FabsVec, FacgeScalar, FacgeVec, FacgtScalar, FacgtVec, FaddVec, FaddpScalar,
    FaddpVec, FcmeqScalar, FcmeqVec, FcmeqZeroScalar, FcmeqZeroVec, FcmgeScalar, FcmgeVec, FcmgeZeroScalar,
    FcmgeZeroVec, FcmgtScalar, FcmgtVec, FcmgtZeroScalar, FcmgtZeroVec, FcmleZeroScalar, FcmleZeroVec,
    FcmltZeroScalar, FcmltZeroVec, FcvtasScalar, FcvtasVec, FcvtauScalar, FcvtauVec, FcvtlVec, FcvtmsScalar,
    FcvtmsVec, FcvtmuScalar, FcvtmuVec, FcvtnVec, FcvtnsScalar, FcvtnsVec, FcvtnuScalar, FcvtnuVec,
    FcvtpsScalar, FcvtpsVec, FcvtpuScalar, FcvtpuVec, FcvtxnScalar, FcvtxnVec, FcvtzsFixScalar, FcvtzsFixVec,
    FcvtzsScalar, FcvtzsVec, FcvtzuFixScalar, FcvtzuFixVec, FcvtzuScalar, FcvtzuVec, FdivVec, FmaxVec,
    FmaxnmVec, FmaxnmpScalar, FmaxnmpVec, FmaxnmvVec, FmaxpScalar, FmaxpVec, FmaxvVec, FminVec, FminnmVec,
    FminnmpScalar, FminnmpVec, FminnmvVec, FminpScalar, FminpVec, FminvVec, FmlaElem, FmlaElemScalar,
    FmlaVec, FmlsElem, FmlsElemScalar, FmlsVec, FmovVec, FmulElem, FmulElemScalar, FmulVec, FmulxElem,
    FmulxElemScalar, FmulxScalar, FmulxVec, FnegVec, FrecpeScalar, FrecpeVec, FrecpsScalar, FrecpsVec,
    FrecpxScalar, FrintaVec, FrintiVec, FrintmVec, FrintnVec, FrintpVec, FrintxVec, FrintzVec, FrsqrteScalar,
    FrsqrteVec, FrsqrtsScalar, FrsqrtsVec, FsqrtVec, FsubVec, ScvtfFixScalar, ScvtfFixVec, ScvtfScalar,
    ScvtfVec, UcvtfFixScalar, UcvtfFixVec, UcvtfScalar, UcvtfVec,
};
use a64_isa::{AsimdFp, imm};

/// Singles or doubles.
const fn lane(sz: bool) -> Lane {
    if sz { Lane::D } else { Lane::S }
}

const fn vector(sz: bool, q: bool) -> Shape {
    Shape::vector(lane(sz), q)
}

const fn scalar(sz: bool) -> Shape {
    Shape::scalar(lane(sz))
}

/// Lanes and fraction bits of a fixed-point conversion.
const fn fixed(immh: u8, immb: u8) -> (Lane, u8) {
    let (log2, fbits) = imm::fixed_point(immh, immb);
    (Lane::from_log2(log2), fbits)
}

/// The element operand: register `m:rm` and the lane's number.
pub(crate) struct Element {
    register: u8,
    index: u8,
}

impl Element {
    const fn new(sz: bool, l: bool, m: bool, rm: u8, h: bool) -> Self {
        Element {
            register: (m as u8) << 4 | rm,
            index: imm::fp_element(sz, h, l),
        }
    }

    /// A lane of halves, whose register is one of the lower 16.
    pub(crate) const fn half(h: bool, l: bool, m: bool, rm: u8) -> Self {
        Element {
            register: rm,
            index: imm::half_element(h, l, m),
        }
    }
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

    pub(crate) fn element(&mut self, s: Shape, element: &Element) -> O::Vector {
        let register = self.0.v(element.register);
        self.0.vec_dup_lane(s, register, element.index)
    }

    pub(crate) fn asimd_fp2_element(&mut self, op: Fp2, s: Shape, element: &Element, rn: u8, rd: u8) {
        let (a, b) = (self.0.v(rn), self.element(s, element));
        let result = self.0.fp2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn asimd_fp3_element(&mut self, op: Fp3, s: Shape, element: &Element, rn: u8, rd: u8) {
        let (addend, a, b) = (self.0.v(rd), self.0.v(rn), self.element(s, element));
        let result = self.0.fp3(op, s, addend, a, b);
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

/// One operand: method, argument struct, operation.
macro_rules! unary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, vector(i.sz, i.q), i.rn, i.rd);
        }
    )*};
}

macro_rules! unary_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, scalar(i.sz), i.rn, i.rd);
        }
    )*};
}

macro_rules! binary {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, vector(i.sz, i.q), i.rm, i.rn, i.rd);
        }
    )*};
}

macro_rules! binary_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, scalar(i.sz), i.rm, i.rn, i.rd);
        }
    )*};
}

/// The pair of lanes of one register.
macro_rules! pair_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp2(Fp2::$op, scalar(i.sz), i.rn, i.rn, i.rd);
        }
    )*};
}

/// Across the four singles of a register.
macro_rules! across {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, Shape::new(Lane::S, Span::Full), i.rn, i.rd);
        }
    )*};
}

/// Conversions to integers: method, argument struct, signed, rounding.
macro_rules! to_integer {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.asimd_fp_to_int(how, vector(i.sz, i.q), i.rn, i.rd);
        }
    )*};
}

macro_rules! to_integer_scalar {
    ($($name:ident($args:ident) = $signed:literal, $rounding:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let how = FpToInt { signed: $signed, rounding: Rounding::$rounding, fbits: 0 };
            self.asimd_fp_to_int(how, scalar(i.sz), i.rn, i.rd);
        }
    )*};
}

impl<O: Ops> AsimdFp for Translate<'_, O> {
    binary! {
        fmaxnm_vec(FmaxnmVec) = MaxNm;
        fadd_vec(FaddVec) = Add;
        fmulx_vec(FmulxVec) = Mulx;
        fcmeq_vec(FcmeqVec) = CmEq;
        fmax_vec(FmaxVec) = Max;
        frecps_vec(FrecpsVec) = Recps;
        fminnm_vec(FminnmVec) = MinNm;
        fsub_vec(FsubVec) = Sub;
        fmin_vec(FminVec) = Min;
        frsqrts_vec(FrsqrtsVec) = Rsqrts;
        fmaxnmp_vec(FmaxnmpVec) = MaxNmp;
        faddp_vec(FaddpVec) = Addp;
        fmul_vec(FmulVec) = Mul;
        fcmge_vec(FcmgeVec) = CmGe;
        facge_vec(FacgeVec) = AcGe;
        fmaxp_vec(FmaxpVec) = Maxp;
        fdiv_vec(FdivVec) = Div;
        fminnmp_vec(FminnmpVec) = MinNmp;
        fabd_vec(FabdVec) = Abd;
        fcmgt_vec(FcmgtVec) = CmGt;
        facgt_vec(FacgtVec) = AcGt;
        fminp_vec(FminpVec) = Minp;
    }

    binary_scalar! {
        fmulx_scalar(FmulxScalar) = Mulx;
        fcmeq_scalar(FcmeqScalar) = CmEq;
        frecps_scalar(FrecpsScalar) = Recps;
        frsqrts_scalar(FrsqrtsScalar) = Rsqrts;
        fcmge_scalar(FcmgeScalar) = CmGe;
        facge_scalar(FacgeScalar) = AcGe;
        fabd_scalar(FabdScalar) = Abd;
        fcmgt_scalar(FcmgtScalar) = CmGt;
        facgt_scalar(FacgtScalar) = AcGt;
    }

    unary! {
        frintn_vec(FrintnVec) = RintN;
        frintm_vec(FrintmVec) = RintM;
        fcmgt_zero_vec(FcmgtZeroVec) = CmGtZero;
        fcmeq_zero_vec(FcmeqZeroVec) = CmEqZero;
        fcmlt_zero_vec(FcmltZeroVec) = CmLtZero;
        fabs_vec(FabsVec) = Abs;
        frintp_vec(FrintpVec) = RintP;
        frintz_vec(FrintzVec) = RintZ;
        frecpe_vec(FrecpeVec) = Recpe;
        frinta_vec(FrintaVec) = RintA;
        frintx_vec(FrintxVec) = RintX;
        fcmge_zero_vec(FcmgeZeroVec) = CmGeZero;
        fcmle_zero_vec(FcmleZeroVec) = CmLeZero;
        fneg_vec(FnegVec) = Neg;
        frinti_vec(FrintiVec) = RintI;
        frsqrte_vec(FrsqrteVec) = Rsqrte;
        fsqrt_vec(FsqrtVec) = Sqrt;
    }

    unary_scalar! {
        fcmgt_zero_scalar(FcmgtZeroScalar) = CmGtZero;
        fcmeq_zero_scalar(FcmeqZeroScalar) = CmEqZero;
        fcmlt_zero_scalar(FcmltZeroScalar) = CmLtZero;
        frecpe_scalar(FrecpeScalar) = Recpe;
        fcmge_zero_scalar(FcmgeZeroScalar) = CmGeZero;
        fcmle_zero_scalar(FcmleZeroScalar) = CmLeZero;
        frsqrte_scalar(FrsqrteScalar) = Rsqrte;
        frecpx_scalar(FrecpxScalar) = Recpx;
    }

    to_integer! {
        fcvtns_vec(FcvtnsVec) = true, TieEven;
        fcvtms_vec(FcvtmsVec) = true, MinusInf;
        fcvtas_vec(FcvtasVec) = true, TieAway;
        fcvtps_vec(FcvtpsVec) = true, PlusInf;
        fcvtzs_vec(FcvtzsVec) = true, Zero;
        fcvtnu_vec(FcvtnuVec) = false, TieEven;
        fcvtmu_vec(FcvtmuVec) = false, MinusInf;
        fcvtau_vec(FcvtauVec) = false, TieAway;
        fcvtpu_vec(FcvtpuVec) = false, PlusInf;
        fcvtzu_vec(FcvtzuVec) = false, Zero;
    }

    to_integer_scalar! {
        fcvtns_scalar(FcvtnsScalar) = true, TieEven;
        fcvtms_scalar(FcvtmsScalar) = true, MinusInf;
        fcvtas_scalar(FcvtasScalar) = true, TieAway;
        fcvtps_scalar(FcvtpsScalar) = true, PlusInf;
        fcvtzs_scalar(FcvtzsScalar) = true, Zero;
        fcvtnu_scalar(FcvtnuScalar) = false, TieEven;
        fcvtmu_scalar(FcvtmuScalar) = false, MinusInf;
        fcvtau_scalar(FcvtauScalar) = false, TieAway;
        fcvtpu_scalar(FcvtpuScalar) = false, PlusInf;
        fcvtzu_scalar(FcvtzuScalar) = false, Zero;
    }

    pair_scalar! {
        fmaxnmp_scalar(FmaxnmpScalar) = MaxNmp;
        faddp_scalar(FaddpScalar) = Addp;
        fmaxp_scalar(FmaxpScalar) = Maxp;
        fminnmp_scalar(FminnmpScalar) = MinNmp;
        fminp_scalar(FminpScalar) = Minp;
    }

    across! {
        fmaxnmv_vec(FmaxnmvVec) = MaxNmv;
        fmaxv_vec(FmaxvVec) = Maxv;
        fminnmv_vec(FminnmvVec) = MinNmv;
        fminv_vec(FminvVec) = Minv;
    }

    fn fmla_vec(&mut self, i: FmlaVec) {
        self.asimd_fp3(Fp3::MulAdd, vector(i.sz, i.q), i.rm, i.rn, i.rd);
    }
    fn fmls_vec(&mut self, i: FmlsVec) {
        self.asimd_fp3(Fp3::MulSub, vector(i.sz, i.q), i.rm, i.rn, i.rd);
    }

    fn fmla_elem(&mut self, i: FmlaElem) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp3_element(Fp3::MulAdd, vector(i.sz, i.q), &element, i.rn, i.rd);
    }
    fn fmls_elem(&mut self, i: FmlsElem) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp3_element(Fp3::MulSub, vector(i.sz, i.q), &element, i.rn, i.rd);
    }
    fn fmul_elem(&mut self, i: FmulElem) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp2_element(Fp2::Mul, vector(i.sz, i.q), &element, i.rn, i.rd);
    }
    fn fmulx_elem(&mut self, i: FmulxElem) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp2_element(Fp2::Mulx, vector(i.sz, i.q), &element, i.rn, i.rd);
    }
    fn fmla_elem_scalar(&mut self, i: FmlaElemScalar) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp3_element(Fp3::MulAdd, scalar(i.sz), &element, i.rn, i.rd);
    }
    fn fmls_elem_scalar(&mut self, i: FmlsElemScalar) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp3_element(Fp3::MulSub, scalar(i.sz), &element, i.rn, i.rd);
    }
    fn fmul_elem_scalar(&mut self, i: FmulElemScalar) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp2_element(Fp2::Mul, scalar(i.sz), &element, i.rn, i.rd);
    }
    fn fmulx_elem_scalar(&mut self, i: FmulxElemScalar) {
        let element = Element::new(i.sz, i.l, i.m, i.rm, i.h);
        self.asimd_fp2_element(Fp2::Mulx, scalar(i.sz), &element, i.rn, i.rd);
    }

    fn fcvtn_vec(&mut self, i: FcvtnVec) {
        let (op, lane) = if i.sz {
            (Fp1::CvtDS, Lane::S)
        } else {
            (Fp1::CvtSH, Lane::H)
        };
        self.asimd_fp_narrow(op, lane, i.q, i.rn, i.rd);
    }
    fn fcvtxn_vec(&mut self, i: FcvtxnVec) {
        self.asimd_fp_narrow(Fp1::CvtDSOdd, Lane::S, i.q, i.rn, i.rd);
    }
    fn fcvtxn_scalar(&mut self, i: FcvtxnScalar) {
        self.asimd_fp1(Fp1::CvtDSOdd, scalar(false), i.rn, i.rd);
    }
    fn fcvtl_vec(&mut self, i: FcvtlVec) {
        let op = if i.sz { Fp1::CvtSD } else { Fp1::CvtHS };
        let mut a = self.0.v(i.rn);
        if i.q {
            a = self.0.vec1(Vec1::HighHalf, Shape::new(Lane::D, Span::Full), a);
        }
        let result = self.0.fp1(op, vector(i.sz, true), a);
        self.0.set_v(i.rd, result);
    }

    fn scvtf_vec(&mut self, i: ScvtfVec) {
        let how = IntToFp {
            signed: true,
            fbits: 0,
        };
        self.asimd_int_to_fp(how, vector(i.sz, i.q), i.rn, i.rd);
    }
    fn ucvtf_vec(&mut self, i: UcvtfVec) {
        let how = IntToFp {
            signed: false,
            fbits: 0,
        };
        self.asimd_int_to_fp(how, vector(i.sz, i.q), i.rn, i.rd);
    }
    fn scvtf_scalar(&mut self, i: ScvtfScalar) {
        let how = IntToFp {
            signed: true,
            fbits: 0,
        };
        self.asimd_int_to_fp(how, scalar(i.sz), i.rn, i.rd);
    }
    fn ucvtf_scalar(&mut self, i: UcvtfScalar) {
        let how = IntToFp {
            signed: false,
            fbits: 0,
        };
        self.asimd_int_to_fp(how, scalar(i.sz), i.rn, i.rd);
    }

    fn scvtf_fix_vec(&mut self, i: ScvtfFixVec) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        self.asimd_int_to_fp(
            IntToFp { signed: true, fbits },
            Shape::vector(lane, i.q),
            i.rn,
            i.rd,
        );
    }
    fn ucvtf_fix_vec(&mut self, i: UcvtfFixVec) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        self.asimd_int_to_fp(
            IntToFp { signed: false, fbits },
            Shape::vector(lane, i.q),
            i.rn,
            i.rd,
        );
    }
    fn scvtf_fix_scalar(&mut self, i: ScvtfFixScalar) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        self.asimd_int_to_fp(IntToFp { signed: true, fbits }, Shape::scalar(lane), i.rn, i.rd);
    }
    fn ucvtf_fix_scalar(&mut self, i: UcvtfFixScalar) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        self.asimd_int_to_fp(IntToFp { signed: false, fbits }, Shape::scalar(lane), i.rn, i.rd);
    }
    fn fcvtzs_fix_vec(&mut self, i: FcvtzsFixVec) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        let how = FpToInt {
            signed: true,
            rounding: Rounding::Zero,
            fbits,
        };
        self.asimd_fp_to_int(how, Shape::vector(lane, i.q), i.rn, i.rd);
    }
    fn fcvtzu_fix_vec(&mut self, i: FcvtzuFixVec) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        let how = FpToInt {
            signed: false,
            rounding: Rounding::Zero,
            fbits,
        };
        self.asimd_fp_to_int(how, Shape::vector(lane, i.q), i.rn, i.rd);
    }
    fn fcvtzs_fix_scalar(&mut self, i: FcvtzsFixScalar) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        let how = FpToInt {
            signed: true,
            rounding: Rounding::Zero,
            fbits,
        };
        self.asimd_fp_to_int(how, Shape::scalar(lane), i.rn, i.rd);
    }
    fn fcvtzu_fix_scalar(&mut self, i: FcvtzuFixScalar) {
        let (lane, fbits) = fixed(i.immh, i.immb);
        let how = FpToInt {
            signed: false,
            rounding: Rounding::Zero,
            fbits,
        };
        self.asimd_fp_to_int(how, Shape::scalar(lane), i.rn, i.rd);
    }

    fn fmov_vec(&mut self, i: FmovVec) {
        let half = imm::simd_imm(i.sz, 0b1111, i.abc << 5 | i.defgh);
        let upper = if i.q { u128::from(half) << 64 } else { 0 };
        let result = self.0.vec_imm(upper | u128::from(half));
        self.0.set_v(i.rd, result);
    }
}
