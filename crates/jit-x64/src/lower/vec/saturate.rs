//! Saturating operations. What saturated is gathered in `HostState::saturated`, which FPSR.QC
//! is made of.

use super::{
    ADD, EQ, GT, Lower, MAX_CONST, SHIFT_ARITHMETIC, SHIFT_LEFT, SHIFT_RIGHT, SIGN_CONST, SIGN_WIDEN, SUB,
    ZERO_WIDEN, by_lane, const_by_lane,
};
use crate::asm::Xmm;
use crate::asm::mem::{Mem, VMOVUPS_STORE, Vex};
use crate::asm::sse::*;
use crate::ir::Ref;
use crate::{const_offset, host_offset};
use semantics::ops::{Lane, Shape, Span, Vec3, VecShift};

/// How lanes are read, and the limits they saturate to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    Signed,
    Unsigned,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sum {
    Add,
    Sub,
}

/// The limits of a narrowing operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Narrowing {
    Signed,
    Unsigned,
    SignedToUnsigned,
}

/// Whether a bit shifted out rounds the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    Down,
    Nearest,
}

const SATURATED: i32 = host_offset!(saturated);

const ADD_SIGNED: [Option<Vex>; 4] = [Some(VPADDSB), Some(VPADDSW), None, None];
const ADD_UNSIGNED: [Option<Vex>; 4] = [Some(VPADDUSB), Some(VPADDUSW), None, None];
const SUB_SIGNED: [Option<Vex>; 4] = [Some(VPSUBSB), Some(VPSUBSW), None, None];
const SUB_UNSIGNED: [Option<Vex>; 4] = [Some(VPSUBUSB), Some(VPSUBUSW), None, None];
/// By the lane narrowed to.
const PACK_SIGNED: [Option<Vex>; 4] = [Some(VPACKSSWB), Some(VPACKSSDW), None, None];
const PACK_UNSIGNED: [Option<Vex>; 4] = [Some(VPACKUSWB), Some(VPACKUSDW), None, None];

impl Lower<'_> {
    /// `t` has bits set in lanes that saturated, and is lost.
    pub(super) fn note_saturation(&mut self, s: Shape, t: Xmm) {
        self.cut(s, t);
        self.asm.v3_state(VPOR, t, t, SATURATED);
        self.asm.vex_mem(VMOVUPS_STORE, t, None, Mem::state(SATURATED));
        self.done_with(t);
    }

    pub(super) fn invert(&mut self, t: Xmm) {
        self.asm.v3_state(VPXOR, t, t, const_offset!(ones));
    }

    /// `d = op(a, [constant of the lane])`.
    pub(super) fn with_const(&mut self, op: Vex, lane: Lane, d: Xmm, a: Xmm, constants: [i32; 4]) {
        self.asm.v3_state(op, d, a, const_by_lane(lane, constants));
    }

    /// All ones where the lane is negative.
    pub(super) fn sign_mask(&mut self, lane: Lane, d: Xmm, a: Xmm) {
        match lane {
            Lane::H => self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, d, a, 15),
            Lane::S => self.asm.vshift(VPSHIFT_D, SHIFT_ARITHMETIC, d, a, 31),
            Lane::B | Lane::D | Lane::Q => {
                self.asm.vzero(d);
                self.three(GT, lane, d, d, a);
            }
        }
    }

    /// The limit of the signed lane in the direction of `a`.
    fn signed_limit(&mut self, lane: Lane, d: Xmm, a: Xmm) {
        self.sign_mask(lane, d, a);
        self.with_const(VPXOR, lane, d, d, MAX_CONST);
    }

    /// `d = b` where `mask` is set (all bits of the lane or its sign), else `a`.
    pub(super) fn blend(&mut self, lane: Lane, d: Xmm, a: Xmm, b: Xmm, mask: Xmm) {
        let form = match lane {
            Lane::S => VBLENDVPS,
            Lane::D => VBLENDVPD,
            Lane::B | Lane::H | Lane::Q => VPBLENDVB,
        };
        // imm8[7:4] names the mask register.
        self.asm.v3i(form, d, a, b, mask.0 << 4);
    }

    /// SQADD, UQADD, SQSUB, UQSUB.
    pub(super) fn saturating_sum(&mut self, (sign, sum): (Sign, Sum), s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        match (s.lane, sign) {
            (Lane::B | Lane::H, _) => {
                let (saturating, wrapping) = match (sign, sum) {
                    (Sign::Signed, Sum::Add) => (ADD_SIGNED, ADD),
                    (Sign::Signed, Sum::Sub) => (SUB_SIGNED, SUB),
                    (Sign::Unsigned, Sum::Add) => (ADD_UNSIGNED, ADD),
                    (Sign::Unsigned, Sum::Sub) => (SUB_UNSIGNED, SUB),
                };
                let t = self.scratch();
                self.three(wrapping, s.lane, t, a, b);
                self.three(saturating, s.lane, d, a, b);
                self.asm.v3(VPXOR, t, t, d);
                self.note_saturation(s, t);
            }
            (_, Sign::Signed) => self.saturating_sum_signed(sum, s, d, a, b),
            (Lane::S, Sign::Unsigned) => {
                let t = self.scratch();
                match sum {
                    // At most what is left up to the limit is added.
                    Sum::Add => {
                        self.asm.v3_state(VPXOR, t, a, const_offset!(ones));
                        self.asm.v3(VPMINUD, t, t, b);
                        self.asm.v3(VPADDD, d, a, t);
                    }
                    Sum::Sub => {
                        self.asm.v3(VPMINUD, t, a, b);
                        self.asm.v3(VPSUBD, d, a, t);
                    }
                }
                self.asm.v3(VPXOR, t, t, b);
                self.note_saturation(s, t);
            }
            (_, Sign::Unsigned) => {
                let (t, u) = (self.scratch(), self.scratch());
                self.asm.v3_state(VPXOR, t, a, const_offset!(sign_d));
                match sum {
                    Sum::Add => {
                        self.asm.v3(VPADDQ, d, a, b);
                        self.asm.v3_state(VPXOR, u, d, const_offset!(sign_d));
                        self.asm.v3(VPCMPGTQ, t, t, u);
                        self.asm.v3(VPOR, d, d, t);
                    }
                    Sum::Sub => {
                        self.asm.v3_state(VPXOR, u, b, const_offset!(sign_d));
                        self.asm.v3(VPCMPGTQ, t, u, t);
                        self.asm.v3(VPSUBQ, d, a, b);
                        self.asm.v3(VPANDN, d, t, d);
                    }
                }
                self.done_with(u);
                self.note_saturation(s, t);
            }
        }
    }

    /// Words and doublewords: the signs tell of the overflow.
    fn saturating_sum_signed(&mut self, sum: Sum, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let lane = s.lane;
        let (t, u) = (self.scratch(), self.scratch());
        match sum {
            Sum::Add => {
                self.three(ADD, lane, d, a, b);
                self.asm.v3(VPXOR, u, b, d);
            }
            Sum::Sub => {
                self.three(SUB, lane, d, a, b);
                self.asm.v3(VPXOR, u, a, b);
            }
        }
        self.asm.v3(VPXOR, t, a, d);
        self.asm.v3(VPAND, t, t, u);
        self.signed_limit(lane, u, a);
        self.blend(lane, d, d, u, t);
        self.with_const(VPAND, lane, t, t, SIGN_CONST);
        self.done_with(u);
        self.note_saturation(s, t);
    }

    /// SUQADD and USQADD. With the accumulator's sign bit inverted, its limits are those of
    /// the other signedness.
    pub(super) fn saturating_mixed(&mut self, sign: Sign, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let x = self.scratch();
        self.with_const(VPXOR, s.lane, x, a, SIGN_CONST);
        self.saturating_sum((sign, Sum::Add), s, d, x, b);
        self.with_const(VPXOR, s.lane, d, d, SIGN_CONST);
        self.done_with(x);
    }

    /// SQABS: only the most negative number stays negative.
    pub(super) fn saturating_abs(&mut self, s: Shape, d: Xmm, a: Xmm) {
        let t = self.scratch();
        self.sign_mask(s.lane, t, a);
        self.asm.v3(VPXOR, d, a, t);
        self.three(SUB, s.lane, d, d, t);
        self.sign_mask(s.lane, t, d);
        self.three(ADD, s.lane, d, d, t);
        self.note_saturation(s, t);
    }

    /// SQNEG: of the most negative number, both the number and its negation are negative.
    pub(super) fn saturating_negate(&mut self, s: Shape, d: Xmm, a: Xmm) {
        let (t, u) = (self.scratch(), self.scratch());
        self.asm.vzero(d);
        self.three(SUB, s.lane, d, d, a);
        self.asm.v3(VPAND, u, a, d);
        self.sign_mask(s.lane, t, u);
        self.three(ADD, s.lane, d, d, t);
        self.done_with(u);
        self.note_saturation(s, t);
    }

    /// SQXTN, UQXTN, SQXTUN; `s` is the shape of the result.
    pub(super) fn saturating_narrow(&mut self, how: Narrowing, s: Shape, d: Xmm, a: Xmm) {
        if s.lane == Lane::S {
            return self.saturating_narrow_to_words(how, s, d, a);
        }
        let t = self.scratch();
        let wide = Shape {
            lane: s.lane.wider(),
            span: if s.span == Span::Scalar {
                Span::Scalar
            } else {
                Span::Full
            },
        };
        let (pack, widen) = match how {
            Narrowing::Signed => (PACK_SIGNED, SIGN_WIDEN),
            Narrowing::SignedToUnsigned => (PACK_UNSIGNED, ZERO_WIDEN),
            Narrowing::Unsigned => {
                let (min, limit) = if s.lane == Lane::B {
                    (VPMINUW, const_offset!(low_byte_h))
                } else {
                    (VPMINUD, const_offset!(low_half_s))
                };
                self.asm.v3_state(min, t, a, limit);
                self.three(PACK_UNSIGNED, s.lane, d, t, t);
                self.asm.v3(VPXOR, t, t, a);
                return self.note_saturation(wide, t);
            }
        };
        self.three(pack, s.lane, d, a, a);
        let form = by_lane(wide.lane, widen).expect("only H and S are widened to");
        self.asm.v2(form, t, d);
        self.asm.v3(VPXOR, t, t, a);
        self.note_saturation(wide, t);
    }

    /// From doublewords, whose upper halves tell whether the lower ones are the result.
    fn saturating_narrow_to_words(&mut self, how: Narrowing, s: Shape, d: Xmm, a: Xmm) {
        let (t, u) = (self.scratch(), self.scratch());
        self.asm.v2i(VPSHUFD, d, a, 0x08);
        self.asm.v2i(VPSHUFD, u, a, 0x0d);
        if how == Narrowing::Signed {
            self.sign_mask(Lane::S, t, d);
            self.asm.v3(VPCMPEQD, t, t, u);
            self.signed_limit(Lane::S, u, u);
            self.blend(Lane::S, d, u, d, t);
            self.invert(t);
        } else {
            self.asm.vzero(t);
            self.asm.v3(VPCMPEQD, t, t, u);
            self.invert(t);
            self.asm.v3(VPOR, d, d, t);
            if how == Narrowing::SignedToUnsigned {
                self.sign_mask(Lane::S, u, u);
                self.asm.v3(VPANDN, d, u, d);
            }
        }
        self.done_with(u);
        self.note_saturation(s, t);
    }

    /// SQSHL, UQSHL, SQSHLU by an immediate: what does not come back when shifted back is lost.
    pub(super) fn saturating_shift_left(&mut self, op: VecShift, s: Shape, d: Xmm, a: Xmm, amount: u8) {
        let lane = s.lane;
        let t = self.scratch();
        self.shift_left(lane, d, a, amount);
        match op {
            VecShift::SqShl => self.shift_arithmetic(lane, t, d, amount),
            _ => self.shift_right(lane, t, d, amount),
        }
        self.three(EQ, lane, t, t, a);
        match op {
            VecShift::SqShl => {
                let u = self.scratch();
                self.signed_limit(lane, u, a);
                self.blend(Lane::B, d, u, d, t);
                self.done_with(u);
                self.invert(t);
            }
            VecShift::SqShlu => {
                let u = self.scratch();
                self.invert(t);
                self.sign_mask(lane, u, a);
                self.asm.v3(VPOR, d, d, t);
                self.asm.v3(VPANDN, d, u, d);
                self.asm.v3(VPOR, t, t, u);
                self.done_with(u);
            }
            _ => {
                self.invert(t);
                self.asm.v3(VPOR, d, d, t);
            }
        }
        self.note_saturation(s, t);
    }

    /// SQDMULH and SQRDMULH: only the square of the most negative number gives it again.
    pub(super) fn doubling_high(&mut self, rounding: Rounding, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        match (s.lane, rounding) {
            (Lane::H, Rounding::Nearest) => self.asm.v3(VPMULHRSW, d, a, b),
            (Lane::H, Rounding::Down) => {
                self.asm.v3(VPMULHW, d, a, b);
                self.asm.v3(VPMULLW, t, a, b);
                self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, d, 1);
                self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, t, 15);
                self.asm.v3(VPOR, d, d, t);
            }
            _ => {
                self.doubled_products(d, t, a, b);
                if rounding == Rounding::Nearest {
                    self.asm.v3_state(VPADDQ, d, d, const_offset!(half_unit_d));
                    self.asm.v3_state(VPADDQ, t, t, const_offset!(half_unit_d));
                }
                self.join_high_words(d, t);
            }
        }
        self.with_const(by_lane(s.lane, EQ).expect("H and S"), s.lane, t, d, SIGN_CONST);
        self.asm.v3(VPXOR, d, d, t);
        self.note_saturation(s, t);
    }

    /// Twice the products of the even words, and of the odd ones.
    fn doubled_products(&mut self, even: Xmm, odd: Xmm, a: Xmm, b: Xmm) {
        // The odd words of `b` first: `even` serves as a temporary.
        self.asm.v2i(VPSHUFD, odd, a, 0xf5);
        self.asm.v2i(VPSHUFD, even, b, 0xf5);
        self.asm.v3(VPMULDQ, odd, odd, even);
        self.asm.v3(VPMULDQ, even, a, b);
        self.asm.v3(VPADDQ, even, even, even);
        self.asm.v3(VPADDQ, odd, odd, odd);
    }

    /// The upper words of `even` and `odd`, in order, in `even`.
    fn join_high_words(&mut self, even: Xmm, odd: Xmm) {
        self.asm.vshift(VPSHIFT_Q, SHIFT_RIGHT, even, even, 32);
        self.asm.v3i(VPBLENDD, even, even, odd, 0b1010);
    }

    /// SQDMULL: likewise.
    pub(super) fn doubling_long(&mut self, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        self.multiply_long(true, s.lane, d, a, b);
        self.three(ADD, s.lane, d, d, d);
        let t = self.scratch();
        self.with_const(by_lane(s.lane, EQ).expect("S and D"), s.lane, t, d, SIGN_CONST);
        self.asm.v3(VPXOR, d, d, t);
        self.note_saturation(s, t);
    }

    /// SQDMLAL and SQDMLSL.
    pub(super) fn doubling_accumulate(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let product = self.scratch();
        self.doubling_long(s, product, rb, rc);
        let sum = if op == Vec3::SqDmlal { Sum::Add } else { Sum::Sub };
        self.saturating_sum((Sign::Signed, sum), s, d, ra, product);
        self.cut(s, d);
        self.vbind(d);
    }

    /// SQRDMLAH and SQRDMLSH. As the accumulator counts whole units of the upper half, the
    /// product can be rounded before: to a half up for a sum, down for a difference.
    pub(super) fn rounding_accumulate(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let product = self.scratch();
        if s.lane == Lane::H {
            self.rounding_accumulate_halfwords(op, s, d, product, (ra, rb, rc));
        } else {
            // The negated product's upper half always fits, that of the product may not.
            let odd = self.scratch();
            let even = self.scratch();
            self.doubled_products(product, odd, rb, rc);
            let (unit, sum) = if op == Vec3::SqRdmlah {
                (const_offset!(below_half_unit_d), Sum::Sub)
            } else {
                (const_offset!(half_unit_d), Sum::Add)
            };
            self.load_const(even, unit);
            self.asm.v3(VPSUBQ, odd, even, odd);
            self.asm.v3(VPSUBQ, product, even, product);
            self.join_high_words(product, odd);
            self.done_with(odd);
            self.done_with(even);
            self.saturating_sum((Sign::Signed, sum), s, d, ra, product);
        }
        self.cut(s, d);
        self.vbind(d);
    }

    fn rounding_accumulate_halfwords(
        &mut self,
        op: Vec3,
        s: Shape,
        d: Xmm,
        product: Xmm,
        (ra, rb, rc): (Xmm, Xmm, Xmm),
    ) {
        let (t, u) = (self.scratch(), self.scratch());
        self.asm.v3(VPMULHRSW, product, rb, rc);
        let (wrapping, saturating, correction) = if op == Vec3::SqRdmlah {
            (VPADDW, VPADDSW, VPSUBSW)
        } else {
            // Halves were rounded up: back by one.
            self.asm.v3(VPMULLW, t, rb, rc);
            self.asm.v3(VPADDW, t, t, t);
            self.asm.v3_state(VPCMPEQW, t, t, const_offset!(sign_h));
            self.asm.v3(VPADDW, product, product, t);
            (VPSUBW, VPSUBSW, VPADDSW)
        };
        self.asm.v3(wrapping, u, ra, product);
        // 32768 does not fit: 32767, then one more.
        self.asm.v3_state(VPCMPEQW, t, product, const_offset!(sign_h));
        self.asm.v3(VPXOR, product, product, t);
        self.asm.v3(saturating, d, ra, product);
        self.asm.v3(correction, d, d, t);
        self.asm.v3(VPXOR, u, u, d);
        self.done_with(t);
        self.note_saturation(s, u);
    }
}
