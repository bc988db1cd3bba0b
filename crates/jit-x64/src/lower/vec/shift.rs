//! Shifts, by an immediate and by a register.

use super::Lower;
use super::saturate::Narrowing;
use super::{ADD, SHIFT, SHIFT_ARITHMETIC, SHIFT_LEFT, SHIFT_RIGHT, by_lane};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Lane, Shape, VecShift};

impl Lower<'_> {
    pub(in crate::lower) fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Ref, a: Ref, amount: u8) {
        let lane = s.lane;
        // These are made of instructions that take all vector registers.
        let may_be_high = lane != Lane::B
            && matches!(
                (op, lane),
                (
                    VecShift::Shl | VecShift::Ushr | VecShift::Ror | VecShift::Sli | VecShift::Sri,
                    _
                ) | (VecShift::Sshr, Lane::H | Lane::S)
            );
        let ra = self.vreg_where(a, may_be_high);
        let racc = matches!(op, VecShift::Sli | VecShift::Sri).then(|| self.vreg_where(acc, may_be_high));
        let d = self.vdef_where(may_be_high, None, &[ra, racc.unwrap_or(ra)]);
        let bits = lane.bits() as u8;
        match op {
            VecShift::Shl => self.shift_left(lane, d, ra, amount),
            VecShift::Ushr => self.shift_right(lane, d, ra, amount),
            VecShift::Sshr => self.shift_arithmetic(lane, d, ra, amount),
            VecShift::Urshr | VecShift::Srshr => {
                self.shift_rounding(op == VecShift::Srshr, lane, d, ra, amount)
            }
            VecShift::Sli | VecShift::Sri => {
                let t = self.scratch();
                let old = racc.unwrap_or(ra);
                if lane == Lane::B {
                    return self.insert_bytes(op, s, (d, t), (ra, old), amount);
                }
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
            VecShift::SqShl | VecShift::UqShl | VecShift::SqShlu => {
                self.saturating_shift_left(op, s, d, ra, amount);
            }
            VecShift::SqShrn
            | VecShift::SqRshrn
            | VecShift::UqShrn
            | VecShift::UqRshrn
            | VecShift::SqShrun
            | VecShift::SqRshrun => self.saturating_shift_narrow(op, s, d, ra, amount),
            VecShift::Ror => self.rotate_right(lane, d, ra, amount),
        }
        self.cut(s, d);
        self.vbind(d);
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
        let t = self.scratch();
        self.byte_mask(t, 0xff << amount);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, a, amount);
        self.asm.v3(VPAND, d, d, t);
        self.done_with(t);
    }

    pub(super) fn shift_right(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        if lane != Lane::B {
            return self.shift_form(lane, SHIFT_RIGHT, d, a, amount);
        }
        if amount == 8 {
            return self.asm.vzero(d);
        }
        let t = self.scratch();
        self.byte_mask(t, 0xff >> amount);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, a, amount);
        self.asm.v3(VPAND, d, d, t);
        self.done_with(t);
    }

    pub(super) fn shift_arithmetic(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        match lane {
            Lane::H | Lane::S => self.shift_form(lane, SHIFT_ARITHMETIC, d, a, amount),
            Lane::D => {
                let t = self.scratch();
                self.asm.vzero(t);
                self.asm.v3(VPCMPGTQ, t, t, a);
                self.asm.vshift(VPSHIFT_Q, SHIFT_LEFT, t, t, 64 - amount);
                self.asm.vshift(VPSHIFT_Q, SHIFT_RIGHT, d, a, amount);
                self.asm.v3(VPOR, d, d, t);
                self.done_with(t);
            }
            Lane::B | Lane::Q => {
                // Bytes: the odd ones in place, the even ones from the upper half of a word.
                let (t, mask) = (self.scratch(), self.scratch());
                self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, t, a, 8);
                self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, t, t, amount);
                self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, t, 8);
                self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, d, a, amount);
                self.load_const(mask, const_offset!(low_byte_h));
                self.asm.v3(VPANDN, d, mask, d);
                self.asm.v3(VPOR, d, d, t);
                self.done_with(t);
                self.done_with(mask);
            }
        }
    }

    /// SLI and SRI of bytes: the bits kept are those of one mask.
    fn insert_bytes(&mut self, op: VecShift, s: Shape, (d, t): (Xmm, Xmm), (a, old): (Xmm, Xmm), amount: u8) {
        let mask = self.scratch();
        if op == VecShift::Sli {
            self.shift_left(Lane::B, d, a, amount);
            self.byte_mask(mask, ((1u16 << amount) - 1) as u8);
        } else {
            self.shift_right(Lane::B, d, a, amount);
            self.byte_mask(mask, (0xff00u16 >> amount) as u8);
        }
        self.asm.v3(VPAND, t, old, mask);
        self.asm.v3(VPOR, d, d, t);
        self.cut(s, d);
        self.vbind(d);
    }

    /// SQSHRN, UQSHRN, SQSHRUN and their rounding forms.
    fn saturating_shift_narrow(&mut self, op: VecShift, s: Shape, d: Xmm, a: Xmm, amount: u8) {
        let how = match op {
            VecShift::SqShrn | VecShift::SqRshrn => Narrowing::Signed,
            VecShift::UqShrn | VecShift::UqRshrn => Narrowing::Unsigned,
            _ => Narrowing::SignedToUnsigned,
        };
        let signed = how != Narrowing::Unsigned;
        let wide = s.lane.wider();
        let t = self.scratch();
        match op {
            VecShift::SqRshrn | VecShift::UqRshrn | VecShift::SqRshrun => {
                self.shift_rounding(signed, wide, t, a, amount);
            }
            _ if signed => self.shift_arithmetic(wide, t, a, amount),
            _ => self.shift_right(wide, t, a, amount),
        }
        self.saturating_narrow(how, s, d, t);
        self.done_with(t);
    }

    /// `(a >> n) + bit n-1 of a`; `d` differs from `a`.
    pub(super) fn shift_rounding(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        if lane == Lane::B {
            return self.shift_rounding_bytes(signed, d, a, amount);
        }
        let t = self.scratch();
        let bits = lane.bits() as u8;
        // Bit n-1 moved to the top and back down.
        self.shift_form(lane, SHIFT_LEFT, t, a, bits - amount);
        self.shift_form(lane, SHIFT_RIGHT, t, t, bits - 1);
        if signed {
            self.shift_arithmetic(lane, d, a, amount);
        } else {
            self.shift_form(lane, SHIFT_RIGHT, d, a, amount);
        }
        self.three(ADD, lane, d, d, t);
        self.done_with(t);
    }

    /// All but the last place, then x86's rounded average with zero (of signed numbers
    /// with the sign bit inverted).
    fn shift_rounding_bytes(&mut self, signed: bool, d: Xmm, a: Xmm, amount: u8) {
        if signed {
            self.shift_arithmetic(Lane::B, d, a, amount - 1);
            self.asm.v3_state(VPXOR, d, d, const_offset!(sign_b));
            self.asm.v3_state(VPAVGB, d, d, const_offset!(sign_b));
            self.asm.v3_state(VPXOR, d, d, const_offset!(sign_b));
        } else {
            self.shift_right(Lane::B, d, a, amount - 1);
            let t = self.scratch();
            self.asm.vzero(t);
            self.asm.v3(VPAVGB, d, d, t);
            self.done_with(t);
        }
    }
}
