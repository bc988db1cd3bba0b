//! Shifts, by an immediate and by a register.

use super::Lower;
use super::{ADD, SHIFT, SHIFT_ARITHMETIC, SHIFT_LEFT, SHIFT_RIGHT, SUB, by_lane};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Lane, Shape, VecShift};

impl Lower<'_> {
    pub(in crate::lower) fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Ref, a: Ref, amount: u8) {
        let ra = self.vreg(a);
        let racc = matches!(op, VecShift::Sli | VecShift::Sri).then(|| self.vreg(acc));
        let d = self.vdef(None, &[ra, racc.unwrap_or(ra)]);
        let lane = s.lane;
        let bits = lane.bits() as u8;
        match op {
            VecShift::Shl => self.shift_left(lane, d, ra, amount),
            VecShift::Ushr => self.shift_right(lane, d, ra, amount),
            VecShift::Sshr => self.shift_arithmetic(lane, d, ra, amount),
            VecShift::Urshr | VecShift::Srshr => {
                self.shift_rounding(op == VecShift::Srshr, lane, d, ra, amount)
            }
            VecShift::Sli | VecShift::Sri => {
                let t = self.vtemp();
                let old = racc.unwrap_or(ra);
                self.asm.vones(t);
                if op == VecShift::Sli {
                    self.shift_right(lane, t, t, bits - amount);
                    self.asm.v3(VPAND, t, t, old);
                    self.shift_left(lane, d, ra, amount);
                } else {
                    self.shift_left(lane, t, t, bits - amount);
                    self.asm.v3(VPAND, t, t, old);
                    self.shift_right(lane, d, ra, amount);
                }
                self.asm.v3(VPOR, d, d, t);
            }
            VecShift::Shrn => {
                self.shift_right(lane.wider(), d, ra, amount);
                self.narrow(lane, d, d, false);
            }
            VecShift::Rshrn => {
                self.shift_rounding(false, lane.wider(), d, ra, amount);
                self.narrow(lane, d, d, false);
            }
            VecShift::Sshll | VecShift::Ushll => {
                self.widen(op == VecShift::Sshll, lane, d, ra);
                if amount > 0 {
                    self.shift_left(lane, d, d, amount);
                }
            }
            _ => unreachable!("{op:?} is not supported"),
        }
        self.cut(s, d);
        self.vbind(d);
    }

    /// USHL and SSHL: by the signed low byte of each lane. x86's variable shifts take any
    /// count of 32 or more as "all out", so the wrong direction contributes nothing.
    pub(super) fn shift_variable(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let (n, t) = (self.vtemp(), self.vtemp());
        if lane == Lane::S {
            self.asm.vshift(VPSHIFT_D, SHIFT_LEFT, n, b, 24);
            self.asm.vshift(VPSHIFT_D, SHIFT_ARITHMETIC, n, n, 24);
        } else {
            // The byte's sign, spread over the doubleword.
            self.asm.vshift(VPSHIFT_Q, SHIFT_LEFT, n, b, 56);
            self.asm.vzero(t);
            self.asm.v3(VPCMPGTQ, t, t, n);
            self.asm.vshift(VPSHIFT_Q, SHIFT_LEFT, t, t, 8);
            self.asm.vshift(VPSHIFT_Q, SHIFT_RIGHT, n, n, 56);
            self.asm.v3(VPOR, n, n, t);
        }
        let (left, right) = if lane == Lane::S {
            (VPSLLVD, VPSRLVD)
        } else {
            (VPSLLVQ, VPSRLVQ)
        };
        self.asm.vzero(t);
        self.three(SUB, lane, t, t, n);
        if signed {
            self.asm.v3(VPSRAVD, t, a, t);
            self.asm.v3(left, d, a, n);
            // Negative counts take the right shift. (imm8[7:4] names the mask register.)
            self.asm.v3i(VBLENDVPS, d, d, t, n.0 << 4);
        } else {
            self.asm.v3(right, t, a, t);
            self.asm.v3(left, d, a, n);
            self.asm.v3(VPOR, d, d, t);
        }
    }

    pub(super) fn shift_form(&mut self, lane: Lane, ext: u8, d: Xmm, a: Xmm, amount: u8) {
        let form = by_lane(lane, SHIFT).expect("bytes have their own sequences");
        self.asm.vshift(form, ext, d, a, amount);
    }

    /// All bytes of `d` become `byte`.
    pub(super) fn byte_mask(&mut self, d: Xmm, byte: u8) {
        let t = self.temp();
        self.asm.mov_imm(t, u64::from(byte));
        self.asm.vmovd_from(d, t);
        self.asm.v2(VPBROADCASTB_R, d, d);
    }

    pub(super) fn shift_left(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        if lane != Lane::B {
            return self.shift_form(lane, SHIFT_LEFT, d, a, amount);
        }
        let t = self.vtemp();
        self.byte_mask(t, 0xff << amount);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, a, amount);
        self.asm.v3(VPAND, d, d, t);
    }

    pub(super) fn shift_right(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        if lane != Lane::B {
            return self.shift_form(lane, SHIFT_RIGHT, d, a, amount);
        }
        if amount == 8 {
            return self.asm.vzero(d);
        }
        let t = self.vtemp();
        self.byte_mask(t, 0xff >> amount);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, a, amount);
        self.asm.v3(VPAND, d, d, t);
    }

    pub(super) fn shift_arithmetic(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        match lane {
            Lane::H | Lane::S => self.shift_form(lane, SHIFT_ARITHMETIC, d, a, amount),
            Lane::D => {
                let t = self.vtemp();
                self.asm.vzero(t);
                self.asm.v3(VPCMPGTQ, t, t, a);
                self.asm.vshift(VPSHIFT_Q, SHIFT_LEFT, t, t, 64 - amount);
                self.asm.vshift(VPSHIFT_Q, SHIFT_RIGHT, d, a, amount);
                self.asm.v3(VPOR, d, d, t);
            }
            Lane::B | Lane::Q => {
                // Bytes: the odd ones in place, the even ones from the upper half of a word.
                let (t, mask) = (self.vtemp(), self.vtemp());
                self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, t, a, 8);
                self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, t, t, amount);
                self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, t, 8);
                self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, d, a, amount);
                self.load_const(mask, const_offset!(low_byte_h));
                self.asm.v3(VPANDN, d, mask, d);
                self.asm.v3(VPOR, d, d, t);
            }
        }
    }

    /// `(a >> n) + bit n-1 of a`; `d` differs from `a`.
    pub(super) fn shift_rounding(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        let t = self.vtemp();
        let bits = lane.bits() as u8;
        // Bit n-1 moved to the top and back down.
        self.shift_form(lane, SHIFT_LEFT, t, a, bits - amount);
        self.shift_form(lane, SHIFT_RIGHT, t, t, bits - 1);
        if signed {
            self.shift_form(lane, SHIFT_ARITHMETIC, d, a, amount);
        } else {
            self.shift_form(lane, SHIFT_RIGHT, d, a, amount);
        }
        self.three(ADD, lane, d, d, t);
    }
}
