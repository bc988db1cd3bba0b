//! Memory copies and sets: one call of a routine.
//!
//! A routine that stops at a fault says what is left. That is written to the guest's size
//! register, and the guard behind leaves to the interpreter, which goes on from there and
//! meets the fault itself.

use super::Lower;
use super::call::Argument;
use super::flags::FLAGS;
use crate::asm::int::Alu;
use crate::asm::mem::{Legacy, Mem};
use crate::asm::{Cc, Gpr};
use crate::ir::{Bulk, Ref};
use guest_memory::routines::{CopyEither, CopyForward, Fill};
use semantics::ops::Width;

/// The byte of the flags that holds CF, and CF in it: the inverse of C.
const CARRY_BYTE: i32 = FLAGS + 1;
const CARRY_BIT: u8 = 1;

impl Lower<'_> {
    pub(super) fn bulk(&mut self, op: Bulk, to: Ref, from: Ref, size: Ref) {
        let [to, from, size] = [to, from, size].map(Argument::Value);
        let [left] = match op {
            Bulk::CopyForward => {
                self.prepare::<CopyForward<Argument>>();
                self.call_routine(CopyForward { to, from, size })
            }
            Bulk::Copy => {
                self.prepare::<CopyEither<Argument>>();
                self.call_routine(CopyEither { to, from, size })
            }
            Bulk::Set => {
                self.prepare::<Fill<Argument>>();
                let value = from;
                self.call_routine(Fill { to, value, size })
            }
        };
        self.bind_temp(self.at as Ref, Gpr::from(left));
    }

    pub(super) fn zero_guard(&mut self, value: Ref) {
        self.clobber_flags();
        let r = self.reg(value);
        self.asm.alu(Alu::Test, Width::X, r, r);
        self.guard(Cc::Ne);
    }

    pub(super) fn carry_guard(&mut self) {
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
