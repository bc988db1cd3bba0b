//! Integer operations of general registers.

use super::Machine;
use super::enums::enumerated;

enumerated! {
    /// Register width.
    pub enum Width { W, X }
}

impl Width {
    #[must_use]
    pub const fn from_sf(sf: bool) -> Self {
        if sf { Width::X } else { Width::W }
    }
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Width::W => 32,
            Width::X => 64,
        }
    }
}

enumerated! {
    /// One-operand integer operations.
    pub enum Int1 {
        Not, Neg,
        /// Leading zeros; the width when zero.
        Clz,
        /// Leading bits equal to the sign bit, not counting it.
        Cls,
        /// All bits reversed.
        Rbit,
        /// Bytes reversed in each 16-bit part.
        Rev16,
        /// Bytes reversed in each 32-bit part.
        Rev32,
        /// All bytes of the width reversed.
        Rev,
        /// Trailing zeros; the width when zero.
        Ctz,
        /// Bits that are set.
        Cnt,
        /// Magnitude of a signed number; the most negative stays itself.
        Abs,
    }
}

enumerated! {
    /// Two-operand integer operations. Shift amounts count modulo the width.
    pub enum Int2 {
        Add, Sub, Mul,
        /// Upper half of the unsigned 128-bit product.
        Umulh,
        /// Upper half of the signed 128-bit product.
        Smulh,
        /// 0 when dividing by zero.
        Udiv,
        /// 0 when dividing by zero; most negative / -1 gives itself.
        Sdiv,
        And, Or, Xor,
        /// `a & !b`
        Bic,
        /// `a | !b`
        Orn,
        /// `a ^ !b`
        Eon,
        Lsl, Lsr, Asr, Ror,
        Smax, Smin, Umax, Umin,
    }
}

enumerated! {
    /// CRC polynomials.
    pub enum Crc { Ieee, Castagnoli }
}

pub trait IntegerOps: Machine {
    fn imm(&mut self, value: u64) -> Self::Value;
    /// An address at a fixed distance from the instruction (or from its page): the same instruction elsewhere gives
    /// another.
    fn address(&mut self, value: u64) -> Self::Value {
        self.imm(value)
    }
    fn int1(&mut self, op: Int1, w: Width, a: Self::Value) -> Self::Value;
    fn int2(&mut self, op: Int2, w: Width, a: Self::Value, b: Self::Value) -> Self::Value;
    /// Sign- or zero-extends the low `bits` (8, 16 or 32; 64 is the identity) of `a` to `w`.
    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Self::Value) -> Self::Value;
    /// Bits `lsb..lsb+len` of `a`, moved to bit 0 and sign- or zero-extended to `w`.
    fn extract(&mut self, w: Width, signed: bool, a: Self::Value, lsb: u8, len: u8) -> Self::Value;
    /// `dst` with its bits `lsb..lsb+len` replaced by the low `len` bits of `src`.
    fn insert(&mut self, w: Width, dst: Self::Value, src: Self::Value, lsb: u8, len: u8) -> Self::Value;
    /// The `w` bits from bit `lsb` of the concatenation `hi:lo` (EXTR).
    fn extract_pair(&mut self, w: Width, hi: Self::Value, lo: Self::Value, lsb: u8) -> Self::Value;
    /// CRC32 of the low `bytes` (1, 2, 4, 8) of `data` into `acc`.
    fn crc32(&mut self, poly: Crc, bytes: u8, acc: Self::Value, data: Self::Value) -> Self::Value;
    fn add(&mut self, w: Width, a: Self::Value, b: Self::Value) -> Self::Value {
        self.int2(Int2::Add, w, a, b)
    }
    fn sub(&mut self, w: Width, a: Self::Value, b: Self::Value) -> Self::Value {
        self.int2(Int2::Sub, w, a, b)
    }
    /// `a + imm`, 64 bits: address arithmetic.
    fn add_imm(&mut self, a: Self::Value, imm: i64) -> Self::Value {
        let b = self.imm(imm as u64);
        self.int2(Int2::Add, Width::X, a, b)
    }
}
