//! FPCR as the operations read it, and FPSR as they write it.

use guest::FpEnv;
use semantics::ops::Rounding;

/// Cumulative exception bits of FPSR.
pub(super) mod flag {
    use guest::FpEnv;

    /// Invalid Operation.
    pub const IOC: u32 = FpEnv::FPSR_IOC;
    /// Divide by Zero.
    pub const DZC: u32 = FpEnv::FPSR_DZC;
    /// Overflow.
    pub const OFC: u32 = FpEnv::FPSR_OFC;
    /// Underflow.
    pub const UFC: u32 = FpEnv::FPSR_UFC;
    /// Inexact.
    pub const IXC: u32 = FpEnv::FPSR_IXC;
    /// Input Denormal.
    pub const IDC: u32 = FpEnv::FPSR_IDC;
}

/// The environment of one operation.
pub(super) struct Status<'a> {
    env: &'a mut FpEnv,
    /// Instead of FPCR.RMode, for operations that do not look at it.
    rounding: Option<Rounding>,
}

impl<'a> Status<'a> {
    pub fn new(env: &'a mut FpEnv) -> Self {
        Status { env, rounding: None }
    }

    pub fn with_rounding(env: &'a mut FpEnv, rounding: Rounding) -> Self {
        Status {
            env,
            rounding: Some(rounding),
        }
    }

    pub fn raise(&mut self, flags: u32) {
        self.env.fpsr |= flags;
    }
    /// FZ: single and double denormals count as zero.
    pub fn flush(&self) -> bool {
        self.env.fpcr & FpEnv::FPCR_FZ != 0
    }
    /// FZ16: the same for half precision.
    pub fn flush_half(&self) -> bool {
        self.env.fpcr & FpEnv::FPCR_FZ16 != 0
    }
    pub fn default_nan(&self) -> bool {
        self.env.fpcr & FpEnv::FPCR_DN != 0
    }
    /// AHP: half precision without infinities and NaNs.
    pub fn alternative_half(&self) -> bool {
        self.env.fpcr & FpEnv::FPCR_AHP != 0
    }

    /// FPCR.RMode, unless the operation has its own.
    pub fn rounding(&self) -> Rounding {
        if let Some(rounding) = self.rounding {
            return rounding;
        }
        match (self.env.fpcr >> FpEnv::FPCR_RMODE_SHIFT) & 3 {
            0 => Rounding::TieEven,
            1 => Rounding::PlusInf,
            2 => Rounding::MinusInf,
            _ => Rounding::Zero,
        }
    }

    /// `rounding`, with `Current` replaced by what FPCR says.
    pub fn resolve(&self, rounding: Rounding) -> Rounding {
        match rounding {
            Rounding::Current => self.rounding(),
            Rounding::TieEven
            | Rounding::PlusInf
            | Rounding::MinusInf
            | Rounding::Zero
            | Rounding::TieAway
            | Rounding::Odd => rounding,
        }
    }
}
