//! A second formulation of the vector operations, for comparison: unbounded
//! integers (i128), one list of elements after another, as the Arm pseudocode
//! writes them (Int(), SatQ(), Elem[]). Slow and obvious.

use semantics::ops::{Lane, Shape, Vec1, Vec2, Vec3, VecShift};

/// How elements are read: the `unsigned` of the pseudocode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    S,
    U,
}
use Sign::{S, U};

/// A result and whether FPSR.QC is set.
pub type Outcome = (u128, bool);

/// The elements of `size` bits of the whole register.
fn elements(v: u128, size: u32, sign: Sign) -> Vec<i128> {
    (0..128 / size)
        .map(|e| {
            let mut value = 0i128;
            for bit in 0..size {
                if v >> (e * size + bit) & 1 == 1 {
                    let weight = 1i128 << bit;
                    value += if sign == S && bit == size - 1 {
                        -weight
                    } else {
                        weight
                    };
                }
            }
            value
        })
        .collect()
}

/// The inverse: each value modulo 2^size, `n` of them.
fn pack(values: impl IntoIterator<Item = i128>, size: u32, n: usize) -> u128 {
    values.into_iter().take(n).enumerate().fold(0, |v, (e, value)| {
        v | (value.rem_euclid(1i128 << size.min(126)) as u128) << (e as u32 * size)
    })
}

/// SatQ().
fn sat(value: i128, size: u32, sign: Sign) -> (i128, bool) {
    let (low, high) = match sign {
        S => (-(1i128 << (size - 1)), (1i128 << (size - 1)) - 1),
        U => (0, (1i128 << size) - 1),
    };
    (value.clamp(low, high), value < low || value > high)
}

fn pack_sat(values: impl IntoIterator<Item = i128>, s: Shape, sign: Sign) -> Outcome {
    let size = s.lane.bits();
    let (values, flags): (Vec<_>, Vec<_>) = values
        .into_iter()
        .take(s.lanes())
        .map(|value| sat(value, size, sign))
        .unzip();
    (pack(values, size, s.lanes()), flags.contains(&true))
}

/// Division that rounds down, by a power of two that may be huge.
fn shift_right(value: i128, amount: i128, round: bool) -> i128 {
    // Elements have at most 65 bits, so beyond 100 nothing changes any more.
    let amount = amount.min(100) as u32;
    let value = if round && amount > 0 {
        value + (1i128 << (amount - 1))
    } else {
        value
    };
    value.div_euclid(1i128 << amount)
}

/// `value * 2^amount`, or something beyond every element in its direction.
fn shift_left(value: i128, amount: u32) -> i128 {
    let limit = value.signum() << 100;
    if amount > 100 {
        limit
    } else {
        value.checked_mul(1 << amount).unwrap_or(limit)
    }
}

fn truth(holds: bool) -> i128 {
    if holds { -1 } else { 0 }
}

fn bits_of(value: i128, size: u32) -> Vec<bool> {
    (0..size).rev().map(|bit| value >> bit & 1 == 1).collect()
}

fn count_leading(bits: &[bool], what: bool) -> i128 {
    bits.iter().take_while(|bit| **bit == what).count() as i128
}

fn from_bits(bits: impl Iterator<Item = bool>) -> i128 {
    bits.fold(0, |value, bit| value * 2 + i128::from(bit))
}

/// PolynomialMult(): the sum without carries, bit by bit of the result.
fn polynomial(x: u128, y: u128) -> u128 {
    (0..127).fold(0, |product, i| {
        let ones = (0..=i)
            .filter(|&j| x >> j & 1 == 1 && y >> (i - j) & 1 == 1)
            .count();
        product | ((ones % 2) as u128) << i
    })
}

fn unsigned_recip_estimate(x: i128) -> i128 {
    if x < 1 << 31 {
        return 0xffff_ffff;
    }
    // The table entry for 1/x, x in [0.5, 1): the midpoint of the input's interval, rounded to 8 bits.
    let a = (x >> 23) * 2 + 1;
    let r = ((1 << 19) / a + 1) / 2;
    r << 23
}

fn unsigned_rsqrt_estimate(x: i128) -> i128 {
    if x < 1 << 30 {
        return 0xffff_ffff;
    }
    let a = x >> 23;
    let a = if a < 256 {
        a * 2 + 1
    } else {
        ((a >> 1 << 1) + 1) * 2
    };
    let b = (512..1024).find(|b| a * (b + 1) * (b + 1) >= 1 << 28).unwrap();
    ((b + 1) / 2) << 23
}

fn reverse_containers(v: u128, s: Shape, container: u32) -> u128 {
    let size = s.lane.bits();
    let per = (container / size) as usize;
    let elements = elements(v, size, U);
    pack(
        elements.chunks(per).flat_map(|chunk| chunk.iter().rev().copied()),
        size,
        s.lanes(),
    )
}

pub fn vec1(op: Vec1, s: Shape, a: u128) -> Outcome {
    let (size, n) = (s.lane.bits(), s.lanes());
    let (x, u) = (elements(a, size, S), elements(a, size, U));
    let plain = |values: Vec<i128>| (pack(values, size, n), false);
    let each = |f: &dyn Fn(i128) -> i128| plain(x.iter().map(|x| f(*x)).collect());
    let bitwise = |f: &dyn Fn(&[bool]) -> i128| plain(u.iter().map(|x| f(&bits_of(*x, size))).collect());
    let wide = |sign| elements(a, (size * 2).min(128), sign);
    let half = |sign| elements(a, size / 2, sign);
    let pairs = |sign| plain(half(sign).chunks(2).map(|p| p[0] + p[1]).collect());
    let one = |value: i128, size: u32| (pack([value], size, 1), false);
    let sum = |values: &[i128]| values[..n].iter().sum::<i128>();
    match op {
        Vec1::Mov => plain(u),
        Vec1::HighHalf => (pack(elements(a, 64, U).into_iter().skip(1), 64, 1), false),
        Vec1::Not => each(&|x| -x - 1),
        Vec1::Neg => each(&|x| -x),
        Vec1::Abs => each(&|x| x.abs()),
        Vec1::Cls => bitwise(&|bits| count_leading(&bits[1..], bits[0])),
        Vec1::Clz => bitwise(&|bits| count_leading(bits, false)),
        Vec1::Cnt => bitwise(&|bits| bits.iter().filter(|bit| **bit).count() as i128),
        Vec1::Rbit => bitwise(&|bits| from_bits(bits.iter().rev().copied())),
        Vec1::Rev16 => (reverse_containers(a, s, 16), false),
        Vec1::Rev32 => (reverse_containers(a, s, 32), false),
        Vec1::Rev64 => (reverse_containers(a, s, 64), false),
        Vec1::SqAbs => pack_sat(x.iter().map(|x| x.abs()), s, S),
        Vec1::SqNeg => pack_sat(x.iter().map(|x| -x), s, S),
        Vec1::Xtn => plain(wide(U)),
        Vec1::SqXtn => pack_sat(wide(S), s, S),
        Vec1::UqXtn => pack_sat(wide(U), s, U),
        Vec1::SqXtun => pack_sat(wide(S), s, U),
        Vec1::Sxtl => plain(half(S)),
        Vec1::Uxtl => plain(half(U)),
        Vec1::Saddlp => pairs(S),
        Vec1::Uaddlp => pairs(U),
        Vec1::Addv => one(sum(&u), size),
        Vec1::Smaxv => one(*x[..n].iter().max().unwrap(), size),
        Vec1::Sminv => one(*x[..n].iter().min().unwrap(), size),
        Vec1::Umaxv => one(*u[..n].iter().max().unwrap(), size),
        Vec1::Uminv => one(*u[..n].iter().min().unwrap(), size),
        Vec1::Saddlv => one(sum(&x), size * 2),
        Vec1::Uaddlv => one(sum(&u), size * 2),
        Vec1::Urecpe => plain(u.iter().map(|x| unsigned_recip_estimate(*x)).collect()),
        Vec1::Ursqrte => plain(u.iter().map(|x| unsigned_rsqrt_estimate(*x)).collect()),
        Vec1::CmEqZero => each(&|x| truth(x == 0)),
        Vec1::CmGtZero => each(&|x| truth(x > 0)),
        Vec1::CmGeZero => each(&|x| truth(x >= 0)),
        Vec1::CmLeZero => each(&|x| truth(x <= 0)),
        Vec1::CmLtZero => each(&|x| truth(x < 0)),
        Vec1::AesMc | Vec1::AesImc | Vec1::Sha1H => unreachable!("tested by FIPS vectors"),
    }
}

/// The register shifts: SSHL and its relatives.
fn shift_by_register(s: Shape, a: u128, b: u128, sign: Sign, round: bool, saturate: bool) -> Outcome {
    let (size, n) = (s.lane.bits(), s.lanes());
    let amounts = elements(b, size, U);
    let values: Vec<i128> = elements(a, size, sign)
        .into_iter()
        .zip(amounts)
        .map(|(x, amount)| match (amount & 0xff) as u8 as i8 {
            right if right < 0 => shift_right(x, -i128::from(right), round),
            left if saturate => shift_left(x, left as u32),
            left if left >= 64 => 0,
            left => x << left,
        })
        .collect();
    if saturate {
        pack_sat(values, s, sign)
    } else {
        (pack(values, size, n), false)
    }
}

pub fn vec2(op: Vec2, s: Shape, a: u128, b: u128) -> Outcome {
    let (size, n) = (s.lane.bits(), s.lanes());
    let zipped = |sign_a, sign_b| -> Vec<(i128, i128)> {
        elements(a, size, sign_a)
            .into_iter()
            .zip(elements(b, size, sign_b))
            .collect()
    };
    let narrow = |sign, f: &dyn Fn(i128, i128) -> i128| {
        let (x, y) = (elements(a, size / 2, sign), elements(b, size / 2, sign));
        (pack(x.iter().zip(&y).map(|(x, y)| f(*x, *y)), size, n), false)
    };
    let wide_narrow = |sign, f: &dyn Fn(i128, i128) -> i128| {
        let (x, y) = (elements(a, size, sign), elements(b, size / 2, sign));
        (pack(x.iter().zip(&y).map(|(x, y)| f(*x, *y)), size, n), false)
    };
    let high = |round: bool, f: &dyn Fn(i128, i128) -> i128| {
        let (x, y) = (elements(a, size * 2, U), elements(b, size * 2, U));
        let half = if round { 1i128 << (size - 1) } else { 0 };
        let sums = x
            .iter()
            .zip(&y)
            .map(|(x, y)| (f(*x, *y) + half).rem_euclid(1i128 << (size * 2)));
        (pack(sums.map(|x| x >> size), size, n), false)
    };
    let of = |sign, f: &dyn Fn(i128, i128) -> i128| {
        (
            pack(zipped(sign, sign).into_iter().map(|(x, y)| f(x, y)), size, n),
            false,
        )
    };
    let saturating = |sign_a, sign_b, to, f: &dyn Fn(i128, i128) -> i128| {
        pack_sat(zipped(sign_a, sign_b).into_iter().map(|(x, y)| f(x, y)), s, to)
    };
    let pairs = |sign, f: &dyn Fn(i128, i128) -> i128| {
        let mut all: Vec<i128> = elements(a, size, sign).into_iter().take(n.max(2)).collect();
        all.extend(elements(b, size, sign).into_iter().take(n));
        (pack(all.chunks_exact(2).map(|p| f(p[0], p[1])), size, n), false)
    };
    let (xs, ys) = (elements(a, size, U), elements(b, size, U));
    let permuted = |at: &dyn Fn(usize) -> usize| {
        // Indices count through a's lanes, then b's.
        let all: Vec<i128> = xs[..n].iter().chain(&ys[..n]).copied().collect();
        (pack((0..n).map(|i| all[at(i)]), size, n), false)
    };
    match op {
        Vec2::Add => of(U, &|x, y| x + y),
        Vec2::Sub => of(U, &|x, y| x - y),
        Vec2::Mul => of(S, &|x, y| x.wrapping_mul(y)),
        Vec2::And => of(U, &|x, y| x & y),
        Vec2::Or => of(U, &|x, y| x | y),
        Vec2::Xor => of(U, &|x, y| (x | y) - (x & y)),
        Vec2::Bic => of(U, &|x, y| x - (x & y)),
        Vec2::Orn => of(U, &|x, y| x | (-1 - y)),
        Vec2::Smax => of(S, &|x, y| x.max(y)),
        Vec2::Smin => of(S, &|x, y| x.min(y)),
        Vec2::Umax => of(U, &|x, y| x.max(y)),
        Vec2::Umin => of(U, &|x, y| x.min(y)),
        Vec2::SqAdd => saturating(S, S, S, &|x, y| x + y),
        Vec2::UqAdd => saturating(U, U, U, &|x, y| x + y),
        Vec2::SqSub => saturating(S, S, S, &|x, y| x - y),
        Vec2::UqSub => saturating(U, U, U, &|x, y| x - y),
        Vec2::Suqadd => saturating(S, U, S, &|x, y| x + y),
        Vec2::Usqadd => saturating(U, S, U, &|x, y| x + y),
        Vec2::Shadd => of(S, &|x, y| shift_right(x + y, 1, false)),
        Vec2::Uhadd => of(U, &|x, y| shift_right(x + y, 1, false)),
        Vec2::Srhadd => of(S, &|x, y| shift_right(x + y, 1, true)),
        Vec2::Urhadd => of(U, &|x, y| shift_right(x + y, 1, true)),
        Vec2::Shsub => of(S, &|x, y| shift_right(x - y, 1, false)),
        Vec2::Uhsub => of(U, &|x, y| shift_right(x - y, 1, false)),
        Vec2::CmEq => of(S, &|x, y| truth(x == y)),
        Vec2::CmGt => of(S, &|x, y| truth(x > y)),
        Vec2::CmGe => of(S, &|x, y| truth(x >= y)),
        Vec2::CmHi => of(U, &|x, y| truth(x > y)),
        Vec2::CmHs => of(U, &|x, y| truth(x >= y)),
        Vec2::CmTst => of(U, &|x, y| truth(x & y != 0)),
        Vec2::Sshl => shift_by_register(s, a, b, S, false, false),
        Vec2::Ushl => shift_by_register(s, a, b, U, false, false),
        Vec2::SqShl => shift_by_register(s, a, b, S, false, true),
        Vec2::UqShl => shift_by_register(s, a, b, U, false, true),
        Vec2::Srshl => shift_by_register(s, a, b, S, true, false),
        Vec2::Urshl => shift_by_register(s, a, b, U, true, false),
        Vec2::SqRshl => shift_by_register(s, a, b, S, true, true),
        Vec2::UqRshl => shift_by_register(s, a, b, U, true, true),
        Vec2::Sabd => of(S, &|x, y| (x - y).abs()),
        Vec2::Uabd => of(U, &|x, y| (x - y).abs()),
        Vec2::Pmul => of(U, &|x, y| polynomial(x as u128, y as u128) as i128),
        Vec2::Addp => pairs(U, &|x, y| x + y),
        Vec2::Smaxp => pairs(S, &|x, y| x.max(y)),
        Vec2::Sminp => pairs(S, &|x, y| x.min(y)),
        Vec2::Umaxp => pairs(U, &|x, y| x.max(y)),
        Vec2::Uminp => pairs(U, &|x, y| x.min(y)),
        Vec2::SqDmulh => saturating(S, S, S, &|x, y| shift_right(2 * x * y, size.into(), false)),
        Vec2::SqRdmulh => saturating(S, S, S, &|x, y| shift_right(2 * x * y, size.into(), true)),
        Vec2::Saddl => narrow(S, &|x, y| x + y),
        Vec2::Uaddl => narrow(U, &|x, y| x + y),
        Vec2::Ssubl => narrow(S, &|x, y| x - y),
        Vec2::Usubl => narrow(U, &|x, y| x - y),
        Vec2::Smull => narrow(S, &|x, y| x * y),
        Vec2::Umull => narrow(U, &|x, y| x * y),
        Vec2::Sabdl => narrow(S, &|x, y| (x - y).abs()),
        Vec2::Uabdl => narrow(U, &|x, y| (x - y).abs()),
        Vec2::Pmull if s.lane == Lane::Q => (
            polynomial(a & u128::from(u64::MAX), b & u128::from(u64::MAX)),
            false,
        ),
        Vec2::Pmull => narrow(U, &|x, y| polynomial(x as u128, y as u128) as i128),
        Vec2::SqDmull => {
            let (x, y) = (elements(a, size / 2, S), elements(b, size / 2, S));
            pack_sat(x.iter().zip(&y).map(|(x, y)| 2 * x * y), s, S)
        }
        Vec2::Saddw => wide_narrow(S, &|x, y| x + y),
        Vec2::Uaddw => wide_narrow(U, &|x, y| x + y),
        Vec2::Ssubw => wide_narrow(S, &|x, y| x - y),
        Vec2::Usubw => wide_narrow(U, &|x, y| x - y),
        Vec2::Addhn => high(false, &|x, y| x + y),
        Vec2::Subhn => high(false, &|x, y| x - y),
        Vec2::Raddhn => high(true, &|x, y| x + y),
        Vec2::Rsubhn => high(true, &|x, y| x - y),
        Vec2::Zip1 => permuted(&|i| i / 2 + i % 2 * n),
        Vec2::Zip2 => permuted(&|i| n / 2 + i / 2 + i % 2 * n),
        Vec2::Uzp1 => permuted(&|i| 2 * i),
        Vec2::Uzp2 => permuted(&|i| 2 * i + 1),
        Vec2::Trn1 => permuted(&|i| i / 2 * 2 + i % 2 * n),
        Vec2::Trn2 => permuted(&|i| i / 2 * 2 + 1 + i % 2 * n),
        Vec2::JoinLow => (pack([elements(a, 64, U)[0], elements(b, 64, U)[0]], 64, 2), false),
        Vec2::AesE | Vec2::AesD | Vec2::Sha1Su1 | Vec2::Sha256Su0 => unreachable!("tested by FIPS vectors"),
        Vec2::Sha512Su0 | Vec2::Sm4E | Vec2::Sm4EKey => unreachable!("tested by the standards' examples"),
    }
}

pub fn vec3(op: Vec3, s: Shape, a: u128, b: u128, c: u128) -> Outcome {
    let (size, n) = (s.lane.bits(), s.lanes());
    let accumulated = |from: u32, sign, f: &dyn Fn(i128, i128, i128) -> i128| {
        let (acc, x, y) = (
            elements(a, size, sign),
            elements(b, from, sign),
            elements(c, from, sign),
        );
        let values = acc
            .iter()
            .zip(x.iter().zip(&y))
            .map(|(acc, (x, y))| f(*acc, *x, *y));
        (pack(values, size, n), false)
    };
    let doubled = |sign: i128| {
        let (acc, x, y) = (
            elements(a, size, S),
            elements(b, size / 2, S),
            elements(c, size / 2, S),
        );
        let (products, first): (Vec<_>, Vec<_>) = x
            .iter()
            .zip(&y)
            .take(n)
            .map(|(x, y)| sat(2 * x * y, size, S))
            .unzip();
        let sums = acc
            .iter()
            .zip(products)
            .map(|(acc, product)| acc + sign * product);
        let (result, second) = pack_sat(sums, s, S);
        (result, second || first.contains(&true))
    };
    let accumulated_high = |sign: i128| {
        let (acc, x, y) = (elements(a, size, S), elements(b, size, S), elements(c, size, S));
        let values =
            (0..n).map(|i| shift_right((acc[i] << size) + sign * 2 * x[i] * y[i], i128::from(size), true));
        pack_sat(values, s, S)
    };
    // Sums of `n` products a result; `at` gives where those of a result start.
    let sums = |kinds: (Sign, Sign), count: usize, at: fn(usize) -> (usize, usize)| {
        let (acc, x, y) = (
            elements(a, size, S),
            elements(b, 8, kinds.0),
            elements(c, 8, kinds.1),
        );
        let values = (0..n).map(|i| {
            let (from_x, from_y) = at(i);
            acc[i] + (0..count).map(|k| x[from_x + k] * y[from_y + k]).sum::<i128>()
        });
        (pack(values, size, n), false)
    };
    let dots = |x, y| sums((x, y), 4, |i| (4 * i, 4 * i));
    let matrices = |x, y| sums((x, y), 8, |i| (i / 2 * 8, i % 2 * 8));
    match op {
        // The pseudocode's own form: operand3 EOR ((operand2 EOR operand3) AND mask).
        Vec3::Bsl => (pack(elements(c ^ ((b ^ c) & a), size, U), size, n), false),
        Vec3::Mla => accumulated(size, S, &|acc, x, y| acc.wrapping_add(x.wrapping_mul(y))),
        Vec3::Mls => accumulated(size, S, &|acc, x, y| acc.wrapping_sub(x.wrapping_mul(y))),
        Vec3::SqDmlal => doubled(1),
        Vec3::SqDmlsl => doubled(-1),
        Vec3::Smlal => accumulated(size / 2, S, &|acc, x, y| acc + x * y),
        Vec3::Smlsl => accumulated(size / 2, S, &|acc, x, y| acc - x * y),
        Vec3::Umlal => accumulated(size / 2, U, &|acc, x, y| acc + x * y),
        Vec3::Umlsl => accumulated(size / 2, U, &|acc, x, y| acc - x * y),
        Vec3::Saba => accumulated(size, S, &|acc, x, y| acc + (x - y).abs()),
        Vec3::Uaba => accumulated(size, U, &|acc, x, y| acc + (x - y).abs()),
        Vec3::Sabal => accumulated(size / 2, S, &|acc, x, y| acc + (x - y).abs()),
        Vec3::Uabal => accumulated(size / 2, U, &|acc, x, y| acc + (x - y).abs()),
        Vec3::Sha1C | Vec3::Sha1P | Vec3::Sha1M | Vec3::Sha1Su0 => unreachable!("tested by FIPS vectors"),
        Vec3::Sha256H | Vec3::Sha256H2 | Vec3::Sha256Su1 => unreachable!("tested by FIPS vectors"),
        Vec3::SqRdmlah => accumulated_high(1),
        Vec3::SqRdmlsh => accumulated_high(-1),
        Vec3::Sdot => dots(S, S),
        Vec3::Udot => dots(U, U),
        Vec3::Usdot => dots(U, S),
        Vec3::Smmla => matrices(S, S),
        Vec3::Ummla => matrices(U, U),
        Vec3::Usmmla => matrices(U, S),
        Vec3::Sha512H | Vec3::Sha512H2 | Vec3::Sha512Su1 => unreachable!("tested by FIPS vectors"),
        Vec3::Sm3Ss1 | Vec3::Sm3Tt1A | Vec3::Sm3Tt1B | Vec3::Sm3Tt2A | Vec3::Sm3Tt2B => {
            unreachable!("tested by the standards' examples")
        }
        Vec3::Sm3PartW1 | Vec3::Sm3PartW2 => unreachable!("tested by the standards' examples"),
    }
}

pub fn vec_shift(op: VecShift, s: Shape, acc: u128, a: u128, amount: u8) -> Outcome {
    let (size, n, by) = (s.lane.bits(), s.lanes(), i128::from(amount));
    let of = |from: u32, sign, f: &dyn Fn(i128) -> i128| {
        (pack(elements(a, from, sign).into_iter().map(f), size, n), false)
    };
    let saturating = |from: u32, sign, to, f: &dyn Fn(i128) -> i128| {
        pack_sat(elements(a, from, sign).into_iter().map(f), s, to)
    };
    let inserted = |mask: i128, f: &dyn Fn(i128) -> i128| {
        let old = elements(acc, size, U);
        let new = elements(a, size, U);
        let values = old
            .iter()
            .zip(&new)
            .map(|(old, new)| (old & !mask) | (f(*new) & mask));
        (pack(values, size, n), false)
    };
    let ones = (1i128 << size.min(126)) - 1;
    let down = |x| shift_right(x, by, false);
    let round = |x| shift_right(x, by, true);
    let up = |x: i128| x << amount;
    let wide = (size * 2).min(128);
    match op {
        VecShift::Shl => of(size, U, &|x| (x << amount) & ones),
        VecShift::Sshr => of(size, S, &down),
        VecShift::Ushr => of(size, U, &down),
        VecShift::Srshr => of(size, S, &round),
        VecShift::Urshr => of(size, U, &round),
        VecShift::Sli => inserted((ones << amount) & ones, &up),
        VecShift::Sri => inserted(down(ones), &down),
        VecShift::SqShl => saturating(size, S, S, &up),
        VecShift::UqShl => saturating(size, U, U, &|x| shift_left(x, amount.into())),
        VecShift::SqShlu => saturating(size, S, U, &up),
        VecShift::Shrn => of(wide, U, &down),
        VecShift::Rshrn => of(wide, U, &round),
        VecShift::SqShrn => saturating(wide, S, S, &down),
        VecShift::SqRshrn => saturating(wide, S, S, &round),
        VecShift::UqShrn => saturating(wide, U, U, &down),
        VecShift::UqRshrn => saturating(wide, U, U, &round),
        VecShift::SqShrun => saturating(wide, S, U, &down),
        VecShift::SqRshrun => saturating(wide, S, U, &round),
        VecShift::Sshll => of(size / 2, S, &up),
        VecShift::Ushll => of(size / 2, U, &up),
        VecShift::Ror => of(size, U, &|x| x >> amount | x << (64 - i128::from(amount))),
    }
}
