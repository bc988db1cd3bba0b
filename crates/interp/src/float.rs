//! Floating-point operations of the interpreter.

use crate::Player;
use semantics::ops::{Cond, FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Shape, Width};

impl FloatOps for Player<'_> {
    fn fp1(&mut self, op: Fp1, s: Shape, a: u128) -> u128 {
        soft::fp1(op, s, a, &mut self.state.fp)
    }
    fn fp2(&mut self, op: Fp2, s: Shape, a: u128, b: u128) -> u128 {
        soft::fp2(op, s, a, b, &mut self.state.fp)
    }
    fn fp3(&mut self, op: Fp3, s: Shape, a: u128, b: u128, c: u128) -> u128 {
        soft::fp3(op, s, a, b, c, &mut self.state.fp)
    }
    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: u128, b: u128) {
        let nzcv = soft::fp_compare(size, signaling, a, b, &mut self.state.fp);
        self.set_nzcv(nzcv);
    }
    fn fp_cond_compare(&mut self, size: FpSize, signaling: bool, cond: Cond, a: u128, b: u128, nzcv: u8) {
        if self.holds(cond) {
            self.fp_compare(size, signaling, a, b);
        } else {
            self.set_nzcv(u32::from(nzcv) << 28);
        }
    }
    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: u128) -> u64 {
        soft::fp_to_int(how, w, size, a, &mut self.state.fp)
    }
    fn fp_to_js_int(&mut self, a: u128) -> u64 {
        let (value, nzcv) = soft::fp_to_js_int(a, &mut self.state.fp);
        self.set_nzcv(nzcv);
        value
    }
    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: u64) -> u128 {
        soft::int_to_fp(how, w, size, value, &mut self.state.fp)
    }
    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: u128) -> u128 {
        soft::vec_fp_to_int(how, s, a, &mut self.state.fp)
    }
    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: u128) -> u128 {
        soft::vec_int_to_fp(how, s, a, &mut self.state.fp)
    }
}
