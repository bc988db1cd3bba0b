//! AES rounds, by the host's AES instructions.

use super::{Lower, VOperand};
use crate::asm::sse::*;
use crate::asm::{Xmm, mem::Vex};
use crate::ir::{AesRound, NONE, Ref};

impl Lower<'_> {
    pub(super) fn aes_round(&mut self, round: AesRound, a: Ref, key: Ref) {
        let form = match round {
            AesRound::Encrypt => VAESENC,
            AesRound::EncryptLast => VAESENCLAST,
            AesRound::Decrypt => VAESDEC,
            AesRound::DecryptLast => VAESDECLAST,
        };
        let ra = self.vreg(a);
        let key = if key == NONE {
            let zero = self.vtemp();
            self.asm.vzero(zero);
            VOperand::Reg(zero)
        } else {
            self.voperand(key)
        };
        let d = self.vdef(Some(a), &[]);
        self.v3_operand(form, d, ra, key);
        self.vbind(d);
    }

    /// `d = op(a, b)`.
    pub(super) fn v3_operand(&mut self, op: Vex, d: Xmm, a: Xmm, b: VOperand) {
        match b {
            VOperand::Reg(b) => self.asm.v3(op, d, a, b),
            VOperand::State(offset) => self.asm.v3_state(op, d, a, offset),
        }
    }
}
