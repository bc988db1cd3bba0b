//! System registers and caches.

use super::Machine;
use super::enums::enumerated;

enumerated! {
    /// System registers an EL0 program can reach.
    pub enum SysReg {
        Nzcv, Fpcr, Fpsr, TpidrEl0, TpidrroEl0,
        /// Virtual counter, ticking at CNTFRQ_EL0 (Hz).
        CntvctEl0, CntpctEl0, CntfrqEl0, CtrEl0, DczidEl0,
        // Identification registers, as Linux emulates reads of them from EL0
        // (Documentation/arch/arm64/cpu-feature-registers.rst).
        MidrEl1, MpidrEl1, RevidrEl1,
        IdAa64pfr0El1, IdAa64pfr1El1, IdAa64zfr0El1, IdAa64smfr0El1,
        IdAa64dfr0El1, IdAa64dfr1El1,
        IdAa64isar0El1, IdAa64isar1El1, IdAa64isar2El1, IdAa64isar3El1,
        IdAa64mmfr0El1, IdAa64mmfr1El1, IdAa64mmfr2El1, IdAa64mmfr3El1,
        /// Any other register of the ID space op0=3 op1=0 CRn=0, which reads as zero.
        IdReserved,
        // PSTATE fields, where SPSR_EL1 has them.
        Dit, Ssbs,
        /// A random number; sets NZCV to 0000 (success).
        Rndr,
    }
}

pub trait SystemOps: Machine {
    fn read_sys(&mut self, reg: SysReg) -> Self::Value;
    fn write_sys(&mut self, reg: SysReg, value: Self::Value);
    /// IC IVAU: translated code of the line at `addr` is dropped; ends the block.
    fn invalidate_code(&mut self, addr: Self::Value);
}
