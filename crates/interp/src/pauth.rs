//! Pointer authentication of the interpreter.

use crate::{Player, Stop};
use guest::Exit;
use semantics::ops::{PacKey, PauthOps, Qarma};

impl PauthOps for Player<'_> {
    fn pac_key(&mut self, key: PacKey, word: u8) -> u64 {
        self.state.pac.keys[key as usize][usize::from(word)]
    }
    fn pac_bits(&mut self, key: PacKey) -> u64 {
        self.state.pac.masks[key as usize]
    }
    fn qarma(&mut self, cipher: Qarma, pointer: u64, modifier: u64, key: PacKey) -> u64 {
        soft::qarma(cipher, pointer, modifier, self.state.pac.keys[key as usize])
    }
    fn check_signature(&mut self, pointer: u64, bits: u64) {
        let extension = (pointer << 8).cast_signed() >> 63;
        if (pointer ^ extension.cast_unsigned()) & bits != 0 && self.exit.is_none() {
            self.exit = Some(Stop::Exit(Exit::AuthenticationFailed));
        }
    }
}
