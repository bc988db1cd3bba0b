//! Integer operations, with constants folded and moved to the right.

use super::Builder;
use crate::ir::{Op, Ref};
use crate::lower::support;
use semantics::ops::{Crc, Int1, Int2, IntegerOps, LoadExt, MemSize, Width};

impl Builder<'_> {
    /// Whether the upper 32 bits of the value are known to be zero.
    fn upper_zero(&self, r: Ref) -> bool {
        match self.op(r) {
            Op::Imm(value) => value >> 32 == 0,
            Op::Int1 { w, .. } | Op::Int2 { w, .. } | Op::FlagOp { w, .. } | Op::CarryOp { w, .. } => {
                w == Width::W
            }
            Op::Insert { w, .. } | Op::ExtractPair { w, .. } => w == Width::W,
            Op::Extend { w, signed, bits, .. } => w == Width::W || (!signed && bits <= 32),
            Op::Extract { w, signed, len, .. } => w == Width::W || (!signed && len <= 32),
            Op::Load { size, ext, .. } => match ext {
                LoadExt::Zero => size != MemSize::X,
                LoadExt::SignW => true,
                LoadExt::SignX => false,
            },
            Op::Crc32c { .. } | Op::Crc32 { .. } | Op::GetNzcv | Op::FpToJsInt { .. } => true,
            _ => false,
        }
    }

    /// CRC32 of fewer than 8 bytes: of those bytes at the top, behind zeros, which change
    /// nothing; what of `acc` they do not reach is shifted down.
    pub(super) fn crc32_ieee(&mut self, bytes: u8, acc: Ref, data: Ref) -> Ref {
        let acc = self.extend(Width::X, false, 32, acc);
        let mixed = self.int2(Int2::Xor, Width::X, acc, data);
        let unused = self.imm(64 - 8 * u64::from(bytes));
        let top = self.int2(Int2::Lsl, Width::X, mixed, unused);
        let result = self.push(Op::Crc32 { a: top });
        if bytes >= 4 {
            return result;
        }
        let rest = self.extract(Width::X, false, acc, 8 * bytes, 32 - 8 * bytes);
        self.int2(Int2::Xor, Width::X, result, rest)
    }

    /// A sum or difference that is again a distance from the start of the block, or one of two such distances.
    fn moved_address(&mut self, op: Int2, a: Ref, b: Ref) -> Option<Ref> {
        let known = match (op, self.op(a), self.op(b)) {
            (Int2::Add, Op::Address(offset), Op::Imm(c)) | (Int2::Add, Op::Imm(c), Op::Address(offset)) => {
                Op::Address(offset.wrapping_add(c as i64))
            }
            (Int2::Sub, Op::Address(offset), Op::Imm(c)) => Op::Address(offset.wrapping_sub(c as i64)),
            (Int2::Sub, Op::Address(a), Op::Address(b)) => Op::Imm(a.wrapping_sub(b) as u64),
            _ => return None,
        };
        Some(self.push(known))
    }

    /// An integer operation, with constants folded and moved to the right.
    pub(super) fn folded2(&mut self, op: Int2, w: Width, a: Ref, b: Ref) -> Ref {
        if w == Width::X
            && let Some(known) = self.moved_address(op, a, b)
        {
            return known;
        }
        let (ca, cb) = (self.constant(a), self.constant(b));
        if let (Some(ca), Some(cb)) = (ca, cb)
            && let Some(value) = fold2(op, w, ca, cb)
        {
            return self.imm(value);
        }
        // x + 0, x | 0, x ^ 0, x - 0, shifts by 0: the value itself, zero-extended for W.
        if cb == Some(0)
            && matches!(
                op,
                Int2::Add
                    | Int2::Sub
                    | Int2::Or
                    | Int2::Xor
                    | Int2::Lsl
                    | Int2::Lsr
                    | Int2::Asr
                    | Int2::Ror
                    | Int2::Bic
            )
        {
            return self.extend(Width::X, false, w.bits() as u8, a);
        }
        if ca == Some(0) && matches!(op, Int2::Add | Int2::Or | Int2::Xor) {
            return self.extend(Width::X, false, w.bits() as u8, b);
        }
        // 0 - x and 0 | !x.
        if ca == Some(0) && op == Int2::Sub {
            return self.int1(Int1::Neg, w, b);
        }
        if ca == Some(0) && op == Int2::Orn {
            return self.int1(Int1::Not, w, b);
        }
        // Constants to the right of commutative operations; negated operands folded.
        match (op, ca, cb) {
            (Int2::Add | Int2::Mul | Int2::And | Int2::Or | Int2::Xor, Some(_), None) => {
                self.push(Op::Int2 { op, w, a: b, b: a })
            }
            (Int2::Sub, None, Some(c)) => {
                let b = self.imm(if w == Width::W {
                    u64::from((c as u32).wrapping_neg())
                } else {
                    c.wrapping_neg()
                });
                self.push(Op::Int2 {
                    op: Int2::Add,
                    w,
                    a,
                    b,
                })
            }
            (Int2::Bic | Int2::Orn | Int2::Eon, _, Some(c)) => {
                let b = self.imm(if w == Width::W { u64::from(!c as u32) } else { !c });
                let op = match op {
                    Int2::Bic => Int2::And,
                    Int2::Orn => Int2::Or,
                    _ => Int2::Xor,
                };
                self.int2(op, w, a, b)
            }
            // Sums of constants collapse, so that address arithmetic folds; not where a guest
            // register holds the inner sum, which is then changed in place.
            (Int2::Add, None, Some(c)) if w == Width::X => match self.op(a) {
                Op::Int2 {
                    op: Int2::Add,
                    w: Width::X,
                    a: inner,
                    b: k,
                } if self.constant(k).is_some() && !self.x.contains(&a) => {
                    let k = self.constant(k).unwrap_or(0);
                    let b = self.imm(k.wrapping_add(c));
                    self.push(Op::Int2 { op, w, a: inner, b })
                }
                _ => self.push(Op::Int2 { op, w, a, b }),
            },
            _ => self.push(Op::Int2 { op, w, a, b }),
        }
    }
}

impl IntegerOps for Builder<'_> {
    fn imm(&mut self, value: u64) -> Ref {
        self.push(Op::Imm(value))
    }

    fn address(&mut self, value: u64) -> Ref {
        self.push(Op::Address(value.wrapping_sub(self.ir.pc) as i64))
    }

    fn int1(&mut self, op: Int1, w: Width, a: Ref) -> Ref {
        if let (Some(c), Int1::Not) = (self.constant(a), op) {
            let value = if w == Width::W { u64::from(!c as u32) } else { !c };
            return self.imm(value);
        }
        if !support::int1(op) {
            return self.give_up();
        }
        self.push(Op::Int1 { op, w, a })
    }

    fn int2(&mut self, op: Int2, w: Width, a: Ref, b: Ref) -> Ref {
        self.folded2(op, w, a, b)
    }

    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Ref) -> Ref {
        if bits >= 64 || (!signed && bits == 32 && self.upper_zero(a)) {
            return a;
        }
        if let (Some(c), false) = (self.constant(a), signed) {
            return self.imm(c & low_mask(bits));
        }
        if w == Width::W && bits == 32 {
            return self.extend(Width::X, false, 32, a);
        }
        self.push(Op::Extend { w, signed, bits, a })
    }

    fn extract(&mut self, w: Width, signed: bool, a: Ref, lsb: u8, len: u8) -> Ref {
        if let (Some(c), false) = (self.constant(a), signed) {
            return self.imm((c >> lsb) & low_mask(len));
        }
        if lsb == 0 && matches!(len, 8 | 16 | 32) {
            return self.extend(w, signed, len, a);
        }
        self.push(Op::Extract {
            w,
            signed,
            a,
            lsb,
            len,
        })
    }

    fn insert(&mut self, w: Width, dst: Ref, src: Ref, lsb: u8, len: u8) -> Ref {
        if let (Some(d), Some(s)) = (self.constant(dst), self.constant(src)) {
            let mask = low_mask(len) << lsb;
            let value = (d & !mask) | ((s << lsb) & mask);
            return self.imm(if w == Width::W {
                u64::from(value as u32)
            } else {
                value
            });
        }
        self.push(Op::Insert {
            w,
            dst,
            src,
            lsb,
            len,
        })
    }

    fn extract_pair(&mut self, w: Width, hi: Ref, lo: Ref, lsb: u8) -> Ref {
        self.push(Op::ExtractPair { w, hi, lo, lsb })
    }

    fn crc32(&mut self, poly: Crc, bytes: u8, acc: Ref, data: Ref) -> Ref {
        match poly {
            Crc::Castagnoli => self.push(Op::Crc32c { bytes, acc, data }),
            Crc::Ieee if self.target.features.pclmul => self.crc32_ieee(bytes, acc, data),
            Crc::Ieee => self.give_up(),
        }
    }
}

/// The result of an integer operation on constants.
fn fold2(op: Int2, w: Width, a: u64, b: u64) -> Option<u64> {
    let bits = w.bits();
    let shift = (b % u64::from(bits)) as u32;
    let low = |v: u64| if w == Width::W { u64::from(v as u32) } else { v };
    Some(low(match op {
        Int2::Add => a.wrapping_add(b),
        Int2::Sub => a.wrapping_sub(b),
        Int2::Mul => a.wrapping_mul(b),
        Int2::And => a & b,
        Int2::Or => a | b,
        Int2::Xor => a ^ b,
        Int2::Bic => a & !b,
        Int2::Orn => a | !b,
        Int2::Eon => a ^ !b,
        Int2::Lsl => a << shift,
        Int2::Lsr => low(a) >> shift,
        Int2::Umin => low(a).min(low(b)),
        Int2::Umax => low(a).max(low(b)),
        Int2::Asr
        | Int2::Ror
        | Int2::Umulh
        | Int2::Smulh
        | Int2::Udiv
        | Int2::Sdiv
        | Int2::Smax
        | Int2::Smin => return None,
    }))
}

/// Ones in the low `len` bits.
pub(crate) const fn low_mask(len: u8) -> u64 {
    if len >= 64 { u64::MAX } else { (1 << len) - 1 }
}
