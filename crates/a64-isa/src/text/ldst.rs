//! Operands and suffixes of loads and stores.

use super::{extend_name, nth, offset, w, x, xsp};

/// The suffix for sizes below a register: `b`, `h`.
#[must_use]
pub fn bh(size: u8) -> &'static str {
    nth(size, &["b", "h", "", ""])
}

/// The suffix of sign-extending loads: `b`, `h`, `w`.
#[must_use]
pub fn bhw(size: u8) -> &'static str {
    nth(size, &["b", "h", "w"])
}

/// `a`, `l`, `al`: acquire and release.
#[must_use]
pub fn order(acquire: bool, release: bool) -> &'static str {
    match (acquire, release) {
        (false, false) => "",
        (true, false) => "a",
        (false, true) => "l",
        (true, true) => "al",
    }
}

/// Log2 of the bytes of a SIMD&FP access: `opc<1>` makes size 0 16 bytes.
#[must_use]
pub fn v_size(opc1: bool, size: u8) -> u8 {
    if opc1 { 4 } else { size }
}

/// The prefetch operation of PRFM.
#[must_use]
pub fn prefetch(operation: u8) -> String {
    let (kind, target, policy) = (operation >> 3, operation >> 1 & 3, operation & 1);
    if kind == 3 {
        return format!("#{operation}");
    }
    let kind = nth(kind, &["pld", "pli", "pst"]);
    let target = nth(target, &["l1", "l2", "l3", "slc"]);
    format!("{kind}{target}{}", nth(policy, &["keep", "strm"]))
}

/// The operation of RPRFM, which lives in unused prefetch operations.
#[must_use]
pub fn range_prefetch(rt: u8, option: u8, s: bool) -> String {
    let operation = (option >> 2 & 1) << 5 | (option & 1) << 4 | u8::from(s) << 3 | rt & 7;
    match operation {
        0 => "pldkeep".to_owned(),
        1 => "pstkeep".to_owned(),
        4 => "pldstrm".to_owned(),
        5 => "pststrm".to_owned(),
        _ => format!("#{operation}"),
    }
}

/// The index register of a register-offset access of log2 size `size`.
#[must_use]
pub fn index(rm: u8, option: u8, scaled: bool, size: u8) -> String {
    let register = if option & 1 != 0 { x(rm) } else { w(rm) };
    match (option, scaled) {
        (3, false) => register,
        (3, true) => format!("{register}, lsl #{size}"),
        (_, false) => format!("{register}, {}", extend_name(option)),
        (_, true) => format!("{register}, {} #{size}", extend_name(option)),
    }
}

/// Log2 of the bytes of a W or X register.
#[must_use]
pub fn reg_size(sf: bool) -> u8 {
    if sf { 3 } else { 2 }
}

/// The suffix of the memory copy instructions: unprivileged and non-temporal accesses.
#[must_use]
pub fn copy_options(op2: u8) -> &'static str {
    let names = [
        "", "wt", "rt", "t", "wn", "wtwn", "rtwn", "twn", "rn", "wtrn", "rtrn", "trn", "n", "wtn", "rtn",
        "tn",
    ];
    nth(op2, &names)
}

/// The suffix of the memory set instructions.
#[must_use]
pub fn set_options(option: u8) -> &'static str {
    nth(option, &["", "t", "n", "tn"])
}

/// The place a tag store writes: post-indexed (1), with an offset (2) or pre-indexed (3).
#[must_use]
pub fn tag_place(mode: u8, rn: u8, bytes: i64) -> String {
    let base = xsp(rn);
    match mode {
        1 => format!("[{base}], #{bytes}"),
        2 => format!("[{base}{}]", offset(bytes)),
        _ => format!("[{base}, #{bytes}]!"),
    }
}
