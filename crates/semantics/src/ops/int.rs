//! Integer, memory and control-flow operands of [`super::Ops`].

use super::enums::enumerated;

enumerated! {
    /// Register width.
    pub enum Width { W, X }
}

impl Width {
    #[must_use]
    pub const fn from_sf(sf: bool) -> Self {
        if sf { Width::X } else { Width::W }
    }
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Width::W => 32,
            Width::X => 64,
        }
    }
}

enumerated! {
    /// One-operand integer operations.
    pub enum Int1 {
        Not, Neg,
        /// Leading zeros; the width when zero.
        Clz,
        /// Leading bits equal to the sign bit, not counting it.
        Cls,
        /// All bits reversed.
        Rbit,
        /// Bytes reversed in each 16-bit part.
        Rev16,
        /// Bytes reversed in each 32-bit part.
        Rev32,
        /// All bytes of the width reversed.
        Rev,
        /// Trailing zeros; the width when zero.
        Ctz,
        /// Bits that are set.
        Cnt,
        /// Magnitude of a signed number; the most negative stays itself.
        Abs,
    }
}

enumerated! {
    /// Two-operand integer operations. Shift amounts count modulo the width.
    pub enum Int2 {
        Add, Sub, Mul,
        /// Upper half of the unsigned 128-bit product.
        Umulh,
        /// Upper half of the signed 128-bit product.
        Smulh,
        /// 0 when dividing by zero.
        Udiv,
        /// 0 when dividing by zero; most negative / -1 gives itself.
        Sdiv,
        And, Or, Xor,
        /// `a & !b`
        Bic,
        /// `a | !b`
        Orn,
        /// `a ^ !b`
        Eon,
        Lsl, Lsr, Asr, Ror,
        Smax, Smin, Umax, Umin,
    }
}

enumerated! {
    /// Operations that set NZCV.
    pub enum FlagOp { Add, Sub, And, Adc, Sbc }
}

enumerated! {
    /// Condition codes, in the order of their encoding (Arm ARM C1.2.4).
    pub enum Cond { Eq, Ne, Hs, Lo, Mi, Pl, Vs, Vc, Hi, Ls, Ge, Lt, Gt, Le, Al, Nv }
}

impl Cond {
    /// From the 4-bit encoding.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        use Cond::{Al, Eq, Ge, Gt, Hi, Hs, Le, Lo, Ls, Lt, Mi, Ne, Nv, Pl, Vc, Vs};
        [Eq, Ne, Hs, Lo, Mi, Pl, Vs, Vc, Hi, Ls, Ge, Lt, Gt, Le, Al, Nv][(bits & 15) as usize]
    }

    /// The opposite condition. Al and Nv both always hold.
    #[must_use]
    pub const fn invert(self) -> Self {
        Cond::from_bits(self as u8 ^ 1)
    }

    /// Whether the condition holds for NZCV in bits 31:28.
    #[must_use]
    pub const fn holds(self, nzcv: u32) -> bool {
        let n = nzcv >> 31 & 1 != 0;
        let z = nzcv >> 30 & 1 != 0;
        let c = nzcv >> 29 & 1 != 0;
        let v = nzcv >> 28 & 1 != 0;
        match self {
            Cond::Eq => z,
            Cond::Ne => !z,
            Cond::Hs => c,
            Cond::Lo => !c,
            Cond::Mi => n,
            Cond::Pl => !n,
            Cond::Vs => v,
            Cond::Vc => !v,
            Cond::Hi => c && !z,
            Cond::Ls => !c || z,
            Cond::Ge => n == v,
            Cond::Lt => n != v,
            Cond::Gt => !z && n == v,
            Cond::Le => z || n != v,
            Cond::Al | Cond::Nv => true,
        }
    }
}

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
    /// Memory ordering of an atomic access.
    pub enum Order { Relaxed, Acquire, Release, AcqRel }
}

enumerated! {
    /// LSE read-modify-write operations (`Clr` is `old & !value`).
    pub enum Rmw { Add, Clr, Eor, Set, Smax, Smin, Umax, Umin, Swp }
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

enumerated! {
    /// Barriers, by what they order.
    pub enum Barrier {
        /// DMB/DSB with loads and stores ordered against each other.
        Full,
        /// DMB/DSB LD.
        Load,
        /// DMB/DSB ST.
        Store,
        /// ISB.
        Instruction,
    }
}

enumerated! {
    /// CRC polynomials.
    pub enum Crc { Ieee, Castagnoli }
}

enumerated! {
    /// Kinds of indirect branch: for return prediction, and for what they may go to in pages
    /// with FEAT_BTI's guard.
    pub enum Indirect {
        /// BR by another register than X16 and X17.
        Jump,
        Call,
        Return,
        /// BR X16 and BR X17: tail calls and linkage stubs.
        JumpStub,
    }
}

impl Indirect {
    /// Of BR Xn.
    #[must_use]
    pub const fn of_jump(rn: u8) -> Self {
        if matches!(rn, 16 | 17) {
            Indirect::JumpStub
        } else {
            Indirect::Jump
        }
    }

    /// PSTATE.BTYPE behind the branch, if its own page is guarded (Arm ARM D8.4.5); outside
    /// guarded pages [`Indirect::Jump`] counts as [`Indirect::JumpStub`].
    #[must_use]
    pub const fn btype(self) -> u8 {
        match self {
            Indirect::Return => 0b00,
            Indirect::JumpStub => 0b01,
            Indirect::Call => 0b10,
            Indirect::Jump => 0b11,
        }
    }
}

enumerated! {
    /// The cipher of FEAT_PACQARMA3 or FEAT_PACQARMA5.
    pub enum Qarma { Three, Five }
}

enumerated! {
    /// Keys of pointer authentication, in the order of `guest::PacState`.
    pub enum PacKey { Ia, Ib, Da, Db, Ga }
}

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

/// What a conditional branch tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test<V> {
    Cond(Cond),
    Zero(Width, V),
    NonZero(Width, V),
    BitClear(V, u8),
    BitSet(V, u8),
}

/// Exceptions an instruction raises by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exception {
    /// SVC #imm: the preferred return address is the next instruction.
    Svc(u16),
    Brk(u16),
    Undefined,
}
