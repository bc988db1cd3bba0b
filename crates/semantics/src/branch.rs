//! Branches and exception generation (Arm ARM C4.1.94): `branch.isa`.
//!
//! HLT, HVC, SMC and DCPS are undefined at EL0 under Linux and have no rows.

use crate::Ops;
use crate::ops::{Cond, Exception, Indirect, Test, Width};
use crate::translate::Translate;
use a64_isa::branch::*;
use a64_isa::imm::{bit_number, word_offset};

/// Number of the link register.
const LR: u8 = 30;

impl<O: Ops> Translate<'_, O> {
    /// The address `imm` words (of `bits` bits) from here.
    fn target(&mut self, imm: u32, bits: u32) -> u64 {
        self.0.pc().wrapping_add_signed(word_offset(imm, bits))
    }

    /// B.cond and BC.cond.
    pub(crate) fn branch_cond(&mut self, cond: Cond, imm19: u32) {
        let target = self.target(imm19, 19);
        match cond {
            Cond::Al | Cond::Nv => self.0.branch(target),
            cond => self.0.branch_if(Test::Cond(cond), target),
        }
    }

    pub(crate) fn set_link(&mut self) {
        let next = self.0.pc().wrapping_add(4);
        let next = self.0.address(next);
        self.0.set_x(LR, next);
    }
}

impl<O: Ops> a64_isa::Branch for Translate<'_, O> {
    fn svc(&mut self, i: Svc) {
        self.0.exception(Exception::Svc(i.imm16));
    }

    fn brk(&mut self, i: Brk) {
        self.0.exception(Exception::Brk(i.imm16));
    }

    fn br(&mut self, i: Br) {
        let target = self.0.x(i.rn);
        self.0.branch_to(target, Indirect::of_jump(i.rn));
    }

    fn blr(&mut self, i: Blr) {
        // Read before the link register is written: BLR X30 goes to the old value.
        let target = self.0.x(i.rn);
        self.set_link();
        self.0.branch_to(target, Indirect::Call);
    }

    fn ret(&mut self, i: Ret) {
        let target = self.0.x(i.rn);
        self.0.branch_to(target, Indirect::Return);
    }

    fn b(&mut self, i: B) {
        let target = self.target(i.imm26, 26);
        self.0.branch(target);
    }

    fn bl(&mut self, i: Bl) {
        let target = self.target(i.imm26, 26);
        self.set_link();
        self.0.call(target);
    }

    fn cbz(&mut self, i: Cbz) {
        let value = self.0.x(i.rt);
        let target = self.target(i.imm19, 19);
        self.0.branch_if(Test::Zero(Width::from_sf(i.sf), value), target);
    }

    fn cbnz(&mut self, i: Cbnz) {
        let value = self.0.x(i.rt);
        let target = self.target(i.imm19, 19);
        self.0
            .branch_if(Test::NonZero(Width::from_sf(i.sf), value), target);
    }

    fn tbz(&mut self, i: Tbz) {
        let value = self.0.x(i.rt);
        let target = self.target(u32::from(i.imm14), 14);
        self.0
            .branch_if(Test::BitClear(value, bit_number(i.b5, i.b40)), target);
    }

    fn tbnz(&mut self, i: Tbnz) {
        let value = self.0.x(i.rt);
        let target = self.target(u32::from(i.imm14), 14);
        self.0
            .branch_if(Test::BitSet(value, bit_number(i.b5, i.b40)), target);
    }
}
