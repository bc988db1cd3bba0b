//! The cryptographic extension: AES, PMULL, SHA-1 and SHA-256 (Arm ARM C4.1): `crypto.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec1, Vec2, Vec3};
use crate::simd::Part;
use a64_isa::Crypto;
use a64_isa::crypto::*;

const BYTES: Shape = Shape::vector(Lane::B, true);
const WORDS: Shape = Shape::vector(Lane::S, true);

/// `Vd = op(Vd, Vn, Vm)`.
macro_rules! sha_rounds {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, WORDS, i.rm, i.rn, i.rd);
        })*
    };
}

impl<O: Ops> Crypto for Translate<'_, O> {
    sha_rounds! {
        sha1c: Sha1c = Sha1C;
        sha1p: Sha1p = Sha1P;
        sha1m: Sha1m = Sha1M;
        sha1su0: Sha1su0 = Sha1Su0;
        sha256h: Sha256h = Sha256H;
        sha256h2: Sha256h2 = Sha256H2;
        sha256su1: Sha256su1 = Sha256Su1;
    }

    fn sha1h(&mut self, i: Sha1h) {
        self.unary(Vec1::Sha1H, Shape::scalar(Lane::S), i.rn, i.rd);
    }

    fn sha1su1(&mut self, i: Sha1su1) {
        self.binary_into(Vec2::Sha1Su1, WORDS, i.rn, i.rd);
    }

    fn sha256su0(&mut self, i: Sha256su0) {
        self.binary_into(Vec2::Sha256Su0, WORDS, i.rn, i.rd);
    }

    fn aese(&mut self, i: Aese) {
        self.binary_into(Vec2::AesE, BYTES, i.rn, i.rd);
    }

    fn aesd(&mut self, i: Aesd) {
        self.binary_into(Vec2::AesD, BYTES, i.rn, i.rd);
    }

    fn aesmc(&mut self, i: Aesmc) {
        self.unary(Vec1::AesMc, BYTES, i.rn, i.rd);
    }

    fn aesimc(&mut self, i: Aesimc) {
        self.unary(Vec1::AesImc, BYTES, i.rn, i.rd);
    }

    fn pmull_q(&mut self, i: PmullQ) {
        let a = self.half(Part::from_q(i.q), i.rn);
        let b = self.half(Part::from_q(i.q), i.rm);
        let result = self.0.vec2(Vec2::Pmull, Shape::vector(Lane::Q, true), a, b);
        self.0.set_v(i.rd, result);
    }
}
