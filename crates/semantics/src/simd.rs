//! What the families of Advanced SIMD integer instructions share.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Span, Vec1, Vec2, Vec3, VecShift, Width};
use a64_isa::simd;

/// The bytes, words and doublewords of a whole register.
pub(crate) const BYTES: Shape = Shape::vector(Lane::B, true);
pub(crate) const WORDS: Shape = words(true);
pub(crate) const DOUBLEWORDS: Shape = Shape::vector(Lane::D, true);
/// One word or doubleword.
pub(crate) const SCALAR_S: Shape = Shape::scalar(Lane::S);
pub(crate) const SCALAR_D: Shape = Shape::scalar(Lane::D);

/// Which half of a register the long, wide and narrow instructions work on: the
/// "2" forms (Q set) use the upper one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lower,
    Upper,
}

impl Part {
    pub(crate) const fn from_q(q: bool) -> Self {
        if q { Part::Upper } else { Part::Lower }
    }
}

/// A vector shape from the fields `size` and `Q`.
pub(crate) const fn vector(size: u8, q: bool) -> Shape {
    Shape::vector(Lane::from_log2(size), q)
}

/// A scalar shape from the field `size`.
pub(crate) const fn scalar(size: u8) -> Shape {
    Shape::scalar(Lane::from_log2(size))
}

/// The result of a long instruction whose operands have lanes of `size`.
pub(crate) const fn long(size: u8) -> Shape {
    Shape::vector(Lane::from_log2(size + 1), true)
}

/// The result of a narrow instruction with lanes of `size`.
pub(crate) const fn narrow(size: u8) -> Shape {
    Shape::vector(Lane::from_log2(size), false)
}

/// The bytes of one or half a register, for operations that know no lanes too.
pub(crate) const fn bits(q: bool) -> Shape {
    Shape::new(Lane::B, Span::from_q(q))
}

/// Words of a whole or half register.
pub(crate) const fn words(q: bool) -> Shape {
    Shape::vector(Lane::S, q)
}

/// The lane that `imm5` of a copy tells.
pub(crate) const fn copy_lane(imm5: u8) -> Lane {
    Lane::from_log2(simd::lane_size(imm5))
}

/// The lanes that `immh` of a shift by immediate tells.
pub(crate) const fn shift_vector(immh: u8, q: bool) -> Shape {
    vector(simd::shift_size(immh), q)
}

pub(crate) const fn shift_scalar(immh: u8) -> Shape {
    scalar(simd::shift_size(immh))
}

/// The operand of the "by element" instructions: one lane of a register, repeated.
#[derive(Clone, Copy)]
pub(crate) struct Element {
    shape: Shape,
    register: u8,
    index: u8,
}

impl Element {
    /// The lane that `H`, `L`, `M` and `Rm` tell, in each lane of `shape`.
    pub(crate) const fn of(shape: Shape, h: bool, l: bool, m: bool, rm: u8) -> Self {
        let size = shape.lane as u8;
        Element {
            shape,
            register: simd::elem_register(size, m, rm),
            index: simd::elem_index(size, h, l, m),
        }
    }

    pub(crate) const fn shape(self) -> Shape {
        self.shape
    }
}

impl<O: Ops> Translate<'_, O> {
    /// `Vd = op(Vn)`.
    pub(crate) fn unary(&mut self, op: Vec1, s: Shape, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec1(op, s, a);
        self.0.set_v(rd, result);
    }

    /// `Vd = op(Vn, Vm)`.
    pub(crate) fn binary(&mut self, op: Vec2, s: Shape, rm: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let b = self.0.v(rm);
        let result = self.0.vec2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    /// `Vd += op(Vn)`.
    pub(crate) fn accumulate_unary(&mut self, op: Vec1, s: Shape, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let acc = self.0.v(rd);
        let value = self.0.vec1(op, s, a);
        let result = self.0.vec2(Vec2::Add, s, acc, value);
        self.0.set_v(rd, result);
    }

    /// `Vd = op(Vd, Vn)`.
    pub(crate) fn binary_into(&mut self, op: Vec2, s: Shape, rn: u8, rd: u8) {
        self.binary(op, s, rn, rd, rd);
    }

    /// `Vd = op(Vd, Vn, Vm)`.
    pub(crate) fn ternary(&mut self, op: Vec3, s: Shape, rm: u8, rn: u8, rd: u8) {
        let a = self.0.v(rd);
        let b = self.0.v(rn);
        let c = self.0.v(rm);
        let result = self.0.vec3(op, s, a, b, c);
        self.0.set_v(rd, result);
    }

    /// Vn, with the half to be widened in its low 64 bits.
    pub(crate) fn half(&mut self, part: Part, n: u8) -> O::Vector {
        let v = self.0.v(n);
        match part {
            Part::Lower => v,
            Part::Upper => self.0.vec1(Vec1::HighHalf, Shape::vector(Lane::D, true), v),
        }
    }

    /// Writes a narrowed result: to the lower half, zeroing the upper, or to the
    /// upper half, keeping the lower.
    pub(crate) fn set_half(&mut self, part: Part, rd: u8, value: O::Vector) {
        let result = match part {
            Part::Lower => value,
            Part::Upper => {
                let old = self.0.v(rd);
                self.0
                    .vec2(Vec2::JoinLow, Shape::vector(Lane::D, true), old, value)
            }
        };
        self.0.set_v(rd, result);
    }

    /// Both operands are widened.
    pub(crate) fn long_binary(&mut self, op: Vec2, s: Shape, part: Part, rm: u8, rn: u8, rd: u8) {
        let a = self.half(part, rn);
        let b = self.half(part, rm);
        let result = self.0.vec2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    /// Both operands are widened, and the result goes to the accumulator.
    pub(crate) fn long_ternary(&mut self, op: Vec3, s: Shape, part: Part, rm: u8, rn: u8, rd: u8) {
        let a = self.half(part, rn);
        let b = self.half(part, rm);
        let acc = self.0.v(rd);
        let result = self.0.vec3(op, s, acc, a, b);
        self.0.set_v(rd, result);
    }

    /// The second operand is widened.
    pub(crate) fn wide_binary(&mut self, op: Vec2, s: Shape, part: Part, rm: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let b = self.half(part, rm);
        let result = self.0.vec2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    /// The upper halves of the lanes of the result are kept.
    pub(crate) fn narrow_binary(&mut self, op: Vec2, s: Shape, part: Part, rm: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let b = self.0.v(rm);
        let result = self.0.vec2(op, s, a, b);
        self.set_half(part, rd, result);
    }

    pub(crate) fn narrow_unary(&mut self, op: Vec1, s: Shape, part: Part, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec1(op, s, a);
        self.set_half(part, rd, result);
    }

    /// The lane in every lane of its shape.
    pub(crate) fn repeated(&mut self, element: Element) -> O::Vector {
        let register = self.0.v(element.register);
        self.0.vec_dup_lane(element.shape, register, element.index)
    }

    /// `Vd = op(Vn, Vm[index])`; `part` of Vn.
    pub(crate) fn binary_element(
        &mut self,
        op: Vec2,
        s: Shape,
        part: Part,
        element: Element,
        rn: u8,
        rd: u8,
    ) {
        let b = self.repeated(element);
        let a = self.half(part, rn);
        let result = self.0.vec2(op, s, a, b);
        self.0.set_v(rd, result);
    }

    /// `Vd = op(Vd, Vn, Vm[index])`; `part` of Vn.
    pub(crate) fn ternary_element(
        &mut self,
        op: Vec3,
        s: Shape,
        part: Part,
        element: Element,
        rn: u8,
        rd: u8,
    ) {
        let b = self.repeated(element);
        let a = self.half(part, rn);
        let acc = self.0.v(rd);
        let result = self.0.vec3(op, s, acc, a, b);
        self.0.set_v(rd, result);
    }

    /// `Vd = Vn[index]` in every lane.
    pub(crate) fn dup_element(&mut self, s: Shape, index: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec_dup_lane(s, a, index);
        self.0.set_v(rd, result);
    }

    /// `Vd = Rn` in every lane.
    pub(crate) fn dup_register(&mut self, s: Shape, rn: u8, rd: u8) {
        let value = self.0.x(rn);
        let result = self.0.vec_dup(s, value);
        self.0.set_v(rd, result);
    }

    /// `Rd = Vn[index]`, sign-extended to `sign`.
    pub(crate) fn get_lane(&mut self, lane: Lane, index: u8, sign: Option<Width>, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let value = self.0.vec_get_lane(lane, a, index, sign);
        self.0.set_x(rd, value);
    }

    pub(crate) fn set_constant(&mut self, constant: u128, rd: u8) {
        let result = self.0.vec_imm(constant);
        self.0.set_v(rd, result);
    }

    /// `Vd += Vn >> amount`.
    pub(crate) fn shift_accumulate(&mut self, op: VecShift, s: Shape, amount: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let acc = self.0.v(rd);
        let shifted = self.0.vec_shift(op, s, a, a, amount);
        let result = self.0.vec2(Vec2::Add, s, acc, shifted);
        self.0.set_v(rd, result);
    }

    pub(crate) fn shift_narrow(&mut self, op: VecShift, s: Shape, part: Part, amount: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let result = self.0.vec_shift(op, s, a, a, amount);
        self.set_half(part, rd, result);
    }

    pub(crate) fn shift_widen(&mut self, op: VecShift, s: Shape, part: Part, amount: u8, rn: u8, rd: u8) {
        let a = self.half(part, rn);
        let result = self.0.vec_shift(op, s, a, a, amount);
        self.0.set_v(rd, result);
    }

    /// `Vd = op(Vd, Vn, #amount)`.
    pub(crate) fn shift(&mut self, op: VecShift, s: Shape, amount: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        // Only the inserting shifts read the old destination.
        let acc = match op {
            VecShift::Sli | VecShift::Sri => self.0.v(rd),
            VecShift::Shl | VecShift::Sshr | VecShift::Ushr | VecShift::Srshr | VecShift::Urshr => a,
            VecShift::SqShl | VecShift::UqShl | VecShift::SqShlu | VecShift::Sshll | VecShift::Ushll => a,
            VecShift::Shrn | VecShift::Rshrn | VecShift::SqShrn | VecShift::SqRshrn => a,
            VecShift::UqShrn | VecShift::UqRshrn | VecShift::SqShrun | VecShift::SqRshrun | VecShift::Ror => {
                a
            }
        };
        let result = self.0.vec_shift(op, s, acc, a, amount);
        self.0.set_v(rd, result);
    }
}
