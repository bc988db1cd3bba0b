//! Lane-wise vector operations.

use super::Lower;
use crate::asm::Xmm;
use crate::asm::mem::Vex;
use crate::asm::sse::*;
use crate::const_offset;
use crate::features::HostFeatures;
use crate::ir::{Op, Ref};
use semantics::ops::{Lane, MemSize, Shape, Span, Vec1, Vec2, Vec3, VecShift};

/// How a two-operand operation is lowered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan2 {
    /// One three-operand instruction.
    Direct(Vex),
    /// One, with the operands exchanged.
    Swapped(Vex),
    /// `op(a, b)` compared equal to `a` (or `b`), inverted or not.
    MinMaxEqual { minmax: Vex, with_b: bool, invert: bool },
    /// Several.
    Sequence,
}

/// How a one-operand operation is lowered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan1 {
    Direct(Vex),
    Sequence,
}

const fn by_lane(lane: Lane, forms: [Option<Vex>; 4]) -> Option<Vex> {
    match lane {
        Lane::B => forms[0],
        Lane::H => forms[1],
        Lane::S => forms[2],
        Lane::D => forms[3],
        Lane::Q => None,
    }
}

const ADD: [Option<Vex>; 4] = [Some(VPADDB), Some(VPADDW), Some(VPADDD), Some(VPADDQ)];
const SUB: [Option<Vex>; 4] = [Some(VPSUBB), Some(VPSUBW), Some(VPSUBD), Some(VPSUBQ)];
const EQ: [Option<Vex>; 4] = [Some(VPCMPEQB), Some(VPCMPEQW), Some(VPCMPEQD), Some(VPCMPEQQ)];
const GT: [Option<Vex>; 4] = [Some(VPCMPGTB), Some(VPCMPGTW), Some(VPCMPGTD), Some(VPCMPGTQ)];
const SMAX: [Option<Vex>; 4] = [Some(VPMAXSB), Some(VPMAXSW), Some(VPMAXSD), None];
const SMIN: [Option<Vex>; 4] = [Some(VPMINSB), Some(VPMINSW), Some(VPMINSD), None];
const UMAX: [Option<Vex>; 4] = [Some(VPMAXUB), Some(VPMAXUW), Some(VPMAXUD), None];
const UMIN: [Option<Vex>; 4] = [Some(VPMINUB), Some(VPMINUW), Some(VPMINUD), None];
const MUL: [Option<Vex>; 4] = [None, Some(VPMULLW), Some(VPMULLD), None];
const ABS: [Option<Vex>; 4] = [Some(VPABSB), Some(VPABSW), Some(VPABSD), None];
const UNPACK_LOW: [Option<Vex>; 4] = [
    Some(VPUNPCKLBW),
    Some(VPUNPCKLWD),
    Some(VPUNPCKLDQ),
    Some(VPUNPCKLQDQ),
];
const UNPACK_HIGH: [Option<Vex>; 4] = [
    Some(VPUNPCKHBW),
    Some(VPUNPCKHWD),
    Some(VPUNPCKHDQ),
    Some(VPUNPCKHQDQ),
];
const BROADCAST: [Option<Vex>; 4] = [
    Some(VPBROADCASTB_R),
    Some(VPBROADCASTW_R),
    Some(VPBROADCASTD_R),
    Some(VPBROADCASTQ_R),
];
/// Widening to the given lane.
const SIGN_WIDEN: [Option<Vex>; 4] = [None, Some(VPMOVSXBW), Some(VPMOVSXWD), Some(VPMOVSXDQ)];
const ZERO_WIDEN: [Option<Vex>; 4] = [None, Some(VPMOVZXBW), Some(VPMOVZXWD), Some(VPMOVZXDQ)];

const SHIFT: [Option<Vex>; 4] = [None, Some(VPSHIFT_W), Some(VPSHIFT_D), Some(VPSHIFT_Q)];
const SHIFT_LEFT: u8 = 6;
const SHIFT_RIGHT: u8 = 2;
const SHIFT_ARITHMETIC: u8 = 4;
/// VPSRLDQ: the whole register by bytes.
const SHIFT_BYTES_RIGHT: u8 = 3;

/// The plan for a two-operand operation; `None` if there is none.
#[must_use]
pub fn plan2(op: Vec2, s: Shape) -> Option<Plan2> {
    let lane = s.lane;
    let narrow = matches!(lane, Lane::B | Lane::H | Lane::S);
    let wide = matches!(lane, Lane::H | Lane::S | Lane::D);
    let direct = |forms| by_lane(lane, forms).map(Plan2::Direct);
    let sequence = |possible: bool| possible.then_some(Plan2::Sequence);
    match op {
        Vec2::Add => direct(ADD),
        Vec2::Sub => direct(SUB),
        Vec2::Mul if lane == Lane::B => Some(Plan2::Sequence),
        Vec2::Mul => direct(MUL),
        Vec2::And => Some(Plan2::Direct(VPAND)),
        Vec2::Or => Some(Plan2::Direct(VPOR)),
        Vec2::Xor => Some(Plan2::Direct(VPXOR)),
        Vec2::Bic => Some(Plan2::Swapped(VPANDN)),
        Vec2::Orn => Some(Plan2::Sequence),
        Vec2::Smax => direct(SMAX),
        Vec2::Smin => direct(SMIN),
        Vec2::Umax => direct(UMAX),
        Vec2::Umin => direct(UMIN),
        Vec2::CmEq => direct(EQ),
        Vec2::CmGt => direct(GT),
        Vec2::CmGe if lane == Lane::D => Some(Plan2::Sequence),
        Vec2::CmGe => by_lane(lane, SMAX).map(|minmax| Plan2::MinMaxEqual {
            minmax,
            with_b: false,
            invert: false,
        }),
        Vec2::CmHs => match by_lane(lane, UMAX) {
            Some(minmax) => Some(Plan2::MinMaxEqual {
                minmax,
                with_b: false,
                invert: false,
            }),
            None => sequence(lane == Lane::D),
        },
        Vec2::CmHi => match by_lane(lane, UMAX) {
            Some(minmax) => Some(Plan2::MinMaxEqual {
                minmax,
                with_b: true,
                invert: true,
            }),
            None => sequence(lane == Lane::D),
        },
        Vec2::CmTst => Some(Plan2::Sequence),
        Vec2::Urhadd => match lane {
            Lane::B => Some(Plan2::Direct(VPAVGB)),
            Lane::H => Some(Plan2::Direct(VPAVGW)),
            _ => None,
        },
        Vec2::Sabd | Vec2::Uabd => sequence(narrow),
        Vec2::Zip1 if s.span == Span::Full || lane != Lane::D => direct(UNPACK_LOW),
        Vec2::Zip2 if s.span == Span::Full => direct(UNPACK_HIGH),
        Vec2::Zip2 => sequence(narrow),
        Vec2::Uzp1 | Vec2::Uzp2 | Vec2::Trn1 | Vec2::Trn2 => {
            sequence(lane != Lane::Q && (s.span == Span::Full || lane != Lane::D))
        }
        Vec2::Addp | Vec2::Smaxp | Vec2::Sminp | Vec2::Umaxp | Vec2::Uminp => {
            let base = pairwise_base(op).and_then(|base| plan2(base, s));
            sequence(matches!(base, Some(Plan2::Direct(_))) && s.span != Span::Scalar)
        }
        Vec2::Saddl
        | Vec2::Uaddl
        | Vec2::Ssubl
        | Vec2::Usubl
        | Vec2::Saddw
        | Vec2::Uaddw
        | Vec2::Ssubw
        | Vec2::Usubw => sequence(wide),
        Vec2::Smull | Vec2::Umull => sequence(wide && s.span == Span::Full),
        Vec2::Sabdl | Vec2::Uabdl => sequence(matches!(lane, Lane::H | Lane::S)),
        Vec2::Pmull => sequence(lane == Lane::Q && HostFeatures::get().pclmul),
        Vec2::Addhn | Vec2::Subhn => sequence(narrow),
        Vec2::Ushl => sequence(matches!(lane, Lane::S | Lane::D)),
        Vec2::Sshl => sequence(lane == Lane::S),
        Vec2::AesE | Vec2::AesD => sequence(HostFeatures::get().aes),
        Vec2::Sha1Su1 => Some(Plan2::Sequence),
        Vec2::Sha256Su0 => sequence(HostFeatures::get().sha),
        Vec2::JoinLow => Some(Plan2::Direct(VPUNPCKLQDQ)),
        _ => None,
    }
}

/// The lane-wise operation of a pairwise one.
const fn pairwise_base(op: Vec2) -> Option<Vec2> {
    match op {
        Vec2::Addp => Some(Vec2::Add),
        Vec2::Smaxp => Some(Vec2::Smax),
        Vec2::Sminp => Some(Vec2::Smin),
        Vec2::Umaxp => Some(Vec2::Umax),
        Vec2::Uminp => Some(Vec2::Umin),
        _ => None,
    }
}

/// The plan for a one-operand operation.
#[must_use]
pub fn plan1(op: Vec1, s: Shape) -> Option<Plan1> {
    let lane = s.lane;
    let vector = s.span != Span::Scalar;
    let sequence = |possible: bool| possible.then_some(Plan1::Sequence);
    match op {
        Vec1::Mov | Vec1::HighHalf | Vec1::Not => Some(Plan1::Sequence),
        Vec1::Neg => sequence(lane != Lane::Q),
        Vec1::Abs => match by_lane(lane, ABS) {
            Some(form) => Some(Plan1::Direct(form)),
            None => sequence(lane == Lane::D),
        },
        Vec1::Cnt | Vec1::Rbit => Some(Plan1::Sequence),
        Vec1::Rev16 | Vec1::Rev32 | Vec1::Rev64 => sequence(matches!(lane, Lane::B | Lane::H | Lane::S)),
        Vec1::Xtn => sequence(vector && matches!(lane, Lane::B | Lane::H | Lane::S)),
        Vec1::Sxtl => by_lane(lane, SIGN_WIDEN).map(Plan1::Direct),
        Vec1::Uxtl => by_lane(lane, ZERO_WIDEN).map(Plan1::Direct),
        Vec1::Saddlp | Vec1::Uaddlp => sequence(lane == Lane::H || (lane == Lane::S && op == Vec1::Saddlp)),
        Vec1::Addv => sequence(vector),
        Vec1::Smaxv | Vec1::Sminv | Vec1::Umaxv | Vec1::Uminv => {
            sequence(vector && matches!(lane, Lane::B | Lane::H | Lane::S))
        }
        Vec1::Uaddlv => sequence(vector && lane == Lane::B),
        Vec1::CmEqZero | Vec1::CmGtZero | Vec1::CmGeZero | Vec1::CmLeZero | Vec1::CmLtZero => {
            sequence(lane != Lane::Q)
        }
        Vec1::AesMc | Vec1::AesImc => sequence(HostFeatures::get().aes),
        Vec1::Sha1H => Some(Plan1::Sequence),
        _ => None,
    }
}

impl Lower<'_> {
    /// How many low bits of the value may be set.
    pub(super) fn live_bits(&self, r: Ref) -> u32 {
        match self.op(r) {
            Op::LoadV { size, .. } => match size {
                MemSize::B => 8,
                MemSize::H => 16,
                MemSize::W => 32,
                MemSize::X => 64,
                MemSize::Q => 128,
            },
            Op::Vec1 { s, .. }
            | Op::Vec2 { s, .. }
            | Op::Vec3 { s, .. }
            | Op::VecShift { s, .. }
            | Op::VecDupLane { s, .. }
            | Op::VecDup { s, .. }
            | Op::Fp1 { s, .. }
            | Op::Fp2 { s, .. }
            | Op::Fp3 { s, .. }
            | Op::VecFpToInt { s, .. }
            | Op::VecIntToFp { s, .. } => s.bits(),
            Op::IntToFp { size, .. } => size.lane().bits(),
            Op::VecImm { hi: 0, .. } => 64,
            _ => 128,
        }
    }

    /// Zeroes what lies beyond the shape.
    pub(super) fn cut(&mut self, s: Shape, d: Xmm) {
        match s.bits() {
            8 => self.asm.v3_state(VPAND, d, d, const_offset!(low_b)),
            16 => self.asm.v3_state(VPAND, d, d, const_offset!(low_h)),
            32 => self.asm.v3i(VINSERTPS, d, d, d, 0x0e),
            64 => self.asm.vmovq(d, d),
            _ => {}
        }
    }

    /// As [`Lower::cut`], unless the operands show that nothing can be there: for
    /// operations that give zero on zeros.
    fn cut_unless_clean(&mut self, s: Shape, d: Xmm, operands: &[Ref]) {
        if operands.iter().any(|&r| self.live_bits(r) > s.bits()) {
            self.cut(s, d);
        }
    }

    pub(super) fn vec1(&mut self, op: Vec1, s: Shape, a: Ref) {
        let ra = self.vreg(a);
        match plan1(op, s) {
            Some(Plan1::Direct(form)) => {
                let d = self.vdef(Some(a), &[]);
                self.asm.v2(form, d, ra);
                self.cut_unless_clean(s, d, &[a]);
                self.vbind(d);
            }
            Some(Plan1::Sequence) | None => {
                let d = self.vdef(None, &[ra]);
                self.vec1_sequence(op, s, d, ra);
                self.vbind(d);
            }
        }
    }

    fn vec1_sequence(&mut self, op: Vec1, s: Shape, d: Xmm, a: Xmm) {
        let lane = s.lane;
        match op {
            Vec1::Mov => {
                self.asm.vmov(d, a);
                self.cut(s, d);
            }
            Vec1::HighHalf => self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, d, a, 8),
            Vec1::Not => {
                self.asm.v3_state(VPXOR, d, a, const_offset!(ones));
                self.cut(s, d);
            }
            Vec1::Neg => {
                self.asm.vzero(d);
                self.three(SUB, lane, d, d, a);
                self.cut(s, d);
            }
            Vec1::Abs => {
                // Doublewords: (a ^ sign) - sign.
                let t = self.vtemp();
                self.asm.vzero(t);
                self.asm.v3(VPCMPGTQ, t, t, a);
                self.asm.v3(VPXOR, d, a, t);
                self.asm.v3(VPSUBQ, d, d, t);
                self.cut(s, d);
            }
            Vec1::Cnt => {
                self.nibbles(d, a, const_offset!(popcount), const_offset!(popcount), VPADDB);
                self.cut(s, d);
            }
            Vec1::Rbit => {
                self.nibbles(d, a, const_offset!(rbit_low), const_offset!(rbit_high), VPOR);
                self.cut(s, d);
            }
            Vec1::Rev16 | Vec1::Rev32 | Vec1::Rev64 => {
                self.reverse(op, lane, d, a);
                self.cut(s, d);
            }
            Vec1::Xtn => self.narrow(lane, d, a, false),
            Vec1::Saddlp | Vec1::Uaddlp => {
                self.add_pairs_long(op, lane, d, a);
                self.cut(s, d);
            }
            Vec1::Addv => self.across(ADD, s, d, a),
            Vec1::Smaxv => self.across(SMAX, s, d, a),
            Vec1::Sminv => self.across(SMIN, s, d, a),
            Vec1::Umaxv => self.across(UMAX, s, d, a),
            Vec1::Uminv => self.across(UMIN, s, d, a),
            Vec1::Uaddlv => {
                let t = self.vtemp();
                self.asm.vzero(t);
                self.asm.v3(VPSADBW, d, a, t);
                if s.span == Span::Full {
                    self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, t, d, 8);
                    self.asm.v3(VPADDQ, d, d, t);
                }
                self.asm.vmovq(d, d);
            }
            Vec1::CmEqZero | Vec1::CmGtZero | Vec1::CmGeZero | Vec1::CmLeZero | Vec1::CmLtZero => {
                self.asm.vzero(d);
                match op {
                    Vec1::CmEqZero => self.three(EQ, lane, d, a, d),
                    Vec1::CmGtZero | Vec1::CmLeZero => self.three(GT, lane, d, a, d),
                    _ => self.three(GT, lane, d, d, a),
                }
                if matches!(op, Vec1::CmGeZero | Vec1::CmLeZero) {
                    self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
                }
                self.cut(s, d);
            }
            Vec1::AesMc => {
                // Undoing and redoing the other steps of a round leaves MixColumns.
                let zero = self.vtemp();
                self.asm.vzero(zero);
                self.asm.v3(VAESDECLAST, d, a, zero);
                self.asm.v3(VAESENC, d, d, zero);
            }
            Vec1::AesImc => self.asm.v2(VAESIMC, d, a),
            Vec1::Sha1H => self.sha1_h(d, a),
            _ => unreachable!("{op:?} has no plan"),
        }
    }

    /// `op` by lane size.
    fn three(&mut self, forms: [Option<Vex>; 4], lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let form = by_lane(lane, forms).expect("the plan only takes lanes that have a form");
        self.asm.v3(form, d, a, b);
    }

    /// Each byte's nibbles through two tables, combined.
    fn nibbles(&mut self, d: Xmm, a: Xmm, low: i32, high: i32, combine: Vex) {
        let (t, table) = (self.vtemp(), self.vtemp());
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, a, 4);
        self.asm.v3_state(VPAND, t, t, const_offset!(nibble));
        self.asm.v3_state(VPAND, d, a, const_offset!(nibble));
        self.load_const(table, low);
        self.asm.v3(VPSHUFB, d, table, d);
        if high != low {
            self.load_const(table, high);
        }
        self.asm.v3(VPSHUFB, t, table, t);
        self.asm.v3(combine, d, d, t);
    }

    fn load_const(&mut self, d: Xmm, offset: i32) {
        self.asm.vex_mem(
            crate::asm::mem::VMOVUPS_LOAD,
            d,
            None,
            crate::asm::mem::Mem::state(offset),
        );
    }

    fn reverse(&mut self, op: Vec1, lane: Lane, d: Xmm, a: Xmm) {
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
    fn narrow(&mut self, lane: Lane, d: Xmm, a: Xmm, odd: bool) {
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

    fn add_pairs_long(&mut self, op: Vec1, lane: Lane, d: Xmm, a: Xmm) {
        match (op, lane) {
            (Vec1::Uaddlp, Lane::H) => self.asm.v3_state(VPMADDUBSW, d, a, const_offset!(byte_ones)),
            (Vec1::Saddlp, Lane::H) => {
                self.load_const(d, const_offset!(byte_ones));
                self.asm.v3(VPMADDUBSW, d, d, a);
            }
            _ => self.asm.v3_state(VPMADDWD, d, a, const_offset!(half_ones)),
        }
    }

    /// Folds the register in halves until one lane is left.
    fn across(&mut self, forms: [Option<Vex>; 4], s: Shape, d: Xmm, a: Xmm) {
        let t = self.vtemp();
        let mut bytes = (s.bits() / 16) as u8;
        self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, t, a, bytes);
        self.three(forms, s.lane, d, a, t);
        bytes /= 2;
        while bytes as usize >= s.lane.bytes() {
            self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, t, d, bytes);
            self.three(forms, s.lane, d, d, t);
            bytes /= 2;
        }
        self.cut(Shape::scalar(s.lane), d);
    }

    pub(super) fn vec2(&mut self, op: Vec2, s: Shape, a: Ref, b: Ref) {
        let plan = plan2(op, s);
        let ra = self.vreg(a);
        // Comparisons give ones on zeros; ZIP1 moves what is below into the upper half.
        let zero_on_zeros = !matches!(op, Vec2::CmEq | Vec2::CmGe | Vec2::CmHs | Vec2::Orn | Vec2::Zip1);
        if let Some(Plan2::Direct(form)) = plan {
            let b_operand = self.voperand(b);
            let d = self.vdef(Some(a), &[]);
            self.v3_operand(form, d, ra, b_operand);
            return self.finish2(zero_on_zeros, s, d, a, b);
        }
        let rb = self.vreg(b);
        match plan {
            Some(Plan2::Swapped(form)) => {
                let d = self.vdef(Some(a), &[]);
                self.asm.v3(form, d, rb, ra);
                self.finish2(zero_on_zeros, s, d, a, b);
            }
            Some(Plan2::MinMaxEqual {
                minmax,
                with_b,
                invert,
            }) => {
                let d = self.vdef(None, &[ra, rb]);
                self.asm.v3(minmax, d, ra, rb);
                self.three(EQ, s.lane, d, d, if with_b { rb } else { ra });
                if invert {
                    self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
                }
                self.finish2(false, s, d, a, b);
            }
            Some(Plan2::Direct(_) | Plan2::Sequence) | None => {
                let d = self.vdef(None, &[ra, rb]);
                self.vec2_sequence(op, s, d, ra, rb);
                self.vbind(d);
            }
        }
    }

    fn finish2(&mut self, zero_on_zeros: bool, s: Shape, d: Xmm, a: Ref, b: Ref) {
        if zero_on_zeros {
            self.cut_unless_clean(s, d, &[a, b]);
        } else {
            self.cut(s, d);
        }
        self.vbind(d);
    }

    /// `d` differs from `a` and `b`.
    fn vec2_sequence(&mut self, op: Vec2, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        let lane = s.lane;
        match op {
            Vec2::Mul => self.multiply_bytes(d, a, b),
            Vec2::Orn => {
                self.asm.v3_state(VPXOR, d, b, const_offset!(ones));
                self.asm.v3(VPOR, d, d, a);
            }
            Vec2::CmGe => {
                self.asm.v3(VPCMPGTQ, d, b, a);
                self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
            }
            Vec2::CmHi | Vec2::CmHs => {
                // Unsigned doublewords compare as signed ones with the sign bits flipped.
                let t = self.vtemp();
                let (x, y) = if op == Vec2::CmHi { (a, b) } else { (b, a) };
                self.asm.v3_state(VPXOR, d, x, const_offset!(sign_d));
                self.asm.v3_state(VPXOR, t, y, const_offset!(sign_d));
                self.asm.v3(VPCMPGTQ, d, d, t);
                if op == Vec2::CmHs {
                    self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
                }
            }
            Vec2::CmTst => {
                let t = self.vtemp();
                self.asm.v3(VPAND, d, a, b);
                self.asm.vzero(t);
                self.three(EQ, lane, d, d, t);
                self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
            }
            Vec2::Sabd | Vec2::Uabd => self.absolute_difference(op == Vec2::Sabd, lane, d, a, b),
            Vec2::Zip2 => {
                self.three(UNPACK_LOW, lane, d, a, b);
                self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, d, d, 8);
            }
            Vec2::Uzp1 | Vec2::Uzp2 => self.unzip(op == Vec2::Uzp2, s, d, a, b),
            Vec2::Trn1 | Vec2::Trn2 => self.transpose(op == Vec2::Trn2, lane, d, a, b),
            Vec2::Addp | Vec2::Smaxp | Vec2::Sminp | Vec2::Umaxp | Vec2::Uminp => {
                let t = self.vtemp();
                self.unzip(false, s, d, a, b);
                self.unzip(true, s, t, a, b);
                match pairwise_base(op).and_then(|base| plan2(base, s)) {
                    Some(Plan2::Direct(form)) => self.asm.v3(form, d, d, t),
                    _ => unreachable!("the plan checked the base operation"),
                }
            }
            Vec2::Saddl | Vec2::Uaddl | Vec2::Ssubl | Vec2::Usubl => {
                let t = self.vtemp();
                let signed = matches!(op, Vec2::Saddl | Vec2::Ssubl);
                self.widen(signed, lane, d, a);
                self.widen(signed, lane, t, b);
                let forms = if matches!(op, Vec2::Saddl | Vec2::Uaddl) {
                    ADD
                } else {
                    SUB
                };
                self.three(forms, lane, d, d, t);
            }
            Vec2::Saddw | Vec2::Uaddw | Vec2::Ssubw | Vec2::Usubw => {
                self.widen(matches!(op, Vec2::Saddw | Vec2::Ssubw), lane, d, b);
                let forms = if matches!(op, Vec2::Saddw | Vec2::Uaddw) {
                    ADD
                } else {
                    SUB
                };
                self.three(forms, lane, d, a, d);
            }
            Vec2::Smull | Vec2::Umull => self.multiply_long(op == Vec2::Smull, lane, d, a, b),
            Vec2::Sabdl | Vec2::Uabdl => {
                let (x, y) = (self.vtemp(), self.vtemp());
                let signed = op == Vec2::Sabdl;
                self.widen(signed, lane, x, a);
                self.widen(signed, lane, y, b);
                // The difference of widened values fits the wide lane as a signed number.
                self.three(SUB, lane, d, x, y);
                let form = by_lane(lane, ABS).expect("only H and S are planned");
                self.asm.v2(form, d, d);
            }
            Vec2::Pmull => self.asm.v3i(VPCLMULQDQ, d, a, b, 0),
            Vec2::Addhn | Vec2::Subhn => {
                self.three(if op == Vec2::Addhn { ADD } else { SUB }, lane.wider(), d, a, b);
                self.narrow(lane, d, d, true);
            }
            Vec2::Ushl | Vec2::Sshl => self.shift_variable(op == Vec2::Sshl, lane, d, a, b),
            Vec2::Sha1Su1 => self.sha1_su1(d, a, b),
            Vec2::Sha256Su0 => {
                self.asm.vmov(d, a);
                self.asm.sha(Sha::Msg1, d, b);
            }
            _ => unreachable!("{op:?} has no plan"),
        }
        self.cut(s, d);
    }

    fn widen(&mut self, signed: bool, lane: Lane, d: Xmm, s: Xmm) {
        let forms = if signed { SIGN_WIDEN } else { ZERO_WIDEN };
        let form = by_lane(lane, forms).expect("only H, S and D are widened to");
        self.asm.v2(form, d, s);
    }

    /// Products of bytes: of the even ones in place, of the odd ones shifted down and up.
    fn multiply_bytes(&mut self, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.vtemp();
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, d, a, 8);
        self.asm.vshift(VPSHIFT_W, SHIFT_RIGHT, t, b, 8);
        self.asm.v3(VPMULLW, d, d, t);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, d, 8);
        self.asm.v3(VPMULLW, t, a, b);
        self.asm.v3_state(VPAND, t, t, const_offset!(low_byte_h));
        self.asm.v3(VPOR, d, d, t);
    }

    fn multiply_long(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.vtemp();
        match lane {
            Lane::H => {
                self.widen(signed, lane, d, a);
                self.widen(signed, lane, t, b);
                self.asm.v3(VPMULLW, d, d, t);
            }
            Lane::S => {
                self.asm.v3(VPMULLW, t, a, b);
                self.asm.v3(if signed { VPMULHW } else { VPMULHUW }, d, a, b);
                self.asm.v3(VPUNPCKLWD, d, t, d);
            }
            _ => {
                self.asm.v2i(VPSHUFD, d, a, 0x50);
                self.asm.v2i(VPSHUFD, t, b, 0x50);
                self.asm.v3(if signed { VPMULDQ } else { VPMULUDQ }, d, d, t);
            }
        }
    }

    fn absolute_difference(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
        let t = self.vtemp();
        self.three(if signed { SMAX } else { UMAX }, lane, d, a, b);
        self.three(if signed { SMIN } else { UMIN }, lane, t, a, b);
        self.three(SUB, lane, d, d, t);
    }

    /// Even (or odd) lanes of `a`, then of `b`.
    fn unzip(&mut self, odd: bool, s: Shape, d: Xmm, a: Xmm, b: Xmm) {
        if s.span != Span::Full {
            self.asm.v3(VPUNPCKLQDQ, d, a, b);
            return self.narrow(s.lane, d, d, odd);
        }
        match s.lane {
            Lane::S => self.asm.v3i(VSHUFPS, d, a, b, if odd { 0xdd } else { 0x88 }),
            Lane::D => self.asm.v3(if odd { VPUNPCKHQDQ } else { VPUNPCKLQDQ }, d, a, b),
            _ => {
                let t = self.vtemp();
                self.narrow(s.lane, t, b, odd);
                self.narrow(s.lane, d, a, odd);
                self.asm.v3(VPUNPCKLQDQ, d, d, t);
                self.locked_v &= !(1 << t.0);
            }
        }
    }

    fn transpose(&mut self, second: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
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
                let (mask, t) = (self.vtemp(), self.vtemp());
                self.load_const(mask, const_offset!(low_byte_h));
                self.asm.v3(VPAND, t, even, mask);
                self.asm.v3(VPANDN, d, mask, odd);
                self.asm.v3(VPOR, d, d, t);
            }
        }
    }

    /// USHL and SSHL: by the signed low byte of each lane. x86's variable shifts take any
    /// count of 32 or more as "all out", so the wrong direction contributes nothing.
    fn shift_variable(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, b: Xmm) {
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

    pub(super) fn vec3(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) {
        if self.sha3_operand(op, a, b, c) {
            return;
        }
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        if op == Vec3::Bsl {
            // c ^ ((b ^ c) & a)
            let d = self.vdef(None, &[ra, rc]);
            self.asm.v3(VPXOR, d, rb, rc);
            self.asm.v3(VPAND, d, d, ra);
            self.asm.v3(VPXOR, d, d, rc);
            self.cut_unless_clean(s, d, &[a, b, c]);
            return self.vbind(d);
        }
        let product = match op {
            Vec3::Mla | Vec3::Mls => Vec2::Mul,
            Vec3::Smlal | Vec3::Smlsl => Vec2::Smull,
            Vec3::Umlal | Vec3::Umlsl => Vec2::Umull,
            Vec3::Saba => Vec2::Sabd,
            _ => Vec2::Uabd,
        };
        let d = self.vdef_temp(None, &[]);
        match plan2(product, s) {
            Some(Plan2::Direct(form)) => self.asm.v3(form, d, rb, rc),
            _ => self.vec2_sequence(product, s, d, rb, rc),
        }
        let forms = if matches!(op, Vec3::Mls | Vec3::Smlsl | Vec3::Umlsl) {
            SUB
        } else {
            ADD
        };
        self.three(forms, s.lane, d, ra, d);
        self.cut(s, d);
        self.vbind(d);
    }

    pub(super) fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Ref, a: Ref, amount: u8) {
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

    fn shift_form(&mut self, lane: Lane, ext: u8, d: Xmm, a: Xmm, amount: u8) {
        let form = by_lane(lane, SHIFT).expect("bytes have their own sequences");
        self.asm.vshift(form, ext, d, a, amount);
    }

    /// All bytes of `d` become `byte`.
    fn byte_mask(&mut self, d: Xmm, byte: u8) {
        let t = self.temp();
        self.asm.mov_imm(t, u64::from(byte));
        self.asm.vmovd_from(d, t);
        self.asm.v2(VPBROADCASTB_R, d, d);
    }

    fn shift_left(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
        if lane != Lane::B {
            return self.shift_form(lane, SHIFT_LEFT, d, a, amount);
        }
        let t = self.vtemp();
        self.byte_mask(t, 0xff << amount);
        self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, a, amount);
        self.asm.v3(VPAND, d, d, t);
    }

    fn shift_right(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
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

    fn shift_arithmetic(&mut self, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
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
    fn shift_rounding(&mut self, signed: bool, lane: Lane, d: Xmm, a: Xmm, amount: u8) {
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

    pub(super) fn broadcast(&mut self, lane: Lane, d: Xmm, s: Xmm) {
        let form = by_lane(lane, BROADCAST).expect("lanes are at most 64 bits wide");
        self.asm.v2(form, d, s);
    }
}
