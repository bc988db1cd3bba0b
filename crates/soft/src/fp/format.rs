//! The three formats, and taking values apart into class, sign, exponent and significand.

use super::status::{Status, flag};

/// An IEEE 754 binary interchange format; values are bit patterns in the low bits of a `u64`.
pub(super) trait Format {
    const BITS: u32;
    /// Fraction bits.
    const FRAC: u32;
    const EXP_BITS: u32 = Self::BITS - 1 - Self::FRAC;
    const BIAS: i32 = (1 << (Self::EXP_BITS - 1)) - 1;
    const SIGN: u64 = 1 << (Self::BITS - 1);
    const FRAC_MASK: u64 = (1 << Self::FRAC) - 1;
    /// +infinity: an exponent of all ones.
    const INF: u64 = Self::SIGN - (1 << Self::FRAC);
    /// The fraction's top bit, which makes a NaN quiet.
    const QUIET: u64 = 1 << (Self::FRAC - 1);
    const DEFAULT_NAN: u64 = Self::INF | Self::QUIET;
    const MAX_NORMAL: u64 = Self::INF - 1;
    /// All bits of the format.
    const MASK: u64 = Self::SIGN | (Self::SIGN - 1);
    /// Half precision has its own flush control and never signals Input Denormal.
    const IS_HALF: bool = Self::FRAC == 10;

    /// `+2^exp`, for a normal result.
    fn power_of_two(exp: i32) -> u64 {
        ((Self::BIAS + exp) as u64) << Self::FRAC
    }
}

pub(super) struct Half;
pub(super) struct Single;
pub(super) struct Double;
/// BFloat16: a single without its lower 16 bits, also as to flushing.
pub(super) struct Brain;

impl Format for Half {
    const BITS: u32 = 16;
    const FRAC: u32 = 10;
}
impl Format for Single {
    const BITS: u32 = 32;
    const FRAC: u32 = 23;
}
impl Format for Double {
    const BITS: u32 = 64;
    const FRAC: u32 = 52;
}
impl Format for Brain {
    const BITS: u32 = 16;
    const FRAC: u32 = 7;
}

/// What a value is (FPType of the Arm pseudocode).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Zero,
    Nonzero,
    Infinity,
    QNaN,
    SNaN,
}

/// A value taken apart. For `Class::Nonzero` it is `sig / 2^63 * 2^exp` with bit 63 of
/// `sig` set (also for denormals).
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpacked {
    pub class: Class,
    pub sign: bool,
    pub exp: i32,
    pub sig: u64,
}

impl Unpacked {
    pub fn is_nan(&self) -> bool {
        matches!(self.class, Class::QNaN | Class::SNaN)
    }
    pub fn is_zero(&self) -> bool {
        self.class == Class::Zero
    }
    pub fn is_inf(&self) -> bool {
        self.class == Class::Infinity
    }
}

/// FPUnpack: denormals are flushed as FPCR asks for arithmetic.
pub(super) fn unpack<F: Format>(bits: u64, st: &mut Status) -> Unpacked {
    let flush = if F::IS_HALF { st.flush_half() } else { st.flush() };
    unpack_with::<F>(bits, flush, false, st)
}

/// FPUnpackCV, for precision conversions: half precision is not flushed and may be alternative.
pub(super) fn unpack_cv<F: Format>(bits: u64, st: &mut Status) -> Unpacked {
    let flush = !F::IS_HALF && st.flush();
    let alternative = F::IS_HALF && st.alternative_half();
    unpack_with::<F>(bits, flush, alternative, st)
}

/// `alternative`: the largest exponent is an ordinary one (no infinities, no NaNs).
#[inline]
fn unpack_with<F: Format>(bits: u64, flush: bool, alternative: bool, st: &mut Status) -> Unpacked {
    let sign = bits & F::SIGN != 0;
    let frac = bits & F::FRAC_MASK;
    let biased = ((bits & F::INF) >> F::FRAC) as i32;
    let zero = Unpacked {
        class: Class::Zero,
        sign,
        exp: 0,
        sig: 0,
    };
    if biased == 0 {
        if frac == 0 {
            return zero;
        }
        if flush {
            if !F::IS_HALF {
                st.raise(flag::IDC);
            }
            return zero;
        }
        let shift = frac.leading_zeros();
        let exp = 1 - F::BIAS + (63 - F::FRAC as i32) - shift as i32;
        return Unpacked {
            class: Class::Nonzero,
            sign,
            exp,
            sig: frac << shift,
        };
    }
    if biased == (1 << F::EXP_BITS) - 1 && !alternative {
        let class = if frac == 0 {
            Class::Infinity
        } else if frac & F::QUIET != 0 {
            Class::QNaN
        } else {
            Class::SNaN
        };
        return Unpacked { class, ..zero };
    }
    let sig = (1 << 63) | (frac << (63 - F::FRAC));
    Unpacked {
        class: Class::Nonzero,
        sign,
        exp: biased - F::BIAS,
        sig,
    }
}

/// `sign` as the format's top bit.
pub(super) fn sign_bit<F: Format>(sign: bool) -> u64 {
    if sign { F::SIGN } else { 0 }
}

pub(super) fn zero<F: Format>(sign: bool) -> u64 {
    sign_bit::<F>(sign)
}

pub(super) fn infinity<F: Format>(sign: bool) -> u64 {
    sign_bit::<F>(sign) | F::INF
}
