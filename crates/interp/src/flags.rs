//! NZCV of the interpreter.

use crate::Player;
use semantics::ops::{Cond, FlagOp, FlagOps, Width};

/// The carry in NZCV.
const NZCV_C: u32 = 1 << 29;

impl FlagOps for Player<'_> {
    fn flag_op(&mut self, op: FlagOp, w: Width, a: u64, b: u64) -> u64 {
        let (result, nzcv) = soft::flag_op(op, w, a, b, self.state.nzcv());
        self.set_nzcv(nzcv);
        result
    }
    fn invert_carry(&mut self) {
        self.set_nzcv(self.state.nzcv() ^ NZCV_C);
    }
    fn carry_op(&mut self, op: FlagOp, w: Width, a: u64, b: u64) -> u64 {
        soft::flag_op(op, w, a, b, self.state.nzcv()).0
    }
    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: u64, b: u64, nzcv: u8) {
        let before = self.state.nzcv();
        let after = if cond.holds(before) {
            soft::flag_op(op, w, a, b, before).1
        } else {
            u32::from(nzcv) << 28
        };
        self.set_nzcv(after);
    }
    fn select(&mut self, cond: Cond, a: u64, b: u64) -> u64 {
        if self.holds(cond) { a } else { b }
    }
}
