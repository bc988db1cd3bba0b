//! Advanced SIMD of Armv8.1 to 8.6: rounding doubling multiply-accumulate, dot products,
//! products of matrices (Arm ARM C4.1): `asimd_ext.isa`.

use crate::Translate;
use crate::ops::{Ops, Vec3};
use crate::simd::{Element, words};
use a64_isa::AsimdExt;
use a64_isa::asimd_ext::*;

impl<O: Ops> AsimdExt for Translate<'_, O> {
    /// USDOT with the element as the unsigned operand.
    fn sudot_elem(&mut self, i: SudotElem) {
        let b = self.repeated(Element::of(words(i.q), i.h, i.l, false, i.rm));
        let c = self.0.v(i.rn);
        let acc = self.0.v(i.rd);
        let result = self.0.vec3(Vec3::Usdot, words(i.q), acc, b, c);
        self.0.set_v(i.rd, result);
    }
}
