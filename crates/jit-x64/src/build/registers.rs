//! Guest registers: values are forwarded from their writes to their reads.

use super::Builder;
use crate::ir::{NONE, Op, Ref, SP};
use semantics::ops::{IntegerOps, RegisterOps};

impl RegisterOps for Builder<'_> {
    fn x(&mut self, n: u8) -> Ref {
        if n == 31 {
            return self.imm(0);
        }
        if self.x[n as usize] == NONE {
            self.x[n as usize] = self.push(Op::GetX(n));
        }
        self.x[n as usize]
    }

    fn set_x(&mut self, n: u8, value: Ref) {
        if n != 31 {
            self.push(Op::SetX(n, value));
            self.x[n as usize] = value;
        }
    }

    fn sp(&mut self) -> Ref {
        if self.x[31] == NONE {
            self.x[31] = self.push(Op::GetX(SP));
        }
        self.x[31]
    }

    fn set_sp(&mut self, value: Ref) {
        self.push(Op::SetX(SP, value));
        self.x[31] = value;
    }

    fn v(&mut self, n: u8) -> Ref {
        if self.v[n as usize] == NONE {
            self.v[n as usize] = self.push(Op::GetV(n));
        }
        self.v[n as usize]
    }

    fn set_v(&mut self, n: u8, value: Ref) {
        self.push(Op::SetV(n, value));
        self.v[n as usize] = value;
    }
}
