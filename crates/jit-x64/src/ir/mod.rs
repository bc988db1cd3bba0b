//! The block IR: a flat list of operations in the order of the guest's instructions.
//!
//! An operation's index is the name of its result ([`Ref`]). Guest registers are read
//! by `GetX`/`GetV` and written by `SetX`/`SetV`; the builder forwards values between
//! them, so within a block each guest register is read at most once before its first
//! write (a call of the interpreter counts as one of all). `Insn` marks where a guest instruction starts.
//!
//! What is to be known of an operation stands in its row of [`Op`]'s table and nowhere else: its
//! operands and the bank of each, what it gives, what it does besides, and what it means for NZCV.
//! The passes and the lowering ask by [`Op::effect`] and its like. A row that leaves one out does
//! not compile, and [`Ir::misplaced`] finds an operand of the wrong bank.

mod crypto;
mod table;

use crate::target::Bank;
pub use crypto::{AesStep, Crypto};
use semantics::ops::{
    Cond, FlagOp, Fp1, Fp2, Fp3, FpSize, FpToInt, Indirect, Int1, Int2, IntToFp, Lane, LoadExt, MemSize, Rmw,
    Shape, Span, Test, Vec1, Vec2, Vec3, VecShift, Width,
};
use table::ops;

/// Index of the operation that computes a value.
pub type Ref = u32;

/// No operation.
pub const NONE: Ref = u32::MAX;

/// Register number of SP in `GetX` and `SetX`.
pub const SP: u8 = 31;

/// What an operation does besides computing its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing: it may be dropped when its result is not used.
    Pure,
    /// Nothing, but its result is what operations with effects left.
    Reads,
    /// Sets NZCV and nothing else.
    Flags,
    /// Writes registers, or state that only this operation's kind touches.
    Writes,
    /// May leave the block, with all guest registers in place: a fault, a trap, a guard, a branch.
    Observes,
}

/// What an operation means for NZCV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nzcv {
    Kept,
    /// Needs it.
    Read,
    /// Sets all of it without a look at it.
    Set,
    ReadAndSet,
    /// Needs it, and may change it.
    Unknown,
}

/// An operand that holds several values or maybe none, in the variant of an enum or in a structure.
trait Operands {
    fn for_each(&mut self, f: impl FnMut(&mut Ref, Bank));
}

/// What `indices` find in the `nth` table register, beside what `earlier` ones gave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TableMore {
    pub s: Span,
    pub earlier: Ref,
    pub table: Ref,
    pub indices: Ref,
    pub nth: u8,
}

impl Operands for TableMore {
    #[inline]
    fn for_each(&mut self, mut f: impl FnMut(&mut Ref, Bank)) {
        let TableMore {
            s: _,
            earlier,
            table,
            indices,
            nth: _,
        } = self;
        for r in [earlier, table, indices] {
            f(r, Bank::V);
        }
    }
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

impl Operands for TableElse {
    #[inline]
    fn for_each(&mut self, mut f: impl FnMut(&mut Ref, Bank)) {
        let TableElse {
            s: _,
            found,
            fallback,
            indices,
            count: _,
        } = self;
        for r in [found, fallback, indices] {
            f(r, Bank::V);
        }
    }
}

impl Operands for Test<Ref> {
    #[inline]
    fn for_each(&mut self, mut f: impl FnMut(&mut Ref, Bank)) {
        match self {
            Test::Cond(_) => {}
            Test::Zero(_, a) | Test::NonZero(_, a) | Test::BitClear(a, _) | Test::BitSet(a, _) => {
                f(a, Bank::X);
            }
        }
    }
}

/// The read-modify-write operations that exist on 16 bytes (FEAT_LSE128).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rmw16 {
    Clr,
    Set,
    Swp,
}

/// Main stages of copies and sets that have a routine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bulk {
    CopyForward,
    Copy,
    /// `from` is the byte.
    Set,
}

/// Saturation is noted in FPSR, whether the result is used or not.
const fn writes_if(saturates: bool) -> Effect {
    if saturates { Effect::Writes } else { Effect::Pure }
}

/// Changing signs raises no exception.
const fn fp1_effect(op: Fp1) -> Effect {
    match op {
        Fp1::Abs | Fp1::Neg => Effect::Pure,
        // What is not said to be quiet may trap.
        _ => Effect::Observes,
    }
}

const fn flag_op_nzcv(op: FlagOp) -> Nzcv {
    match op {
        FlagOp::Add | FlagOp::Sub | FlagOp::And => Nzcv::Set,
        FlagOp::Adc | FlagOp::Sbc => Nzcv::ReadAndSet,
    }
}

const fn test_nzcv(test: &Test<Ref>) -> Nzcv {
    match test {
        Test::Cond(_) => Nzcv::Read,
        Test::Zero(..) | Test::NonZero(..) | Test::BitClear(..) | Test::BitSet(..) => Nzcv::Kept,
    }
}

ops! {
    // name { fields | operands | operands of several } -> result: effect, NZCV;

    /// Removed by a pass.
    Nop -> Nothing: Pure, Kept;
    /// The instruction `pc_delta` bytes from the start of the block begins here. It `polls` if it may close a loop.
    Insn { pc_delta: u32, polls: bool } -> Nothing: Writes, Kept;

    // --- values without side effects
    Imm(value: u64) -> X: Pure, Kept;
    /// The guest address so far from the start of the block.
    Address(offset: i64) -> X: Pure, Kept;
    GetX(n: u8) -> X: Pure, Kept;
    GetV(n: u8) -> V: Pure, Kept;
    /// A 64-bit field of the CPU state, by offset.
    GetState(offset: u32) -> X: Reads, Kept;
    Int1 { op: Int1, w: Width | a: X } -> X: Pure, Kept;
    Int2 { op: Int2, w: Width | a: X, b: X } -> X: Pure, Kept;
    Extend { w: Width, signed: bool, bits: u8 | a: X } -> X: Pure, Kept;
    Extract { w: Width, signed: bool, lsb: u8, len: u8 | a: X } -> X: Pure, Kept;
    Insert { w: Width, lsb: u8, len: u8 | dst: X, src: X } -> X: Pure, Kept;
    ExtractPair { w: Width, lsb: u8 | hi: X, lo: X } -> X: Pure, Kept;
    Crc32c { bytes: u8 | acc: X, data: X } -> X: Pure, Kept;
    /// CRC32 (IEEE) of the 8 bytes into zero.
    Crc32 { | a: X } -> X: Pure, Kept;

    // --- flags
    Select { cond: Cond | a: X, b: X } -> X: Pure, Read;
    VecSelect { cond: Cond | a: V, b: V } -> V: Pure, Read;
    FlagOp { op: FlagOp, w: Width | a: X, b: X } -> X: Flags, flag_op_nzcv(*op);
    CarryOp { op: FlagOp, w: Width | a: X, b: X } -> X: Pure, Read;
    CondCompare { op: FlagOp, w: Width, cond: Cond, nzcv: u8 | a: X, b: X } -> Nothing: Flags, ReadAndSet;
    FpCompare { size: FpSize, signaling: bool | a: V, b: V } -> Nothing: Observes, Set;
    FpCondCompare { size: FpSize, signaling: bool, cond: Cond, nzcv: u8 | a: V, b: V }
        -> Nothing: Observes, ReadAndSet;
    /// NZCV as in the system register.
    GetNzcv -> X: Pure, Read;
    SetNzcv( | value: X) -> Nothing: Flags, Set;
    InvertCarry -> Nothing: Flags, ReadAndSet;

    // --- registers
    SetX(n: u8 | value: X) -> Nothing: Writes, Kept;
    SetV(n: u8 | value: V) -> Nothing: Writes, Kept;
    SetState(offset: u32 | value: X) -> Nothing: Writes, Kept;

    // --- memory; these may fault
    Load { size: MemSize, ext: LoadExt, offset: i32 | base: X } -> X: Observes, Kept;
    Store { size: MemSize, offset: i32 | base: X, value: X } -> Nothing: Observes, Kept;
    LoadV { size: MemSize, offset: i32 | base: X } -> V: Observes, Kept;
    StoreV { size: MemSize, offset: i32 | base: X, value: V } -> Nothing: Observes, Kept;
    /// Leaves to the interpreter when `addr` is not a multiple of `mask + 1`.
    AlignGuard { mask: u8 | addr: X } -> Nothing: Observes, Kept;
    /// Leaves to the interpreter unless the `bits` of `pointer` are copies of its bit 55.
    SignatureGuard { | pointer: X, bits: X } -> Nothing: Observes, Kept;
    /// A store that is also a full barrier.
    StoreRelease { size: MemSize | addr: X, value: X } -> Nothing: Observes, Kept;
    Rmw { op: Rmw, size: MemSize | addr: X, value: X } -> X: Observes, Kept;
    Cas { size: MemSize | addr: X, expected: X, new: X } -> X: Observes, Kept;
    LoadExclusive { size: MemSize | addr: X } -> X: Observes, Kept;
    StoreExclusive { size: MemSize | addr: X, value: X } -> X: Observes, Kept;
    /// Of 16 bytes; values are vectors, the status is not.
    Cas16 { | addr: X, expected: V, new: V } -> V: Observes, Kept;
    Rmw16 { op: Rmw16 | addr: X, value: V } -> V: Observes, Kept;
    LoadExclusive16 { | addr: X } -> V: Observes, Kept;
    StoreExclusive16 { | addr: X, value: V } -> X: Observes, Kept;
    /// Main stage of a copy or set; the result is the size that is left. A fault in a copy starts it
    /// again, and what it does then depends on C.
    Bulk { op: Bulk | to: X, from: X, size: X } -> X: Observes, Read;
    /// Leaves to the interpreter unless the value is zero, within a copy as above.
    ZeroGuard { | value: X } -> Nothing: Observes, Read;
    /// Leaves to the interpreter if C is set.
    CarryGuard -> Nothing: Observes, Read;
    Fence -> Nothing: Writes, Kept;

    // --- vectors
    VecImm { lo: u64, hi: u64 } -> V: Pure, Kept;
    Vec1 { op: Vec1, s: Shape | a: V } -> V: writes_if(op.saturates()), Kept;
    Vec2 { op: Vec2, s: Shape | a: V, b: V } -> V: writes_if(op.saturates()), Kept;
    Vec3 { op: Vec3, s: Shape | a: V, b: V, c: V } -> V: writes_if(op.saturates()), Kept;
    VecShift { op: VecShift, s: Shape, amount: u8 | acc: V, a: V } -> V: writes_if(op.saturates()), Kept;
    VecDupLane { s: Shape, index: u8 | a: V } -> V: Pure, Kept;
    VecDup { s: Shape | value: X } -> V: Pure, Kept;
    VecSetLane { lane: Lane, index: u8 | dst: V, value: X } -> V: Pure, Kept;
    VecCopyLane { lane: Lane, to: u8, from: u8 | dst: V, src: V } -> V: Pure, Kept;
    VecGetLane { lane: Lane, index: u8, signed: Option<Width> | a: V } -> X: Pure, Kept;
    VecExt { s: Span, index: u8 | lo: V, hi: V } -> V: Pure, Kept;
    /// Bytes of one table register, zero where the index is not its own.
    VecTable1 { s: Span | table: V, indices: V } -> V: Pure, Kept;
    VecTableMore( | | more: TableMore) -> V: Pure, Kept;
    VecTableElse( | | rest: TableElse) -> V: Pure, Kept;
    Crypto( | | op: Crypto) -> V: Pure, Kept;

    // --- floating point; these may trap
    Fp1 { op: Fp1, s: Shape | a: V } -> V: fp1_effect(*op), Kept;
    Fp2 { op: Fp2, s: Shape | a: V, b: V } -> V: Observes, Kept;
    Fp3 { op: Fp3, s: Shape | a: V, b: V, c: V } -> V: Observes, Kept;
    /// FJCVTZS; sets NZCV.
    FpToJsInt { | a: V } -> X: Observes, Set;
    /// Leaves to the interpreter if a lane is a NaN.
    NanGuard { s: Shape | a: V } -> Nothing: Observes, Kept;
    /// Leaves to the interpreter if a lane of either is a NaN.
    OrderGuard { s: Shape | a: V, b: V } -> Nothing: Observes, Kept;
    /// Leaves to the interpreter if a lane is the smallest normal number.
    SmallestGuard { s: Shape | a: V } -> Nothing: Observes, Kept;
    /// Traps if a lane is denormal and MXCSR says so.
    DenormalTrap { s: Shape | a: V } -> Nothing: Observes, Kept;
    FpToInt { how: FpToInt, w: Width, size: FpSize | a: V } -> X: Observes, Kept;
    IntToFp { how: IntToFp, w: Width, size: FpSize | value: X } -> V: Observes, Kept;
    VecFpToInt { how: FpToInt, s: Shape | a: V } -> V: Observes, Kept;
    VecIntToFp { how: IntToFp, s: Shape | a: V } -> V: Observes, Kept;

    // --- whole instructions and control flow
    /// The interpreter executes this instruction.
    Interpret { word: u32 } -> Nothing: Observes, Unknown;
    /// To `target` if the test holds; else on.
    SideExit { target: u64 | | test: Test<Ref> } -> Nothing: Observes, test_nzcv(test);
    Jump { target: u64 } -> Nothing: Observes, Kept;
    Call { target: u64 } -> Nothing: Observes, Kept;
    /// To a computed address.
    JumpTo { kind: Indirect | target: X } -> Nothing: Observes, Kept;
    /// Where `CpuState::pc` says.
    JumpPc -> Nothing: Observes, Kept;
    Svc { imm: u16 } -> Nothing: Observes, Kept;
}

impl Op {
    /// Whether the operation sets all of NZCV.
    #[must_use]
    #[inline]
    pub fn writes_flags(&self) -> bool {
        match self.nzcv() {
            Nzcv::Set | Nzcv::ReadAndSet => true,
            Nzcv::Kept | Nzcv::Read | Nzcv::Unknown => false,
        }
    }

    /// Whether NZCV may be another behind the operation.
    #[must_use]
    #[inline]
    pub fn changes_flags(&self) -> bool {
        match self.nzcv() {
            Nzcv::Set | Nzcv::ReadAndSet | Nzcv::Unknown => true,
            Nzcv::Kept | Nzcv::Read => false,
        }
    }

    /// Whether the result is a vector.
    #[must_use]
    #[inline]
    pub fn gives_vector(&self) -> bool {
        self.result() == Some(Bank::V)
    }

    /// Whether the guest may see a fault here, or see one when the interpreter executes the instruction again.
    #[must_use]
    pub fn may_fault(&self) -> bool {
        matches!(
            self,
            Op::Load { .. }
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
        )
    }

    /// Whether the value is known: it needs no register, and emits nothing by itself.
    #[must_use]
    #[inline]
    pub fn is_constant(&self) -> bool {
        matches!(self, Op::Imm(_) | Op::Address(_))
    }

    /// Calls `f` on each operand.
    #[inline]
    pub fn for_each_operand(&self, mut f: impl FnMut(Ref)) {
        let mut op = *self;
        op.for_each_operand_mut(|r, _| f(*r));
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
    /// No operation before this one changes NZCV.
    pub first_flags: usize,
    /// NZCV in the frame of a fault is that of the instruction before it, though nothing else reads it.
    pub exact_flags: bool,
    /// Invalid is masked while the block runs: what would raise it is looked at, and left to the interpreter.
    pub checked: bool,
}

impl Ir {
    /// An operation with an operand that no operation before it gives, or one of the other bank gives.
    #[must_use]
    pub fn misplaced(&self) -> Option<Op> {
        let is_misplaced = |at: usize| {
            let mut found = false;
            let mut op = self.ops[at];
            op.for_each_operand_mut(|r, bank| {
                found |= *r as usize >= at || self.ops[*r as usize].result() != Some(bank);
            });
            found
        };
        (0..self.ops.len())
            .find(|&at| is_misplaced(at))
            .map(|at| self.ops[at])
    }
}
