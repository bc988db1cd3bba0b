//! Addition, multiplication, division, square root and the fused operations.

use std::cmp::Ordering;

use semantics::ops::Rounding;

use super::convert::convert_nan;
use super::format::{Format, Unpacked, infinity, sign_bit, unpack, zero};
use super::round::{Exact, invalid, process_nan, process_nans, round, shift_right_jam, shift_right_jam128};
use super::status::{Status, flag};

/// Whether an exact zero sum of nonzero or differently signed terms is negative.
fn zero_sum_sign(st: &Status) -> bool {
    st.rounding() == Rounding::MinusInf
}

/// FPAdd, or FPSub with `negate`: the second operand's sign is turned, but not that of a NaN.
pub(super) fn add<F: Format>(a: u64, b: u64, negate: bool, st: &mut Status) -> u64 {
    let ua = unpack::<F>(a, st);
    let mut ub = unpack::<F>(b, st);
    if let Some(nan) = process_nans::<F, 2>([(ua, a), (ub, b)], st) {
        return nan;
    }
    ub.sign ^= negate;
    if ua.is_inf() || ub.is_inf() {
        return if ua.is_inf() && ub.is_inf() && ua.sign != ub.sign {
            invalid::<F>(st)
        } else {
            infinity::<F>(if ua.is_inf() { ua.sign } else { ub.sign })
        };
    }
    if ua.is_zero() && ub.is_zero() && ua.sign == ub.sign {
        return zero::<F>(ua.sign);
    }
    match sum(ua, ub) {
        Some(exact) => round::<F>(exact, st),
        None => zero::<F>(zero_sum_sign(st)),
    }
}

/// The sum of two finite numbers, or `None` if it is zero.
fn sum(a: Unpacked, b: Unpacked) -> Option<Exact> {
    let as_exact = |u: Unpacked| Exact {
        sign: u.sign,
        exp: u.exp,
        sig: u.sig,
    };
    match (a.is_zero(), b.is_zero()) {
        (true, true) => return None,
        (true, false) => return Some(as_exact(b)),
        (false, true) => return Some(as_exact(a)),
        (false, false) => {}
    }
    let (big, small) = if (a.exp, a.sig) >= (b.exp, b.sig) {
        (a, b)
    } else {
        (b, a)
    };
    // One bit of headroom for the carry. The significands' low bits are free (11 of them
    // in double precision), enough for guard, round and sticky.
    let distance = (big.exp - small.exp) as u32;
    let (x, y) = (big.sig >> 1, shift_right_jam(small.sig >> 1, distance));
    let sig = if big.sign == small.sign { x + y } else { x - y };
    if sig == 0 {
        return None;
    }
    let shift = sig.leading_zeros();
    Some(Exact {
        sign: big.sign,
        exp: big.exp + 1 - shift as i32,
        sig: sig << shift,
    })
}

/// The sign, exponent and significand (over 2^126, bit 126 set) of a product of nonzero numbers.
fn product(a: Unpacked, b: Unpacked) -> (bool, i32, u128) {
    let sig = u128::from(a.sig) * u128::from(b.sig);
    // No bit is lost: at least 22 low bits are zero.
    let carry = (sig >> 127) as u32;
    (a.sign ^ b.sign, a.exp + b.exp + carry as i32, sig >> carry)
}

/// What FMULX gives for zero times infinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ZeroTimesInfinity {
    /// Invalid Operation.
    Invalid,
    /// 2.0 with the product's sign.
    Two,
}

/// FPMul and FPMulX.
pub(super) fn mul<F: Format>(a: u64, b: u64, zero_inf: ZeroTimesInfinity, st: &mut Status) -> u64 {
    let ua = unpack::<F>(a, st);
    let ub = unpack::<F>(b, st);
    if let Some(nan) = process_nans::<F, 2>([(ua, a), (ub, b)], st) {
        return nan;
    }
    let sign = ua.sign ^ ub.sign;
    if ua.is_inf() || ub.is_inf() {
        return if !(ua.is_zero() || ub.is_zero()) {
            infinity::<F>(sign)
        } else if zero_inf == ZeroTimesInfinity::Two {
            sign_bit::<F>(sign) | F::power_of_two(1)
        } else {
            invalid::<F>(st)
        };
    }
    if ua.is_zero() || ub.is_zero() {
        return zero::<F>(sign);
    }
    let (sign, exp, sig) = product(ua, ub);
    round::<F>(Exact::normalise(sign, exp, sig), st)
}

/// FPDiv.
pub(super) fn div<F: Format>(a: u64, b: u64, st: &mut Status) -> u64 {
    let ua = unpack::<F>(a, st);
    let ub = unpack::<F>(b, st);
    if let Some(nan) = process_nans::<F, 2>([(ua, a), (ub, b)], st) {
        return nan;
    }
    let sign = ua.sign ^ ub.sign;
    if (ua.is_inf() && ub.is_inf()) || (ua.is_zero() && ub.is_zero()) {
        return invalid::<F>(st);
    }
    if ua.is_inf() || ub.is_zero() {
        if !ua.is_inf() {
            st.raise(flag::DZC);
        }
        return infinity::<F>(sign);
    }
    if ua.is_zero() || ub.is_inf() {
        return zero::<F>(sign);
    }
    // The dividend has 53 significant bits at the top: shifting by 62 keeps them and the
    // quotient, between 2^61 and 2^63, fits.
    let dividend = u128::from(ua.sig) << 62;
    let divisor = u128::from(ub.sig);
    let quotient = (dividend / divisor) as u64;
    let sticky = (dividend % divisor != 0) as u64;
    let shift = quotient.leading_zeros();
    // quotient / 2^62 is the ratio, and `shift` of 1 means it is at least one.
    let exp = ua.exp - ub.exp + 1 - shift as i32;
    round::<F>(
        Exact {
            sign,
            exp,
            sig: (quotient << shift) | sticky,
        },
        st,
    )
}

/// FPSqrt.
pub(super) fn sqrt<F: Format>(a: u64, st: &mut Status) -> u64 {
    let ua = unpack::<F>(a, st);
    if ua.is_nan() {
        return process_nan::<F>(ua.class, a, st);
    }
    if ua.is_zero() {
        return zero::<F>(ua.sign);
    }
    if ua.sign {
        return invalid::<F>(st);
    }
    if ua.is_inf() {
        return infinity::<F>(false);
    }
    // A radicand between 2^126 and 2^128 gives a root of exactly 64 bits.
    let radicand = u128::from(ua.sig) << (63 + (ua.exp & 1));
    let root = radicand.isqrt();
    let sticky = (root * root != radicand) as u64;
    round::<F>(
        Exact {
            sign: false,
            exp: ua.exp >> 1,
            sig: root as u64 | sticky,
        },
        st,
    )
}

/// FPMulAdd: `addend + a * b` with one rounding.
pub(super) fn mul_add<F: Format>(addend: u64, a: u64, b: u64, st: &mut Status) -> u64 {
    mul_add_of::<F, F>(addend, a, b, st)
}

/// FPMulAdd and FPMulAddH: factors of the format `P`, the sum of the format `F`.
pub(super) fn mul_add_of<F: Format, P: Format>(addend: u64, a: u64, b: u64, st: &mut Status) -> u64 {
    let uc = unpack::<F>(addend, st);
    let ua = unpack::<P>(a, st);
    let ub = unpack::<P>(b, st);
    let product_invalid = (ua.is_inf() && ub.is_zero()) || (ua.is_zero() && ub.is_inf());
    let wide = |u: Unpacked, bits| {
        if !u.is_nan() || F::BITS == P::BITS {
            (u, bits)
        } else if u.class == super::format::Class::SNaN {
            (u, convert_nan::<P, F>(bits) & !F::QUIET)
        } else {
            (u, convert_nan::<P, F>(bits))
        }
    };
    if let Some(nan) = process_nans::<F, 3>([(uc, addend), wide(ua, a), wide(ub, b)], st) {
        // A quiet NaN addend does not hide an invalid product.
        return if uc.class == super::format::Class::QNaN && product_invalid {
            invalid::<F>(st)
        } else {
            nan
        };
    }
    let sign = ua.sign ^ ub.sign;
    let product_inf = ua.is_inf() || ub.is_inf();
    let product_zero = ua.is_zero() || ub.is_zero();
    if product_invalid || (uc.is_inf() && product_inf && uc.sign != sign) {
        return invalid::<F>(st);
    }
    if uc.is_inf() || product_inf {
        return infinity::<F>(if uc.is_inf() { uc.sign } else { sign });
    }
    if uc.is_zero() && product_zero && uc.sign == sign {
        return zero::<F>(sign);
    }
    match fused_sum(uc, ua, ub) {
        Some(exact) => round::<F>(exact, st),
        None => zero::<F>(zero_sum_sign(st)),
    }
}

/// `addend + a * b` of finite numbers, or `None` if it is zero.
fn fused_sum(addend: Unpacked, a: Unpacked, b: Unpacked) -> Option<Exact> {
    if a.is_zero() || b.is_zero() {
        return (!addend.is_zero()).then_some(Exact {
            sign: addend.sign,
            exp: addend.exp,
            sig: addend.sig,
        });
    }
    let (p_sign, p_exp, p_sig) = product(a, b);
    if addend.is_zero() {
        return Some(Exact::normalise(p_sign, p_exp, p_sig));
    }
    // Both over 2^126 with bit 126 set, so that a carry has room.
    let c_sig = u128::from(addend.sig) << 63;
    let distance = p_exp - addend.exp;
    let (exp, p, c) = if distance >= 0 {
        (p_exp, p_sig, shift_right_jam128(c_sig, distance as u32))
    } else {
        (
            addend.exp,
            shift_right_jam128(p_sig, distance.unsigned_abs()),
            c_sig,
        )
    };
    if p_sign == addend.sign {
        return Some(Exact::normalise(p_sign, exp, p + c));
    }
    match p.cmp(&c) {
        Ordering::Greater => Some(Exact::normalise(p_sign, exp, p - c)),
        Ordering::Less => Some(Exact::normalise(addend.sign, exp, c - p)),
        Ordering::Equal => None,
    }
}

/// The constants of the Newton-Raphson steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// FRECPS: 2 - a * b.
    Reciprocal,
    /// FRSQRTS: (3 - a * b) / 2.
    ReciprocalSqrt,
}

/// FPRecipStepFused and FPRSqrtStepFused.
pub(super) fn step<F: Format>(step: Step, a: u64, b: u64, st: &mut Status) -> u64 {
    let a = a ^ F::SIGN;
    let ua = unpack::<F>(a, st);
    let ub = unpack::<F>(b, st);
    if let Some(nan) = process_nans::<F, 2>([(ua, a), (ub, b)], st) {
        return nan;
    }
    // 2.0 or 3.0, halved for the square root: that is exact before rounding.
    let (constant, halve, at_zero_inf) = match step {
        Step::Reciprocal => (1 << 63, 0, F::power_of_two(1)),
        Step::ReciprocalSqrt => (3 << 62, 1, F::power_of_two(0) | F::QUIET),
    };
    if (ua.is_inf() && ub.is_zero()) || (ua.is_zero() && ub.is_inf()) {
        return at_zero_inf;
    }
    if ua.is_inf() || ub.is_inf() {
        return infinity::<F>(ua.sign ^ ub.sign);
    }
    let addend = Unpacked {
        class: super::format::Class::Nonzero,
        sign: false,
        exp: 1,
        sig: constant,
    };
    match fused_sum(addend, ua, ub) {
        Some(exact) => round::<F>(
            Exact {
                exp: exact.exp - halve,
                ..exact
            },
            st,
        ),
        None => zero::<F>(zero_sum_sign(st)),
    }
}
