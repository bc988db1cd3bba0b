//! The cryptographic extension of Armv8.2: SHA-3, SHA-512, SM3 and SM4 (Arm ARM C4.1):
//! `crypto_ext.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec2, Vec3, VecShift};
use crate::simd::bits;
use a64_isa::CryptoExt;
use a64_isa::crypto_ext::*;

const WORDS: Shape = Shape::vector(Lane::S, true);
const DOUBLEWORDS: Shape = Shape::vector(Lane::D, true);

/// `Vd = op(Vd, Vn, Vm)`.
macro_rules! rounds {
    ($shape:ident: $($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, $shape, i.rm, i.rn, i.rd);
        })*
    };
}

/// `Vd = op(Vd, Vn, Vm.S[index])`.
macro_rules! rounds_with_word {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let m = self.0.v(i.rm);
            let word = self.0.vec_dup_lane(Shape::scalar(Lane::S), m, i.index);
            let n = self.0.v(i.rn);
            let d = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, WORDS, d, n, word);
            self.0.set_v(i.rd, result);
        })*
    };
}

impl<O: Ops> CryptoExt for Translate<'_, O> {
    rounds! {
        DOUBLEWORDS:
        sha512h: Sha512h = Sha512H;
        sha512h2: Sha512h2 = Sha512H2;
        sha512su1: Sha512su1 = Sha512Su1;
    }

    rounds! {
        WORDS:
        sm3partw1: Sm3partw1 = Sm3PartW1;
        sm3partw2: Sm3partw2 = Sm3PartW2;
    }

    rounds_with_word! {
        sm3tt1a: Sm3tt1a = Sm3Tt1A;
        sm3tt1b: Sm3tt1b = Sm3Tt1B;
        sm3tt2a: Sm3tt2a = Sm3Tt2A;
        sm3tt2b: Sm3tt2b = Sm3Tt2B;
    }

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

    fn sha512su0(&mut self, i: Sha512su0) {
        self.binary_into(Vec2::Sha512Su0, DOUBLEWORDS, i.rn, i.rd);
    }

    fn sm3ss1(&mut self, i: Sm3ss1) {
        let (n, m, a) = (self.0.v(i.rn), self.0.v(i.rm), self.0.v(i.ra));
        let result = self.0.vec3(Vec3::Sm3Ss1, WORDS, n, m, a);
        self.0.set_v(i.rd, result);
    }

    fn sm4e(&mut self, i: Sm4e) {
        self.binary_into(Vec2::Sm4E, WORDS, i.rn, i.rd);
    }

    /// The operands are the keys before and the constants.
    fn sm4ekey(&mut self, i: Sm4ekey) {
        self.binary(Vec2::Sm4EKey, WORDS, i.rm, i.rn, i.rd);
    }
}
