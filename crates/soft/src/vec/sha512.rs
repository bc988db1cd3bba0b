//! SHA-512 steps (FIPS 180-4 4.1.3, 6.4.2; Arm ARM C7.2, SHA512H to SHA512SU1). Two of the
//! eight working variables stand in each vector.

use super::lanes::lane;
use semantics::ops::Lane;

fn low(v: u128) -> u64 {
    lane(v, Lane::D, 0)
}

fn high(v: u128) -> u64 {
    lane(v, Lane::D, 1)
}

fn join(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn choose(x: u64, y: u64, z: u64) -> u64 {
    x & y | !x & z
}

fn majority(x: u64, y: u64, z: u64) -> u64 {
    x & y | x & z | y & z
}

fn large_sigma0(x: u64) -> u64 {
    x.rotate_right(28) ^ x.rotate_right(34) ^ x.rotate_right(39)
}

fn large_sigma1(x: u64) -> u64 {
    x.rotate_right(14) ^ x.rotate_right(18) ^ x.rotate_right(41)
}

fn small_sigma0(x: u64) -> u64 {
    x.rotate_right(1) ^ x.rotate_right(8) ^ x >> 7
}

fn small_sigma1(x: u64) -> u64 {
    x.rotate_right(19) ^ x.rotate_right(61) ^ x >> 6
}

/// SHA512H: the first half of two rounds.
pub(super) fn sha512h(d: u128, n: u128, m: u128) -> u128 {
    let first = choose(high(m), low(n), high(n))
        .wrapping_add(large_sigma1(high(m)))
        .wrapping_add(high(d));
    let e = first.wrapping_add(low(m));
    let second = choose(e, high(m), low(n))
        .wrapping_add(large_sigma1(e))
        .wrapping_add(low(d));
    join(first, second)
}

/// SHA512H2: the second half.
pub(super) fn sha512h2(d: u128, n: u128, m: u128) -> u128 {
    let first = majority(low(n), high(m), low(m))
        .wrapping_add(large_sigma0(low(m)))
        .wrapping_add(high(d));
    let second = majority(first, low(m), high(m))
        .wrapping_add(large_sigma0(first))
        .wrapping_add(low(d));
    join(first, second)
}

/// SHA512SU0: the schedule's words 0 and 1 plus sigma0 of 1 and 2.
pub(super) fn sha512su0(d: u128, n: u128) -> u128 {
    join(
        high(d).wrapping_add(small_sigma0(low(n))),
        low(d).wrapping_add(small_sigma0(high(d))),
    )
}

/// SHA512SU1: adds sigma1 of the words two before and the words seven before.
pub(super) fn sha512su1(d: u128, n: u128, m: u128) -> u128 {
    let word = |d: u64, n, m: u64| d.wrapping_add(small_sigma1(n)).wrapping_add(m);
    join(word(high(d), high(n), high(m)), word(low(d), low(n), low(m)))
}
