//! Seeded randomness, and values chosen to hit the edges of arithmetic.

use a64_isa::random::{mixed, splitmix64};

/// splitmix64.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// A generator for `name` and `index`, the same in every run.
    #[must_use]
    pub fn for_case(name: &str, index: u64) -> Self {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Rng(mixed(hash ^ mixed(index)))
    }

    pub const fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    /// A number below `limit`.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// An integer: often at an edge of 8, 16, 32 or 64 bits.
    pub const fn integer(&mut self) -> u64 {
        let bits = 8 << self.below(4);
        let mask = u64::MAX >> (64 - bits);
        let edge = match self.below(12) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => mask,
            4 => mask >> 1,
            5 => (mask >> 1) + 1,
            6 => !(mask >> 1),
            7 => 1 << self.below(64),
            8 => self.below(64),
            9 => self.next() >> self.below(64),
            10 => (self.next() as i64 >> self.below(64)) as u64,
            _ => return self.next(),
        };
        match self.below(8) {
            0 => edge.wrapping_add(1),
            1 => edge.wrapping_sub(1),
            2 => edge.wrapping_neg(),
            _ => edge,
        }
    }

    /// A floating-point number of the format: zeros, subnormals, ties, limits, NaNs.
    pub const fn float(&mut self, exponent_bits: u32, fraction_bits: u32) -> u64 {
        let fraction_mask = (1u64 << fraction_bits) - 1;
        let top_exponent = (1u64 << exponent_bits) - 1;
        let bias = top_exponent >> 1;
        let random = self.next() & fraction_mask;
        // Fractions of few bits make exact ties and small integers.
        let short = (random >> (fraction_bits - 3)) << (fraction_bits - 3);
        let (exponent, fraction) = match self.below(18) {
            0 => (0, 0),
            1 => (0, 1),
            2 => (0, random),
            3 => (0, fraction_mask),
            4 => (1, random & 1),
            5 => (top_exponent, 0),
            6 => (top_exponent, random | 1 << (fraction_bits - 1)),
            7 => (top_exponent, (random | 1) & (fraction_mask >> 1)),
            8 => (top_exponent - 1, fraction_mask - (random & 1)),
            9 => (bias, random & 1),
            10 => (bias + self.below(4), short),
            11 => (bias - 1 - self.below(3), short),
            // Around the limits of integers.
            12 => (bias + 29 + self.below(6), short),
            13 => (bias + 60 + self.below(6), short),
            14 => (bias + self.below(70), random),
            15 | 16 => (bias - 8 + self.below(16), random),
            _ => (self.below(top_exponent + 1), random),
        };
        let exponent = if exponent > top_exponent {
            top_exponent
        } else {
            exponent
        };
        let sign = self.next() & 1;
        sign << (exponent_bits + fraction_bits) | exponent << fraction_bits | fraction
    }

    /// A vector of 16-bit numbers: halves, or BFloat16.
    pub fn halves(&mut self, brain: bool) -> u128 {
        (0..8).fold(0, |vector, _| {
            let lane = if brain {
                self.float(8, 7)
            } else {
                self.float(5, 10)
            };
            vector << 16 | u128::from(lane & 0xffff)
        })
    }

    /// A vector whose lanes are all of one kind.
    pub fn vector(&mut self) -> u128 {
        let kind = self.below(10);
        let lane_bits: u32 = match kind {
            0..=2 => 64,
            3..=5 => 32,
            6 => 16,
            7 => 8 << self.below(4),
            8 => return u128::from(self.next()) << 64 | u128::from(self.next()),
            _ => return if self.one_in(2) { 0 } else { u128::MAX },
        };
        let mut vector = 0;
        for _ in 0..128 / lane_bits {
            let lane = match kind {
                0..=2 => self.float(11, 52),
                3..=5 => self.float(8, 23),
                6 => self.float(5, 10),
                _ => self.integer(),
            };
            let lane = lane & (u64::MAX >> (64 - lane_bits));
            vector = vector << (lane_bits - 1) << 1 | u128::from(lane);
        }
        vector
    }
}
