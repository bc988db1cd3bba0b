//! AES and carry-less products, through the host's extensions; what the builder makes of
//! cryptographic instructions.

use super::Lower;
use crate::asm::sse::*;
use crate::const_offset;
use crate::ir::{AesStep, Crypto, NONE, Ref};

impl Lower<'_> {
    fn aes(&mut self, step: AesStep, state: Ref, key: Ref) {
        let op = match step {
            AesStep::Encrypt => VAESENC,
            AesStep::EncryptLast => VAESENCLAST,
            AesStep::Decrypt => VAESDEC,
            AesStep::DecryptLast => VAESDECLAST,
        };
        let op = if self.target.features.vaes {
            op
        } else {
            op.low_only()
        };
        let d = if key == NONE {
            let rs = self.vreg_for(op, state);
            let d = self.vdef_for(op, Some(state), &[]);
            self.asm.v3_state(op, d, rs, const_offset!(zero));
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
                let ra = self.vreg_for(VPSHUFD, a);
                let d = self.vdef_for(VPSHUFD, Some(a), &[]);
                self.asm.v2i(VPSHUFD, d, ra, 0x1b);
                self.vbind(d);
            }
            Crypto::Shuffle { a, b, control } => {
                let (ra, rb) = (self.vreg_for(VSHUFPS, a), self.vreg_for(VSHUFPS, b));
                let d = self.vdef_for(VSHUFPS, Some(a), &[]);
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
        let op = if self.target.features.vaes {
            VPCLMULQDQ
        } else {
            VPCLMULQDQ.low_only()
        };
        let (ra, rb) = (self.vreg_for(op, a), self.vreg_for(op, b));
        let d = self.vdef_for(op, Some(a), &[]);
        let halves = u8::from(a_high) | u8::from(b_high) << 4;
        self.asm.v3i(op, d, ra, rb, halves);
        self.vbind(d);
    }
}
