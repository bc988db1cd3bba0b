//! splitmix64: repeatable random numbers, small and good enough to choose test values, encodings and layouts.
//!
//! The one place of it: all crates above use it, by themselves or through `cpu_model`.

/// What the state advances by.
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The next number of the sequence that `state` stands for.
#[must_use]
pub const fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(STEP);
    mixed(*state)
}

/// The output function: any change of the input changes half of the output.
#[must_use]
pub const fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers from 1234567, as the Java class SplittableRandom gives them.
    #[test]
    fn numbers_are_those_of_splitmix64() {
        let mut state = 1_234_567;
        let found = [(); 3].map(|()| splitmix64(&mut state));
        assert_eq!(
            found,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }
}
