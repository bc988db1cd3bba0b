//! Sums of products of bytes: SDOT, UDOT, USDOT, and the products of matrices.

use super::saturate::Sign;
use super::{Lower, SHIFT_ARITHMETIC, SHIFT_LEFT, SHIFT_RIGHT};
use crate::asm::Xmm;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::Ref;
use semantics::ops::{Shape, Vec3};

/// The signedness of the second and third operand, if `op` is one of these.
const fn signs(op: Vec3) -> (Sign, Sign) {
    match op {
        Vec3::Sdot | Vec3::Smmla => (Sign::Signed, Sign::Signed),
        Vec3::Usdot | Vec3::Usmmla => (Sign::Unsigned, Sign::Signed),
        _ => (Sign::Unsigned, Sign::Unsigned),
    }
}

impl Lower<'_> {
    /// Bytes as halfwords, the even and the odd ones apart: their products fit words.
    pub(super) fn dot(&mut self, op: Vec3, s: Shape, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let (sign_b, sign_c) = signs(op);
        let (t, u) = (self.scratch(), self.scratch());
        self.even_bytes(sign_b, t, rb);
        self.even_bytes(sign_c, u, rc);
        self.asm.v3(VPMADDWD, t, t, u);
        self.odd_bytes(sign_b, d, rb);
        self.odd_bytes(sign_c, u, rc);
        self.asm.v3(VPMADDWD, d, d, u);
        self.asm.v3(VPADDD, d, d, t);
        self.asm.v3(VPADDD, d, d, ra);
        self.cut(s, d);
        self.vbind(d);
    }

    fn even_bytes(&mut self, sign: Sign, d: Xmm, a: Xmm) {
        match sign {
            Sign::Unsigned => self.asm.v3_state(VPAND, d, a, const_offset!(low_byte_h)),
            Sign::Signed => {
                self.asm.vshift(VPSHIFT_W, SHIFT_LEFT, d, a, 8);
                self.asm.vshift(VPSHIFT_W, SHIFT_ARITHMETIC, d, d, 8);
            }
        }
    }

    fn odd_bytes(&mut self, sign: Sign, d: Xmm, a: Xmm) {
        let kind = match sign {
            Sign::Unsigned => SHIFT_RIGHT,
            Sign::Signed => SHIFT_ARITHMETIC,
        };
        self.asm.vshift(VPSHIFT_W, kind, d, a, 8);
    }

    /// Rows of eight bytes become rows of eight halfwords; four sums of eight products.
    pub(super) fn matrix(&mut self, op: Vec3, a: Ref, b: Ref, c: Ref) {
        let (ra, rb, rc) = (self.vreg(a), self.vreg(b), self.vreg(c));
        let d = self.vdef(None, &[ra, rb, rc]);
        let (sign_b, sign_c) = signs(op);
        let (row, first, second, t) = (self.scratch(), self.scratch(), self.scratch(), self.scratch());
        self.byte_row(sign_c, first, rc, 0);
        self.byte_row(sign_c, second, rc, 1);
        self.byte_row(sign_b, row, rb, 0);
        self.asm.v3(VPMADDWD, d, row, first);
        self.asm.v3(VPMADDWD, t, row, second);
        self.asm.v3(VPHADDD, d, d, t);
        self.byte_row(sign_b, row, rb, 1);
        self.asm.v3(VPMADDWD, first, row, first);
        self.asm.v3(VPMADDWD, second, row, second);
        self.asm.v3(VPHADDD, first, first, second);
        self.asm.v3(VPHADDD, d, d, first);
        self.asm.v3(VPADDD, d, d, ra);
        self.vbind(d);
    }

    fn byte_row(&mut self, sign: Sign, d: Xmm, a: Xmm, row: u8) {
        let widen = match sign {
            Sign::Signed => VPMOVSXBW,
            Sign::Unsigned => VPMOVZXBW,
        };
        if row == 0 {
            self.asm.v2(widen, d, a);
        } else {
            self.asm.v2i(VPSHUFD, d, a, 0xee);
            self.asm.v2(widen, d, d);
        }
    }
}
