//! Minimum, maximum, absolute value and bit counts of general registers (FEAT_CSSC): `cssc.isa`.

use crate::Ops;
use crate::ops::{Int1, Int2, Width};
use crate::translate::Translate;
use a64_isa::cssc::*;
use a64_isa::imm::sext;

/// `imm8` as a signed number.
fn simm8(imm8: u8) -> u64 {
    sext(u64::from(imm8), 8) as u64
}

impl<O: Ops> Translate<'_, O> {
    fn choose_reg(&mut self, op: Int2, sf: bool, rd: u8, rn: u8, rm: u8) {
        let (a, b) = (self.0.x(rn), self.0.x(rm));
        let result = self.0.int2(op, Width::from_sf(sf), a, b);
        self.0.set_x(rd, result);
    }

    fn choose_imm(&mut self, op: Int2, sf: bool, rd: u8, rn: u8, imm: u64) {
        let (a, b) = (self.0.x(rn), self.0.imm(imm));
        let result = self.0.int2(op, Width::from_sf(sf), a, b);
        self.0.set_x(rd, result);
    }

    fn count(&mut self, op: Int1, sf: bool, rd: u8, rn: u8) {
        let a = self.0.x(rn);
        let result = self.0.int1(op, Width::from_sf(sf), a);
        self.0.set_x(rd, result);
    }
}

impl<O: Ops> a64_isa::Cssc for Translate<'_, O> {
    fn smax_imm(&mut self, i: SmaxImm) {
        self.choose_imm(Int2::Smax, i.sf, i.rd, i.rn, simm8(i.imm8));
    }

    fn umax_imm(&mut self, i: UmaxImm) {
        self.choose_imm(Int2::Umax, i.sf, i.rd, i.rn, u64::from(i.imm8));
    }

    fn smin_imm(&mut self, i: SminImm) {
        self.choose_imm(Int2::Smin, i.sf, i.rd, i.rn, simm8(i.imm8));
    }

    fn umin_imm(&mut self, i: UminImm) {
        self.choose_imm(Int2::Umin, i.sf, i.rd, i.rn, u64::from(i.imm8));
    }

    fn smax(&mut self, i: Smax) {
        self.choose_reg(Int2::Smax, i.sf, i.rd, i.rn, i.rm);
    }

    fn umax(&mut self, i: Umax) {
        self.choose_reg(Int2::Umax, i.sf, i.rd, i.rn, i.rm);
    }

    fn smin(&mut self, i: Smin) {
        self.choose_reg(Int2::Smin, i.sf, i.rd, i.rn, i.rm);
    }

    fn umin(&mut self, i: Umin) {
        self.choose_reg(Int2::Umin, i.sf, i.rd, i.rn, i.rm);
    }

    fn ctz(&mut self, i: Ctz) {
        self.count(Int1::Ctz, i.sf, i.rd, i.rn);
    }

    fn cnt(&mut self, i: Cnt) {
        self.count(Int1::Cnt, i.sf, i.rd, i.rn);
    }

    fn abs(&mut self, i: Abs) {
        self.count(Int1::Abs, i.sf, i.rd, i.rn);
    }
}
