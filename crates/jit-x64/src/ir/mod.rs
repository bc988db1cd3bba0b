//! The block IR: a flat list of operations in the order of the guest's instructions.
//!
//! An operation's index is the name of its result ([`Ref`]). Guest registers are read
//! by `GetX`/`GetV` and written by `SetX`/`SetV`; the builder forwards values between
//! them, so within a block each guest register is read at most once before its first
//! write. `Insn` marks where a guest instruction starts.

mod crypto;

pub use crypto::{AesStep, Crypto};
use semantics::ops::{
    BulkOp, Cond, FlagOp, Fp1, Fp2, Fp3, FpSize, FpToInt, Indirect, Int1, Int2, IntToFp, Lane, LoadExt,
    MemSize, Rmw, Shape, Span, Test, Vec1, Vec2, Vec3, VecShift, Width,
};

/// Index of the operation that computes a value.
pub type Ref = u32;

/// No operation.
pub const NONE: Ref = u32::MAX;

/// Register number of SP in `GetX` and `SetX`.
pub const SP: u8 = 31;

/// What `indices` find in the `nth` table register, beside what `earlier` ones gave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TableMore {
    pub s: Span,
    pub earlier: Ref,
    pub table: Ref,
    pub indices: Ref,
    pub nth: u8,
}

/// `found` where the index is within `count` table registers, else `fallback`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TableElse {
    pub s: Span,
    pub found: Ref,
    pub fallback: Ref,
    pub indices: Ref,
    pub count: u8,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Op {
    /// Removed by a pass.
    Nop,
    /// The instruction `pc_delta` bytes from the start of the block begins here.
    Insn {
        pc_delta: u32,
    },

    // --- values without side effects
    Imm(u64),
    GetX(u8),
    GetV(u8),
    /// A 64-bit field of the CPU state, by offset.
    GetState(u32),
    Int1 {
        op: Int1,
        w: Width,
        a: Ref,
    },
    Int2 {
        op: Int2,
        w: Width,
        a: Ref,
        b: Ref,
    },
    Extend {
        w: Width,
        signed: bool,
        bits: u8,
        a: Ref,
    },
    Extract {
        w: Width,
        signed: bool,
        a: Ref,
        lsb: u8,
        len: u8,
    },
    Insert {
        w: Width,
        dst: Ref,
        src: Ref,
        lsb: u8,
        len: u8,
    },
    ExtractPair {
        w: Width,
        hi: Ref,
        lo: Ref,
        lsb: u8,
    },
    Crc32c {
        bytes: u8,
        acc: Ref,
        data: Ref,
    },

    /// CRC32 (IEEE) of the 8 bytes into zero.
    Crc32 {
        a: Ref,
    },

    // --- flags
    Select {
        cond: Cond,
        a: Ref,
        b: Ref,
    },
    VecSelect {
        cond: Cond,
        a: Ref,
        b: Ref,
    },
    FlagOp {
        op: FlagOp,
        w: Width,
        a: Ref,
        b: Ref,
    },
    CarryOp {
        op: FlagOp,
        w: Width,
        a: Ref,
        b: Ref,
    },
    CondCompare {
        op: FlagOp,
        w: Width,
        cond: Cond,
        a: Ref,
        b: Ref,
        nzcv: u8,
    },
    FpCompare {
        size: FpSize,
        signaling: bool,
        a: Ref,
        b: Ref,
    },
    FpCondCompare {
        size: FpSize,
        signaling: bool,
        cond: Cond,
        a: Ref,
        b: Ref,
        nzcv: u8,
    },

    /// NZCV as in the system register.
    GetNzcv,
    SetNzcv(Ref),
    InvertCarry,

    // --- registers
    SetX(u8, Ref),
    SetV(u8, Ref),
    SetState(u32, Ref),

    // --- memory; these may fault
    Load {
        size: MemSize,
        ext: LoadExt,
        base: Ref,
        offset: i32,
    },
    Store {
        size: MemSize,
        base: Ref,
        offset: i32,
        value: Ref,
    },
    LoadV {
        size: MemSize,
        base: Ref,
        offset: i32,
    },
    StoreV {
        size: MemSize,
        base: Ref,
        offset: i32,
        value: Ref,
    },
    /// Leaves to the interpreter when `addr` is not a multiple of `mask + 1`.
    AlignGuard {
        addr: Ref,
        mask: u8,
    },
    /// Leaves to the interpreter unless the `bits` of `pointer` are copies of its bit 55.
    SignatureGuard {
        pointer: Ref,
        bits: Ref,
    },
    /// A store that is also a full barrier.
    StoreRelease {
        size: MemSize,
        addr: Ref,
        value: Ref,
    },
    Rmw {
        op: Rmw,
        size: MemSize,
        addr: Ref,
        value: Ref,
    },
    Cas {
        size: MemSize,
        addr: Ref,
        expected: Ref,
        new: Ref,
    },
    LoadExclusive {
        size: MemSize,
        addr: Ref,
    },
    StoreExclusive {
        size: MemSize,
        addr: Ref,
        value: Ref,
    },
    /// Of 16 bytes; values are vectors, the status is not.
    Cas16 {
        addr: Ref,
        expected: Ref,
        new: Ref,
    },
    Rmw16 {
        op: Rmw,
        addr: Ref,
        value: Ref,
    },
    LoadExclusive16 {
        addr: Ref,
    },
    StoreExclusive16 {
        addr: Ref,
        value: Ref,
    },
    /// Main stage of a copy or set; the result is the size that is left.
    Bulk {
        op: BulkOp,
        to: Ref,
        from: Ref,
        size: Ref,
    },
    /// Leaves to the interpreter unless the value is zero.
    ZeroGuard {
        value: Ref,
    },
    /// Leaves to the interpreter if C is set.
    CarryGuard,
    Fence,

    // --- vectors
    VecImm {
        lo: u64,
        hi: u64,
    },
    Vec1 {
        op: Vec1,
        s: Shape,
        a: Ref,
    },
    Vec2 {
        op: Vec2,
        s: Shape,
        a: Ref,
        b: Ref,
    },
    Vec3 {
        op: Vec3,
        s: Shape,
        a: Ref,
        b: Ref,
        c: Ref,
    },
    VecShift {
        op: VecShift,
        s: Shape,
        acc: Ref,
        a: Ref,
        amount: u8,
    },
    VecDupLane {
        s: Shape,
        a: Ref,
        index: u8,
    },
    VecDup {
        s: Shape,
        value: Ref,
    },
    VecSetLane {
        lane: Lane,
        dst: Ref,
        index: u8,
        value: Ref,
    },
    VecCopyLane {
        lane: Lane,
        dst: Ref,
        to: u8,
        src: Ref,
        from: u8,
    },
    VecGetLane {
        lane: Lane,
        a: Ref,
        index: u8,
        signed: Option<Width>,
    },
    VecExt {
        s: Span,
        lo: Ref,
        hi: Ref,
        index: u8,
    },
    /// Bytes of one table register, zero where the index is not its own.
    VecTable1 {
        s: Span,
        table: Ref,
        indices: Ref,
    },
    VecTableMore(TableMore),
    Crypto(Crypto),
    VecTableElse(TableElse),
    Fp1 {
        op: Fp1,
        s: Shape,
        a: Ref,
    },
    Fp2 {
        op: Fp2,
        s: Shape,
        a: Ref,
        b: Ref,
    },
    Fp3 {
        op: Fp3,
        s: Shape,
        a: Ref,
        b: Ref,
        c: Ref,
    },
    /// FJCVTZS; sets NZCV.
    FpToJsInt {
        a: Ref,
    },
    /// Leaves to the interpreter if a lane is a NaN.
    NanGuard {
        s: Shape,
        a: Ref,
    },
    /// Leaves to the interpreter if a lane of either is a NaN.
    OrderGuard {
        s: Shape,
        a: Ref,
        b: Ref,
    },
    /// Leaves to the interpreter if a lane is the smallest normal number.
    SmallestGuard {
        s: Shape,
        a: Ref,
    },
    /// Traps if a lane is denormal and MXCSR says so.
    DenormalTrap {
        s: Shape,
        a: Ref,
    },
    FpToInt {
        how: FpToInt,
        w: Width,
        size: FpSize,
        a: Ref,
    },
    IntToFp {
        how: IntToFp,
        w: Width,
        size: FpSize,
        value: Ref,
    },
    VecFpToInt {
        how: FpToInt,
        s: Shape,
        a: Ref,
    },
    VecIntToFp {
        how: IntToFp,
        s: Shape,
        a: Ref,
    },

    // --- whole instructions and control flow
    /// The interpreter executes this instruction.
    Interpret {
        word: u32,
    },
    /// To `target` if the test holds; else on.
    SideExit {
        test: Test<Ref>,
        target: u64,
    },
    Jump {
        target: u64,
    },
    Call {
        target: u64,
    },
    /// To a computed address.
    JumpTo {
        target: Ref,
        kind: Indirect,
    },
    /// Where `CpuState::pc` says.
    JumpPc,
    Svc {
        imm: u16,
    },
}

/// What an operation does besides computing its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing: it may be dropped when its result is not used.
    Pure,
    /// May leave the block, with all guest registers in place: a fault, a trap, a guard, a branch.
    Observes,
    /// Writes state that only this operation's kind touches.
    Writes,
}

/// Whether the operation may set FPSR.QC.
const fn saturates1(op: Vec1) -> bool {
    matches!(
        op,
        Vec1::SqAbs | Vec1::SqNeg | Vec1::SqXtn | Vec1::UqXtn | Vec1::SqXtun
    )
}

const fn saturates2(op: Vec2) -> bool {
    matches!(
        op,
        Vec2::SqAdd
            | Vec2::UqAdd
            | Vec2::SqSub
            | Vec2::UqSub
            | Vec2::SqShl
            | Vec2::UqShl
            | Vec2::SqRshl
            | Vec2::UqRshl
            | Vec2::SqDmulh
            | Vec2::SqRdmulh
            | Vec2::SqDmull
            | Vec2::Suqadd
            | Vec2::Usqadd
    )
}

const fn saturates3(op: Vec3) -> bool {
    matches!(
        op,
        Vec3::SqDmlal | Vec3::SqDmlsl | Vec3::SqRdmlah | Vec3::SqRdmlsh
    )
}

const fn saturates_shift(op: VecShift) -> bool {
    matches!(
        op,
        VecShift::SqShl
            | VecShift::UqShl
            | VecShift::SqShlu
            | VecShift::SqShrn
            | VecShift::SqRshrn
            | VecShift::UqShrn
            | VecShift::UqRshrn
            | VecShift::SqShrun
            | VecShift::SqRshrun
    )
}

impl Op {
    #[must_use]
    #[inline]
    pub fn effect(&self) -> Effect {
        match self {
            Op::Nop
            | Op::Imm(_)
            | Op::GetX(_)
            | Op::GetV(_)
            | Op::GetState(_)
            | Op::Int1 { .. }
            | Op::Int2 { .. }
            | Op::Extend { .. }
            | Op::Extract { .. }
            | Op::Insert { .. }
            | Op::ExtractPair { .. }
            | Op::Crc32c { .. }
            | Op::Crc32 { .. }
            | Op::Select { .. }
            | Op::VecSelect { .. }
            | Op::CarryOp { .. }
            | Op::GetNzcv
            | Op::VecImm { .. }
            | Op::VecDupLane { .. }
            | Op::VecDup { .. }
            | Op::VecSetLane { .. }
            | Op::VecCopyLane { .. }
            | Op::VecGetLane { .. }
            | Op::VecExt { .. }
            | Op::VecTable1 { .. }
            | Op::VecTableMore(_)
            | Op::Crypto(_)
            | Op::VecTableElse(_) => Effect::Pure,
            // Saturation is noted in FPSR, whether the result is used or not.
            Op::Vec1 { op, .. } if !saturates1(*op) => Effect::Pure,
            Op::Vec2 { op, .. } if !saturates2(*op) => Effect::Pure,
            Op::Vec3 { op, .. } if !saturates3(*op) => Effect::Pure,
            Op::VecShift { op, .. } if !saturates_shift(*op) => Effect::Pure,
            Op::Vec1 { .. } | Op::Vec2 { .. } | Op::Vec3 { .. } | Op::VecShift { .. } => Effect::Writes,
            Op::Fp1 {
                op: Fp1::Abs | Fp1::Neg,
                ..
            } => Effect::Pure,
            Op::Insn { .. }
            | Op::FlagOp { .. }
            | Op::CondCompare { .. }
            | Op::SetNzcv(_)
            | Op::InvertCarry
            | Op::SetX(..)
            | Op::SetV(..)
            | Op::SetState(..)
            | Op::Fence => Effect::Writes,
            Op::FpCompare { .. }
            | Op::FpCondCompare { .. }
            | Op::FpToJsInt { .. }
            | Op::NanGuard { .. }
            | Op::OrderGuard { .. }
            | Op::SmallestGuard { .. }
            | Op::DenormalTrap { .. }
            | Op::Load { .. }
            | Op::Store { .. }
            | Op::LoadV { .. }
            | Op::StoreV { .. }
            | Op::AlignGuard { .. }
            | Op::SignatureGuard { .. }
            | Op::StoreRelease { .. }
            | Op::Rmw { .. }
            | Op::Cas { .. }
            | Op::LoadExclusive { .. }
            | Op::StoreExclusive { .. }
            | Op::Cas16 { .. }
            | Op::Rmw16 { .. }
            | Op::LoadExclusive16 { .. }
            | Op::StoreExclusive16 { .. }
            | Op::Bulk { .. }
            | Op::ZeroGuard { .. }
            | Op::CarryGuard
            | Op::Fp1 { .. }
            | Op::Fp2 { .. }
            | Op::Fp3 { .. }
            | Op::FpToInt { .. }
            | Op::IntToFp { .. }
            | Op::VecFpToInt { .. }
            | Op::VecIntToFp { .. }
            | Op::Interpret { .. }
            | Op::SideExit { .. }
            | Op::Jump { .. }
            | Op::Call { .. }
            | Op::JumpTo { .. }
            | Op::JumpPc
            | Op::Svc { .. } => Effect::Observes,
        }
    }

    /// Whether the operation needs NZCV.
    #[must_use]
    #[inline]
    pub fn reads_flags(&self) -> bool {
        match self {
            Op::Select { .. } | Op::VecSelect { .. } | Op::CarryOp { .. } | Op::CondCompare { .. } => true,
            Op::FpCondCompare { .. } => true,
            Op::FlagOp { op, .. } => matches!(op, FlagOp::Adc | FlagOp::Sbc),
            Op::SideExit { test, .. } => matches!(test, Test::Cond(_)),
            // A fault in a copy starts it again, and what it does then depends on C.
            Op::Bulk { .. } | Op::ZeroGuard { .. } | Op::CarryGuard => true,
            Op::Interpret { .. } | Op::GetNzcv | Op::InvertCarry => true,
            _ => false,
        }
    }

    /// Whether the operation sets all of NZCV.
    #[must_use]
    #[inline]
    pub fn writes_flags(&self) -> bool {
        matches!(
            self,
            Op::FlagOp { .. }
                | Op::CondCompare { .. }
                | Op::FpCompare { .. }
                | Op::FpCondCompare { .. }
                | Op::SetNzcv(_)
                | Op::InvertCarry
                | Op::FpToJsInt { .. }
        )
    }

    /// Whether the result is a vector.
    #[must_use]
    pub fn gives_vector(&self) -> bool {
        matches!(
            self,
            Op::GetV(_)
                | Op::LoadV { .. }
                | Op::VecSelect { .. }
                | Op::VecImm { .. }
                | Op::Vec1 { .. }
                | Op::Vec2 { .. }
                | Op::Vec3 { .. }
                | Op::VecShift { .. }
                | Op::VecDupLane { .. }
                | Op::VecDup { .. }
                | Op::VecSetLane { .. }
                | Op::VecCopyLane { .. }
                | Op::VecExt { .. }
                | Op::VecTable1 { .. }
                | Op::VecTableMore(_)
                | Op::VecTableElse(_)
                | Op::Crypto(_)
                | Op::Fp1 { .. }
                | Op::Fp2 { .. }
                | Op::Fp3 { .. }
                | Op::IntToFp { .. }
                | Op::VecFpToInt { .. }
                | Op::VecIntToFp { .. }
        )
    }

    /// Calls `f` on each operand.
    #[inline]
    pub fn for_each_operand(&self, mut f: impl FnMut(Ref)) {
        let mut op = *self;
        op.for_each_operand_mut(|r| f(*r));
    }

    /// Calls `f` on each operand, to be changed.
    #[inline]
    pub fn for_each_operand_mut(&mut self, mut f: impl FnMut(&mut Ref)) {
        match self {
            Op::Nop
            | Op::Insn { .. }
            | Op::Imm(_)
            | Op::GetX(_)
            | Op::GetV(_)
            | Op::GetState(_)
            | Op::GetNzcv
            | Op::InvertCarry
            | Op::CarryGuard
            | Op::Fence
            | Op::VecImm { .. }
            | Op::Interpret { .. }
            | Op::Jump { .. }
            | Op::Call { .. }
            | Op::JumpPc
            | Op::Svc { .. } => {}
            Op::Int1 { a, .. }
            | Op::Extend { a, .. }
            | Op::Extract { a, .. }
            | Op::Crc32 { a }
            | Op::Vec1 { a, .. }
            | Op::VecDupLane { a, .. }
            | Op::VecGetLane { a, .. }
            | Op::Fp1 { a, .. }
            | Op::FpToInt { a, .. }
            | Op::FpToJsInt { a }
            | Op::NanGuard { a, .. }
            | Op::SmallestGuard { a, .. }
            | Op::DenormalTrap { a, .. }
            | Op::VecFpToInt { a, .. }
            | Op::VecIntToFp { a, .. }
            | Op::SetX(_, a)
            | Op::SetV(_, a)
            | Op::SetState(_, a)
            | Op::SetNzcv(a)
            | Op::VecDup { value: a, .. }
            | Op::IntToFp { value: a, .. }
            | Op::Load { base: a, .. }
            | Op::LoadV { base: a, .. }
            | Op::AlignGuard { addr: a, .. }
            | Op::LoadExclusive { addr: a, .. }
            | Op::LoadExclusive16 { addr: a }
            | Op::ZeroGuard { value: a }
            | Op::JumpTo { target: a, .. } => f(a),
            Op::Int2 { a, b, .. }
            | Op::Insert { dst: a, src: b, .. }
            | Op::ExtractPair { hi: a, lo: b, .. }
            | Op::Crc32c { acc: a, data: b, .. }
            | Op::Select { a, b, .. }
            | Op::VecSelect { a, b, .. }
            | Op::FlagOp { a, b, .. }
            | Op::CarryOp { a, b, .. }
            | Op::CondCompare { a, b, .. }
            | Op::FpCompare { a, b, .. }
            | Op::FpCondCompare { a, b, .. }
            | Op::Store {
                base: a, value: b, ..
            }
            | Op::StoreV {
                base: a, value: b, ..
            }
            | Op::StoreRelease {
                addr: a, value: b, ..
            }
            | Op::StoreExclusive {
                addr: a, value: b, ..
            }
            | Op::StoreExclusive16 { addr: a, value: b }
            | Op::Rmw16 {
                addr: a, value: b, ..
            }
            | Op::Rmw {
                addr: a, value: b, ..
            }
            | Op::SignatureGuard { pointer: a, bits: b }
            | Op::Vec2 { a, b, .. }
            | Op::VecShift { acc: a, a: b, .. }
            | Op::VecSetLane { dst: a, value: b, .. }
            | Op::VecCopyLane { dst: a, src: b, .. }
            | Op::VecExt { lo: a, hi: b, .. }
            | Op::VecTable1 {
                table: a, indices: b, ..
            }
            | Op::OrderGuard { a, b, .. }
            | Op::Fp2 { a, b, .. } => {
                f(a);
                f(b);
            }
            Op::Cas {
                addr: a,
                expected: b,
                new: c,
                ..
            }
            | Op::Bulk {
                to: a,
                from: b,
                size: c,
                ..
            }
            | Op::Cas16 {
                addr: a,
                expected: b,
                new: c,
            }
            | Op::Vec3 { a, b, c, .. }
            | Op::VecTableMore(TableMore {
                earlier: a,
                table: b,
                indices: c,
                ..
            })
            | Op::VecTableElse(TableElse {
                found: a,
                fallback: b,
                indices: c,
                ..
            })
            | Op::Fp3 { a, b, c, .. } => {
                f(a);
                f(b);
                f(c);
            }
            Op::Crypto(op) => op.for_each_operand_mut(f),
            Op::SideExit { test, .. } => match test {
                Test::Cond(_) => {}
                Test::Zero(_, a) | Test::NonZero(_, a) | Test::BitClear(a, _) | Test::BitSet(a, _) => f(a),
            },
        }
    }
}

/// A block under construction: the operations of the guest instructions from `pc` on.
#[derive(Default)]
pub struct Ir {
    pub ops: Vec<Op>,
    /// Guest address of the first instruction.
    pub pc: u64,
    /// Bytes of guest code read.
    pub guest_len: u32,
    /// Number of guest instructions.
    pub insns: u32,
    /// Invalid is masked while the block runs: what would raise it is looked at, and left to the interpreter.
    pub checked: bool,
}
