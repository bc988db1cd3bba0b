//! Branches and exceptions of the interpreter.

use crate::{Player, Stop};
use guest::{Exit, GuestAddr};
use guest_memory::access;
use semantics::ops::{ControlOps, Exception, Indirect, Test};

impl Player<'_> {
    fn go_to(&mut self, target: u64) {
        // Top-byte-ignore holds for branch targets too (Arm ARM, AArch64.BranchAddr).
        self.next = access::untag(GuestAddr(target)).0;
    }
}

impl ControlOps for Player<'_> {
    fn branch(&mut self, target: u64) {
        self.go_to(target);
    }
    fn call(&mut self, target: u64) {
        self.go_to(target);
    }
    fn branch_if(&mut self, test: Test<u64>, target: u64) {
        let taken = match test {
            Test::Cond(cond) => self.holds(cond),
            Test::Zero(w, value) => soft::cut(w, value) == 0,
            Test::NonZero(w, value) => soft::cut(w, value) != 0,
            Test::BitClear(value, bit) => value >> bit & 1 == 0,
            Test::BitSet(value, bit) => value >> bit & 1 != 0,
        };
        if taken {
            self.go_to(target);
        }
    }
    fn branch_to(&mut self, target: u64, kind: Indirect) {
        if self.exit.is_none() {
            self.state.btype = u64::from(kind.btype());
        }
        self.go_to(target);
    }
    fn exception(&mut self, exception: Exception) {
        if self.exit.is_none() {
            self.exit = Some(Stop::Exit(match exception {
                Exception::Svc(imm) => Exit::Svc(imm),
                Exception::Brk(imm) => Exit::Breakpoint(imm),
                Exception::Undefined => Exit::Undefined,
            }));
        }
    }
}
