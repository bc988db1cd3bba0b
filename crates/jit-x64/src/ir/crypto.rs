//! Operations that the builder makes of several cryptographic instructions.

use super::{NONE, Operands, Ref};
use crate::target::Bank;

/// A round of AES as x86 has it: the key is added behind the other steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AesStep {
    Encrypt,
    EncryptLast,
    Decrypt,
    DecryptLast,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crypto {
    /// `key` may be [`NONE`], for zero.
    Aes { step: AesStep, state: Ref, key: Ref },
    /// The lanes of words from last to first.
    Reverse { a: Ref },
    /// VSHUFPS: two words of `a`, then two of `b`.
    Shuffle { a: Ref, b: Ref, control: u8 },
    /// Four rounds of SHA-1 on a reversed state; e is lane 0, or comes of the reversed state
    /// four rounds before.
    Sha1Rounds {
        function: u8,
        state: Ref,
        e: Ref,
        e_of_state: bool,
        words: Ref,
    },
    /// Two rounds of SHA-256, with x86's halves of the state and the lower or upper words.
    Sha256Rounds {
        cdgh: Ref,
        abef: Ref,
        words: Ref,
        upper: bool,
    },
    /// The carry-less product of doublewords: of the upper ones if so said.
    Clmul {
        a: Ref,
        b: Ref,
        a_high: bool,
        b_high: bool,
    },
}

impl Operands for Crypto {
    #[inline]
    fn for_each(&mut self, mut f: impl FnMut(&mut Ref, Bank)) {
        let mut vectors = |operands: &mut [&mut Ref]| {
            for r in operands {
                f(r, Bank::V);
            }
        };
        match self {
            Crypto::Aes { step: _, state, key } => {
                vectors(&mut [state]);
                if *key != NONE {
                    vectors(&mut [key]);
                }
            }
            Crypto::Reverse { a } => vectors(&mut [a]),
            Crypto::Shuffle { a, b, control: _ } => vectors(&mut [a, b]),
            Crypto::Clmul {
                a,
                b,
                a_high: _,
                b_high: _,
            } => vectors(&mut [a, b]),
            Crypto::Sha1Rounds {
                function: _,
                state,
                e,
                e_of_state: _,
                words,
            } => vectors(&mut [state, e, words]),
            Crypto::Sha256Rounds {
                cdgh,
                abef,
                words,
                upper: _,
            } => vectors(&mut [cdgh, abef, words]),
        }
    }
}
