//! QARMA-64, the block cipher of FEAT_PACQARMA5 and, with fewer rounds and another S-box, of
//! FEAT_PACQARMA3 (Avanzi, "The QARMA Block Cipher Family", 2016; Arm ARM, ComputePAC). A block is a 4x4 matrix of cells of 4 bits.

use semantics::ops::Qarma;

/// A 4-bit S-box and its inverse.
type Substitution = [[u8; 16]; 2];

/// Sigma 1, an involution.
const SIGMA1: Substitution = [[10, 13, 14, 6, 15, 7, 3, 5, 9, 8, 0, 12, 11, 1, 2, 4]; 2];
/// Sigma 2.
const SIGMA2: Substitution = [
    [11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10],
    [5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3],
];
/// Cell n of the result is this cell; cell 0 is the most significant.
const SHUFFLE: [u8; 16] = [0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2];
const SHUFFLE_INVERSE: [u8; 16] = [0, 5, 15, 10, 13, 8, 2, 7, 11, 14, 4, 1, 6, 3, 9, 12];
const TWEAK: [u8; 16] = [6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11];
const TWEAK_INVERSE: [u8; 16] = [4, 5, 6, 7, 11, 1, 0, 8, 12, 13, 14, 15, 9, 10, 2, 3];
/// Tweak cells that go through the shift register.
const TWEAK_LFSR: [u8; 7] = [0, 1, 3, 4, 8, 11, 13];
const ALPHA: u64 = 0xc0ac_29b7_c97c_50dd;
const ROUNDS: [u64; 5] = [
    0,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
];

const fn cell(text: u64, n: usize) -> u64 {
    text >> (60 - 4 * n) & 15
}

fn permute(text: u64, from: &[u8; 16]) -> u64 {
    from.iter().fold(0, |out, &n| out << 4 | cell(text, n as usize))
}

fn substitute(text: u64, sub: &[u8; 16]) -> u64 {
    (0..16).fold(0, |out, n| out << 4 | u64::from(sub[cell(text, n) as usize]))
}

const fn rotate4(cell: u64, by: u32) -> u64 {
    (cell << by | cell >> (4 - by)) & 15
}

/// The involutory matrix circ(0, rho, rho^2, rho), by columns of the 4x4 cells.
fn mix(text: u64) -> u64 {
    (0..16).fold(0, |out, n| {
        let (row, column) = (n / 4, n % 4);
        let of = |distance: usize| cell(text, (row + distance) % 4 * 4 + column);
        out << 4 | rotate4(of(1), 1) ^ rotate4(of(2), 2) ^ rotate4(of(3), 1)
    })
}

/// One step of the cells' shift register.
fn lfsr(c: u64) -> u64 {
    ((c ^ c >> 1) & 1) << 3 | c >> 1
}

fn lfsr_inverse(c: u64) -> u64 {
    (c << 1 & 15) | (c >> 3 ^ c) & 1
}

/// Steps the cells of the tweak that have a shift register.
fn clock(tweak: u64, step: fn(u64) -> u64) -> u64 {
    TWEAK_LFSR.iter().fold(tweak, |out, &n| {
        let shift = 60 - 4 * u32::from(n);
        out & !(15 << shift) | step(out >> shift & 15) << shift
    })
}

/// A round; the first (and, backwards, the last) has no diffusion.
fn forward([sub, _]: &Substitution, text: u64, tweakey: u64, full: bool) -> u64 {
    let text = text ^ tweakey;
    let text = if full { mix(permute(text, &SHUFFLE)) } else { text };
    substitute(text, sub)
}

fn backward([_, inverse]: &Substitution, text: u64, tweakey: u64, full: bool) -> u64 {
    let text = substitute(text, inverse);
    let text = if full {
        permute(mix(text), &SHUFFLE_INVERSE)
    } else {
        text
    };
    text ^ tweakey
}

/// QARMA-64 of three rounds with the S-box sigma 1, or of five with sigma 2: what the Arm
/// manual's ComputePAC does with the two words of a key in their order in memory (low, high).
#[must_use]
pub fn qarma(cipher: Qarma, text: u64, tweak: u64, key: [u64; 2]) -> u64 {
    match cipher {
        Qarma::Three => encrypt(&SIGMA1, &ROUNDS[..3], text, tweak, key),
        Qarma::Five => encrypt(&SIGMA2, &ROUNDS, text, tweak, key),
    }
}

fn encrypt(sub: &Substitution, rounds: &[u64], text: u64, tweak: u64, [k0, w0]: [u64; 2]) -> u64 {
    let w1 = w0.rotate_right(1) ^ w0 >> 63;
    let mut tweak = tweak;
    let mut text = text ^ w0;
    for (n, constant) in rounds.iter().enumerate() {
        text = forward(sub, text, k0 ^ tweak ^ constant, n != 0);
        tweak = clock(permute(tweak, &TWEAK), lfsr);
    }
    text = forward(sub, text, w1 ^ tweak, true);
    // The reflector.
    text = permute(text, &SHUFFLE);
    text = mix(text) ^ k0;
    text = permute(text, &SHUFFLE_INVERSE);
    text = backward(sub, text, w0 ^ tweak, true);
    for (n, constant) in rounds.iter().enumerate().rev() {
        tweak = permute(clock(tweak, lfsr_inverse), &TWEAK_INVERSE);
        text = backward(sub, text, k0 ^ tweak ^ constant ^ ALPHA, n != 0);
    }
    text ^ w1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: u64 = 0xfb62_3599_da6e_8127;
    const MODIFIER: u64 = 0x477d_469d_ec0b_8762;
    const KEY: [u64; 2] = [0xec28_02d4_e0a4_88e9, 0x84be_85ce_9804_e94b];

    /// Those of five rounds: Arm's, and the same with the S-box of FEAT_PACQARMA3.
    #[test]
    fn the_published_vectors_come_out() {
        assert_eq!(qarma(Qarma::Five, TEXT, MODIFIER, KEY), 0xc003_b939_99b3_3765);
        assert_eq!(
            encrypt(&SIGMA1, &ROUNDS, TEXT, MODIFIER, KEY),
            0x544b_0ab9_5bda_7c3a
        );
    }

    /// Computed from the manual's ComputePAC with `isqarma3`, step by step in another language.
    #[test]
    fn three_rounds_are_those_of_the_manual() {
        let key = [0xfedc_ba98_7654_3210, 0x0123_4567_89ab_cdef];
        let cases = [
            (TEXT, MODIFIER, KEY, 0xc8b7_fdc1_d507_b9ef),
            (0xaaaa_dead_beef, 0xffff_c0de_0000, key, 0x8265_6b08_6e5b_7df2),
            (0, 0, [0; 2], 0x10d0_58ee_82d8_2492),
        ];
        for (text, modifier, key, code) in cases {
            assert_eq!(qarma(Qarma::Three, text, modifier, key), code, "{text:x}");
        }
    }

    #[test]
    fn tables_are_inverse() {
        let text = 0x0123_4567_89ab_cdef;
        assert_eq!(permute(permute(text, &SHUFFLE), &SHUFFLE_INVERSE), text);
        assert_eq!(permute(permute(text, &TWEAK), &TWEAK_INVERSE), text);
        assert_eq!(mix(mix(text)), text);
        for [sub, inverse] in [SIGMA1, SIGMA2] {
            assert_eq!(substitute(substitute(text, &sub), &inverse), text);
        }
        for cell in 0..16 {
            assert_eq!(lfsr_inverse(lfsr(cell)), cell);
        }
    }
}
