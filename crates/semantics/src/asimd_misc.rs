//! Advanced SIMD two-register miscellaneous and across lanes, integer (Arm ARM C4.1): `asimd_misc.isa`.

use crate::Translate;
use crate::ops::{Ops, VecShift};
use crate::simd::{Part, long};
use a64_isa::AsimdMisc;
use a64_isa::asimd_misc::*;

impl<O: Ops> AsimdMisc for Translate<'_, O> {
    /// The amount is the width of the source's lanes.
    fn shll(&mut self, i: Shll) {
        let a = self.half(Part::from_q(i.q), i.rn);
        let result = self.0.vec_shift(VecShift::Ushll, long(i.size), a, a, 8 << i.size);
        self.0.set_v(i.rd, result);
    }
}
