//! What of FPCR a block depends on, and what is recorded for settings that the host does not share.

use super::{Builder, Flow};
use crate::ir::{Op, Ref};
use guest::FpEnv;
use semantics::ops::{Fp1, Fp2, Lane, Shape};

/// What of FPCR, besides the rounding mode, and of the use of FPSR the code of a block depends on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FpMode {
    /// FZ: operations on denormals trap; what raises nothing is looked at here.
    pub flush: bool,
    /// FZ16: it computes on halves.
    pub flush_half: bool,
    /// DN: a result that is a NaN goes to it.
    pub default_nan: bool,
    /// AHP: it converts from and to halves.
    pub alternative_half: bool,
    /// FPSR is read: a result that may have been rounded up to the smallest normal number is
    /// the interpreter's, as Underflow is to be noted then.
    pub exact_underflow: bool,
}

impl FpMode {
    /// All of it in the low five bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        (self.flush as u64)
            | (self.flush_half as u64) << 1
            | (self.default_nan as u64) << 2
            | (self.alternative_half as u64) << 3
            | (self.exact_underflow as u64) << 4
    }

    #[must_use]
    pub const fn of(fpcr: u32, uses_fpsr: bool) -> FpMode {
        FpMode {
            flush: fpcr & FpEnv::FPCR_FZ != 0,
            flush_half: fpcr & FpEnv::FPCR_FZ16 != 0,
            default_nan: fpcr & FpEnv::FPCR_DN != 0,
            alternative_half: fpcr & FpEnv::FPCR_AHP != 0,
            exact_underflow: uses_fpsr,
        }
    }
}

/// What is to be thought of beside an operation of one operand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care1 {
    /// The result is the operand's bits: NaNs are no matter.
    Bits,
    /// The result is a mask; Invalid may be raised.
    Comparison,
    /// x86 lets denormals pass quietly; the result may be a NaN.
    Integral,
    /// The result may be a NaN.
    Number,
    /// And it may have been rounded up to the smallest normal number.
    Rounded,
}

impl Care1 {
    pub(super) const fn of(op: Fp1) -> Care1 {
        match op {
            Fp1::Abs | Fp1::Neg => Care1::Bits,
            Fp1::CmEqZero | Fp1::CmGtZero | Fp1::CmGeZero | Fp1::CmLeZero | Fp1::CmLtZero => {
                Care1::Comparison
            }
            Fp1::RintN | Fp1::RintP | Fp1::RintM | Fp1::RintZ | Fp1::RintA | Fp1::RintI | Fp1::RintX => {
                Care1::Integral
            }
            Fp1::Rint32Z | Fp1::Rint32X | Fp1::Rint64Z | Fp1::Rint64X => Care1::Integral,
            Fp1::Sqrt | Fp1::Recpe | Fp1::Rsqrte | Fp1::Recpx => Care1::Number,
            Fp1::CvtHS | Fp1::CvtHD | Fp1::CvtSD | Fp1::CvtSH | Fp1::CvtDH | Fp1::CvtSBf => Care1::Number,
            Fp1::Maxv | Fp1::Minv | Fp1::MaxNmv | Fp1::MinNmv => Care1::Number,
            Fp1::CvtDS | Fp1::CvtDSOdd => Care1::Rounded,
        }
    }
}

/// The same of two operands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Care2 {
    /// The result is a mask; Invalid may be raised.
    Comparison,
    /// It leaves to the interpreter by itself whatever has to do with NaNs.
    Guarded,
    /// The result may be a NaN. (A sum that is tiny is exact.)
    Number,
    /// And it may have been rounded up to the smallest normal number.
    Rounded,
}

impl Care2 {
    pub(super) const fn of(op: Fp2) -> Care2 {
        match op {
            Fp2::CmEq | Fp2::CmGe | Fp2::CmGt | Fp2::AcGe | Fp2::AcGt => Care2::Comparison,
            Fp2::Max | Fp2::Min | Fp2::MaxNm | Fp2::MinNm | Fp2::Rsqrts => Care2::Guarded,
            Fp2::Add | Fp2::Sub | Fp2::Abd | Fp2::Addp | Fp2::Cadd90 | Fp2::Cadd270 => Care2::Number,
            Fp2::Maxp | Fp2::Minp | Fp2::MaxNmp | Fp2::MinNmp => Care2::Number,
            Fp2::Mul | Fp2::Div | Fp2::Nmul | Fp2::Mulx | Fp2::Recps => Care2::Rounded,
        }
    }
}

impl Builder<'_> {
    /// Whether the interpreter computes on numbers of this size.
    pub(super) fn is_strict(&self, lane: Lane) -> bool {
        lane == Lane::H && (self.fp_mode.flush || self.fp_mode.flush_half)
    }

    /// With default NaNs, a result must be a number or be made by the interpreter. With
    /// flushing too: x86 does not notice a denormal beside a NaN. And where Invalid does not trap.
    pub(super) fn guard_nan(&mut self, s: Shape, value: Ref) {
        if self.fp_mode.default_nan || self.fp_mode.flush || self.ir.checked {
            self.push(Op::NanGuard { s, a: value });
        }
    }

    /// The first use of FPSR: the code behind it is to note each Underflow, which takes other blocks.
    pub(super) fn use_fpsr(&mut self) {
        if !self.fp_mode.exact_underflow {
            self.flow = Flow::End;
        }
    }

    /// Operands of a comparison where Invalid does not trap.
    pub(super) fn check_operands(&mut self, s: Shape, a: Ref, b: Ref) {
        if self.ir.checked {
            self.push(Op::OrderGuard { s, a, b });
        }
    }

    /// Operands of a comparison with flushing: as above.
    pub(super) fn guard_operands(&mut self, s: Shape, operands: [Ref; 2]) {
        if self.fp_mode.flush {
            for a in operands {
                self.push(Op::NanGuard { s, a });
            }
        }
    }

    /// A result that was rounded up to the smallest normal number is zero with flushing, and
    /// raises Underflow without.
    pub(super) fn guard_smallest(&mut self, s: Shape, value: Ref) {
        if (self.fp_mode.flush || self.fp_mode.exact_underflow) && s.lane != Lane::H {
            self.push(Op::SmallestGuard { s, a: value });
        }
    }

    /// With flushing, for operations to which x86 lets denormals pass quietly.
    pub(super) fn trap_denormals(&mut self, s: Shape, operand: Ref) {
        if self.fp_mode.flush && s.lane != Lane::H {
            self.push(Op::DenormalTrap { s, a: operand });
        }
    }
}
