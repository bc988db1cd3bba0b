//! Advanced SIMD of Armv8.1 to 8.6: rounding doubling multiply-accumulate, dot products,
//! products of matrices (Arm ARM C4.1): `asimd_ext.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec3};
use crate::simd::{scalar, vector};
use a64_isa::asimd_ext::*;
use a64_isa::{AsimdExt, simd};

/// `Vd = op(Vd, Vn, Vm)`.
macro_rules! vectors {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, vector(i.size, i.q), i.rm, i.rn, i.rd);
        })*
    };
}

macro_rules! scalars {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, scalar(i.size), i.rm, i.rn, i.rd);
        })*
    };
}

/// `Vd = op(Vd, Vn, Vm[index])`, with the shape as given.
macro_rules! by_element {
    ($($name:ident: $row:ident = $op:ident, $shape:expr;)*) => {
        $(fn $name(&mut self, i: $row) {
            let shape: fn(&$row) -> Shape = $shape;
            let rm = simd::elem_register(i.size, i.m, i.rm);
            let index = simd::elem_index(i.size, i.h, i.l, i.m);
            let s = shape(&i);
            let c = self.repeated(s, (rm, index));
            let b = self.0.v(i.rn);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, s, acc, b, c);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! dots {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, words(i.q), i.rm, i.rn, i.rd);
        })*
    };
}

/// The second operand is one group of four bytes of Vm.
macro_rules! dots_by_element {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let c = self.byte_group(i.q, i.rm, i.h, i.l);
            let b = self.0.v(i.rn);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, words(i.q), acc, b, c);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! matrices {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, words(true), i.rm, i.rn, i.rd);
        })*
    };
}

const fn words(q: bool) -> Shape {
    Shape::vector(Lane::S, q)
}

impl<O: Ops> Translate<'_, O> {
    fn byte_group(&mut self, q: bool, rm: u8, h: bool, l: bool) -> O::Vector {
        self.repeated(words(q), (rm, simd::elem_index(2, h, l, false)))
    }
}

impl<O: Ops> AsimdExt for Translate<'_, O> {
    vectors! {
        sqrdmlah_vec: SqrdmlahVec = SqRdmlah;
        sqrdmlsh_vec: SqrdmlshVec = SqRdmlsh;
    }

    scalars! {
        sqrdmlah_scalar: SqrdmlahScalar = SqRdmlah;
        sqrdmlsh_scalar: SqrdmlshScalar = SqRdmlsh;
    }

    by_element! {
        sqrdmlah_elem: SqrdmlahElem = SqRdmlah, |i| vector(i.size, i.q);
        sqrdmlsh_elem: SqrdmlshElem = SqRdmlsh, |i| vector(i.size, i.q);
        sqrdmlah_elem_scalar: SqrdmlahElemScalar = SqRdmlah, |i| scalar(i.size);
        sqrdmlsh_elem_scalar: SqrdmlshElemScalar = SqRdmlsh, |i| scalar(i.size);
    }

    dots! {
        sdot_vec: SdotVec = Sdot;
        udot_vec: UdotVec = Udot;
        usdot_vec: UsdotVec = Usdot;
    }

    dots_by_element! {
        sdot_elem: SdotElem = Sdot;
        udot_elem: UdotElem = Udot;
        usdot_elem: UsdotElem = Usdot;
    }

    matrices! {
        smmla: Smmla = Smmla;
        ummla: Ummla = Ummla;
        usmmla: Usmmla = Usmmla;
    }

    /// USDOT with the element as the unsigned operand.
    fn sudot_elem(&mut self, i: SudotElem) {
        let b = self.byte_group(i.q, i.rm, i.h, i.l);
        let c = self.0.v(i.rn);
        let acc = self.0.v(i.rd);
        let result = self.0.vec3(Vec3::Usdot, words(i.q), acc, b, c);
        self.0.set_v(i.rd, result);
    }
}
