//! NZCV as a value: reads, writes, and CFINV.

use super::Lower;
use super::flags::{FLAGS, FlagState};
use crate::asm::int::{Alu, Shift};
use crate::asm::mem::{MOVZX_16, Mem, STORE_16};
use crate::host_state::HostFlags;
use crate::ir::Ref;
use semantics::ops::Width;

const HOST_BITS: i32 = HostFlags::BITS as i32;
const HOST_CARRY: i32 = HostFlags::CARRY as i32;
const HOST_ONE: i32 = HostFlags::ONE as i32;

impl Lower<'_> {
    /// Brings the flags into the CPU state.
    pub(super) fn flags_to_slot(&mut self) {
        if self.flags != FlagState::Slot {
            self.save_flags();
            self.set_flag_state(FlagState::Slot);
        }
    }

    pub(super) fn get_nzcv(&mut self) {
        self.flags_to_slot();
        let d = self.def(None, &[]);
        self.asm.op_mem(MOVZX_16, d, Mem::state(FLAGS));
        // The host's carry is the inverse one.
        self.asm.alu_imm(Alu::Xor, Width::W, d, HOST_CARRY);
        self.asm.alu_imm(Alu::And, Width::W, d, HOST_BITS);
        self.asm.imul_imm(Width::W, d, d, HostFlags::TO_NZCV as i32);
        self.asm.alu_imm(Alu::And, Width::W, d, 0xf000_0000_u32 as i32);
        self.bind(d);
    }

    pub(super) fn set_nzcv(&mut self, value: Ref) {
        self.set_flag_state(FlagState::Slot);
        if let Some(nzcv) = self.constant(value) {
            let word = HostFlags::from_nzcv(nzcv as u32).0 as u32;
            return self.asm.store_state_imm32(FLAGS, word);
        }
        let t = self.temp();
        self.load_into(t, value);
        self.asm.shift_imm(Shift::Shr, Width::W, t, 28);
        self.asm.imul_imm(Width::W, t, t, HostFlags::FROM_NZCV as i32);
        self.asm.alu_imm(Alu::And, Width::W, t, HOST_BITS);
        self.asm.alu_imm(Alu::Xor, Width::W, t, HOST_CARRY | HOST_ONE);
        self.asm.op_mem(STORE_16, t, Mem::state(FLAGS));
    }

    /// CFINV: the flags stay where they are, and CF means the opposite.
    pub(super) fn invert_carry(&mut self) {
        self.load_flags();
        self.set_flag_state(match self.flags {
            FlagState::Add => FlagState::Sub,
            _ => FlagState::Add,
        });
    }
}
