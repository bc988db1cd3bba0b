//! Floating point of later extensions: `fp_ext.isa`.

use crate::Ops;
use crate::asimd_fp::Element;
use crate::ops::{Exception, Fp1, Fp2, Fp3, Lane, Shape, Span, Vec1};
use crate::translate::Translate;
use a64_isa::fp_ext::{
    Bfcvt, Bfcvtn, BfdotElem, BfdotVec, BfmlalElem, BfmlalVec, Bfmmla, Fcadd, Fcmla, FcmlaElemH, FcmlaElemS,
    Fjcvtzs, Fmlal2Elem, Fmlal2Vec, FmlalElem, FmlalVec, Fmlsl2Elem, Fmlsl2Vec, FmlslElem, FmlslVec,
    Frint32x, Frint32xVec, Frint32z, Frint32zVec, Frint64x, Frint64xVec, Frint64z, Frint64zVec,
};
use a64_isa::{Feature, FpExt, imm};

/// The `size` of halves.
const HALF: u8 = 1;

/// Singles or doubles.
const fn lane(sz: bool) -> Lane {
    if sz { Lane::D } else { Lane::S }
}

/// The multiplication of FCMLA with a rotation.
const fn complex_product(rot: u8) -> Fp3 {
    match rot {
        0 => Fp3::Cmla0,
        1 => Fp3::Cmla90,
        2 => Fp3::Cmla180,
        _ => Fp3::Cmla270,
    }
}

/// Which halves of an operand are widened.
#[derive(Clone, Copy)]
enum Part {
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
    fn halves(&mut self, part: Part, q: bool, n: u8) -> O::Vector {
        let v = self.0.v(n);
        match (part, q) {
            (Part::Lower, _) => v,
            (Part::Upper, true) => self.0.vec1(Vec1::HighHalf, Shape::new(Lane::D, Span::Full), v),
            (Part::Upper, false) => self.0.vec_dup_lane(Shape::scalar(Lane::S), v, 1),
        }
    }

    /// Whether lanes of this size are halves that the CPU does not compute on: complex numbers of them need both
    /// FEAT_FCMA and FEAT_FP16 (Arm ARM C7.2.53, FCADD).
    fn lacks_halves(&self, size: u8) -> bool {
        size == HALF && !self.0.features().contains(Feature::Fp16)
    }

    fn multiply_long(&mut self, op: Fp3, part: Part, q: bool, rm: u8, rn: u8, rd: u8) {
        let addend = self.0.v(rd);
        let (a, b) = (self.halves(part, q, rn), self.halves(part, q, rm));
        let result = self.0.fp3(op, Shape::vector(Lane::S, q), addend, a, b);
        self.0.set_v(rd, result);
    }

    fn multiply_long_element(&mut self, op: Fp3, part: Part, q: bool, element: &Element, rn: u8, rd: u8) {
        let addend = self.0.v(rd);
        let a = self.halves(part, q, rn);
        let b = self.element(Shape::vector(Lane::H, true), element);
        let result = self.0.fp3(op, Shape::vector(Lane::S, q), addend, a, b);
        self.0.set_v(rd, result);
    }
}

macro_rules! round_scalar {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, Shape::scalar(lane(i.sz)), i.rn, i.rd);
        }
    )*};
}

macro_rules! round_vector {
    ($($name:ident($args:ident) = $op:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.asimd_fp1(Fp1::$op, Shape::vector(lane(i.sz), i.q), i.rn, i.rd);
        }
    )*};
}

macro_rules! multiply_long {
    ($($name:ident($args:ident) = $op:ident, $part:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            self.multiply_long(Fp3::$op, Part::$part, i.q, i.rm, i.rn, i.rd);
        }
    )*};
}

macro_rules! multiply_long_element {
    ($($name:ident($args:ident) = $op:ident, $part:ident;)*) => {$(
        fn $name(&mut self, i: $args) {
            let element = Element::half(i.h, i.l, i.m, i.rm);
            self.multiply_long_element(Fp3::$op, Part::$part, i.q, &element, i.rn, i.rd);
        }
    )*};
}

impl<O: Ops> FpExt for Translate<'_, O> {
    round_scalar! {
        frint32z(Frint32z) = Rint32Z;
        frint32x(Frint32x) = Rint32X;
        frint64z(Frint64z) = Rint64Z;
        frint64x(Frint64x) = Rint64X;
    }

    round_vector! {
        frint32z_vec(Frint32zVec) = Rint32Z;
        frint32x_vec(Frint32xVec) = Rint32X;
        frint64z_vec(Frint64zVec) = Rint64Z;
        frint64x_vec(Frint64xVec) = Rint64X;
    }

    fn fjcvtzs(&mut self, i: Fjcvtzs) {
        let a = self.0.v(i.rn);
        let result = self.0.fp_to_js_int(a);
        self.0.set_x(i.rd, result);
    }

    multiply_long! {
        fmlal_vec(FmlalVec) = MulAddLong, Lower;
        fmlsl_vec(FmlslVec) = MulSubLong, Lower;
        fmlal2_vec(Fmlal2Vec) = MulAddLong, Upper;
        fmlsl2_vec(Fmlsl2Vec) = MulSubLong, Upper;
    }

    multiply_long_element! {
        fmlal_elem(FmlalElem) = MulAddLong, Lower;
        fmlsl_elem(FmlslElem) = MulSubLong, Lower;
        fmlal2_elem(Fmlal2Elem) = MulAddLong, Upper;
        fmlsl2_elem(Fmlsl2Elem) = MulSubLong, Upper;
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

    fn bfcvt(&mut self, i: Bfcvt) {
        self.asimd_fp1(Fp1::CvtSBf, Shape::scalar(Lane::H), i.rn, i.rd);
    }
    fn bfcvtn(&mut self, i: Bfcvtn) {
        self.asimd_fp_narrow(Fp1::CvtSBf, Lane::H, i.q, i.rn, i.rd);
    }
    fn bfdot_vec(&mut self, i: BfdotVec) {
        self.asimd_fp3(Fp3::BfDot, Shape::vector(Lane::S, i.q), i.rm, i.rn, i.rd);
    }
    fn bfdot_elem(&mut self, i: BfdotElem) {
        let (register, index) = pair(i.h, i.l, i.m, i.rm);
        let shape = Shape::vector(Lane::S, i.q);
        let (addend, a, b) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(register));
        let b = self.0.vec_dup_lane(shape, b, index);
        let result = self.0.fp3(Fp3::BfDot, shape, addend, a, b);
        self.0.set_v(i.rd, result);
    }
    fn bfmmla(&mut self, i: Bfmmla) {
        self.asimd_fp3(Fp3::BfMmla, Shape::vector(Lane::S, true), i.rm, i.rn, i.rd);
    }
    fn bfmlal_vec(&mut self, i: BfmlalVec) {
        let op = if i.q { Fp3::BfMlalT } else { Fp3::BfMlalB };
        self.asimd_fp3(op, Shape::vector(Lane::S, true), i.rm, i.rn, i.rd);
    }
    fn bfmlal_elem(&mut self, i: BfmlalElem) {
        let op = if i.q { Fp3::BfMlalT } else { Fp3::BfMlalB };
        let (addend, a, b) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(i.rm));
        let index = imm::half_element(i.h, i.l, i.m);
        let b = self.0.vec_dup_lane(Shape::vector(Lane::H, true), b, index);
        let result = self.0.fp3(op, Shape::vector(Lane::S, true), addend, a, b);
        self.0.set_v(i.rd, result);
    }
}
