//! Atomics and exclusives on 16 bytes.
//!
//! CMPXCHG16B wants its operands in RDX:RAX and RCX:RBX, and RBX is a guest register's home.
//! The instruction stands in a routine of `guest_memory::access`, which comes back with CF set after a
//! fault: RBX is restored then too, and the interpreter meets the fault again.

use super::Lower;
use super::flags::RAX_SLOT;
use crate::asm::int::Alu;
use crate::asm::mem::{CMP_64, MOV_R64, Mem, VMOVUPS_LOAD, VMOVUPS_STORE};
use crate::asm::{Cc, Gpr, Xmm};
use crate::ir::{Op, Ref};
use crate::runtime_offset;
use guest::CpuState;
use semantics::ops::{Rmw, Width};
use std::mem::offset_of;

const MONITOR_ADDR: i32 = offset_of!(CpuState, exclusive_addr) as i32;
const MONITOR_VALUE: i32 = offset_of!(CpuState, exclusive_value) as i32;
const MONITOR_SIZE: i32 = offset_of!(CpuState, exclusive_size) as i32;
/// Upper half of the slot that holds RAX while flags are moved.
const RBX_SLOT: i32 = RAX_SLOT + 8;
/// Log2 of the bytes of a 64-bit lane.
const D: u8 = 3;

impl Lower<'_> {
    pub(super) fn operation16(&mut self, op: Op) {
        match op {
            Op::Cas16 { addr, expected, new } => self.cas16(addr, expected, new),
            Op::Rmw16 { op, addr, value } => self.rmw16(op, addr, value),
            Op::LoadExclusive16 { addr } => self.load_exclusive16(addr),
            Op::StoreExclusive16 { addr, value } => self.store_exclusive16(addr, value),
            other => unreachable!("{other:?} is no operation on 16 bytes"),
        }
    }

    /// Empties RAX, RCX, RDX and RSI, and loads the address into RSI.
    fn take_for_cas16(&mut self, addr: Ref) {
        for t in [Gpr::RSI, Gpr::RAX, Gpr::RCX, Gpr::RDX] {
            self.take(t);
        }
        self.load_into(Gpr::RSI, addr);
    }

    /// Calls the routine; the caller has saved RBX. Everything but CF and ZF is as before.
    fn call_cas16(&mut self) {
        self.asm.call_state(runtime_offset!(cas16));
        self.asm.load_state(Gpr::RBX, RBX_SLOT);
        self.guard(Cc::B);
    }

    /// The result, from RDX:RAX.
    fn bind_pair(&mut self) {
        let d = self.vdef(None, &[]);
        self.asm.vmovq_from(d, Gpr::RAX);
        self.asm.vinsert(D, d, d, Gpr::RDX, 1);
        self.vbind(d);
    }

    fn split_into(&mut self, low: Gpr, high: Gpr, s: Xmm) {
        self.asm.vmovq_to(low, s);
        self.asm.vextract(D, high, s, 1);
    }

    fn cas16(&mut self, addr: Ref, expected: Ref, new: Ref) {
        self.clobber_flags();
        let (expected, new) = (self.vreg(expected), self.vreg(new));
        self.take_for_cas16(addr);
        self.split_into(Gpr::RAX, Gpr::RDX, expected);
        self.asm.store_state(RBX_SLOT, Gpr::RBX);
        self.split_into(Gpr::RBX, Gpr::RCX, new);
        self.call_cas16();
        self.bind_pair();
    }

    fn rmw16(&mut self, op: Rmw, addr: Ref, value: Ref) {
        self.clobber_flags();
        let value = self.vreg(value);
        self.take_for_cas16(addr);
        // What is read here in two pieces is only a guess. A fault finds RBX in place.
        self.asm.op_mem(MOV_R64, Gpr::RAX, Mem::base(Gpr::RSI, 0));
        self.asm.op_mem(MOV_R64, Gpr::RDX, Mem::base(Gpr::RSI, 8));
        self.asm.store_state(RBX_SLOT, Gpr::RBX);
        let again = self.asm.pos();
        self.split_into(Gpr::RBX, Gpr::RCX, value);
        for (new, old) in [(Gpr::RBX, Gpr::RAX), (Gpr::RCX, Gpr::RDX)] {
            match op {
                Rmw::Clr => self.asm.andn(Width::X, new, new, old),
                Rmw::Set => self.asm.alu(Alu::Or, Width::X, new, old),
                Rmw::Swp => {}
                Rmw::Add | Rmw::Eor | Rmw::Smax | Rmw::Smin | Rmw::Umax | Rmw::Umin => {
                    unreachable!("LSE128 has no {op:?}")
                }
            }
        }
        self.call_cas16();
        let retry = self.asm.jcc(Cc::Ne);
        self.asm.fix_to(retry, again);
        self.bind_pair();
    }

    fn load_exclusive16(&mut self, addr: Ref) {
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
    fn store_exclusive16(&mut self, addr: Ref, value: Ref) {
        self.clobber_flags();
        let value = self.vreg(value);
        self.take_for_cas16(addr);
        self.asm.op_mem(CMP_64, Gpr::RSI, Mem::state(MONITOR_ADDR));
        self.guard(Cc::Ne);
        self.asm.cmp_state_imm(Width::X, MONITOR_SIZE, 16);
        self.guard(Cc::Ne);
        self.asm.load_state(Gpr::RAX, MONITOR_VALUE);
        self.asm.load_state(Gpr::RDX, MONITOR_VALUE + 8);
        self.asm.store_state(RBX_SLOT, Gpr::RBX);
        self.split_into(Gpr::RBX, Gpr::RCX, value);
        self.call_cas16();
        self.asm.mov_imm(Gpr::RSI, 0);
        self.asm.setcc(Cc::Ne, Gpr::RSI);
        self.asm.store_state_imm(MONITOR_ADDR, -1);
        self.bind_temp(self.at as Ref, Gpr::RSI);
    }
}
