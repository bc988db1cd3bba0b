//! What the tables' disassembly texts are made of: register names, immediates, suffixes.
//!
//! Every function returns something printable; the texts call them in braces.

mod fp;
mod ldst;
mod pauth;
mod system;

pub use fp::*;
pub use ldst::*;
pub use pauth::{a_or_b, key, zero_key};
pub use system::*;

use std::fmt::{Display, Write as _};

/// Appends a value to a text.
pub fn put(out: &mut String, value: impl Display) {
    let _ = write!(out, "{value}");
}

/// `on` if the bit is set, else `off`.
#[must_use]
pub fn pick<'a>(bit: bool, on: &'a str, off: &'a str) -> &'a str {
    if bit { on } else { off }
}

/// The entry of a list, or `?` beyond its end.
#[must_use]
pub fn nth<'a>(index: u8, names: &[&'a str]) -> &'a str {
    names.get(usize::from(index)).copied().unwrap_or("?")
}

// --- general registers ---

/// X register; 31 is xzr.
#[must_use]
pub fn x(n: u8) -> String {
    if n == 31 {
        "xzr".to_owned()
    } else {
        format!("x{n}")
    }
}

/// W register; 31 is wzr.
#[must_use]
pub fn w(n: u8) -> String {
    if n == 31 {
        "wzr".to_owned()
    } else {
        format!("w{n}")
    }
}

/// X register; 31 is sp.
#[must_use]
pub fn xsp(n: u8) -> String {
    if n == 31 { "sp".to_owned() } else { format!("x{n}") }
}

/// W register; 31 is wsp.
#[must_use]
pub fn wsp(n: u8) -> String {
    if n == 31 {
        "wsp".to_owned()
    } else {
        format!("w{n}")
    }
}

/// X or W register by `sf`; 31 is the zero register.
#[must_use]
pub fn wx(sf: bool, n: u8) -> String {
    if sf { x(n) } else { w(n) }
}

/// X or W register by `sf`; 31 is the stack pointer.
#[must_use]
pub fn wxsp(sf: bool, n: u8) -> String {
    if sf { xsp(n) } else { wsp(n) }
}

// --- SIMD and floating-point registers ---

/// Scalar register of log2 size in bytes `size`: b, h, s, d, q.
#[must_use]
pub fn scalar(size: u8, n: u8) -> String {
    format!("{}{n}", nth(size, &["b", "h", "s", "d", "q"]))
}

/// Scalar register by the `ftype` field: 0 s, 1 d, 3 h.
#[must_use]
pub fn fp(ftype: u8, n: u8) -> String {
    format!("{}{n}", nth(ftype, &["s", "d", "q", "h"]))
}

/// Vector register with lanes of log2 size `size`, 64 or 128 bits by `q`: v0.8b, v0.16b...
#[must_use]
pub fn vec(q: bool, size: u8, n: u8) -> String {
    format!("v{n}.{}", arrangement(q, size))
}

/// 8b, 16b, 4h, 8h, 2s, 4s, 1d, 2d (and 1q).
#[must_use]
pub fn arrangement(q: bool, size: u8) -> &'static str {
    let names = if q {
        ["16b", "8h", "4s", "2d", "1q"]
    } else {
        ["8b", "4h", "2s", "1d", "1q"]
    };
    names.get(usize::from(size)).copied().unwrap_or("?")
}

/// One lane: v0.s[1].
#[must_use]
pub fn lane(size: u8, n: u8, index: u8) -> String {
    format!("v{n}.{}[{index}]", nth(size, &["b", "h", "s", "d"]))
}

/// A list of `count` consecutive registers (wrapping): { v30.16b, v31.16b, v0.16b }.
#[must_use]
pub fn vec_list(q: bool, size: u8, first: u8, count: u8) -> String {
    list(first, count, arrangement(q, size))
}

/// As [`vec_list`], with a suffix for lanes: { v0.b, v1.b }.
#[must_use]
pub fn lane_list(size: u8, first: u8, count: u8) -> String {
    list(first, count, nth(size, &["b", "h", "s", "d"]))
}

fn list(first: u8, count: u8, suffix: &str) -> String {
    let names: Vec<_> = (0..count)
        .map(|k| format!("v{}.{suffix}", (first + k) % 32))
        .collect();
    format!("{{ {} }}", names.join(", "))
}

// --- immediates ---

/// In hexadecimal; zero is just `0`.
#[must_use]
pub fn hex(value: u64) -> String {
    if value == 0 {
        "0".to_owned()
    } else {
        format!("{value:#x}")
    }
}

/// An FP immediate as LLVM prints it, with eight decimals.
#[must_use]
pub fn fp_imm(imm8: u8) -> String {
    format!("{:.8}", f64::from_bits(crate::imm::fp_imm_f64(imm8)))
}

/// The address `offset` bytes from `pc`.
#[must_use]
pub fn label(pc: u64, offset: i64) -> String {
    format!("{:#x}", pc.wrapping_add_signed(offset))
}

/// ", #offset" unless it is zero.
#[must_use]
pub fn offset(value: i64) -> String {
    if value == 0 {
        String::new()
    } else {
        format!(", #{value}")
    }
}

// --- operands ---

/// Condition code.
#[must_use]
pub fn cc(code: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
    ];
    NAMES[usize::from(code & 15)]
}

/// The opposite condition code.
#[must_use]
pub fn inverse_cc(code: u8) -> &'static str {
    cc(code ^ 1)
}

/// ", lsl #3" and so on; nothing for `lsl #0`.
#[must_use]
pub fn shifted(shift: u8, amount: u8) -> String {
    if shift == 0 && amount == 0 {
        return String::new();
    }
    format!(", {} #{amount}", nth(shift, &["lsl", "lsr", "asr", "ror"]))
}

/// uxtb to sxtx.
#[must_use]
pub fn extend_name(option: u8) -> &'static str {
    nth(
        option,
        &["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"],
    )
}

// --- immediates of data processing ---

/// 32 or 64.
#[must_use]
pub fn width_of(sf: bool) -> u8 {
    if sf { 64 } else { 32 }
}

/// The value of a logical immediate.
#[must_use]
pub fn mask_text(sf: bool, n: bool, immr: u8, imms: u8) -> String {
    format!("{:#x}", crate::imm::bitmask(sf, n, immr, imms).unwrap_or(0))
}

/// The value of a logical immediate as the operand of the `mov` alias.
#[must_use]
pub fn signed_mask_text(sf: bool, n: bool, immr: u8, imms: u8) -> String {
    let value = crate::imm::bitmask(sf, n, immr, imms).unwrap_or(0);
    format!("{}", if sf { value as i64 } else { i64::from(value as i32) })
}

/// Whether MOVZ or MOVN can make the value of a logical immediate, so that the
/// `mov` alias is theirs (MoveWidePreferred, Arm ARM J1).
#[must_use]
pub fn is_wide_move(sf: bool, n: bool, immr: u8, imms: u8) -> bool {
    let value = crate::imm::bitmask(sf, n, immr, imms).unwrap_or(0);
    let flipped = if sf { !value } else { !value & 0xffff_ffff };
    let fits = |value: u64| (0..4).any(|part| value & !(0xffff << (16 * part)) == 0);
    fits(value) || fits(flipped)
}

/// The value MOVZ makes.
#[must_use]
pub fn movz_text(sf: bool, imm16: u16, hw: u8) -> i64 {
    let value = u64::from(imm16) << (16 * u32::from(hw));
    if sf { value as i64 } else { i64::from(value as i32) }
}

/// The value MOVN makes.
#[must_use]
pub fn movn_text(sf: bool, imm16: u16, hw: u8) -> i64 {
    let value = !(u64::from(imm16) << (16 * u32::from(hw)));
    if sf { value as i64 } else { i64::from(value as i32) }
}

/// The register operand of the extended-register ADD and SUB. With SP among the other
/// operands the extension of the same width is called `lsl`, or left out.
#[must_use]
pub fn extended(sf: bool, rm: u8, option: u8, amount: u8, with_sp: bool) -> String {
    let register = wx(sf && option & 3 == 3, rm);
    let natural = if sf { 3 } else { 2 };
    match (with_sp && option == natural, amount) {
        (true, 0) => register,
        (true, _) => format!("{register}, lsl #{amount}"),
        (false, 0) => format!("{register}, {}", extend_name(option)),
        (false, _) => format!("{register}, {} #{amount}", extend_name(option)),
    }
}
