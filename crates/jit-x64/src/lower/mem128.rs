//! Atomics and exclusives on 16 bytes.
//!
//! CMPXCHG16B stands in a routine ([`Cas16`]), because one of its registers is a guest register's home: a
//! fault there comes back to the block, which puts the home back, and the interpreter meets the fault again.

use super::Lower;
use super::call::Argument;
use crate::asm::int::Alu;
use crate::asm::mem::{CMP_64, MOV_R64, Mem, VMOVUPS_LOAD, VMOVUPS_STORE};
use crate::asm::{Cc, Gpr};
use crate::ir::{Ref, Rmw16};
use guest::CpuState;
use guest_memory::routines::{Cas16, HostRegister};
use semantics::ops::Width;
use std::mem::offset_of;

const MONITOR_ADDR: i32 = offset_of!(CpuState, exclusive_addr) as i32;
const MONITOR_VALUE: i32 = offset_of!(CpuState, exclusive_value) as i32;
const MONITOR_SIZE: i32 = offset_of!(CpuState, exclusive_size) as i32;
/// Log2 of the bytes of a 64-bit lane.
const D: u8 = 3;

impl Lower<'_> {
    /// The result, from two general registers.
    fn bind_pair(&mut self, [low, high]: [HostRegister; 2]) {
        let d = self.vdef(None, &[]);
        self.asm.vmovq_from(d, low.into());
        self.asm.vinsert(D, d, d, high.into(), 1);
        self.vbind(d);
    }

    pub(super) fn cas16(&mut self, addr: Ref, expected: Ref, new: Ref) {
        let (expected, new) = (self.vreg(expected), self.vreg(new));
        self.prepare::<Cas16<Argument>>();
        let old = self.call_routine(Cas16 {
            address: Argument::Value(addr),
            expected_low: Argument::Low(expected),
            expected_high: Argument::High(expected),
            new_low: Argument::Low(new),
            new_high: Argument::High(new),
        });
        self.bind_pair(old);
    }

    pub(super) fn rmw16(&mut self, op: Rmw16, addr: Ref, value: Ref) {
        let value = self.vreg(value);
        self.prepare::<Cas16<Argument>>();
        let registers = Cas16::REGISTERS;
        let address = Gpr::from(registers.address);
        let old = [registers.expected_low, registers.expected_high].map(Gpr::from);
        let new = [registers.new_low, registers.new_high].map(Gpr::from);
        self.load_into(address, addr);
        // What is read here in two pieces is only a guess.
        self.asm.op_mem(MOV_R64, old[0], Mem::base(address, 0));
        self.asm.op_mem(MOV_R64, old[1], Mem::base(address, 8));
        let again = self.asm.pos();
        self.asm.vmovq_to(new[0], value);
        self.asm.vextract(D, new[1], value, 1);
        for (new, old) in new.into_iter().zip(old) {
            match op {
                Rmw16::Clr => self.asm.andn(Width::X, new, new, old),
                Rmw16::Set => self.asm.alu(Alu::Or, Width::X, new, old),
                Rmw16::Swp => {}
            }
        }
        let in_place = Argument::InPlace;
        let old = self.call_routine(Cas16 {
            address: in_place,
            expected_low: in_place,
            expected_high: in_place,
            new_low: in_place,
            new_high: in_place,
        });
        let retry = self.asm.jcc(Cc::Ne);
        self.asm.fix_to(retry, again);
        self.bind_pair(old);
    }

    pub(super) fn load_exclusive16(&mut self, addr: Ref) {
        let base = self.reg(addr);
        let d = self.vdef(None, &[]);
        self.asm.vex_mem(VMOVUPS_LOAD, d, None, Mem::base(base, 0));
        self.asm.store_state(MONITOR_ADDR, base);
        self.asm
            .vex_mem(VMOVUPS_STORE, d, None, Mem::state(MONITOR_VALUE));
        self.asm.store_state_imm(MONITOR_SIZE, 16);
        self.vbind(d);
    }

    /// As [`Lower::store_exclusive`], of a pair.
    pub(super) fn store_exclusive16(&mut self, addr: Ref, value: Ref) {
        let value = self.vreg(value);
        self.prepare::<Cas16<Argument>>();
        let registers = Cas16::REGISTERS;
        let address = Gpr::from(registers.address);
        self.load_into(address, addr);
        self.asm.op_mem(CMP_64, address, Mem::state(MONITOR_ADDR));
        self.guard(Cc::Ne);
        self.asm.cmp_state_imm(Width::X, MONITOR_SIZE, 16);
        self.guard(Cc::Ne);
        self.asm.load_state(registers.expected_low.into(), MONITOR_VALUE);
        self.asm
            .load_state(registers.expected_high.into(), MONITOR_VALUE + 8);
        self.call_routine(Cas16 {
            address: Argument::InPlace,
            expected_low: Argument::InPlace,
            expected_high: Argument::InPlace,
            new_low: Argument::Low(value),
            new_high: Argument::High(value),
        });
        self.asm.mov_imm(Gpr::RSI, 0);
        self.asm.setcc(Cc::Ne, Gpr::RSI);
        self.asm.store_state_imm(MONITOR_ADDR, -1);
        self.bind_temp(self.at as Ref, Gpr::RSI);
    }
}
