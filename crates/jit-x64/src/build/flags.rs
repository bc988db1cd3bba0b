//! Operations that set or read NZCV.

use super::Builder;
use crate::ir::{Op, Ref};
use semantics::ops::{Cond, FlagOp, FlagOps, Width};

impl FlagOps for Builder<'_> {
    fn flag_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) -> Ref {
        self.push(Op::FlagOp { op, w, a, b })
    }

    fn invert_carry(&mut self) {
        self.push(Op::InvertCarry);
    }

    fn carry_op(&mut self, op: FlagOp, w: Width, a: Ref, b: Ref) -> Ref {
        self.push(Op::CarryOp { op, w, a, b })
    }

    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Ref, b: Ref, nzcv: u8) {
        if matches!(cond, Cond::Al | Cond::Nv) {
            self.push(Op::FlagOp { op, w, a, b });
        } else {
            self.push(Op::CondCompare {
                op,
                w,
                cond,
                a,
                b,
                nzcv,
            });
        }
    }

    fn select(&mut self, cond: Cond, a: Ref, b: Ref) -> Ref {
        if matches!(cond, Cond::Al | Cond::Nv) {
            return a;
        }
        self.push(Op::Select { cond, a, b })
    }
}
