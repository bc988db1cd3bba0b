//! Registers of the interpreter.

use crate::Player;
use semantics::ops::RegisterOps;

impl RegisterOps for Player<'_> {
    fn x(&mut self, n: u8) -> u64 {
        self.state.reg(usize::from(n))
    }
    fn set_x(&mut self, n: u8, value: u64) {
        if self.exit.is_none() {
            self.state.set_reg(usize::from(n), value);
        }
    }
    fn sp(&mut self) -> u64 {
        self.state.sp()
    }
    fn set_sp(&mut self, value: u64) {
        if self.exit.is_none() {
            self.state.set_sp(value);
        }
    }
    fn v(&mut self, n: u8) -> u128 {
        self.state.v[usize::from(n)]
    }
    fn set_v(&mut self, n: u8, value: u128) {
        if self.exit.is_none() {
            self.state.v[usize::from(n)] = value;
        }
    }
}
