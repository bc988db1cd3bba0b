//! Operands of floating-point instructions that have an arrangement of their own.

/// The halves that FMLAL and its like widen: two or four of register `n`.
#[must_use]
pub fn halves(q: bool, n: u8) -> String {
    format!("v{n}.{}h", if q { 4 } else { 2 })
}
