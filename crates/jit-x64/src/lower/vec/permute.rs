//! Lanes moved about within and between vectors.

use super::{BROADCAST, Lower, SHIFT_LEFT, SHIFT_RIGHT, by_lane};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use semantics::ops::{Lane, Shape, Span, Vec1};

impl Lower<'_> {
    pub(super) fn reverse(&mut self, op: Vec1, lane: Lane, d: Xmm, a: Xmm) {
        let order = match (op, lane) {
            (Vec1::Rev16, _) => const_offset!(rev16_b),
            (Vec1::Rev32, Lane::B) => const_offset!(rev32_b),
            (Vec1::Rev32, _) => const_offset!(rev32_h),
            (_, Lane::B) => const_offset!(rev64_b),
            (_, Lane::H) => const_offset!(rev64_h),
            _ => return self.asm.v2i(VPSHUFD, d, a, 0xb1),
        };
        self.asm.v3_state(VPSHUFB, d, a, order);
    }

    /// The even (or odd) parts of `a`'s wide lanes, as `lane`s in the low half.
    pub(super) fn narrow(&mut self, lane: Lane, d: Xmm, a: Xmm, odd: bool) {
        match (lane, odd) {
            (Lane::B, false) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(even_b)),
            (Lane::B, true) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(odd_b)),
            (Lane::H, false) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(even_h)),
            (Lane::H, true) => self.asm.v3_state(VPSHUFB, d, a, const_offset!(odd_h)),
            _ => {
                self.asm.v2i(VPSHUFD, d, a, if odd { 0x0d } else { 0x08 });
                self.asm.vmovq(d, d);
            }
        }
    }

    /// Even (or odd) lanes of `a`, then of `b`.
    pub(super) fn unzip(&mut self, odd: bool, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        if s.span != Span::Full {
            self.asm.v3(VPUNPCKLQDQ, d, a, b);
            return self.narrow(s.lane, d, d, odd);
        }
        match s.lane {
            Lane::S => self.asm.v3i(VSHUFPS, d, a, b, if odd { 0xdd } else { 0x88 }),
            Lane::D => self.asm.v3(if odd { VPUNPCKHQDQ } else { VPUNPCKLQDQ }, d, a, b),
            _ => {
                let t = self.scratch();
                self.narrow(s.lane, t, b, odd);
                self.narrow(s.lane, d, a, odd);
                self.asm.v3(VPUNPCKLQDQ, d, d, t);
                self.done_with(t);
            }
        }
    }

    pub(super) fn transpose(&mut self, second: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        if lane == Lane::D {
            return self
                .asm
                .v3(if second { VPUNPCKHQDQ } else { VPUNPCKLQDQ }, d, a, b);
        }
        // The lanes that move are shifted within pairs; then the two are blended.
        let (shift, amount) = match lane {
            Lane::B => (VPSHIFT_W, 8),
            Lane::H => (VPSHIFT_D, 16),
            _ => (VPSHIFT_Q, 32),
        };
        let (even, odd) = if second {
            self.asm.vshift(shift, SHIFT_RIGHT, d, a, amount);
            (d, b)
        } else {
            self.asm.vshift(shift, SHIFT_LEFT, d, b, amount);
            (a, d)
        };
        match lane {
            Lane::S => self.asm.v3i(VPBLENDD, d, even, odd, 0b1010),
            Lane::H => self.asm.v3i(VPBLENDW, d, even, odd, 0xaa),
            _ => {
                let (mask, t) = (self.scratch(), self.scratch());
                self.load_const(mask, const_offset!(low_byte_h));
                self.asm.v3(VPAND, t, even, mask);
                self.asm.v3(VPANDN, d, mask, odd);
                self.asm.v3(VPOR, d, d, t);
            }
        }
    }

    pub(in crate::lower) fn broadcast(&mut self, lane: Lane, d: Xmm, s: Xmm) {
        let form = by_lane(lane, BROADCAST).expect("lanes are at most 64 bits wide");
        self.asm.v2(form, d, s);
    }
}
