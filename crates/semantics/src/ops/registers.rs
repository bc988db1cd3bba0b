//! The guest's registers.

use super::Machine;

/// Number of the general register that reads as zero and drops writes.
pub const ZR: u8 = 31;

pub trait RegisterOps: Machine {
    /// X0..X30, or zero for 31.
    fn x(&mut self, n: u8) -> Self::Value;
    /// Writes X0..X30; 31 is dropped. A W result must already be zero-extended.
    fn set_x(&mut self, n: u8, value: Self::Value);
    fn sp(&mut self) -> Self::Value;
    fn set_sp(&mut self, value: Self::Value);
    fn v(&mut self, n: u8) -> Self::Vector;
    fn set_v(&mut self, n: u8, value: Self::Vector);
    /// X0..X30, or SP for 31.
    fn x_or_sp(&mut self, n: u8) -> Self::Value {
        if n == 31 { self.sp() } else { self.x(n) }
    }
    /// Writes X0..X30, or SP for 31.
    fn set_x_or_sp(&mut self, n: u8, value: Self::Value) {
        if n == 31 {
            self.set_sp(value)
        } else {
            self.set_x(n, value)
        }
    }
}
