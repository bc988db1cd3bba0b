//! Arithmetic and conversions against `rustc_apfloat`, a port of LLVM's APFloat.
//!
//! Operands that are NaNs are left to `special`: there the rules differ.

use guest::FpEnv;
use rustc_apfloat::ieee::{Double, Half, Quad, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};
use semantics::ops::{Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Rounding, Width};

use crate::{CASES, MODES, Random, fpcr, layout, scalar};

pub(crate) fn round_of(rounding: Rounding) -> Round {
    match rounding {
        Rounding::PlusInf => Round::TowardPositive,
        Rounding::MinusInf => Round::TowardNegative,
        Rounding::Zero => Round::TowardZero,
        Rounding::TieAway => Round::NearestTiesToAway,
        Rounding::TieEven | Rounding::Odd | Rounding::Current => Round::NearestTiesToEven,
    }
}

fn flags_of(status: Status) -> u32 {
    [
        (Status::INVALID_OP, FpEnv::FPSR_IOC),
        (Status::DIV_BY_ZERO, FpEnv::FPSR_DZC),
        (Status::OVERFLOW, FpEnv::FPSR_OFC),
        (Status::UNDERFLOW, FpEnv::FPSR_UFC),
        (Status::INEXACT, FpEnv::FPSR_IXC),
    ]
    .iter()
    .filter(|(from, _)| status.contains(*from))
    .fold(0, |flags, (_, to)| flags | to)
}

/// A format together with its oracle.
pub(crate) trait Oracle: Float {
    const SIZE: FpSize;
}
impl Oracle for Half {
    const SIZE: FpSize = FpSize::H;
}
impl Oracle for Single {
    const SIZE: FpSize = FpSize::S;
}
impl Oracle for Double {
    const SIZE: FpSize = FpSize::D;
}

/// Compares result and flags; `what` describes the case.
fn check<T: Oracle>(expected: StatusAnd<T>, got: u128, env: &FpEnv, what: &dyn Fn() -> String) {
    let (bits, frac) = layout(T::SIZE);
    let want = if expected.value.is_nan() {
        // The default NaN: positive, quiet, the rest zero.
        u128::from(((1u64 << (bits - frac)) - 1) << (frac - 1))
    } else {
        expected.value.to_bits()
    };
    assert_eq!(got, want, "{}: got {got:x}, want {want:x}", what());
    let flags = flags_of(expected.status);
    // Two differences, both tried in `special`: Arm detects tininess before rounding, APFloat
    // after, so they differ for results that round to the smallest normal number; and APFloat
    // does not report an overflow that gives the largest number.
    let either = if !expected.status.contains(Status::INEXACT) {
        0
    } else if expected.value.is_smallest_normalized() {
        FpEnv::FPSR_UFC
    } else if expected.value.is_largest() {
        FpEnv::FPSR_OFC
    } else {
        0
    };
    let (got, flags) = (env.fpsr & !either, flags & !either);
    assert_eq!(got, flags, "{}: flags {got:x}, want {flags:x}", what());
}

/// A value that is not a NaN.
fn number<T: Oracle>(random: &mut Random) -> (u128, T) {
    loop {
        let bits = u128::from(random.value(T::SIZE));
        let value = T::from_bits(bits);
        if !value.is_nan() {
            return (bits, value);
        }
    }
}

fn arithmetic<T: Oracle>() {
    type Expected<T> = fn(T, T, Round) -> StatusAnd<T>;
    let table: [(Fp2, Expected<T>); 5] = [
        (Fp2::Add, |a, b, r| a.add_r(b, r)),
        (Fp2::Sub, |a, b, r| a.sub_r(b, r)),
        (Fp2::Mul, |a, b, r| a.mul_r(b, r)),
        (Fp2::Div, |a, b, r| a.div_r(b, r)),
        (Fp2::Abd, |a, b, r| {
            a.sub_r(b, r).map(|x| if x.is_nan() { x } else { x.abs() })
        }),
    ];
    let random = &mut Random::new();
    for (op, expected) in table {
        for (mode, rounding) in MODES.into_iter().enumerate() {
            for _ in 0..CASES {
                let ((a, fa), (mut b, mut fb)) = (number::<T>(random), number::<T>(random));
                if random.below(8) == 0 {
                    // Neighbours: cancellation, and quotients near one.
                    let near = a ^ u128::from(random.below(4));
                    if !T::from_bits(near).is_nan() {
                        (b, fb) = (near, T::from_bits(near));
                    }
                }
                let mut env = FpEnv {
                    fpcr: fpcr(mode),
                    fpsr: 0,
                };
                let got = soft::fp2(op, scalar(T::SIZE), a, b, &mut env);
                check(expected(fa, fb, round_of(rounding)), got, &env, &|| {
                    format!("{op:?} {:?} {rounding:?} {a:x} {b:x}", T::SIZE)
                });
            }
        }
    }
}

#[test]
fn arithmetic_of_halves() {
    arithmetic::<Half>();
}
#[test]
fn arithmetic_of_singles() {
    arithmetic::<Single>();
}
#[test]
fn arithmetic_of_doubles() {
    arithmetic::<Double>();
}

fn fused<T: Oracle>() {
    let table = [
        (Fp3::MulAdd, false, false),
        (Fp3::MulSub, false, true),
        (Fp3::NegMulAdd, true, true),
        (Fp3::NegMulSub, true, false),
    ];
    let random = &mut Random::new();
    let negate = |value: T, negated: bool| if negated { -value } else { value };
    for (op, neg_addend, neg_product) in table {
        for (mode, rounding) in MODES.into_iter().enumerate() {
            for _ in 0..CASES {
                let ((b, fb), (c, fc)) = (number::<T>(random), number::<T>(random));
                let (mut a, mut fa) = number::<T>(random);
                if random.below(2) == 0 {
                    // An addend near the product, so that they cancel.
                    let product = fb.mul_r(fc, Round::TowardZero).value;
                    let near = product.to_bits() ^ u128::from(random.below(4));
                    if !T::from_bits(near).is_nan() {
                        (a, fa) = (near, T::from_bits(near));
                    }
                }
                let mut env = FpEnv {
                    fpcr: fpcr(mode),
                    fpsr: 0,
                };
                let got = soft::fp3(op, scalar(T::SIZE), a, b, c, &mut env);
                let want = negate(fb, neg_product).mul_add_r(fc, negate(fa, neg_addend), round_of(rounding));
                check(want, got, &env, &|| {
                    format!("{op:?} {:?} {rounding:?} {a:x} {b:x} {c:x}", T::SIZE)
                });
            }
        }
    }
}

#[test]
fn fused_of_halves() {
    fused::<Half>();
}
#[test]
fn fused_of_singles() {
    fused::<Single>();
}
#[test]
fn fused_of_doubles() {
    fused::<Double>();
}

/// FRECPS and FRSQRTS are one fused operation with a constant: exact in a wider format.
#[test]
fn newton_steps_of_singles() {
    let random = &mut Random::new();
    let mut lost = false;
    for (op, constant, scale) in [(Fp2::Recps, 2, 0), (Fp2::Rsqrts, 3, -1)] {
        for (mode, rounding) in MODES.into_iter().enumerate() {
            for _ in 0..CASES {
                let ((a, fa), (b, fb)) = (number::<Single>(random), number::<Single>(random));
                if !(fa.is_finite() && fb.is_finite()) {
                    continue;
                }
                let wide = |x: Single, lost: &mut bool| -> Double { x.convert(lost).value };
                let (wa, wb) = (wide(-fa, &mut lost), wide(fb, &mut lost));
                // A double's product of singles is exact, its sum rounded to odd would be too:
                // take only sums that are exact.
                let sum = wa.mul_add(wb, Double::from_i128(constant).value);
                if sum.status != Status::OK {
                    continue;
                }
                let want: StatusAnd<Single> =
                    sum.value.scalbn(scale).convert_r(round_of(rounding), &mut lost);
                let mut env = FpEnv {
                    fpcr: fpcr(mode),
                    fpsr: 0,
                };
                let got = soft::fp2(op, scalar(FpSize::S), a, b, &mut env);
                if want.value.is_zero() {
                    let sign = u128::from(rounding == Rounding::MinusInf) << 31;
                    assert_eq!(got, sign, "{op:?} {a:x} {b:x}");
                } else {
                    check(want, got, &env, &|| format!("{op:?} {rounding:?} {a:x} {b:x}"));
                }
            }
        }
    }
}

fn precision<From: Oracle + FloatConvert<To>, To: Oracle>(op: Fp1) {
    let random = &mut Random::new();
    for (mode, rounding) in MODES.into_iter().enumerate() {
        for _ in 0..CASES {
            let (a, fa) = number::<From>(random);
            let want: StatusAnd<To> = fa.convert_r(round_of(rounding), &mut false);
            let mut env = FpEnv {
                fpcr: fpcr(mode),
                fpsr: 0,
            };
            let got = soft::fp1(op, scalar(To::SIZE), a, &mut env);
            check(want, got, &env, &|| format!("{op:?} {rounding:?} {a:x}"));
        }
    }
}

#[test]
fn precision_changes() {
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

fn to_integers<T: Oracle>() {
    let random = &mut Random::new();
    for rounding in ROUNDINGS {
        for _ in 0..CASES * 2 {
            let (a, fa) = number::<T>(random);
            let width = if random.below(2) == 0 { Width::W } else { Width::X };
            let signed = random.below(2) == 0;
            let bits = width.bits() as usize;
            // Scaling an infinity or a number far out of range changes nothing.
            let fbits = random.below(u64::from(width.bits()) + 1) as u8;
            let wide = if T::SIZE == FpSize::D {
                Double::from_bits(a).convert(&mut false).value
            } else if T::SIZE == FpSize::S {
                Single::from_bits(a).convert(&mut false).value
            } else {
                let single: Single = Half::from_bits(a).convert(&mut false).value;
                single.convert(&mut false).value
            };
            let scaled = Quad::scalbn(wide, fbits.into());
            let (want, status) = if signed {
                let r = scaled.to_i128_r(bits, round_of(rounding), &mut false);
                (r.value as u64, r.status)
            } else {
                let r = scaled.to_u128_r(bits, round_of(rounding), &mut false);
                (r.value as u64, r.status)
            };
            let want = if width == Width::W {
                want & 0xffff_ffff
            } else {
                want
            };
            let mut env = FpEnv::default();
            let got = soft::fp_to_int(
                FpToInt {
                    signed,
                    rounding,
                    fbits,
                },
                width,
                T::SIZE,
                a,
                &mut env,
            );
            let what = format!(
                "{:?} to {width:?} {signed} {rounding:?} {a:x} fbits {fbits} {fa}",
                T::SIZE
            );
            assert_eq!(got, want, "{what}");
            assert_eq!(env.fpsr, flags_of(status), "{what}");
        }
    }
}

#[test]
fn conversions_to_integers() {
    to_integers::<Half>();
    to_integers::<Single>();
    to_integers::<Double>();
}

fn from_integers<T: Oracle>()
where
    Quad: FloatConvert<T>,
{
    let random = &mut Random::new();
    for (mode, rounding) in MODES.into_iter().enumerate() {
        for _ in 0..CASES {
            let drop = random.below(64);
            let value = random.next() >> drop;
            let value = if random.below(2) == 0 {
                value
            } else {
                value.wrapping_neg()
            };
            let width = if random.below(2) == 0 { Width::W } else { Width::X };
            let signed = random.below(2) == 0;
            let fbits = random.below(u64::from(width.bits()) + 1) as u8;
            let exact = match (signed, width) {
                (false, Width::W) => i128::from(value as u32),
                (false, Width::X) => i128::from(value),
                (true, Width::W) => i128::from(value as i32),
                (true, Width::X) => i128::from(value as i64),
            };
            let scaled = Quad::from_i128(exact).value.scalbn(-i32::from(fbits));
            let want: StatusAnd<T> = scaled.convert_r(round_of(rounding), &mut false);
            let mut env = FpEnv {
                fpcr: fpcr(mode),
                fpsr: 0,
            };
            let got = soft::int_to_fp(IntToFp { signed, fbits }, width, T::SIZE, value, &mut env);
            check(want, got, &env, &|| {
                format!(
                    "{width:?} {signed} {value:x} fbits {fbits} to {:?} {rounding:?}",
                    T::SIZE
                )
            });
        }
    }
}

#[test]
fn conversions_from_integers() {
    from_integers::<Half>();
    from_integers::<Single>();
    from_integers::<Double>();
}

fn to_integral<T: Oracle>() {
    let random = &mut Random::new();
    let table = [
        (Fp1::RintN, Round::NearestTiesToEven),
        (Fp1::RintP, Round::TowardPositive),
        (Fp1::RintM, Round::TowardNegative),
        (Fp1::RintZ, Round::TowardZero),
        (Fp1::RintA, Round::NearestTiesToAway),
    ];
    for (op, round) in table {
        for _ in 0..CASES {
            let (a, fa) = number::<T>(random);
            let mut env = FpEnv::default();
            let got = soft::fp1(op, scalar(T::SIZE), a, &mut env);
            let want = fa.round_to_integral(round).value;
            check(Status::OK.and(want), got, &env, &|| format!("{op:?} {a:x}"));
        }
    }
    for (mode, rounding) in MODES.into_iter().enumerate() {
        for _ in 0..CASES {
            let (a, fa) = number::<T>(random);
            let want = fa.round_to_integral(round_of(rounding)).value;
            let inexact = if want.bitwise_eq(fa) {
                Status::OK
            } else {
                Status::INEXACT
            };
            for (op, status) in [(Fp1::RintI, Status::OK), (Fp1::RintX, inexact)] {
                let mut env = FpEnv {
                    fpcr: fpcr(mode),
                    fpsr: 0,
                };
                let got = soft::fp1(op, scalar(T::SIZE), a, &mut env);
                assert_eq!(got, want.to_bits(), "{op:?} {a:x} {rounding:?}");
                assert_eq!(env.fpsr, flags_of(status), "{op:?} {a:x} {rounding:?}");
            }
        }
    }
}

#[test]
fn integral_values() {
    to_integral::<Half>();
    to_integral::<Single>();
    to_integral::<Double>();
}

/// A root is right if its square, and those of its neighbours, lie around the operand.
fn square_root<T: Oracle + FloatConvert<Quad>>() {
    let random = &mut Random::new();
    let wide = |x: T| -> Quad { x.convert(&mut false).value };
    let square = |x: Quad| {
        let square = x.mul_r(x, Round::TowardZero);
        assert_eq!(square.status, Status::OK, "the test's squares are exact");
        square.value
    };
    for (mode, rounding) in MODES.into_iter().enumerate() {
        for _ in 0..CASES {
            let (a, fa) = number::<T>(random);
            if fa.is_negative() || !fa.is_finite_non_zero() {
                continue;
            }
            let mut env = FpEnv {
                fpcr: fpcr(mode),
                fpsr: 0,
            };
            let got = soft::fp1(Fp1::Sqrt, scalar(T::SIZE), a, &mut env);
            let root = T::from_bits(got);
            let [below, at, above] = [root.next_down().value, root, root.next_up().value].map(wide);
            let exact = wide(fa);
            let half_way = |x: Quad, y: Quad| square((x + y).value.scalbn(-1));
            let right = match rounding {
                Rounding::PlusInf => square(below) < exact && exact <= square(at),
                Rounding::MinusInf | Rounding::Zero => square(at) <= exact && exact < square(above),
                Rounding::TieEven | Rounding::TieAway | Rounding::Odd | Rounding::Current => {
                    half_way(below, at) < exact && exact < half_way(at, above)
                }
            };
            assert!(right, "sqrt {:?} {rounding:?} {a:x} = {got:x}", T::SIZE);
            let inexact = if square(at) == exact { 0 } else { FpEnv::FPSR_IXC };
            assert_eq!(env.fpsr, inexact, "sqrt {:?} {a:x}", T::SIZE);
        }
    }
}

#[test]
fn square_roots() {
    square_root::<Half>();
    square_root::<Single>();
    square_root::<Double>();
}
