//! SHA-512: two of the working variables stand in each vector (Arm ARM C7.2, SHA512H).
//!
//! The second half of an operation needs the first's result, so only lane 0 of most
//! registers counts.

use super::Lower;
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::Lane;

/// VPSRLQ and VPSLLQ by immediate: VPSHIFT_Q with these opcode extensions.
const RIGHT: u8 = 2;
const LEFT: u8 = 6;

/// A rotation or shift to the right of a sigma function.
#[derive(Clone, Copy)]
enum Turn {
    Rotate(u8),
    Shift(u8),
}
use Turn::{Rotate, Shift};

const LARGE_SIGMA0: [Turn; 3] = [Rotate(28), Rotate(34), Rotate(39)];
const LARGE_SIGMA1: [Turn; 3] = [Rotate(14), Rotate(18), Rotate(41)];
const SMALL_SIGMA0: [Turn; 3] = [Rotate(1), Rotate(8), Shift(7)];
const SMALL_SIGMA1: [Turn; 3] = [Rotate(19), Rotate(61), Shift(6)];

impl Lower<'_> {
    /// `d = a` rotated right within words or doublewords; `d` differs from `a`.
    pub(super) fn rotate_right(&mut self, lane: Lane, d: Xmm, a: Xmm, n: u8) {
        let (double, form) = match lane {
            Lane::D => (true, VPSHIFT_Q),
            _ => (false, VPSHIFT_D),
        };
        match (lane, n) {
            (_, 0) => self.asm.vmov(d, a),
            _ if self.target.features.avx512 => self.asm.rotate_right(double, d, a, n),
            (Lane::D, 8) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(ror8_d)),
            (Lane::S, 8) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(ror8_s)),
            (Lane::S, 16) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(rev32_h)),
            (Lane::S, 24) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(ror24_s)),
            _ => {
                let t = self.scratch();
                self.asm.vshift(form, RIGHT, d, a, n);
                self.asm.vshift(form, LEFT, t, a, lane.bits() as u8 - n);
                self.asm.v3(VPOR, d, d, t);
                self.done_with(t);
            }
        }
    }

    /// The XOR of three turns of `a`; `d` differs from `a`.
    fn sigma(&mut self, [first, rest @ ..]: [Turn; 3], d: Xmm, a: Xmm) {
        let t = self.scratch();
        self.turn(first, d, a);
        for turn in rest {
            self.turn(turn, t, a);
            self.asm.v3(VPXOR, d, d, t);
        }
        self.done_with(t);
    }

    fn turn(&mut self, turn: Turn, d: Xmm, a: Xmm) {
        match turn {
            Rotate(n) => self.rotate_right(Lane::D, d, a, n),
            Shift(n) => self.asm.vshift(VPSHIFT_Q, RIGHT, d, a, n),
        }
    }

    /// The upper doubleword moved down.
    fn high(&mut self, d: Xmm, a: Xmm) {
        self.asm.v3(VPUNPCKHQDQ, d, a, a);
    }

    /// SHA512SU0: `a` plus sigma0 of the words one further on.
    pub(super) fn sha512_su0(&mut self, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.scratch();
        self.asm.v3i(VPALIGNR, t, b, a, 8);
        self.sigma(SMALL_SIGMA0, d, t);
        self.asm.v3(VPADDQ, d, d, a);
        self.done_with(t);
    }

    pub(super) fn sha512_su1(&mut self, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        self.sigma(SMALL_SIGMA1, d, rb);
        self.asm.v3(VPADDQ, d, d, ra);
        self.asm.v3(VPADDQ, d, d, rc);
        self.vbind(d);
    }

    /// SHA512H: sums of choice and Sigma1, of the upper variable, then of the lower one.
    pub(super) fn sha512_h(&mut self, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let (e, f, t) = (self.scratch(), self.scratch(), self.scratch());
        // e = c1, f = b1: choose(e, b0, f).
        self.high(e, rc);
        self.high(f, rb);
        self.sigma(LARGE_SIGMA1, d, e);
        self.choose(t, (e, rb, f));
        self.asm.v3(VPADDQ, d, d, t);
        self.high(t, ra);
        self.asm.v3(VPADDQ, d, d, t);
        // f = d + c0: choose(f, e, b0).
        self.asm.v3(VPADDQ, f, d, rc);
        self.choose(t, (f, e, rb));
        self.sigma(LARGE_SIGMA1, e, f);
        self.asm.v3(VPADDQ, t, t, e);
        self.asm.v3(VPADDQ, t, t, ra);
        self.asm.v3(VPUNPCKLQDQ, d, t, d);
        self.vbind(d);
    }

    /// `z ^ (x & (y ^ z))`; `d` differs from all.
    fn choose(&mut self, d: Xmm, (x, y, z): (Xmm, Xmm, Xmm)) {
        self.asm.v3(VPXOR, d, y, z);
        self.asm.v3(VPAND, d, d, x);
        self.asm.v3(VPXOR, d, d, z);
    }

    /// SHA512H2: sums of majority and Sigma0.
    pub(super) fn sha512_h2(&mut self, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let (e, both, t) = (self.scratch(), self.scratch(), self.scratch());
        // The majority of x, y and z is (x & (y ^ z)) ^ (y & z); y and z are c0 and c1 first.
        self.high(e, rc);
        self.sigma(LARGE_SIGMA0, d, rc);
        self.asm.v3(VPXOR, t, e, rc);
        self.asm.v3(VPAND, both, e, rc);
        let x = self.scratch();
        self.asm.v3(VPAND, x, t, rb);
        self.asm.v3(VPXOR, x, x, both);
        self.asm.v3(VPADDQ, d, d, x);
        self.high(x, ra);
        self.asm.v3(VPADDQ, d, d, x);
        // Again with the sum in place of b0.
        self.asm.v3(VPAND, t, t, d);
        self.asm.v3(VPXOR, t, t, both);
        self.sigma(LARGE_SIGMA0, x, d);
        self.asm.v3(VPADDQ, t, t, x);
        self.asm.v3(VPADDQ, t, t, ra);
        self.asm.v3(VPUNPCKLQDQ, d, t, d);
        self.vbind(d);
    }
}
