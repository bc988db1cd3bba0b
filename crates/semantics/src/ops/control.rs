//! Where an instruction goes on: branches and exceptions.

use super::enums::enumerated;
use super::{Cond, Machine, Width};

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

pub trait ControlOps: Machine {
    fn branch(&mut self, target: u64);
    /// BL: as [`ControlOps::branch`], with the link register already set; a hint for return prediction.
    fn call(&mut self, target: u64);
    /// Goes to `target` if the test holds, else to the next instruction.
    fn branch_if(&mut self, test: Test<Self::Value>, target: u64);
    fn branch_to(&mut self, target: Self::Value, kind: Indirect);
    fn exception(&mut self, exception: Exception);
}
