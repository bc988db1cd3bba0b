//! URECPE and URSQRTE: the estimates of FRECPE and FRSQRTE on fixed-point words.

use crate::fp::estimate::{recip_estimate, recip_sqrt_estimate};

/// URECPE of one word.
pub(super) const fn urecpe(operand: u32) -> u32 {
    if operand >> 31 == 0 {
        u32::MAX
    } else {
        recip_estimate(operand >> 23) << 23
    }
}

/// URSQRTE of one word.
pub(super) const fn ursqrte(operand: u32) -> u32 {
    if operand >> 30 == 0 {
        u32::MAX
    } else {
        recip_sqrt_estimate(operand >> 23) << 23
    }
}
