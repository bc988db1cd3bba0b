//! AES round steps (FIPS 197). The state's bytes stand in the vector column by
//! column, as in memory.

/// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn gf_mul(mut x: u8, mut y: u8) -> u8 {
    let mut product = 0;
    while y != 0 {
        if y & 1 != 0 {
            product ^= x;
        }
        x = x << 1 ^ if x & 0x80 != 0 { 0x1b } else { 0 };
        y >>= 1;
    }
    product
}

/// FIPS 197 5.1.1: the inverse (x^254), then an affine map.
const SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        let mut inverse = 1;
        let mut i = 0;
        while i < 254 {
            inverse = gf_mul(inverse, x as u8);
            i += 1;
        }
        let r = inverse;
        table[x] = r ^ r.rotate_left(1) ^ r.rotate_left(2) ^ r.rotate_left(3) ^ r.rotate_left(4) ^ 0x63;
        x += 1;
    }
    table
};

const INVERSE_SBOX: [u8; 256] = {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        table[SBOX[x] as usize] = x as u8;
        x += 1;
    }
    table
};

/// The products of every byte with `by`.
const fn products(by: u8) -> [u8; 256] {
    let mut table = [0; 256];
    let mut x = 0;
    while x < 256 {
        table[x] = gf_mul(x as u8, by);
        x += 1;
    }
    table
}

static TIMES_2: [u8; 256] = products(2);
static TIMES_3: [u8; 256] = products(3);
static TIMES_9: [u8; 256] = products(9);
static TIMES_B: [u8; 256] = products(0xb);
static TIMES_D: [u8; 256] = products(0xd);
static TIMES_E: [u8; 256] = products(0xe);

/// AESE: adds the key, then SubBytes and ShiftRows.
pub(super) fn encrypt_round(state: u128, key: u128) -> u128 {
    let bytes = (state ^ key).to_le_bytes();
    // Row r (byte 4c + r of column c) moves r columns to the left.
    u128::from_le_bytes(std::array::from_fn(|i| {
        SBOX[usize::from(bytes[(i + 4 * (i % 4)) % 16])]
    }))
}

/// AESD: adds the key, then the inverses of ShiftRows and SubBytes.
pub(super) fn decrypt_round(state: u128, key: u128) -> u128 {
    let bytes = (state ^ key).to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|i| {
        INVERSE_SBOX[usize::from(bytes[(i + 12 * (i % 4)) % 16])]
    }))
}

/// Multiplies each column by the circulant matrix whose first row is `row`; `None` is 1.
fn multiply_columns(state: u128, row: [Option<&[u8; 256]>; 4]) -> u128 {
    let bytes = state.to_le_bytes();
    u128::from_le_bytes(std::array::from_fn(|i| {
        row.iter().enumerate().fold(0, |sum, (k, table)| {
            let byte = bytes[i & !3 | (i + k) & 3];
            sum ^ table.map_or(byte, |table| table[usize::from(byte)])
        })
    }))
}

/// AESMC.
pub(super) fn mix_columns(state: u128) -> u128 {
    multiply_columns(state, [Some(&TIMES_2), Some(&TIMES_3), None, None])
}

/// AESIMC.
pub(super) fn inverse_mix_columns(state: u128) -> u128 {
    multiply_columns(
        state,
        [Some(&TIMES_E), Some(&TIMES_B), Some(&TIMES_D), Some(&TIMES_9)],
    )
}
