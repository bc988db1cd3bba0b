//! System registers and caches.

use super::{Builder, Flow};
use crate::ir::{Op, Ref};
use guest::CpuState;
use semantics::ops::{SysReg, SystemOps};
use std::mem::offset_of;

impl SystemOps for Builder<'_> {
    fn read_sys(&mut self, reg: SysReg) -> Ref {
        if reg == SysReg::Fpsr {
            self.use_fpsr();
        }
        match reg {
            SysReg::TpidrEl0 => self.push(Op::GetState(offset_of!(CpuState, tpidr_el0) as u32)),
            SysReg::Nzcv => self.push(Op::GetNzcv),
            _ => self.give_up(),
        }
    }

    fn write_sys(&mut self, reg: SysReg, value: Ref) {
        match reg {
            SysReg::TpidrEl0 => {
                self.push(Op::SetState(offset_of!(CpuState, tpidr_el0) as u32, value));
            }
            SysReg::Nzcv => {
                self.push(Op::SetNzcv(value));
            }
            // A new floating-point mode needs blocks of its own.
            SysReg::Fpcr => {
                self.give_up();
                self.flow = Flow::End;
            }
            SysReg::Fpsr => {
                self.give_up();
                self.use_fpsr();
            }
            // The interpreter's, and nothing in a block depends on them; or read-only.
            SysReg::Dit
            | SysReg::Ssbs
            | SysReg::TpidrroEl0
            | SysReg::CntvctEl0
            | SysReg::CntpctEl0
            | SysReg::CntfrqEl0
            | SysReg::CtrEl0
            | SysReg::DczidEl0
            | SysReg::MidrEl1
            | SysReg::MpidrEl1
            | SysReg::RevidrEl1
            | SysReg::IdAa64pfr0El1
            | SysReg::IdAa64pfr1El1
            | SysReg::IdAa64zfr0El1
            | SysReg::IdAa64smfr0El1
            | SysReg::IdAa64dfr0El1
            | SysReg::IdAa64dfr1El1
            | SysReg::IdAa64isar0El1
            | SysReg::IdAa64isar1El1
            | SysReg::IdAa64isar2El1
            | SysReg::IdAa64isar3El1
            | SysReg::IdAa64mmfr0El1
            | SysReg::IdAa64mmfr1El1
            | SysReg::IdAa64mmfr2El1
            | SysReg::IdAa64mmfr3El1
            | SysReg::IdReserved
            | SysReg::Rndr => {
                self.give_up();
            }
        }
    }

    fn invalidate_code(&mut self, _addr: Ref) {
        self.give_up();
        self.flow = Flow::End;
    }
}
