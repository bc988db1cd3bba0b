//! Branches and exceptions: what ends a block.

use super::{Builder, Flow};
use crate::ir::{Op, Ref};
use semantics::ops::{Cond, ControlOps, Exception, Indirect, Test};

impl ControlOps for Builder<'_> {
    fn branch(&mut self, target: u64) {
        self.may_go_to(target);
        self.push(Op::Jump { target });
        self.flow = Flow::End;
    }

    fn call(&mut self, target: u64) {
        self.may_go_to(target);
        self.push(Op::Call { target });
        self.flow = Flow::End;
    }

    fn branch_if(&mut self, test: Test<Ref>, target: u64) {
        if matches!(test, Test::Cond(Cond::Al | Cond::Nv)) {
            return self.branch(target);
        }
        self.may_go_to(target);
        self.push(Op::SideExit { test, target });
        self.flow = Flow::Conditional;
    }

    fn branch_to(&mut self, target: Ref, kind: Indirect) {
        let kind = match kind {
            Indirect::Jump if !self.guarded => Indirect::JumpStub,
            Indirect::Jump | Indirect::JumpStub | Indirect::Call | Indirect::Return => kind,
        };
        if kind != Indirect::Return {
            self.poll();
        }
        self.push(Op::JumpTo { target, kind });
        self.flow = Flow::End;
    }

    fn exception(&mut self, exception: Exception) {
        match exception {
            Exception::Svc(imm) => {
                self.push(Op::Svc { imm });
            }
            Exception::Brk(_) | Exception::Undefined => {
                self.give_up();
            }
        }
        self.flow = Flow::End;
    }
}
