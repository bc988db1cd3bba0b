//! Hints, barriers, cache maintenance and system registers (Arm ARM C4.1.94): `system.isa`.

use crate::Ops;
use crate::ops::{Barrier, Exception, Int2, LoadExt, MemSize, SysReg, Width};
use crate::translate::Translate;
use a64_isa::system::*;
use a64_isa::{Feature, System, sysreg};

/// Bytes DC ZVA clears; what DCZID_EL0 says.
const ZVA_BLOCK: u64 = guest::cpu_model::DCACHE_LINE;

/// What the CRm field of DMB and DSB orders (Arm ARM C6.2.95). Reserved values order everything.
pub(crate) fn barrier_kind(crm: u8) -> Barrier {
    match crm & 3 {
        1 => Barrier::Load,
        2 => Barrier::Store,
        _ => Barrier::Full,
    }
}

/// The register of an encoding that the table admits.
fn system_register(o0: bool, op1: u8, crn: u8, crm: u8, op2: u8) -> SysReg {
    let register = sysreg::encoding(o0, op1, crn, crm, op2);
    match register {
        sysreg::NZCV => SysReg::Nzcv,
        sysreg::FPCR => SysReg::Fpcr,
        sysreg::FPSR => SysReg::Fpsr,
        sysreg::TPIDR_EL0 => SysReg::TpidrEl0,
        sysreg::TPIDRRO_EL0 => SysReg::TpidrroEl0,
        sysreg::CNTFRQ_EL0 => SysReg::CntfrqEl0,
        sysreg::CNTVCT_EL0 | sysreg::CNTVCTSS_EL0 => SysReg::CntvctEl0,
        sysreg::CTR_EL0 => SysReg::CtrEl0,
        sysreg::DCZID_EL0 => SysReg::DczidEl0,
        sysreg::DIT => SysReg::Dit,
        sysreg::SSBS => SysReg::Ssbs,
        sysreg::RNDR | sysreg::RNDRRS => SysReg::Rndr,
        // What remains is the ID space.
        _ => id_register(crm, op2),
    }
}

fn id_register(crm: u8, op2: u8) -> SysReg {
    match (crm, op2) {
        (0, 0) => SysReg::MidrEl1,
        (0, 5) => SysReg::MpidrEl1,
        (0, 6) => SysReg::RevidrEl1,
        (4, 0) => SysReg::IdAa64pfr0El1,
        (4, 1) => SysReg::IdAa64pfr1El1,
        (4, 4) => SysReg::IdAa64zfr0El1,
        (4, 5) => SysReg::IdAa64smfr0El1,
        (5, 0) => SysReg::IdAa64dfr0El1,
        (5, 1) => SysReg::IdAa64dfr1El1,
        (6, 0) => SysReg::IdAa64isar0El1,
        (6, 1) => SysReg::IdAa64isar1El1,
        (6, 2) => SysReg::IdAa64isar2El1,
        (6, 3) => SysReg::IdAa64isar3El1,
        (7, 0) => SysReg::IdAa64mmfr0El1,
        (7, 1) => SysReg::IdAa64mmfr1El1,
        (7, 2) => SysReg::IdAa64mmfr2El1,
        (7, 3) => SysReg::IdAa64mmfr3El1,
        (_, _) => SysReg::IdReserved,
    }
}

impl<O: Ops> Translate<'_, O> {
    /// Whether the CPU has the extension a register belongs to.
    fn has_register(&self, register: u16) -> bool {
        let features = self.0.features();
        match register {
            sysreg::DIT => features.contains(Feature::Dit),
            sysreg::SSBS => features.contains(Feature::Ssbs),
            sysreg::RNDR | sysreg::RNDRRS => features.contains(Feature::Rng),
            sysreg::CNTVCTSS_EL0 => features.contains(Feature::Ecv),
            _ => true,
        }
    }

    pub(crate) fn barrier(&mut self, kind: Barrier) {
        self.0.barrier(kind);
    }

    /// Cache maintenance by address: memory is coherent, but the address must be readable.
    pub(crate) fn probe(&mut self, rt: u8) {
        let address = self.0.x(rt);
        self.0.load(MemSize::B, LoadExt::Zero, address, 0);
    }
}

impl<O: Ops> System for Translate<'_, O> {
    fn hint(&mut self, i: Hint) {
        if self.0.features().contains(Feature::Pauth) {
            self.pauth_hint(i.crm << 3 | i.op2);
        }
    }

    fn clrex(&mut self, _: Clrex) {
        self.0.clear_exclusive();
    }

    fn dc_zva(&mut self, i: DcZva) {
        let address = self.0.x(i.rt);
        let mask = self.0.imm(!(ZVA_BLOCK - 1));
        let block = self.0.int2(Int2::And, Width::X, address, mask);
        let zero = self.0.vec_imm(0);
        for offset in (0..ZVA_BLOCK as i64).step_by(16) {
            self.0.store_v(MemSize::Q, block, offset, zero);
        }
    }

    fn ic_ivau(&mut self, i: IcIvau) {
        let address = self.0.x(i.rt);
        self.0.invalidate_code(address);
    }

    fn msr_dit(&mut self, i: MsrDit) {
        let value = self.0.imm(u64::from(i.crm & 1) << sysreg::DIT_BIT);
        self.0.write_sys(SysReg::Dit, value);
    }

    fn msr_ssbs(&mut self, i: MsrSsbs) {
        let value = self.0.imm(u64::from(i.crm & 1) << sysreg::SSBS_BIT);
        self.0.write_sys(SysReg::Ssbs, value);
    }

    fn mrs(&mut self, i: Mrs) {
        if !self.has_register(sysreg::encoding(i.o0, i.op1, i.crn, i.crm, i.op2)) {
            return self.0.exception(Exception::Undefined);
        }
        let value = self.0.read_sys(system_register(i.o0, i.op1, i.crn, i.crm, i.op2));
        self.0.set_x(i.rt, value);
    }

    fn msr(&mut self, i: Msr) {
        if !self.has_register(sysreg::encoding(i.o0, i.op1, i.crn, i.crm, i.op2)) {
            return self.0.exception(Exception::Undefined);
        }
        let value = self.0.x(i.rt);
        self.0
            .write_sys(system_register(i.o0, i.op1, i.crn, i.crm, i.op2), value);
    }
}
