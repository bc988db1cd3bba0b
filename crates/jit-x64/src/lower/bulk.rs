//! Memory copies and sets: one call of a routine of `guest_memory::access`.
//!
//! A routine that stops at a fault says what is left. That is written to the guest's size
//! register, and the guard behind leaves to the interpreter, which goes on from there and
//! meets the fault itself.

use super::Lower;
use crate::asm::int::Alu;
use crate::asm::mem::{Legacy, Mem};
use crate::asm::{Cc, Gpr};
use crate::ir::{Op, Ref};
use crate::runtime_offset;
use crate::target::Bank;
use guest::CpuState;
use semantics::ops::{BulkOp, Enumerated, Width};
use std::mem::offset_of;

/// The byte of the flags that holds CF, and CF in it: the inverse of C.
const CARRY_BYTE: i32 = offset_of!(CpuState, flags) as i32 + 1;
const CARRY_BIT: u8 = 1;

impl Lower<'_> {
    pub(super) fn bulk_operation(&mut self, op: Op) {
        match op {
            Op::Bulk { op, to, from, size } => self.bulk(op, to, from, size),
            Op::ZeroGuard { value } => self.zero_guard(value),
            Op::CarryGuard => self.carry_guard(),
            other => unreachable!("{other:?} is no part of a copy"),
        }
    }

    fn bulk(&mut self, op: BulkOp, to: Ref, from: Ref, size: Ref) {
        self.clobber_flags();
        // The routines change all temporaries, vector registers included.
        for _ in self.target.homes.temps(Bank::V) {
            self.vtemp();
        }
        for t in [Gpr::RCX, Gpr::RDX, Gpr::RSI, Gpr::RAX] {
            self.take(t);
        }
        self.load_into(Gpr::RDX, to);
        self.load_into(if op == BulkOp::Set { Gpr::RAX } else { Gpr::RSI }, from);
        self.load_into(Gpr::RCX, size);
        self.asm.call_state(runtime_offset!(bulk) + 8 * op.index() as i32);
        self.bind_temp(self.at as Ref, Gpr::RCX);
    }

    fn zero_guard(&mut self, value: Ref) {
        self.clobber_flags();
        let r = self.reg(value);
        self.asm.alu(Alu::Test, Width::X, r, r);
        self.guard(Cc::Ne);
    }

    fn carry_guard(&mut self) {
        self.flags_to_slot();
        let test = Legacy {
            prefix: 0,
            w: false,
            map: 0,
            op: 0xf6,
            byte_reg: false,
        };
        self.asm.op_mem(test, Gpr(0), Mem::state(CARRY_BYTE));
        self.asm.bytes(&[CARRY_BIT]);
        self.guard(Cc::E);
    }
}
