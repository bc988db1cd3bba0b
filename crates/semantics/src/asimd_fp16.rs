//! Advanced SIMD floating point in half precision: `asimd_fp16.isa`, the rows of
//! `asimd_fp.isa` for halves.

use crate::Ops;
use crate::ops::{Lane, Shape};
use crate::translate::Translate;
use a64_isa::asimd_fp16::*;
use a64_isa::{AsimdFp16, imm};

/// Halves of a whole or half register.
pub(crate) const fn halves(q: bool) -> Shape {
    Shape::vector(Lane::H, q)
}

/// One half.
pub(crate) const SCALAR_H: Shape = Shape::scalar(Lane::H);

impl<O: Ops> AsimdFp16 for Translate<'_, O> {
    fn fmov_vec_h(&mut self, i: FmovVecH) {
        let value = imm::fp_imm_f16(i.abc << 5 | i.defgh);
        let lanes = u64::from(value) * 0x0001_0001_0001_0001;
        let high = if i.q { lanes } else { 0 };
        let result = self.0.vec_imm(u128::from(high) << 64 | u128::from(lanes));
        self.0.set_v(i.rd, result);
    }
}
