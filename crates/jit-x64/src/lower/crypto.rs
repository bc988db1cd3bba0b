//! AES and carry-less products, through the host's extensions; what the builder makes of
//! cryptographic instructions.

use super::Lower;
use crate::asm::sse::*;
use crate::ir::{AesStep, Crypto, NONE, Ref};

impl Lower<'_> {
    fn aes(&mut self, step: AesStep, state: Ref, key: Ref) {
        let op = match step {
            AesStep::Encrypt => VAESENC,
            AesStep::EncryptLast => VAESENCLAST,
            AesStep::Decrypt => VAESDEC,
            AesStep::DecryptLast => VAESDECLAST,
        };
        let d = if key == NONE {
            let rs = self.vreg(state);
            let d = self.vdef(None, &[rs]);
            self.asm.vzero(d);
            self.asm.v3(op, d, rs, d);
            d
        } else {
            self.v3_ref(op, state, key)
        };
        self.vbind(d);
    }

    pub(super) fn crypto(&mut self, op: Crypto) {
        match op {
            Crypto::Aes { step, state, key } => self.aes(step, state, key),
            Crypto::Clmul { a, b, a_high, b_high } => self.clmul((a, a_high), (b, b_high)),
            Crypto::Reverse { a } => {
                let ra = self.vreg(a);
                let d = self.vdef(Some(a), &[]);
                self.asm.v2i(VPSHUFD, d, ra, 0x1b);
                self.vbind(d);
            }
            Crypto::Shuffle { a, b, control } => {
                let (ra, rb) = (self.vreg(a), self.vreg(b));
                let d = self.vdef(Some(a), &[]);
                self.asm.v3i(VSHUFPS, d, ra, rb, control);
                self.vbind(d);
            }
            Crypto::Sha1Rounds {
                function,
                state,
                e,
                e_of_state,
                words,
            } => self.sha1_rounds(function, state, (e, e_of_state), words),
            Crypto::Sha256Rounds {
                cdgh,
                abef,
                words,
                upper,
            } => self.sha256_rounds(cdgh, abef, words, upper),
        }
    }

    fn clmul(&mut self, (a, a_high): (Ref, bool), (b, b_high): (Ref, bool)) {
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        let d = self.vdef(Some(a), &[]);
        let halves = u8::from(a_high) | u8::from(b_high) << 4;
        self.asm.v3i(VPCLMULQDQ, d, ra, rb, halves);
        self.vbind(d);
    }
}
