//! Shifts by a register: by the signed low byte of each lane, to the right if negative.
//!
//! x86's variable shifts take counts as unsigned, and any that is not below the width
//! as "all out", so the shift in the wrong direction contributes nothing. There are none
//! of bytes and halfwords: these are shifted at the top of words, one after another.

use super::saturate::{Rounding, Sign};
use super::{ADD, EQ, GT, Lower, SHIFT_ARITHMETIC, SHIFT_LEFT, SHIFT_RIGHT, SUB};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use semantics::ops::{Lane, Shape, Span};

/// One of the eight instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VariableShift {
    pub sign: Sign,
    pub rounding: Rounding,
    pub saturating: bool,
}

impl Lower<'_> {
    pub(super) fn shift_by_register(&mut self, how: VariableShift, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        match s.lane {
            Lane::S | Lane::D => {
                let n = self.scratch();
                if s.lane == Lane::S {
                    self.asm.vshift(VPSHIFT_D, SHIFT_LEFT, n, b, 24);
                    self.asm.vshift(VPSHIFT_D, SHIFT_ARITHMETIC, n, n, 24);
                } else {
                    self.asm.v3_state(VPSHUFB, n, b, const_offset!(low_bytes_d));
                    self.asm.v2(VPMOVSXBQ, n, n);
                }
                if let Some(t) = self.shift_lanes(how, s.lane, s.lane, d, a, n) {
                    self.note_saturation(s, t);
                }
                self.done_with(n);
            }
            Lane::B if how.rounding == Rounding::Down && !how.saturating => {
                self.shift_bytes_by_register(how.sign, s, d, a, b);
            }
            Lane::B | Lane::H | Lane::Q => self.shift_parts_by_register(how, s, d, a, b),
        }
    }

    /// Bytes or halfwords, those of the same place in each word at a time.
    fn shift_parts_by_register(&mut self, how: VariableShift, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let bits = s.lane.bits() as u8;
        let (x, n, r) = (self.scratch(), self.scratch(), self.scratch());
        let parts = if s.span == Span::Scalar { 1 } else { 32 / bits };
        let top = if s.lane == Lane::B {
            const_offset!(top_b)
        } else {
            const_offset!(top_h)
        };
        for part in 0..parts {
            let from = part * bits;
            self.asm.vshift(VPSHIFT_D, SHIFT_LEFT, x, a, 32 - bits - from);
            self.asm.v3_state(VPAND, x, x, top);
            self.asm.vshift(VPSHIFT_D, SHIFT_LEFT, n, b, 24 - from);
            self.asm.vshift(VPSHIFT_D, SHIFT_ARITHMETIC, n, n, 24);
            let noted = self.shift_lanes(how, Lane::S, s.lane, r, x, n);
            if let Some(t) = noted {
                self.note_saturation(s, t);
            }
            self.asm.vshift(VPSHIFT_D, SHIFT_RIGHT, r, r, 32 - bits);
            if part == 0 {
                self.asm.vmov(d, r);
            } else {
                self.asm.vshift(VPSHIFT_D, SHIFT_LEFT, r, r, from);
                self.asm.v3(VPOR, d, d, r);
            }
        }
        for t in [x, n, r] {
            self.done_with(t);
        }
    }

    /// `d = x` shifted by `n` in lanes of `lane` (S or D). `of` is the size of what is
    /// shifted, which stands at the top of the lane. Gives what saturated, in a register.
    fn shift_lanes(
        &mut self,
        how: VariableShift,
        lane: Lane,
        of: Lane,
        d: Xmm,
        x: Xmm,
        n: Xmm,
    ) -> Option<Xmm> {
        let (k, right) = (self.scratch(), self.scratch());
        self.asm.vzero(k);
        self.three(SUB, lane, k, k, n);
        self.variable_right(how.sign, lane, right, x, k);
        if how.rounding == Rounding::Nearest {
            self.round_variable(how.sign, lane, of, right, x, k);
        }
        self.asm
            .v3(if lane == Lane::S { VPSLLVD } else { VPSLLVQ }, d, x, n);
        if !how.saturating {
            match how.sign {
                Sign::Unsigned => self.asm.v3(VPOR, d, d, right),
                Sign::Signed => self.blend(lane, d, d, right, n),
            }
            self.done_with(k);
            self.done_with(right);
            return None;
        }
        // Fits: comes back unchanged, or is shifted to the right.
        let fits = k;
        self.variable_right(how.sign, lane, fits, d, n);
        self.three(EQ, lane, fits, fits, x);
        let t = self.scratch();
        self.sign_mask(lane, t, n);
        self.asm.v3(VPOR, fits, fits, t);
        match how.sign {
            Sign::Unsigned => {
                self.asm.v3(VPOR, d, d, right);
                self.invert(fits);
                self.asm.v3(VPOR, d, d, fits);
            }
            Sign::Signed => {
                self.sign_mask(lane, t, x);
                self.with_const(VPXOR, lane, t, t, super::MAX_CONST);
                self.blend(lane, d, t, d, fits);
                self.blend(lane, d, d, right, n);
                self.invert(fits);
            }
        }
        self.done_with(t);
        self.done_with(right);
        Some(fits)
    }

    /// `d = x >> k`; `d` differs from both.
    fn variable_right(&mut self, sign: Sign, lane: Lane, d: Xmm, x: Xmm, k: Xmm) {
        match (lane, sign) {
            (Lane::S, Sign::Signed) => self.asm.v3(VPSRAVD, d, x, k),
            (Lane::S, Sign::Unsigned) => self.asm.v3(VPSRLVD, d, x, k),
            (_, Sign::Unsigned) => self.asm.v3(VPSRLVQ, d, x, k),
            (_, Sign::Signed) => {
                // Of negative numbers, the complement is shifted.
                let m = self.scratch();
                self.asm.vzero(m);
                self.three(GT, lane, m, m, x);
                self.asm.v3(VPXOR, d, x, m);
                self.asm.v3(VPSRLVQ, d, d, k);
                self.asm.v3(VPXOR, d, d, m);
                self.done_with(m);
            }
        }
    }

    /// Adds to `right = x >> k` the last bit shifted out, in what counts of the lane. `k`
    /// is lost.
    fn round_variable(&mut self, sign: Sign, lane: Lane, of: Lane, right: Xmm, x: Xmm, k: Xmm) {
        match of {
            // The bits shifted out are still in the word.
            Lane::B => self
                .asm
                .v3_state(VPADDD, right, right, const_offset!(half_unit_top_b)),
            Lane::H => self
                .asm
                .v3_state(VPADDD, right, right, const_offset!(half_unit_s)),
            Lane::S | Lane::D | Lane::Q => {
                let t = self.scratch();
                let (add, one) = if lane == Lane::S {
                    (VPADDD, const_offset!(one_s))
                } else {
                    (VPADDQ, const_offset!(one_d))
                };
                self.asm.v3_state(add, k, k, const_offset!(ones));
                self.variable_right(sign, lane, t, x, k);
                self.asm.v3_state(VPAND, t, t, one);
                self.three(ADD, lane, right, right, t);
                self.done_with(t);
            }
        }
    }

    /// SSHL and USHL of bytes: by -8 to 7 is bits 15:8 of the product with 1 to 2^15.
    /// Lesser amounts give what -8 gives, greater ones zero.
    fn shift_bytes_by_register(&mut self, sign: Sign, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let (index, low) = (self.scratch(), self.scratch());
        self.asm.v3_state(VPMAXSB, index, b, const_offset!(shift_least));
        self.asm.v3_state(VPADDB, index, index, const_offset!(shift_bias));
        self.load_const(low, const_offset!(shift_low));
        self.asm.v3(VPSHUFB, low, low, index);
        self.load_const(d, const_offset!(shift_high));
        self.asm.v3(VPSHUFB, index, d, index);
        let widen = match sign {
            Sign::Signed => VPMOVSXBW,
            Sign::Unsigned => VPMOVZXBW,
        };
        self.asm.v2(widen, d, a);
        let t = self.scratch();
        self.asm.v3(VPUNPCKLBW, t, low, index);
        self.asm.v3(VPMULLW, d, d, t);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, d, 8);
        if s.span == Span::Full {
            self.asm.v3(VPUNPCKHBW, low, low, index);
            self.asm.v2i(VPSHUFD, t, a, 0xee);
            self.asm.v2(widen, t, t);
            self.asm.v3(VPMULLW, t, t, low);
            self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, t, 8);
        }
        self.asm.v3(VPACKUSWB, d, d, t);
        for t in [index, low, t] {
            self.done_with(t);
        }
    }
}
