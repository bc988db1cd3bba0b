//! SM3 and SM4 steps (GB/T 32905-2016, GB/T 32907-2016; Arm ARM C7.2, SM3PARTW1 to SM4EKEY).

use super::lanes::{lane, set_lane};
use semantics::ops::Lane;

fn word(v: u128, index: usize) -> u32 {
    lane(v, Lane::S, index) as u32
}

fn vector(words: [u32; 4]) -> u128 {
    (0..4).fold(0, |v, i| set_lane(v, Lane::S, i, u64::from(words[i])))
}

fn words(v: u128) -> [u32; 4] {
    std::array::from_fn(|i| word(v, i))
}

// --- SM3 ---------------------------------------------------------------------

pub(super) fn sm3ss1(n: u128, m: u128, a: u128) -> u128 {
    let sum = word(n, 3)
        .rotate_left(12)
        .wrapping_add(word(m, 3))
        .wrapping_add(word(a, 3));
    vector([0, 0, 0, sum.rotate_left(7)])
}

/// The boolean functions of the rounds: parity in the first 16, then majority for the
/// one half of the state and choice for the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Parity,
    Majority,
    Choice,
}

impl Function {
    const fn of(self, x: u32, y: u32, z: u32) -> u32 {
        match self {
            Function::Parity => x ^ y ^ z,
            Function::Majority => x & y | x & z | y & z,
            Function::Choice => x & y | !x & z,
        }
    }
}

/// SM3TT1A and SM3TT1B: `n` holds SS1 in lane 3.
pub(super) fn sm3tt1(f: Function, d: u128, n: u128, m: u128) -> u128 {
    let [d0, d1, d2, d3] = words(d);
    let ss2 = word(n, 3) ^ d3.rotate_left(12);
    let sum = f
        .of(d3, d1, d2)
        .wrapping_add(d0)
        .wrapping_add(ss2)
        .wrapping_add(word(m, 0));
    vector([d1, d2.rotate_left(9), d3, sum])
}

/// SM3TT2A and SM3TT2B.
pub(super) fn sm3tt2(f: Function, d: u128, n: u128, m: u128) -> u128 {
    let [d0, d1, d2, d3] = words(d);
    let sum = f
        .of(d3, d2, d1)
        .wrapping_add(d0)
        .wrapping_add(word(n, 3))
        .wrapping_add(word(m, 0));
    let p0 = sum ^ sum.rotate_left(9) ^ sum.rotate_left(17);
    vector([d1, d2.rotate_left(19), d3, p0])
}

/// The permutation P1 of the schedule.
const fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}

pub(super) fn sm3partw1(d: u128, n: u128, m: u128) -> u128 {
    let (mixed, m) = (words(d ^ n), words(m));
    let [r0, r1, r2] = [0, 1, 2].map(|i| p1(mixed[i] ^ m[i + 1].rotate_left(15)));
    // The last word needs the first of this group.
    vector([r0, r1, r2, p1(mixed[3] ^ r0.rotate_left(15))])
}

pub(super) fn sm3partw2(d: u128, n: u128, m: u128) -> u128 {
    let (d, n, m) = (words(d), words(n), words(m));
    let mixed: [u32; 4] = std::array::from_fn(|i| n[i] ^ m[i].rotate_left(7));
    let last = d[3] ^ mixed[3] ^ p1(mixed[0].rotate_left(15));
    vector([d[0] ^ mixed[0], d[1] ^ mixed[1], d[2] ^ mixed[2], last])
}

// --- SM4 ---------------------------------------------------------------------

/// Product in GF(2^8) modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1.
const fn gf_mul(mut x: u8, mut y: u8) -> u8 {
    let mut product = 0;
    while y != 0 {
        if y & 1 != 0 {
            product ^= x;
        }
        x = x << 1 ^ if x & 0x80 != 0 { 0xf5 } else { 0 };
        y >>= 1;
    }
    product
}

/// The affine map around the inversion: a circulant matrix, and the constant 0xd3.
const fn affine(x: u8) -> u8 {
    let mut result = 0;
    let mut bit = 0;
    while bit < 8 {
        let row = 0xa7u8.rotate_left(bit);
        result |= ((x & row).count_ones() as u8 & 1) << bit;
        bit += 1;
    }
    result ^ 0xd3
}

/// The inverse (x^254) between two affine maps.
static SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        let base = affine(x as u8);
        let mut inverse = 1;
        let mut i = 0;
        while i < 254 {
            inverse = gf_mul(inverse, base);
            i += 1;
        }
        table[x] = affine(inverse);
        x += 1;
    }
    table
};

fn substitute(x: u32) -> u32 {
    u32::from_le_bytes(x.to_le_bytes().map(|byte| SBOX[usize::from(byte)]))
}

/// Four rounds: each makes a new last word of the others and a round key.
fn rounds(state: u128, keys: u128, linear: impl Fn(u32) -> u32) -> u128 {
    let mut x = words(state);
    for key in words(keys) {
        let mixed = substitute(x[1] ^ x[2] ^ x[3] ^ key);
        x = [x[1], x[2], x[3], x[0] ^ linear(mixed)];
    }
    vector(x)
}

pub(super) fn sm4e(state: u128, keys: u128) -> u128 {
    rounds(state, keys, |b| {
        b ^ b.rotate_left(2) ^ b.rotate_left(10) ^ b.rotate_left(18) ^ b.rotate_left(24)
    })
}

pub(super) fn sm4ekey(keys: u128, constants: u128) -> u128 {
    rounds(keys, constants, |b| b ^ b.rotate_left(13) ^ b.rotate_left(23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitution_box_is_that_of_the_standard() {
        assert_eq!(SBOX[..8], [0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7]);
        assert_eq!(SBOX[0xef], 0x84, "the example of GB/T 32907");
        assert_eq!(SBOX[255], 0x48);
    }
}
