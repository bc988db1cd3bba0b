//! Conversions where Arm's rules are its own: NaNs, saturation, alternative half precision,
//! rounding to odd, flushing.

use guest::FpEnv;
use rustc_apfloat::ieee::{Double, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};
use semantics::ops::{Fp1, FpSize, FpToInt, IntToFp, Lane, Rounding, Shape, Span, Width};

use crate::special::{IDC, IOC, IXC, OFC, UFC};
use crate::{CASES, Random, scalar};

const AHP: u32 = FpEnv::FPCR_AHP;
const DN: u32 = FpEnv::FPCR_DN;
const FZ: u32 = FpEnv::FPCR_FZ;
const FZ16: u32 = FpEnv::FPCR_FZ16;
const TO_ZERO: u32 = 3 << 22;

/// FPConvert.
#[test]
fn between_formats() {
    use Fp1::{CvtDH, CvtDS, CvtDSOdd, CvtHD, CvtHS, CvtSD, CvtSH};
    use FpSize::{D, H, S};
    // Operation, result size, FPCR, operand, result, flags.
    let cases = [
        // NaNs keep sign and upper payload, and become quiet.
        (CvtSD, D, 0, 0xffa0_0001, 0xfffc_0000_2000_0000, IOC),
        (CvtDS, S, 0, 0x7ff0_0000_0000_0001, 0x7fc0_0000, IOC),
        (CvtDS, S, 0, 0xfff8_0000_e000_0000, 0xffc0_0007, 0),
        (CvtDS, S, DN, 0xfff8_0000_e000_0000, 0x7fc0_0000, 0),
        (CvtSH, H, 0, 0xffff_ffff, 0xffff, 0),
        (CvtHS, S, 0, 0x7d55, 0x7fea_a000, IOC),
        (CvtHD, D, DN, 0xfd55, 0x7ff8_0000_0000_0000, IOC),
        (CvtDSOdd, S, 0, 0x7ff0_0000_0000_0001, 0x7fc0_0000, IOC),
        // Infinities and zeros keep their sign.
        (CvtDH, H, 0, 0xfff0_0000_0000_0000, 0xfc00, 0),
        (CvtHS, S, 0, 0x8000, 0x8000_0000, 0),
        // Alternative half precision has neither infinities nor NaNs.
        (CvtHS, S, AHP, 0x7c00, 0x4780_0000, 0),
        (CvtHS, S, AHP, 0xffff, 0xc7ff_e000, 0),
        (CvtHD, D, AHP, 0x7fff, 0x40ff_fc00_0000_0000, 0),
        (CvtSH, H, AHP, 0x47ff_e000, 0x7fff, 0),
        (CvtSH, H, AHP, 0x47ff_e001, 0x7fff, IXC),
        (CvtSH, H, AHP, 0x47ff_f000, 0x7fff, IOC),
        (CvtSH, H, AHP, 0xc800_0000, 0xffff, IOC),
        (CvtSH, H, AHP | TO_ZERO, 0x47ff_f000, 0x7fff, IXC),
        (CvtSH, H, AHP, 0x7f80_0000, 0x7fff, IOC),
        (CvtDH, H, AHP, 0xfff0_0000_0000_0000, 0xffff, IOC),
        (CvtSH, H, AHP, 0xffc0_0001, 0x8000, IOC),
        (CvtDH, H, AHP | DN, 0x7ff8_0000_0000_0000, 0x0000, IOC),
        // Overflow to half, and rounding to the largest half.
        (CvtSH, H, 0, 0x477f_f000, 0x7c00, OFC | IXC),
        (CvtSH, H, 0, 0x477f_efff, 0x7bff, IXC),
        // FZ16 does not count in conversions, FZ for the wider formats only.
        (CvtSH, H, FZ | FZ16, 0x3380_0000, 0x0001, 0),
        (CvtHS, S, FZ | FZ16, 0x0001, 0x3380_0000, 0),
        (CvtSH, H, FZ, 0x0040_0000, 0, IDC),
        (CvtSD, D, FZ, 0x8040_0000, 0x8000_0000_0000_0000, IDC),
        (CvtDS, S, FZ, 0x3800_0000_0000_0000, 0, UFC),
        (CvtDS, S, 0, 0x3800_0000_0000_0000, 0x0040_0000, 0),
        // Round to odd: no carry, no infinity.
        (CvtDSOdd, S, 0, 0x3ff0_0000_0000_0001, 0x3f80_0001, IXC),
        (CvtDSOdd, S, 0, 0x3ff0_0000_2000_0001, 0x3f80_0001, IXC),
        (CvtDSOdd, S, 0, 0x3ff0_0000_0000_0000, 0x3f80_0000, 0),
        (CvtDSOdd, S, 0, 0x7fe0_0000_0000_0000, 0x7f7f_ffff, OFC | IXC),
        (CvtDSOdd, S, 0, 0x8000_0000_0000_0001, 0x8000_0001, UFC | IXC),
        (CvtDSOdd, S, 0, 0xfff0_0000_0000_0000, 0xff80_0000, 0),
    ];
    for (op, size, fpcr, a, want, flags) in cases {
        let mut env = FpEnv { fpcr, fpsr: 0 };
        let got = soft::fp1(op, scalar(size), a, &mut env);
        let what = format!("{op:?} {fpcr:#x} {a:#x}: got {got:#x} {:#x}", env.fpsr);
        assert!(
            (got, env.fpsr) == (want, flags),
            "{what}, want {want:#x} {flags:#x}"
        );
    }
}

/// Rounding to odd, then to half, is rounding once: that is what FCVTXN is for.
#[test]
fn odd_rounding_avoids_double_rounding() {
    let random = &mut Random::new();
    for _ in 0..CASES {
        let a = random.value(FpSize::D).into();
        let wide = Double::from_bits(a);
        if wide.is_nan() {
            continue;
        }
        let env = &mut FpEnv::default();
        let single = soft::fp1(Fp1::CvtDSOdd, scalar(FpSize::S), a, env);
        let want: StatusAnd<Single> = wide.convert_r(Round::TowardZero, &mut false);
        let inexact = u128::from(want.status != Status::OK);
        assert_eq!(single, want.value.to_bits() | inexact, "{a:x}");
        let twice = soft::fp1(Fp1::CvtSH, scalar(FpSize::H), single, env);
        let once = soft::fp1(Fp1::CvtDH, scalar(FpSize::H), a, env);
        assert_eq!(twice, once, "{a:x}");
    }
}

/// FPToFixed: saturation, NaNs, and no Inexact along with Invalid Operation.
#[test]
fn to_integers() {
    use Width::{W, X};
    let (nearest, zero, up, away) = (
        Rounding::TieEven,
        Rounding::Zero,
        Rounding::PlusInf,
        Rounding::TieAway,
    );
    // Double operand, FPCR, signed, rounding, fraction bits, width, result, flags.
    let cases = [
        (f64::NAN, 0, true, zero, 0, W, 0, IOC),
        (f64::INFINITY, 0, true, zero, 0, W, 0x7fff_ffff, IOC),
        (f64::NEG_INFINITY, 0, true, zero, 0, W, 0x8000_0000, IOC),
        (f64::NEG_INFINITY, 0, false, zero, 0, X, 0, IOC),
        (f64::INFINITY, 0, false, zero, 0, X, u64::MAX, IOC),
        (2_147_483_647.5, 0, true, zero, 0, W, 0x7fff_ffff, IXC),
        (2_147_483_647.5, 0, true, nearest, 0, W, 0x7fff_ffff, IOC),
        (-2_147_483_648.5, 0, true, nearest, 0, W, 0x8000_0000, IXC),
        (-2_147_483_649.0, 0, true, nearest, 0, W, 0x8000_0000, IOC),
        (4_294_967_295.0, 0, false, zero, 0, W, 0xffff_ffff, 0),
        (4_294_967_296.0, 0, false, zero, 0, W, 0xffff_ffff, IOC),
        (-1.0, 0, true, zero, 0, W, 0xffff_ffff, 0),
        (-1.0, 0, true, zero, 0, X, u64::MAX, 0),
        (-1.0, 0, false, zero, 0, X, 0, IOC),
        (-0.5, 0, false, zero, 0, X, 0, IXC),
        (-0.5, 0, false, nearest, 0, X, 0, IXC),
        (-0.5, 0, false, away, 0, X, 0, IOC),
        (-0.0, 0, false, zero, 0, X, 0, 0),
        (18_446_744_073_709_551_616.0, 0, false, zero, 0, X, u64::MAX, IOC),
        (
            9_223_372_036_854_775_808.0,
            0,
            true,
            zero,
            0,
            X,
            i64::MAX as u64,
            IOC,
        ),
        (-9_223_372_036_854_775_808.0, 0, true, zero, 0, X, 1 << 63, 0),
        (1.75, 0, true, zero, 2, W, 7, 0),
        (0.5, 0, true, zero, 32, W, 0x7fff_ffff, IOC),
        (0.5, 0, false, zero, 32, W, 0x8000_0000, 0),
        (0.75, 0, false, zero, 64, X, 3 << 62, 0),
        (2.5, 0, true, nearest, 0, W, 2, IXC),
        (2.5, 0, true, away, 0, W, 3, IXC),
        (-2.5, 0, true, away, 0, W, -3i32 as u32 as u64, IXC),
        (1e-300, 0, true, up, 0, W, 1, IXC),
        (f64::from_bits(1), 0, true, up, 0, W, 1, IXC),
        (f64::from_bits(1), FZ, true, up, 0, W, 0, IDC),
    ];
    for (a, fpcr, signed, rounding, fbits, width, want, flags) in cases {
        let mut env = FpEnv { fpcr, fpsr: 0 };
        let how = FpToInt {
            signed,
            rounding,
            fbits,
        };
        let got = soft::fp_to_int(how, width, FpSize::D, a.to_bits().into(), &mut env);
        let what = format!("{a:?} {how:?} {width:?}: got {got:#x} {:#x}", env.fpsr);
        assert!(
            (got, env.fpsr) == (want, flags),
            "{what}, want {want:#x} {flags:#x}"
        );
    }
}

/// FixedToFP where the format is too small: half precision.
#[test]
fn from_integers() {
    let how = |signed, fbits| IntToFp { signed, fbits };
    // FPCR, conversion, width, value, result, flags.
    let cases = [
        (0, how(true, 0), Width::W, 0x1_ffff_ffff, 0xbc00, 0),
        (0, how(false, 0), Width::W, 65_519, 0x7bff, IXC),
        (0, how(false, 0), Width::W, 65_520, 0x7c00, OFC | IXC),
        (TO_ZERO, how(false, 0), Width::X, u64::MAX, 0x7bff, OFC | IXC),
        (0, how(false, 32), Width::W, 1, 0, UFC | IXC),
        (0, how(false, 24), Width::W, 1, 1, 0),
        (FZ16, how(false, 24), Width::W, 1, 0, UFC),
        (0, how(true, 0), Width::X, 0, 0, 0),
    ];
    for (fpcr, how, width, value, want, flags) in cases {
        let mut env = FpEnv { fpcr, fpsr: 0 };
        let got = soft::int_to_fp(how, width, FpSize::H, value, &mut env);
        let what = format!("{value:#x} {how:?}: got {got:#x} {:#x}", env.fpsr);
        assert!(
            (got, env.fpsr) == (want, flags),
            "{what}, want {want:#x} {flags:#x}"
        );
    }
}

/// Vector forms do each lane of their span and no more.
#[test]
fn vectors() {
    let env = &mut FpEnv::default();
    let ones = 0x3f80_0000_3f80_0000_3f80_0000_3f80_0000;
    let how = FpToInt {
        signed: true,
        rounding: Rounding::Zero,
        fbits: 1,
    };
    let full = Shape::new(Lane::S, Span::Full);
    let half = Shape::new(Lane::S, Span::Half);
    let twos = 0x0000_0002_0000_0002_0000_0002_0000_0002;
    assert_eq!(soft::vec_fp_to_int(how, full, ones, env), twos);
    assert_eq!(
        soft::vec_fp_to_int(how, half, ones, env),
        twos & u128::from(u64::MAX)
    );
    let back = IntToFp {
        signed: true,
        fbits: 1,
    };
    assert_eq!(soft::vec_int_to_fp(back, full, twos, env), ones);
    assert_eq!(
        soft::vec_int_to_fp(back, Shape::scalar(Lane::S), twos, env),
        0x3f80_0000
    );
    // Widening reads the low half, narrowing fills it.
    let doubles = soft::fp1(Fp1::CvtSD, Shape::new(Lane::D, Span::Full), ones, env);
    assert_eq!(doubles, 0x3ff0_0000_0000_0000_3ff0_0000_0000_0000);
    assert_eq!(soft::fp1(Fp1::CvtDS, half, doubles, env), 0x3f80_0000_3f80_0000);
    let halves = soft::fp1(Fp1::CvtSH, Shape::new(Lane::H, Span::Half), ones, env);
    assert_eq!(halves, 0x3c00_3c00_3c00_3c00);
    assert_eq!(soft::fp1(Fp1::CvtHS, full, halves, env), ones);
    assert_eq!(env.fpsr, 0);
}
