//! SHA-512, SM3 and SM4 put together from their operations, on the examples of FIPS 180,
//! GB/T 32905 (A.1) and GB/T 32907 (A.1).

use guest::FpEnv;
use semantics::ops::{Lane, Shape, Vec2, Vec3};

const WORDS: Shape = Shape::vector(Lane::S, true);
const DOUBLEWORDS: Shape = Shape::vector(Lane::D, true);

fn two(op: Vec2, s: Shape, a: u128, b: u128) -> u128 {
    soft::vec2(op, s, a, b, &mut FpEnv::default())
}

fn three(op: Vec3, a: u128, b: u128, c: u128) -> u128 {
    soft::vec3(op, WORDS, a, b, c, &mut FpEnv::default())
}

/// The message, its length in bits, and zeros between them to a multiple of the block.
fn padded(message: &[u8], block: usize, length_bytes: usize) -> Vec<u8> {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    while bytes.len() % block != block - length_bytes {
        bytes.push(0);
    }
    bytes.resize(bytes.len() + length_bytes - 8, 0);
    bytes.extend((8 * message.len() as u64).to_be_bytes());
    bytes
}

// --- SHA-512 -----------------------------------------------------------------

fn product(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = vec![0; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0u64;
        for (j, y) in b.iter().enumerate() {
            let sum = u64::from(*x) * u64::from(*y) + u64::from(out[i + j]) + carry;
            out[i + j] = sum as u32;
            carry = sum >> 32;
        }
        out[i + b.len()] = carry as u32;
    }
    out
}

/// The first 64 bits of the fraction of the `degree`-th root of `p`.
fn fraction_of_root(p: u32, degree: usize) -> u64 {
    // The greatest r with r^degree < p * 2^(64 * degree); there is no exact root.
    let (mut low, mut high) = (0u128, 1 << 70);
    while high - low > 1 {
        let r = (low + high) / 2;
        let limbs = [r as u32, (r >> 32) as u32, (r >> 64) as u32];
        let power = (1..degree).fold(limbs.to_vec(), |power, _| product(&power, &limbs));
        // p * 2^(64 * degree) is p above 2 * degree limbs.
        let above = &power[2 * degree..];
        if above[0] < p && above[1..].iter().all(|limb| *limb == 0) {
            low = r;
        } else {
            high = r;
        }
    }
    low as u64
}

fn primes() -> impl Iterator<Item = u32> {
    (2u32..).filter(|n| (2..*n).all(|d| !n.is_multiple_of(d)))
}

const fn join(low: u64, high: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// Upper doubleword of `a`, lower one of `b`.
const fn between(a: u128, b: u128) -> u128 {
    a >> 64 | b << 64
}

fn sha512(message: &[u8]) -> Vec<u64> {
    let constants: Vec<u64> = primes().take(80).map(|p| fraction_of_root(p, 3)).collect();
    let initial: Vec<u64> = primes().take(8).map(|p| fraction_of_root(p, 2)).collect();
    let mut state: Vec<u128> = initial.chunks(2).map(|pair| join(pair[0], pair[1])).collect();
    let add = |a, b| two(Vec2::Add, DOUBLEWORDS, a, b);
    for block in padded(message, 128, 16).chunks(128) {
        let doublewords: Vec<u64> = block
            .chunks(8)
            .map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
            .collect();
        let mut w: Vec<u128> = doublewords.chunks(2).map(|pair| join(pair[0], pair[1])).collect();
        let [mut ab, mut cd, mut ef, mut gh] = state[..] else {
            unreachable!("four vectors")
        };
        for k in constants.chunks(2) {
            let wk = add(w[0], join(k[0], k[1]));
            let sum = add(gh, between(wk, wk));
            let first = three(Vec3::Sha512H, sum, between(ef, gh), between(cd, ef));
            let new_ef = add(cd, first);
            let new_ab = three(Vec3::Sha512H2, first, cd, ab);
            (ab, cd, ef, gh) = (new_ab, ab, new_ef, ef);
            let next = two(Vec2::Sha512Su0, DOUBLEWORDS, w[0], w[1]);
            let next = three(Vec3::Sha512Su1, next, w[7], between(w[4], w[5]));
            w.remove(0);
            w.push(next);
        }
        for (old, new) in state.iter_mut().zip([ab, cd, ef, gh]) {
            *old = add(*old, new);
        }
    }
    state.iter().flat_map(|v| [*v as u64, (v >> 64) as u64]).collect()
}

#[test]
fn sha512_of_fips_180() {
    let abc = [
        0xddaf_35a1_9361_7aba,
        0xcc41_7349_ae20_4131,
        0x12e6_fa4e_89a9_7ea2,
        0x0a9e_eee6_4b55_d39a,
        0x2192_992a_274f_c1a8,
        0x36ba_3c23_a3fe_ebbd,
        0x454d_4423_643c_e80e,
        0x2a9a_c94f_a54c_a49f,
    ];
    assert_eq!(sha512(b"abc"), abc);
}

// --- SM3 ---------------------------------------------------------------------

fn vector(words: [u32; 4]) -> u128 {
    words.iter().rev().fold(0, |v, word| v << 32 | u128::from(*word))
}

/// `count` words of `a` left out, as many of `b` behind it.
fn ext(a: u128, b: u128, count: u32) -> u128 {
    a >> (32 * count) | b << (128 - 32 * count)
}

fn big_endian_words(bytes: &[u8]) -> Vec<u128> {
    bytes
        .chunks(16)
        .map(|bytes| {
            let word = |i: usize| u32::from_be_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap());
            vector([word(0), word(1), word(2), word(3)])
        })
        .collect()
}

fn sm3(message: &[u8]) -> [u128; 2] {
    // Each half stands with its first word in lane 3.
    let mut state = [
        0x7380_166f_4914_b2b9_1724_42d7_da8a_0600_u128,
        0xa96f_30bc_1631_38aa_e38d_ee4d_b0fb_0e4e,
    ];
    for block in padded(message, 64, 8).chunks(64) {
        let mut w = big_endian_words(block);
        let [mut abcd, mut efgh] = state;
        for round in 0..64u32 {
            let (t, tt1, tt2) = if round < 16 {
                (0x79cc_4519_u32, Vec3::Sm3Tt1A, Vec3::Sm3Tt2A)
            } else {
                (0x7a87_9d8a, Vec3::Sm3Tt1B, Vec3::Sm3Tt2B)
            };
            let constant = vector([0, 0, 0, t.rotate_left(round % 32)]);
            let ss1 = three(Vec3::Sm3Ss1, abcd, constant, efgh);
            let index = round % 4;
            let word = w[0] >> (32 * index);
            let mixed = (w[0] ^ w[1]) >> (32 * index);
            abcd = three(tt1, abcd, ss1, mixed);
            efgh = three(tt2, efgh, ss1, word);
            if index == 3 {
                let next = three(Vec3::Sm3PartW1, ext(w[1], w[2], 3), w[0], w[3]);
                let next = three(Vec3::Sm3PartW2, next, ext(w[2], w[3], 2), ext(w[0], w[1], 3));
                w.remove(0);
                w.push(next);
            }
        }
        state = [state[0] ^ abcd, state[1] ^ efgh];
    }
    state
}

#[test]
fn sm3_of_the_standard() {
    assert_eq!(
        sm3(b"abc"),
        [
            0x66c7_f0f4_62ee_edd9_d1f2_d46b_dc10_e4e2,
            0x4167_c487_5cf2_f7a2_297d_a02b_8f4b_a8e0
        ]
    );
}

// --- SM4 ---------------------------------------------------------------------

fn sm4_keys(key: &[u8; 16]) -> Vec<u128> {
    let family = vector([0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc]);
    let mut keys = big_endian_words(key)[0] ^ family;
    let constants: Vec<u8> = (0..128u32).map(|n| (n * 7) as u8).collect();
    big_endian_words(&constants)
        .into_iter()
        .map(|constant| {
            keys = two(Vec2::Sm4EKey, WORDS, keys, constant);
            keys
        })
        .collect()
}

#[test]
fn sm4_of_the_standard() {
    let key = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes();
    let plain = big_endian_words(&key)[0];
    let cipher = sm4_keys(&key)
        .into_iter()
        .fold(plain, |state, keys| two(Vec2::Sm4E, WORDS, state, keys));
    // The last word is the first of the result, as lane 3 is the first of the number here.
    assert_eq!(cipher, 0x681e_df34_d206_965e_86b3_e94f_536e_4246);
}
