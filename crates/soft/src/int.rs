//! Integer operations: one function for each operation of `Ops` on general registers.
//!
//! Operands are 64 bits wide; at width W only their low 32 bits count and the
//! result is zero-extended, as for W registers.

use semantics::ops::{Crc, FlagOp, Int1, Int2, Rmw, Width};

/// NZCV bits, at their places in the NZCV register.
pub const N: u32 = 1 << 31;
pub const Z: u32 = 1 << 30;
pub const C: u32 = 1 << 29;
pub const V: u32 = 1 << 28;

/// `value` cut to the width.
#[must_use]
pub const fn cut(w: Width, value: u64) -> u64 {
    match w {
        Width::W => value as u32 as u64,
        Width::X => value,
    }
}

/// `value` of the width, as a signed number.
const fn signed(w: Width, value: u64) -> i64 {
    match w {
        Width::W => value as i32 as i64,
        Width::X => value as i64,
    }
}

/// A mask of the low `len` bits, 0 to 64.
const fn low_mask(len: u32) -> u64 {
    if len >= 64 { u64::MAX } else { (1 << len) - 1 }
}

#[must_use]
pub const fn int1(op: Int1, w: Width, a: u64) -> u64 {
    let a = cut(w, a);
    // Leading-bit counts of a W value are taken with the value at the top.
    let top = a << (64 - w.bits());
    match op {
        Int1::Not => cut(w, !a),
        Int1::Neg => cut(w, a.wrapping_neg()),
        Int1::Clz if a == 0 => w.bits() as u64,
        Int1::Clz => top.leading_zeros() as u64,
        Int1::Cls => cls(w, a) as u64,
        Int1::Rbit => a.reverse_bits() >> (64 - w.bits()),
        Int1::Rev16 => ((a & 0x00ff_00ff_00ff_00ff) << 8) | ((a >> 8) & 0x00ff_00ff_00ff_00ff),
        Int1::Rev32 => a.swap_bytes().rotate_left(32),
        Int1::Rev => a.swap_bytes() >> (64 - w.bits()),
        Int1::Ctz if a == 0 => w.bits() as u64,
        Int1::Ctz => a.trailing_zeros() as u64,
        Int1::Cnt => a.count_ones() as u64,
        Int1::Abs => cut(w, signed(w, a).wrapping_abs() as u64),
    }
}

/// Bits below the sign bit that equal it.
const fn cls(w: Width, a: u64) -> u32 {
    let value = signed(w, a);
    let folded = (value ^ (value >> 63)) as u64;
    folded.leading_zeros() - (64 - w.bits()) - 1
}

#[must_use]
pub const fn int2(op: Int2, w: Width, a: u64, b: u64) -> u64 {
    let (a, b) = (cut(w, a), cut(w, b));
    let amount = b as u32 & (w.bits() - 1);
    let result = match op {
        Int2::Add => a.wrapping_add(b),
        Int2::Sub => a.wrapping_sub(b),
        Int2::Mul => a.wrapping_mul(b),
        Int2::Umulh => ((a as u128 * b as u128) >> w.bits()) as u64,
        Int2::Smulh => ((signed(w, a) as i128 * signed(w, b) as i128) >> w.bits()) as u64,
        Int2::Udiv if b == 0 => 0,
        Int2::Udiv => a / b,
        Int2::Sdiv if b == 0 => 0,
        Int2::Sdiv => signed(w, a).wrapping_div(signed(w, b)) as u64,
        Int2::And => a & b,
        Int2::Or => a | b,
        Int2::Xor => a ^ b,
        Int2::Bic => a & !b,
        Int2::Orn => a | !b,
        Int2::Eon => a ^ !b,
        Int2::Lsl => a << amount,
        Int2::Lsr => a >> amount,
        Int2::Asr => (signed(w, a) >> amount) as u64,
        Int2::Ror => return extract_pair(w, a, a, amount as u8),
        Int2::Smax if signed(w, a) < signed(w, b) => b,
        Int2::Smin if signed(w, a) > signed(w, b) => b,
        Int2::Umax if a < b => b,
        Int2::Umin if a > b => b,
        Int2::Smax | Int2::Smin | Int2::Umax | Int2::Umin => a,
    };
    cut(w, result)
}

/// Sign- or zero-extends the low `bits` of `a` to the width.
#[must_use]
pub const fn extend(w: Width, sign: bool, bits: u8, a: u64) -> u64 {
    extract(w, sign, a, 0, bits)
}

/// Bits `lsb..lsb+len` of `a`, moved to bit 0 and extended to the width.
#[must_use]
pub const fn extract(w: Width, sign: bool, a: u64, lsb: u8, len: u8) -> u64 {
    let field = (a >> (lsb & 63)) & low_mask(len as u32);
    if sign && len > 0 && len < 64 {
        let unused = 64 - len as u32;
        cut(w, ((field << unused) as i64 >> unused) as u64)
    } else {
        cut(w, field)
    }
}

/// `dst` with its bits `lsb..lsb+len` replaced by the low `len` bits of `src`.
#[must_use]
pub const fn insert(w: Width, dst: u64, src: u64, lsb: u8, len: u8) -> u64 {
    let shift = lsb as u32 & 63;
    let mask = low_mask(len as u32) << shift;
    cut(w, (dst & !mask) | ((src << shift) & mask))
}

/// The width's bits from bit `lsb` of the concatenation `hi:lo`.
#[must_use]
pub const fn extract_pair(w: Width, hi: u64, lo: u64, lsb: u8) -> u64 {
    let lsb = lsb as u32 & (w.bits() - 1);
    let pair = ((cut(w, hi) as u128) << w.bits()) | cut(w, lo) as u128;
    cut(w, (pair >> lsb) as u64)
}

/// The result of `op` and its NZCV; `nzcv` is the one before.
#[must_use]
pub const fn flag_op(op: FlagOp, w: Width, a: u64, b: u64, nzcv: u32) -> (u64, u32) {
    let carry = nzcv & C != 0;
    match op {
        FlagOp::Add => add_with_carry(w, a, b, false),
        FlagOp::Sub => add_with_carry(w, a, !b, true),
        FlagOp::Adc => add_with_carry(w, a, b, carry),
        FlagOp::Sbc => add_with_carry(w, a, !b, carry),
        FlagOp::And => {
            let result = cut(w, a & b);
            (result, sign_and_zero(w, result))
        }
    }
}

const fn sign_and_zero(w: Width, result: u64) -> u32 {
    let n = if signed(w, result) < 0 { N } else { 0 };
    let z = if result == 0 { Z } else { 0 };
    n | z
}

/// AddWithCarry of the Arm pseudocode (Arm ARM J1.3, "shared/functions/integer").
const fn add_with_carry(w: Width, a: u64, b: u64, carry: bool) -> (u64, u32) {
    let (a, b) = (cut(w, a), cut(w, b));
    let unsigned_sum = a as u128 + b as u128 + carry as u128;
    let signed_sum = signed(w, a) as i128 + signed(w, b) as i128 + carry as i128;
    let result = cut(w, unsigned_sum as u64);
    let c = if unsigned_sum != result as u128 { C } else { 0 };
    let v = if signed_sum != signed(w, result) as i128 {
        V
    } else {
        0
    };
    (result, sign_and_zero(w, result) | c | v)
}

/// CRC32 of the low `bytes` of `data` into `acc`, bit-reflected, without inversions
/// (Arm ARM C6.2, CRC32B and CRC32CB).
#[must_use]
pub const fn crc32(poly: Crc, bytes: u8, acc: u32, data: u64) -> u32 {
    let reversed = match poly {
        Crc::Ieee => 0xedb8_8320u32,
        Crc::Castagnoli => 0x82f6_3b78,
    };
    let mut crc = acc;
    let mut n = 0;
    while n < bytes {
        crc ^= (data >> (8 * n)) as u8 as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (reversed & (crc & 1).wrapping_neg());
            bit += 1;
        }
        n += 1;
    }
    crc
}

/// What an LSE operation leaves in memory; operands and result are `bytes` (1 to 8) long.
#[must_use]
pub const fn rmw(op: Rmw, bytes: usize, old: u64, value: u64) -> u64 {
    let unused = 64 - 8 * bytes as u32;
    let (old, value) = (old << unused, value << unused);
    let (signed_old, signed_value) = (old as i64, value as i64);
    let new = match op {
        Rmw::Add => old.wrapping_add(value),
        Rmw::Clr => old & !value,
        Rmw::Eor => old ^ value,
        Rmw::Set => old | value,
        Rmw::Smax if signed_old > signed_value => old,
        Rmw::Smin if signed_old < signed_value => old,
        Rmw::Umax if old > value => old,
        Rmw::Umin if old < value => old,
        Rmw::Smax | Rmw::Smin | Rmw::Umax | Rmw::Umin | Rmw::Swp => value,
    };
    new >> unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use semantics::ops::Width::{W, X};

    #[test]
    fn one_operand() {
        let cases = [
            (Int1::Not, W, 0xffff_ffff_0000_0001, 0xffff_fffe),
            (Int1::Neg, W, 1, 0xffff_ffff),
            (Int1::Neg, X, 1, u64::MAX),
            (Int1::Clz, W, 0, 32),
            (Int1::Clz, X, 0, 64),
            (Int1::Clz, W, 0xff00_0000_0001_0000, 15),
            (Int1::Cls, W, 0, 31),
            (Int1::Cls, X, u64::MAX, 63),
            (Int1::Cls, W, 0xffff_ffff, 31),
            (Int1::Cls, W, 0x4000_0000, 0),
            (Int1::Cls, X, 0xf000_0000_0000_0000, 3),
            (Int1::Rbit, W, 1, 0x8000_0000),
            (Int1::Rbit, X, 1, 1 << 63),
            (Int1::Rev16, W, 0x1122_3344, 0x2211_4433),
            (Int1::Rev16, X, 0x1122_3344_5566_7788, 0x2211_4433_6655_8877),
            (Int1::Rev32, X, 0x1122_3344_5566_7788, 0x4433_2211_8877_6655),
            (Int1::Rev, W, 0x1122_3344, 0x4433_2211),
            (Int1::Rev, X, 0x1122_3344_5566_7788, 0x8877_6655_4433_2211),
        ];
        for (op, w, a, want) in cases {
            assert_eq!(int1(op, w, a), want, "{op:?} {w:?} {a:#x}");
        }
    }

    #[test]
    fn two_operands() {
        let min = i64::MIN as u64;
        let cases = [
            (Int2::Add, W, 0xffff_ffff, 1, 0),
            (Int2::Sub, W, 0, 1, 0xffff_ffff),
            (Int2::Mul, W, 0x1_0001, 0x1_0001, 0x2_0001),
            (Int2::Umulh, X, u64::MAX, u64::MAX, u64::MAX - 1),
            (Int2::Smulh, X, u64::MAX, u64::MAX, 0),
            (Int2::Smulh, X, min, 2, u64::MAX),
            (Int2::Udiv, X, 7, 0, 0),
            (Int2::Sdiv, X, 7, 0, 0),
            (Int2::Sdiv, X, min, u64::MAX, min),
            (Int2::Sdiv, W, 0x8000_0000, 0xffff_ffff, 0x8000_0000),
            (Int2::Sdiv, W, 0xffff_fff9, 2, 0xffff_fffd),
            (Int2::Bic, X, 0xff, 0x0f, 0xf0),
            (Int2::Orn, W, 0, 0, 0xffff_ffff),
            (Int2::Eon, W, 0, 0xffff_0000, 0xffff),
            (Int2::Lsl, W, 1, 33, 2),
            (Int2::Lsl, X, 1, 33, 1 << 33),
            (Int2::Lsr, W, 0x1_8000_0000, 31, 1),
            (Int2::Asr, W, 0x8000_0000, 31, 0xffff_ffff),
            (Int2::Ror, W, 1, 1, 0x8000_0000),
            (Int2::Ror, X, 1, 64, 1),
        ];
        for (op, w, a, b, want) in cases {
            assert_eq!(int2(op, w, a, b), want, "{op:?} {w:?} {a:#x} {b:#x}");
        }
    }

    #[test]
    fn fields() {
        assert_eq!(extend(W, true, 8, 0x80), 0xffff_ff80);
        assert_eq!(extend(X, true, 8, 0x80), 0xffff_ffff_ffff_ff80);
        assert_eq!(extend(X, true, 64, 1 << 63), 1 << 63);
        assert_eq!(extend(X, false, 32, u64::MAX), 0xffff_ffff);
        assert_eq!(extract(X, true, 0xf0, 4, 4), u64::MAX);
        assert_eq!(extract(W, false, 0xf0, 4, 4), 0xf);
        assert_eq!(insert(X, u64::MAX, 0, 8, 8), 0xffff_ffff_ffff_00ff);
        assert_eq!(insert(X, 1, 2, 0, 64), 2);
        assert_eq!(insert(W, 0, u64::MAX, 31, 1), 0x8000_0000);
        assert_eq!(extract_pair(W, 1, 2, 1), 0x8000_0001);
        assert_eq!(extract_pair(X, 1, 2, 0), 2);
    }

    #[test]
    fn flags() {
        let cases = [
            (FlagOp::Add, W, 0x7fff_ffff, 1, 0, 0x8000_0000, N | V),
            (FlagOp::Add, X, u64::MAX, 1, 0, 0, Z | C),
            (FlagOp::Sub, X, 1, 1, 0, 0, Z | C),
            (FlagOp::Sub, X, 0, 1, 0, u64::MAX, N),
            (FlagOp::Sub, W, 0x8000_0000, 1, 0, 0x7fff_ffff, C | V),
            (FlagOp::Adc, W, 0xffff_ffff, 0, C, 0, Z | C),
            (FlagOp::Sbc, X, 1, 1, 0, u64::MAX, N),
            (FlagOp::Sbc, X, 1, 1, C, 0, Z | C),
            (FlagOp::And, W, 0x1_8000_0000, u64::MAX, C | V, 0x8000_0000, N),
        ];
        for (op, w, a, b, before, result, nzcv) in cases {
            assert_eq!(
                flag_op(op, w, a, b, before),
                (result, nzcv),
                "{op:?} {w:?} {a:#x} {b:#x}"
            );
        }
    }

    #[test]
    fn crc_check_values() {
        // The catalogue's check value is of "123456789" with both inversions.
        for (poly, check) in [(Crc::Ieee, 0xcbf4_3926), (Crc::Castagnoli, 0xe306_9283)] {
            let eight = u64::from_le_bytes(*b"12345678");
            let crc = crc32(poly, 1, crc32(poly, 8, !0, eight), u64::from(b'9'));
            assert_eq!(!crc, check, "{poly:?}");
        }
    }

    #[test]
    fn read_modify_write() {
        let cases = [
            (Rmw::Add, 1, 0xff, 2, 1),
            (Rmw::Clr, 2, 0xffff, 0x00f0, 0xff0f),
            (Rmw::Smax, 1, 0x80, 1, 1),
            (Rmw::Smin, 4, 0x8000_0000, 1, 0x8000_0000),
            (Rmw::Umax, 1, 0x80, 1, 0x80),
            (Rmw::Umin, 8, u64::MAX, 1, 1),
            (Rmw::Swp, 2, 1, 0x1_2345, 0x2345),
        ];
        for (op, bytes, old, value, want) in cases {
            assert_eq!(rmw(op, bytes, old, value), want, "{op:?} {bytes}");
        }
    }
}
