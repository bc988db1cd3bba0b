//! Immediates that need computing: bitmasks, modified vector and FP immediates, offsets.

/// Sign-extends the low `bits` of `value`.
#[inline(always)]
#[must_use]
pub const fn sext(value: u64, bits: u32) -> i64 {
    ((value << (64 - bits)) as i64) >> (64 - bits)
}

/// A mask of the low `len` bits (1 to 64).
const fn low_mask(len: u32) -> u64 {
    u64::MAX >> (64 - len)
}

/// The immediate of a logical instruction (DecodeBitMasks, Arm ARM J1); `None` if reserved.
/// For the 32-bit form the value is zero-extended.
#[must_use]
pub const fn bitmask(sf: bool, n: bool, immr: u8, imms: u8) -> Option<u64> {
    let combined = (n as u32) << 6 | (!imms as u32 & 0x3f);
    if combined < 2 || (!sf && n) {
        return None;
    }
    let element = 1u32 << (31 - combined.leading_zeros());
    let levels = element - 1;
    let (ones, rotate) = (imms as u32 & levels, immr as u32 & levels);
    if ones == levels {
        return None;
    }
    let run = low_mask(ones + 1);
    let rotated = if rotate == 0 {
        run
    } else {
        run >> rotate | run << (element - rotate)
    } & low_mask(element);
    let mut value = rotated;
    let mut filled = element;
    while filled < 64 {
        value |= value << filled;
        filled *= 2;
    }
    Some(if sf { value } else { value & 0xffff_ffff })
}

/// The offset of a branch or literal load: `imm` of `bits` bits, in words.
#[inline(always)]
#[must_use]
pub const fn word_offset(imm: u32, bits: u32) -> i64 {
    sext(imm as u64, bits) * 4
}

/// The bit TBZ and TBNZ test.
#[inline(always)]
#[must_use]
pub const fn bit_number(b5: bool, b40: u8) -> u8 {
    (b5 as u8) << 5 | b40
}

/// The offset of ADR (bytes) and ADRP (pages).
#[inline(always)]
#[must_use]
pub const fn adr_offset(immhi: u32, immlo: u8) -> i64 {
    sext((immhi as u64) << 2 | immlo as u64, 21)
}

/// The expanded 8-bit FP immediate (VFPExpandImm): as the bits of a double.
#[must_use]
pub const fn fp_imm_f64(imm8: u8) -> u64 {
    let imm = imm8 as u64;
    let exponent = if imm & 0x40 != 0 { 0x3fc } else { 0x400 } | (imm >> 4 & 3);
    (imm >> 7) << 63 | exponent << 52 | (imm & 15) << 48
}

/// As the bits of a single.
#[must_use]
pub const fn fp_imm_f32(imm8: u8) -> u32 {
    let imm = imm8 as u32;
    let exponent = if imm & 0x40 != 0 { 0x7c } else { 0x80 } | (imm >> 4 & 3);
    (imm >> 7) << 31 | exponent << 23 | (imm & 15) << 19
}

/// As the bits of a half.
#[must_use]
pub const fn fp_imm_f16(imm8: u8) -> u16 {
    let imm = imm8 as u16;
    let exponent = if imm & 0x40 != 0 { 0x0c } else { 0x10 } | (imm >> 4 & 3);
    (imm >> 7) << 15 | exponent << 10 | (imm & 15) << 6
}

/// The modified immediate of Advanced SIMD (AdvSIMDExpandImm): 64 bits, to be repeated.
/// `op`, `cmode` and `imm8` (`abcdefgh`) as encoded.
#[must_use]
pub const fn simd_imm(op: bool, cmode: u8, imm8: u8) -> u64 {
    let imm = imm8 as u64;
    match cmode >> 1 {
        0..=3 => repeat32(imm << (8 * (cmode >> 1))),
        4 | 5 => repeat16(imm << (8 * (cmode >> 1 & 1))),
        6 if cmode & 1 == 0 => repeat32(imm << 8 | 0xff),
        6 => repeat32(imm << 16 | 0xffff),
        _ if cmode & 1 == 0 && !op => imm * 0x0101_0101_0101_0101,
        _ if cmode & 1 == 0 => spread_bits(imm8),
        _ if !op => repeat32(fp_imm_f32(imm8) as u64),
        _ => fp_imm_f64(imm8),
    }
}

const fn repeat16(value: u64) -> u64 {
    value * 0x0001_0001_0001_0001
}

const fn repeat32(value: u64) -> u64 {
    value | value << 32
}

/// Each bit becomes a byte of zeros or ones.
const fn spread_bits(bits: u8) -> u64 {
    let mut value = 0;
    let mut n = 0;
    while n < 8 {
        if bits >> n & 1 != 0 {
            value |= 0xff << (8 * n);
        }
        n += 1;
    }
    value
}

/// The offset of LDRAA and LDRAB in bytes: a signed number of ten bits, times eight.
#[must_use]
pub const fn authenticated_offset(s: bool, imm9: u16) -> i64 {
    let words = imm9 as i64 - if s { 512 } else { 0 };
    words * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DecodeBitMasks said differently: build the element bit by bit.
    fn bitmask_model(sf: bool, n: bool, immr: u8, imms: u8) -> Option<u64> {
        let selector = u32::from(n) << 6 | u32::from(!imms & 0x3f);
        let len = (0..7).rev().find(|bit| selector >> bit & 1 != 0)?;
        let size = 1u32 << len;
        if len == 0 || (!sf && size == 64) {
            return None;
        }
        let (s, r) = (u32::from(imms) % size, u32::from(immr) % size);
        if s == size - 1 {
            return None;
        }
        let width = if sf { 64 } else { 32 };
        Some(
            (0..width)
                .filter(|bit| (bit + r) % size <= s)
                .map(|bit| 1u64 << bit)
                .sum(),
        )
    }

    #[test]
    fn bitmask_agrees_with_a_bitwise_model_for_every_encoding() {
        for code in 0..1u32 << 14 {
            let (sf, n) = (code >> 13 != 0, code >> 12 & 1 != 0);
            let (immr, imms) = ((code >> 6 & 63) as u8, (code & 63) as u8);
            let expected = bitmask_model(sf, n, immr, imms);
            assert_eq!(bitmask(sf, n, immr, imms), expected, "{sf} {n} {immr} {imms}");
        }
    }

    #[test]
    fn fp_immediates_have_the_same_value_in_all_sizes() {
        for imm8 in 0..=255u8 {
            let double = f64::from_bits(fp_imm_f64(imm8));
            let expected = (16.0 + f64::from(imm8 & 15)) / 16.0
                * 2f64.powi(i32::from(imm8 >> 4 & 7 ^ 4) - 3)
                * if imm8 & 0x80 != 0 { -1.0 } else { 1.0 };
            assert_eq!(double, expected, "{imm8:#x}");
            assert_eq!(f64::from(f32::from_bits(fp_imm_f32(imm8))), double, "{imm8:#x}");
        }
    }

    #[test]
    fn offsets_are_signed() {
        assert_eq!(word_offset(0x3ff_ffff, 26), -4);
        assert_eq!(adr_offset(0x7_ffff, 3), -1);
        assert_eq!(adr_offset(1, 1), 5);
    }
}
