//! Vector operations that together are one of x86's.
//!
//! The parts stay recorded, and go as dead values where nothing else uses them.

use super::Builder;
use crate::ir::{AesStep, Crypto, Effect, NONE, Op, Ref};
use semantics::ops::{Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift};

/// Four rounds of SHA-256: what they were given, and the state after two and after four,
/// in x86's halves (a, b, e and f, of which those before are the other half).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sha256 {
    abcd: Ref,
    efgh: Ref,
    words: Ref,
    after_two: Ref,
    after_four: Ref,
}

/// VSHUFPS controls that make ABEF and CDGH of EFGH and ABCD; the same undo it.
const ABEF: u8 = 0x11;
const CDGH: u8 = 0xbb;

impl Builder<'_> {
    /// Mix columns behind the last step of a round is a whole round.
    pub(super) fn fused1(&mut self, op: Vec1, a: Ref) -> Option<Ref> {
        let Op::Crypto(Crypto::Aes {
            step,
            state,
            key: NONE,
        }) = self.op(a)
        else {
            return None;
        };
        let step = match (op, step) {
            (Vec1::AesMc, AesStep::EncryptLast) => AesStep::Encrypt,
            (Vec1::AesImc, AesStep::DecryptLast) => AesStep::Decrypt,
            _ => return None,
        };
        Some(self.push(Op::Crypto(Crypto::Aes {
            step,
            state,
            key: NONE,
        })))
    }

    pub(super) fn fused2(&mut self, op: Vec2, s: Shape, a: Ref, b: Ref) -> Option<Ref> {
        match op {
            Vec2::AesE | Vec2::AesD if self.target.features.aes => {
                let step = if op == Vec2::AesE {
                    AesStep::EncryptLast
                } else {
                    AesStep::DecryptLast
                };
                // Arm adds the key before the round, x86 behind it: often that of the round before.
                let state = match self.fused2(Vec2::Xor, Shape::vector(Lane::B, true), a, b) {
                    Some(found) => found,
                    None => self.push(Op::Vec2 {
                        op: Vec2::Xor,
                        s: Shape::vector(Lane::B, true),
                        a,
                        b,
                    }),
                };
                Some(self.push(Op::Crypto(Crypto::Aes {
                    step,
                    state,
                    key: NONE,
                })))
            }
            Vec2::Pmull if s.lane == Lane::Q => {
                let ((a, a_high), (b, b_high)) = (self.doubleword(a), self.doubleword(b));
                Some(self.push(Op::Crypto(Crypto::Clmul { a, b, a_high, b_high })))
            }
            Vec2::Xor if s.span == Span::Full && self.is_keyless_round(a) => self.key_added(a, b),
            Vec2::Xor if s.span == Span::Full && self.is_keyless_round(b) => self.key_added(b, a),
            // x << n and x >> (bits - n) have no bit in common.
            Vec2::Or | Vec2::Xor | Vec2::Add => self.rotation(s, a, b).or_else(|| self.rotation(s, b, a)),
            _ => None,
        }
    }

    /// SLI upon what USHR has left of the same value rotates it; SRI and SHL likewise.
    pub(super) fn fused_shift(
        &mut self,
        op: VecShift,
        s: Shape,
        acc: Ref,
        a: Ref,
        amount: u8,
    ) -> Option<Ref> {
        let bits = s.lane.bits() as u8;
        let Op::VecShift {
            op: earlier,
            s: shape,
            a: source,
            amount: other,
            ..
        } = self.op(acc)
        else {
            return None;
        };
        if source != a || shape.lane != s.lane || shape.bits() < s.bits() || other + amount != bits {
            return None;
        }
        match (op, earlier) {
            (VecShift::Sli, VecShift::Ushr) => self.rotated(s, a, other),
            (VecShift::Sri, VecShift::Shl) => self.rotated(s, a, amount),
            _ => None,
        }
    }

    /// Rounds of SHA follow each other: the state stays as x86 has it between them.
    pub(super) fn fused3(&mut self, op: Vec3, a: Ref, b: Ref, c: Ref) -> Option<Ref> {
        match op {
            Vec3::Sha1C => Some(self.sha1(0, a, b, c)),
            Vec3::Sha1P => Some(self.sha1(1, a, b, c)),
            Vec3::Sha1M => Some(self.sha1(2, a, b, c)),
            Vec3::Sha256H => Some(self.sha256(CDGH, a, b, c)),
            Vec3::Sha256H2 => Some(self.sha256(ABEF, b, a, c)),
            _ => None,
        }
    }

    /// SHA1C, SHA1P and SHA1M.
    fn sha1(&mut self, function: u8, a: Ref, e: Ref, words: Ref) -> Ref {
        let state = self.reversed(a);
        let (e, e_of_state) = match self.op(e) {
            Op::Vec1 {
                op: Vec1::Sha1H,
                a: before,
                ..
            } => (self.reversed(before), true),
            _ => (e, false),
        };
        let rounds = self.push(Op::Crypto(Crypto::Sha1Rounds {
            function,
            state,
            e,
            e_of_state,
            words,
        }));
        self.push(Op::Crypto(Crypto::Reverse { a: rounds }))
    }

    fn reversed(&mut self, a: Ref) -> Ref {
        match self.op(a) {
            Op::Crypto(Crypto::Reverse { a: source }) => source,
            _ => self.push(Op::Crypto(Crypto::Reverse { a })),
        }
    }

    /// SHA256H or SHA256H2: `control` takes the result's half.
    fn sha256(&mut self, control: u8, abcd: Ref, efgh: Ref, words: Ref) -> Ref {
        let known = self
            .sha256
            .filter(|known| (known.abcd, known.efgh, known.words) == (abcd, efgh, words));
        let rounds = known.unwrap_or_else(|| {
            let abef = self.half_of_state(ABEF, abcd, efgh);
            let cdgh = self.half_of_state(CDGH, abcd, efgh);
            let mut two = |cdgh, abef, upper| {
                self.push(Op::Crypto(Crypto::Sha256Rounds {
                    cdgh,
                    abef,
                    words,
                    upper,
                }))
            };
            let after_two = two(cdgh, abef, false);
            // Two rounds on, what was ABEF is CDGH.
            let after_four = two(abef, after_two, true);
            Sha256 {
                abcd,
                efgh,
                words,
                after_two,
                after_four,
            }
        });
        self.sha256 = Some(rounds);
        self.push(Op::Crypto(Crypto::Shuffle {
            a: rounds.after_four,
            b: rounds.after_two,
            control,
        }))
    }

    /// ABEF or CDGH, where ABCD and EFGH were made of the two: those.
    fn half_of_state(&mut self, control: u8, abcd: Ref, efgh: Ref) -> Ref {
        match (self.op(abcd), self.op(efgh)) {
            (
                Op::Crypto(Crypto::Shuffle { a, b, control: CDGH }),
                Op::Crypto(Crypto::Shuffle {
                    a: same_a,
                    b: same_b,
                    control: ABEF,
                }),
            ) if (a, b) == (same_a, same_b) => {
                if control == ABEF {
                    a
                } else {
                    b
                }
            }
            _ => self.push(Op::Crypto(Crypto::Shuffle {
                a: efgh,
                b: abcd,
                control,
            })),
        }
    }

    fn is_keyless_round(&self, a: Ref) -> bool {
        matches!(self.op(a), Op::Crypto(Crypto::Aes { key: NONE, .. }))
    }

    /// `a ^ key` where `a` is a round without a key. Where the guest may be looked at in between,
    /// `a` is computed as well, and a second round would cost more than adding the key.
    fn key_added(&mut self, a: Ref, key: Ref) -> Option<Ref> {
        match self.op(a) {
            Op::Crypto(Crypto::Aes {
                step,
                state,
                key: NONE,
            }) if !self.is_observed_since(a) => Some(self.push(Op::Crypto(Crypto::Aes { step, state, key }))),
            _ => None,
        }
    }

    /// Whether anything recorded behind `value` may leave the block.
    fn is_observed_since(&self, value: Ref) -> bool {
        self.ir.ops[value as usize..]
            .iter()
            .any(|op| op.effect() == Effect::Observes)
    }

    /// Where the low doubleword of `a` can be had: in the upper half of another value.
    fn doubleword(&self, a: Ref) -> (Ref, bool) {
        match self.op(a) {
            Op::Vec1 {
                op: Vec1::HighHalf,
                a: whole,
                ..
            } => (whole, true),
            _ => (a, false),
        }
    }

    fn rotation(&mut self, s: Shape, left: Ref, right: Ref) -> Option<Ref> {
        let (
            Op::VecShift {
                op: VecShift::Shl,
                s: of_left,
                a,
                amount: n,
                ..
            },
            Op::VecShift {
                op: VecShift::Ushr,
                s: of_right,
                a: same,
                amount: m,
                ..
            },
        ) = (self.op(left), self.op(right))
        else {
            return None;
        };
        if a != same
            || of_left != of_right
            || of_left.bits() != s.bits()
            || n + m != of_left.lane.bits() as u8
        {
            return None;
        }
        self.rotated(of_left, a, m)
    }

    fn rotated(&mut self, s: Shape, a: Ref, amount: u8) -> Option<Ref> {
        (s.span == Span::Full && matches!(s.lane, Lane::S | Lane::D)).then(|| {
            self.push(Op::VecShift {
                op: VecShift::Ror,
                s,
                acc: a,
                a,
                amount,
            })
        })
    }
}
