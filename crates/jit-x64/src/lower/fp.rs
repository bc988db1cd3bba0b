//! Floating point.
//!
//! Invalid is unmasked in MXCSR while guest code runs. Every operation whose NaN
//! result differs between x86 and Arm raises it: a signaling operand, or a NaN made
//! from none. The trap arrives before the destination is written, and the interpreter
//! then executes the instruction. What raises nothing and still differs is guarded.
//!
//! Invalid is masked where the block is to be `checked`: then everything is guarded, by the
//! builder where a result or the operands tell, here where an integer does.

use super::Lower;
use crate::asm::int::Alu;
use crate::asm::mem::{Mem, VMOVUPS_LOAD};
use crate::asm::sse::*;
use crate::asm::{Cc, Xmm};
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Fp1, Fp2, Fp3, Lane, Shape, Span, Width};

/// Predicates of VCMP.
const EQ_OQ: u8 = 0x00;
pub(super) const UNORD_Q: u8 = 0x03;
const GE_OS: u8 = 0x0d;
const GT_OS: u8 = 0x0e;
const LE_OS: u8 = 0x02;
const LT_OS: u8 = 0x01;
/// Those that raise nothing for quiet NaNs.
const GE_OQ: u8 = 0x1d;
const LT_OQ: u8 = 0x11;
const NLT_UQ: u8 = 0x15;

/// Whether FADDP has a sequence for the shape.
#[must_use]
pub fn pairwise(s: Shape) -> bool {
    matches!(
        (s.lane, s.span),
        (Lane::S | Lane::D, Span::Full) | (Lane::D | Lane::S, Span::Scalar)
    )
}

pub(super) fn kind(s: Shape) -> FpKind {
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
    pub(super) fn tame(&mut self, s: Shape, r: Ref, reg: Xmm) -> Xmm {
        if s.span != Span::Half || self.live_bits(r) <= 64 {
            return reg;
        }
        let t = self.vtemp();
        self.asm.vmovq(t, reg);
        // The operand's own register is not needed any more.
        self.v.locked &= !(1 << reg.0);
        self.v.locked |= 1 << t.0;
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

    pub(super) fn nan_guard(&mut self, s: Shape, a: Ref) {
        let r = self.vreg(a);
        self.guard_nan(kind(s), r);
    }

    pub(super) fn order_guard(&mut self, s: Shape, a: Ref, b: Ref) {
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        self.guard_ordered(kind(s), ra, rb);
    }

    pub(super) fn smallest_guard(&mut self, s: Shape, a: Ref) {
        let r = self.vreg(a);
        self.clobber_flags();
        if s.span == Span::Scalar {
            let bits = self.temp();
            if s.lane == Lane::D {
                self.asm.vmovq_to(bits, r);
                self.asm.alu(Alu::Add, Width::X, bits, bits);
                self.asm
                    .alu_state(Alu::Cmp, Width::X, bits, const_offset!(smallest_unsigned_d));
            } else {
                self.asm.vmovd_to(bits, r);
                self.asm.alu(Alu::Add, Width::W, bits, bits);
                self.asm.alu_imm(Alu::Cmp, Width::W, bits, 1 << 24);
            }
            return self.guard(Cc::E);
        }
        let t = self.vtemp();
        let (abs, equal, smallest) = if s.lane == Lane::D {
            (const_offset!(abs_d), VPCMPEQQ, const_offset!(smallest_d))
        } else {
            (const_offset!(abs_s), VPCMPEQD, const_offset!(smallest_s))
        };
        self.asm.v3_state(VANDPS, t, r, abs);
        self.asm.v3_state(equal, t, t, smallest);
        self.asm.v2(VPTEST, t, t);
        self.guard(Cc::Ne);
    }

    pub(super) fn denormal_trap(&mut self, s: Shape, a: Ref) {
        let r = self.vreg(a);
        let r = self.tame(s, a, r);
        let t = self.vtemp();
        self.asm.v3i(VCMP.of(kind(s)), t, r, r, EQ_OQ);
    }

    pub(super) fn fp1(&mut self, op: Fp1, s: Shape, a: Ref) {
        let k = kind(s);
        // Their instructions take all vector registers.
        let may_be_high = matches!(op, Fp1::Abs | Fp1::Neg | Fp1::Sqrt | Fp1::CvtSD | Fp1::CvtDS);
        let ra = self.vreg_where(a, may_be_high);
        match op {
            Fp1::Abs | Fp1::Neg => {
                let d = self.vdef_where(may_be_high, Some(a), &[]);
                let (form, mask) = match (op, s.lane) {
                    (Fp1::Abs, Lane::H) => (VANDPS, const_offset!(abs_h)),
                    (Fp1::Abs, Lane::D) => (VANDPS, const_offset!(abs_d)),
                    (Fp1::Abs, _) => (VANDPS, const_offset!(abs_s)),
                    (_, Lane::H) => (VXORPS, const_offset!(sign_h)),
                    (_, Lane::D) => (VXORPS, const_offset!(sign_d)),
                    (_, _) => (VXORPS, const_offset!(sign_s)),
                };
                self.asm.v3_state(form, d, ra, mask);
                self.cut_fp(s, d, if op == Fp1::Abs { Some(a) } else { None });
                self.vbind(d);
            }
            Fp1::Sqrt => {
                let ra = self.tame(s, a, ra);
                let d = self.vdef_where(may_be_high, Some(a), &[]);
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
            Fp1::RintA => {
                let ra = self.tame(s, a, ra);
                let d = self.vdef_temp(None, &[]);
                self.round_away(k, d, ra);
                self.cut_fp(s, d, Some(a));
                self.vbind(d);
            }
            Fp1::Rint32Z | Fp1::Rint32X | Fp1::Rint64Z | Fp1::Rint64X => self.round_within(op, s, a, ra),
            Fp1::Recpe | Fp1::Rsqrte => self.estimate(op, s, ra),
            Fp1::CvtHS | Fp1::CvtSH | Fp1::CvtHD | Fp1::CvtDH => self.half_convert(op, s, a, ra),
            Fp1::CvtSD => {
                let d = self.vdef_where(may_be_high, None, &[]);
                if s.span == Span::Scalar {
                    self.asm.v3(VCVTSS2SD, d, ra, ra);
                    self.cut(s, d);
                } else {
                    self.asm.v2(VCVTPS2PD, d, ra);
                }
                self.vbind(d);
            }
            Fp1::CvtDS => {
                let d = self.vdef_where(may_be_high, None, &[]);
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

    pub(super) fn round(&mut self, k: FpKind, d: Xmm, a: Xmm, control: u8) {
        match k {
            FpKind::Ss => self.asm.v3i(VROUNDSS, d, a, a, control),
            FpKind::Sd => self.asm.v3i(VROUNDSD, d, a, a, control),
            FpKind::Ps => self.asm.v2i(VROUNDPS, d, a, control),
            FpKind::Pd => self.asm.v2i(VROUNDPD, d, a, control),
        }
    }

    /// FRINTA: the nearest integer to zero, and one more if half or more was cut off. All of
    /// it is exact, so nothing is raised. Uses two temporaries besides `d`.
    pub(super) fn round_away(&mut self, k: FpKind, d: Xmm, a: Xmm) {
        let double = k.is_double();
        let (t, u) = (self.vtemp(), self.vtemp());
        let pick = |single: i32, of_double: i32| if double { of_double } else { single };
        self.round(k, t, a, 11);
        self.asm.v3(VSUB.of(k), u, a, t);
        self.asm
            .v3_state(VANDPS, u, u, pick(const_offset!(abs_s), const_offset!(abs_d)));
        let half = pick(const_offset!(half_s), const_offset!(half_d));
        self.asm.v3_state(VCMP.of(k), u, u, half);
        self.asm.bytes(&[GE_OQ]);
        self.asm
            .v3_state(VANDPS, u, u, pick(const_offset!(unity_s), const_offset!(unity_d)));
        // The sign of the operand: also that of a zero result.
        self.asm
            .v3_state(VANDPS, d, a, pick(const_offset!(sign_s), const_offset!(sign_d)));
        self.asm.v3(VORPS, u, u, d);
        self.asm.v3(VADD.of(k), d, t, u);
        self.v.locked &= !(1 << t.0 | 1 << u.0);
    }

    /// FRINT32 and FRINT64: rounded quietly; a result that does not fit (or is the least
    /// integer, which does) goes to the interpreter; then rounded again, raising Inexact.
    fn round_within(&mut self, op: Fp1, s: Shape, a: Ref, ra: Xmm) {
        let k = kind(s);
        let double = k.is_double();
        let toward_zero = matches!(op, Fp1::Rint32Z | Fp1::Rint64Z);
        let control = if toward_zero { 3 } else { 4 };
        let limit = match (matches!(op, Fp1::Rint32Z | Fp1::Rint32X), double) {
            (true, false) => const_offset!(two31_s),
            (true, true) => const_offset!(two31_d),
            (false, false) => const_offset!(two63_s),
            (false, true) => const_offset!(two63_d),
        };
        let abs = if double {
            const_offset!(abs_d)
        } else {
            const_offset!(abs_s)
        };
        let ra = self.tame(s, a, ra);
        let (t, bits) = (self.vtemp(), self.temp());
        self.clobber_flags();
        self.round(k, t, ra, control | 8);
        self.asm.v3_state(VANDPS, t, t, abs);
        self.asm.v3_state(VCMP.of(k), t, t, limit);
        self.asm.bytes(&[NLT_UQ]);
        self.asm.vmovmsk(double, bits, t);
        if k.is_scalar() {
            self.asm.alu_imm(Alu::And, Width::W, bits, 1);
        } else {
            self.asm.alu(Alu::Test, Width::W, bits, bits);
        }
        self.guard(Cc::Ne);
        let d = self.vdef_temp(None, &[]);
        self.round(k, d, ra, control);
        self.cut_fp(s, d, Some(a));
        self.vbind(d);
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
        let arithmetic = matches!(
            op,
            Fp2::Add | Fp2::Sub | Fp2::Mul | Fp2::Div | Fp2::Nmul | Fp2::Abd
        );
        let (ra, rb) = (self.vreg_where(a, arithmetic), self.vreg_where(b, arithmetic));
        match op {
            _ if arithmetic => self.arithmetic(op, s, (a, ra), (b, rb)),
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
            Fp2::Rsqrts => self.rsqrt_step(s, (a, ra), (b, rb)),
            _ => unreachable!("{op:?} is not supported"),
        }
    }

    /// FRSQRTS, (3 - a * b) / 2 with one rounding, as 1.5 - (a / 2) * b: a difference that
    /// overflows only before it is halved does not arise. A small `a`, whose half may be
    /// inexact, goes to the interpreter.
    fn rsqrt_step(&mut self, s: Shape, (a, ra): (Ref, Xmm), (b, rb): (Ref, Xmm)) {
        let k = kind(s);
        let double = k.is_double();
        let pick = |single: i32, of_double: i32| if double { of_double } else { single };
        let (x, y) = (self.tame(s, a, ra), self.tame(s, b, rb));
        let (t, bits) = (self.vtemp(), self.temp());
        self.clobber_flags();
        self.asm
            .v3_state(VANDPS, t, x, pick(const_offset!(abs_s), const_offset!(abs_d)));
        let small = pick(const_offset!(small_s), const_offset!(small_d));
        self.asm.v3_state(VCMP.of(k), t, t, small);
        self.asm.bytes(&[LT_OQ]);
        self.asm.vmovmsk(double, bits, t);
        match s.span {
            Span::Scalar => self.asm.alu_imm(Alu::And, Width::W, bits, 1),
            Span::Half => self.asm.alu_imm(Alu::And, Width::W, bits, 3),
            Span::Full => self.asm.alu(Alu::Test, Width::W, bits, bits),
        }
        self.guard(Cc::Ne);
        let half = pick(const_offset!(half_s), const_offset!(half_d));
        self.asm.v3_state(VMUL.of(k), t, x, half);
        let d = self.vdef_temp(None, &[]);
        let three_halves = pick(const_offset!(three_halves_s), const_offset!(three_halves_d));
        self.asm.vex_mem(VMOVUPS_LOAD, d, None, Mem::state(three_halves));
        self.asm.fma(VFNMADD231, k, d, t, y);
        self.v.locked &= !(1 << t.0);
        self.guard_nan(k, d);
        self.cut(s, d);
        self.vbind(d);
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
        let d = self.vdef_for(form, Some(a), &[]);
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
    pub(super) fn guard_ordered(&mut self, k: FpKind, a: Xmm, b: Xmm) {
        self.clobber_flags();
        if k.is_scalar() {
            self.asm.ucomis(k.is_double(), false, a, b);
            return self.guard(Cc::P);
        }
        let (t, bits) = (self.vtemp(), self.temp());
        self.asm.v3i(VCMP.of(k), t, a, b, UNORD_Q);
        self.asm.vmovmsk(k.is_double(), bits, t);
        self.asm.alu(Alu::Test, Width::W, bits, bits);
        self.v.locked &= !(1 << t.0);
        self.guard(Cc::Ne);
    }

    /// Fused multiply-add. inf * 0 + NaN raises nothing on x86, and the choice among
    /// several NaNs differs: any NaN result goes to the interpreter.
    pub(super) fn fp3(&mut self, op: Fp3, s: Shape, a: Ref, b: Ref, c: Ref) {
        let form = match op {
            Fp3::MulAdd => VFMADD231,
            Fp3::MulSub => VFNMADD231,
            Fp3::NegMulAdd => VFNMSUB231,
            Fp3::NegMulSub => VFMSUB231,
            _ => unreachable!("{op:?} is not supported"),
        };
        if s.lane == Lane::H {
            return self.half_fused(form, s, a, b, c);
        }
        let k = kind(s);
        let (rb, rc) = (self.vreg_for(VADD, b), self.vreg_for(VADD, c));
        let d = self.vtemp();
        self.load_into(d, a);
        if s.span == Span::Half {
            self.asm.vmovq(d, d);
            let (x, y) = (self.tame(s, b, rb), self.tame(s, c, rc));
            self.asm.fma(form, k, d, x, y);
            self.v.locked &= !(1 << x.0 | 1 << y.0);
        } else {
            self.asm.fma(form, k, d, rb, rc);
        }
        self.guard_nan(k, d);
        self.cut_fp(s, d, (s.span == Span::Scalar).then_some(a));
        self.vbind(d);
    }
}
