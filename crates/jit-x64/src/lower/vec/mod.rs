//! Lane-wise vector operations.

mod arith;
mod count;
mod dot;
mod permute;
mod saturate;
mod shift;
mod variable;

use super::Lower;
use crate::asm::Xmm;
use crate::asm::mem::Vex;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::{Op, Ref};
use crate::target::HostFeatures;
use saturate::{Narrowing, Rounding, Sign, Sum};
use semantics::ops::{Lane, MemSize, Shape, Span, Vec1, Vec2, Vec3};
use variable::VariableShift;

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

/// Offsets of constants, by lane.
type Constants = [i32; 4];

const SIGN_CONST: Constants = [
    const_offset!(sign_b),
    const_offset!(sign_h),
    const_offset!(sign_s),
    const_offset!(sign_d),
];
/// The greatest signed number.
const MAX_CONST: Constants = [
    const_offset!(max_b),
    const_offset!(max_h),
    const_offset!(abs_s),
    const_offset!(abs_d),
];

const fn const_by_lane(lane: Lane, constants: Constants) -> i32 {
    match lane {
        Lane::B => constants[0],
        Lane::H => constants[1],
        Lane::S => constants[2],
        Lane::D | Lane::Q => constants[3],
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
pub fn plan2(host: HostFeatures, op: Vec2, s: Shape) -> Option<Plan2> {
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
        Vec2::Urhadd if lane == Lane::B => Some(Plan2::Direct(VPAVGB)),
        Vec2::Urhadd if lane == Lane::H => Some(Plan2::Direct(VPAVGW)),
        Vec2::Shadd | Vec2::Uhadd | Vec2::Srhadd | Vec2::Urhadd | Vec2::Shsub | Vec2::Uhsub => {
            sequence(narrow)
        }
        Vec2::SqAdd | Vec2::UqAdd | Vec2::SqSub | Vec2::UqSub | Vec2::Suqadd | Vec2::Usqadd => {
            sequence(lane != Lane::Q)
        }
        Vec2::SqDmulh | Vec2::SqRdmulh => sequence(matches!(lane, Lane::H | Lane::S)),
        Vec2::SqDmull => sequence(matches!(lane, Lane::S | Lane::D)),
        Vec2::Sabd | Vec2::Uabd => sequence(narrow),
        Vec2::Zip1 if s.span == Span::Full || lane != Lane::D => direct(UNPACK_LOW),
        Vec2::Zip2 if s.span == Span::Full => direct(UNPACK_HIGH),
        Vec2::Zip2 => sequence(narrow),
        Vec2::Uzp1 | Vec2::Uzp2 | Vec2::Trn1 | Vec2::Trn2 => {
            sequence(lane != Lane::Q && (s.span == Span::Full || lane != Lane::D))
        }
        Vec2::Addp | Vec2::Smaxp | Vec2::Sminp | Vec2::Umaxp | Vec2::Uminp => {
            let base = pairwise_base(op).and_then(|base| plan2(host, base, s));
            let scalar = op == Vec2::Addp && lane == Lane::D;
            sequence(matches!(base, Some(Plan2::Direct(_))) && (s.span != Span::Scalar || scalar))
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
        Vec2::Sabdl | Vec2::Uabdl => sequence(wide),
        Vec2::Pmull => sequence(lane == Lane::Q && host.pclmul),
        Vec2::Addhn | Vec2::Subhn | Vec2::Raddhn | Vec2::Rsubhn => sequence(narrow),
        Vec2::Sshl
        | Vec2::Ushl
        | Vec2::Srshl
        | Vec2::Urshl
        | Vec2::SqShl
        | Vec2::UqShl
        | Vec2::SqRshl
        | Vec2::UqRshl => sequence(lane != Lane::Q),
        Vec2::AesE | Vec2::AesD => sequence(host.aes),
        Vec2::Sha1Su1 | Vec2::Sha512Su0 => Some(Plan2::Sequence),
        Vec2::Sha256Su0 => sequence(host.sha),
        Vec2::JoinLow => Some(Plan2::Direct(VPUNPCKLQDQ)),
        Vec2::Zip1 | Vec2::Pmul | Vec2::Sm4E | Vec2::Sm4EKey => None,
    }
}

/// Whether the operands of a plan of one instruction may be exchanged.
const fn is_commutative(op: Vec2) -> bool {
    matches!(
        op,
        Vec2::Add
            | Vec2::Mul
            | Vec2::And
            | Vec2::Or
            | Vec2::Xor
            | Vec2::Smax
            | Vec2::Smin
            | Vec2::Umax
            | Vec2::Umin
            | Vec2::CmEq
            | Vec2::Urhadd
    )
}

/// What a shift by a register does.
const fn variable_shift(op: Vec2) -> VariableShift {
    let sign = match op {
        Vec2::Sshl | Vec2::Srshl | Vec2::SqShl | Vec2::SqRshl => Sign::Signed,
        _ => Sign::Unsigned,
    };
    let rounding = match op {
        Vec2::Srshl | Vec2::Urshl | Vec2::SqRshl | Vec2::UqRshl => Rounding::Nearest,
        _ => Rounding::Down,
    };
    VariableShift {
        sign,
        rounding,
        saturating: matches!(op, Vec2::SqShl | Vec2::UqShl | Vec2::SqRshl | Vec2::UqRshl),
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
pub fn plan1(host: HostFeatures, op: Vec1, s: Shape) -> Option<Plan1> {
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
        Vec1::Clz | Vec1::Cls => sequence(matches!(lane, Lane::B | Lane::H | Lane::S)),
        Vec1::SqAbs | Vec1::SqNeg => sequence(lane != Lane::Q),
        Vec1::SqXtn | Vec1::UqXtn | Vec1::SqXtun => sequence(matches!(lane, Lane::B | Lane::H | Lane::S)),
        Vec1::Saddlp | Vec1::Uaddlp => sequence(matches!(lane, Lane::H | Lane::S | Lane::D)),
        Vec1::Addv => sequence(vector),
        Vec1::Smaxv | Vec1::Sminv | Vec1::Umaxv | Vec1::Uminv => {
            sequence(vector && matches!(lane, Lane::B | Lane::H | Lane::S))
        }
        Vec1::Saddlv | Vec1::Uaddlv => sequence(vector && matches!(lane, Lane::B | Lane::H | Lane::S)),
        Vec1::CmEqZero | Vec1::CmGtZero | Vec1::CmGeZero | Vec1::CmLeZero | Vec1::CmLtZero => {
            sequence(lane != Lane::Q)
        }
        Vec1::AesMc | Vec1::AesImc => sequence(host.aes),
        Vec1::Sha1H => Some(Plan1::Sequence),
        Vec1::Urecpe | Vec1::Ursqrte => None,
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
        if let Some(Plan1::Direct(form)) = plan1(self.target.features, op, s) {
            let ra = self.vreg_for(form, a);
            let d = self.vdef_for(form, Some(a), &[]);
            self.asm.v2(form, d, ra);
            self.cut_unless_clean(s, d, &[a]);
            return self.vbind(d);
        }
        // These are made of instructions that take all vector registers.
        let shuffles = matches!(
            op,
            Vec1::Mov | Vec1::HighHalf | Vec1::Neg | Vec1::Rev16 | Vec1::Rev32 | Vec1::Rev64 | Vec1::Xtn
        );
        let (ra, d) = if shuffles {
            let ra = self.vreg_for(VPSHUFB, a);
            (ra, self.vdef_for(VPSHUFB, None, &[ra]))
        } else {
            let ra = self.vreg(a);
            (ra, self.vdef(None, &[ra]))
        };
        self.vec1_sequence(op, s, d, ra);
        self.vbind(d);
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
                let t = self.scratch();
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
            Vec1::Clz => {
                self.leading_zeros(lane, d, a);
                self.cut(s, d);
            }
            Vec1::Cls => {
                self.leading_signs(lane, d, a);
                self.cut(s, d);
            }
            Vec1::SqAbs => {
                self.saturating_abs(s, d, a);
                self.cut(s, d);
            }
            Vec1::SqNeg => {
                self.saturating_negate(s, d, a);
                self.cut(s, d);
            }
            Vec1::SqXtn | Vec1::UqXtn | Vec1::SqXtun => {
                let how = match op {
                    Vec1::SqXtn => Narrowing::Signed,
                    Vec1::UqXtn => Narrowing::Unsigned,
                    _ => Narrowing::SignedToUnsigned,
                };
                self.saturating_narrow(how, s, d, a);
                self.cut(s, d);
            }
            Vec1::Saddlv | Vec1::Uaddlv if (op, lane) != (Vec1::Uaddlv, Lane::B) => {
                let pairs = self.scratch();
                let wide = Shape::new(lane.wider(), s.span);
                let op = if op == Vec1::Saddlv {
                    Vec1::Saddlp
                } else {
                    Vec1::Uaddlp
                };
                self.add_pairs_long(op, wide.lane, pairs, a);
                self.across(ADD, wide, d, pairs);
            }
            Vec1::Uaddlv => {
                let t = self.scratch();
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
                let zero = self.scratch();
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

    fn load_const(&mut self, d: Xmm, offset: i32) {
        self.asm.vex_mem(
            crate::asm::mem::VMOVUPS_LOAD,
            d,
            None,
            crate::asm::mem::Mem::state(offset),
        );
    }

    pub(super) fn vec2(&mut self, op: Vec2, s: Shape, a: Ref, b: Ref) {
        // Comparisons give ones on zeros; ZIP1 moves what is below into the upper half.
        let zero_on_zeros = !matches!(op, Vec2::CmEq | Vec2::CmGe | Vec2::CmHs | Vec2::Orn | Vec2::Zip1);
        let plan = plan2(self.target.features, op, s);
        if let Some(Plan2::Direct(form) | Plan2::Swapped(form)) = plan {
            // The second operand may be in memory.
            let exchanged =
                is_commutative(op) && self.only_in_state(b).is_none() && self.only_in_state(a).is_some();
            let (x, y) = if exchanged != matches!(plan, Some(Plan2::Swapped(_))) {
                (b, a)
            } else {
                (a, b)
            };
            let d = self.v3_ref(form, x, y);
            return self.finish2(zero_on_zeros, s, d, a, b);
        }
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        match plan {
            Some(Plan2::Direct(_) | Plan2::Swapped(_)) => unreachable!("done above"),
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
            Some(Plan2::Sequence) | None => {
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
                let t = self.scratch();
                let (x, y) = if op == Vec2::CmHi { (a, b) } else { (b, a) };
                self.asm.v3_state(VPXOR, d, x, const_offset!(sign_d));
                self.asm.v3_state(VPXOR, t, y, const_offset!(sign_d));
                self.asm.v3(VPCMPGTQ, d, d, t);
                if op == Vec2::CmHs {
                    self.asm.v3_state(VPXOR, d, d, const_offset!(ones));
                }
            }
            Vec2::CmTst => {
                let t = self.scratch();
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
            Vec2::SqAdd => self.saturating_sum((Sign::Signed, Sum::Add), s, d, a, b),
            Vec2::SqSub => self.saturating_sum((Sign::Signed, Sum::Sub), s, d, a, b),
            Vec2::UqAdd => self.saturating_sum((Sign::Unsigned, Sum::Add), s, d, a, b),
            Vec2::UqSub => self.saturating_sum((Sign::Unsigned, Sum::Sub), s, d, a, b),
            Vec2::Suqadd => self.saturating_mixed(Sign::Unsigned, s, d, a, b),
            Vec2::Usqadd => self.saturating_mixed(Sign::Signed, s, d, a, b),
            Vec2::SqDmulh => self.doubling_high(Rounding::Down, s, d, a, b),
            Vec2::SqRdmulh => self.doubling_high(Rounding::Nearest, s, d, a, b),
            Vec2::SqDmull => self.doubling_long(s, d, a, b),
            Vec2::Shadd | Vec2::Uhadd | Vec2::Srhadd | Vec2::Urhadd | Vec2::Shsub | Vec2::Uhsub => {
                self.halving(op, lane, d, a, b);
            }
            Vec2::Addp if s.span == Span::Scalar => {
                self.asm.vshift(VPSHIFT_Q, SHIFT_BYTES_RIGHT, d, a, 8);
                self.asm.v3(VPADDQ, d, d, a);
            }
            Vec2::Addp | Vec2::Smaxp | Vec2::Sminp | Vec2::Umaxp | Vec2::Uminp => {
                let t = self.scratch();
                self.unzip(false, s, d, a, b);
                self.unzip(true, s, t, a, b);
                match pairwise_base(op).and_then(|base| plan2(self.target.features, base, s)) {
                    Some(Plan2::Direct(form)) => self.asm.v3(form, d, d, t),
                    _ => unreachable!("the plan checked the base operation"),
                }
            }
            Vec2::Saddl | Vec2::Uaddl | Vec2::Ssubl | Vec2::Usubl => {
                let t = self.scratch();
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
                let (x, y) = (self.scratch(), self.scratch());
                let signed = op == Vec2::Sabdl;
                self.widen(signed, lane, x, a);
                self.widen(signed, lane, y, b);
                // The difference of widened values fits the wide lane as a signed number.
                self.three(SUB, lane, d, x, y);
                match by_lane(lane, ABS) {
                    Some(form) => self.asm.v2(form, d, d),
                    None => {
                        self.sign_mask(lane, x, d);
                        self.asm.v3(VPXOR, d, d, x);
                        self.three(SUB, lane, d, d, x);
                    }
                }
            }
            Vec2::Addhn | Vec2::Subhn | Vec2::Raddhn | Vec2::Rsubhn => self.narrow_high(op, lane, d, a, b),
            Vec2::Sshl
            | Vec2::Ushl
            | Vec2::Srshl
            | Vec2::Urshl
            | Vec2::SqShl
            | Vec2::UqShl
            | Vec2::SqRshl
            | Vec2::UqRshl => self.shift_by_register(variable_shift(op), s, d, a, b),
            Vec2::Sha512Su0 => self.sha512_su0(d, a, b),
            Vec2::Sha1Su1 => self.sha1_su1(d, a, b),
            Vec2::Sha256Su0 => {
                self.asm.vmov(d, a);
                self.asm.sha(Sha::Msg1, d, b);
            }
            _ => unreachable!("{op:?} has no plan, or is recorded as another operation"),
        }
        self.cut(s, d);
    }

    pub(super) fn vec3(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) {
        if self.sha3_operand(op, a, b, c) {
            return;
        }
        match op {
            Vec3::SqDmlal | Vec3::SqDmlsl => return self.doubling_accumulate(op, s, a, b, c),
            Vec3::SqRdmlah | Vec3::SqRdmlsh => return self.rounding_accumulate(op, s, a, b, c),
            Vec3::Sdot | Vec3::Udot | Vec3::Usdot => return self.dot(op, s, a, b, c),
            Vec3::Smmla | Vec3::Ummla | Vec3::Usmmla => return self.matrix(op, a, b, c),
            Vec3::Sha512H => return self.sha512_h(a, b, c),
            Vec3::Sha512H2 => return self.sha512_h2(a, b, c),
            Vec3::Sha512Su1 => return self.sha512_su1(a, b, c),
            Vec3::Bsl => return self.bit_select(s, a, b, c),
            _ => {}
        }
        let product = match op {
            Vec3::Mla | Vec3::Mls => Vec2::Mul,
            Vec3::Smlal | Vec3::Smlsl => Vec2::Smull,
            Vec3::Umlal | Vec3::Umlsl => Vec2::Umull,
            Vec3::Saba => Vec2::Sabd,
            Vec3::Sabal => Vec2::Sabdl,
            Vec3::Uabal => Vec2::Uabdl,
            _ => Vec2::Uabd,
        };
        let plan = plan2(self.target.features, product, s);
        let ra = self.vreg_for(VPADDD, a);
        let (rb, rc) = match plan {
            Some(Plan2::Direct(form)) => (self.vreg_for(form, b), self.vreg_for(form, c)),
            _ => (self.vreg(b), self.vreg(c)),
        };
        let d = match plan {
            Some(Plan2::Direct(form)) => self.vdef_for(form, None, &[ra, rb, rc]),
            _ => self.vdef(None, &[ra, rb, rc]),
        };
        match plan {
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

    /// `c ^ ((b ^ c) & a)`
    fn bit_select(&mut self, s: Shape, a: Ref, b: Ref, c: Ref) {
        let [ra, rb, rc] = [a, b, c].map(|r| self.vreg_for(VPXOR, r));
        let d = self.vdef_for(VPXOR, None, &[ra, rc]);
        self.asm.v3(VPXOR, d, rb, rc);
        self.asm.v3(VPAND, d, d, ra);
        self.asm.v3(VPXOR, d, d, rc);
        self.cut_unless_clean(s, d, &[a, b, c]);
        self.vbind(d);
    }
}
