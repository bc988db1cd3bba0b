//! Conversions: between the formats, to and from integers, and to integral values.

use semantics::ops::Rounding;

use super::format::{Class, Double, Format, Unpacked, infinity, sign_bit, unpack, unpack_cv, zero};
use super::round::{Exact, Rest, process_nan, round, round_as, round_cv, rounds_up};
use super::status::{Status, flag};

/// FPConvert from `From` to `To`.
pub(super) fn precision<From: Format, To: Format>(a: u64, rounding: Rounding, st: &mut Status) -> u64 {
    let u = unpack_cv::<From>(a, st);
    let alternative = To::IS_HALF && st.alternative_half();
    match u.class {
        Class::Zero => zero::<To>(u.sign),
        Class::Nonzero => {
            let rounding = st.resolve(rounding);
            round_cv::<To>(
                Exact {
                    sign: u.sign,
                    exp: u.exp,
                    sig: u.sig,
                },
                rounding,
                st,
            )
        }
        Class::Infinity if alternative => {
            st.raise(flag::IOC);
            sign_bit::<To>(u.sign) | (To::SIGN - 1)
        }
        Class::Infinity => infinity::<To>(u.sign),
        Class::QNaN | Class::SNaN => {
            if alternative || u.class == Class::SNaN {
                st.raise(flag::IOC);
            }
            if alternative {
                zero::<To>(u.sign)
            } else if st.default_nan() {
                To::DEFAULT_NAN
            } else {
                convert_nan::<From, To>(a)
            }
        }
    }
}

/// FPConvertNaN: the fraction's upper bits stay.
pub(super) fn convert_nan<From: Format, To: Format>(a: u64) -> u64 {
    let frac = (a & From::FRAC_MASK) << (63 - From::FRAC) >> (63 - To::FRAC);
    sign_bit::<To>(a & From::SIGN != 0) | To::INF | To::QUIET | frac
}

/// The integer nearest to a nonzero number's magnitude and whether that lost anything, for
/// magnitudes below 2^64; `exp` is that of the number.
fn round_magnitude(u: Unpacked, exp: i32, rounding: Rounding) -> (u128, bool) {
    // Below one half only "not zero" counts; from there the 64 bits below the point are exact.
    let (int, rest) = if exp < -1 {
        (0, Rest::BelowHalf)
    } else {
        let fixed = u128::from(u.sig) << (exp + 1);
        (fixed >> 64, Rest::new(fixed as u64, 64))
    };
    let up = rounds_up(rounding, u.sign, int & 1 != 0, rest);
    (int + u128::from(up), rest != Rest::Zero)
}

/// FPToFixed: an integer of `bits` bits, in the low bits of the result.
pub(super) fn to_int<F: Format>(
    a: u64,
    signed: bool,
    rounding: Rounding,
    fbits: u8,
    bits: u32,
    st: &mut Status,
) -> u64 {
    let rounding = st.resolve(rounding);
    let u = unpack::<F>(a, st);
    let (magnitude, inexact) = match u.class {
        Class::Zero => return 0,
        Class::QNaN | Class::SNaN => {
            st.raise(flag::IOC);
            return 0;
        }
        Class::Nonzero if u.exp + i32::from(fbits) < 64 => {
            round_magnitude(u, u.exp + i32::from(fbits), rounding)
        }
        Class::Nonzero | Class::Infinity => (1 << 64, false),
    };
    let mask = u64::MAX >> (64 - bits);
    let limit: u128 = match (signed, u.sign) {
        (true, true) => 1 << (bits - 1),
        (true, false) => (1 << (bits - 1)) - 1,
        (false, true) => 0,
        (false, false) => u128::from(mask),
    };
    if magnitude > limit {
        st.raise(flag::IOC);
    } else if inexact {
        st.raise(flag::IXC);
    }
    let value = magnitude.min(limit) as u64;
    mask & if u.sign { value.wrapping_neg() } else { value }
}

/// FPToFixedJS: a double modulo 2^32, and whether it was exactly that.
pub(super) fn to_js_int(a: u64, st: &mut Status) -> (u32, bool) {
    let u = unpack::<Double>(a, st);
    let (magnitude, inexact) = match u.class {
        // Neither a minus nor a flushed denormal is zero itself.
        Class::Zero => return (0, a == 0),
        Class::Nonzero if u.exp < 64 => round_magnitude(u, u.exp, Rounding::Zero),
        Class::Nonzero => {
            st.raise(flag::IOC);
            // The significand's lowest bit counts 2^(exp - 63).
            let low = u.sig.checked_shl(u.exp as u32 - 63).unwrap_or(0) as u32;
            return (if u.sign { low.wrapping_neg() } else { low }, false);
        }
        Class::Infinity | Class::QNaN | Class::SNaN => {
            st.raise(flag::IOC);
            return (0, false);
        }
    };
    let fits = magnitude <= if u.sign { 1 << 31 } else { (1 << 31) - 1 };
    if !fits {
        st.raise(flag::IOC);
    } else if inexact {
        st.raise(flag::IXC);
    }
    let low = magnitude as u32;
    let low = if u.sign { low.wrapping_neg() } else { low };
    (low, fits && !inexact)
}

/// FixedToFP: `value` already extended from its width.
pub(super) fn from_int<F: Format>(value: u64, signed: bool, fbits: u8, st: &mut Status) -> u64 {
    if value == 0 {
        return zero::<F>(false);
    }
    let sign = signed && (value as i64) < 0;
    let magnitude = if sign { value.wrapping_neg() } else { value };
    let shift = magnitude.leading_zeros();
    let exp = 63 - shift as i32 - i32::from(fbits);
    round::<F>(
        Exact {
            sign,
            exp,
            sig: magnitude << shift,
        },
        st,
    )
}

/// Whether FRINT raises Inexact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exactness {
    Silent,
    Signals,
}

/// FPRoundIntN: to an integral value of `bits` bits.
pub(super) fn to_integral_within<F: Format>(a: u64, rounding: Rounding, bits: i32, st: &mut Status) -> u64 {
    let rounding = st.resolve(rounding);
    let u = unpack::<F>(a, st);
    let least = F::SIGN | F::power_of_two(bits - 1);
    let (int, inexact) = match u.class {
        Class::Zero => return zero::<F>(u.sign),
        Class::Nonzero if u.exp < bits => round_magnitude(u, u.exp, rounding),
        Class::Nonzero | Class::Infinity | Class::QNaN | Class::SNaN => (u128::MAX, false),
    };
    let limit = (1u128 << (bits - 1)) - u128::from(!u.sign);
    if int > limit {
        st.raise(flag::IOC);
        return least;
    }
    if inexact {
        st.raise(flag::IXC);
    }
    if int == 0 {
        return zero::<F>(u.sign);
    }
    let int = int as u64;
    let shift = int.leading_zeros();
    let value = Exact {
        sign: u.sign,
        exp: 63 - shift as i32,
        sig: int << shift,
    };
    // An integer that fits may have more bits than the format only if it is a number of the
    // format itself: exact.
    round_as::<F>(value, Rounding::Zero, st)
}

/// FPRoundInt.
pub(super) fn to_integral<F: Format>(a: u64, rounding: Rounding, exact: Exactness, st: &mut Status) -> u64 {
    let rounding = st.resolve(rounding);
    let u = unpack::<F>(a, st);
    match u.class {
        Class::Zero => return zero::<F>(u.sign),
        Class::Infinity => return a,
        Class::QNaN | Class::SNaN => return process_nan::<F>(u.class, a, st),
        // No fraction bits left.
        Class::Nonzero if u.exp >= F::FRAC as i32 => return a,
        Class::Nonzero => {}
    }
    let (int, inexact) = round_magnitude(u, u.exp, rounding);
    if inexact && exact == Exactness::Signals {
        st.raise(flag::IXC);
    }
    if int == 0 {
        return zero::<F>(u.sign);
    }
    // At most FRAC + 1 bits: exact.
    let int = int as u64;
    let shift = int.leading_zeros();
    let value = Exact {
        sign: u.sign,
        exp: 63 - shift as i32,
        sig: int << shift,
    };
    round_as::<F>(value, Rounding::Zero, st)
}
