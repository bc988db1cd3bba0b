//! The cryptographic operations put together to the algorithms they serve, on the
//! examples of FIPS 197 (appendix B and C) and FIPS 180.

use guest::FpEnv;
use semantics::ops::{Lane, Shape, Vec1, Vec2, Vec3};

const WORDS: Shape = Shape::vector(Lane::S, true);
const BYTES: Shape = Shape::vector(Lane::B, true);

fn one(op: Vec1, a: u128) -> u128 {
    soft::vec1(op, BYTES, a, &mut FpEnv::default())
}

fn two(op: Vec2, a: u128, b: u128) -> u128 {
    soft::vec2(
        op,
        if op == Vec2::Add { WORDS } else { BYTES },
        a,
        b,
        &mut FpEnv::default(),
    )
}

fn three(op: Vec3, a: u128, b: u128, c: u128) -> u128 {
    soft::vec3(op, WORDS, a, b, c, &mut FpEnv::default())
}

/// Bytes in the order of the standard: the first one in byte 0 of the vector.
fn bytes(hex: u128) -> u128 {
    hex.swap_bytes()
}

/// S-box of one byte: AESE of a state of equal bytes, which ShiftRows leaves alone.
fn sub_byte(byte: u8) -> u8 {
    two(Vec2::AesE, u128::from_le_bytes([byte; 16]), 0) as u8
}

/// FIPS 197 5.2 for 128, 192 and 256 bits.
fn expand_key(key: &[u8]) -> Vec<u128> {
    let words = key.len() / 4;
    let mut schedule: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
    let mut constant = 1u32;
    for i in words..4 * (words + 7) {
        let mut word = schedule[i - 1];
        if i % words == 0 {
            word.rotate_left(1);
            word = word.map(sub_byte);
            word[0] ^= constant as u8;
            constant = constant << 1 ^ if constant >= 0x80 { 0x11b } else { 0 };
        } else if words > 6 && i % words == 4 {
            word = word.map(sub_byte);
        }
        let back = schedule[i - words];
        schedule.push(std::array::from_fn(|k| word[k] ^ back[k]));
    }
    schedule
        .chunks(4)
        .map(|round| u128::from_le_bytes(round.concat().try_into().unwrap()))
        .collect()
}

fn encrypt(keys: &[u128], block: u128) -> u128 {
    let (last, rest) = keys.split_last().unwrap();
    let (before_last, rest) = rest.split_last().unwrap();
    let state = rest
        .iter()
        .fold(block, |state, key| one(Vec1::AesMc, two(Vec2::AesE, state, *key)));
    two(Vec2::AesE, state, *before_last) ^ last
}

/// The equivalent inverse cipher (FIPS 197 5.3.5).
fn decrypt(keys: &[u128], block: u128) -> u128 {
    let (first, rest) = keys.split_first().unwrap();
    let (second, rest) = rest.split_first().unwrap();
    let (last, middle) = rest.split_last().unwrap();
    let state = one(Vec1::AesImc, two(Vec2::AesD, block, *last));
    let state = middle.iter().rev().fold(state, |state, key| {
        one(Vec1::AesImc, two(Vec2::AesD, state, one(Vec1::AesImc, *key)))
    });
    two(Vec2::AesD, state, one(Vec1::AesImc, *second)) ^ first
}

#[test]
fn aes_of_fips_197() {
    let plain = bytes(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    let cases = [
        (16, 0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128),
        (24, 0xdda9_7ca4_864c_dfe0_6eaf_70a0_ec0d_7191),
        (32, 0x8ea2_b7ca_5167_45bf_eafc_4990_4b49_6089),
    ];
    for (length, cipher) in cases {
        let key: Vec<u8> = (0..length).collect();
        let keys = expand_key(&key);
        assert_eq!(encrypt(&keys, plain), bytes(cipher), "encryption, {length} bytes");
        assert_eq!(decrypt(&keys, bytes(cipher)), plain, "decryption, {length} bytes");
    }
    let keys = expand_key(&0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes());
    let block = bytes(0x3243_f6a8_885a_308d_3131_98a2_e037_0734);
    assert_eq!(
        encrypt(&keys, block),
        bytes(0x3925_841d_02dc_09fb_dc11_8597_196a_0b32)
    );
}

#[test]
fn aes_steps_undo_each_other() {
    let state = bytes(0x0123_4567_89ab_cdef_1032_5476_98ba_dcfe);
    assert_eq!(one(Vec1::AesImc, one(Vec1::AesMc, state)), state);
    assert_eq!(two(Vec2::AesD, two(Vec2::AesE, state, 7), 0), state ^ 7);
    assert_eq!(
        [sub_byte(0x00), sub_byte(0x53), sub_byte(0xff)],
        [0x63, 0xed, 0x16]
    );
}

/// The message padded to blocks of 16 words (FIPS 180-4 5.1.1).
fn blocks(message: &[u8]) -> Vec<[u128; 4]> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let words = |chunk: &[u8]| {
        chunk.chunks(4).rev().fold(0, |v, w| {
            v << 32 | u128::from(u32::from_be_bytes(w.try_into().unwrap()))
        })
    };
    padded
        .chunks(64)
        .map(|block| std::array::from_fn(|i| words(&block[16 * i..][..16])))
        .collect()
}

fn pack(words: [u32; 4]) -> u128 {
    words.iter().rev().fold(0, |v, word| v << 32 | u128::from(*word))
}

fn unpack(v: u128) -> [u32; 4] {
    std::array::from_fn(|i| (v >> (32 * i)) as u32)
}

fn sha1(message: &[u8]) -> [u32; 5] {
    let (mut abcd, mut e) = (
        pack([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]),
        0xc3d2_e1f0_u128,
    );
    for mut w in blocks(message) {
        let (old_abcd, old_e) = (abcd, e);
        for step in 0..20 {
            let (op, k) = [
                (Vec3::Sha1C, 0x5a82_7999),
                (Vec3::Sha1P, 0x6ed9_eba1),
                (Vec3::Sha1M, 0x8f1b_bcdc),
                (Vec3::Sha1P, 0xca62_c1d6),
            ][step / 5];
            let wk = two(Vec2::Add, w[0], pack([k; 4]));
            let next_e = one(Vec1::Sha1H, abcd);
            abcd = three(op, abcd, e, wk);
            e = next_e;
            let new = two(Vec2::Sha1Su1, three(Vec3::Sha1Su0, w[0], w[1], w[2]), w[3]);
            w = [w[1], w[2], w[3], new];
        }
        abcd = two(Vec2::Add, abcd, old_abcd);
        e = u128::from((e as u32).wrapping_add(old_e as u32));
    }
    let [a, b, c, d] = unpack(abcd);
    [a, b, c, d, e as u32]
}

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
fn sha256_constants() -> Vec<u32> {
    let prime = |n: &u128| (2..*n).all(|d| !n.is_multiple_of(d));
    let root = |p: u128| {
        // Greatest r with r^3 <= p * 2^96.
        let (mut low, mut high) = (0u128, 1 << 40);
        while high - low > 1 {
            let r = (low + high) / 2;
            if r * r * r <= p << 96 { low = r } else { high = r }
        }
        low as u32
    };
    (2u128..).filter(prime).take(64).map(root).collect()
}

fn sha256(message: &[u8]) -> [u32; 8] {
    let constants = sha256_constants();
    let mut abcd = pack([0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a]);
    let mut efgh = pack([0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19]);
    for mut w in blocks(message) {
        let old = (abcd, efgh);
        for k in constants.chunks(4) {
            let wk = two(Vec2::Add, w[0], pack(k.try_into().unwrap()));
            let previous = abcd;
            abcd = three(Vec3::Sha256H, abcd, efgh, wk);
            efgh = three(Vec3::Sha256H2, efgh, previous, wk);
            let new = three(Vec3::Sha256Su1, two(Vec2::Sha256Su0, w[0], w[1]), w[2], w[3]);
            w = [w[1], w[2], w[3], new];
        }
        abcd = two(Vec2::Add, abcd, old.0);
        efgh = two(Vec2::Add, efgh, old.1);
    }
    [unpack(abcd), unpack(efgh)].concat().try_into().unwrap()
}

const TWO_BLOCKS: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

#[test]
fn sha1_of_fips_180() {
    assert_eq!(
        sha1(b"abc"),
        [0xa999_3e36, 0x4706_816a, 0xba3e_2571, 0x7850_c26c, 0x9cd0_d89d]
    );
    assert_eq!(
        sha1(TWO_BLOCKS),
        [0x8498_3e44, 0x1c3b_d26e, 0xbaae_4aa1, 0xf951_29e5, 0xe546_70f1]
    );
}

#[test]
fn sha256_of_fips_180() {
    let abc = [
        0xba78_16bf,
        0x8f01_cfea,
        0x4141_40de,
        0x5dae_2223,
        0xb003_61a3,
        0x9617_7a9c,
        0xb410_ff61,
        0xf200_15ad,
    ];
    assert_eq!(sha256(b"abc"), abc);
    let two_blocks = [
        0x248d_6a61,
        0xd206_38b8,
        0xe5c0_2693,
        0x0c3e_6039,
        0xa33c_e459,
        0x64ff_2167,
        0xf6ec_edd4,
        0x19db_06c1,
    ];
    assert_eq!(sha256(TWO_BLOCKS), two_blocks);
}
