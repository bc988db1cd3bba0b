//! Advanced SIMD operand fields that need computing: lane sizes and indices, shift
//! amounts, elements and single structures. The tables and the semantics share them.
//!
//! Sizes are log2 of bytes: 0 for B to 3 for D.

use crate::text::{lane, pick};

/// "2" for the instructions that work on upper halves.
#[must_use]
pub fn two(q: bool) -> &'static str {
    pick(q, "2", "")
}

// --- copy: the lowest set bit of `imm5` tells the size, the bits above it count ---

/// The size in `imm5`, which is not zero.
#[must_use]
pub const fn lane_size(imm5: u8) -> u8 {
    imm5.trailing_zeros() as u8
}

/// The index in `imm5`.
#[must_use]
pub const fn lane_index(imm5: u8) -> u8 {
    imm5 >> 1 >> lane_size(imm5)
}

/// The lane of register `n` that `imm5` names.
#[must_use]
pub fn imm5_lane(imm5: u8, n: u8) -> String {
    lane(lane_size(imm5), n, lane_index(imm5))
}

// --- shift by immediate: the highest set bit of `immh` tells the size ---

/// The size in `immh`, which is not zero.
#[must_use]
pub const fn shift_size(immh: u8) -> u8 {
    7 - immh.leading_zeros() as u8
}

/// The amount of a left shift: what `immh:immb` counts beyond the lane's width.
#[must_use]
pub const fn left_amount(immh: u8, immb: u8) -> u8 {
    (immh << 3 | immb) - (8 << shift_size(immh))
}

/// The amount of a right shift, which counts down from the lane's width.
#[must_use]
pub const fn right_amount(immh: u8, immb: u8) -> u8 {
    (8 << shift_size(immh)) - left_amount(immh, immb)
}

// --- by element: halfwords have three bits of index and only V0 to V15 ---

/// The register of the element.
#[must_use]
pub const fn elem_register(size: u8, m: bool, rm: u8) -> u8 {
    if size == 1 { rm } else { (m as u8) << 4 | rm }
}

/// The index of the element: `H:L:M`, `H:L` or `H`.
#[must_use]
pub const fn elem_index(size: u8, h: bool, l: bool, m: bool) -> u8 {
    let all = (h as u8) << 2 | (l as u8) << 1 | m as u8;
    all >> size.saturating_sub(1)
}

/// The element as an operand.
#[must_use]
pub fn element(size: u8, h: bool, l: bool, m: bool, rm: u8) -> String {
    lane(size, elem_register(size, m, rm), elem_index(size, h, l, m))
}

/// The group of four bytes that the dot products take as their element.
#[must_use]
pub fn byte_group(h: bool, l: bool, rm: u8) -> String {
    format!("v{rm}.4b[{}]", elem_index(2, h, l, false))
}

// --- single structures: `scale` is opcode<2:1>, and doublewords share that of words ---

/// Whether the unused bits of the index have the values they must.
#[must_use]
pub const fn single_valid(scale: u8, s: bool, size: u8) -> bool {
    match scale {
        0 => true,
        1 => size & 1 == 0,
        _ => size == 0 || (size == 1 && !s),
    }
}

/// The size of the lane.
#[must_use]
pub const fn single_size(scale: u8, size: u8) -> u8 {
    if scale == 2 && size & 1 != 0 { 3 } else { scale }
}

/// The index of the lane: the bits of `Q:S:size` that its size leaves.
#[must_use]
pub const fn single_index(scale: u8, q: bool, s: bool, size: u8) -> u8 {
    let bits = (q as u8) << 3 | (s as u8) << 2 | size;
    bits >> single_size(scale, size)
}

/// The 64-bit immediate of MOVI as LLVM prints it: 16 characters, and zero without `0x`.
#[must_use]
pub fn byte_mask_text(imm8: u8) -> String {
    match crate::imm::simd_imm(true, 0b1110, imm8) {
        0 => "0".repeat(16),
        mask => format!("{mask:#016x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_amounts_of_all_encodings() {
        // Left amounts ascend from 0, right ones descend to 1, in each size.
        for code in 8..128u8 {
            let (immh, immb) = (code >> 3, code & 7);
            let bits = [8, 16, 32, 64].into_iter().rfind(|bits| code >= *bits).unwrap();
            assert_eq!(8 << shift_size(immh), bits);
            assert_eq!(left_amount(immh, immb), code - bits);
            assert_eq!(right_amount(immh, immb), 2 * bits - code);
        }
    }

    #[test]
    fn lanes_of_copies() {
        let cases = [
            (0b00001, 0, 0),
            (0b11111, 0, 15),
            (0b10110, 1, 5),
            (0b11100, 2, 3),
            (0b11000, 3, 1),
        ];
        for (imm5, size, index) in cases {
            assert_eq!((lane_size(imm5), lane_index(imm5)), (size, index), "{imm5:#b}");
        }
    }

    #[test]
    fn elements_and_single_structures() {
        assert_eq!(element(1, true, false, true, 15), "v15.h[5]");
        assert_eq!(element(2, true, false, true, 15), "v31.s[2]");
        assert_eq!(element(3, true, false, true, 15), "v31.d[1]");
        assert_eq!((single_size(0, 3), single_index(0, true, true, 3)), (0, 15));
        assert_eq!((single_size(2, 1), single_index(2, true, false, 1)), (3, 1));
        assert!(!single_valid(2, true, 1) && !single_valid(1, false, 1) && !single_valid(2, false, 2));
    }

    #[test]
    fn masks_as_llvm_prints_them() {
        assert_eq!(byte_mask_text(0), "0000000000000000");
        assert_eq!(byte_mask_text(1), "0x000000000000ff");
        assert_eq!(byte_mask_text(0x81), "0xff000000000000ff");
    }
}
