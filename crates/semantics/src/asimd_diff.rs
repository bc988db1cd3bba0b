//! Advanced SIMD three different: long, wide and narrow (Arm ARM C4.1): `asimd_diff.isa`.

use crate::Translate;
use crate::ops::{Lane, Ops, Shape, Vec2, Vec3};
use crate::simd::{Part, long, narrow};
use a64_isa::AsimdDiff;
use a64_isa::asimd_diff::*;

/// Both operands are widened.
macro_rules! widening {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let a = self.half(Part::from_q(i.q), i.rn);
            let b = self.half(Part::from_q(i.q), i.rm);
            let result = self.0.vec2(Vec2::$op, long(i.size), a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

/// The second operand is widened.
macro_rules! wide {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let a = self.0.v(i.rn);
            let b = self.half(Part::from_q(i.q), i.rm);
            let result = self.0.vec2(Vec2::$op, long(i.size), a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

macro_rules! accumulating {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let a = self.half(Part::from_q(i.q), i.rn);
            let b = self.half(Part::from_q(i.q), i.rm);
            let acc = self.0.v(i.rd);
            let result = self.0.vec3(Vec3::$op, long(i.size), acc, a, b);
            self.0.set_v(i.rd, result);
        })*
    };
}

/// The upper halves of the lanes of the result are kept.
macro_rules! narrowing {
    ($($name:ident: $row:ident = $op:ident;)*) => {
        $(fn $name(&mut self, i: $row) {
            let a = self.0.v(i.rn);
            let b = self.0.v(i.rm);
            let result = self.0.vec2(Vec2::$op, narrow(i.size), a, b);
            self.set_half(Part::from_q(i.q), i.rd, result);
        })*
    };
}

impl<O: Ops> AsimdDiff for Translate<'_, O> {
    widening! {
        saddl: Saddl = Saddl;
        uaddl: Uaddl = Uaddl;
        ssubl: Ssubl = Ssubl;
        usubl: Usubl = Usubl;
        sabdl: Sabdl = Sabdl;
        uabdl: Uabdl = Uabdl;
        smull_vec: SmullVec = Smull;
        umull_vec: UmullVec = Umull;
        sqdmull_vec: SqdmullVec = SqDmull;
    }

    wide! {
        saddw: Saddw = Saddw;
        uaddw: Uaddw = Uaddw;
        ssubw: Ssubw = Ssubw;
        usubw: Usubw = Usubw;
    }

    accumulating! {
        sabal: Sabal = Sabal;
        uabal: Uabal = Uabal;
        smlal_vec: SmlalVec = Smlal;
        umlal_vec: UmlalVec = Umlal;
        smlsl_vec: SmlslVec = Smlsl;
        umlsl_vec: UmlslVec = Umlsl;
        sqdmlal_vec: SqdmlalVec = SqDmlal;
        sqdmlsl_vec: SqdmlslVec = SqDmlsl;
    }

    narrowing! {
        addhn: Addhn = Addhn;
        raddhn: Raddhn = Raddhn;
        subhn: Subhn = Subhn;
        rsubhn: Rsubhn = Rsubhn;
    }

    /// Bytes to halfwords; the form on doublewords belongs to the cryptographic extension.
    fn pmull(&mut self, i: Pmull) {
        let a = self.half(Part::from_q(i.q), i.rn);
        let b = self.half(Part::from_q(i.q), i.rm);
        let result = self.0.vec2(Vec2::Pmull, Shape::vector(Lane::H, true), a, b);
        self.0.set_v(i.rd, result);
    }
}
