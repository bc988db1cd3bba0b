//! Floating point.
//!
//! Invalid is unmasked in MXCSR while guest code runs. Every operation whose NaN
//! result differs between x86 and Arm raises it: a signaling operand, or a NaN made
//! from none. The trap arrives before the destination is written, and the interpreter
//! then executes the instruction. What raises nothing and still differs is guarded.

use super::Lower;
use crate::asm::int::{Alu, Shift};
use crate::asm::sse::*;
use crate::asm::{Cc, Gpr, Xmm};
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Span, Width};

/// Predicates of VCMP.
const EQ_OQ: u8 = 0x00;
const UNORD_Q: u8 = 0x03;
const GE_OS: u8 = 0x0d;
const GT_OS: u8 = 0x0e;
const LE_OS: u8 = 0x02;
const LT_OS: u8 = 0x01;

/// Whether FADDP has a sequence for the shape.
#[must_use]
pub fn pairwise(s: Shape) -> bool {
    matches!(
        (s.lane, s.span),
        (Lane::S | Lane::D, Span::Full) | (Lane::D | Lane::S, Span::Scalar)
    )
}

fn kind(s: Shape) -> FpKind {
    match (s.lane, s.span) {
        (Lane::D, Span::Scalar) => FpKind::Sd,
        (Lane::D, _) => FpKind::Pd,
        (_, Span::Scalar) => FpKind::Ss,
        _ => FpKind::Ps,
    }
}

/// The control byte of VROUND: bit 3 keeps Inexact quiet.
const fn round_control(op: Fp1) -> u8 {
    match op {
        Fp1::RintN => 8,
        Fp1::RintM => 9,
        Fp1::RintP => 10,
        Fp1::RintZ => 11,
        Fp1::RintI => 12,
        _ => 4,
    }
}

impl Lower<'_> {
    /// A copy of a 64-bit vector operand whose upper half cannot raise anything, or the
    /// operand itself.
    fn tame(&mut self, s: Shape, r: Ref, reg: Xmm) -> Xmm {
        if s.span != Span::Half || self.live_bits(r) <= 64 {
            return reg;
        }
        let t = self.vtemp();
        self.asm.vmovq(t, reg);
        // The operand's own register is not needed any more.
        self.locked_v &= !(1 << reg.0);
        self.locked_v |= 1 << t.0;
        t
    }

    /// Leaves for the interpreter if the result may be a NaN that x86 chose differently.
    fn guard_nan(&mut self, k: FpKind, r: Xmm) {
        self.clobber_flags();
        if k.is_scalar() {
            self.asm.ucomis(k.is_double(), false, r, r);
            return self.guard(Cc::P);
        }
        let (t, bits) = (self.vtemp(), self.temp());
        self.asm.v3i(VCMP.of(k), t, r, r, UNORD_Q);
        self.asm.vmovmsk(k.is_double(), bits, t);
        self.asm.alu(Alu::Test, Width::W, bits, bits);
        self.guard(Cc::Ne);
    }

    pub(super) fn fp1(&mut self, op: Fp1, s: Shape, a: Ref) {
        let k = kind(s);
        let ra = self.vreg(a);
        match op {
            Fp1::Abs | Fp1::Neg => {
                let double = s.lane == Lane::D;
                let d = self.vdef(Some(a), &[]);
                let (form, mask) = match (op, double) {
                    (Fp1::Abs, false) => (VANDPS, const_offset!(abs_s)),
                    (Fp1::Abs, true) => (VANDPS, const_offset!(abs_d)),
                    (_, false) => (VXORPS, const_offset!(sign_s)),
                    (_, true) => (VXORPS, const_offset!(sign_d)),
                };
                self.asm.v3_state(form, d, ra, mask);
                self.cut_fp(s, d, if op == Fp1::Abs { Some(a) } else { None });
                self.vbind(d);
            }
            Fp1::Sqrt => {
                let ra = self.tame(s, a, ra);
                let d = self.vdef(Some(a), &[]);
                if k.is_scalar() {
                    self.asm.v3(VSQRT.of(k), d, ra, ra);
                } else {
                    self.asm.v2(VSQRT.of(k), d, ra);
                }
                self.cut_fp(s, d, Some(a));
                self.vbind(d);
            }
            Fp1::RintN | Fp1::RintP | Fp1::RintM | Fp1::RintZ | Fp1::RintI | Fp1::RintX => {
                let ra = self.tame(s, a, ra);
                let d = self.vdef(Some(a), &[]);
                self.round(k, d, ra, round_control(op));
                self.cut_fp(s, d, Some(a));
                self.vbind(d);
            }
            Fp1::CvtSD => {
                let d = self.vdef(None, &[]);
                if s.span == Span::Scalar {
                    self.asm.v3(VCVTSS2SD, d, ra, ra);
                    self.cut(s, d);
                } else {
                    self.asm.v2(VCVTPS2PD, d, ra);
                }
                self.vbind(d);
            }
            Fp1::CvtDS => {
                let d = self.vdef(None, &[]);
                if s.span == Span::Scalar {
                    self.asm.v3(VCVTSD2SS, d, ra, ra);
                    self.cut(s, d);
                } else {
                    // Zeroes the upper half by itself.
                    self.asm.v2(VCVTPD2PS, d, ra);
                }
                self.vbind(d);
            }
            Fp1::CmEqZero | Fp1::CmGtZero | Fp1::CmGeZero | Fp1::CmLeZero | Fp1::CmLtZero => {
                let ra = self.tame(s, a, ra);
                let d = self.vdef_temp(None, &[]);
                let predicate = match op {
                    Fp1::CmEqZero => EQ_OQ,
                    Fp1::CmGtZero => GT_OS,
                    Fp1::CmGeZero => GE_OS,
                    Fp1::CmLeZero => LE_OS,
                    _ => LT_OS,
                };
                self.asm.vzero(d);
                self.asm.v3i(VCMP.of(k), d, ra, d, predicate);
                self.cut(s, d);
                self.vbind(d);
            }
            _ => unreachable!("{op:?} is not supported"),
        }
    }

    fn round(&mut self, k: FpKind, d: Xmm, a: Xmm, control: u8) {
        match k {
            FpKind::Ss => self.asm.v3i(VROUNDSS, d, a, a, control),
            FpKind::Sd => self.asm.v3i(VROUNDSD, d, a, a, control),
            FpKind::Ps => self.asm.v2i(VROUNDPS, d, a, control),
            FpKind::Pd => self.asm.v2i(VROUNDPD, d, a, control),
        }
    }

    /// Zeroes what lies beyond the shape. A scalar instruction takes the rest of its
    /// result from its first operand: if that is clean, so is the result.
    fn cut_fp(&mut self, s: Shape, d: Xmm, first: Option<Ref>) {
        if first.is_none_or(|r| self.live_bits(r) > s.bits()) {
            self.cut(s, d);
        }
    }

    pub(super) fn fp2(&mut self, op: Fp2, s: Shape, a: Ref, b: Ref) {
        let k = kind(s);
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        match op {
            Fp2::Add | Fp2::Sub | Fp2::Mul | Fp2::Div | Fp2::Nmul | Fp2::Abd => {
                self.arithmetic(op, s, (a, ra), (b, rb))
            }
            Fp2::Max | Fp2::Min | Fp2::MaxNm | Fp2::MinNm => {
                let (ra, rb) = (self.tame(s, a, ra), self.tame(s, b, rb));
                // A NaN operand: the rules differ between the two kinds, and from x86.
                self.guard_ordered(k, ra, rb);
                let d = self.vdef_temp(None, &[]);
                let t = self.vtemp();
                let max = matches!(op, Fp2::Max | Fp2::MaxNm);
                let form = if max { VMAX } else { VMIN };
                // Both ways round: they differ for zeros of unlike sign only.
                self.asm.v3(form.of(k), d, ra, rb);
                self.asm.v3(form.of(k), t, rb, ra);
                self.asm.v3(if max { VANDPS } else { VORPS }, d, d, t);
                self.cut(s, d);
                self.vbind(d);
            }
            Fp2::CmEq | Fp2::CmGe | Fp2::CmGt => {
                let (ra, rb) = (self.tame(s, a, ra), self.tame(s, b, rb));
                let d = self.vdef(Some(a), &[]);
                let predicate = match op {
                    Fp2::CmEq => EQ_OQ,
                    Fp2::CmGe => GE_OS,
                    _ => GT_OS,
                };
                self.asm.v3i(VCMP.of(k), d, ra, rb, predicate);
                self.cut(s, d);
                self.vbind(d);
            }
            Fp2::AcGe | Fp2::AcGt => {
                let mask = if s.lane == Lane::D {
                    const_offset!(abs_d)
                } else {
                    const_offset!(abs_s)
                };
                let (d, t) = (self.vdef_temp(None, &[]), self.vtemp());
                self.asm.v3_state(VANDPS, d, ra, mask);
                self.asm.v3_state(VANDPS, t, rb, mask);
                if s.span == Span::Half {
                    self.asm.vmovq(d, d);
                    self.asm.vmovq(t, t);
                }
                let predicate = if op == Fp2::AcGe { GE_OS } else { GT_OS };
                self.asm.v3i(VCMP.of(k), d, d, t, predicate);
                self.cut(s, d);
                self.vbind(d);
            }
            Fp2::Addp => self.add_pairs(s, ra, rb),
            _ => unreachable!("{op:?} is not supported"),
        }
    }

    /// FADDP. The scalar form adds the pair in `ra`.
    fn add_pairs(&mut self, s: Shape, ra: Xmm, rb: Xmm) {
        let d = self.vdef_temp(None, &[]);
        let t = self.vtemp();
        if s.span == Span::Scalar {
            self.asm.vshift(VPSHIFT_Q, 3, t, ra, s.lane.bytes() as u8);
            self.asm.v3(VADD.of(kind(s)), d, ra, t);
            self.cut(s, d);
        } else if s.lane == Lane::D {
            self.asm.v3(VPUNPCKLQDQ, d, ra, rb);
            self.asm.v3(VPUNPCKHQDQ, t, ra, rb);
            self.asm.v3(VADD.of(FpKind::Pd), d, d, t);
        } else {
            self.asm.v3i(VSHUFPS, d, ra, rb, 0x88);
            self.asm.v3i(VSHUFPS, t, ra, rb, 0xdd);
            self.asm.v3(VADD.of(FpKind::Ps), d, d, t);
        }
        self.vbind(d);
    }

    fn arithmetic(&mut self, op: Fp2, s: Shape, (a, ra): (Ref, Xmm), (b, rb): (Ref, Xmm)) {
        let k = kind(s);
        let form = match op {
            Fp2::Add => VADD,
            Fp2::Sub | Fp2::Abd => VSUB,
            Fp2::Mul | Fp2::Nmul => VMUL,
            _ => VDIV,
        };
        let (mut x, mut y) = (ra, rb);
        if s.span == Span::Half {
            x = self.tame(s, a, ra);
            y = if a == b { x } else { self.tame(s, b, rb) };
            if op == Fp2::Div {
                // 0/0 in the unused lanes would raise Invalid: divide them by one.
                let t = self.vtemp();
                self.asm.v3i(VSHUFPS, t, y, y, 0x44);
                y = t;
            }
        }
        let d = self.vdef(Some(a), &[]);
        self.asm.v3(form.of(k), d, x, y);
        let double = s.lane == Lane::D;
        match op {
            Fp2::Nmul => self.asm.v3_state(
                VXORPS,
                d,
                d,
                if double {
                    const_offset!(sign_d)
                } else {
                    const_offset!(sign_s)
                },
            ),
            Fp2::Abd => self.asm.v3_state(
                VANDPS,
                d,
                d,
                if double {
                    const_offset!(abs_d)
                } else {
                    const_offset!(abs_s)
                },
            ),
            _ => {}
        }
        let first = match (op, s.span) {
            // 0 - 0 is -0 when rounding down.
            (Fp2::Nmul, _) | (Fp2::Div | Fp2::Sub, Span::Half) => None,
            _ => Some(a),
        };
        self.cut_fp(s, d, first);
        self.vbind(d);
    }

    /// Leaves for the interpreter if either operand is a NaN.
    fn guard_ordered(&mut self, k: FpKind, a: Xmm, b: Xmm) {
        self.clobber_flags();
        if k.is_scalar() {
            self.asm.ucomis(k.is_double(), false, a, b);
            return self.guard(Cc::P);
        }
        let (t, bits) = (self.vtemp(), self.temp());
        self.asm.v3i(VCMP.of(k), t, a, b, UNORD_Q);
        self.asm.vmovmsk(k.is_double(), bits, t);
        self.asm.alu(Alu::Test, Width::W, bits, bits);
        self.locked_v &= !(1 << t.0);
        self.guard(Cc::Ne);
    }

    /// Fused multiply-add. inf * 0 + NaN raises nothing on x86, and the choice among
    /// several NaNs differs: any NaN result goes to the interpreter.
    pub(super) fn fp3(&mut self, op: Fp3, s: Shape, a: Ref, b: Ref, c: Ref) {
        let k = kind(s);
        let (rb, rc) = (self.vreg(b), self.vreg(c));
        let form = match op {
            Fp3::MulAdd => VFMADD231,
            Fp3::MulSub => VFNMADD231,
            Fp3::NegMulAdd => VFNMSUB231,
            Fp3::NegMulSub => VFMSUB231,
            _ => unreachable!("{op:?} is not supported"),
        };
        let d = self.vtemp();
        self.vload_into(d, a);
        if s.span == Span::Half {
            self.asm.vmovq(d, d);
            let (x, y) = (self.tame(s, b, rb), self.tame(s, c, rc));
            self.asm.fma(form, k, d, x, y);
            self.locked_v &= !(1 << x.0 | 1 << y.0);
        } else {
            self.asm.fma(form, k, d, rb, rc);
        }
        self.guard_nan(k, d);
        self.cut_fp(s, d, (s.span == Span::Scalar).then_some(a));
        self.vbind(d);
    }

    pub(super) fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Ref) {
        let source = self.vreg(a);
        let d = self.convert_to_int(how, w, size == FpSize::D, source);
        self.bind_temp(self.at as Ref, d);
    }

    /// Lane 0 as an integer in a temporary. Values out of range trap or leave by a guard,
    /// before anything was raised; then Inexact is.
    fn convert_to_int(&mut self, how: FpToInt, w: Width, double: bool, source: Xmm) -> Gpr {
        let d = self.temp();
        let control = match how.rounding {
            Rounding::TieEven => 0,
            Rounding::MinusInf => 1,
            Rounding::PlusInf => 2,
            _ => 3,
        };
        if how.signed && control == 3 {
            self.asm.cvt_to_int(double, true, w, d, source);
            return d;
        }
        let k = if double { FpKind::Sd } else { FpKind::Ss };
        let t = self.vtemp();
        self.round(k, t, source, control | 8);
        if how.signed {
            self.asm.cvt_to_int(double, true, w, d, t);
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
        self.round(k, t, source, control);
        d
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
        self.vbind(d);
    }

    /// FCVTZS of words, or a scalar form that keeps the integer in a vector register.
    pub(super) fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Ref) {
        let double = s.lane == Lane::D;
        let source = self.vreg(a);
        if s.span != Span::Scalar {
            let source = self.tame(s, a, source);
            let d = self.vdef(Some(a), &[]);
            self.asm.v2(VCVTTPS2DQ, d, source);
            return self.vbind(d);
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

    pub(super) fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Ref) {
        let double = s.lane == Lane::D;
        let ra = self.vreg(a);
        if s.span != Span::Scalar && !double {
            let ra = self.tame(s, a, ra);
            let d = self.vdef(Some(a), &[]);
            self.asm.v2(VCVTDQ2PS, d, ra);
            return self.vbind(d);
        }
        let (d, t) = (self.vdef_temp(None, &[]), self.temp());
        if s.span != Span::Scalar {
            // Two doublewords, one at a time.
            let high = self.vtemp();
            self.asm.vextract(3, t, ra, 1);
            self.asm.vzero(high);
            self.asm.cvt_from_int(true, Width::X, high, high, t);
            self.asm.vmovq_to(t, ra);
            self.asm.vzero(d);
            self.asm.cvt_from_int(true, Width::X, d, d, t);
            self.asm.v3(VPUNPCKLQDQ, d, d, high);
            return self.vbind(d);
        }
        if double {
            self.asm.vmovq_to(t, ra);
        } else {
            self.asm.vmovd_to(t, ra);
        }
        self.asm.vzero(d);
        match (how.signed, double) {
            (true, _) => self
                .asm
                .cvt_from_int(double, if double { Width::X } else { Width::W }, d, d, t),
            (false, false) => self.asm.cvt_from_int(false, Width::X, d, d, t),
            (false, true) => {
                self.clobber_flags();
                self.asm.alu(Alu::Test, Width::X, t, t);
                self.guard(Cc::S);
                self.asm.cvt_from_int(true, Width::X, d, d, t);
            }
        }
        self.vbind(d);
    }
}
