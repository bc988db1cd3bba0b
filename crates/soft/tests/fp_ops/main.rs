//! The floating-point bodies against another implementation of IEEE 754 (`apfloat`), against
//! the rules of the Arm architecture in which it differs from others (`special`, `convert`),
//! and against the tables of estimates (`estimate`); results and flags of the IEEE operations against
//! exact arithmetic (`ieee`).

mod apfloat;
mod convert;
mod estimate;
mod ieee;
mod special;

use a64_isa::random::splitmix64;
use semantics::ops::{FpSize, Rounding, Shape};

/// splitmix64, from a fixed seed that a failure prints.
struct Random(u64);

const SEED: u64 = 0x5eed_f10a;

/// Cases of each operation, format and rounding mode.
const CASES: u32 = 10_000;

impl Random {
    fn new() -> Self {
        println!("seed {SEED:#x}");
        Random(SEED)
    }

    fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A value of the format: random bits, or exponents and fractions at their limits.
    fn value(&mut self, size: FpSize) -> u64 {
        let (bits, frac) = layout(size);
        let exp_max = (1u64 << (bits - 1 - frac)) - 1;
        let noise = self.next();
        let sign = (noise >> 63) << (bits - 1);
        let exp = match self.below(10) {
            0 => 0,
            1 => exp_max - self.below(2),
            2 => self.below(4),
            // Near 1.0, so that sums cancel and conversions are in range.
            3..=6 => (exp_max / 2 + self.below(64)).wrapping_sub(32),
            _ => self.next(),
        } & exp_max;
        let all = (1 << frac) - 1;
        let fraction = match self.below(8) {
            0 => 0,
            1 => all,
            2 => 1 << self.below(frac.into()),
            3 => all ^ (1 << self.below(frac.into())),
            4 => self.below(4),
            _ => noise,
        } & all;
        sign | exp << frac | fraction
    }
}

/// Bits and fraction bits.
const fn layout(size: FpSize) -> (u32, u32) {
    match size {
        FpSize::H => (16, 10),
        FpSize::S => (32, 23),
        FpSize::D => (64, 52),
    }
}

const fn scalar(size: FpSize) -> Shape {
    Shape::scalar(size.lane())
}

const MODES: [Rounding; 4] = [
    Rounding::TieEven,
    Rounding::PlusInf,
    Rounding::MinusInf,
    Rounding::Zero,
];

/// FPCR with the rounding mode numbered as in [`MODES`].
const fn fpcr(mode: usize) -> u32 {
    (mode as u32) << guest::FpEnv::FPCR_RMODE_SHIFT
}
