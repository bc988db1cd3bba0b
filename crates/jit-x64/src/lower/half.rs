//! Half precision: F16C's conversions, fused operations and conversions to integers.
//!
//! A double that is to become a half goes through a single with its last bit made sticky:
//! rounded to odd, so that the second rounding is the only one that counts.

use super::Lower;
use super::fp::UNORD_Q;
use crate::asm::int::Alu;
use crate::asm::mem::Vex;
use crate::asm::sse::*;
use crate::asm::{Cc, Xmm};
use crate::const_offset;
use crate::ir::{Op, Ref};
use semantics::ops::{Fp1, Fp2, FpToInt, Shape, Span, Width};

/// VCVTPS2PH's rounding: as MXCSR says.
const BY_MXCSR: u8 = 4;

/// The form on 256 bits.
const fn wide(op: Vex) -> Vex {
    Vex {
        pp: op.pp | 4,
        ..op.low_only()
    }
}

impl Lower<'_> {
    /// `ra` or a copy of it, with nothing beyond its low 16 or 32 bits.
    fn only_low(&mut self, bits: u32, a: Ref, ra: Xmm) -> Xmm {
        if bits > 32 || self.live_bits(a) <= bits {
            return ra;
        }
        let t = self.vtemp();
        if bits == 16 {
            self.asm.v3_state(VPAND, t, ra, const_offset!(low_h));
        } else {
            self.asm.v3i(VINSERTPS, t, ra, ra, 0x0e);
        }
        t
    }

    pub(super) fn half_convert(&mut self, op: Fp1, s: Shape, a: Ref, ra: Xmm) {
        match op {
            Fp1::CvtHS => {
                let from = self.only_low(s.bits() / 2, a, ra);
                let d = self.vdef(None, &[]);
                self.asm.v2(VCVTPH2PS, d, from);
                self.vbind(d);
            }
            Fp1::CvtHD => {
                let from = self.only_low(16, a, ra);
                let (t, d) = (self.vtemp(), self.vdef_temp(None, &[]));
                self.asm.v2(VCVTPH2PS, t, from);
                self.asm.v3(VCVTSS2SD, d, t, t);
                self.vbind(d);
            }
            Fp1::CvtSH => {
                let from = self.only_low(2 * s.bits(), a, ra);
                if !self.may_underflow(a) {
                    let d = self.vdef(None, &[]);
                    self.asm.v2i(VCVTPS2PH, from, d, BY_MXCSR);
                    return self.vbind(d);
                }
                let d = self.vdef_temp(None, &[]);
                self.asm.v2i(VCVTPS2PH, from, d, BY_MXCSR);
                self.guard_smallest(d);
                self.vbind(d);
            }
            _ => {
                let (t, d) = (self.vtemp(), self.vdef_temp(None, &[]));
                self.asm.vmovq(d, ra);
                self.double_to_sticky_single(false, d, t);
                self.asm.v2i(VCVTPS2PH, d, d, BY_MXCSR);
                self.v.locked &= !(1 << t.0);
                self.guard_smallest(d);
                self.vbind(d);
            }
        }
    }

    /// Whether a single that becomes a half may be below the normal halves and inexact.
    fn may_underflow(&self, single: Ref) -> bool {
        match self.op(single) {
            Op::Fp2 { op, .. } => matches!(op, Fp2::Mul | Fp2::Div),
            Op::Fp1 { op, .. } => matches!(op, Fp1::CvtDS),
            _ => true,
        }
    }

    /// Leaves for the interpreter if a half in `d` is the smallest normal one: it may have been
    /// rounded up to it, which is an underflow for Arm (before rounding), not for x86 (after).
    fn guard_smallest(&mut self, d: Xmm) {
        self.clobber_flags();
        let t = self.vtemp();
        self.asm.v3_state(VPAND, t, d, const_offset!(abs_h));
        self.asm.v3_state(VPCMPEQW, t, t, const_offset!(smallest_h));
        self.asm.v2(VPTEST, t, t);
        self.v.locked &= !(1 << t.0);
        self.guard(Cc::Ne);
    }

    /// The doubles in `d` become singles that round to halves as the doubles would.
    fn double_to_sticky_single(&mut self, four: bool, d: Xmm, t: Xmm) {
        let form = |op| if four { wide(op) } else { op };
        self.asm.v3_state(form(VPAND), t, d, const_offset!(sticky));
        self.asm.v3_state(form(VPADDQ), t, t, const_offset!(sticky));
        self.asm.v3(form(VPOR), d, d, t);
        self.asm.v3_state(form(VPAND), d, d, const_offset!(kept));
        self.asm.v2(form(VCVTPD2PS), d, d);
    }

    /// The fused operations: the product of halves is exact in a double, and so is nearly
    /// every sum; where it is not, no half and no middle between two is near.
    pub(super) fn half_fused(&mut self, form: u8, s: Shape, a: Ref, b: Ref, c: Ref) {
        self.clobber_flags();
        let (rb, rc) = (self.vtemp(), self.vtemp());
        let low = self.vtemp();
        self.half_fused_part(form, s, [(a, low), (b, rb), (c, rc)], false);
        if s.span == Span::Full {
            let high = self.vtemp();
            self.half_fused_part(form, s, [(a, high), (b, rb), (c, rc)], true);
            self.asm.v3(VPUNPCKLQDQ, low, low, high);
        }
        self.cut(s, low);
        self.vbind(low);
    }

    /// Four lanes (or one), from the low or high half of each operand; the result is in the
    /// first register.
    fn half_fused_part(&mut self, form: u8, s: Shape, operands: [(Ref, Xmm); 3], high: bool) {
        let four = s.span != Span::Scalar;
        let shape = |op| if four { wide(op) } else { op };
        for (value, register) in operands {
            self.load_into(register, value);
            if high {
                self.asm.vshift(VPSHIFT_Q, 3, register, register, 8);
            } else if !four && self.live_bits(value) > 16 {
                self.asm.v3_state(VPAND, register, register, const_offset!(low_h));
            }
            self.asm.v2(VCVTPH2PS, register, register);
            self.asm.v2(shape(VCVTPS2PD), register, register);
        }
        let [d, b, c] = operands.map(|(_, register)| register);
        let fused = Vex::of_w(1, 2, true, form);
        self.asm.v3(shape(fused), d, b, c);
        self.double_to_sticky_single(four, d, b);
        // As with singles: any NaN result goes to the interpreter.
        let bits = self.temp();
        self.asm.v3i(VCMP.of(FpKind::Ps), b, d, d, UNORD_Q);
        self.asm.vmovmsk(false, bits, b);
        self.asm.alu(Alu::Test, Width::W, bits, bits);
        self.x.locked &= !(1 << bits.0);
        self.guard(Cc::Ne);
        self.asm.v2i(VCVTPS2PH, d, d, BY_MXCSR);
        self.v.locked &= !(1 << b.0);
        self.guard_smallest(d);
        self.v.locked |= 1 << b.0;
    }

    /// One half or four to 16-bit integers, by way of words; what does not fit goes to the
    /// interpreter.
    pub(super) fn halves_to_ints(&mut self, how: FpToInt, s: Shape, a: Ref) {
        self.clobber_flags();
        let k = FpKind::Ps;
        let source = self.vtemp();
        self.load_into(source, a);
        if s.span == Span::Scalar && self.live_bits(a) > 16 {
            self.asm.v3_state(VPAND, source, source, const_offset!(low_h));
        }
        self.asm.v2(VCVTPH2PS, source, source);
        self.scale(k, source, i32::from(how.fbits));
        let d = self.vtemp();
        self.round_quietly(how.rounding, k, d, source);
        self.asm.v2(VCVTTPS2DQ, d, d);
        let (packed, again) = (self.vtemp(), self.vtemp());
        let (pack, extend) = if how.signed {
            (VPACKSSDW, VPMOVSXWD)
        } else {
            (VPACKUSDW, VPMOVZXWD)
        };
        self.asm.v3(pack, packed, d, d);
        self.asm.v2(extend, again, packed);
        self.asm.v3(VPCMPEQD, again, again, d);
        let bits = self.temp();
        self.asm.vmovmsk(false, bits, again);
        self.asm.alu_imm(Alu::Cmp, Width::W, bits, 15);
        self.guard(Cc::Ne);
        self.raise_inexact(how.rounding, k, again, source);
        self.cut(Shape::new(s.lane, s.span), packed);
        self.vbind(packed);
    }
}
