//! Encoding classes of which every word is compared, unallocated ones included:
//! where immediates and reserved values are easily got wrong.

/// The words `base | subset of varying`.
pub struct Class {
    pub name: &'static str,
    pub base: u32,
    pub varying: u32,
}

const fn class(name: &'static str, base: u32, varying: u32) -> Class {
    Class { name, base, varying }
}

/// Bits 31, 30, 29 and the size field 23:22.
const SF: u32 = 1 << 31;
const Q: u32 = 1 << 30;
const U: u32 = 1 << 29;
const SIZE: u32 = 3 << 22;

/// Bits `lsb..lsb+width`.
const fn bits(lsb: u32, width: u32) -> u32 {
    ((1 << width) - 1) << lsb
}

pub const CLASSES: &[Class] = &[
    class("and_imm", 0x1200_0000, SF | bits(10, 13)),
    class("orr_imm", 0x3200_0000, SF | bits(10, 13)),
    class("orr_imm_mov", 0x3200_03e0, SF | bits(10, 13)),
    class("tst_imm", 0x7200_001f, SF | bits(10, 13)),
    class("sbfm", 0x1300_0000, SF | bits(10, 13)),
    class("bfm", 0x3300_0000, SF | bits(10, 13)),
    class("bfm_zr", 0x3300_03e0, SF | bits(10, 13)),
    class("ubfm", 0x5300_0000, SF | bits(10, 13)),
    class("extr", 0x1380_0000, SF | 1 << 22 | bits(10, 6) | bits(16, 2)),
    class("move_wide", 0x1280_0000, SF | Q | U | bits(20, 3) | bits(5, 3)),
    class(
        "move_wide_ones",
        0x129f_ffe0,
        SF | Q | U | bits(20, 3) | bits(5, 2),
    ),
    class(
        "add_sub_imm",
        0x1100_03e0,
        SF | Q | U | bits(22, 2) | bits(10, 2) | bits(0, 5),
    ),
    class("add_sub_ext_sp", 0x0b20_03ff, SF | Q | U | SIZE | bits(10, 6)),
    class("add_sub_ext_rd_sp", 0x0b20_001f, SF | Q | U | SIZE | bits(10, 6)),
    class("add_sub_ext_rn_sp", 0x0b20_03e0, SF | Q | U | SIZE | bits(10, 6)),
    class(
        "add_sub_shifted",
        0x0b00_03e0,
        SF | Q | U | SIZE | bits(10, 6) | bits(0, 2),
    ),
    class(
        "logical_shifted",
        0x0a00_03e0,
        SF | Q | U | SIZE | 1 << 21 | bits(10, 6),
    ),
    class("one_source", 0x5ac0_0000, SF | U | bits(10, 6)),
    class("two_source", 0x1ac0_0000, SF | U | bits(10, 6)),
    class("three_source", 0x1b00_0000, SF | bits(21, 3) | bits(10, 6)),
    class(
        "cond_select",
        0x1a80_0000,
        SF | Q | U | bits(10, 6) | bits(5, 1) | bits(16, 1),
    ),
    class("cond_compare", 0x3a40_0000, SF | Q | bits(10, 6) | bits(4, 1)),
    class("hint", 0xd503_201f, bits(5, 7)),
    class("clrex", 0xd503_305f, bits(8, 4)),
    class("dsb_dmb", 0xd503_309f, bits(8, 4) | 1 << 5),
    class("isb", 0xd503_30df, bits(8, 4)),
    class("branch_reg", 0xd61f_0000, bits(21, 4) | bits(10, 2) | bits(0, 2)),
    class(
        "ldst_reg_offset",
        0x3820_0800,
        SF | Q | 1 << 26 | SIZE | bits(12, 4),
    ),
    class(
        "ldst_unscaled",
        0x3800_0000,
        SF | Q | 1 << 26 | SIZE | bits(10, 2) | 1 << 20 | 1 << 12,
    ),
    class(
        "ldst_uimm",
        0x3900_0000,
        SF | Q | 1 << 26 | SIZE | bits(20, 2) | 1 << 10,
    ),
    class(
        "ldst_pair",
        0x2800_0000,
        SF | Q | 1 << 26 | bits(22, 3) | bits(20, 2) | 1 << 15,
    ),
    class("ldst_exclusive", 0x081f_7c00, SF | Q | bits(21, 3) | 1 << 15),
    class("atomic", 0x3820_0000, SF | Q | SIZE | bits(10, 6)),
    class("ldst_multiple", 0x0c00_0000, Q | bits(22, 2) | bits(10, 6)),
    class("ldst_multiple_post", 0x0c9f_0000, Q | 1 << 22 | bits(10, 6)),
    class("ldst_single", 0x0d00_0000, Q | bits(21, 3) | bits(10, 6)),
    class("ldst_single_post", 0x0d9f_0000, Q | bits(21, 2) | bits(10, 6)),
    class(
        "vector_imm",
        0x0f00_0400,
        Q | U | bits(16, 3) | bits(5, 5) | bits(12, 4),
    ),
    class("vector_shift", 0x0f00_0400, Q | U | bits(16, 7) | bits(11, 5)),
    class("scalar_shift", 0x5f00_0400, U | bits(16, 7) | bits(11, 5)),
    class("vector_copy", 0x0e00_0400, Q | U | bits(16, 5) | bits(11, 4)),
    class("scalar_copy", 0x5e00_0400, U | bits(16, 5) | bits(11, 4)),
    class("vector_same", 0x0e20_0400, Q | U | SIZE | bits(11, 5)),
    class("scalar_same", 0x5e20_0400, U | SIZE | bits(11, 5)),
    class("vector_diff", 0x0e20_0000, Q | U | SIZE | bits(12, 4)),
    class("scalar_diff", 0x5e20_0000, U | SIZE | bits(12, 4)),
    class("vector_misc", 0x0e20_0800, Q | U | SIZE | bits(12, 5)),
    class("scalar_misc", 0x5e20_0800, U | SIZE | bits(12, 5)),
    class("vector_across", 0x0e30_0800, Q | U | SIZE | bits(12, 5)),
    class("scalar_pair", 0x5e30_0800, U | SIZE | bits(12, 5)),
    class(
        "vector_element",
        0x0f00_0000,
        Q | U | SIZE | bits(20, 2) | bits(11, 5),
    ),
    class(
        "scalar_element",
        0x5f00_0000,
        U | SIZE | bits(20, 2) | bits(11, 5),
    ),
    class("permute", 0x0e00_0800, Q | SIZE | bits(12, 3)),
    class("table", 0x0e00_0000, Q | SIZE | bits(12, 3)),
    class("ext", 0x2e00_0000, Q | SIZE | bits(11, 4)),
    class("aes", 0x4e28_0800, SIZE | bits(12, 5)),
    class("sha_two", 0x5e28_0800, SIZE | bits(12, 5)),
    class("sha_three", 0x5e00_0000, SIZE | bits(12, 3)),
    class("fp_imm", 0x1e20_1000, SIZE | bits(13, 8)),
    class("fp_int", 0x1e20_0000, SF | U | SIZE | bits(16, 5)),
    class("fp_fixed", 0x1e00_0000, SF | SIZE | bits(16, 5) | bits(10, 6)),
    class("fp_one", 0x1e20_4000, SIZE | bits(15, 6)),
    class("fp_two", 0x1e20_0800, SIZE | bits(12, 4)),
    class("fp_three", 0x1f00_0000, SIZE | 1 << 21 | 1 << 15),
    class(
        "fp_compare",
        0x1e20_2000,
        SIZE | bits(14, 2) | bits(0, 5) | 1 << 16,
    ),
    class("fp_cond", 0x1e20_0400, SIZE | bits(11, 5) | 1 << 4),
];

impl Class {
    /// All words of the class, in the order of their varying bits.
    pub fn words(&self) -> Vec<u32> {
        let mut words = Vec::new();
        let mut subset = 0u32;
        loop {
            words.push(self.base | subset);
            // The next subset of the varying bits.
            subset = subset.wrapping_sub(self.varying) & self.varying;
            if subset == 0 {
                return words;
            }
        }
    }
}
