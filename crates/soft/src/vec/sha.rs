//! SHA-1 and SHA-256 steps (FIPS 180-4; Arm ARM C7.2, SHA1* and SHA256*). A vector
//! holds four 32-bit words, word 0 in its low bits.

fn words(v: u128) -> [u32; 4] {
    std::array::from_fn(|i| (v >> (32 * i)) as u32)
}

fn vector(w: [u32; 4]) -> u128 {
    w.iter().rev().fold(0, |v, &word| v << 32 | u128::from(word))
}

fn choose(x: u32, y: u32, z: u32) -> u32 {
    x & y | !x & z
}

fn majority(x: u32, y: u32, z: u32) -> u32 {
    x & y | (x | y) & z
}

fn parity(x: u32, y: u32, z: u32) -> u32 {
    x ^ y ^ z
}

/// Four rounds of SHA-1 on `abcd` and `e`; `wk` holds the schedule words plus the constant.
fn sha1_rounds(abcd: u128, mut e: u32, wk: u128, f: fn(u32, u32, u32) -> u32) -> u128 {
    let [mut a, mut b, mut c, mut d] = words(abcd);
    for k in words(wk) {
        let t = a
            .rotate_left(5)
            .wrapping_add(f(b, c, d))
            .wrapping_add(e)
            .wrapping_add(k);
        (a, b, c, d, e) = (t, a, b.rotate_left(30), c, d);
    }
    vector([a, b, c, d])
}

pub(super) fn sha1c(abcd: u128, e: u32, wk: u128) -> u128 {
    sha1_rounds(abcd, e, wk, choose)
}

pub(super) fn sha1p(abcd: u128, e: u32, wk: u128) -> u128 {
    sha1_rounds(abcd, e, wk, parity)
}

pub(super) fn sha1m(abcd: u128, e: u32, wk: u128) -> u128 {
    sha1_rounds(abcd, e, wk, majority)
}

/// SHA1SU0: `d ^ words 2..6 of d:n ^ m`, the sum before the rotation.
pub(super) fn sha1su0(d: u128, n: u128, m: u128) -> u128 {
    (d >> 64 | n << 64) ^ d ^ m
}

/// SHA1SU1: rotates the sum; the last word needs the first one's result.
pub(super) fn sha1su1(d: u128, n: u128) -> u128 {
    let mut w = words(d ^ n >> 32).map(|word| word.rotate_left(1));
    w[3] ^= w[0].rotate_left(1);
    vector(w)
}

/// Four rounds of SHA-256 on `abcd` and `efgh`.
fn sha256_rounds(abcd: u128, efgh: u128, wk: u128) -> (u128, u128) {
    let [mut a, mut b, mut c, mut d] = words(abcd);
    let [mut e, mut f, mut g, mut h] = words(efgh);
    for k in words(wk) {
        let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let t = h.wrapping_add(sum1).wrapping_add(choose(e, f, g)).wrapping_add(k);
        let u = t.wrapping_add(sum0).wrapping_add(majority(a, b, c));
        (a, b, c, d, e, f, g, h) = (u, a, b, c, d.wrapping_add(t), e, f, g);
    }
    (vector([a, b, c, d]), vector([e, f, g, h]))
}

/// SHA256H: the destination is `abcd`, the first source `efgh`.
pub(super) fn sha256h(abcd: u128, efgh: u128, wk: u128) -> u128 {
    sha256_rounds(abcd, efgh, wk).0
}

/// SHA256H2: the destination is `efgh`, the first source the *old* `abcd`.
pub(super) fn sha256h2(efgh: u128, abcd: u128, wk: u128) -> u128 {
    sha256_rounds(abcd, efgh, wk).1
}

/// SHA256SU0: adds the small sigma 0 of the next words.
pub(super) fn sha256su0(d: u128, n: u128) -> u128 {
    let (old, next) = (words(d), words(d >> 32 | n << 96));
    vector(std::array::from_fn(|i| {
        let w = next[i];
        old[i].wrapping_add(w.rotate_right(7) ^ w.rotate_right(18) ^ w >> 3)
    }))
}

/// SHA256SU1: adds the words seven back and the small sigma 1 of those two back,
/// of which the last two are results themselves.
pub(super) fn sha256su1(d: u128, n: u128, m: u128) -> u128 {
    let (old, seven_back) = (words(d), words(n >> 32 | m << 96));
    let mut two_back = [(m >> 64) as u32, (m >> 96) as u32, 0, 0];
    let mut result = [0; 4];
    for i in 0..4 {
        let w = two_back[i];
        let sigma = w.rotate_right(17) ^ w.rotate_right(19) ^ w >> 10;
        result[i] = old[i].wrapping_add(seven_back[i]).wrapping_add(sigma);
        if i < 2 {
            two_back[i + 2] = result[i];
        }
    }
    vector(result)
}
