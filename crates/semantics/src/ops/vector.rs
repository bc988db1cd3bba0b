//! Vector shapes and lane-wise integer operations.
//!
//! The meaning of each operation is its Rust body in the `soft` crate. In the
//! notes, `lane` is the lane of the given shape, and widening ("long")
//! operations are given the shape of their *result*: they read the low half of
//! their operands in lanes half as wide. Narrowing operations are likewise
//! given the shape of their result, and read lanes twice as wide.

use super::enums::{enumerated, vector_operations};
use super::{Cond, Machine, Width};

enumerated! {
    /// Lane sizes: 8, 16, 32, 64 and (for whole-register operations) 128 bits.
    pub enum Lane { B, H, S, D, Q }
}

impl Lane {
    #[must_use]
    pub const fn bits(self) -> u32 {
        8 << self as u32
    }
    #[must_use]
    pub const fn bytes(self) -> usize {
        1 << self as usize
    }
    /// From log2 of the size in bytes (the `size` field of most encodings).
    #[must_use]
    pub const fn from_log2(log2: u8) -> Self {
        match log2 {
            0 => Lane::B,
            1 => Lane::H,
            2 => Lane::S,
            3 => Lane::D,
            _ => Lane::Q,
        }
    }
    /// The lane twice as wide. `Q` stays.
    #[must_use]
    pub const fn wider(self) -> Self {
        Lane::from_log2(self as u8 + 1)
    }
    /// The lane half as wide. `B` stays.
    #[must_use]
    pub const fn narrower(self) -> Self {
        Lane::from_log2((self as u8).saturating_sub(1))
    }
}

enumerated! {
    /// How much of the register an operation computes; the rest becomes zero.
    pub enum Span {
        /// Lane 0 only.
        Scalar,
        /// The low 64 bits.
        Half,
        /// All 128 bits.
        Full,
    }
}

impl Span {
    #[must_use]
    pub const fn from_q(q: bool) -> Self {
        if q { Span::Full } else { Span::Half }
    }
}

/// Lane size and span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Shape {
    pub lane: Lane,
    pub span: Span,
}

impl Shape {
    #[must_use]
    pub const fn new(lane: Lane, span: Span) -> Self {
        Shape { lane, span }
    }
    /// A whole (`q`) or half register of `lane`s.
    #[must_use]
    pub const fn vector(lane: Lane, q: bool) -> Self {
        Shape {
            lane,
            span: Span::from_q(q),
        }
    }
    #[must_use]
    pub const fn scalar(lane: Lane) -> Self {
        Shape {
            lane,
            span: Span::Scalar,
        }
    }
    /// Number of bits the operation computes.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self.span {
            Span::Scalar => self.lane.bits(),
            Span::Half => 64,
            Span::Full => 128,
        }
    }
    #[must_use]
    pub const fn lanes(self) -> usize {
        (self.bits() / self.lane.bits()) as usize
    }
}

vector_operations! {
    /// One-operand vector operations.
    pub enum Vec1 {
        exact:
            /// The operand, cut to the span (also how a result is cut to 64 bits).
            Mov,
            /// The upper 64 bits moved down (the operand of the "2" instructions).
            HighHalf,
            Not, Neg, Abs, Cls, Clz,
            /// Population count of each byte.
            Cnt,
            /// Bits of each byte reversed.
            Rbit,
            /// Bytes reversed within 16-, 32- or 64-bit parts; lanes as the shape says.
            Rev16, Rev32, Rev64;
        saturating: SqAbs, SqNeg;
        exact:
            /// Narrowing (result shape): keep low half.
            Xtn;
        saturating:
            /// Narrowing: saturate signed, unsigned, signed to unsigned.
            SqXtn, UqXtn, SqXtun;
        exact:
            /// Widening (result shape).
            Sxtl, Uxtl,
            /// Widening pairwise addition (result shape).
            Saddlp, Uaddlp,
            /// Across lanes (operand shape; result in lane 0, the rest zero).
            Addv, Smaxv, Sminv, Umaxv, Uminv,
            /// Across lanes, widening (operand shape).
            Saddlv, Uaddlv,
            /// Unsigned reciprocal and reciprocal square root estimates.
            Urecpe, Ursqrte,
            /// Compares with zero: all ones where true.
            CmEqZero, CmGtZero, CmGeZero, CmLeZero, CmLtZero,
            /// AES mix columns.
            AesMc, AesImc,
            Sha1H;
    }
}

vector_operations! {
    /// Two-operand vector operations.
    pub enum Vec2 {
        exact:
            Add, Sub, Mul,
            And, Or, Xor,
            /// `a & !b`, `a | !b`.
            Bic, Orn,
            Smax, Smin, Umax, Umin;
        saturating: SqAdd, UqAdd, SqSub, UqSub;
        exact:
            /// Halving and rounding halving.
            Shadd, Uhadd, Srhadd, Urhadd, Shsub, Uhsub,
            CmEq, CmGt, CmGe, CmHi, CmHs, CmTst,
            /// Shifts by the signed low byte of each lane of `b`.
            Sshl, Ushl;
        saturating: SqShl, UqShl;
        exact: Srshl, Urshl;
        saturating: SqRshl, UqRshl;
        exact:
            /// Absolute differences.
            Sabd, Uabd,
            /// Carry-less products of bytes.
            Pmul,
            /// Pairwise: `a`'s pairs in the low half, `b`'s in the upper. With a scalar span
            /// (`Addp` of doublewords only): the pair in `a`.
            Addp, Smaxp, Sminp, Umaxp, Uminp;
        saturating:
            /// Doubling multiply returning high half, rounded or not.
            SqDmulh, SqRdmulh;
        exact:
            /// Widening (result shape).
            Saddl, Uaddl, Ssubl, Usubl, Smull, Umull, Sabdl, Uabdl,
            /// Widening carry-less product: H lanes of bytes, or Q of doublewords.
            Pmull;
        saturating:
            /// Doubling widening product.
            SqDmull;
        exact:
            /// `a` has the result's lanes, `b` is widened.
            Saddw, Uaddw, Ssubw, Usubw,
            /// Narrowing to the upper half of each lane (result shape), rounded or not.
            Addhn, Subhn, Raddhn, Rsubhn,
            Zip1, Zip2, Uzp1, Uzp2, Trn1, Trn2;
        saturating:
            /// Accumulate the other signedness: `a` is the accumulator.
            Suqadd, Usqadd;
        exact:
            /// AES rounds: `a` is the state, `b` the key.
            AesE, AesD,
            /// SHA schedule updates: `a` is the accumulator.
            Sha1Su1, Sha256Su0,
            /// `a`'s low 64 bits below, `b`'s low 64 bits above (the result of a "2" narrowing).
            JoinLow,
            /// SHA-512 schedule update and SM4 rounds and keys: `a` is the accumulator.
            Sha512Su0, Sm4E, Sm4EKey;
    }
}

vector_operations! {
    /// Three-operand vector operations; `a` is the accumulator or old destination.
    pub enum Vec3 {
        exact:
            /// `a + b * c`, `a - b * c`.
            Mla, Mls,
            /// `(a & b) | (~a & c)`: a is the mask.
            Bsl;
        saturating:
            /// Doubling multiply-accumulate, widening (result shape): two saturations.
            SqDmlal, SqDmlsl;
        exact:
            /// Widening multiply-accumulate (result shape).
            Smlal, Smlsl, Umlal, Umlsl,
            /// Accumulated absolute difference, plain and widening (result shape).
            Saba, Uaba, Sabal, Uabal,
            Sha1C, Sha1P, Sha1M, Sha1Su0,
            Sha256H, Sha256H2, Sha256Su1;
        saturating:
            /// Rounding doubling multiply-accumulate, high half; saturate once.
            SqRdmlah, SqRdmlsh;
        exact:
            /// Sums of four products of bytes (S lanes): signed, unsigned, unsigned by signed.
            Sdot, Udot, Usdot,
            /// 2x8 by 8x2 matrices of bytes, added to one of 2x2 words.
            Smmla, Ummla, Usmmla,
            Sha512H, Sha512H2, Sha512Su1,
            /// SM3 rounds and schedule. `Sm3Ss1` has no accumulator; the word of a round is in lane 0.
            Sm3Ss1, Sm3Tt1A, Sm3Tt1B, Sm3Tt2A, Sm3Tt2B, Sm3PartW1, Sm3PartW2;
    }
}

vector_operations! {
    /// Shifts by an immediate. Right shift amounts are 1 to the lane's bits, left ones
    /// 0 to bits - 1.
    pub enum VecShift {
        exact:
            Shl, Sshr, Ushr,
            /// Rounding.
            Srshr, Urshr,
            /// Insert: bits shifted in come from the old destination.
            Sli, Sri;
        saturating:
            /// Left shifts; `SqShlu` from signed to unsigned.
            SqShl, UqShl, SqShlu;
        exact:
            /// Narrowing (result shape; the amount is 1 to the *result* lane's bits).
            Shrn, Rshrn;
        saturating: SqShrn, SqRshrn, UqShrn, UqRshrn, SqShrun, SqRshrun;
        exact:
            /// Widening (result shape).
            Sshll, Ushll,
            /// Rotation to the right (D lanes); the amount is 0 to 63.
            Ror;
    }
}

pub trait VectorOps: Machine {
    fn vec_imm(&mut self, value: u128) -> Self::Vector;
    fn vec1(&mut self, op: Vec1, s: Shape, a: Self::Vector) -> Self::Vector;
    fn vec2(&mut self, op: Vec2, s: Shape, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn vec3(&mut self, op: Vec3, s: Shape, a: Self::Vector, b: Self::Vector, c: Self::Vector)
    -> Self::Vector;
    /// Shifts by an immediate. `acc` is the old destination (used by SLI and SRI only).
    fn vec_shift(
        &mut self,
        op: VecShift,
        s: Shape,
        acc: Self::Vector,
        a: Self::Vector,
        amount: u8,
    ) -> Self::Vector;
    /// All lanes of `s` become lane `index` of `a`.
    fn vec_dup_lane(&mut self, s: Shape, a: Self::Vector, index: u8) -> Self::Vector;
    /// All lanes of `s` become the low bits of `value`.
    fn vec_dup(&mut self, s: Shape, value: Self::Value) -> Self::Vector;
    /// `dst` with lane `index` replaced by the low bits of `value`; all 128 bits kept.
    fn vec_set_lane(&mut self, lane: Lane, dst: Self::Vector, index: u8, value: Self::Value) -> Self::Vector;
    /// `dst` with lane `to` replaced by lane `from` of `src`; all 128 bits kept.
    fn vec_copy_lane(
        &mut self,
        lane: Lane,
        dst: Self::Vector,
        to: u8,
        src: Self::Vector,
        from: u8,
    ) -> Self::Vector;
    /// Lane `index` of `a`, zero-extended, or sign-extended to `signed`.
    fn vec_get_lane(&mut self, lane: Lane, a: Self::Vector, index: u8, signed: Option<Width>) -> Self::Value;
    /// Bytes `index..` of the concatenation `hi:lo` (EXT); 8 or 16 of them.
    fn vec_ext(&mut self, s: Span, lo: Self::Vector, hi: Self::Vector, index: u8) -> Self::Vector;
    /// TBL and TBX: `fallback` is what indices out of range give (`None`: zero).
    fn vec_table(
        &mut self,
        s: Span,
        table: &[Self::Vector],
        indices: Self::Vector,
        fallback: Option<Self::Vector>,
    ) -> Self::Vector;
    fn vec_select(&mut self, cond: Cond, a: Self::Vector, b: Self::Vector) -> Self::Vector;
}
