//! The cryptographic extension of Armv8.2: SHA-3, SHA-512, SM3 and SM4 (Arm ARM C4.1):
//! `crypto_ext.isa`.

use crate::Translate;
use crate::ops::{Ops, Vec2, Vec3, VecShift};
use crate::simd::{DOUBLEWORDS, SCALAR_S, WORDS, bits};
use a64_isa::CryptoExt;
use a64_isa::crypto_ext::*;

impl<O: Ops> Translate<'_, O> {
    /// `Vd = op(Vd, Vn, Vm.S[index])`.
    pub(crate) fn ternary_word(&mut self, op: Vec3, index: u8, rm: u8, rn: u8, rd: u8) {
        let m = self.0.v(rm);
        let word = self.0.vec_dup_lane(SCALAR_S, m, index);
        let n = self.0.v(rn);
        let d = self.0.v(rd);
        let result = self.0.vec3(op, WORDS, d, n, word);
        self.0.set_v(rd, result);
    }
}

impl<O: Ops> CryptoExt for Translate<'_, O> {
    fn eor3(&mut self, i: Eor3) {
        let (n, m, a) = (self.0.v(i.rn), self.0.v(i.rm), self.0.v(i.ra));
        let both = self.0.vec2(Vec2::Xor, bits(true), n, m);
        let result = self.0.vec2(Vec2::Xor, bits(true), both, a);
        self.0.set_v(i.rd, result);
    }

    fn bcax(&mut self, i: Bcax) {
        let (n, m, a) = (self.0.v(i.rn), self.0.v(i.rm), self.0.v(i.ra));
        let cleared = self.0.vec2(Vec2::Bic, bits(true), m, a);
        let result = self.0.vec2(Vec2::Xor, bits(true), cleared, n);
        self.0.set_v(i.rd, result);
    }

    /// Rotation to the left by one.
    fn rax1(&mut self, i: Rax1) {
        let (n, m) = (self.0.v(i.rn), self.0.v(i.rm));
        let rotated = self.0.vec_shift(VecShift::Ror, DOUBLEWORDS, m, m, 63);
        let result = self.0.vec2(Vec2::Xor, bits(true), rotated, n);
        self.0.set_v(i.rd, result);
    }

    fn xar(&mut self, i: Xar) {
        let (n, m) = (self.0.v(i.rn), self.0.v(i.rm));
        let mixed = self.0.vec2(Vec2::Xor, bits(true), n, m);
        let result = self.0.vec_shift(VecShift::Ror, DOUBLEWORDS, mixed, mixed, i.imm6);
        self.0.set_v(i.rd, result);
    }

    fn sm3ss1(&mut self, i: Sm3ss1) {
        let (n, m, a) = (self.0.v(i.rn), self.0.v(i.rm), self.0.v(i.ra));
        let result = self.0.vec3(Vec3::Sm3Ss1, WORDS, n, m, a);
        self.0.set_v(i.rd, result);
    }
}
