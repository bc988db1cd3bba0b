//! The vector bodies against a second formulation of each operation, and the
//! cryptographic ones against the examples of the standards.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod crypto;
mod crypto_ext;
mod model;

use a64_isa::random::splitmix64;
use guest::FpEnv;
use semantics::ops::{Enumerated, Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift};

/// splitmix64, from a fixed seed that a failure prints.
struct Random(u64);

const SEED: u64 = 0x5eed_0001;

impl Random {
    fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    /// Random bits, with half of the lanes of some size at their limits or small.
    fn vector(&mut self) -> u128 {
        let bits = 8u32 << (self.next() % 4);
        let mask = u128::MAX >> (128 - bits);
        (0..128 / bits).fold(0, |v, i| {
            let noise = u128::from(self.next()) & mask;
            let lane = match self.next() % 12 {
                0 => 0,
                1 => mask,
                2 => mask >> 1,
                3 => (mask >> 1) + 1,
                4 => noise & 0x7f,
                5 => mask - (noise & 0x3f),
                _ => noise,
            };
            v | lane << (i * bits)
        })
    }
}

/// The shapes an operation is used with: lanes of log2 sizes in the range.
fn shapes(lanes: std::ops::RangeInclusive<u8>, spans: &[Span]) -> Vec<Shape> {
    let shape = |log2| {
        spans
            .iter()
            .map(move |span| Shape::new(Lane::from_log2(log2), *span))
    };
    lanes.flat_map(shape).collect()
}

const VECTORS: [Span; 2] = [Span::Half, Span::Full];

fn vec1_shapes(op: Vec1) -> Vec<Shape> {
    match op {
        Vec1::HighHalf => shapes(3..=3, &[Span::Full]),
        Vec1::Cnt | Vec1::Rbit => shapes(0..=0, &VECTORS),
        Vec1::Rev16 => shapes(0..=0, &VECTORS),
        Vec1::Rev32 => shapes(0..=1, &VECTORS),
        Vec1::Rev64 => shapes(0..=2, &VECTORS),
        Vec1::Xtn | Vec1::SqXtn | Vec1::UqXtn | Vec1::SqXtun => shapes(0..=2, &[Span::Scalar, Span::Half]),
        Vec1::Sxtl | Vec1::Uxtl | Vec1::Saddlp | Vec1::Uaddlp => shapes(1..=3, &VECTORS),
        Vec1::Addv | Vec1::Smaxv | Vec1::Sminv | Vec1::Umaxv | Vec1::Uminv => shapes(0..=2, &VECTORS),
        Vec1::Saddlv | Vec1::Uaddlv => shapes(0..=2, &VECTORS),
        Vec1::Urecpe | Vec1::Ursqrte => shapes(2..=2, &VECTORS),
        Vec1::AesMc | Vec1::AesImc | Vec1::Sha1H => vec![],
        Vec1::Mov | Vec1::Not | Vec1::Neg | Vec1::Abs | Vec1::Cls | Vec1::Clz => shapes(0..=3, Span::ALL),
        Vec1::SqAbs | Vec1::SqNeg => shapes(0..=3, Span::ALL),
        Vec1::CmEqZero | Vec1::CmGtZero | Vec1::CmGeZero | Vec1::CmLeZero | Vec1::CmLtZero => {
            shapes(0..=3, Span::ALL)
        }
    }
}

fn vec2_shapes(op: Vec2) -> Vec<Shape> {
    match op {
        Vec2::Pmul => shapes(0..=0, &VECTORS),
        Vec2::Pmull => vec![Shape::vector(Lane::H, true), Shape::vector(Lane::Q, true)],
        Vec2::Addp => [shapes(0..=3, &VECTORS), vec![Shape::scalar(Lane::D)]].concat(),
        Vec2::Smaxp | Vec2::Sminp | Vec2::Umaxp | Vec2::Uminp => shapes(0..=2, &VECTORS),
        Vec2::SqDmulh | Vec2::SqRdmulh => shapes(1..=2, Span::ALL),
        Vec2::SqDmull => shapes(2..=3, &[Span::Scalar, Span::Full]),
        Vec2::Saddl | Vec2::Uaddl | Vec2::Ssubl | Vec2::Usubl | Vec2::Smull | Vec2::Umull => {
            shapes(1..=3, &[Span::Full])
        }
        Vec2::Sabdl | Vec2::Uabdl => shapes(1..=3, &[Span::Full]),
        Vec2::Saddw | Vec2::Uaddw | Vec2::Ssubw | Vec2::Usubw => shapes(1..=3, &[Span::Full]),
        Vec2::Addhn | Vec2::Subhn | Vec2::Raddhn | Vec2::Rsubhn => shapes(0..=2, &[Span::Half]),
        Vec2::Zip1 | Vec2::Zip2 | Vec2::Uzp1 | Vec2::Uzp2 | Vec2::Trn1 | Vec2::Trn2 => {
            [shapes(0..=2, &VECTORS), vec![Shape::vector(Lane::D, true)]].concat()
        }
        Vec2::JoinLow => shapes(0..=3, &[Span::Full]),
        Vec2::AesE | Vec2::AesD | Vec2::Sha1Su1 | Vec2::Sha256Su0 => vec![],
        Vec2::Sha512Su0 | Vec2::Sm4E | Vec2::Sm4EKey => vec![],
        Vec2::Add | Vec2::Sub | Vec2::Mul | Vec2::And | Vec2::Or | Vec2::Xor | Vec2::Bic | Vec2::Orn => {
            shapes(0..=3, Span::ALL)
        }
        Vec2::Smax | Vec2::Smin | Vec2::Umax | Vec2::Umin => shapes(0..=3, Span::ALL),
        Vec2::SqAdd | Vec2::UqAdd | Vec2::SqSub | Vec2::UqSub | Vec2::Suqadd | Vec2::Usqadd => {
            shapes(0..=3, Span::ALL)
        }
        Vec2::Shadd | Vec2::Uhadd | Vec2::Srhadd | Vec2::Urhadd | Vec2::Shsub | Vec2::Uhsub => {
            shapes(0..=3, Span::ALL)
        }
        Vec2::CmEq | Vec2::CmGt | Vec2::CmGe | Vec2::CmHi | Vec2::CmHs | Vec2::CmTst => {
            shapes(0..=3, Span::ALL)
        }
        Vec2::Sshl | Vec2::Ushl | Vec2::Srshl | Vec2::Urshl => shapes(0..=3, Span::ALL),
        Vec2::SqShl | Vec2::UqShl | Vec2::SqRshl | Vec2::UqRshl => shapes(0..=3, Span::ALL),
        Vec2::Sabd | Vec2::Uabd => shapes(0..=3, Span::ALL),
    }
}

fn vec3_shapes(op: Vec3) -> Vec<Shape> {
    match op {
        Vec3::Mla | Vec3::Mls | Vec3::Saba | Vec3::Uaba => shapes(0..=2, &VECTORS),
        Vec3::Bsl => shapes(0..=0, &VECTORS),
        Vec3::SqDmlal | Vec3::SqDmlsl => shapes(2..=3, &[Span::Scalar, Span::Full]),
        Vec3::Smlal | Vec3::Smlsl | Vec3::Umlal | Vec3::Umlsl => shapes(1..=3, &[Span::Full]),
        Vec3::Sabal | Vec3::Uabal => shapes(1..=3, &[Span::Full]),
        Vec3::Sha1C | Vec3::Sha1P | Vec3::Sha1M | Vec3::Sha1Su0 => vec![],
        Vec3::Sha256H | Vec3::Sha256H2 | Vec3::Sha256Su1 => vec![],
        Vec3::SqRdmlah | Vec3::SqRdmlsh => shapes(1..=2, Span::ALL),
        Vec3::Sdot | Vec3::Udot | Vec3::Usdot => shapes(2..=2, &VECTORS),
        Vec3::Smmla | Vec3::Ummla | Vec3::Usmmla => shapes(2..=2, &[Span::Full]),
        Vec3::Sha512H | Vec3::Sha512H2 | Vec3::Sha512Su1 => vec![],
        Vec3::Sm3Ss1 | Vec3::Sm3Tt1A | Vec3::Sm3Tt1B | Vec3::Sm3Tt2A | Vec3::Sm3Tt2B => vec![],
        Vec3::Sm3PartW1 | Vec3::Sm3PartW2 => vec![],
    }
}

/// Shapes, and the least and greatest amount of the operation's encodings.
fn shift_shapes(op: VecShift) -> Vec<(Shape, u8, u8)> {
    let with = |shapes: Vec<Shape>, right: bool, scale: u32| {
        let amounts = |s: Shape| (s.lane.bits() / scale) as u8;
        let range = |s: Shape| {
            if right {
                (1, amounts(s))
            } else {
                (0, amounts(s) - 1)
            }
        };
        shapes.into_iter().map(|s| (s, range(s).0, range(s).1)).collect()
    };
    match op {
        VecShift::Shl | VecShift::Sli => with(shapes(0..=3, Span::ALL), false, 1),
        VecShift::SqShl | VecShift::UqShl | VecShift::SqShlu => with(shapes(0..=3, Span::ALL), false, 1),
        VecShift::Sshr | VecShift::Ushr | VecShift::Srshr | VecShift::Urshr | VecShift::Sri => {
            with(shapes(0..=3, Span::ALL), true, 1)
        }
        VecShift::Shrn | VecShift::Rshrn => with(shapes(0..=2, &[Span::Half]), true, 1),
        VecShift::SqShrn | VecShift::SqRshrn | VecShift::UqShrn | VecShift::UqRshrn => {
            with(shapes(0..=2, &[Span::Scalar, Span::Half]), true, 1)
        }
        VecShift::SqShrun | VecShift::SqRshrun => with(shapes(0..=2, &[Span::Scalar, Span::Half]), true, 1),
        VecShift::Sshll | VecShift::Ushll => with(shapes(1..=3, &[Span::Full]), false, 2),
        VecShift::Ror => with(shapes(3..=3, &[Span::Full]), false, 1),
    }
}

const ROUNDS: usize = 400;

/// Runs a body from a clean FPSR and compares the result and QC with the model.
fn check(what: &str, operands: &[u128], expected: model::Outcome, body: impl FnOnce(&mut FpEnv) -> u128) {
    let mut env = FpEnv::default();
    let got = body(&mut env);
    let qc = env.fpsr & FpEnv::FPSR_QC != 0;
    let other = env.fpsr & !FpEnv::FPSR_QC;
    assert!(
        (got, qc, other) == (expected.0, expected.1, 0),
        "{what} (seed {SEED:#x})\n operands {operands:032x?}\n got      {got:032x} qc {qc}\n expected {:032x} qc {}",
        expected.0,
        expected.1
    );
}

#[test]
fn one_operand() {
    let mut random = Random(SEED);
    for &op in Vec1::ALL {
        for s in vec1_shapes(op) {
            for _ in 0..ROUNDS {
                let a = random.vector();
                let expected = model::vec1(op, s, a);
                check(&format!("{op:?} {s:?}"), &[a], expected, |env| {
                    soft::vec1(op, s, a, env)
                });
            }
        }
    }
}

#[test]
fn two_operands() {
    let mut random = Random(SEED);
    for &op in Vec2::ALL {
        for s in vec2_shapes(op) {
            for _ in 0..ROUNDS {
                let (a, b) = (random.vector(), random.vector());
                let expected = model::vec2(op, s, a, b);
                check(&format!("{op:?} {s:?}"), &[a, b], expected, |env| {
                    soft::vec2(op, s, a, b, env)
                });
            }
        }
    }
}

#[test]
fn three_operands() {
    let mut random = Random(SEED);
    for &op in Vec3::ALL {
        for s in vec3_shapes(op) {
            for _ in 0..ROUNDS {
                let [a, b, c] = std::array::from_fn(|_| random.vector());
                let expected = model::vec3(op, s, a, b, c);
                check(&format!("{op:?} {s:?}"), &[a, b, c], expected, |env| {
                    soft::vec3(op, s, a, b, c, env)
                });
            }
        }
    }
}

#[test]
fn shifts_by_every_immediate() {
    let mut random = Random(SEED);
    for &op in VecShift::ALL {
        for (s, low, high) in shift_shapes(op) {
            for n in low..=high {
                for _ in 0..ROUNDS / 10 {
                    let (acc, a) = (random.vector(), random.vector());
                    let expected = model::vec_shift(op, s, acc, a, n);
                    check(&format!("{op:?} {s:?} #{n}"), &[acc, a], expected, |env| {
                        soft::vec_shift(op, s, acc, a, n, env)
                    });
                }
            }
        }
    }
}

#[test]
fn every_amount_of_the_register_shifts() {
    let ops = [
        Vec2::Sshl,
        Vec2::Ushl,
        Vec2::Srshl,
        Vec2::Urshl,
        Vec2::SqShl,
        Vec2::UqShl,
        Vec2::SqRshl,
        Vec2::UqRshl,
    ];
    let mut random = Random(SEED);
    for op in ops {
        for s in shapes(0..=3, &[Span::Full]) {
            for amount in 0..=255 {
                // Only the low byte of a lane counts.
                let b = random.vector() << 8 & soft::dup_lane(s, !0xff) | soft::dup_lane(s, amount);
                let a = random.vector();
                let expected = model::vec2(op, s, a, b);
                check(&format!("{op:?} {s:?} by {amount}"), &[a, b], expected, |env| {
                    soft::vec2(op, s, a, b, env)
                });
            }
        }
    }
}

#[test]
fn qc_is_sticky() {
    let mut env = FpEnv {
        fpcr: 0,
        fpsr: FpEnv::FPSR_QC | 1,
    };
    let s = Shape::vector(Lane::B, true);
    assert_eq!(soft::vec2(Vec2::UqAdd, s, 1, 1, &mut env), 2);
    assert_eq!(env.fpsr, FpEnv::FPSR_QC | 1);
}

#[test]
fn lanes_are_read_and_written_in_place() {
    let v = 0x0f0e_0d0c_0b0a_0908_0706_0504_8302_0100;
    assert_eq!(soft::lane(v, Lane::B, 15), 0x0f);
    assert_eq!(soft::lane(v, Lane::H, 1), 0x8302);
    assert_eq!(soft::signed_lane(v, Lane::H, 1), -0x7cfe);
    assert_eq!(soft::signed_lane(v, Lane::D, 1), 0x0f0e_0d0c_0b0a_0908);
    assert_eq!(
        soft::set_lane(v, Lane::S, 3, 0x1_2345_6789),
        0x2345_6789_0b0a_0908_0706_0504_8302_0100
    );
    assert_eq!(
        soft::dup_lane(Shape::vector(Lane::H, false), 0x1_2345),
        0x2345_2345_2345_2345
    );
}

#[test]
fn extraction_takes_consecutive_bytes() {
    let mut random = Random(SEED);
    for (span, n) in [(Span::Half, 8usize), (Span::Full, 16)] {
        for index in 0..n {
            let (lo, hi) = (random.vector(), random.vector());
            let joined = [&lo.to_le_bytes()[..n], &hi.to_le_bytes()[..n]].concat();
            let mut expected = [0; 16];
            expected[..n].copy_from_slice(&joined[index..index + n]);
            assert_eq!(
                soft::vec_ext(span, lo, hi, index as u8).to_le_bytes(),
                expected,
                "{span:?} #{index}"
            );
        }
    }
}

#[test]
fn tables_of_one_to_four_registers() {
    let mut random = Random(SEED);
    for count in 1..=4 {
        for (span, n) in [(Span::Half, 8usize), (Span::Full, 16)] {
            for round in 0..ROUNDS {
                let table: Vec<u128> = (0..count).map(|_| random.vector()).collect();
                // Every third set of indices is mostly in range.
                let mask = if round % 3 == 0 {
                    u128::MAX
                } else {
                    u128::MAX / 255 * 0x3f
                };
                let (indices, old) = (random.vector() & mask, random.vector());
                let bytes: Vec<u8> = table.iter().flat_map(|v| v.to_le_bytes()).collect();
                for fallback in [None, Some(old)] {
                    let mut expected = [0; 16];
                    for (i, byte) in expected[..n].iter_mut().enumerate() {
                        let index = usize::from(indices.to_le_bytes()[i]);
                        let missing = fallback.map_or(0, |v| v.to_le_bytes()[i]);
                        *byte = bytes.get(index).copied().unwrap_or(missing);
                    }
                    let got = soft::vec_table(span, &table, indices, fallback);
                    assert_eq!(got.to_le_bytes(), expected, "{count} registers, seed {SEED:#x}");
                }
            }
        }
    }
}
