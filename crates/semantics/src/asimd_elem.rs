//! Advanced SIMD vector and scalar by indexed element, integer (Arm ARM C4.1
//! groups): `asimd_elem.isa`.

use crate::Translate;
use crate::ops::{Ops, Shape, Vec2, Vec3};
use crate::simd::{Part, long, scalar, vector};
use a64_isa::asimd_elem::*;
use a64_isa::{AsimdElem, simd};

/// The register and lane of the second operand.
macro_rules! element {
    ($i:ident) => {
        (
            simd::elem_register($i.size, $i.m, $i.rm),
            simd::elem_index($i.size, $i.h, $i.l, $i.m),
        )
    };
}

/// `Vd = op(Vn, Vm[index])`.
macro_rules! by_element {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let s = vector(i.size, i.q);
            let b = self.repeated(s, element!(i));
            let a = self.0.v(i.rn);
            let result = self.0.vec2(Vec2::$op, s, a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

/// `Vd = op(Vd, Vn, Vm[index])`.
macro_rules! accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let s = vector(i.size, i.q);
            let b = self.repeated(s, element!(i));
            let a = self.0.v(i.rn);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, s, acc, a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! widening {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let b = self.repeated(vector(i.size, false), element!(i));
            let a = self.half(Part::from_q(i.q), i.rn);
            let result = self.0.vec2(Vec2::$op, long(i.size), a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! widening_accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let b = self.repeated(vector(i.size, false), element!(i));
            let a = self.half(Part::from_q(i.q), i.rn);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, long(i.size), acc, a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

/// Scalar forms; `$wider` is added to the size to give the result's.
macro_rules! scalars {
    ($wider:literal: $($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let b = self.repeated(scalar(i.size), element!(i));
            let a = self.0.v(i.rn);
            let result = self.0.vec2(Vec2::$op, scalar(i.size + $wider), a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! scalars_accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let b = self.repeated(scalar(i.size), element!(i));
            let a = self.0.v(i.rn);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, scalar(i.size + 1), acc, a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

impl<O: Ops> Translate<'_, O> {
    /// Lane `index` of Vm in every lane of the shape.
    pub(crate) fn repeated(&mut self, s: Shape, (rm, index): (u8, u8)) -> O::Vector {
        let m = self.0.v(rm);
        self.0.vec_dup_lane(s, m, index)
    }
}

impl<O: Ops> AsimdElem for Translate<'_, O> {
    by_element! {
        mul_elem: MulElem = Mul;
        sqdmulh_elem: SqdmulhElem = SqDmulh;
        sqrdmulh_elem: SqrdmulhElem = SqRdmulh;
    }

    accumulating! {
        mla_elem: MlaElem = Mla;
        mls_elem: MlsElem = Mls;
    }

    widening! {
        smull_elem: SmullElem = Smull;
        umull_elem: UmullElem = Umull;
        sqdmull_elem: SqdmullElem = SqDmull;
    }

    widening_accumulating! {
        smlal_elem: SmlalElem = Smlal;
        umlal_elem: UmlalElem = Umlal;
        smlsl_elem: SmlslElem = Smlsl;
        umlsl_elem: UmlslElem = Umlsl;
        sqdmlal_elem: SqdmlalElem = SqDmlal;
        sqdmlsl_elem: SqdmlslElem = SqDmlsl;
    }

    scalars! {
        0:
        sqdmulh_elem_scalar: SqdmulhElemScalar = SqDmulh;
        sqrdmulh_elem_scalar: SqrdmulhElemScalar = SqRdmulh;
    }

    scalars! {
        1:
        sqdmull_elem_scalar: SqdmullElemScalar = SqDmull;
    }

    scalars_accumulating! {
        sqdmlal_elem_scalar: SqdmlalElemScalar = SqDmlal;
        sqdmlsl_elem_scalar: SqdmlslElemScalar = SqDmlsl;
    }
}
