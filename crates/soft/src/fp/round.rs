//! Rounding a number to a format (FPRound of the Arm pseudocode) and NaN results.

use semantics::ops::Rounding;

use super::format::{Class, Format, Unpacked, infinity, sign_bit, zero};
use super::status::{Status, flag};

/// A nonzero number before rounding: `sig / 2^63 * 2^exp`, bit 63 of `sig` set, bit 0 "sticky":
/// set if any lower bit of the exact value is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    pub sign: bool,
    pub exp: i32,
    pub sig: u64,
}

impl Exact {
    /// From `sig / 2^126 * 2^exp` with any nonzero `sig`.
    pub fn normalise(sign: bool, exp: i32, sig: u128) -> Self {
        let shift = sig.leading_zeros();
        let sig = sig << shift;
        let sticky = (sig as u64 != 0) as u64;
        Exact {
            sign,
            exp: exp + 1 - shift as i32,
            sig: (sig >> 64) as u64 | sticky,
        }
    }
}

/// `value >> shift`, with bit 0 set if a one was shifted out.
pub(super) fn shift_right_jam(value: u64, shift: u32) -> u64 {
    if shift == 0 {
        value
    } else if shift < 64 {
        (value >> shift) | (value << (64 - shift) != 0) as u64
    } else {
        (value != 0) as u64
    }
}

/// As [`shift_right_jam`] for 128 bits.
pub(super) fn shift_right_jam128(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        value
    } else if shift < 128 {
        (value >> shift) | (value << (128 - shift) != 0) as u128
    } else {
        (value != 0) as u128
    }
}

/// Whether a magnitude is rounded away from zero: `odd` is its last kept bit, and what is cut
/// off compares with one half of it as `(above_or_equal, exactly)`; `inexact` if it is not zero.
pub(super) fn rounds_up(rounding: Rounding, sign: bool, odd: bool, rest: Rest) -> bool {
    match rounding {
        // `Current` was resolved by the caller; nearest is its reset value.
        Rounding::TieEven | Rounding::Current => rest == Rest::AboveHalf || (rest == Rest::Half && odd),
        Rounding::TieAway => matches!(rest, Rest::AboveHalf | Rest::Half),
        Rounding::PlusInf => rest != Rest::Zero && !sign,
        Rounding::MinusInf => rest != Rest::Zero && sign,
        Rounding::Zero => false,
        // Adding one to an even number makes it odd.
        Rounding::Odd => rest != Rest::Zero && !odd,
    }
}

/// What is cut off by rounding, in units of the last kept bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rest {
    Zero,
    BelowHalf,
    Half,
    AboveHalf,
}

impl Rest {
    /// `rest` out of `1 << bits`; `bits` is 1 to 64.
    pub fn new(rest: u64, bits: u32) -> Self {
        let half = 1u64 << (bits - 1);
        if rest == 0 {
            Rest::Zero
        } else if rest < half {
            Rest::BelowHalf
        } else if rest == half {
            Rest::Half
        } else {
            Rest::AboveHalf
        }
    }
}

/// Whether an overflow gives infinity rather than the largest finite number.
pub(super) fn overflows_to_infinity(rounding: Rounding, sign: bool) -> bool {
    match rounding {
        Rounding::TieEven | Rounding::TieAway | Rounding::Current => true,
        Rounding::PlusInf => !sign,
        Rounding::MinusInf => sign,
        Rounding::Zero | Rounding::Odd => false,
    }
}

/// FPRound with FPCR's rounding mode.
pub(super) fn round<F: Format>(value: Exact, st: &mut Status) -> u64 {
    let rounding = st.rounding();
    round_as::<F>(value, rounding, st)
}

/// FPRound for arithmetic.
pub(super) fn round_as<F: Format>(value: Exact, rounding: Rounding, st: &mut Status) -> u64 {
    let flush = if F::IS_HALF { st.flush_half() } else { st.flush() };
    round_with::<F>(value, rounding, flush, false, st)
}

/// FPRoundCV, for precision conversions: half precision is not flushed and may be alternative.
pub(super) fn round_cv<F: Format>(value: Exact, rounding: Rounding, st: &mut Status) -> u64 {
    let flush = !F::IS_HALF && st.flush();
    let alternative = F::IS_HALF && st.alternative_half();
    round_with::<F>(value, rounding, flush, alternative, st)
}

#[inline]
fn round_with<F: Format>(
    value: Exact,
    rounding: Rounding,
    flush: bool,
    alternative: bool,
    st: &mut Status,
) -> u64 {
    let sign = value.sign;
    let mut biased = value.exp + F::BIAS;
    let mut sig = value.sig;
    if biased <= 0 {
        // Below the smallest normal number before rounding: flushed without Inexact.
        if flush {
            st.raise(flag::UFC);
            return zero::<F>(sign);
        }
        sig = shift_right_jam(sig, biased.unsigned_abs() + 1);
        biased = 0;
    }
    let dropped = 63 - F::FRAC;
    let kept = sig >> dropped;
    let rest = Rest::new(sig & ((1 << dropped) - 1), dropped);
    if biased == 0 && rest != Rest::Zero {
        st.raise(flag::UFC);
    }
    let up = rounds_up(rounding, sign, kept & 1 != 0, rest) as u64;
    // The implicit bit of `kept` counts as one exponent step; a carry out of it as another.
    let limit = if alternative { F::SIGN } else { F::INF };
    let magnitude = if biased < 1 << F::EXP_BITS {
        ((biased.max(1) as u64 - 1) << F::FRAC) + kept + up
    } else {
        limit
    };
    if magnitude >= limit {
        return overflow::<F>(sign, rounding, alternative, st);
    }
    if rest != Rest::Zero {
        st.raise(flag::IXC);
    }
    sign_bit::<F>(sign) | magnitude
}

/// The result of a number too large for the format.
#[cold]
fn overflow<F: Format>(sign: bool, rounding: Rounding, alternative: bool, st: &mut Status) -> u64 {
    if alternative {
        st.raise(flag::IOC);
        return F::MASK & (sign_bit::<F>(sign) | (F::SIGN - 1));
    }
    st.raise(flag::OFC | flag::IXC);
    if overflows_to_infinity(rounding, sign) {
        infinity::<F>(sign)
    } else {
        sign_bit::<F>(sign) | F::MAX_NORMAL
    }
}

/// The default NaN, raising Invalid Operation.
#[cold]
pub(super) fn invalid<F: Format>(st: &mut Status) -> u64 {
    st.raise(flag::IOC);
    F::DEFAULT_NAN
}

/// FPProcessNaN: a NaN operand as a result.
pub(super) fn process_nan<F: Format>(class: Class, bits: u64, st: &mut Status) -> u64 {
    if class == Class::SNaN {
        st.raise(flag::IOC);
    }
    if st.default_nan() {
        F::DEFAULT_NAN
    } else {
        bits | F::QUIET
    }
}

/// FPProcessNaNs and FPProcessNaNs3: the first signaling NaN, else the first quiet one, else none.
pub(super) fn process_nans<F: Format, const N: usize>(
    operands: [(Unpacked, u64); N],
    st: &mut Status,
) -> Option<u64> {
    if !operands.iter().any(|(u, _)| u.is_nan()) {
        return None;
    }
    for class in [Class::SNaN, Class::QNaN] {
        for (unpacked, bits) in operands {
            if unpacked.class == class {
                return Some(process_nan::<F>(class, bits, st));
            }
        }
    }
    None
}
