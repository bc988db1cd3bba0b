//! Advanced SIMD two-register miscellaneous and across lanes, integer (Arm ARM C4.1): `asimd_misc.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec1, Vec2, VecShift};
use crate::simd::{Part, bits, long, narrow, vector};
use a64_isa::AsimdMisc;
use a64_isa::asimd_misc::*;

/// `Vd = op(Vn)`, lane by lane or across the lanes.
macro_rules! unary {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.unary(Vec1::$op, vector(i.size, i.q), i.rn, i.rd);
        })*
    };
}

/// `Vd = op(Vn)` on bytes.
macro_rules! of_bytes {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.unary(Vec1::$op, bits(i.q), i.rn, i.rd);
        })*
    };
}

macro_rules! narrowing {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let a = self.0.v(i.rn);
            let result = self.0.vec1(Vec1::$op, narrow(i.size), a);
            self.set_half(Part::from_q(i.q), i.rd, result);
        })*
    };
}

/// Sums of pairs in lanes twice as wide, added to the destination or not.
macro_rules! pairs {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.unary(Vec1::$op, vector(i.size + 1, i.q), i.rn, i.rd);
        })*
    };
}

macro_rules! accumulated_pairs {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let s = vector(i.size + 1, i.q);
            let a = self.0.v(i.rn);
            let acc = self.0.v(i.rd);
            let sums = self.0.vec1(Vec1::$op, s, a);
            let result = self.0.vec2(Vec2::Add, s, acc, sums);
            self.0.set_v(i.rd, result);
        })*
    };
}

/// `Vd = op(Vd, Vn)`.
macro_rules! into_destination {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary_into(Vec2::$op, vector(i.size, i.q), i.rn, i.rd);
        })*
    };
}

impl<O: Ops> AsimdMisc for Translate<'_, O> {
    unary! {
        rev64_vec: Rev64Vec = Rev64;
        rev32_vec: Rev32Vec = Rev32;
        cls_vec: ClsVec = Cls;
        clz_vec: ClzVec = Clz;
        abs_vec: AbsVec = Abs;
        neg_vec: NegVec = Neg;
        sqabs_vec: SqabsVec = SqAbs;
        sqneg_vec: SqnegVec = SqNeg;
        cmgt_zero_vec: CmgtZeroVec = CmGtZero;
        cmge_zero_vec: CmgeZeroVec = CmGeZero;
        cmeq_zero_vec: CmeqZeroVec = CmEqZero;
        cmle_zero_vec: CmleZeroVec = CmLeZero;
        cmlt_zero_vec: CmltZeroVec = CmLtZero;
        addv: Addv = Addv;
        smaxv: Smaxv = Smaxv;
        sminv: Sminv = Sminv;
        umaxv: Umaxv = Umaxv;
        uminv: Uminv = Uminv;
        saddlv: Saddlv = Saddlv;
        uaddlv: Uaddlv = Uaddlv;
    }

    of_bytes! {
        rev16_vec: Rev16Vec = Rev16;
        cnt_vec: CntVec = Cnt;
        not_vec: NotVec = Not;
        rbit_vec: RbitVec = Rbit;
    }

    narrowing! {
        xtn: Xtn = Xtn;
        sqxtn_vec: SqxtnVec = SqXtn;
        uqxtn_vec: UqxtnVec = UqXtn;
        sqxtun_vec: SqxtunVec = SqXtun;
    }

    pairs! {
        saddlp: Saddlp = Saddlp;
        uaddlp: Uaddlp = Uaddlp;
    }

    accumulated_pairs! {
        sadalp: Sadalp = Saddlp;
        uadalp: Uadalp = Uaddlp;
    }

    into_destination! {
        suqadd_vec: SuqaddVec = Suqadd;
        usqadd_vec: UsqaddVec = Usqadd;
    }

    /// The amount is the width of the source's lanes.
    fn shll(&mut self, i: Shll) {
        let a = self.half(Part::from_q(i.q), i.rn);
        let result = self.0.vec_shift(VecShift::Ushll, long(i.size), a, a, 8 << i.size);
        self.0.set_v(i.rd, result);
    }

    fn urecpe(&mut self, i: Urecpe) {
        self.unary(Vec1::Urecpe, Shape::vector(Lane::S, i.q), i.rn, i.rd);
    }

    fn ursqrte(&mut self, i: Ursqrte) {
        self.unary(Vec1::Ursqrte, Shape::vector(Lane::S, i.q), i.rn, i.rd);
    }
}
