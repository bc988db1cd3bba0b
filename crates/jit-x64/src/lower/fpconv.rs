//! Conversions between floating point and integers, fixed point included.
//!
//! Scaling by a power of two is exact: towards integers behind a clamp to numbers that are
//! far out of range anyway, from integers because the result cannot be denormal.

use super::fp::kind;
use super::{FlagState, Lower};
use crate::asm::int::{Alu, Shift};
use crate::asm::sse::*;
use crate::asm::{Cc, Gpr, Xmm};
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Span, Width};

/// The control byte of VROUND for a rounding mode other than to nearest, ties away.
fn control_of(rounding: Rounding) -> u8 {
    match rounding {
        Rounding::TieEven => 0,
        Rounding::MinusInf => 1,
        Rounding::PlusInf => 2,
        Rounding::Zero | Rounding::TieAway | Rounding::Odd | Rounding::Current => 3,
    }
}

impl Lower<'_> {
    /// `d` times 2^`exp`; nothing for 0.
    pub(super) fn scale(&mut self, k: FpKind, d: Xmm, exp: i32) {
        if exp == 0 {
            return;
        }
        let c = self.vtemp();
        self.power_of_two(k, c, exp);
        self.asm.v3(VMUL.of(k), d, d, c);
        self.v.locked &= !(1 << c.0);
    }

    /// `c` = 2^`exp` in all lanes.
    fn power_of_two(&mut self, k: FpKind, c: Xmm, exp: i32) {
        let t = self.temp();
        if k.is_double() {
            self.asm.mov_imm(t, ((1023 + exp) as u64) << 52);
            self.asm.vmovq_from(c, t);
        } else {
            self.asm.mov_imm(t, ((127 + exp) as u64) << 23);
            self.asm.vmovd_from(c, t);
        }
        match k {
            FpKind::Pd => self.asm.v2i(VPSHUFD, c, c, 0x44),
            FpKind::Ps => self.asm.v2i(VPSHUFD, c, c, 0),
            FpKind::Ss | FpKind::Sd => {}
        }
        self.x.locked &= !(1 << t.0);
    }

    /// `d` = `a` times 2^`fbits`, or something out of any integer's range if `a` is. A NaN
    /// traps.
    fn scale_up(&mut self, k: FpKind, d: Xmm, a: Xmm, fbits: u8) {
        if self.ir.checked {
            self.guard_ordered(k, a, a);
        }
        let c = self.vtemp();
        // Beyond this nothing fits; times 2^64 it does not overflow.
        self.power_of_two(k, c, 63);
        self.asm.v3(VMIN.of(k), d, a, c);
        let sign = if k.is_double() {
            const_offset!(sign_d)
        } else {
            const_offset!(sign_s)
        };
        self.asm.v3_state(VXORPS, c, c, sign);
        self.asm.v3(VMAX.of(k), d, d, c);
        self.power_of_two(k, c, i32::from(fbits));
        self.asm.v3(VMUL.of(k), d, d, c);
        self.v.locked &= !(1 << c.0);
    }

    /// `d` = `a` rounded to integral values, quietly.
    pub(super) fn round_quietly(&mut self, rounding: Rounding, k: FpKind, d: Xmm, a: Xmm) {
        if rounding == Rounding::TieAway {
            self.round_away(k, d, a);
        } else {
            self.round(k, d, a, control_of(rounding) | 8);
        }
    }

    /// Raises Inexact if the rounding of `a` lost something; `t` is overwritten.
    pub(super) fn raise_inexact(&mut self, rounding: Rounding, k: FpKind, t: Xmm, a: Xmm) {
        self.round(k, t, a, control_of(rounding));
    }

    pub(super) fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Ref) {
        let source = self.vreg(a);
        let d = self.convert_to_int(how, w, size == FpSize::D, source);
        self.bind_temp(self.at as Ref, d);
    }

    /// FJCVTZS. What is not a word goes to the interpreter before anything was raised; Z says
    /// whether the integer, as a double, has the operand's bits (minus zero has not).
    pub(super) fn fp_to_js_int(&mut self, a: Ref) {
        let k = FpKind::Sd;
        let source = self.vreg(a);
        let (t, d, other) = (self.vtemp(), self.temp(), self.temp());
        self.clobber_flags();
        self.round(k, t, source, 3 | 8);
        self.asm.cvt_to_int(true, true, Width::X, d, t);
        self.asm.movsxd(other, d);
        self.asm.alu(Alu::Cmp, Width::X, other, d);
        self.guard(Cc::Ne);
        self.raise_inexact(Rounding::Zero, k, t, source);
        let bits = self.temp();
        self.asm.vzero(t);
        self.asm.cvt_from_int(true, Width::X, t, t, d);
        self.asm.vmovq_to(bits, t);
        self.asm.vmovq_to(other, source);
        self.asm.mov(Width::W, d, d);
        self.asm.alu(Alu::Xor, Width::X, other, bits);
        // All other flags become zero.
        self.asm.popcnt(Width::X, other, other);
        self.bind_temp(self.at as Ref, d);
        self.set_flag_state(FlagState::Add);
    }

    /// Lane 0 as an integer in a temporary. Values out of range trap or leave by a guard,
    /// before anything was raised; then Inexact is.
    fn convert_to_int(&mut self, how: FpToInt, w: Width, double: bool, source: Xmm) -> Gpr {
        let d = self.temp();
        let k = if double { FpKind::Sd } else { FpKind::Ss };
        let mut source = source;
        if how.fbits != 0 {
            let scaled = self.vtemp();
            self.scale_up(k, scaled, source, how.fbits);
            self.v.locked &= !(1 << source.0);
            source = scaled;
        }
        if how.signed && how.rounding == Rounding::Zero {
            self.asm.cvt_to_int(double, true, w, d, source);
            self.check_integer(w, d);
            return d;
        }
        let t = self.vtemp();
        self.round_quietly(how.rounding, k, t, source);
        if how.signed {
            self.asm.cvt_to_int(double, true, w, d, t);
            self.check_integer(w, d);
        } else {
            // To 64 bits, which traps from 2^63 on; then look whether the result is in range.
            self.clobber_flags();
            self.asm.cvt_to_int(double, true, Width::X, d, t);
            if w == Width::W {
                let high = self.temp();
                self.asm.rorx(Width::X, high, d, 32);
                self.asm.alu(Alu::Test, Width::W, high, high);
                self.guard(Cc::Ne);
            } else {
                self.asm.alu(Alu::Test, Width::X, d, d);
                self.guard(Cc::S);
            }
        }
        self.raise_inexact(how.rounding, k, t, source);
        d
    }

    /// Where Invalid does not trap: leaves for the interpreter if a conversion may have been
    /// out of range, which gives the least integer.
    fn check_integer(&mut self, w: Width, d: Gpr) {
        if self.ir.checked {
            self.clobber_flags();
            self.asm.alu_imm(Alu::Cmp, w, d, 1);
            self.guard(Cc::O);
        }
    }

    /// The same for words in lanes.
    fn check_words(&mut self, d: Xmm) {
        if self.ir.checked {
            self.clobber_flags();
            let t = self.vtemp();
            self.asm.v3_state(VPCMPEQD, t, d, const_offset!(sign_s));
            self.asm.v2(VPTEST, t, t);
            self.v.locked &= !(1 << t.0);
            self.guard(Cc::Ne);
        }
    }

    pub(super) fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Ref) {
        let double = size == FpSize::D;
        let r = self.reg(value);
        let d = self.vdef_temp(None, &[]);
        self.asm.vzero(d);
        match (how.signed, w) {
            (true, _) => self.asm.cvt_from_int(double, w, d, d, r),
            (false, Width::W) => {
                let t = self.temp();
                self.asm.mov(Width::W, t, r);
                self.asm.cvt_from_int(double, Width::X, d, d, t);
            }
            (false, Width::X) => {
                // The top bit set: halve, keeping a sticky bit, convert, double.
                self.clobber_flags();
                let (t, low) = (self.temp(), self.temp());
                self.asm.alu(Alu::Test, Width::X, r, r);
                let large = self.asm.jcc(Cc::S);
                self.asm.cvt_from_int(double, Width::X, d, d, r);
                let done = self.asm.jmp();
                self.asm.fix_here(large);
                self.asm.mov(Width::X, t, r);
                self.asm.mov(Width::W, low, r);
                self.asm.shift_imm(Shift::Shr, Width::X, t, 1);
                self.asm.alu_imm(Alu::And, Width::W, low, 1);
                self.asm.alu(Alu::Or, Width::X, t, low);
                self.asm.cvt_from_int(double, Width::X, d, d, t);
                let k = if double { FpKind::Sd } else { FpKind::Ss };
                self.asm.v3(VADD.of(k), d, d, d);
                self.asm.fix_here(done);
            }
        }
        let k = if double { FpKind::Sd } else { FpKind::Ss };
        self.scale(k, d, -i32::from(how.fbits));
        self.vbind(d);
    }

    pub(super) fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Ref) {
        let double = s.lane == Lane::D;
        if s.lane == Lane::H {
            return self.halves_to_ints(how, s, a);
        }
        let source = self.vreg(a);
        if s.span != Span::Scalar {
            return self.lanes_to_ints(how, s, a, source);
        }
        let w = if double { Width::X } else { Width::W };
        let t = self.convert_to_int(how, w, double, source);
        let d = self.vdef_temp(None, &[]);
        if double {
            self.asm.vmovq_from(d, t);
        } else {
            self.asm.vmovd_from(d, t);
        }
        self.vbind(d);
    }

    fn lanes_to_ints(&mut self, how: FpToInt, s: Shape, a: Ref, source: Xmm) {
        let k = kind(s);
        let mut source = self.tame(s, a, source);
        if how.fbits != 0 {
            let scaled = self.vtemp();
            self.scale_up(k, scaled, source, how.fbits);
            self.v.locked &= !(1 << source.0);
            source = scaled;
        }
        let truncates = how.signed && how.rounding == Rounding::Zero;
        if truncates && s.lane == Lane::S {
            let d = if self.ir.checked {
                self.vdef_temp(None, &[])
            } else {
                self.vdef(Some(a), &[])
            };
            self.asm.v2(VCVTTPS2DQ, d, source);
            self.check_words(d);
            return self.vbind(d);
        }
        let r = self.vtemp();
        self.round_quietly(how.rounding, k, r, source);
        let d = self.vdef_temp(None, &[]);
        if s.lane == Lane::S {
            self.asm.v2(VCVTTPS2DQ, d, r);
            if how.signed {
                self.check_words(d);
            }
        } else {
            let (low, high) = (self.temp(), self.temp());
            self.asm.cvt_to_int(true, true, Width::X, low, r);
            self.asm.vmovq_from(d, low);
            self.asm.v2i(VPSHUFD, r, r, 0xee);
            self.asm.cvt_to_int(true, true, Width::X, high, r);
            if how.signed {
                self.check_integer(Width::X, low);
                self.check_integer(Width::X, high);
            }
            self.asm.vinsert(3, d, d, high, 1);
            self.x.locked &= !(1 << low.0 | 1 << high.0);
        }
        if !how.signed {
            // Numbers below zero, and those beyond the signed range trapped already.
            self.clobber_flags();
            let bits = self.temp();
            self.asm.vmovmsk(k.is_double(), bits, d);
            self.asm.alu(Alu::Test, Width::W, bits, bits);
            self.guard(Cc::Ne);
        }
        self.raise_inexact(how.rounding, k, r, source);
        self.vbind(d);
    }

    pub(super) fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Ref) {
        let double = s.lane == Lane::D;
        let k = kind(s);
        let ra = self.vreg(a);
        if s.span != Span::Scalar && !double {
            let ra = self.tame(s, a, ra);
            if how.signed && how.fbits == 0 {
                let d = self.vdef(Some(a), &[]);
                self.asm.v2(VCVTDQ2PS, d, ra);
                return self.vbind(d);
            }
            let d = self.vdef_temp(None, &[]);
            if how.signed {
                self.asm.v2(VCVTDQ2PS, d, ra);
            } else {
                // Both halves of a word are exact, and their sum is rounded once.
                let t = self.vtemp();
                self.asm.vshift(VPSHIFT_D, 2, t, ra, 16);
                self.asm.v2(VCVTDQ2PS, t, t);
                self.asm.v3_state(VMUL.of(k), t, t, const_offset!(two16_s));
                self.asm.v3_state(VPAND, d, ra, const_offset!(low_half_s));
                self.asm.v2(VCVTDQ2PS, d, d);
                self.asm.v3(VADD.of(k), d, d, t);
                self.v.locked &= !(1 << t.0);
            }
            self.scale(k, d, -i32::from(how.fbits));
            return self.vbind(d);
        }
        let (d, t) = (self.vdef_temp(None, &[]), self.temp());
        if s.span != Span::Scalar {
            // Two doublewords, one at a time.
            let high = self.vtemp();
            self.asm.vextract(3, t, ra, 1);
            self.asm.vzero(high);
            self.doubleword_to_double(how.signed, high, t);
            self.asm.vmovq_to(t, ra);
            self.asm.vzero(d);
            self.doubleword_to_double(how.signed, d, t);
            self.asm.v3(VPUNPCKLQDQ, d, d, high);
            self.v.locked &= !(1 << high.0);
            self.scale(k, d, -i32::from(how.fbits));
            return self.vbind(d);
        }
        if double {
            self.asm.vmovq_to(t, ra);
        } else {
            self.asm.vmovd_to(t, ra);
        }
        self.asm.vzero(d);
        match (how.signed, double) {
            (_, true) => self.doubleword_to_double(how.signed, d, t),
            (true, false) => self.asm.cvt_from_int(false, Width::W, d, d, t),
            (false, false) => self.asm.cvt_from_int(false, Width::X, d, d, t),
        }
        self.scale(k, d, -i32::from(how.fbits));
        self.vbind(d);
    }

    /// Unsigned numbers from 2^63 on go to the interpreter.
    fn doubleword_to_double(&mut self, signed: bool, d: Xmm, from: Gpr) {
        if !signed {
            self.clobber_flags();
            self.asm.alu(Alu::Test, Width::X, from, from);
            self.guard(Cc::S);
        }
        self.asm.cvt_from_int(true, Width::X, d, d, from);
    }
}
