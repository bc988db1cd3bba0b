//! Floating-point operations: what x86 answers as Arm does; NaNs and tiny results are looked at where FPCR asks.

use super::Builder;
use super::fp_mode::{Care1, Care2};
use crate::ir::{Op, Ref};
use crate::lower::support;
use semantics::ops::{Cond, FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, IntToFp, Lane, Shape, Span, Width};

impl FloatOps for Builder<'_> {
    fn fp1(&mut self, op: Fp1, s: Shape, a: Ref) -> Ref {
        let strict = match op {
            Fp1::Abs | Fp1::Neg => false,
            // Halves are not flushed here, but their singles and doubles are.
            Fp1::CvtHS | Fp1::CvtHD => self.fp_mode.alternative_half,
            Fp1::CvtSH | Fp1::CvtDH => self.fp_mode.alternative_half || self.fp_mode.flush,
            _ => self.is_strict(s.lane),
        };
        if strict {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp1(op, s, a) {
            return result;
        }
        if !support::fp1(op, s) {
            return self.give_up();
        }
        if matches!(op, Fp1::CvtSH | Fp1::CvtDH) {
            let lane = if op == Fp1::CvtSH { Lane::S } else { Lane::D };
            let span = if s.span == Span::Half { Span::Full } else { s.span };
            self.guard_nan(Shape::new(lane, span), a);
            return self.push(Op::Fp1 { op, s, a });
        }
        let care = Care1::of(op);
        match care {
            Care1::Integral => self.trap_denormals(s, a),
            Care1::Comparison => self.check_operands(s, a, a),
            Care1::Bits | Care1::Number | Care1::Rounded => {}
        }
        let result = self.push(Op::Fp1 { op, s, a });
        match care {
            Care1::Bits | Care1::Comparison => {}
            Care1::Integral | Care1::Number => self.guard_nan(s, result),
            Care1::Rounded => {
                self.guard_nan(s, result);
                self.guard_smallest(s, result);
            }
        }
        result
    }

    fn fp2(&mut self, op: Fp2, s: Shape, a: Ref, b: Ref) -> Ref {
        if self.is_strict(s.lane) {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp2(op, s, a, b) {
            return result;
        }
        if !support::fp2(op, s) {
            return self.give_up();
        }
        let care = Care2::of(op);
        if care == Care2::Comparison {
            self.guard_operands(s, [a, b]);
            self.check_operands(s, a, b);
        }
        let result = self.push(Op::Fp2 { op, s, a, b });
        match care {
            Care2::Comparison | Care2::Guarded => {}
            Care2::Number => self.guard_nan(s, result),
            Care2::Rounded => {
                self.guard_nan(s, result);
                self.guard_smallest(s, result);
            }
        }
        result
    }

    fn fp3(&mut self, op: Fp3, s: Shape, a: Ref, b: Ref, c: Ref) -> Ref {
        let widens = matches!(op, Fp3::MulAddLong | Fp3::MulSubLong);
        if self.is_strict(if widens { Lane::H } else { s.lane }) {
            return self.give_up();
        }
        if let Some(result) = self.expand_fp3(op, s, a, b, c) {
            return result;
        }
        if !support::fp3(op) {
            return self.give_up();
        }
        let result = self.push(Op::Fp3 { op, s, a, b, c });
        self.guard_smallest(s, result);
        result
    }

    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Ref, b: Ref) {
        if self.is_strict(size.lane()) {
            self.give_up();
            return;
        }
        let (_, a) = self.as_single(size, a);
        let (size, b) = self.as_single(size, b);
        self.guard_operands(Shape::scalar(size.lane()), [a, b]);
        self.push(Op::FpCompare {
            size,
            signaling,
            a,
            b,
        });
    }

    fn fp_cond_compare(&mut self, size: FpSize, signaling: bool, cond: Cond, a: Ref, b: Ref, nzcv: u8) {
        if self.is_strict(size.lane()) || self.fp_mode.flush {
            self.give_up();
            return;
        }
        if matches!(cond, Cond::Al | Cond::Nv) {
            self.fp_compare(size, signaling, a, b);
        } else {
            // A half's signaling NaN traps even where the condition does not hold: the
            // interpreter then finds nothing to raise.
            let (_, a) = self.as_single(size, a);
            let (size, b) = self.as_single(size, b);
            self.check_operands(Shape::scalar(size.lane()), a, b);
            self.push(Op::FpCondCompare {
                size,
                signaling,
                cond,
                a,
                b,
                nzcv,
            });
        }
    }

    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Ref) -> Ref {
        if self.is_strict(size.lane()) || !support::fp_to_int(how) {
            return self.give_up();
        }
        self.trap_denormals(Shape::scalar(size.lane()), a);
        let (size, a) = self.scaled_operand(how, size, a);
        self.push(Op::FpToInt { how, w, size, a })
    }

    fn fp_to_js_int(&mut self, a: Ref) -> Ref {
        if self.fp_mode.flush {
            return self.give_up();
        }
        self.push(Op::FpToJsInt { a })
    }

    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Ref) -> Ref {
        if self.is_strict(size.lane()) {
            return self.give_up();
        }
        if size == FpSize::H {
            return match self.int_to_half(how, w, value) {
                Some(result) => result,
                None => self.give_up(),
            };
        }
        self.push(Op::IntToFp { how, w, size, value })
    }

    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Ref) -> Ref {
        if self.is_strict(s.lane) || !support::fp_to_int(how) {
            return self.give_up();
        }
        if s.lane == Lane::H
            && let Some(result) = self.halves_to_ints(how, s, a)
        {
            return result;
        }
        self.trap_denormals(s, a);
        self.push(Op::VecFpToInt { how, s, a })
    }

    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Ref) -> Ref {
        if self.is_strict(s.lane) {
            return self.give_up();
        }
        if s.lane == Lane::H {
            return match self.ints_to_halves(how, s, a) {
                Some(result) => result,
                None => self.give_up(),
            };
        }
        self.push(Op::VecIntToFp { how, s, a })
    }
}
