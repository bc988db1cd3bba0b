//! Reciprocal estimates (Arm ARM, shared pseudocode RecipEstimate and
//! RecipSqrtEstimate): 9 bits in, 9 bits out.

/// Estimate of the reciprocal: `a` and the result are 256 to 511, standing for
/// 0.5 to 1.0 and 1.0 to 2.0.
pub(crate) const fn recip_estimate(a: u32) -> u32 {
    let b = (1 << 19) / (a * 2 + 1);
    b.div_ceil(2)
}

/// Estimate of the reciprocal square root: `a` is 128 to 511, standing for 0.25 to
/// 1.0; the result is 256 to 511, standing for 1.0 to 2.0.
pub(crate) const fn recip_sqrt_estimate(a: u32) -> u32 {
    let a = if a < 256 { a * 2 + 1 } else { (a | 1) * 2 };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    b.div_ceil(2)
}

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
