//! [`Ops`]: the operations instructions are made of, one file and one trait a family.
//!
//! Integer values are 64 bits wide. An operation of width [`Width::W`] reads the
//! low 32 bits of its operands and zero-extends its 32-bit result, as the
//! architecture does for W registers. Vector values are 128 bits wide; an
//! operation of a given [`Shape`] computes the lanes of that shape and zeroes the
//! rest of its result.
//!
//! Rules a semantics function keeps to, because the JIT relies on them:
//! - All loads and stores come before the register writes of the same instruction
//!   (so that a fault leaves no register changed).
//! - At most one branch or exception, as the last operation.

use a64_isa::FeatureSet;

mod atomic;
mod control;
mod enums;
mod flags;
mod float;
mod integer;
mod memory;
mod pauth;
mod registers;
mod system;
mod vector;

pub use atomic::{AtomicOps, Barrier, Order, Rmw};
pub use control::{ControlOps, Exception, Indirect, Test};
pub use enums::Enumerated;
pub use flags::{Cond, FlagOp, FlagOps};
pub use float::{FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Rounding};
pub use integer::{Crc, Int1, Int2, IntegerOps, Width};
pub use memory::{BulkOp, BulkRegs, BulkStage, LoadExt, MemSize, MemoryOps};
pub use pauth::{PacKey, PauthOps, Qarma};
pub use registers::{RegisterOps, ZR};
pub use system::{SysReg, SystemOps};
pub use vector::{Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift, VectorOps};

/// What plays instructions: `Value` is a 64-bit integer, `Vector` 128 bits.
pub trait Machine {
    type Value: Copy;
    type Vector: Copy;

    /// Address of the instruction being executed (a constant in translated code).
    fn pc(&self) -> u64;
    /// What the CPU has.
    fn features(&self) -> FeatureSet;
}

/// All operations. A player has them when it has each family.
pub trait Ops:
    RegisterOps
    + IntegerOps
    + FlagOps
    + MemoryOps
    + AtomicOps
    + SystemOps
    + PauthOps
    + ControlOps
    + VectorOps
    + FloatOps
{
}

impl<M> Ops for M where
    M: RegisterOps
        + IntegerOps
        + FlagOps
        + MemoryOps
        + AtomicOps
        + SystemOps
        + PauthOps
        + ControlOps
        + VectorOps
        + FloatOps
{
}
