//! The system registers an EL0 program can reach under Linux, and their names.

/// op0, op1, CRn, CRm and op2 in one number, as the kernel's `sys_reg` has them
/// without the low bits: bits 15:14 op0, 13:11 op1, 10:7 CRn, 6:3 CRm, 2:0 op2.
#[must_use]
pub const fn encoding(o0: bool, op1: u8, crn: u8, crm: u8, op2: u8) -> u16 {
    let op0 = 2 | o0 as u16;
    op0 << 14 | (op1 as u16) << 11 | (crn as u16) << 7 | (crm as u16) << 3 | op2 as u16
}

const fn el0(crn: u8, crm: u8, op2: u8) -> u16 {
    encoding(true, 3, crn, crm, op2)
}

pub const NZCV: u16 = el0(4, 2, 0);
pub const RNDR: u16 = el0(2, 4, 0);
pub const RNDRRS: u16 = el0(2, 4, 1);
pub const DIT: u16 = el0(4, 2, 5);
pub const SSBS: u16 = el0(4, 2, 6);
/// Where those registers, and SPSR_EL1, have the bit.
pub const DIT_BIT: u32 = 24;
pub const SSBS_BIT: u32 = 12;
pub const FPCR: u16 = el0(4, 4, 0);
pub const FPSR: u16 = el0(4, 4, 1);
pub const TPIDR_EL0: u16 = el0(13, 0, 2);
pub const TPIDRRO_EL0: u16 = el0(13, 0, 3);
pub const CNTFRQ_EL0: u16 = el0(14, 0, 0);
pub const CNTVCT_EL0: u16 = el0(14, 0, 2);
pub const CNTVCTSS_EL0: u16 = el0(14, 0, 6);
pub const CTR_EL0: u16 = el0(0, 0, 1);
pub const DCZID_EL0: u16 = el0(0, 0, 7);

/// The first register of the ID space: MIDR_EL1.
pub const ID_BASE: u16 = encoding(true, 0, 0, 0, 0);

/// Names of the ID registers that Linux emulates with a value other than zero or that
/// LLVM names, by CRm and op2.
const ID_NAMES: [[&str; 8]; 8] = [
    ["MIDR_EL1", "", "", "", "", "MPIDR_EL1", "REVIDR_EL1", ""],
    ["", "", "", "", "", "", "", ""],
    [
        "ID_ISAR0_EL1",
        "ID_ISAR1_EL1",
        "ID_ISAR2_EL1",
        "ID_ISAR3_EL1",
        "ID_ISAR4_EL1",
        "ID_ISAR5_EL1",
        "ID_MMFR4_EL1",
        "ID_ISAR6_EL1",
    ],
    [
        "MVFR0_EL1",
        "MVFR1_EL1",
        "MVFR2_EL1",
        "",
        "ID_PFR2_EL1",
        "ID_DFR1_EL1",
        "ID_MMFR5_EL1",
        "",
    ],
    [
        "ID_AA64PFR0_EL1",
        "ID_AA64PFR1_EL1",
        "ID_AA64PFR2_EL1",
        "",
        "ID_AA64ZFR0_EL1",
        "ID_AA64SMFR0_EL1",
        "",
        "ID_AA64FPFR0_EL1",
    ],
    [
        "ID_AA64DFR0_EL1",
        "ID_AA64DFR1_EL1",
        "ID_AA64DFR2_EL1",
        "",
        "ID_AA64AFR0_EL1",
        "ID_AA64AFR1_EL1",
        "",
        "",
    ],
    [
        "ID_AA64ISAR0_EL1",
        "ID_AA64ISAR1_EL1",
        "ID_AA64ISAR2_EL1",
        "ID_AA64ISAR3_EL1",
        "",
        "",
        "",
        "",
    ],
    [
        "ID_AA64MMFR0_EL1",
        "ID_AA64MMFR1_EL1",
        "ID_AA64MMFR2_EL1",
        "ID_AA64MMFR3_EL1",
        "ID_AA64MMFR4_EL1",
        "",
        "",
        "",
    ],
];

/// CRm and op2 if the register is in the ID space op0=3, op1=0, CRn=0.
#[must_use]
pub const fn id_register(register: u16) -> Option<(u8, u8)> {
    if register >= ID_BASE && register - ID_BASE < 64 {
        let low = (register - ID_BASE) as u8;
        Some((low >> 3, low & 7))
    } else {
        None
    }
}

/// Whether Linux lets EL0 read the register, directly or by emulation
/// (Documentation/arch/arm64/cpu-feature-registers.rst: the ID space but CRm = 1, and of
/// CRm = 0 only MIDR, MPIDR and REVIDR).
#[must_use]
pub const fn is_readable(o0: bool, op1: u8, crn: u8, crm: u8, op2: u8) -> bool {
    let register = encoding(o0, op1, crn, crm, op2);
    match id_register(register) {
        Some((0, op2)) => matches!(op2, 0 | 5 | 6),
        Some((crm, _)) => crm >= 2,
        None => {
            is_writable(o0, op1, crn, crm, op2)
                || matches!(
                    register,
                    TPIDRRO_EL0
                        | CNTFRQ_EL0
                        | CNTVCT_EL0
                        | CNTVCTSS_EL0
                        | CTR_EL0
                        | DCZID_EL0
                        | RNDR
                        | RNDRRS
                )
        }
    }
}

/// Whether EL0 may write the register.
#[must_use]
pub const fn is_writable(o0: bool, op1: u8, crn: u8, crm: u8, op2: u8) -> bool {
    matches!(
        encoding(o0, op1, crn, crm, op2),
        NZCV | FPCR | FPSR | TPIDR_EL0 | DIT | SSBS
    )
}

/// The name, or `S3_0_C0_C4_3` for registers without one.
#[must_use]
pub fn name(o0: bool, op1: u8, crn: u8, crm: u8, op2: u8) -> String {
    let register = encoding(o0, op1, crn, crm, op2);
    let known = match register {
        NZCV => "NZCV",
        FPCR => "FPCR",
        FPSR => "FPSR",
        TPIDR_EL0 => "TPIDR_EL0",
        TPIDRRO_EL0 => "TPIDRRO_EL0",
        CNTFRQ_EL0 => "CNTFRQ_EL0",
        CNTVCT_EL0 => "CNTVCT_EL0",
        CNTVCTSS_EL0 => "CNTVCTSS_EL0",
        DIT => "DIT",
        SSBS => "SSBS",
        RNDR => "RNDR",
        RNDRRS => "RNDRRS",
        CTR_EL0 => "CTR_EL0",
        DCZID_EL0 => "DCZID_EL0",
        _ => match id_register(register) {
            Some((crm, op2)) => ID_NAMES[crm as usize][op2 as usize],
            None => "",
        },
    };
    if known.is_empty() {
        format!("S{}_{op1}_C{crn}_C{crm}_{op2}", 2 | u8::from(o0))
    } else {
        known.to_owned()
    }
}
