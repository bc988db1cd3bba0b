//! Advanced SIMD shift by immediate, vector forms (Arm ARM C4.1): `asimd_shift.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec2, VecShift};
use crate::simd::Part;
use a64_isa::asimd_shift::*;
use a64_isa::{AsimdShift, simd};

/// The lane and the amount of a left shift.
pub(crate) const fn left(immh: u8, immb: u8) -> (Lane, u8) {
    (
        Lane::from_log2(simd::shift_size(immh)),
        simd::left_amount(immh, immb),
    )
}

/// The lane and the amount of a right shift.
pub(crate) const fn right(immh: u8, immb: u8) -> (Lane, u8) {
    (
        Lane::from_log2(simd::shift_size(immh)),
        simd::right_amount(immh, immb),
    )
}

/// `Vd = op(Vd, Vn, #amount)`.
macro_rules! shifts {
    ($direction:ident: $($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (lane, amount) = $direction(i.immh, i.immb);
            self.shift(VecShift::$op, Shape::vector(lane, i.q), amount, i.rn, i.rd);
        })*
    };
}

/// `Vd += Vn >> amount`.
macro_rules! accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (lane, amount) = right(i.immh, i.immb);
            self.shift_accumulate(VecShift::$op, Shape::vector(lane, i.q), amount, i.rn, i.rd);
        })*
    };
}

macro_rules! narrowing {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (lane, amount) = right(i.immh, i.immb);
            let a = self.0.v(i.rn);
            let result = self.0.vec_shift(VecShift::$op, Shape::vector(lane, false), a, a, amount);
            self.set_half(Part::from_q(i.q), i.rd, result);
        })*
    };
}

macro_rules! widening {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (lane, amount) = left(i.immh, i.immb);
            let a = self.half(Part::from_q(i.q), i.rn);
            let result = self.0.vec_shift(VecShift::$op, Shape::vector(lane.wider(), true), a, a, amount);
            self.0.set_v(i.rd, result);
        })*
    };
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn shift_accumulate(&mut self, op: VecShift, s: Shape, amount: u8, rn: u8, rd: u8) {
        let a = self.0.v(rn);
        let acc = self.0.v(rd);
        let shifted = self.0.vec_shift(op, s, a, a, amount);
        let result = self.0.vec2(Vec2::Add, s, acc, shifted);
        self.0.set_v(rd, result);
    }
}

impl<O: Ops> AsimdShift for Translate<'_, O> {
    shifts! {
        right:
        sshr_vec: SshrVec = Sshr;
        ushr_vec: UshrVec = Ushr;
        srshr_vec: SrshrVec = Srshr;
        urshr_vec: UrshrVec = Urshr;
        sri_vec: SriVec = Sri;
    }

    shifts! {
        left:
        shl_vec: ShlVec = Shl;
        sli_vec: SliVec = Sli;
        sqshl_imm_vec: SqshlImmVec = SqShl;
        uqshl_imm_vec: UqshlImmVec = UqShl;
        sqshlu_vec: SqshluVec = SqShlu;
    }

    accumulating! {
        ssra_vec: SsraVec = Sshr;
        usra_vec: UsraVec = Ushr;
        srsra_vec: SrsraVec = Srshr;
        ursra_vec: UrsraVec = Urshr;
    }

    narrowing! {
        shrn: Shrn = Shrn;
        rshrn: Rshrn = Rshrn;
        sqshrn_vec: SqshrnVec = SqShrn;
        sqrshrn_vec: SqrshrnVec = SqRshrn;
        uqshrn_vec: UqshrnVec = UqShrn;
        uqrshrn_vec: UqrshrnVec = UqRshrn;
        sqshrun_vec: SqshrunVec = SqShrun;
        sqrshrun_vec: SqrshrunVec = SqRshrun;
    }

    widening! {
        sshll: Sshll = Sshll;
        ushll: Ushll = Ushll;
    }
}
