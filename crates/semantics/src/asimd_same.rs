//! Advanced SIMD three same: integer and logical (Arm ARM C4.1): `asimd_same.isa`.

use crate::Translate;
use crate::ops::{Ops, Vec1, Vec2, Vec3};
use crate::simd::{bits, vector};
use a64_isa::AsimdSame;
use a64_isa::asimd_same::*;

/// `Vd = op(Vn, Vm)`, lane by lane.
macro_rules! lanewise {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary(Vec2::$op, vector(i.size, i.q), i.rm, i.rn, i.rd);
        })*
    };
}

/// `Vd = op(Vd, Vn, Vm)`, lane by lane.
macro_rules! accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.ternary(Vec3::$op, vector(i.size, i.q), i.rm, i.rn, i.rd);
        })*
    };
}

/// `Vd = op(Vn, Vm)`, bit by bit.
macro_rules! bitwise {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            self.binary(Vec2::$op, bits(i.q), i.rm, i.rn, i.rd);
        })*
    };
}

impl<O: Ops> AsimdSame for Translate<'_, O> {
    lanewise! {
        add_vec: AddVec = Add;
        sub_vec: SubVec = Sub;
        mul_vec: MulVec = Mul;
        shadd_vec: ShaddVec = Shadd;
        uhadd_vec: UhaddVec = Uhadd;
        srhadd_vec: SrhaddVec = Srhadd;
        urhadd_vec: UrhaddVec = Urhadd;
        shsub_vec: ShsubVec = Shsub;
        uhsub_vec: UhsubVec = Uhsub;
        sqadd_vec: SqaddVec = SqAdd;
        uqadd_vec: UqaddVec = UqAdd;
        sqsub_vec: SqsubVec = SqSub;
        uqsub_vec: UqsubVec = UqSub;
        cmgt_vec: CmgtVec = CmGt;
        cmge_vec: CmgeVec = CmGe;
        cmhi_vec: CmhiVec = CmHi;
        cmhs_vec: CmhsVec = CmHs;
        cmtst_vec: CmtstVec = CmTst;
        cmeq_vec: CmeqVec = CmEq;
        sshl_vec: SshlVec = Sshl;
        ushl_vec: UshlVec = Ushl;
        sqshl_vec: SqshlVec = SqShl;
        uqshl_vec: UqshlVec = UqShl;
        srshl_vec: SrshlVec = Srshl;
        urshl_vec: UrshlVec = Urshl;
        sqrshl_vec: SqrshlVec = SqRshl;
        uqrshl_vec: UqrshlVec = UqRshl;
        smax_vec: SmaxVec = Smax;
        umax_vec: UmaxVec = Umax;
        smin_vec: SminVec = Smin;
        umin_vec: UminVec = Umin;
        sabd_vec: SabdVec = Sabd;
        uabd_vec: UabdVec = Uabd;
        smaxp_vec: SmaxpVec = Smaxp;
        umaxp_vec: UmaxpVec = Umaxp;
        sminp_vec: SminpVec = Sminp;
        uminp_vec: UminpVec = Uminp;
        addp_vec: AddpVec = Addp;
        sqdmulh_vec: SqdmulhVec = SqDmulh;
        sqrdmulh_vec: SqrdmulhVec = SqRdmulh;
    }

    accumulating! {
        mla_vec: MlaVec = Mla;
        mls_vec: MlsVec = Mls;
        saba_vec: SabaVec = Saba;
        uaba_vec: UabaVec = Uaba;
    }

    bitwise! {
        and_vec: AndVec = And;
        bic_vec: BicVec = Bic;
        orn_vec: OrnVec = Orn;
        eor_vec: EorVec = Xor;
    }

    fn pmul_vec(&mut self, i: PmulVec) {
        self.binary(Vec2::Pmul, bits(i.q), i.rm, i.rn, i.rd);
    }

    fn orr_vec(&mut self, i: OrrVec) {
        if i.rn == i.rm {
            // The preferred form is MOV.
            self.unary(Vec1::Mov, bits(i.q), i.rn, i.rd);
        } else {
            self.binary(Vec2::Or, bits(i.q), i.rm, i.rn, i.rd);
        }
    }

    /// The mask is the destination.
    fn bsl_vec(&mut self, i: BslVec) {
        self.ternary(Vec3::Bsl, bits(i.q), i.rm, i.rn, i.rd);
    }

    /// Inserts bits of Vn where Vm is set.
    fn bit_vec(&mut self, i: BitVec) {
        let (d, n, m) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(i.rm));
        let result = self.0.vec3(Vec3::Bsl, bits(i.q), m, n, d);
        self.0.set_v(i.rd, result);
    }

    /// Inserts bits of Vn where Vm is clear.
    fn bif_vec(&mut self, i: BifVec) {
        let (d, n, m) = (self.0.v(i.rd), self.0.v(i.rn), self.0.v(i.rm));
        let result = self.0.vec3(Vec3::Bsl, bits(i.q), m, d, n);
        self.0.set_v(i.rd, result);
    }
}
