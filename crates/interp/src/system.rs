//! System registers reachable from EL0, and caches.

use crate::{Player, Stop};
use guest::cpu_model::shown::IdReg;
use guest::{CpuState, GuestAddr, cpu_model};
use guest_memory::access;
use semantics::ops::{SysReg, SystemOps};

const DIT: u64 = 1 << a64_isa::sysreg::DIT_BIT;
const SSBS: u64 = 1 << a64_isa::sysreg::SSBS_BIT;

fn read(state: &mut CpuState, reg: SysReg) -> u64 {
    match reg {
        SysReg::Nzcv => u64::from(state.nzcv()),
        SysReg::Fpcr => u64::from(state.fp.fpcr),
        SysReg::Fpsr => {
            state.use_fpsr();
            u64::from(state.fpsr())
        }
        SysReg::TpidrEl0 => state.tpidr_el0,
        // Written by the kernel only; Linux keeps it zero for 64-bit programs.
        SysReg::TpidrroEl0 => 0,
        SysReg::CntvctEl0 | SysReg::CntpctEl0 => cpu_model::virtual_counter(),
        SysReg::CntfrqEl0 => cpu_model::CNTFRQ_EL0,
        SysReg::CtrEl0 => cpu_model::CTR_EL0,
        SysReg::DczidEl0 => cpu_model::DCZID_EL0,
        SysReg::MidrEl1 => state.model.midr,
        SysReg::MpidrEl1 => cpu_model::MPIDR_EL1,
        SysReg::RevidrEl1 => cpu_model::REVIDR_EL1,
        SysReg::IdAa64pfr0El1 => state.model.id(IdReg::Aa64Pfr0),
        SysReg::IdAa64dfr0El1 => state.model.id(IdReg::Aa64Dfr0),
        SysReg::IdAa64isar0El1 => state.model.id(IdReg::Aa64Isar0),
        SysReg::IdAa64isar1El1 => state.model.id(IdReg::Aa64Isar1),
        SysReg::IdAa64isar2El1 => state.model.id(IdReg::Aa64Isar2),
        SysReg::IdAa64pfr1El1 => state.model.id(IdReg::Aa64Pfr1),
        SysReg::IdAa64mmfr2El1 => state.model.id(IdReg::Aa64Mmfr2),
        SysReg::IdAa64mmfr0El1 => state.model.id(IdReg::Aa64Mmfr0),
        SysReg::Dit => state.pstate & DIT,
        SysReg::Ssbs => state.pstate & SSBS,
        SysReg::Rndr => {
            state.set_nzcv(0);
            cpu_model::random(&mut state.random)
        }
        SysReg::IdAa64zfr0El1
        | SysReg::IdAa64smfr0El1
        | SysReg::IdAa64dfr1El1
        | SysReg::IdAa64isar3El1
        | SysReg::IdAa64mmfr1El1
        | SysReg::IdAa64mmfr3El1
        | SysReg::IdReserved => 0,
    }
}

/// Writes to a read-only register are not decoded as instructions; they would do nothing.
fn write(state: &mut CpuState, reg: SysReg, value: u64) {
    match reg {
        SysReg::Nzcv => state.set_nzcv(value as u32),
        SysReg::Fpcr => state.set_fpcr(value as u32),
        SysReg::Fpsr => {
            state.use_fpsr();
            state.set_fpsr(value as u32);
        }
        SysReg::TpidrEl0 => state.tpidr_el0 = value,
        SysReg::Dit => state.pstate = state.pstate & !DIT | value & DIT,
        SysReg::Ssbs => state.pstate = state.pstate & !SSBS | value & SSBS,
        SysReg::TpidrroEl0
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
        | SysReg::Rndr
        | SysReg::IdReserved => {}
    }
}

impl SystemOps for Player<'_> {
    fn read_sys(&mut self, reg: SysReg) -> u64 {
        read(self.state, reg)
    }
    fn write_sys(&mut self, reg: SysReg, value: u64) {
        if self.exit.is_none() {
            write(self.state, reg, value);
        }
    }
    fn invalidate_code(&mut self, addr: u64) {
        self.exit = Some(Stop::InvalidateCode(access::untag(GuestAddr(addr))));
    }
}
