//! Plain accesses to memory.

use super::Machine;
use super::enums::enumerated;

enumerated! {
    /// Access sizes.
    pub enum MemSize { B, H, W, X, Q }
}

impl MemSize {
    #[must_use]
    pub const fn bytes(self) -> usize {
        1 << self as usize
    }
    /// From log2 of the size in bytes, 0 to 4.
    #[must_use]
    pub const fn from_log2(log2: u8) -> Self {
        match log2 {
            0 => MemSize::B,
            1 => MemSize::H,
            2 => MemSize::W,
            3 => MemSize::X,
            _ => MemSize::Q,
        }
    }
}

enumerated! {
    /// What becomes of a loaded value's upper bits.
    pub enum LoadExt {
        Zero,
        /// Sign-extended to 32 bits, the upper 32 zero.
        SignW,
        SignX,
    }
}

enumerated! {
    /// Memory copies and sets of FEAT_MOPS.
    pub enum BulkOp {
        /// Upwards.
        CopyForward,
        /// In the direction that overlap needs.
        Copy,
        /// The low byte of Rs everywhere.
        Set,
        /// As `Set`, of whole granules of 16 bytes: others are misaligned.
        SetGranules,
    }
}

enumerated! {
    /// The stages of them. (A prologue only checks alignment.)
    pub enum BulkStage { Prologue, Main, Epilogue }
}

/// Register numbers of destination, source or value, and size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BulkRegs {
    pub rd: u8,
    pub rs: u8,
    pub rn: u8,
}

impl BulkRegs {
    #[must_use]
    pub const fn new(rd: u8, rs: u8, rn: u8) -> Self {
        BulkRegs { rd, rs, rn }
    }
}

pub trait MemoryOps: Machine {
    /// Loads from `base + offset` (wrapping). `size` is at most 8 bytes.
    fn load(&mut self, size: MemSize, ext: LoadExt, base: Self::Value, offset: i64) -> Self::Value;
    fn store(&mut self, size: MemSize, base: Self::Value, offset: i64, value: Self::Value);
    /// Loads 1 to 16 bytes, the rest of the vector zero.
    fn load_v(&mut self, size: MemSize, base: Self::Value, offset: i64) -> Self::Vector;
    /// Stores the low 1 to 16 bytes.
    fn store_v(&mut self, size: MemSize, base: Self::Value, offset: i64, value: Self::Vector);
    /// LDP of X registers: of one piece where aligned to 16 bytes, as FEAT_LSE2 wants, if `shared`
    /// (the address is not known to be the stack's).
    fn load_pair(&mut self, shared: bool, base: Self::Value, offset: i64) -> (Self::Value, Self::Value);
    /// STP of X registers, likewise.
    fn store_pair(
        &mut self,
        shared: bool,
        base: Self::Value,
        offset: i64,
        values: (Self::Value, Self::Value),
    );
    /// The main or epilogue stage of a memory copy or set (FEAT_MOPS, Option A): does what is
    /// left and writes the size register. The one operation that writes a register although
    /// it may fault, with what is left then; it must be an instruction's only one.
    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs);
}
