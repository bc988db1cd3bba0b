//! Memory tagging (FEAT_MTE) as with access to allocation tags disabled: `mte.isa`.
//!
//! Tags that an instruction would choose or load are 0 then, and tag stores write nothing but
//! still need an aligned, writable address (Arm ARM, AArch64.MemTag). No access is checked.

use crate::Ops;
use crate::ldst::Mode;
use crate::ops::{
    BulkOp, BulkRegs, BulkStage, FlagOp, Int1, Int2, LoadExt, MemSize, Order, Rmw, SysReg, Width,
};
use crate::translate::Translate;
use a64_isa::imm::sext;
use a64_isa::mte::*;

/// Where a logical tag stands in an address.
const TAG_LSB: u8 = 56;
const TAG_BITS: u8 = 4;
/// Bytes one tag is for.
pub(crate) const GRANULE: i64 = 16;
/// Sizes that count as more than this are taken to be this (Arm ARM C6.2, SETGP).
const SET_LIMIT: u64 = 0x7fff_ffff_ffff_fff0;

pub(crate) fn tag_mode(mode: u8, offset: i64) -> Mode {
    match mode {
        1 => Mode::Post(offset),
        2 => Mode::Offset(offset),
        _ => Mode::Pre(offset),
    }
}

impl<O: Ops> Translate<'_, O> {
    /// The address with tag 0.
    fn with_tag_zero(&mut self, address: O::Value) -> O::Value {
        let zero = self.0.imm(0);
        self.0.insert(Width::X, address, zero, TAG_LSB, TAG_BITS)
    }

    pub(crate) fn add_tagged(&mut self, rd: u8, rn: u8, bytes: i64) {
        let address = self.0.x_or_sp(rn);
        let moved = self.0.add_imm(address, bytes);
        let result = self.with_tag_zero(moved);
        self.0.set_x_or_sp(rd, result);
    }

    /// Both operands of SUBP, sign-extended from bit 55.
    fn untagged_pair(&mut self, rn: u8, rm: u8) -> (O::Value, O::Value) {
        let (a, b) = (self.0.x_or_sp(rn), self.0.x_or_sp(rm));
        let a = self.0.extract(Width::X, true, a, 0, TAG_LSB);
        (a, self.0.extract(Width::X, true, b, 0, TAG_LSB))
    }

    /// The base register and the address of the granule, which must be aligned.
    fn granule(&mut self, mode: Mode, rn: u8) -> (O::Value, O::Value) {
        let base = self.0.x_or_sp(rn);
        let address = self.0.add_imm(base, mode.offset());
        // An ordered access of 16 bytes faults unless aligned.
        self.0.load_acquire_v(MemSize::Q, address);
        (base, address)
    }

    /// STG and ST2G: `granules` are probed for writing.
    pub(crate) fn store_tags(&mut self, granules: i64, mode: Mode, rn: u8) {
        let (base, address) = self.granule(mode, rn);
        let zero = self.0.imm(0);
        for n in 0..granules {
            let place = self.0.add_imm(address, n * GRANULE);
            self.0
                .atomic_rmw(Rmw::Set, MemSize::B, Order::Relaxed, place, zero);
        }
        self.write_back(mode, rn, base);
    }

    /// STZG and STZ2G.
    pub(crate) fn store_zeros(&mut self, granules: i64, mode: Mode, rn: u8) {
        let (base, address) = self.granule(mode, rn);
        let zero = self.0.vec_imm(0);
        for n in 0..granules {
            self.0.store_v(MemSize::Q, address, n * GRANULE, zero);
        }
        self.write_back(mode, rn, base);
    }
}

/// The signed offset of the tag stores, in granules.
pub(crate) fn granules(imm9: u16) -> i64 {
    sext(u64::from(imm9), 9) * GRANULE
}

impl<O: Ops> a64_isa::Mte for Translate<'_, O> {
    fn subp(&mut self, i: Subp) {
        let (a, b) = self.untagged_pair(i.rn, i.rm);
        let result = self.0.sub(Width::X, a, b);
        self.0.set_x(i.rd, result);
    }

    fn subps(&mut self, i: Subps) {
        let (a, b) = self.untagged_pair(i.rn, i.rm);
        let result = self.0.flag_op(FlagOp::Sub, Width::X, a, b);
        self.0.set_x(i.rd, result);
    }

    fn irg(&mut self, i: Irg) {
        let address = self.0.x_or_sp(i.rn);
        let result = self.with_tag_zero(address);
        self.0.set_x_or_sp(i.rd, result);
    }

    fn gmi(&mut self, i: Gmi) {
        let address = self.0.x_or_sp(i.rn);
        let tag = self.0.extract(Width::X, false, address, TAG_LSB, TAG_BITS);
        let one = self.0.imm(1);
        let bit = self.0.int2(Int2::Lsl, Width::X, one, tag);
        let mask = self.0.x(i.rm);
        let result = self.0.int2(Int2::Or, Width::X, mask, bit);
        self.0.set_x(i.rd, result);
    }

    fn ldg(&mut self, i: Ldg) {
        let base = self.0.x_or_sp(i.rn);
        let address = self.0.add_imm(base, granules(i.imm9));
        let mask = self.0.imm(!(GRANULE as u64 - 1));
        let granule = self.0.int2(Int2::And, Width::X, address, mask);
        self.0.load(MemSize::B, LoadExt::Zero, granule, 0);
        let old = self.0.x(i.rt);
        let result = self.with_tag_zero(old);
        self.0.set_x(i.rt, result);
    }

    fn stgp(&mut self, i: Stgp) {
        let mode = tag_mode(i.mode, sext(u64::from(i.imm7), 7) * GRANULE);
        let (base, address) = self.granule(mode, i.rn);
        let values = (self.0.x(i.rt), self.0.x(i.rt2));
        self.0.store_pair(true, address, 0, values);
        self.write_back(mode, i.rn, base);
    }

    fn setgp(&mut self, i: Setgp) {
        let regs = BulkRegs::new(i.rd, i.rs, i.rn);
        self.0.bulk(BulkOp::SetGranules, BulkStage::Prologue, regs);
        let to = self.0.x(i.rd);
        let (size, limit) = (self.0.x(i.rn), self.0.imm(SET_LIMIT));
        let size = self.0.int2(Int2::Umin, Width::X, size, limit);
        let to = self.0.add(Width::X, to, size);
        let size = self.0.int1(Int1::Neg, Width::X, size);
        let zero = self.0.imm(0);
        self.0.write_sys(SysReg::Nzcv, zero);
        self.0.set_x(i.rd, to);
        self.0.set_x(i.rn, size);
    }
}
