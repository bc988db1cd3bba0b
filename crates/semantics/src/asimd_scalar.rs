//! Advanced SIMD scalar instructions on integers (Arm ARM C4.1): `asimd_scalar.isa`.

use crate::Translate;
use crate::asimd_copy::lane_index;
use crate::asimd_shift::{left, right};
use crate::ops::{Lane, Ops, Shape, Vec1, Vec2, Vec3, VecShift};
use crate::simd::scalar;
use a64_isa::AsimdScalar;
use a64_isa::asimd_scalar::*;

const D: Shape = Shape::scalar(Lane::D);

/// `d = op(n, m)` on lanes of any size.
macro_rules! sized {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary(Vec2::$op, scalar(i.size), i.rm, i.rn, i.rd);
        })*
    };
}

/// `d = op(n, m)` on doublewords.
macro_rules! doublewords {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary(Vec2::$op, D, i.rm, i.rn, i.rd);
        })*
    };
}

/// `d = op(n)` on doublewords.
macro_rules! unary_doublewords {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.unary(Vec1::$op, D, i.rn, i.rd);
        })*
    };
}

/// `d = op(n)`; `size` is that of the result.
macro_rules! unary {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.unary(Vec1::$op, scalar(i.size), i.rn, i.rd);
        })*
    };
}

/// Shifts; the lane comes from `immh`, which tells that of the result.
macro_rules! shifts {
    ($direction:ident: $($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (lane, amount) = $direction(i.immh, i.immb);
            self.shift(VecShift::$op, Shape::scalar(lane), amount, i.rn, i.rd);
        })*
    };
}

macro_rules! accumulating_shifts {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let (_, amount) = right(i.immh, i.immb);
            self.shift_accumulate(VecShift::$op, D, amount, i.rn, i.rd);
        })*
    };
}

impl<O: Ops> AsimdScalar for Translate<'_, O> {
    sized! {
        sqadd_scalar: SqaddScalar = SqAdd;
        uqadd_scalar: UqaddScalar = UqAdd;
        sqsub_scalar: SqsubScalar = SqSub;
        uqsub_scalar: UqsubScalar = UqSub;
        sqshl_scalar: SqshlScalar = SqShl;
        uqshl_scalar: UqshlScalar = UqShl;
        sqrshl_scalar: SqrshlScalar = SqRshl;
        uqrshl_scalar: UqrshlScalar = UqRshl;
        sqdmulh_scalar: SqdmulhScalar = SqDmulh;
        sqrdmulh_scalar: SqrdmulhScalar = SqRdmulh;
    }

    doublewords! {
        add_scalar: AddScalar = Add;
        sub_scalar: SubScalar = Sub;
        cmgt_scalar: CmgtScalar = CmGt;
        cmge_scalar: CmgeScalar = CmGe;
        cmhi_scalar: CmhiScalar = CmHi;
        cmhs_scalar: CmhsScalar = CmHs;
        cmtst_scalar: CmtstScalar = CmTst;
        cmeq_scalar: CmeqScalar = CmEq;
        sshl_scalar: SshlScalar = Sshl;
        ushl_scalar: UshlScalar = Ushl;
        srshl_scalar: SrshlScalar = Srshl;
        urshl_scalar: UrshlScalar = Urshl;
    }

    unary_doublewords! {
        abs_scalar: AbsScalar = Abs;
        neg_scalar: NegScalar = Neg;
        cmgt_zero_scalar: CmgtZeroScalar = CmGtZero;
        cmge_zero_scalar: CmgeZeroScalar = CmGeZero;
        cmeq_zero_scalar: CmeqZeroScalar = CmEqZero;
        cmle_zero_scalar: CmleZeroScalar = CmLeZero;
        cmlt_zero_scalar: CmltZeroScalar = CmLtZero;
    }

    unary! {
        sqabs_scalar: SqabsScalar = SqAbs;
        sqneg_scalar: SqnegScalar = SqNeg;
        sqxtn_scalar: SqxtnScalar = SqXtn;
        uqxtn_scalar: UqxtnScalar = UqXtn;
        sqxtun_scalar: SqxtunScalar = SqXtun;
    }

    shifts! {
        right:
        sshr_scalar: SshrScalar = Sshr;
        ushr_scalar: UshrScalar = Ushr;
        srshr_scalar: SrshrScalar = Srshr;
        urshr_scalar: UrshrScalar = Urshr;
        sri_scalar: SriScalar = Sri;
        sqshrn_scalar: SqshrnScalar = SqShrn;
        sqrshrn_scalar: SqrshrnScalar = SqRshrn;
        uqshrn_scalar: UqshrnScalar = UqShrn;
        uqrshrn_scalar: UqrshrnScalar = UqRshrn;
        sqshrun_scalar: SqshrunScalar = SqShrun;
        sqrshrun_scalar: SqrshrunScalar = SqRshrun;
    }

    shifts! {
        left:
        shl_scalar: ShlScalar = Shl;
        sli_scalar: SliScalar = Sli;
        sqshl_imm_scalar: SqshlImmScalar = SqShl;
        uqshl_imm_scalar: UqshlImmScalar = UqShl;
        sqshlu_scalar: SqshluScalar = SqShlu;
    }

    accumulating_shifts! {
        ssra_scalar: SsraScalar = Sshr;
        usra_scalar: UsraScalar = Ushr;
        srsra_scalar: SrsraScalar = Srshr;
        ursra_scalar: UrsraScalar = Urshr;
    }

    fn suqadd_scalar(&mut self, i: SuqaddScalar) {
        self.binary_into(Vec2::Suqadd, scalar(i.size), i.rn, i.rd);
    }

    fn usqadd_scalar(&mut self, i: UsqaddScalar) {
        self.binary_into(Vec2::Usqadd, scalar(i.size), i.rn, i.rd);
    }

    fn sqdmull_scalar(&mut self, i: SqdmullScalar) {
        self.binary(Vec2::SqDmull, scalar(i.size + 1), i.rm, i.rn, i.rd);
    }

    fn sqdmlal_scalar(&mut self, i: SqdmlalScalar) {
        self.ternary(Vec3::SqDmlal, scalar(i.size + 1), i.rm, i.rn, i.rd);
    }

    fn sqdmlsl_scalar(&mut self, i: SqdmlslScalar) {
        self.ternary(Vec3::SqDmlsl, scalar(i.size + 1), i.rm, i.rn, i.rd);
    }

    /// The sum of the two doublewords.
    fn addp_scalar(&mut self, i: AddpScalar) {
        self.binary(Vec2::Addp, D, i.rn, i.rn, i.rd);
    }

    fn dup_scalar(&mut self, i: DupScalar) {
        let (lane, index) = lane_index(i.imm5);
        let a = self.0.v(i.rn);
        let result = self.0.vec_dup_lane(Shape::scalar(lane), a, index);
        self.0.set_v(i.rd, result);
    }
}
