//! Pointer authentication: keys and masks are fields of the CPU state.

use super::Builder;
use crate::ir::{Op, Ref};
use guest::{CpuState, PacState};
use semantics::ops::{PacKey, PauthOps, Qarma};
use std::mem::offset_of;

impl PauthOps for Builder<'_> {
    fn pac_key(&mut self, key: PacKey, word: u8) -> Ref {
        let keys = offset_of!(CpuState, pac) + offset_of!(PacState, keys);
        let at = keys + 16 * key as usize + 8 * usize::from(word);
        self.push(Op::GetState(at as u32))
    }

    fn pac_bits(&mut self, key: PacKey) -> Ref {
        let masks = offset_of!(CpuState, pac) + offset_of!(PacState, masks);
        self.push(Op::GetState((masks + 8 * key as usize) as u32))
    }

    fn qarma(&mut self, _cipher: Qarma, _pointer: Ref, _modifier: Ref, _key: PacKey) -> Ref {
        self.give_up()
    }

    fn check_signature(&mut self, pointer: Ref, bits: Ref) {
        self.push(Op::SignatureGuard { pointer, bits });
    }
}
