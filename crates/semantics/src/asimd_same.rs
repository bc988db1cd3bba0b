//! Advanced SIMD three same: integer and logical (Arm ARM C4.1): `asimd_same.isa`.

use crate::Translate;
use crate::ops::{Ops, Vec1, Vec2, Vec3};
use crate::simd::bits;
use a64_isa::AsimdSame;
use a64_isa::asimd_same::*;

impl<O: Ops> AsimdSame for Translate<'_, O> {
    fn orr_vec(&mut self, i: OrrVec) {
        if i.rn == i.rm {
            // The preferred form is MOV.
            self.unary(Vec1::Mov, bits(i.q), i.rn, i.rd);
        } else {
            self.binary(Vec2::Or, bits(i.q), i.rm, i.rn, i.rd);
        }
    }

    /// Inserts bits of Vn where Vm is set.
    fn bit_vec(&mut self, i: BitVec) {
        let (d, n, m) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(i.rm));
        let result = self.0.vec3(Vec3::Bsl, bits(i.q), m, n, d);
        self.0.set_v(i.rd, result);
    }

    /// Inserts bits of Vn where Vm is clear.
    fn bif_vec(&mut self, i: BifVec) {
        let (d, n, m) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(i.rm));
        let result = self.0.vec3(Vec3::Bsl, bits(i.q), m, d, n);
        self.0.set_v(i.rd, result);
    }
}
