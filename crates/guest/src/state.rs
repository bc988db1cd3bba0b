//! [`CpuState`]: everything one guest CPU holds, at fixed offsets.
//!
//! Generated code addresses it through one register that points [`STATE_BIAS`]
//! bytes into it, so that all general registers are in reach of a one-byte
//! displacement.

use crate::GuestAddr;
use cpu_model::CpuModel;

/// Distance in bytes from the start of [`CpuState`] to where the state register points.
pub const STATE_BIAS: i32 = 128;

/// 16-byte scratch slots in the state for values that find no host register.
pub const NUM_SPILL_SLOTS: usize = 96;

/// Floating-point control and cumulative status (Arm ARM C5.2.8, C5.2.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct FpEnv {
    pub fpcr: u32,
    pub fpsr: u32,
}

impl FpEnv {
    pub const FPSR_IOC: u32 = 1 << 0;
    pub const FPSR_DZC: u32 = 1 << 1;
    pub const FPSR_OFC: u32 = 1 << 2;
    pub const FPSR_UFC: u32 = 1 << 3;
    pub const FPSR_IXC: u32 = 1 << 4;
    pub const FPSR_IDC: u32 = 1 << 7;
    pub const FPSR_QC: u32 = 1 << 27;
    pub const FPCR_FZ16: u32 = 1 << 19;
    pub const FPCR_RMODE_SHIFT: u32 = 22;
    pub const FPCR_FZ: u32 = 1 << 24;
    pub const FPCR_DN: u32 = 1 << 25;
    pub const FPCR_AHP: u32 = 1 << 26;
}

/// The condition flags as the host keeps them: `lahf` in bits 15:8, `seto` in bit 0.
///
/// CF holds the *inverse* of the Arm carry, as after an x86 subtraction, because
/// compares are by far the most frequent writers of the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct HostFlags(pub u64);

impl HostFlags {
    const SF: u64 = 1 << 15;
    const ZF: u64 = 1 << 14;
    const CF: u64 = 1 << 8;
    const OF: u64 = 1;

    /// From NZCV in bits 31:28, the layout of the NZCV system register.
    #[must_use]
    pub const fn from_nzcv(nzcv: u32) -> Self {
        let mut host = 0x200; // bit 1 of lahf's byte always reads as one
        if nzcv & (1 << 31) != 0 {
            host |= Self::SF;
        }
        if nzcv & (1 << 30) != 0 {
            host |= Self::ZF;
        }
        if nzcv & (1 << 29) == 0 {
            host |= Self::CF;
        }
        if nzcv & (1 << 28) != 0 {
            host |= Self::OF;
        }
        HostFlags(host)
    }

    /// To NZCV in bits 31:28.
    #[must_use]
    pub const fn to_nzcv(self) -> u32 {
        let mut nzcv = 0;
        if self.0 & Self::SF != 0 {
            nzcv |= 1 << 31;
        }
        if self.0 & Self::ZF != 0 {
            nzcv |= 1 << 30;
        }
        if self.0 & Self::CF == 0 {
            nzcv |= 1 << 29;
        }
        if self.0 & Self::OF != 0 {
            nzcv |= 1 << 28;
        }
        nzcv
    }
}

/// Keys of pointer authentication, each of two words: IA, IB, DA, DB, GA.
///
/// A masked-out key signs nothing, so that prctl(PR_PAC_SET_ENABLED_KEYS) costs no check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct PacState {
    pub keys: [[u64; 2]; 5],
    /// For each key, the bits that hold its signature: [`PacState::MASK`], or none while the
    /// key is disabled. GA's are always the upper half.
    pub masks: [u64; 5],
}

impl PacState {
    /// Bits 54:48: Linux gives programs 48 bits of address, and ignores the top byte of data
    /// and instruction addresses.
    pub const MASK: u64 = 0x007f_0000_0000_0000;

    #[must_use]
    pub const fn new() -> Self {
        PacState {
            keys: [[0; 2]; 5],
            masks: [
                Self::MASK,
                Self::MASK,
                Self::MASK,
                Self::MASK,
                0xffff_ffff_0000_0000,
            ],
        }
    }
}

/// One guest CPU. `repr(C)`: generated code knows the offsets.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct CpuState {
    /// X0 to X30, then SP.
    pub x: [u64; 32],
    /// Address of the instruction to execute next.
    pub pc: u64,
    /// Condition flags; read and write them with [`CpuState::nzcv`] and [`CpuState::set_nzcv`].
    pub flags: HostFlags,
    pub fp: FpEnv,
    pub tpidr_el0: u64,
    /// Exclusive monitor: untagged address of the marked bytes, or `u64::MAX` when open.
    pub exclusive_addr: u64,
    /// The bytes seen by the load that marked them, zero-extended; the second word is
    /// for pairs of X registers only.
    pub exclusive_value: [u64; 2],
    /// The size in bytes of that access, 1 to 16 (for a pair: of both registers).
    pub exclusive_size: u64,
    /// MXCSR while guest code runs; its sticky bits are part of FPSR.
    pub mxcsr: u32,
    /// Exceptions masked in it whatever FPCR asks for: see [`CpuState::check_results`].
    pub masked: u32,
    /// PSTATE.BTYPE: set between an indirect branch and the instruction it goes to.
    pub btype: u64,
    /// Whether the guest has read or written FPSR: see [`CpuState::use_fpsr`].
    pub uses_fpsr: u64,
    /// State of the generator for RNDR, or 0: the host's random numbers.
    pub random: u64,
    /// PSTATE.DIT and PSTATE.SSBS, where SPSR_EL1 has them.
    pub pstate: u64,
    /// The CPU this is: what it can execute, and what it says of itself.
    pub model: &'static CpuModel,
    /// Keys and masks of pointer authentication.
    pub pac: PacState,
    /// V0 to V31.
    pub v: [u128; 32],
    /// Not zero once an instruction saturated: FPSR.QC as generated code gathers it.
    pub saturated: u128,
    /// Scratch for values that find no host register.
    pub spill: [u128; NUM_SPILL_SLOTS],
}

/// Invalid's mask in MXCSR.
const MASK_INVALID: u32 = 1 << 7;

/// MXCSR for the guest's reset state: all exceptions masked but Invalid, round to nearest.
///
/// Invalid is unmasked because every operation whose NaN result differs between
/// x86 and Arm raises it; the SIGFPE handler then repairs the result.
const MXCSR_RESET: u32 = 0x1f80 & !MASK_INVALID;

impl CpuState {
    /// The architectural reset state Linux gives a new program.
    #[must_use]
    pub const fn new() -> Self {
        CpuState {
            x: [0; 32],
            pc: 0,
            flags: HostFlags::from_nzcv(0),
            fp: FpEnv { fpcr: 0, fpsr: 0 },
            tpidr_el0: 0,
            exclusive_addr: u64::MAX,
            exclusive_value: [0; 2],
            exclusive_size: 0,
            mxcsr: MXCSR_RESET,
            masked: 0,
            btype: 0,
            uses_fpsr: 0,
            random: 0,
            pstate: 0,
            model: &cpu_model::EVERYTHING,
            pac: PacState::new(),
            v: [0; 32],
            saturated: 0,
            spill: [0; NUM_SPILL_SLOTS],
        }
    }

    /// X0..X30; 31 is the zero register.
    #[must_use]
    pub const fn reg(&self, n: usize) -> u64 {
        if n == 31 { 0 } else { self.x[n] }
    }

    /// Writes X0..X30; a write to 31 is dropped.
    pub const fn set_reg(&mut self, n: usize, value: u64) {
        if n != 31 {
            self.x[n] = value;
        }
    }

    #[must_use]
    pub const fn sp(&self) -> u64 {
        self.x[31]
    }

    pub const fn set_sp(&mut self, value: u64) {
        self.x[31] = value;
    }

    #[must_use]
    pub const fn pc(&self) -> GuestAddr {
        GuestAddr(self.pc)
    }

    /// NZCV in bits 31:28.
    #[must_use]
    pub const fn nzcv(&self) -> u32 {
        self.flags.to_nzcv()
    }

    /// Sets NZCV from bits 31:28.
    pub const fn set_nzcv(&mut self, nzcv: u32) {
        self.flags = HostFlags::from_nzcv(nzcv);
    }

    /// FPSR: what instructions recorded plus what MXCSR and generated code have gathered.
    #[must_use]
    pub const fn fpsr(&self) -> u32 {
        let qc = if self.saturated == 0 { 0 } else { FpEnv::FPSR_QC };
        self.fp.fpsr | qc | mxcsr_to_fpsr(self.mxcsr)
    }

    /// Writes FPSR and clears what MXCSR and generated code have gathered.
    pub const fn set_fpsr(&mut self, fpsr: u32) {
        self.fp.fpsr = fpsr & 0xf800_009f;
        self.saturated = 0;
        self.mxcsr = mxcsr_control(self.fp) | self.masked;
    }

    /// The guest looks at FPSR: from now on generated code takes the trouble to find each
    /// Underflow. Arm sees tininess before rounding (Arm ARM A1.5.5), the host after it, so that a result
    /// rounded up to the smallest normal number needs a look of its own.
    pub const fn use_fpsr(&mut self) {
        self.uses_fpsr = 1;
    }

    /// Gathers the sticky bits and sets the masks that follow from them: to be called after
    /// the interpreter has executed what trapped.
    pub const fn refresh_mxcsr(&mut self) {
        self.fp.fpsr |= mxcsr_to_fpsr(self.mxcsr);
        self.mxcsr = mxcsr_control(self.fp) | self.masked;
    }

    /// Whether generated code looks at each result itself, and Invalid is masked; otherwise,
    /// as after a reset, Invalid traps.
    pub const fn check_results(&mut self, checks: bool) {
        self.masked = if checks { MASK_INVALID } else { 0 };
        self.refresh_mxcsr();
    }

    /// Writes FPCR and what of it MXCSR carries (rounding mode, flush to zero).
    pub const fn set_fpcr(&mut self, fpcr: u32) {
        // Bits 20 and 21 (Stride) can be set and mean nothing; FZ16 is RES0 without FEAT_FP16.
        let mut fpcr = fpcr & 0x07f8_0000;
        if !self.model.features.contains(cpu_model::Feature::Fp16) {
            fpcr &= !FpEnv::FPCR_FZ16;
        }
        self.fp.fpcr = fpcr;
        self.refresh_mxcsr();
    }
}

impl Default for CpuState {
    fn default() -> Self {
        Self::new()
    }
}

/// The control part of MXCSR that carries out FPCR, nothing sticky.
///
/// The flags of x86's own flushing differ from Arm's, so with FZ the host does not flush:
/// whatever involves a denormal traps (Denormal and Underflow unmasked; Divide by Zero too,
/// because a denormal divided by zero raises nothing else). Such a trap may leave Inexact
/// behind where Arm raises none: therefore Inexact traps until FPSR.IXC is set anyway.
const fn mxcsr_control(fp: FpEnv) -> u32 {
    let fpcr = fp.fpcr;
    // Arm RMode: nearest, plus, minus, zero. x86 RC: nearest, minus, plus, zero.
    let rc = match (fpcr >> FpEnv::FPCR_RMODE_SHIFT) & 3 {
        0 => 0,
        1 => 2,
        2 => 1,
        _ => 3,
    };
    let mut unmasked = 0;
    if fpcr & FpEnv::FPCR_FZ != 0 {
        unmasked |= (1 << 8) | (1 << 9) | (1 << 11);
        if fp.fpsr & FpEnv::FPSR_IXC == 0 {
            unmasked |= 1 << 12;
        }
    }
    (MXCSR_RESET & !unmasked) | (rc << 13)
}

/// Sticky x86 exception bits as FPSR bits. Not Invalid's: where it traps it does not stay, and
/// where it is masked it says less than the interpreter, which executes what is invalid.
const fn mxcsr_to_fpsr(mxcsr: u32) -> u32 {
    let mut fpsr = 0;
    if mxcsr & (1 << 2) != 0 {
        fpsr |= FpEnv::FPSR_DZC;
    }
    if mxcsr & (1 << 3) != 0 {
        fpsr |= FpEnv::FPSR_OFC;
    }
    if mxcsr & (1 << 4) != 0 {
        fpsr |= FpEnv::FPSR_UFC;
    }
    if mxcsr & (1 << 5) != 0 {
        fpsr |= FpEnv::FPSR_IXC;
    }
    fpsr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nzcv_round_trips_through_host_flags() {
        for nzcv in 0..16u32 {
            assert_eq!(HostFlags::from_nzcv(nzcv << 28).to_nzcv(), nzcv << 28);
        }
    }

    #[test]
    fn flushing_of_halves_needs_halves() {
        let writable = |model: &str| {
            let mut state = CpuState::new();
            state.model = cpu_model::choice::choose(model).expect("a model");
            state.set_fpcr(u32::MAX);
            state.fp.fpcr
        };
        assert_eq!(writable("max"), 0x07f8_0000);
        assert_eq!(writable("max,fphp=off"), 0x07f0_0000);
        assert_eq!(writable("cortex-a53"), 0x07f0_0000);
    }

    #[test]
    fn general_registers_are_in_reach_of_a_byte_displacement() {
        let last = std::mem::offset_of!(CpuState, x) + 31 * 8;
        assert!(last as i32 - STATE_BIAS <= 127);
    }
}
