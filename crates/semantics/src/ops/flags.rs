//! NZCV: what sets it, and what reads it.

use super::enums::enumerated;
use super::{Machine, Width};

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

pub trait FlagOps: Machine {
    /// Computes and sets NZCV. `Adc` and `Sbc` read C.
    fn flag_op(&mut self, op: FlagOp, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// CFINV: C becomes its opposite.
    fn invert_carry(&mut self);
    /// `a + b + C` or `a - b - !C` without setting flags (`op` is `Adc` or `Sbc`).
    fn carry_op(&mut self, op: FlagOp, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// If `cond` holds, sets NZCV from `op` (`Add` or `Sub`), else to `nzcv` (bits 3:0).
    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Self::Value, b: Self::Value, nzcv: u8);
    /// `a` if the condition holds, else `b`.
    fn select(&mut self, cond: Cond, a: Self::Value, b: Self::Value) -> Self::Value;
}
