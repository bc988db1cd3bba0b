//! AES and carry-less products, through the host's extensions.

use super::Lower;
use crate::asm::sse::*;
use crate::ir::{AesStep, NONE, Ref};

impl Lower<'_> {
    pub(super) fn aes(&mut self, step: AesStep, state: Ref, key: Ref) {
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

    pub(super) fn clmul(&mut self, (a, a_high): (Ref, bool), (b, b_high): (Ref, bool)) {
        let (ra, rb) = (self.vreg(a), self.vreg(b));
        let d = self.vdef(Some(a), &[]);
        let halves = u8::from(a_high) | u8::from(b_high) << 4;
        self.asm.v3i(VPCLMULQDQ, d, ra, rb, halves);
        self.vbind(d);
    }
}
