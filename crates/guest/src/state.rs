//! [`CpuState`]: everything one guest CPU holds, at fixed offsets.
//!
//! Generated code addresses it through one register that points [`STATE_BIAS`]
//! bytes into it, so that all general registers are in reach of a one-byte
//! displacement.

use crate::GuestAddr;
use cpu_model::CpuModel;

/// Distance in bytes from the start of [`CpuState`] to where the state register points.
pub const STATE_BIAS: i32 = 128;

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
    /// Condition flags in bits 31:28; read and write them with [`CpuState::nzcv`] and [`CpuState::set_nzcv`].
    nzcv: u64,
    pub fp: FpEnv,
    pub tpidr_el0: u64,
    /// Exclusive monitor: untagged address of the marked bytes, or `u64::MAX` when open.
    pub exclusive_addr: u64,
    /// The bytes seen by the load that marked them, zero-extended; the second word is
    /// for pairs of X registers only.
    pub exclusive_value: [u64; 2],
    /// The size in bytes of that access, 1 to 16 (for a pair: of both registers).
    pub exclusive_size: u64,
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
}

impl CpuState {
    /// The architectural reset state Linux gives a new program.
    #[must_use]
    pub const fn new() -> Self {
        CpuState {
            x: [0; 32],
            pc: 0,
            nzcv: 0,
            fp: FpEnv { fpcr: 0, fpsr: 0 },
            tpidr_el0: 0,
            exclusive_addr: u64::MAX,
            exclusive_value: [0; 2],
            exclusive_size: 0,
            btype: 0,
            uses_fpsr: 0,
            random: 0,
            pstate: 0,
            model: &cpu_model::EVERYTHING,
            pac: PacState::new(),
            v: [0; 32],
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
        self.nzcv as u32
    }

    /// Sets NZCV from bits 31:28.
    pub const fn set_nzcv(&mut self, nzcv: u32) {
        self.nzcv = (nzcv & 0xf000_0000) as u64;
    }

    #[must_use]
    pub const fn fpsr(&self) -> u32 {
        self.fp.fpsr
    }

    pub const fn set_fpsr(&mut self, fpsr: u32) {
        self.fp.fpsr = fpsr & 0xf800_009f;
    }

    /// The guest looks at FPSR: from now on generated code takes the trouble to find each
    /// Underflow. Arm sees tininess before rounding (Arm ARM A1.5.5), the host after it, so that a result
    /// rounded up to the smallest normal number needs a look of its own.
    pub const fn use_fpsr(&mut self) {
        self.uses_fpsr = 1;
    }

    /// Writes what FPCR has.
    pub const fn set_fpcr(&mut self, fpcr: u32) {
        // Bits 20 and 21 (Stride) can be set and mean nothing; FZ16 is RES0 without FEAT_FP16.
        let mut fpcr = fpcr & 0x07f8_0000;
        if !self.model.features.contains(cpu_model::Feature::Fp16) {
            fpcr &= !FpEnv::FPCR_FZ16;
        }
        self.fp.fpcr = fpcr;
    }
}

impl Default for CpuState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
