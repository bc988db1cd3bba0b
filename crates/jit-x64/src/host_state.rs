//! [`HostState`]: what of the guest's state generated code keeps in the host's format.
//!
//! While it runs, NZCV and what FPSR gathers are here and not in [`CpuState`]. [`CpuArea::enter_host`] and
//! [`CpuArea::leave_host`] bring them over and back; whoever looks at the CPU state otherwise, the
//! interpreter for one, looks between them.

use crate::area::CpuArea;
use guest::FpEnv;

/// 16-byte scratch slots for values that find no host register.
pub const NUM_SPILL_SLOTS: usize = 96;

/// The condition flags as the host keeps them: `lahf` in bits 15:8, `seto` in bit 0.
///
/// CF holds the *inverse* of the Arm carry, as after an x86 subtraction, because
/// compares are by far the most frequent writers of the flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct HostFlags(pub u64);

impl HostFlags {
    /// SF, ZF, CF, OF.
    pub(crate) const BITS: u32 = 1 << 15 | 1 << 14 | Self::CARRY | 1;
    pub(crate) const CARRY: u32 = 1 << 8;
    /// Bit 1 of LAHF's byte always reads as one.
    pub(crate) const ONE: u32 = 1 << 9;
    /// A product with this has those bits at 31:28; what else it has lies elsewhere.
    pub(crate) const TO_NZCV: u32 = 1 << 16 | 1 << 21 | 1 << 28;
    /// And a product of NZCV in bits 3:0 with this has them at the host's places.
    pub(crate) const FROM_NZCV: u32 = 1 << 12 | 1 << 7 | 1;

    /// From NZCV in bits 31:28, the layout of the NZCV system register.
    #[must_use]
    pub const fn from_nzcv(nzcv: u32) -> Self {
        let bits = ((nzcv >> 28) * Self::FROM_NZCV) & Self::BITS;
        HostFlags((bits ^ (Self::CARRY | Self::ONE)) as u64)
    }

    /// To NZCV in bits 31:28.
    #[must_use]
    pub const fn to_nzcv(self) -> u32 {
        let bits = (self.0 as u32 ^ Self::CARRY) & Self::BITS;
        bits.wrapping_mul(Self::TO_NZCV) & 0xf000_0000
    }
}

/// State of one CPU that only generated code has. `repr(C)`: it knows the offsets.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct HostState {
    /// Not zero once an instruction saturated: FPSR.QC as generated code gathers it.
    pub saturated: u128,
    pub flags: HostFlags,
    /// MXCSR while guest code runs; its sticky bits are part of FPSR.
    pub mxcsr: u32,
    /// Exceptions masked in it whatever FPCR asks for: see [`HostState::new`].
    masked: u32,
    /// What MXCSR, its sticky bits apart, was made of.
    fp: FpEnv,
    /// Scratch for values that find no host register.
    pub spill: [u128; NUM_SPILL_SLOTS],
}

/// Invalid's mask in MXCSR, and all sticky bits.
const MASK_INVALID: u32 = 1 << 7;
const STICKY: u32 = 0x3f;

/// MXCSR for the guest's reset state: all exceptions masked but Invalid, round to nearest.
///
/// Invalid is unmasked because every operation whose NaN result differs between
/// x86 and Arm raises it; the SIGFPE handler then repairs the result.
const MXCSR_RESET: u32 = 0x1f80 & !MASK_INVALID;

impl HostState {
    /// Of a CPU whose generated code looks at each result itself (`checks`), so that Invalid is masked; or else
    /// has Invalid trap.
    #[must_use]
    pub const fn new(checks: bool) -> HostState {
        HostState {
            saturated: 0,
            flags: HostFlags::from_nzcv(0),
            mxcsr: MXCSR_RESET,
            masked: if checks { MASK_INVALID } else { 0 },
            // No FPCR has all bits, so MXCSR is made when generated code is first entered.
            fp: FpEnv {
                fpcr: u32::MAX,
                fpsr: 0,
            },
            spill: [0; NUM_SPILL_SLOTS],
        }
    }
}

impl CpuArea {
    /// Brings the guest's state over for generated code.
    #[inline]
    pub fn enter_host(&mut self) {
        self.host.flags = HostFlags::from_nzcv(self.state.nzcv());
        if self.host.fp != self.state.fp {
            self.host.fp = self.state.fp;
            self.host.mxcsr = mxcsr_control(self.state.fp) | self.host.masked;
        }
    }

    /// Brings back what generated code has changed of it.
    #[inline]
    pub fn leave_host(&mut self) {
        self.state.set_nzcv(self.host.flags.to_nzcv());
        if self.host.mxcsr & STICKY != 0 || self.host.saturated != 0 {
            self.gather_fpsr();
        }
    }

    fn gather_fpsr(&mut self) {
        if self.host.saturated != 0 {
            self.state.fp.fpsr |= FpEnv::FPSR_QC;
        }
        self.state.fp.fpsr |= mxcsr_to_fpsr(self.host.mxcsr);
        self.host.saturated = 0;
        self.host.mxcsr &= !STICKY;
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
            let host = HostFlags::from_nzcv(nzcv << 28);
            assert_eq!(host.to_nzcv(), nzcv << 28);
            let bit = |at: u32| host.0 >> at & 1;
            // N, Z, not C, V in SF, ZF, CF, OF.
            let expected = [nzcv >> 3 & 1, nzcv >> 2 & 1, !nzcv >> 1 & 1, nzcv & 1].map(u64::from);
            assert_eq!([bit(15), bit(14), bit(8), bit(0)], expected, "{nzcv:04b}");
        }
    }
}
