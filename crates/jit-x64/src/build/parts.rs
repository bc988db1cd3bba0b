//! Pieces of several operations: pairs, alignment, and what can be known of values while they are recorded.

use super::Builder;
use crate::ir::{Op, Ref};
use semantics::ops::{Int1, Int2, Lane, MemSize, Ops, Shape, Span, Width};

impl Builder<'_> {
    pub(super) fn guard_alignment(&mut self, addr: Ref, size: MemSize) {
        if size != MemSize::B {
            self.push(Op::AlignGuard {
                addr,
                mask: (size.bytes() - 1) as u8,
            });
        }
    }

    /// Whether C is known to be clear here, as behind a prologue of FEAT_MOPS.
    pub(super) fn carry_is_clear(&self) -> bool {
        const DISTANCE: usize = 32;
        let setter = |op: &&Op| op.writes_flags() || matches!(op, Op::Interpret { .. });
        match self.ir.ops.iter().rev().take(DISTANCE).find(setter) {
            Some(Op::SetNzcv(value)) => self.constant(*value).is_some_and(|nzcv| nzcv >> 29 & 1 == 0),
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

    /// Two X values as a vector, and back.
    pub(super) fn join_pair(&mut self, (low, high): (Ref, Ref)) -> Ref {
        let s = Shape {
            lane: Lane::D,
            span: Span::Scalar,
        };
        let low = self.vec_dup(s, low);
        self.vec_set_lane(Lane::D, low, 1, high)
    }

    pub(super) fn split_pair(&mut self, both: Ref) -> (Ref, Ref) {
        let low = self.vec_get_lane(Lane::D, both, 0, None);
        (low, self.vec_get_lane(Lane::D, both, 1, None))
    }

    /// Two W values as one X value, and back.
    pub(super) fn join_words(&mut self, (low, high): (Ref, Ref)) -> Ref {
        self.insert(Width::X, low, high, 32, 32)
    }

    pub(super) fn split_words(&mut self, both: Ref) -> (Ref, Ref) {
        let low = self.extract(Width::X, false, both, 0, 32);
        (low, self.extract(Width::X, false, both, 32, 32))
    }

    /// An integer operation, with constants folded and moved to the right.
    pub(super) fn folded2(&mut self, op: Int2, w: Width, a: Ref, b: Ref) -> Ref {
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
