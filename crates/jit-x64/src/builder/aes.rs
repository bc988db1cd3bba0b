//! AES rounds: from Arm's halves to the host's whole rounds.
//!
//! Arm's AESE adds the round key first and AESMC mixes the columns; x86's AESENC does both steps and adds the next
//! round's key last. The key that comes first stays an exclusive-or here; `passes` gives it to the round before it
//! where it can (Arm ARM C7.2, AESE; Intel SDM volume 2, AESENC).

use super::Builder;
use crate::ir::{AesRound, NONE, Op, Ref};
use semantics::ops::{Lane, Shape, Vec1, Vec2};

impl Builder<'_> {
    /// AESE and AESD: the key is added to the state, then a round without mixing.
    pub(super) fn aes_last_round(&mut self, round: AesRound, state: Ref, key: Ref) -> Ref {
        self.ir.has_aes = true;
        let a = self.push(Op::Vec2 {
            op: Vec2::Xor,
            s: Shape::vector(Lane::B, true),
            a: state,
            b: key,
        });
        let key = NONE;
        self.push(Op::AesRound { round, a, key })
    }

    /// AESMC and AESIMC: behind AESE and AESD they complete the round.
    pub(super) fn aes_mix_columns(&mut self, op: Vec1, a: Ref) -> Ref {
        let key = NONE;
        let round = match (op, self.op(a)) {
            (
                Vec1::AesMc,
                Op::AesRound {
                    round: AesRound::EncryptLast,
                    a,
                    ..
                },
            ) => Op::AesRound {
                round: AesRound::Encrypt,
                a,
                key,
            },
            (
                Vec1::AesImc,
                Op::AesRound {
                    round: AesRound::DecryptLast,
                    a,
                    ..
                },
            ) => Op::AesRound {
                round: AesRound::Decrypt,
                a,
                key,
            },
            _ => {
                let s = Shape::vector(Lane::B, true);
                Op::Vec1 { op, s, a }
            }
        };
        self.push(round)
    }
}
