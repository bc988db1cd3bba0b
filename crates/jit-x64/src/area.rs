//! The memory of one guest CPU as generated code sees it, all of it at fixed
//! distances from the state register.
//!
//! ```text
//! CpuArea | poll page | lookup tables
//! ```
//! Each part starts on a page of its own, because the poll page is made unreadable
//! to stop the CPU.

use crate::host_state::{HostFlags, HostState};
use guest::CpuState;
use guest_memory::routines::Routines;
use semantics::ops::Indirect;

/// Interprets one instruction, the word, on the CPU of this area: 0 to go on. The shared code calls it
/// (`Stub::Interpret`) by the platform's convention.
pub type Interpret = extern "C" fn(&mut CpuArea, u32) -> u32;

/// Fields only generated code and its callers use.
#[derive(Clone)]
#[repr(C)]
pub struct Runtime {
    /// Host stack pointer to go back to.
    pub host_rsp: u64,
    /// Return stack pointer while not in generated code.
    pub return_rsp: u64,
    pub interpret: Interpret,
    pub routines: Routines,
    /// Return stack pointer when the stack is empty.
    pub return_base: u64,
    /// Start of the unreadable page below the return stack.
    pub return_guard: u64,
    /// Where the engine's handlers note why they stopped the CPU.
    pub pending: u64,
    /// MXCSR of the host's own code.
    pub host_mxcsr: u32,
    pub reserved: u32,
    /// What registers held that an operation borrows.
    pub borrowed: [[u64; 2]; MAX_BORROWED],
}

/// Vector registers one operation may borrow.
pub const MAX_BORROWED: usize = 6;

/// State, runtime fields and constants of one CPU.
#[repr(C, align(64))]
pub struct CpuArea {
    pub state: CpuState,
    pub host: HostState,
    pub runtime: Runtime,
    pub consts: Consts,
}

/// Constants that vector sequences use as memory operands.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Consts {
    pub sign_s: [u32; 4],
    pub sign_d: [u64; 2],
    pub abs_s: [u32; 4],
    pub abs_d: [u64; 2],
    /// Only lane 0 of the size kept.
    pub low_b: [u8; 16],
    pub low_h: [u16; 8],
    pub zero: [u64; 2],
    /// All bits set, to invert with VPXOR.
    pub ones: [u64; 2],
    /// Population count of a nibble, for VPSHUFB.
    pub popcount: [u8; 16],
    pub nibble: [u8; 16],
    /// Bit-reversed nibble, in the low and in the high half of a byte.
    pub rbit_low: [u8; 16],
    pub rbit_high: [u8; 16],
    /// Byte orders of REV16, REV32, REV64.
    pub rev16_b: [u8; 16],
    pub rev32_b: [u8; 16],
    pub rev32_h: [u8; 16],
    pub rev64_b: [u8; 16],
    pub rev64_h: [u8; 16],
    /// Even bytes, halfwords to the low half (UZP1, XTN).
    pub even_b: [u8; 16],
    pub odd_b: [u8; 16],
    pub even_h: [u8; 16],
    pub odd_h: [u8; 16],
    /// 0x70 added with saturation moves indices above 15 beyond 0x80 (TBL).
    pub tbl_bias: [u8; 16],
    pub byte_ones: [u8; 16],
    pub half_ones: [u16; 8],
    pub low_byte_h: [u16; 8],
    pub low_half_s: [u32; 4],
    pub low_word_d: [u64; 2],
    /// The sign bit of each lane, and all others.
    pub sign_b: [u8; 16],
    pub sign_h: [u16; 8],
    pub max_b: [u8; 16],
    pub max_h: [u16; 8],
    /// Leading zeros of a byte by its low nibble (the high one being zero) and by its high one.
    pub clz_low: [u8; 16],
    pub clz_high: [u8; 16],
    pub eight_b: [u8; 16],
    pub sixteen_h: [u16; 8],
    /// Half a unit of the upper half of each lane.
    pub half_unit_h: [u16; 8],
    pub half_unit_s: [u32; 4],
    pub half_unit_d: [u64; 2],
    /// One less than that.
    pub below_half_unit_d: [u64; 2],
    /// Half a unit of the topmost byte.
    pub half_unit_top_b: [u32; 4],
    pub one_s: [u32; 4],
    pub one_d: [u64; 2],
    /// The topmost byte or halfword of each word.
    pub top_b: [u32; 4],
    pub top_h: [u32; 4],
    /// The low byte of each doubleword, to be widened.
    pub low_bytes_d: [u8; 16],
    /// For shifts of bytes by multiplication: the least amount, what makes an index of an
    /// amount, and the two bytes of the multiplier.
    pub shift_least: [u8; 16],
    pub shift_bias: [u8; 16],
    pub shift_low: [u8; 16],
    pub shift_high: [u8; 16],
    pub sixteen_b: [u8; 16],
    /// Makes indices beyond two, three, four table registers negative (TBX).
    pub tbx_bias2: [u8; 16],
    pub tbx_bias3: [u8; 16],
    pub tbx_bias4: [u8; 16],
    /// Doublewords rotated right by eight.
    pub ror8_d: [u8; 16],
    pub abs_h: [u16; 8],
    pub smallest_h: [u16; 8],
    pub smallest_s: [u32; 4],
    pub smallest_d: [u64; 2],
    /// The bits of a double that a single does not have, and the others.
    pub sticky: [u64; 4],
    pub kept: [u64; 4],
    pub half_s: [u32; 4],
    pub half_d: [u64; 2],
    /// 1.0.
    pub unity_s: [u32; 4],
    pub unity_d: [u64; 2],
    /// 2^31 and 2^63, the limits of FRINT32 and FRINT64.
    pub two31_s: [u32; 4],
    pub two31_d: [u64; 2],
    pub two63_s: [u32; 4],
    pub two63_d: [u64; 2],
    /// 2^16.
    pub two16_s: [u32; 4],
    /// FRSQRTS: 1.5, and what is too small to be halved without a thought.
    pub three_halves_s: [u32; 4],
    pub three_halves_d: [u64; 2],
    pub small_s: [u32; 4],
    pub small_d: [u64; 2],
    /// Words rotated right by eight and by 24.
    pub ror8_s: [u8; 16],
    pub ror24_s: [u8; 16],
    /// The constants of SHA-1's rounds.
    pub sha1_k: [[u32; 4]; 3],
    /// CRC32 by Barrett reduction, bit-reflected: the low 64 bits of x^96 / P, and P.
    pub crc_quotient: [u64; 2],
    pub crc_polynomial: [u64; 2],
    /// FRECPE and FRSQRTE: fractions in place, by the operand's fraction (and the lowest bit of
    /// its exponent). (Arm ARM, RecipEstimate and RecipSqrtEstimate.)
    pub recpe: [u32; 256],
    pub rsqrte: [u32; 512],
    pub largest_recpe: [u32; 4],
    pub recpe_exponent: [u32; 4],
    pub largest_rsqrte: [u32; 4],
    pub rsqrte_exponent: [u32; 4],
    /// Flags after UCOMIS: `lahf & 0x7f` to the state's flag format.
    pub fp_flags: [u16; 128],
    pub fp_flags_swapped: [u16; 128],
    /// The bits of the smallest normal double, one place up: without the sign.
    pub smallest_unsigned_d: [u64; 2],
}

const fn flag_word(nzcv: u32) -> u16 {
    HostFlags::from_nzcv(nzcv << 28).0 as u16
}

/// ZF, PF and CF after UCOMIS of (a, b), as NZCV of FCMP a, b: unordered 0011, less 1000,
/// equal 0110, greater 0010. `swapped`: UCOMIS of (b, a).
const fn fp_flag_table(swapped: bool) -> [u16; 128] {
    let mut table = [0; 128];
    let mut i = 0;
    while i < 128 {
        let (zf, pf, cf) = (i & 0x40 != 0, i & 4 != 0, i & 1 != 0);
        let nzcv = if pf {
            0b0011
        } else if zf {
            0b0110
        } else if cf != swapped {
            0b1000
        } else {
            0b0010
        };
        table[i] = flag_word(nzcv);
        i += 1;
    }
    table
}

/// 1 over the middle of each of 256 intervals from 1 to 2.
const fn recpe_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let middle = (i as u32 + 256) * 2 + 1;
        let estimate = ((1 << 19) / middle).div_ceil(2);
        table[i] = (estimate & 0xff) << 15;
        i += 1;
    }
    table
}

/// 1 over the root of each of 256 intervals from 0.5 to 1 (an even exponent), and of half of
/// them from 0.25 to 0.5 (an odd one; the upper half of the table).
const fn rsqrte_table() -> [u32; 512] {
    let mut table = [0; 512];
    let mut i = 0;
    while i < 512 {
        let scaled = (i as u32 & 0xff) | 0x100;
        // Over 1024: the middle of the interval.
        let a = if i < 256 {
            ((scaled >> 1 << 1) + 1) * 2
        } else {
            (scaled >> 1) * 2 + 1
        };
        let mut b = 512;
        while a * (b + 1) * (b + 1) < 1 << 28 {
            b += 1;
        }
        table[i] = (b.div_ceil(2) & 0xff) << 15;
        i += 1;
    }
    table
}

/// What each area has of them.
pub static CONSTS: Consts = Consts::new();

impl Consts {
    const fn new() -> Self {
        let x = 0x80;
        Consts {
            sign_s: [1 << 31; 4],
            sign_d: [1 << 63; 2],
            abs_s: [!(1 << 31); 4],
            abs_d: [!(1 << 63); 2],
            low_b: [255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            low_h: [0xffff, 0, 0, 0, 0, 0, 0, 0],
            zero: [0; 2],
            ones: [u64::MAX; 2],
            popcount: [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4],
            nibble: [15; 16],
            rbit_low: [
                0, 128, 64, 192, 32, 160, 96, 224, 16, 144, 80, 208, 48, 176, 112, 240,
            ],
            rbit_high: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
            rev16_b: [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14],
            rev32_b: [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12],
            rev32_h: [2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13],
            rev64_b: [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8],
            rev64_h: [6, 7, 4, 5, 2, 3, 0, 1, 14, 15, 12, 13, 10, 11, 8, 9],
            even_b: [0, 2, 4, 6, 8, 10, 12, 14, x, x, x, x, x, x, x, x],
            odd_b: [1, 3, 5, 7, 9, 11, 13, 15, x, x, x, x, x, x, x, x],
            even_h: [0, 1, 4, 5, 8, 9, 12, 13, x, x, x, x, x, x, x, x],
            odd_h: [2, 3, 6, 7, 10, 11, 14, 15, x, x, x, x, x, x, x, x],
            tbl_bias: [0x70; 16],
            byte_ones: [1; 16],
            half_ones: [1; 8],
            low_byte_h: [0xff; 8],
            low_half_s: [0xffff; 4],
            low_word_d: [0xffff_ffff; 2],
            sign_b: [0x80; 16],
            sign_h: [0x8000; 8],
            max_b: [0x7f; 16],
            max_h: [0x7fff; 8],
            clz_low: [8, 7, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4],
            clz_high: [15, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            eight_b: [8; 16],
            sixteen_h: [16; 8],
            half_unit_h: [1 << 7; 8],
            half_unit_s: [1 << 15; 4],
            half_unit_d: [1 << 31; 2],
            below_half_unit_d: [(1 << 31) - 1; 2],
            half_unit_top_b: [1 << 23; 4],
            one_s: [1; 4],
            one_d: [1; 2],
            top_b: [0xff00_0000; 4],
            top_h: [0xffff_0000; 4],
            low_bytes_d: [0, 8, x, x, x, x, x, x, x, x, x, x, x, x, x, x],
            shift_least: [0xf8; 16],
            shift_bias: [0x78; 16],
            shift_low: [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0],
            shift_high: [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128],
            sixteen_b: [16; 16],
            tbx_bias2: [0x60; 16],
            tbx_bias3: [0x50; 16],
            tbx_bias4: [0x40; 16],
            ror8_d: [1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8],
            abs_h: [!(1 << 15); 8],
            smallest_h: [1 << 10; 8],
            smallest_s: [1 << 23; 4],
            smallest_d: [1 << 52; 2],
            sticky: [(1 << 29) - 1; 4],
            kept: [!((1 << 29) - 1); 4],
            half_s: [0x3f00_0000; 4],
            half_d: [0x3fe0 << 48; 2],
            unity_s: [0x3f80_0000; 4],
            unity_d: [0x3ff0 << 48; 2],
            two31_s: [(127 + 31) << 23; 4],
            two31_d: [(1023 + 31) << 52; 2],
            two63_s: [(127 + 63) << 23; 4],
            two63_d: [(1023 + 63) << 52; 2],
            two16_s: [(127 + 16) << 23; 4],
            three_halves_s: [0x3fc0_0000; 4],
            three_halves_d: [0x3ff8 << 48; 2],
            small_s: [8 << 23; 4],
            small_d: [8 << 52; 2],
            ror8_s: [1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12],
            ror24_s: [3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14],
            sha1_k: [[0x5a82_7999; 4], [0x6ed9_eba1; 4], [0x8f1b_bcdc; 4]],
            crc_quotient: [0xb4e5_b025_f701_1641, 0],
            crc_polynomial: [0x1_db71_0641, 0],
            recpe: recpe_table(),
            rsqrte: rsqrte_table(),
            // Operands with these exponents, less one, and below have a normal estimate.
            largest_recpe: [251; 4],
            recpe_exponent: [252; 4],
            largest_rsqrte: [253; 4],
            rsqrte_exponent: [379; 4],
            fp_flags: fp_flag_table(false),
            fp_flags_swapped: fp_flag_table(true),
            smallest_unsigned_d: [1 << 53; 2],
        }
    }
}

const PAGE: usize = 4096;

/// Distance of the poll page from the start of the area, in bytes.
pub const POLL_OFFSET: usize = size_of::<CpuArea>().next_multiple_of(PAGE);

/// Entries of the lookup table, a power of two.
pub const LOOKUP_ENTRIES: usize = 4096;

/// One entry of the lookup table: where the code of a guest address is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct LookupEntry {
    pub guest_pc: u64,
    pub host_pc: u64,
}

/// The lookup tables, by what may be entered through them. A block stands in one only if
/// each branch that probes it may go there, so that FEAT_BTI costs no check: what it forbids
/// is a miss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum LookupTable {
    /// Any block: for returns that the return stack missed.
    Any,
    /// What calls and jumps of linkage stubs may enter.
    Call,
    /// What other jumps from guarded pages may enter.
    Jump,
}

impl LookupTable {
    pub const ALL: [LookupTable; 3] = [LookupTable::Any, LookupTable::Call, LookupTable::Jump];

    /// The one a branch probes.
    #[must_use]
    pub const fn of(kind: Indirect) -> LookupTable {
        match kind {
            Indirect::Return => LookupTable::Any,
            Indirect::Call | Indirect::JumpStub => LookupTable::Call,
            Indirect::Jump => LookupTable::Jump,
        }
    }

    /// Its distance from the start of the area.
    #[must_use]
    pub const fn offset(self) -> usize {
        LOOKUP_OFFSET + self as usize * LOOKUP_ENTRIES * size_of::<LookupEntry>()
    }
}

/// Distance of the first lookup table from the start of the area.
pub const LOOKUP_OFFSET: usize = POLL_OFFSET + PAGE;

/// Size of the whole area.
pub const AREA_SIZE: usize =
    LOOKUP_OFFSET + LookupTable::ALL.len() * LOOKUP_ENTRIES * size_of::<LookupEntry>();

/// Mask of the guest address bits that choose an entry. Instructions are 4 bytes and entries 16, so
/// the masked address times 4 is the entry's offset in bytes.
pub const LOOKUP_MASK: u32 = ((LOOKUP_ENTRIES - 1) << 2) as u32;

/// The entry of a guest address.
#[must_use]
pub const fn lookup_index(pc: u64) -> usize {
    ((pc as u32 & LOOKUP_MASK) >> 2) as usize
}

/// Offset of a field of the host's state from the start of the area.
#[macro_export]
macro_rules! host_offset {
    ($field:ident) => {
        (::std::mem::offset_of!($crate::area::CpuArea, host)
            + ::std::mem::offset_of!($crate::host_state::HostState, $field)) as i32
    };
}

/// Offset of a runtime field from the start of the area.
#[macro_export]
macro_rules! runtime_offset {
    ($field:ident) => {
        (::std::mem::offset_of!($crate::area::CpuArea, runtime)
            + ::std::mem::offset_of!($crate::area::Runtime, $field)) as i32
    };
}

/// Offset of a constant from the start of the area.
#[macro_export]
macro_rules! const_offset {
    ($field:ident) => {
        (::std::mem::offset_of!($crate::area::CpuArea, consts)
            + ::std::mem::offset_of!($crate::area::Consts, $field)) as i32
    };
}
