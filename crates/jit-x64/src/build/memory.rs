//! Plain accesses to memory: constant parts of an address go into the offset.

use super::{Builder, Flow};
use crate::ir::{Bulk, Op, Ref};
use semantics::ops::{
    BulkOp, BulkRegs, BulkStage, Int2, IntegerOps, Lane, LoadExt, MemSize, MemoryOps, RegisterOps, Shape,
    Span, VectorOps, Width,
};

impl Builder<'_> {
    /// Base and offset of an address, with constant additions moved into the offset. A sum
    /// that is a guest register's value stays the base: folding it would keep the register's
    /// older value alive beside it, as after `stp x29, x30, [sp, #-32]!`.
    fn address(&mut self, base: Ref, offset: i64) -> (Ref, i32) {
        let (base, offset) = match self.op(base) {
            Op::Int2 {
                op: Int2::Add,
                w: Width::X,
                a,
                b,
            } if !self.x.contains(&base) => match self.constant(b) {
                Some(c) => (a, offset.wrapping_add(c as i64)),
                None => (base, offset),
            },
            _ => (base, offset),
        };
        match self.op(base) {
            Op::Imm(c) => return (self.imm(c.wrapping_add(offset as u64)), 0),
            Op::Address(of_base) => return (self.push(Op::Address(of_base.wrapping_add(offset))), 0),
            _ => {}
        }
        match i32::try_from(offset) {
            Ok(small) => (base, small),
            Err(_) => {
                let imm = self.imm(offset as u64);
                (self.int2(Int2::Add, Width::X, base, imm), 0)
            }
        }
    }

    /// Two X values as a vector, and back.
    pub(super) fn join_pair(&mut self, (low, high): (Ref, Ref)) -> Ref {
        let s = Shape {
            lane: Lane::D,
            span: Span::Scalar,
        };
        let low = self.vec_dup(s, low);
        self.vec_set_lane(Lane::D, low, 1, high)
    }

    pub(super) fn split_pair(&mut self, both: Ref) -> (Ref, Ref) {
        let low = self.vec_get_lane(Lane::D, both, 0, None);
        (low, self.vec_get_lane(Lane::D, both, 1, None))
    }

    /// Whether C is known to be clear here, as behind a prologue of FEAT_MOPS.
    pub(super) fn carry_is_clear(&self) -> bool {
        const DISTANCE: usize = 32;
        let recent = self.ir.ops.iter().rev().take(DISTANCE);
        match recent.into_iter().find(|op| op.changes_flags()) {
            Some(Op::SetNzcv(value)) => self.constant(*value).is_some_and(|nzcv| nzcv >> 29 & 1 == 0),
            _ => false,
        }
    }
}

impl MemoryOps for Builder<'_> {
    fn load(&mut self, size: MemSize, ext: LoadExt, base: Ref, offset: i64) -> Ref {
        let (base, offset) = self.address(base, offset);
        self.push(Op::Load {
            size,
            ext,
            base,
            offset,
        })
    }

    fn store(&mut self, size: MemSize, base: Ref, offset: i64, value: Ref) {
        let (base, offset) = self.address(base, offset);
        self.push(Op::Store {
            size,
            base,
            offset,
            value,
        });
    }

    fn load_v(&mut self, size: MemSize, base: Ref, offset: i64) -> Ref {
        let (base, offset) = self.address(base, offset);
        self.push(Op::LoadV { size, base, offset })
    }

    fn store_v(&mut self, size: MemSize, base: Ref, offset: i64, value: Ref) {
        let (base, offset) = self.address(base, offset);
        self.push(Op::StoreV {
            size,
            base,
            offset,
            value,
        });
    }

    fn load_pair(&mut self, shared: bool, base: Ref, offset: i64) -> (Ref, Ref) {
        if shared && !self.alone {
            let both = self.load_v(MemSize::Q, base, offset);
            return self.split_pair(both);
        }
        let first = self.load(MemSize::X, LoadExt::Zero, base, offset);
        (first, self.load(MemSize::X, LoadExt::Zero, base, offset + 8))
    }

    fn store_pair(&mut self, shared: bool, base: Ref, offset: i64, values: (Ref, Ref)) {
        if shared {
            let both = self.join_pair(values);
            return self.store_v(MemSize::Q, base, offset, both);
        }
        self.store(MemSize::X, base, offset, values.0);
        self.store(MemSize::X, base, offset + 8, values.1);
    }

    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs) {
        let op = match op {
            BulkOp::CopyForward => Bulk::CopyForward,
            BulkOp::Copy => Bulk::Copy,
            BulkOp::Set => Bulk::Set,
            BulkOp::SetGranules => {
                self.give_up();
                if stage != BulkStage::Prologue {
                    // It may go back to the prologue.
                    self.flow = Flow::End;
                }
                return;
            }
        };
        let size = self.x(regs.rn);
        if !self.carry_is_clear() {
            self.push(Op::CarryGuard);
        } else if self.constant(size) == Some(0) {
            return;
        }
        let (to, from) = (self.x(regs.rd), self.x(regs.rs));
        let left = self.push(Op::Bulk { op, to, from, size });
        self.set_x(regs.rn, left);
        self.push(Op::ZeroGuard { value: left });
        // Behind the guard it is known; the epilogue has nothing to do.
        self.x[regs.rn as usize] = self.imm(0);
    }
}
