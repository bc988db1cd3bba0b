//! What the tables of vector operations say about FPSR.QC, against what their bodies do: the JIT drops a result
//! nobody uses unless its operation is said to saturate.

use guest::FpEnv;
use semantics::ops::{Enumerated, Lane, Shape, Span, Vec1, Vec2, Vec3, VecShift};

/// Values at the edges of each size of lane, in all lanes of that size.
fn edges() -> Vec<u128> {
    let mut values = Vec::new();
    for bits in [8, 16, 32, 64] {
        let ones = u128::MAX / ((1 << bits) - 1);
        let (max, min) = ((1u128 << (bits - 1)) - 1, 1u128 << (bits - 1));
        for value in [0, 1, max, min, min + 1, max + min] {
            values.push(value * ones);
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Whether an operation may set QC does not depend on the shape; these all operations have a meaning for.
fn shapes() -> Vec<Shape> {
    let lanes = [Lane::B, Lane::H, Lane::S];
    lanes
        .into_iter()
        .flat_map(|lane| Span::ALL.iter().map(move |&span| Shape::new(lane, span)))
        .collect()
}

/// Whether any of the runs sets QC.
fn sets_qc(mut run: impl FnMut(Shape, &mut FpEnv)) -> bool {
    let mut env = FpEnv::default();
    for s in shapes() {
        run(s, &mut env);
    }
    env.fpsr & FpEnv::FPSR_QC != 0
}

/// Compares the column with what the bodies did; gives how many operations saturate.
fn check<T: Enumerated + std::fmt::Debug>(
    says: impl Fn(T) -> bool,
    does: impl Fn(T, Shape, &mut FpEnv),
) -> usize {
    let wrong: Vec<T> = T::ALL
        .iter()
        .copied()
        .filter(|&op| sets_qc(|s, env| does(op, s, env)) != says(op))
        .collect();
    assert!(
        wrong.is_empty(),
        "`exact` and `saturating` changed places: {wrong:?}"
    );
    T::ALL.iter().filter(|&&op| says(op)).count()
}

#[test]
fn operations_are_said_to_saturate_that_do() {
    let edges = edges();
    let one = check(Vec1::saturates, |op, s, env| {
        for &a in &edges {
            soft::vec1(op, s, a, env);
        }
    });
    let two = check(Vec2::saturates, |op, s, env| {
        for &a in &edges {
            for &b in &edges {
                soft::vec2(op, s, a, b, env);
            }
        }
    });
    let three = check(Vec3::saturates, |op, s, env| {
        for &b in &edges {
            for &c in &edges {
                for a in [0, b, c, !b, !c] {
                    soft::vec3(op, s, a, b, c, env);
                }
            }
        }
    });
    let shifts = check(VecShift::saturates, |op, s, env| {
        for &a in &edges {
            for amount in 1..s.lane.bits() as u8 {
                soft::vec_shift(op, s, a, a, amount, env);
            }
        }
    });
    println!("{one}, {two}, {three} and {shifts} operations set QC");
    assert!([one, two, three, shifts].iter().all(|&count| count > 0));
}
