//! Implements `Ops` by recording block IR, folding constants on the way; each family of operations has a file of its own.
//!
//! What the lowering has no sequence for is not recorded at all: the whole guest
//! instruction becomes one [`Op::Interpret`], a call of the interpreter.

mod atomic;
mod control;
mod expand;
mod flags;
mod float;
mod fp_mode;
mod fuse;
mod integer;
mod memory;
mod pauth;
mod registers;
mod system;
mod vector;

pub use fp_mode::FpMode;
pub(crate) use integer::low_mask;

use crate::ir::{Ir, NONE, Op, Ref};
use crate::target::Target;
use guest::cpu_model::FeatureSet;
use semantics::ops::Machine;

/// How the instruction just recorded ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// On to the next instruction.
    Next,
    /// A conditional branch was recorded as a side exit; the next instruction follows.
    Conditional,
    /// The block ends here.
    End,
}

/// Records one block.
pub struct Builder<'a> {
    pub ir: &'a mut Ir,
    /// The host it is for.
    target: &'a Target,
    /// Values the guest registers hold at this point, [`NONE`] where not known.
    x: [Ref; 32],
    v: [Ref; 32],
    pc: u64,
    /// Index of the current instruction's [`Op::Insn`].
    begins: usize,
    flow: Flow,
    /// The current instruction needs the interpreter.
    fallback: bool,
    /// The rounds of SHA-256 recorded last: the other half of their result is often next.
    sha256: Option<fuse::Sha256>,
    fp_mode: FpMode,
    /// What the CPU has.
    features: FeatureSet,
    /// The next instruction is in a page with FEAT_BTI's guard.
    pub guarded: bool,
    /// No other CPU can see an access in two pieces. Loads of pairs are faster so: the second
    /// value does not wait for a vector register, and both forward from separate stores.
    pub alone: bool,
    /// Other processes may change code: ISB leaves the block.
    pub synchronises: bool,
}

impl<'a> Builder<'a> {
    /// Starts a block at `pc`.
    pub fn new(target: &'a Target, ir: &'a mut Ir, pc: u64, fp_mode: FpMode, features: FeatureSet) -> Self {
        ir.ops.clear();
        ir.pc = pc;
        ir.guest_len = 0;
        ir.insns = 0;
        ir.checked = false;
        ir.exact_flags = false;
        ir.first_flags = usize::MAX;
        Builder {
            ir,
            target,
            x: [NONE; 32],
            v: [NONE; 32],
            pc,
            begins: 0,
            flow: Flow::Next,
            fallback: false,
            sha256: None,
            fp_mode,
            features,
            guarded: false,
            alone: false,
            synchronises: false,
        }
    }

    /// Records the instruction `word` at the current address through `translate`, which
    /// plays its semantics and returns false if it is unallocated. Unless `inline`, the
    /// interpreter is to execute it.
    pub fn instruction(
        &mut self,
        word: u32,
        inline: bool,
        translate: impl FnOnce(u32, &mut Self) -> bool,
    ) -> Flow {
        self.flow = Flow::Next;
        self.fallback = !inline;
        let pc_delta = self.ir.guest_len;
        let polls = false;
        self.begins = self.push(Op::Insn { pc_delta, polls }) as usize;
        let allocated = translate(word, self);
        if !allocated || self.fallback {
            self.ir.ops.truncate(self.begins);
            self.push(Op::Insn { pc_delta, polls });
            self.push(Op::Interpret { word });
            self.x = [NONE; 32];
            self.v = [NONE; 32];
            self.sha256 = None;
            if !allocated || self.flow != Flow::Next {
                self.push(Op::JumpPc);
                self.flow = Flow::End;
            }
        }
        self.pc = self.pc.wrapping_add(4);
        self.ir.guest_len += 4;
        self.ir.insns += 1;
        self.flow
    }

    /// Address of the next instruction to record.
    #[must_use]
    pub fn next_pc(&self) -> u64 {
        self.pc
    }

    /// Ends the block with a jump to the next address.
    pub fn finish(&mut self) {
        self.push(Op::Jump { target: self.pc });
    }

    #[inline]
    fn push(&mut self, op: Op) -> Ref {
        if op.changes_flags() {
            self.ir.first_flags = self.ir.first_flags.min(self.ir.ops.len());
        }
        self.ir.ops.push(op);
        (self.ir.ops.len() - 1) as Ref
    }

    fn op(&self, r: Ref) -> Op {
        self.ir.ops[r as usize]
    }

    fn constant(&self, r: Ref) -> Option<u64> {
        match self.op(r) {
            Op::Imm(value) => Some(value),
            _ => None,
        }
    }

    /// The current instruction may branch to `target`: back, it closes a loop.
    fn may_go_to(&mut self, target: u64) {
        if target.wrapping_sub(self.pc) as i64 <= 0 {
            self.poll();
        }
    }

    /// The current instruction begins with a poll.
    fn poll(&mut self) {
        if let Op::Insn { polls, .. } = &mut self.ir.ops[self.begins] {
            *polls = true;
        }
    }

    /// Marks the instruction for the interpreter and gives a value to go on with.
    fn give_up(&mut self) -> Ref {
        self.fallback = true;
        self.push(Op::Imm(0))
    }
}

impl Machine for Builder<'_> {
    type Value = Ref;
    type Vector = Ref;

    fn pc(&self) -> u64 {
        self.pc
    }

    fn features(&self) -> FeatureSet {
        self.features
    }
}
