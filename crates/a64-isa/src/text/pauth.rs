//! Operands of pointer authentication.

/// The letter of an instruction or data key.
#[must_use]
pub fn a_or_b(key_b: bool) -> char {
    if key_b { 'b' } else { 'a' }
}

/// `ia`, `ib`, `da` or `db`.
#[must_use]
pub fn key(data: bool, key_b: bool) -> &'static str {
    match (data, key_b) {
        (false, false) => "ia",
        (false, true) => "ib",
        (true, false) => "da",
        (true, true) => "db",
    }
}

/// As [`key`], with the letter of a zero modifier.
#[must_use]
pub fn zero_key(data: bool, key_b: bool) -> &'static str {
    match (data, key_b) {
        (false, false) => "iza",
        (false, true) => "izb",
        (true, false) => "dza",
        (true, true) => "dzb",
    }
}
