//! FRECPE, FRSQRTE and FRECPX: the architecture's own 8-bit estimates.
//!
//! The tables are computed from their definition (Arm ARM, RecipEstimate and
//! RecipSqrtEstimate) when this is compiled.

use super::format::{Class, Format, infinity, sign_bit, unpack, zero};
use super::round::{invalid, overflows_to_infinity, process_nan};
use super::status::{Status, flag};

/// RecipEstimate: for `a` of 256 to 511 (over 512, 0.5 to 1.0), 256 to 511 over 256.
pub(crate) const fn recip_estimate(a: u32) -> u32 {
    let a = a * 2 + 1;
    ((1 << 19) / a).div_ceil(2)
}

/// RecipSqrtEstimate: for `a` of 128 to 511 (over 512, 0.25 to 1.0), 256 to 511 over 256.
pub(crate) const fn recip_sqrt_estimate(a: u32) -> u32 {
    let a = if a < 256 {
        a * 2 + 1
    } else {
        ((a >> 1 << 1) + 1) * 2
    };
    let mut b = 512;
    while a * (b + 1) * (b + 1) < 1 << 28 {
        b += 1;
    }
    b.div_ceil(2)
}

/// Low 8 bits of [`recip_estimate`], indexed by `a - 256`.
static RECIP: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = recip_estimate(i as u32 + 256) as u8;
        i += 1;
    }
    table
};

/// Low 8 bits of [`recip_sqrt_estimate`], indexed by `a - 128`.
static RECIP_SQRT: [u8; 384] = {
    let mut table = [0; 384];
    let mut i = 0;
    while i < 384 {
        table[i] = recip_sqrt_estimate(i as u32 + 128) as u8;
        i += 1;
    }
    table
};

/// FPRecipEstimate.
pub(super) fn recpe<F: Format>(a: u64, st: &mut Status) -> u64 {
    let u = unpack::<F>(a, st);
    match u.class {
        Class::QNaN | Class::SNaN => return process_nan::<F>(u.class, a, st),
        Class::Infinity => return zero::<F>(u.sign),
        Class::Zero => {
            st.raise(flag::DZC);
            return infinity::<F>(u.sign);
        }
        Class::Nonzero => {}
    }
    // The reciprocal overflows below 2^-(BIAS + 1), and is denormal from 2^(BIAS - 1).
    if u.exp < -(F::BIAS + 1) {
        st.raise(flag::OFC | flag::IXC);
        return if overflows_to_infinity(st.rounding(), u.sign) {
            infinity::<F>(u.sign)
        } else {
            sign_bit::<F>(u.sign) | F::MAX_NORMAL
        };
    }
    let flush = if F::IS_HALF { st.flush_half() } else { st.flush() };
    if flush && u.exp >= F::BIAS - 1 {
        st.raise(flag::UFC);
        return zero::<F>(u.sign);
    }
    // 1.f * 2^e has the reciprocal (1 / 0.1f) * 2^(-e - 1): an estimate of 1.0 to 2.0.
    let scaled = (u.sig >> 55) & 0xff;
    let estimate = u64::from(RECIP[scaled as usize]);
    let biased = F::BIAS - 1 - u.exp;
    let frac = estimate << (F::FRAC - 8);
    let implicit = 1 << F::FRAC;
    let magnitude = if biased > 0 {
        ((biased as u64) << F::FRAC) | frac
    } else {
        // Denormal by one or two places: cut, not rounded.
        (implicit | frac) >> (1 - biased)
    };
    sign_bit::<F>(u.sign) | magnitude
}

/// FPRSqrtEstimate.
pub(super) fn rsqrte<F: Format>(a: u64, st: &mut Status) -> u64 {
    let u = unpack::<F>(a, st);
    match u.class {
        Class::QNaN | Class::SNaN => return process_nan::<F>(u.class, a, st),
        Class::Zero => {
            st.raise(flag::DZC);
            return infinity::<F>(u.sign);
        }
        Class::Nonzero | Class::Infinity if u.sign => return invalid::<F>(st),
        Class::Infinity => return zero::<F>(false),
        Class::Nonzero => {}
    }
    let biased = u.exp + F::BIAS;
    // 0.1f for an even biased exponent, 0.01f for an odd one.
    let scaled = u.sig >> 55;
    let index = if biased & 1 == 0 { scaled } else { scaled >> 1 } - 128;
    let estimate = u64::from(RECIP_SQRT[index as usize]);
    let result = (3 * F::BIAS - 1 - biased) >> 1;
    ((result as u64) << F::FRAC) | estimate << (F::FRAC - 8)
}

/// FPRecpX: the exponent inverted, the fraction zero.
pub(super) fn recpx<F: Format>(a: u64, st: &mut Status) -> u64 {
    let u = unpack::<F>(a, st);
    if u.is_nan() {
        return process_nan::<F>(u.class, a, st);
    }
    let sign = a & F::SIGN;
    let exp = a & F::INF;
    if exp == 0 {
        // Zero and denormals: the largest exponent of a number.
        return sign | (F::INF - (1 << F::FRAC));
    }
    sign | (exp ^ F::INF)
}
