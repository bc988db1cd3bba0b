//! Three-operand operations; the first operand is the accumulator or old destination.

use super::dot::{self, Bytes};
use super::lanes::{lane, map, map_saturating, shape_mask, signed_lane, signed_limit, spare_bits};
use super::sm::Function;
use super::two::doubling_product;
use super::{sha, sha512, sm};
use guest::FpEnv;
use semantics::ops::{Shape, Vec3};

/// Body of [`semantics::ops::VectorOps::vec3`].
pub fn vec3(op: Vec3, s: Shape, a: u128, b: u128, c: u128, env: &mut FpEnv) -> u128 {
    let acc = |i| lane(a, s.lane, i);
    let unsigned = |i| (lane(b, s.lane, i), lane(c, s.lane, i));
    let signed = |i| (signed_lane(b, s.lane, i), signed_lane(c, s.lane, i));
    let half = s.lane.narrower();
    let narrow = |i| (lane(b, half, i), lane(c, half, i));
    let narrow_signed = |i| (signed_lane(b, half, i), signed_lane(c, half, i));
    match op {
        Vec3::Bsl => (a & b | !a & c) & shape_mask(s),
        Vec3::Mla => map(s, |i| acc(i).wrapping_add(product(unsigned(i)))),
        Vec3::Mls => map(s, |i| acc(i).wrapping_sub(product(unsigned(i)))),
        Vec3::Umlal => map(s, |i| acc(i).wrapping_add(product(narrow(i)))),
        Vec3::Umlsl => map(s, |i| acc(i).wrapping_sub(product(narrow(i)))),
        Vec3::Smlal => map(s, |i| acc(i).wrapping_add(signed_product(narrow_signed(i)))),
        Vec3::Smlsl => map(s, |i| acc(i).wrapping_sub(signed_product(narrow_signed(i)))),
        Vec3::Saba => map(s, |i| acc(i).wrapping_add(signed_difference(signed(i)))),
        Vec3::Uaba => map(s, |i| acc(i).wrapping_add(difference(unsigned(i)))),
        Vec3::Sabal => map(s, |i| acc(i).wrapping_add(signed_difference(narrow_signed(i)))),
        Vec3::Uabal => map(s, |i| acc(i).wrapping_add(difference(narrow(i)))),
        Vec3::SqDmlal => accumulate_doubled(s, a, narrow_signed, i64::checked_add, env),
        Vec3::SqDmlsl => accumulate_doubled(s, a, narrow_signed, i64::checked_sub, env),
        Vec3::Sha1C => sha::sha1c(a, b as u32, c),
        Vec3::Sha1P => sha::sha1p(a, b as u32, c),
        Vec3::Sha1M => sha::sha1m(a, b as u32, c),
        Vec3::Sha1Su0 => sha::sha1su0(a, b, c),
        Vec3::Sha256H => sha::sha256h(a, b, c),
        Vec3::Sha256H2 => sha::sha256h2(a, b, c),
        Vec3::Sha256Su1 => sha::sha256su1(a, b, c),
        Vec3::SqRdmlah => map_saturating(s, env, |i| {
            dot::accumulate_high(s.lane, signed_lane(a, s.lane, i), signed(i), i128::wrapping_add)
        }),
        Vec3::SqRdmlsh => map_saturating(s, env, |i| {
            dot::accumulate_high(s.lane, signed_lane(a, s.lane, i), signed(i), i128::wrapping_sub)
        }),
        Vec3::Sdot => dot::products(s, a, (Bytes::Signed, b), (Bytes::Signed, c)),
        Vec3::Udot => dot::products(s, a, (Bytes::Unsigned, b), (Bytes::Unsigned, c)),
        Vec3::Usdot => dot::products(s, a, (Bytes::Unsigned, b), (Bytes::Signed, c)),
        Vec3::Smmla => dot::matrix(s, a, (Bytes::Signed, b), (Bytes::Signed, c)),
        Vec3::Ummla => dot::matrix(s, a, (Bytes::Unsigned, b), (Bytes::Unsigned, c)),
        Vec3::Usmmla => dot::matrix(s, a, (Bytes::Unsigned, b), (Bytes::Signed, c)),
        Vec3::Sha512H => sha512::sha512h(a, b, c),
        Vec3::Sha512H2 => sha512::sha512h2(a, b, c),
        Vec3::Sha512Su1 => sha512::sha512su1(a, b, c),
        Vec3::Sm3Ss1 => sm::sm3ss1(a, b, c),
        Vec3::Sm3Tt1A => sm::sm3tt1(Function::Parity, a, b, c),
        Vec3::Sm3Tt1B => sm::sm3tt1(Function::Majority, a, b, c),
        Vec3::Sm3Tt2A => sm::sm3tt2(Function::Parity, a, b, c),
        Vec3::Sm3Tt2B => sm::sm3tt2(Function::Choice, a, b, c),
        Vec3::Sm3PartW1 => sm::sm3partw1(a, b, c),
        Vec3::Sm3PartW2 => sm::sm3partw2(a, b, c),
    }
}

fn product((x, y): (u64, u64)) -> u64 {
    x.wrapping_mul(y)
}

fn signed_product((x, y): (i64, i64)) -> u64 {
    x.wrapping_mul(y) as u64
}

fn difference((x, y): (u64, u64)) -> u64 {
    x.abs_diff(y)
}

fn signed_difference((x, y): (i64, i64)) -> u64 {
    x.abs_diff(y)
}

/// SQDMLAL and SQDMLSL: the product saturates, then the sum does.
fn accumulate_doubled(
    s: Shape,
    a: u128,
    factors: impl Fn(usize) -> (i64, i64),
    f: impl Fn(i64, i64) -> Option<i64>,
    env: &mut FpEnv,
) -> u128 {
    let up = spare_bits(s.lane);
    map_saturating(s, env, |i| {
        let acc = signed_lane(a, s.lane, i);
        let (doubled, saturated) = doubling_product(s.lane, factors(i));
        match f(acc << up, doubled << up) {
            Some(r) => ((r >> up) as u64, saturated),
            None => (signed_limit(acc, s.lane), true),
        }
    })
}
