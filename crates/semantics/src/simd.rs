//! What the families of Advanced SIMD integer instructions share.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Span, Vec1, Vec2, Vec3, VecShift};

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

/// The bytes of one or half a register, for operations that know no lanes too.
pub(crate) const fn bits(q: bool) -> Shape {
    Shape::new(Lane::B, Span::from_q(q))
}
