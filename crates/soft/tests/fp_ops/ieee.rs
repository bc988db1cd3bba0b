//! Results and flags against exact arithmetic, for every rounding mode and with flushing on
//! and off: 10,000 cases of each operation, 1,000,000 with `RAEMU_TEST_LONG=1`.
//!
//! The value comes from `rustc_apfloat` in the format itself. What decides the flags (whether
//! the exact result is below the normal numbers, or beyond the largest) comes from the same
//! operation in quadruple precision, rounded to zero: that never moves a number across a
//! power of two. NaN operands follow the rules of the Arm manual (FPProcessNaNs), said again.

use guest::FpEnv;
use rustc_apfloat::ieee::{Double, Half, Quad, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};
use semantics::ops::{Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Rounding, Width};
use std::cmp::Ordering;

use crate::apfloat::{Oracle, round_of};
use crate::{MODES, Random, fpcr, layout, scalar};

/// Cases of each operation and format.
fn cases() -> u64 {
    match std::env::var("RAEMU_TEST_LONG") {
        Ok(value) if value == "1" => 1_000_000,
        _ => 10_000,
    }
}

fn report(what: &str, size: FpSize) {
    println!("{what} {size:?}: {} cases", cases());
}

/// The environment of a case: rounding mode by number, flushing of this format and of the
/// others.
#[derive(Clone, Copy, Debug)]
struct Setting {
    mode: usize,
    fz: bool,
    fz16: bool,
}

impl Setting {
    fn number(n: u64) -> Setting {
        Setting {
            mode: n as usize & 3,
            fz: n >> 2 & 1 != 0,
            fz16: n >> 3 & 1 != 0,
        }
    }

    fn env(self) -> FpEnv {
        let mut fpcr = fpcr(self.mode);
        if self.fz {
            fpcr |= FpEnv::FPCR_FZ;
        }
        if self.fz16 {
            fpcr |= FpEnv::FPCR_FZ16;
        }
        FpEnv { fpcr, fpsr: 0 }
    }

    fn round(self) -> Round {
        round_of(MODES[self.mode])
    }

    fn flushes(self, size: FpSize) -> bool {
        if size == FpSize::H { self.fz16 } else { self.fz }
    }
}

trait Exact: Oracle + FloatConvert<Quad> + std::fmt::Debug {
    fn quad(self) -> Quad {
        self.convert(&mut false).value
    }
    /// The operand as the operation sees it, and FPSR.IDC.
    fn flushed(self, setting: Setting) -> (Self, u32) {
        if !setting.flushes(Self::SIZE) || !self.is_denormal() {
            return (self, 0);
        }
        let idc = if Self::SIZE == FpSize::H {
            0
        } else {
            FpEnv::FPSR_IDC
        };
        (Self::ZERO.copy_sign(self), idc)
    }
    fn default_nan() -> u128 {
        let (bits, frac) = layout(Self::SIZE);
        ((1 << (bits - frac)) - 1) << (frac - 1)
    }
}
impl Exact for Half {}
impl Exact for Single {}
impl Exact for Double {}

/// What the manual says an operation gives, from the rounded value, the one cut to quadruple
/// precision, and whether tiny results are flushed.
fn outcome<T: Exact>(rounded: StatusAnd<T>, cut: Quad, flush: bool) -> (u128, u32) {
    let mut flags = 0;
    if rounded.value.is_nan() {
        return (T::default_nan(), FpEnv::FPSR_IOC);
    }
    if rounded.status.contains(Status::DIV_BY_ZERO) {
        flags |= FpEnv::FPSR_DZC;
    }
    let bits = rounded.value.to_bits();
    if !cut.is_finite_non_zero() {
        return (bits, flags);
    }
    let (least, beyond) = (T::smallest_normalized().quad(), {
        let one = Quad::from_u128(1).value;
        one.scalbn(T::MAX_EXP + 1)
    });
    let magnitude = cut.abs();
    let tiny = magnitude < least;
    if tiny && flush {
        return (T::ZERO.copy_sign(rounded.value).to_bits(), FpEnv::FPSR_UFC);
    }
    if rounded.value.is_infinite() || magnitude >= beyond {
        return (bits, FpEnv::FPSR_OFC | FpEnv::FPSR_IXC);
    }
    if rounded.status.contains(Status::INEXACT) {
        flags |= FpEnv::FPSR_IXC | if tiny { FpEnv::FPSR_UFC } else { 0 };
    }
    (bits, flags)
}

/// The NaN that operands give, the first signaling one before the first quiet one.
fn chosen_nan<T: Exact>(operands: &[T]) -> Option<(u128, u32)> {
    let signaling = operands.iter().find(|x| x.is_signaling());
    let quiet = operands.iter().find(|x| x.is_nan());
    let nan = signaling.or(quiet)?;
    let (_, frac) = layout(T::SIZE);
    let flags = if signaling.is_some() { FpEnv::FPSR_IOC } else { 0 };
    Some((nan.to_bits() | 1 << (frac - 1), flags))
}

/// An operand and its bits; NaNs and neighbours of `near` among them.
fn operand<T: Exact>(random: &mut Random, near: Option<T>) -> T {
    match near {
        Some(near) if random.below(8) == 0 => T::from_bits(near.to_bits() ^ u128::from(random.below(4))),
        _ => T::from_bits(u128::from(random.value(T::SIZE))),
    }
}

/// Checks one operation of `N` operands.
fn check<T: Exact, const N: usize>(
    name: &str,
    run: impl Fn([u128; N], &mut FpEnv) -> u128,
    rounded: impl Fn([T; N], Round) -> StatusAnd<T>,
    cut: impl Fn([Quad; N]) -> Quad,
) {
    let random = &mut Random::new();
    for n in 0..cases() {
        let setting = Setting::number(n);
        let mut operands = [T::ZERO; N];
        for i in 0..N {
            operands[i] = operand(random, (i > 0).then(|| operands[0]));
        }
        if N == 3 && random.below(2) == 0 {
            // An addend (the first) that cancels most of the product.
            let product = -operands[1].mul_r(operands[2], Round::TowardZero).value;
            operands[0] = T::from_bits(product.to_bits() ^ u128::from(random.below(4)));
        }
        let mut env = setting.env();
        let got = (run(operands.map(T::to_bits), &mut env), env.fpsr);
        let mut idc = 0;
        let seen = operands.map(|x| {
            let (x, flag) = x.flushed(setting);
            idc |= flag;
            x
        });
        let (bits, flags) = chosen_nan(&seen).unwrap_or_else(|| {
            let result = rounded(seen, setting.round());
            outcome(result, cut(seen.map(T::quad)), setting.flushes(T::SIZE))
        });
        let flags = flags | idc;
        // A NaN addend does not hide an invalid product.
        if N == 3 && seen[0].is_nan() && !seen[0].is_signaling() {
            let product = seen[1].mul_r(seen[2], Round::TowardZero);
            let numbers = !seen[1].is_nan() && !seen[2].is_nan();
            if numbers && product.value.is_nan() {
                assert_eq!(got, (T::default_nan(), FpEnv::FPSR_IOC | idc), "{name} {n}");
                continue;
            }
        }
        assert_eq!(
            got,
            (bits, flags),
            "{name} {:?} {setting:?} {:x?}: got {:x?}, want {:x?}",
            T::SIZE,
            operands.map(T::to_bits),
            got,
            (bits, flags)
        );
    }
    report(name, T::SIZE);
}

fn two<T: Exact>(op: Fp2) -> impl Fn([u128; 2], &mut FpEnv) -> u128 {
    move |[a, b], env| soft::fp2(op, scalar(T::SIZE), a, b, env)
}

fn arithmetic<T: Exact>() {
    let zero = Round::TowardZero;
    check::<T, 2>(
        "add",
        two::<T>(Fp2::Add),
        |[a, b], r| a.add_r(b, r),
        |[a, b]| a.add_r(b, zero).value,
    );
    check::<T, 2>(
        "sub",
        two::<T>(Fp2::Sub),
        |[a, b], r| a.sub_r(b, r),
        |[a, b]| a.sub_r(b, zero).value,
    );
    check::<T, 2>(
        "mul",
        two::<T>(Fp2::Mul),
        |[a, b], r| a.mul_r(b, r),
        |[a, b]| a.mul_r(b, zero).value,
    );
    check::<T, 2>(
        "div",
        two::<T>(Fp2::Div),
        |[a, b], r| a.div_r(b, r),
        |[a, b]| a.div_r(b, zero).value,
    );
    check::<T, 3>(
        "fma",
        |[a, b, c], env| soft::fp3(Fp3::MulAdd, scalar(T::SIZE), a, b, c, env),
        |[a, b, c], r| b.mul_add_r(c, a, r),
        |[a, b, c]| b.mul_add_r(c, a, zero).value,
    );
}

#[test]
fn arithmetic_is_exact() {
    arithmetic::<Half>();
    arithmetic::<Single>();
    arithmetic::<Double>();
}

/// The largest number of the format whose square is at most `a`, by bisection of the bits,
/// rounded from there: squares and squares of middles are exact in quadruple precision.
fn root<T: Exact>(a: T, round: Round) -> StatusAnd<T> {
    if a.is_zero() || (a.is_infinite() && !a.is_negative()) {
        return Status::OK.and(a);
    }
    if a.is_negative() {
        return Status::INVALID_OP.and(T::NAN);
    }
    let square = |x: Quad| x.mul_r(x, Round::TowardZero).value;
    let exact = a.quad();
    let (mut low, mut high) = (0, T::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if square(T::from_bits(middle).quad()) <= exact {
            low = middle;
        } else {
            high = middle;
        }
    }
    let (below, above) = (T::from_bits(low), T::from_bits(low + 1));
    if square(below.quad()) == exact {
        return Status::OK.and(below);
    }
    let middle = (below.quad() + above.quad()).value.scalbn(-1);
    let up = match round {
        Round::TowardPositive => true,
        Round::TowardNegative | Round::TowardZero => false,
        Round::NearestTiesToEven | Round::NearestTiesToAway => square(middle) < exact,
    };
    Status::INEXACT.and(if up { above } else { below })
}

/// Stands for a result that is never tiny or too large.
fn ordinary([a]: [Quad; 1]) -> Quad {
    if a.is_finite() {
        Quad::from_u128(1).value
    } else {
        a
    }
}

fn square_root<T: Exact>() {
    check::<T, 1>(
        "sqrt",
        |[a], env| soft::fp1(Fp1::Sqrt, scalar(T::SIZE), a, env),
        |[a], r| root(a, r),
        ordinary,
    );
}

#[test]
fn roots_are_exact() {
    square_root::<Half>();
    square_root::<Single>();
    square_root::<Double>();
}

fn integral<T: Exact>() {
    let modes = [
        ("frintn", Fp1::RintN, Some(Round::NearestTiesToEven)),
        ("frinta", Fp1::RintA, Some(Round::NearestTiesToAway)),
        ("frintp", Fp1::RintP, Some(Round::TowardPositive)),
        ("frintm", Fp1::RintM, Some(Round::TowardNegative)),
        ("frintz", Fp1::RintZ, Some(Round::TowardZero)),
        ("frinti", Fp1::RintI, None),
        ("frintx", Fp1::RintX, None),
    ];
    for (name, op, fixed) in modes {
        check::<T, 1>(
            name,
            |[a], env| soft::fp1(op, scalar(T::SIZE), a, env),
            |[a], r| {
                let value = a.round_to_integral(fixed.unwrap_or(r)).value;
                let inexact = op == Fp1::RintX && !value.bitwise_eq(a);
                (if inexact { Status::INEXACT } else { Status::OK }).and(value)
            },
            ordinary,
        );
    }
}

#[test]
fn integral_values_are_exact() {
    integral::<Half>();
    integral::<Single>();
    integral::<Double>();
}

fn order_of<T: Exact>() {
    // Of two zeros the positive one is the larger.
    let larger = |a: T, b: T| match a.partial_cmp(&b) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => !a.is_negative(),
        _ => false,
    };
    let plain = |value: T| Status::OK.and(value);
    let max = |[a, b]: [T; 2], _| plain(if larger(a, b) { a } else { b });
    let min = |[a, b]: [T; 2], _| plain(if larger(a, b) { b } else { a });
    let infinite = |_: [Quad; 2]| Quad::INFINITY;
    check::<T, 2>("max", two::<T>(Fp2::Max), max, infinite);
    check::<T, 2>("min", two::<T>(Fp2::Min), min, infinite);
    // A single quiet NaN counts as missing, which is done here by replacing it on both sides.
    let random = &mut Random::new();
    for (name, op, base) in [("maxnm", Fp2::MaxNm, Fp2::Max), ("minnm", Fp2::MinNm, Fp2::Min)] {
        for n in 0..cases() {
            let setting = Setting::number(n);
            let (a, b) = (operand::<T>(random, None), operand::<T>(random, None));
            let quiet = |x: T| x.is_nan() && !x.is_signaling();
            let missing = if op == Fp2::MaxNm {
                -T::INFINITY
            } else {
                T::INFINITY
            };
            let (x, y) = match (quiet(a), quiet(b)) {
                (true, false) => (missing, b),
                (false, true) => (a, missing),
                _ => (a, b),
            };
            let (mut env, mut same) = (setting.env(), setting.env());
            let got = two::<T>(op)([a, b].map(T::to_bits), &mut env);
            let want = two::<T>(base)([x, y].map(T::to_bits), &mut same);
            assert_eq!(
                (got, env.fpsr),
                (want, same.fpsr),
                "{name} {a:?} {b:?} {setting:?}"
            );
        }
        report(name, T::SIZE);
    }
}

#[test]
fn extremes_are_exact() {
    order_of::<Half>();
    order_of::<Single>();
    order_of::<Double>();
}

fn comparisons<T: Exact>() {
    let random = &mut Random::new();
    for signaling in [false, true] {
        for n in 0..cases() {
            let setting = Setting::number(n);
            let a = operand::<T>(random, None);
            let b = operand(random, Some(a));
            let mut env = setting.env();
            let (bits_a, bits_b) = (a.to_bits(), b.to_bits());
            let nzcv = soft::fp_compare(T::SIZE, signaling, bits_a, bits_b, &mut env);
            let ((x, idc_a), (y, idc_b)) = (a.flushed(setting), b.flushed(setting));
            let want = match x.partial_cmp(&y) {
                Some(Ordering::Less) => 0b1000,
                Some(Ordering::Equal) => 0b0110,
                Some(Ordering::Greater) => 0b0010,
                None => 0b0011,
            };
            let nans = x.is_nan() || y.is_nan();
            let invalid = nans && signaling || x.is_signaling() || y.is_signaling();
            let flags = idc_a | idc_b | if invalid { FpEnv::FPSR_IOC } else { 0 };
            assert_eq!((nzcv >> 28, env.fpsr), (want, flags), "{a:?} {b:?} {setting:?}");
        }
        report(if signaling { "fcmpe" } else { "fcmp" }, T::SIZE);
    }
}

#[test]
fn comparisons_are_exact() {
    comparisons::<Half>();
    comparisons::<Single>();
    comparisons::<Double>();
}

/// Changes of precision flush denormal singles and doubles, never halves.
fn precision<From: Exact + FloatConvert<To>, To: Exact>(op: Fp1) {
    let random = &mut Random::new();
    for n in 0..cases() {
        let setting = Setting::number(n);
        let unflushed = Setting {
            fz16: false,
            ..setting
        };
        let a = operand::<From>(random, None);
        let mut env = setting.env();
        let got = soft::fp1(op, scalar(To::SIZE), a.to_bits(), &mut env);
        if a.is_nan() {
            let ((_, from), (_, to)) = (layout(From::SIZE), layout(To::SIZE));
            let fraction = a.to_bits() & ((1 << from) - 1);
            let fraction = if from > to {
                fraction >> (from - to)
            } else {
                fraction << (to - from)
            };
            let want = To::INFINITY.to_bits() | 1 << (to - 1) | fraction;
            let (bits, _) = layout(To::SIZE);
            let want = want | u128::from(a.is_negative()) << (bits - 1);
            let flags = if a.is_signaling() { FpEnv::FPSR_IOC } else { 0 };
            assert_eq!((got, env.fpsr), (want, flags), "{op:?} {a:?}");
            continue;
        }
        let (x, idc) = a.flushed(unflushed);
        let rounded: StatusAnd<To> = x.convert_r(setting.round(), &mut false);
        let (bits, flags) = outcome(rounded, x.quad(), unflushed.flushes(To::SIZE));
        assert_eq!((got, env.fpsr), (bits, flags | idc), "{op:?} {a:?} {setting:?}");
    }
    report(&format!("{op:?}"), To::SIZE);
}

#[test]
fn precision_changes_are_exact() {
    precision::<Half, Single>(Fp1::CvtHS);
    precision::<Half, Double>(Fp1::CvtHD);
    precision::<Single, Double>(Fp1::CvtSD);
    precision::<Single, Half>(Fp1::CvtSH);
    precision::<Double, Half>(Fp1::CvtDH);
    precision::<Double, Single>(Fp1::CvtDS);
}

const ROUNDINGS: [Rounding; 5] = [
    Rounding::TieEven,
    Rounding::PlusInf,
    Rounding::MinusInf,
    Rounding::Zero,
    Rounding::TieAway,
];

/// To integers and fixed point: 32 and 64 bits, signed and unsigned.
fn to_integers<T: Exact>() {
    let random = &mut Random::new();
    for n in 0..cases() {
        let setting = Setting::number(n);
        let rounding = ROUNDINGS[random.below(5) as usize];
        let width = if random.below(2) == 0 { Width::W } else { Width::X };
        let signed = random.below(2) == 0;
        let fbits = random.below(u64::from(width.bits()) + 1) as u8;
        let fbits = if random.below(2) == 0 { 0 } else { fbits };
        let a = operand::<T>(random, None);
        let how = FpToInt {
            signed,
            rounding,
            fbits,
        };
        let mut env = setting.env();
        let got = soft::fp_to_int(how, width, T::SIZE, a.to_bits(), &mut env);
        let (x, idc) = a.flushed(setting);
        let scaled = x.quad().scalbn(fbits.into());
        let (bits, round) = (width.bits() as usize, round_of(rounding));
        let (want, status) = if signed {
            let r = scaled.to_i128_r(bits, round, &mut false);
            (r.value as u64, r.status)
        } else {
            let r = scaled.to_u128_r(bits, round, &mut false);
            (r.value as u64, r.status)
        };
        let want = want & (u64::MAX >> (64 - bits));
        let flags = if status.contains(Status::INVALID_OP) {
            FpEnv::FPSR_IOC
        } else if status.contains(Status::INEXACT) {
            FpEnv::FPSR_IXC
        } else {
            0
        };
        assert_eq!(
            (got, env.fpsr),
            (want, flags | idc),
            "{how:?} {width:?} {a:?} {setting:?}"
        );
    }
    report("to integers", T::SIZE);
}

/// From integers and fixed point.
fn from_integers<T: Exact>()
where
    Quad: FloatConvert<T>,
{
    let random = &mut Random::new();
    for n in 0..cases() {
        let setting = Setting::number(n);
        let value =
            (random.next() >> random.below(64)).wrapping_mul(if random.below(2) == 0 { 1 } else { u64::MAX });
        let width = if random.below(2) == 0 { Width::W } else { Width::X };
        let signed = random.below(2) == 0;
        let fbits = random.below(u64::from(width.bits()) + 1) as u8;
        let how = IntToFp { signed, fbits };
        let exact = match (signed, width) {
            (false, Width::W) => i128::from(value as u32),
            (false, Width::X) => i128::from(value),
            (true, Width::W) => i128::from(value as i32),
            (true, Width::X) => i128::from(value as i64),
        };
        let mut env = setting.env();
        let got = soft::int_to_fp(how, width, T::SIZE, value, &mut env);
        let scaled = Quad::from_i128(exact).value.scalbn(-i32::from(fbits));
        let rounded: StatusAnd<T> = scaled.convert_r(setting.round(), &mut false);
        let (bits, flags) = outcome(rounded, scaled, setting.flushes(T::SIZE));
        assert_eq!(
            (got, env.fpsr),
            (bits, flags),
            "{how:?} {width:?} {value:x} {setting:?}"
        );
    }
    report("from integers", T::SIZE);
}

#[test]
fn integer_conversions_are_exact() {
    to_integers::<Half>();
    to_integers::<Single>();
    to_integers::<Double>();
    from_integers::<Half>();
    from_integers::<Single>();
    from_integers::<Double>();
}
