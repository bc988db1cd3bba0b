//! Floating-point operations that are recorded as several simpler ones.
//!
//! Place in the path: between the semantics and the block IR; [`Builder`] asks here before it
//! records an operation of its own. `None` means that the operation is recorded as it is.
//!
//! Invariants: FPCR asks for nothing but a rounding mode (the caller has checked). Halves are
//! computed as singles: 24 bits are at least twice 11 and two more, so that rounding twice
//! gives what rounding once does, for sums, products, quotients and roots (Figueroa, "When is
//! double rounding innocuous?"), denormals included; a single never over- or underflows
//! there. What is not one of these is rounded from an exact or sticky double (`lower::half`).

use crate::build::Builder;
use crate::ir::Ref;
use crate::lower::support;
use semantics::ops::{
    FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Shape, Span, Vec1, Vec2, VecShift, VectorOps,
    Width,
};

/// A whole register of singles.
const SINGLES: Shape = Shape::new(Lane::S, Span::Full);

/// 64 bits of lanes of `lane`, each `value`.
const fn repeat(lane: Lane, value: u64) -> u64 {
    match lane {
        Lane::B => value * 0x0101_0101_0101_0101,
        Lane::H => value * 0x0001_0001_0001_0001,
        Lane::S => value << 32 | value,
        Lane::D | Lane::Q => value,
    }
}

/// The bits of the small number `value` in lanes of a format.
fn number(lane: Lane, value: f64) -> u64 {
    match lane {
        Lane::D => value.to_bits(),
        Lane::S => u64::from((value as f32).to_bits()),
        // 2.0: the only one asked for.
        Lane::B | Lane::H | Lane::Q => 0x4000,
    }
}

/// The lane-wise operation of a pairwise one.
fn pairwise_base(op: Fp2) -> Option<Fp2> {
    match op {
        Fp2::Addp => Some(Fp2::Add),
        Fp2::Maxp => Some(Fp2::Max),
        Fp2::Minp => Some(Fp2::Min),
        Fp2::MaxNmp => Some(Fp2::MaxNm),
        Fp2::MinNmp => Some(Fp2::MinNm),
        _ => None,
    }
}

/// The lane-wise operation of one across lanes.
fn across_base(op: Fp1) -> Option<Fp2> {
    match op {
        Fp1::Maxv => Some(Fp2::Max),
        Fp1::Minv => Some(Fp2::Min),
        Fp1::MaxNmv => Some(Fp2::MaxNm),
        Fp1::MinNmv => Some(Fp2::MinNm),
        _ => None,
    }
}

/// What becomes of singles computed from halves.
#[derive(Clone, Copy)]
enum Narrow {
    /// Rounded to halves.
    Number,
    /// Masks: cut.
    Mask,
}

impl Builder<'_> {
    /// `value` in every lane of the shape, the rest zero.
    fn splat(&mut self, s: Shape, value: u64) -> Ref {
        let all = repeat(s.lane, value);
        let bits = match s.span {
            Span::Scalar => u128::from(value),
            Span::Half => u128::from(all),
            Span::Full => u128::from(all) << 64 | u128::from(all),
        };
        self.vec_imm(bits)
    }

    /// The halves of `a` as singles, four at a time.
    fn widen(&mut self, span: Span, a: Ref) -> Vec<Ref> {
        match span {
            Span::Scalar => vec![self.fp1(Fp1::CvtHS, Shape::scalar(Lane::S), a)],
            Span::Half => vec![self.fp1(Fp1::CvtHS, SINGLES, a)],
            Span::Full => {
                let high = self.vec1(Vec1::HighHalf, Shape::vector(Lane::D, true), a);
                vec![
                    self.fp1(Fp1::CvtHS, SINGLES, a),
                    self.fp1(Fp1::CvtHS, SINGLES, high),
                ]
            }
        }
    }

    /// The reverse of [`Builder::widen`].
    fn narrow(&mut self, how: Narrow, span: Span, parts: &[Ref]) -> Ref {
        let s = Shape::new(Lane::H, if span == Span::Scalar { span } else { Span::Half });
        let narrowed: Vec<Ref> = parts
            .iter()
            .map(|&part| match (how, span) {
                (Narrow::Number, _) => self.fp1(Fp1::CvtSH, s, part),
                (Narrow::Mask, Span::Scalar) => self.vec1(Vec1::Mov, s, part),
                (Narrow::Mask, _) => self.vec1(Vec1::Xtn, s, part),
            })
            .collect();
        match narrowed[..] {
            [low, high] => self.vec2(Vec2::JoinLow, Shape::vector(Lane::D, true), low, high),
            _ => narrowed[0],
        }
    }

    fn singles_of(span: Span) -> Shape {
        Shape::new(Lane::S, if span == Span::Scalar { span } else { Span::Full })
    }

    fn halves1(&mut self, op: Fp1, how: Narrow, s: Shape, a: Ref) -> Ref {
        let shape = Self::singles_of(s.span);
        let parts = self.widen(s.span, a);
        let parts: Vec<Ref> = parts.into_iter().map(|a| self.fp1(op, shape, a)).collect();
        self.narrow(how, s.span, &parts)
    }

    fn halves2(&mut self, op: Fp2, how: Narrow, s: Shape, a: Ref, b: Ref) -> Ref {
        let shape = Self::singles_of(s.span);
        let (a, b) = (self.widen(s.span, a), self.widen(s.span, b));
        let parts: Vec<Ref> = a
            .into_iter()
            .zip(b)
            .map(|(a, b)| self.fp2(op, shape, a, b))
            .collect();
        self.narrow(how, s.span, &parts)
    }

    pub(crate) fn expand_fp1(&mut self, op: Fp1, s: Shape, a: Ref) -> Option<Ref> {
        if let Some(base) = across_base(op) {
            return match s.lane {
                Lane::H => Some(self.across_halves(op, base, s, a)),
                Lane::S => Some(self.across_singles(base, a)),
                Lane::B | Lane::D | Lane::Q => None,
            };
        }
        if s.lane != Lane::H {
            return None;
        }
        match op {
            Fp1::Sqrt | Fp1::RintN | Fp1::RintP | Fp1::RintM | Fp1::RintZ | Fp1::RintA => {
                Some(self.halves1(op, Narrow::Number, s, a))
            }
            Fp1::RintI | Fp1::RintX => Some(self.halves1(op, Narrow::Number, s, a)),
            Fp1::CmEqZero | Fp1::CmGtZero | Fp1::CmGeZero | Fp1::CmLeZero | Fp1::CmLtZero => {
                Some(self.halves1(op, Narrow::Mask, s, a))
            }
            _ => None,
        }
    }

    /// The order does not matter: without NaNs, which go to the interpreter, the largest and
    /// the least number are what they are.
    fn across_halves(&mut self, op: Fp1, base: Fp2, s: Shape, a: Ref) -> Ref {
        let parts = self.widen(s.span, a);
        let four = match parts[..] {
            [low, high] => self.fp2(base, SINGLES, low, high),
            _ => parts[0],
        };
        let one = self.fp1(op, SINGLES, four);
        self.narrow(Narrow::Number, Span::Scalar, &[one])
    }

    fn across_singles(&mut self, base: Fp2, a: Ref) -> Ref {
        let high = self.vec1(Vec1::HighHalf, Shape::vector(Lane::D, true), a);
        let two = self.fp2(base, Shape::vector(Lane::S, false), a, high);
        let one = Shape::scalar(Lane::S);
        let other = self.vec_dup_lane(one, two, 1);
        self.fp2(base, one, two, other)
    }

    pub(crate) fn expand_fp2(&mut self, op: Fp2, s: Shape, a: Ref, b: Ref) -> Option<Ref> {
        if let Some(base) = pairwise_base(op)
            && !support::fp2(op, s)
        {
            return Some(self.pairs(base, s, a, b));
        }
        match op {
            Fp2::Cadd90 | Fp2::Cadd270 => Some(self.complex_sum(op == Fp2::Cadd90, s, a, b)),
            // A zero times an infinity raises Invalid: the interpreter looks at it.
            Fp2::Mulx => Some(self.fp2(Fp2::Mul, s, a, b)),
            Fp2::Recps => {
                let two = self.splat(s, number(s.lane, 2.0));
                Some(self.fp3(Fp3::MulSub, s, two, a, b))
            }
            _ if s.lane != Lane::H => None,
            Fp2::Add | Fp2::Sub | Fp2::Mul | Fp2::Div | Fp2::Max | Fp2::Min | Fp2::MaxNm | Fp2::MinNm => {
                Some(self.halves2(op, Narrow::Number, s, a, b))
            }
            // The sign changes after rounding.
            Fp2::Nmul => {
                let product = self.fp2(Fp2::Mul, s, a, b);
                Some(self.fp1(Fp1::Neg, s, product))
            }
            Fp2::Abd => {
                let difference = self.fp2(Fp2::Sub, s, a, b);
                Some(self.fp1(Fp1::Abs, s, difference))
            }
            Fp2::CmEq | Fp2::CmGe | Fp2::CmGt | Fp2::AcGe | Fp2::AcGt => {
                Some(self.halves2(op, Narrow::Mask, s, a, b))
            }
            _ => None,
        }
    }

    fn pairs(&mut self, base: Fp2, s: Shape, a: Ref, b: Ref) -> Ref {
        if s.span == Span::Scalar {
            let other = self.vec_dup_lane(s, a, 1);
            return self.fp2(base, s, a, other);
        }
        let even = self.vec2(Vec2::Uzp1, s, a, b);
        let odd = self.vec2(Vec2::Uzp2, s, a, b);
        self.fp2(base, s, even, odd)
    }

    /// The parts of complex numbers change places.
    fn swap_parts(&mut self, s: Shape, a: Ref) -> Ref {
        match s.lane {
            Lane::H => self.vec1(Vec1::Rev32, s, a),
            Lane::S => self.vec1(Vec1::Rev64, s, a),
            Lane::B | Lane::D | Lane::Q => self.vec_ext(Span::Full, a, a, 8),
        }
    }

    /// The real (`even`) or imaginary parts with their sign turned.
    fn negate_parts(&mut self, even: bool, s: Shape, a: Ref) -> Ref {
        let bits = s.lane.bits();
        let first = if even { bits - 1 } else { 2 * bits - 1 };
        let mask = (first..128)
            .step_by(2 * bits as usize)
            .fold(0, |mask: u128, bit| mask | 1 << bit);
        let mask = if s.span == Span::Full {
            mask
        } else {
            u128::from(mask as u64)
        };
        let mask = self.vec_imm(mask);
        self.vec2(Vec2::Xor, Shape::new(Lane::B, s.span), a, mask)
    }

    fn complex_sum(&mut self, quarter: bool, s: Shape, a: Ref, b: Ref) -> Ref {
        let turned = self.swap_parts(s, b);
        let turned = self.negate_parts(quarter, s, turned);
        self.fp2(Fp2::Add, s, a, turned)
    }

    pub(crate) fn expand_fp3(&mut self, op: Fp3, s: Shape, a: Ref, b: Ref, c: Ref) -> Option<Ref> {
        match op {
            Fp3::MulAdd | Fp3::MulSub | Fp3::NegMulAdd | Fp3::NegMulSub => None,
            Fp3::BfDot | Fp3::BfMmla => None,
            Fp3::MulAddLong | Fp3::MulSubLong => {
                let (b, c) = (self.fp1(Fp1::CvtHS, s, b), self.fp1(Fp1::CvtHS, s, c));
                let op = if op == Fp3::MulAddLong {
                    Fp3::MulAdd
                } else {
                    Fp3::MulSub
                };
                Some(self.fp3(op, s, a, b, c))
            }
            Fp3::Cmla0 | Fp3::Cmla180 => {
                let real = self.vec2(Vec2::Trn1, s, b, b);
                let op = if op == Fp3::Cmla0 {
                    Fp3::MulAdd
                } else {
                    Fp3::MulSub
                };
                Some(self.fp3(op, s, a, real, c))
            }
            Fp3::Cmla90 | Fp3::Cmla270 => {
                let imaginary = self.vec2(Vec2::Trn2, s, b, b);
                let turned = self.swap_parts(s, c);
                let turned = self.negate_parts(op == Fp3::Cmla90, s, turned);
                Some(self.fp3(Fp3::MulAdd, s, a, imaginary, turned))
            }
            Fp3::BfMlalB => {
                let (b, c) = (
                    self.vec_shift(VecShift::Shl, s, b, b, 16),
                    self.vec_shift(VecShift::Shl, s, c, c, 16),
                );
                Some(self.fp3(Fp3::MulAdd, s, a, b, c))
            }
            Fp3::BfMlalT => {
                let mask = self.splat(s, 0xffff_0000);
                let bytes = Shape::new(Lane::B, s.span);
                let b = self.vec2(Vec2::And, bytes, b, mask);
                let c = self.vec2(Vec2::And, bytes, c, mask);
                Some(self.fp3(Fp3::MulAdd, s, a, b, c))
            }
        }
    }

    /// Lane 0 as a single, if it is a half: comparisons and conversions are the same.
    pub(crate) fn as_single(&mut self, size: FpSize, a: Ref) -> (FpSize, Ref) {
        match size {
            FpSize::H => (FpSize::S, self.fp1(Fp1::CvtHS, Shape::scalar(Lane::S), a)),
            FpSize::S | FpSize::D => (size, a),
        }
    }

    /// Operand of a conversion to an integer: a double where it is scaled.
    pub(crate) fn scaled_operand(&mut self, how: FpToInt, size: FpSize, a: Ref) -> (FpSize, Ref) {
        let d = Shape::scalar(Lane::D);
        match size {
            FpSize::H if how.fbits != 0 => (FpSize::D, self.fp1(Fp1::CvtHD, d, a)),
            FpSize::S if how.fbits != 0 => (FpSize::D, self.fp1(Fp1::CvtSD, d, a)),
            FpSize::H | FpSize::S | FpSize::D => self.as_single(size, a),
        }
    }

    /// An integer to a half: through a double. What a double does not hold exactly is beyond
    /// the largest half, unless many bits are fraction.
    pub(crate) fn int_to_half(&mut self, how: IntToFp, w: Width, value: Ref) -> Option<Ref> {
        if w == Width::X && how.fbits > 36 {
            return None;
        }
        let double = self.int_to_fp(how, w, FpSize::D, value);
        Some(self.fp1(Fp1::CvtDH, Shape::scalar(Lane::H), double))
    }

    /// 16-bit integers to halves.
    pub(crate) fn ints_to_halves(&mut self, how: IntToFp, s: Shape, a: Ref) -> Option<Ref> {
        let extend = if how.signed { Vec1::Sxtl } else { Vec1::Uxtl };
        let mut parts = vec![a];
        match s.span {
            Span::Scalar => {
                let value = self.vec_get_lane(Lane::H, a, 0, how.signed.then_some(Width::W));
                let how = IntToFp { signed: true, ..how };
                return self.int_to_half(how, Width::W, value);
            }
            Span::Half => {}
            Span::Full => parts.push(self.vec1(Vec1::HighHalf, Shape::vector(Lane::D, true), a)),
        }
        // Extended, both kinds are signed words, exact as singles.
        let how = IntToFp { signed: true, ..how };
        let parts: Vec<Ref> = parts
            .into_iter()
            .map(|a| {
                let words = self.vec1(extend, SINGLES, a);
                self.vec_int_to_fp(how, SINGLES, words)
            })
            .collect();
        Some(self.narrow(Narrow::Number, s.span, &parts))
    }

    /// Halves to 16-bit integers, four at a time.
    pub(crate) fn halves_to_ints(&mut self, how: FpToInt, s: Shape, a: Ref) -> Option<Ref> {
        if s.span != Span::Full {
            return None;
        }
        let half = Shape::vector(Lane::H, false);
        let high = self.vec1(Vec1::HighHalf, Shape::vector(Lane::D, true), a);
        let (low, high) = (
            self.vec_fp_to_int(how, half, a),
            self.vec_fp_to_int(how, half, high),
        );
        Some(self.vec2(Vec2::JoinLow, Shape::vector(Lane::D, true), low, high))
    }
}
