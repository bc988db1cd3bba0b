//! Floating point of later extensions: `fp_ext.isa`.

use crate::Ops;
use crate::ops::{Exception, Fp2, Fp3, Lane, Shape, Span, Vec1};
use crate::simd::Element;
use crate::translate::Translate;
use a64_isa::fp_ext::*;
use a64_isa::{Feature, FpExt};

/// The `size` of halves.
const HALF: u8 = 1;

/// The multiplication of FCMLA with a rotation.
const fn complex_product(rot: u8) -> Fp3 {
    match rot {
        0 => Fp3::Cmla0,
        1 => Fp3::Cmla90,
        2 => Fp3::Cmla180,
        _ => Fp3::Cmla270,
    }
}

/// The halves of a whole register.
pub(crate) const HALVES: Shape = Shape::vector(Lane::H, true);

/// Which halves of an operand are widened.
#[derive(Clone, Copy)]
pub(crate) enum Halves {
    Lower,
    Upper,
}

/// The register and lane of a "by element" operand whose register has five bits.
const fn pair(h: bool, l: bool, m: bool, rm: u8) -> (u8, u8) {
    ((m as u8) << 4 | rm, (h as u8) << 1 | l as u8)
}

impl<O: Ops> Translate<'_, O> {
    /// The halves of `rn` that are widened, moved to the bottom. Of a 64-bit operand the
    /// upper ones are bits 63:32.
    fn halves(&mut self, part: Halves, q: bool, n: u8) -> O::Vector {
        let v = self.0.v(n);
        match (part, q) {
            (Halves::Lower, _) => v,
            (Halves::Upper, true) => self.0.vec1(Vec1::HighHalf, Shape::new(Lane::D, Span::Full), v),
            (Halves::Upper, false) => self.0.vec_dup_lane(Shape::scalar(Lane::S), v, 1),
        }
    }

    /// Whether lanes of this size are halves that the CPU does not compute on: complex numbers of them need both
    /// FEAT_FCMA and FEAT_FP16 (Arm ARM C7.2.53, FCADD).
    fn lacks_halves(&self, size: u8) -> bool {
        size == HALF && !self.0.features().contains(Feature::Fp16)
    }

    pub(crate) fn multiply_long(&mut self, op: Fp3, part: Halves, q: bool, rm: u8, rn: u8, rd: u8) {
        let addend = self.0.v(rd);
        let (a, b) = (self.halves(part, q, rn), self.halves(part, q, rm));
        let result = self.0.fp3(op, Shape::vector(Lane::S, q), addend, a, b);
        self.0.set_v(rd, result);
    }

    pub(crate) fn multiply_long_element(
        &mut self,
        op: Fp3,
        part: Halves,
        q: bool,
        element: Element,
        rn: u8,
        rd: u8,
    ) {
        let addend = self.0.v(rd);
        let a = self.halves(part, q, rn);
        let b = self.repeated(element);
        let result = self.0.fp3(op, Shape::vector(Lane::S, q), addend, a, b);
        self.0.set_v(rd, result);
    }
}

impl<O: Ops> FpExt for Translate<'_, O> {
    fn fjcvtzs(&mut self, i: Fjcvtzs) {
        let a = self.0.v(i.rn);
        let result = self.0.fp_to_js_int(a);
        self.0.set_x(i.rd, result);
    }

    fn fcadd(&mut self, i: Fcadd) {
        if self.lacks_halves(i.size) {
            return self.0.exception(Exception::Undefined);
        }
        let op = if i.rot { Fp2::Cadd270 } else { Fp2::Cadd90 };
        let shape = Shape::vector(Lane::from_log2(i.size), i.q);
        self.asimd_fp2(op, shape, i.rm, i.rn, i.rd);
    }
    fn fcmla(&mut self, i: Fcmla) {
        if self.lacks_halves(i.size) {
            return self.0.exception(Exception::Undefined);
        }
        let shape = Shape::vector(Lane::from_log2(i.size), i.q);
        self.asimd_fp3(complex_product(i.rot), shape, i.rm, i.rn, i.rd);
    }
    fn fcmla_elem_h(&mut self, i: FcmlaElemH) {
        if self.lacks_halves(HALF) {
            return self.0.exception(Exception::Undefined);
        }
        let (register, index) = pair(i.h, i.l, i.m, i.rm);
        let (addend, a, b) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(register));
        let b = self.0.vec_dup_lane(Shape::vector(Lane::S, i.q), b, index);
        let shape = Shape::vector(Lane::H, i.q);
        let result = self.0.fp3(complex_product(i.rot), shape, addend, a, b);
        self.0.set_v(i.rd, result);
    }
    fn fcmla_elem_s(&mut self, i: FcmlaElemS) {
        let register = (i.m as u8) << 4 | i.rm;
        let (addend, a, b) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(register));
        let b = self
            .0
            .vec_dup_lane(Shape::vector(Lane::D, true), b, u8::from(i.h));
        let shape = Shape::vector(Lane::S, true);
        let result = self.0.fp3(complex_product(i.rot), shape, addend, a, b);
        self.0.set_v(i.rd, result);
    }

    fn bfmlal_vec(&mut self, i: BfmlalVec) {
        let op = if i.q { Fp3::BfMlalT } else { Fp3::BfMlalB };
        self.asimd_fp3(op, Shape::vector(Lane::S, true), i.rm, i.rn, i.rd);
    }
    fn bfmlal_elem(&mut self, i: BfmlalElem) {
        let op = if i.q { Fp3::BfMlalT } else { Fp3::BfMlalB };
        let element = Element::of(HALVES, i.h, i.l, i.m, i.rm);
        let (addend, a, b) = (self.0.v(i.rd), self.0.v(i.rn), self.repeated(element));
        let result = self.0.fp3(op, Shape::vector(Lane::S, true), addend, a, b);
        self.0.set_v(i.rd, result);
    }
}
