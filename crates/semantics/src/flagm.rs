//! Manipulation of the condition flags (FEAT_FlagM, FEAT_FlagM2): `flagm.isa`.
//!
//! Flags are computed as a value that has them at their places in the NZCV register.

use crate::Ops;
use crate::ops::{Int2, SysReg, Width};
use crate::translate::Translate;
use a64_isa::flagm::*;

/// Bit numbers in the NZCV register.
const N: u8 = 31;
const Z: u8 = 30;
const C: u8 = 29;
const V: u8 = 28;

impl<O: Ops> Translate<'_, O> {
    /// One bit of a value, as 0 or 1.
    fn bit(&mut self, value: O::Value, bit: u8) -> O::Value {
        self.0.extract(Width::X, false, value, bit, 1)
    }

    /// The value, 0 or 1, shifted to a flag's place.
    fn flag(&mut self, value: O::Value, bit: u8) -> O::Value {
        let amount = self.0.imm(u64::from(bit));
        self.0.int2(Int2::Lsl, Width::X, value, amount)
    }

    fn or(&mut self, a: O::Value, b: O::Value) -> O::Value {
        self.0.int2(Int2::Or, Width::X, a, b)
    }

    /// The flag and carry bits of NZCV that AXFLAG and XAFLAG look at.
    fn flag_bits(&mut self) -> (O::Value, O::Value, O::Value) {
        let nzcv = self.0.read_sys(SysReg::Nzcv);
        (self.bit(nzcv, Z), self.bit(nzcv, C), self.bit(nzcv, V))
    }
}

impl<O: Ops> a64_isa::Flagm for Translate<'_, O> {
    fn cfinv(&mut self, _: Cfinv) {
        self.0.invert_carry();
    }

    fn rmif(&mut self, i: Rmif) {
        let value = self.0.x(i.rn);
        // Bits 3:0 of the rotated register come to bits 31:28.
        let amount = self.0.imm(u64::from(i.imm6.wrapping_sub(V) & 63));
        let moved = self.0.int2(Int2::Ror, Width::X, value, amount);
        let mask = u64::from(i.mask) << V;
        let taken = self.0.imm(mask);
        let new = self.0.int2(Int2::And, Width::X, moved, taken);
        let nzcv = if i.mask == 15 {
            new
        } else {
            let old = self.0.read_sys(SysReg::Nzcv);
            let kept = self.0.imm(!mask & 0xf000_0000);
            let old = self.0.int2(Int2::And, Width::X, old, kept);
            self.or(old, new)
        };
        self.0.write_sys(SysReg::Nzcv, nzcv);
    }

    fn setf(&mut self, i: Setf) {
        let bits = if i.sz { 16 } else { 8 };
        let value = self.0.x(i.rn);
        let negative = self.bit(value, bits - 1);
        // 1 if the low bits are all zero: the borrow of subtracting one.
        let low = self.0.extract(Width::X, false, value, 0, bits);
        let less = self.0.add_imm(low, -1);
        let zero = self.bit(less, 63);
        let above = self.bit(value, bits);
        let overflow = self.0.int2(Int2::Xor, Width::X, above, negative);
        let old = self.0.read_sys(SysReg::Nzcv);
        let carry = self.bit(old, C);
        let (n, z) = (self.flag(negative, N), self.flag(zero, Z));
        let (c, v) = (self.flag(carry, C), self.flag(overflow, V));
        let (nz, cv) = (self.or(n, z), self.or(c, v));
        let nzcv = self.or(nz, cv);
        self.0.write_sys(SysReg::Nzcv, nzcv);
    }

    fn xaflag(&mut self, _: Xaflag) {
        let (z, c, _) = self.flag_bits();
        // N = !C & !Z, Z = Z & C, C = C | Z, V = !C & Z (Arm ARM C6.2, XAFLAG).
        let any = self.or(c, z);
        let one = self.0.imm(1);
        let n = self.0.int2(Int2::Xor, Width::X, any, one);
        let zero = self.0.int2(Int2::And, Width::X, z, c);
        let v = self.0.int2(Int2::Bic, Width::X, z, c);
        let (n, zero) = (self.flag(n, N), self.flag(zero, Z));
        let (c, v) = (self.flag(any, C), self.flag(v, V));
        let (nz, cv) = (self.or(n, zero), self.or(c, v));
        let nzcv = self.or(nz, cv);
        self.0.write_sys(SysReg::Nzcv, nzcv);
    }

    fn axflag(&mut self, _: Axflag) {
        let (z, c, v) = self.flag_bits();
        // N = 0, Z = Z | V, C = C & !V, V = 0 (Arm ARM C6.2, AXFLAG).
        let zero = self.or(z, v);
        let carry = self.0.int2(Int2::Bic, Width::X, c, v);
        let (zero, carry) = (self.flag(zero, Z), self.flag(carry, C));
        let nzcv = self.or(zero, carry);
        self.0.write_sys(SysReg::Nzcv, nzcv);
    }
}
