//! Memory copy and memory set (FEAT_MOPS): `mops.isa`.
//!
//! This is an implementation of Option A (Arm ARM C6.2, CPYP): the prologue limits the size
//! and, for the forward direction, moves the addresses to the ends and makes the size negative.
//! It copies nothing, so it cannot fault. The main stage does all of the work and the
//! epilogue finds nothing left, unless a program enters it with something left.

use crate::Ops;
use crate::ops::{BulkOp, BulkRegs, BulkStage, Cond, FlagOp, Int1, Int2, SysReg, Width};
use crate::translate::Translate;

/// Sizes that count as more than this are taken to be this.
const COPY_FORWARD_LIMIT: u64 = 0x7fff_ffff_ffff_ffff;
const COPY_LIMIT: u64 = 0x007f_ffff_ffff_ffff;
/// Bits of an address that say which direction overlap needs.
const ADDRESS_BITS: u8 = 56;

impl<O: Ops> Translate<'_, O> {
    /// Option A: NZCV = 0000.
    fn set_option(&mut self) {
        let zero = self.0.imm(0);
        self.0.write_sys(SysReg::Nzcv, zero);
    }

    fn limited_size(&mut self, rn: u8, limit: u64) -> O::Value {
        let (size, limit) = (self.0.x(rn), self.0.imm(limit));
        self.0.int2(Int2::Umin, Width::X, size, limit)
    }

    pub(crate) fn copy_forward_prologue(&mut self, rd: u8, rs: u8, rn: u8) {
        let (to, from) = (self.0.x(rd), self.0.x(rs));
        let size = self.limited_size(rn, COPY_FORWARD_LIMIT);
        let to = self.0.add(Width::X, to, size);
        let from = self.0.add(Width::X, from, size);
        let size = self.0.int1(Int1::Neg, Width::X, size);
        self.set_option();
        self.0.set_x(rd, to);
        self.0.set_x(rs, from);
        self.0.set_x(rn, size);
    }

    /// 1 if a copy must go backward: the source begins below the destination and reaches
    /// into it. Uses the flags, which the prologue sets afterwards.
    fn goes_backward(&mut self, to: O::Value, from: O::Value, size: O::Value) -> O::Value {
        let end = self.0.add(Width::X, from, size);
        let to = self.0.extract(Width::X, false, to, 0, ADDRESS_BITS);
        let from = self.0.extract(Width::X, false, from, 0, ADDRESS_BITS);
        let end = self.0.extract(Width::X, false, end, 0, ADDRESS_BITS);
        let (one, zero) = (self.0.imm(1), self.0.imm(0));
        self.0.flag_op(FlagOp::Sub, Width::X, from, to);
        let below = self.0.select(Cond::Lo, one, zero);
        self.0.flag_op(FlagOp::Sub, Width::X, end, to);
        self.0.select(Cond::Hi, below, zero)
    }

    pub(crate) fn copy_prologue(&mut self, rd: u8, rs: u8, rn: u8) {
        let (to, from) = (self.0.x(rd), self.0.x(rs));
        let size = self.limited_size(rn, COPY_LIMIT);
        let backward = self.goes_backward(to, from, size);
        // All ones for the forward direction.
        let forward = self.0.add_imm(backward, -1);
        let moved = self.0.int2(Int2::And, Width::X, size, forward);
        let to = self.0.add(Width::X, to, moved);
        let from = self.0.add(Width::X, from, moved);
        let size = self.0.int2(Int2::Xor, Width::X, size, forward);
        let size = self.0.sub(Width::X, size, forward);
        self.set_option();
        self.0.set_x(rd, to);
        self.0.set_x(rs, from);
        self.0.set_x(rn, size);
    }

    /// A stage of a copy or a set.
    pub(crate) fn bulk(&mut self, op: BulkOp, stage: BulkStage, rd: u8, rs: u8, rn: u8) {
        self.0.bulk(op, stage, BulkRegs::new(rd, rs, rn));
    }

    pub(crate) fn set_prologue(&mut self, rd: u8, rn: u8) {
        let to = self.0.x(rd);
        let size = self.limited_size(rn, COPY_FORWARD_LIMIT);
        let to = self.0.add(Width::X, to, size);
        let size = self.0.int1(Int1::Neg, Width::X, size);
        self.set_option();
        self.0.set_x(rd, to);
        self.0.set_x(rn, size);
    }
}
