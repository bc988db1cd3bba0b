//! Leading zeros and sign bits.

use super::{ADD, Lower, SHIFT_RIGHT, by_lane};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use semantics::ops::Lane;

impl Lower<'_> {
    /// CLZ: of the bytes, from tables of nibbles; then from halves where the upper one is zero.
    pub(super) fn leading_zeros(&mut self, lane: Lane, d: Xmm, a: Xmm) {
        self.nibbles(d, a, const_offset!(clz_low), const_offset!(clz_high), VPMINUB);
        if lane == Lane::B {
            return;
        }
        let t = self.scratch();
        self.asm.v3_state(VPCMPEQB, t, d, const_offset!(eight_b));
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, t, 8);
        self.asm.v3(VPAND, t, t, d);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, d, 8);
        self.asm.v3(VPADDW, d, d, t);
        if lane == Lane::S {
            self.asm.v3_state(VPCMPEQW, t, d, const_offset!(sixteen_h));
            self.asm.vshift(VPSHIFT_D, SHIFT_RIGHT, t, t, 16);
            self.asm.v3(VPAND, t, t, d);
            self.asm.vshift(VPSHIFT_D, SHIFT_RIGHT, d, d, 16);
            self.asm.v3(VPADDD, d, d, t);
        }
        self.done_with(t);
    }

    /// CLS: the bits that equal the sign become zeros; the sign itself does not count.
    pub(super) fn leading_signs(&mut self, lane: Lane, d: Xmm, a: Xmm) {
        let x = self.scratch();
        self.sign_mask(lane, x, a);
        self.asm.v3(VPXOR, x, x, a);
        self.leading_zeros(lane, d, x);
        let add = by_lane(lane, ADD).expect("lanes are B, H or S");
        self.asm.v3_state(add, d, d, const_offset!(ones));
        self.done_with(x);
    }
}
