//! Pointer authentication (FEAT_PAuth2, FEAT_FPACCOMBINE; Arm ARM D8.8): `pauth.isa`, and
//! what of it is in the hint space.
//!
//! Usually the algorithm is implementation-defined (FEAT_PACIMP), made to be emitted inline,
//! because a distribution compiled with -mbranch-protection signs in nearly every function:
//! the product of pointer and modifier, each masked with half of the key. `-cpu
//! max,pauth-qarma5=on` has FEAT_PACQARMA5, `max,pauth-qarma3=on` FEAT_PACQARMA3, both by
//! the interpreter. A signature is in bits
//! 54:48 and is XORed into the pointer there (FEAT_PAuth2). The bits come from the mask in
//! the state, which is zero while the key is disabled: then nothing changes, and all passes.

use crate::Ops;
use crate::ops::{Indirect, Int2, LoadExt, MemSize, PacKey, Qarma, Width};
use crate::translate::Translate;
use a64_isa::Feature;
use a64_isa::imm::authenticated_offset;
use a64_isa::pauth::*;

/// Bits 63:57 of the product, which depend on all of both factors, go to 54:48.
const SIGNATURE_SHIFT: u64 = 9;
const LR: u8 = 30;
const X16: u8 = 16;
const X17: u8 = 17;

/// What goes into a signature beside the pointer.
#[derive(Clone, Copy)]
pub(crate) enum Modifier {
    Zero,
    Register(u8),
    Sp,
}

pub(crate) fn address_key(data: bool, key_b: bool) -> PacKey {
    match (data, key_b) {
        (false, false) => PacKey::Ia,
        (false, true) => PacKey::Ib,
        (true, false) => PacKey::Da,
        (true, true) => PacKey::Db,
    }
}

impl<O: Ops> Translate<'_, O> {
    fn product(&mut self, pointer: O::Value, modifier: O::Value, key: PacKey) -> O::Value {
        let word = self.0.pac_key(key, 0);
        let a = self.0.int2(Int2::Xor, Width::X, pointer, word);
        let word = self.0.pac_key(key, 1);
        let b = self.0.int2(Int2::Xor, Width::X, modifier, word);
        self.0.int2(Int2::Mul, Width::X, a, b)
    }

    /// `None` for the product.
    fn cipher(&self) -> Option<Qarma> {
        let features = self.0.features();
        if features.contains(Feature::Pacimp) {
            None
        } else if features.contains(Feature::Pacqarma5) {
            Some(Qarma::Five)
        } else {
            features.contains(Feature::Pacqarma3).then_some(Qarma::Three)
        }
    }

    /// `pointer` with the signature XORed in, and the signature's bits: the same operation
    /// signs and takes the signature away.
    fn toggle(&mut self, pointer: O::Value, modifier: O::Value, key: PacKey) -> (O::Value, O::Value) {
        let mask = self.0.pac_bits(key);
        let code = if let Some(cipher) = self.cipher() {
            let plain = self.strip(pointer);
            self.0.qarma(cipher, plain, modifier, key)
        } else {
            let plain = self.0.int2(Int2::Bic, Width::X, pointer, mask);
            let product = self.product(plain, modifier, key);
            let shift = self.0.imm(SIGNATURE_SHIFT);
            self.0.int2(Int2::Lsr, Width::X, product, shift)
        };
        let signature = self.0.int2(Int2::And, Width::X, code, mask);
        (self.0.int2(Int2::Xor, Width::X, pointer, signature), mask)
    }

    fn sign(&mut self, pointer: O::Value, modifier: O::Value, key: PacKey) -> O::Value {
        self.toggle(pointer, modifier, key).0
    }

    /// The pointer without its signature; the exception if that was wrong (FEAT_FPAC), or
    /// on older CPUs an address that faults.
    fn authenticate(&mut self, pointer: O::Value, modifier: O::Value, key: PacKey) -> O::Value {
        let (pointer, mask) = self.toggle(pointer, modifier, key);
        if self.0.features().contains(Feature::Fpac) {
            self.0.check_signature(pointer, mask);
        }
        pointer
    }

    /// Bits 54:48 become copies of bit 55, whatever key is enabled.
    fn strip(&mut self, pointer: O::Value) -> O::Value {
        let extension = self.0.extract(Width::X, true, pointer, 55, 1);
        self.0.insert(Width::X, pointer, extension, 48, 7)
    }

    fn modifier(&mut self, modifier: Modifier) -> O::Value {
        match modifier {
            Modifier::Zero => self.0.imm(0),
            Modifier::Register(n) => self.0.x_or_sp(n),
            Modifier::Sp => self.0.sp(),
        }
    }

    pub(crate) fn sign_register(&mut self, rd: u8, modifier: Modifier, key: PacKey) {
        let modifier = self.modifier(modifier);
        let pointer = self.0.x(rd);
        let signed = self.sign(pointer, modifier, key);
        self.0.set_x(rd, signed);
    }

    pub(crate) fn authenticate_register(&mut self, rd: u8, modifier: Modifier, key: PacKey) {
        let modifier = self.modifier(modifier);
        let pointer = self.0.x(rd);
        let pointer = self.authenticate(pointer, modifier, key);
        self.0.set_x(rd, pointer);
    }

    /// The hint of this number, if it is one of pointer authentication (Arm ARM C6.2.129):
    /// CRm and op2 choose registers, modifier and key.
    pub(crate) fn pauth_hint(&mut self, number: u8) {
        let key = if number & 2 == 0 { PacKey::Ia } else { PacKey::Ib };
        match number {
            7 => {
                let pointer = self.0.x(LR);
                let pointer = self.strip(pointer);
                self.0.set_x(LR, pointer);
            }
            8 | 10 => self.sign_register(X17, Modifier::Register(X16), key),
            12 | 14 => self.authenticate_register(X17, Modifier::Register(X16), key),
            24 | 26 => self.sign_register(LR, Modifier::Zero, key),
            25 | 27 => self.sign_register(LR, Modifier::Sp, key),
            28 | 30 => self.authenticate_register(LR, Modifier::Zero, key),
            29 | 31 => self.authenticate_register(LR, Modifier::Sp, key),
            _ => {}
        }
    }

    pub(crate) fn authenticated_branch(&mut self, rn: u8, modifier: Modifier, key_b: bool) {
        let modifier = self.modifier(modifier);
        let target = self.0.x(rn);
        let target = self.authenticate(target, modifier, address_key(false, key_b));
        self.0.branch_to(target, Indirect::of_jump(rn));
    }

    pub(crate) fn authenticated_call(&mut self, rn: u8, modifier: Modifier, key_b: bool) {
        let modifier = self.modifier(modifier);
        let target = self.0.x(rn);
        let target = self.authenticate(target, modifier, address_key(false, key_b));
        self.set_link();
        self.0.branch_to(target, Indirect::Call);
    }

    fn authenticated_load(&mut self, rn: u8, key_b: bool, offset: i64) -> (O::Value, O::Value) {
        let base = self.0.x_or_sp(rn);
        let zero = self.0.imm(0);
        let base = self.authenticate(base, zero, address_key(true, key_b));
        (self.0.load(MemSize::X, LoadExt::Zero, base, offset), base)
    }
}

impl<O: Ops> a64_isa::Pauth for Translate<'_, O> {
    fn xpac(&mut self, i: Xpac) {
        let pointer = self.0.x(i.rd);
        let pointer = self.strip(pointer);
        self.0.set_x(i.rd, pointer);
    }

    fn pacga(&mut self, i: Pacga) {
        let (data, modifier) = (self.0.x(i.rn), self.0.x_or_sp(i.rm));
        let code = match self.cipher() {
            Some(cipher) => self.0.qarma(cipher, data, modifier, PacKey::Ga),
            None => self.product(data, modifier, PacKey::Ga),
        };
        let mask = self.0.pac_bits(PacKey::Ga);
        let code = self.0.int2(Int2::And, Width::X, code, mask);
        self.0.set_x(i.rd, code);
    }

    fn reta(&mut self, i: Reta) {
        let (target, sp) = (self.0.x(LR), self.0.sp());
        let target = self.authenticate(target, sp, address_key(false, i.key_b));
        self.0.branch_to(target, Indirect::Return);
    }

    fn ldra(&mut self, i: Ldra) {
        let (value, _) = self.authenticated_load(i.rn, i.key_b, authenticated_offset(i.s, i.imm9));
        self.0.set_x(i.rt, value);
    }

    fn ldra_pre(&mut self, i: LdraPre) {
        let offset = authenticated_offset(i.s, i.imm9);
        let (value, base) = self.authenticated_load(i.rn, i.key_b, offset);
        let base = self.0.add_imm(base, offset);
        self.0.set_x_or_sp(i.rn, base);
        self.0.set_x(i.rt, value);
    }
}
