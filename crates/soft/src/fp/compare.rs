//! Comparisons, minimum and maximum.

use std::cmp::Ordering;

use super::format::{Class, Format, Unpacked, infinity, sign_bit, unpack, zero};
use super::round::process_nans;
use super::status::{Status, flag};

/// Order of two numbers, infinities included, NaNs not.
fn order(a: Unpacked, b: Unpacked) -> Ordering {
    // Signed magnitude: class (zero, number, infinity), then exponent and significand.
    let key = |u: Unpacked| match u.class {
        Class::Zero => (0, 0, 0),
        Class::Nonzero => (1, u.exp, u.sig),
        Class::Infinity | Class::QNaN | Class::SNaN => (2, 0, 0),
    };
    let (ka, kb) = (key(a), key(b));
    let negative = |u: Unpacked| u.sign && !u.is_zero();
    match (negative(a), negative(b)) {
        (false, false) => ka.cmp(&kb),
        (true, true) => kb.cmp(&ka),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

/// When a comparison with a quiet NaN raises Invalid Operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    Silent,
    Signals,
}

/// The order of two values, or `None` if either is a NaN.
fn compare_values<F: Format>(a: u64, b: u64, quiet: Quiet, st: &mut Status) -> Option<Ordering> {
    let ua = unpack::<F>(a, st);
    let ub = unpack::<F>(b, st);
    if ua.is_nan() || ub.is_nan() {
        if quiet == Quiet::Signals || ua.class == Class::SNaN || ub.class == Class::SNaN {
            st.raise(flag::IOC);
        }
        return None;
    }
    Some(order(ua, ub))
}

/// FPCompare: NZCV in bits 31:28.
pub(super) fn compare<F: Format>(a: u64, b: u64, quiet: Quiet, st: &mut Status) -> u32 {
    let nzcv = match compare_values::<F>(a, b, quiet, st) {
        None => 0b0011,
        Some(Ordering::Less) => 0b1000,
        Some(Ordering::Equal) => 0b0110,
        Some(Ordering::Greater) => 0b0010,
    };
    nzcv << 28
}

/// The lane-wise comparisons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Eq,
    Ge,
    Gt,
}

/// FPCompareEQ, FPCompareGE and FPCompareGT: all ones where the relation holds.
pub(super) fn test<F: Format>(relation: Relation, a: u64, b: u64, st: &mut Status) -> u64 {
    let quiet = if relation == Relation::Eq {
        Quiet::Silent
    } else {
        Quiet::Signals
    };
    let order = compare_values::<F>(a, b, quiet, st);
    let holds = order.is_some_and(|order| match relation {
        Relation::Eq => order.is_eq(),
        Relation::Ge => order.is_ge(),
        Relation::Gt => order.is_gt(),
    });
    if holds { F::MASK } else { 0 }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    Max,
    Min,
}

/// FPMax and FPMin.
pub(super) fn extreme<F: Format>(which: Extreme, a: u64, b: u64, st: &mut Status) -> u64 {
    let ua = unpack::<F>(a, st);
    let ub = unpack::<F>(b, st);
    if let Some(nan) = process_nans::<F, 2>([(ua, a), (ub, b)], st) {
        return nan;
    }
    let first = match which {
        Extreme::Max => order(ua, ub).is_gt(),
        Extreme::Min => order(ua, ub).is_lt(),
    };
    let (chosen, bits) = if first { (ua, a) } else { (ub, b) };
    if chosen.is_zero() {
        // Also a flushed denormal. Of two zeros, the more positive or negative one.
        let sign = match which {
            Extreme::Max => ua.sign && ub.sign,
            Extreme::Min => ua.sign || ub.sign,
        };
        return zero::<F>(sign);
    }
    bits
}

/// FPMaxNum and FPMinNum: a single quiet NaN counts as missing.
pub(super) fn extreme_num<F: Format>(which: Extreme, a: u64, b: u64, st: &mut Status) -> u64 {
    let qa = unpack::<F>(a, st).class == Class::QNaN;
    let qb = unpack::<F>(b, st).class == Class::QNaN;
    let missing = infinity::<F>(which == Extreme::Max);
    match (qa, qb) {
        (true, false) => extreme::<F>(which, missing, b, st),
        (false, true) => extreme::<F>(which, a, missing, st),
        (true, true) | (false, false) => extreme::<F>(which, a, b, st),
    }
}

/// FPAbs.
pub(super) fn abs<F: Format>(a: u64) -> u64 {
    a & !sign_bit::<F>(true)
}

/// FPNeg.
pub(super) fn neg<F: Format>(a: u64) -> u64 {
    a ^ F::SIGN
}
