//! Tests of the floating-point bodies.

use super::*;

/// A few fixed sums: enough to notice a broken build of the arithmetic.
#[test]
fn adds_and_fuses() {
    let env = &mut FpEnv::default();
    let d = Shape::scalar(Lane::D);
    let bits = |x: f64| u128::from(x.to_bits());
    assert_eq!(fp2(Fp2::Add, d, bits(1.5), bits(2.25), env), bits(3.75));
    assert_eq!(fp2(Fp2::Div, d, bits(1.0), bits(4.0), env), bits(0.25));
    assert_eq!(fp1(Fp1::Sqrt, d, bits(2.25), env), bits(1.5));
    assert_eq!(
        fp3(Fp3::MulSub, d, bits(7.0), bits(2.0), bits(3.0), env),
        bits(1.0)
    );
    assert_eq!(env.fpsr, 0);
}
