//! Floating-point operations.
//!
//! Results follow FPCR (rounding mode, FZ, DN, AHP); exceptions accumulate in
//! FPSR (Arm ARM A1.5). All of them follow the Arm rules for NaNs.

use super::enums::enumerated;
use super::{Cond, Lane, Machine, Shape, Width};

enumerated! {
    /// Floating-point formats.
    pub enum FpSize { H, S, D }
}

impl FpSize {
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            FpSize::H => Lane::H,
            FpSize::S => Lane::S,
            FpSize::D => Lane::D,
        }
    }
    /// From the `ftype` field: 0 single, 1 double, 3 half. 2 is unallocated.
    #[must_use]
    pub const fn from_ftype(ftype: u8) -> Self {
        match ftype {
            0 => FpSize::S,
            1 => FpSize::D,
            _ => FpSize::H,
        }
    }
}

enumerated! {
    /// Rounding modes.
    pub enum Rounding {
        /// To nearest, ties to even.
        TieEven,
        PlusInf,
        MinusInf,
        Zero,
        /// To nearest, ties away from zero.
        TieAway,
        /// To odd (FCVTXN).
        Odd,
        /// As FPCR.RMode says.
        Current,
    }
}

enumerated! {
    /// One-operand floating-point operations.
    pub enum Fp1 {
        Abs, Neg, Sqrt,
        /// FRINTN, P, M, Z, A, I, X: to an integral value.
        RintN, RintP, RintM, RintZ, RintA, RintI,
        /// As FRINTI, raising Inexact.
        RintX,
        /// Estimates.
        Recpe, Rsqrte, Recpx,
        /// Scalar or vector precision changes; the shape is that of the *result*:
        /// lane 0 (Scalar), or the low half of the operand for widening ones.
        /// Names are from-to.
        CvtHS, CvtHD, CvtSD,
        /// Narrowing.
        CvtSH, CvtDH, CvtDS,
        /// FCVTXN: double to single, rounding to odd.
        CvtDSOdd,
        /// Across lanes (operand shape, result in lane 0).
        Maxv, Minv, MaxNmv, MinNmv,
        /// Compares with +0.0: all ones where true.
        CmEqZero, CmGtZero, CmGeZero, CmLeZero, CmLtZero,
        /// FRINT32Z, FRINT32X, FRINT64Z, FRINT64X: to an integral value that fits the integer,
        /// raising Inexact; else the least integer, raising Invalid.
        Rint32Z, Rint32X, Rint64Z, Rint64X,
        /// Single to BFloat16; the shape is that of the result (lanes of 16 bits).
        CvtSBf,
    }
}

enumerated! {
    /// Two-operand floating-point operations.
    pub enum Fp2 {
        Add, Sub, Mul, Div,
        /// `-(a * b)` (FNMUL).
        Nmul,
        Max, Min, MaxNm, MinNm,
        Mulx,
        /// Reciprocal and reciprocal square root steps (fused).
        Recps, Rsqrts,
        /// |a - b|.
        Abd,
        CmEq, CmGe, CmGt,
        /// Absolute compares.
        AcGe, AcGt,
        /// Pairwise: `a`'s pairs low, `b`'s high. With a scalar span: the pair in `a`.
        Addp, Maxp, Minp, MaxNmp, MinNmp,
        /// Pairs of lanes are complex numbers: `a + i * b`, `a - i * b`.
        Cadd90, Cadd270,
    }
}

enumerated! {
    /// Fused multiply-accumulate; `a` is the addend.
    pub enum Fp3 {
        /// `a + b * c`
        MulAdd,
        /// `a - b * c`
        MulSub,
        /// `-a - b * c` (FNMADD)
        NegMulAdd,
        /// `-a + b * c` (FNMSUB)
        NegMulSub,
        /// The same as the first two with lanes of `b` and `c` half as wide, from the low end:
        /// halves to singles.
        MulAddLong, MulSubLong,
        /// Half of a complex product added: `b`'s real part (0, 180) or imaginary part (90,
        /// 270) times `c`, turned by the angle.
        Cmla0, Cmla90, Cmla180, Cmla270,
        /// BFloat16 (lanes of 16 bits in `b` and `c`) to singles: dot products of pairs,
        /// 2 by 4 matrices, and fused products of the even (B) or odd (T) lanes.
        BfDot, BfMmla, BfMlalB, BfMlalT,
    }
}

/// Conversion to an integer, saturating; NaN gives 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct FpToInt {
    pub signed: bool,
    pub rounding: Rounding,
    /// Fraction bits of a fixed-point result; 0 for an integer.
    pub fbits: u8,
}

/// Conversion from an integer, rounding as FPCR says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct IntToFp {
    pub signed: bool,
    pub fbits: u8,
}

/// Floating point. `s.lane` is the size of the lanes: H, S or D.
pub trait FloatOps: Machine {
    fn fp1(&mut self, op: Fp1, s: Shape, a: Self::Vector) -> Self::Vector;
    fn fp2(&mut self, op: Fp2, s: Shape, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Fused: `Fp3::MulAdd` is `a + b * c` with one rounding.
    fn fp3(&mut self, op: Fp3, s: Shape, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// FCMP and FCMPE of lane 0; sets NZCV.
    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Self::Vector, b: Self::Vector);
    /// FCCMP: as [`FloatOps::fp_compare`] if `cond` holds, else NZCV becomes `nzcv`.
    fn fp_cond_compare(
        &mut self,
        size: FpSize,
        signaling: bool,
        cond: Cond,
        a: Self::Vector,
        b: Self::Vector,
        nzcv: u8,
    );
    /// Converts lane 0 to a general register.
    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Self::Vector) -> Self::Value;
    /// FJCVTZS: lane 0, a double, modulo 2^32; NZCV becomes 0, Z set if nothing was lost.
    fn fp_to_js_int(&mut self, a: Self::Vector) -> Self::Value;
    /// Converts a general register to lane 0, the rest zero.
    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Self::Value) -> Self::Vector;
    /// Lane-wise conversion to integers of the same size.
    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Self::Vector) -> Self::Vector;
    /// Lane-wise conversion from integers of the same size.
    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Self::Vector) -> Self::Vector;
}
