//! Data processing with registers (Arm ARM C4.1.95): `dp_reg.isa`.

use crate::Ops;
use crate::ops::{Cond, Crc, FlagOp, Int1, Int2, Width, ZR};
use crate::translate::Translate;
use a64_isa::DpReg;
use a64_isa::dp_reg::*;

/// The shift operations, by the `shift` field.
pub(crate) fn shift_op(shift: u8) -> Int2 {
    match shift {
        0 => Int2::Lsl,
        1 => Int2::Lsr,
        2 => Int2::Asr,
        _ => Int2::Ror,
    }
}

/// A register shifted by an immediate.
#[derive(Clone, Copy)]
pub(crate) struct Shifted {
    rm: u8,
    shift: u8,
    amount: u8,
}

impl Shifted {
    pub(crate) const fn new(rm: u8, shift: u8, amount: u8) -> Self {
        Shifted { rm, shift, amount }
    }
}

/// A register extended (`option`) and shifted left.
#[derive(Clone, Copy)]
pub(crate) struct Extended {
    rm: u8,
    option: u8,
    amount: u8,
}

impl Extended {
    pub(crate) const fn new(rm: u8, option: u8, amount: u8) -> Self {
        Extended { rm, option, amount }
    }
}

impl<O: Ops> Translate<'_, O> {
    fn shifted_reg(&mut self, w: Width, operand: Shifted) -> O::Value {
        let Shifted { rm, shift, amount } = operand;
        let value = self.0.x(rm);
        if amount == 0 {
            return value;
        }
        let amount = self.0.imm(u64::from(amount));
        self.0.int2(shift_op(shift), w, value, amount)
    }

    /// ExtendReg (Arm ARM J1).
    pub(crate) fn extended_reg(&mut self, w: Width, operand: Extended) -> O::Value {
        let Extended { rm, option, amount } = operand;
        let value = self.0.x(rm);
        let bits = 8 << (option & 3);
        let value = if u32::from(bits) >= w.bits() {
            value
        } else {
            self.0.extend(w, option & 4 != 0, bits, value)
        };
        if amount == 0 {
            return value;
        }
        let amount = self.0.imm(u64::from(amount));
        self.0.int2(Int2::Lsl, w, value, amount)
    }

    /// Two registers into a third.
    pub(crate) fn two_source(&mut self, op: Int2, w: Width, rd: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let result = self.0.int2(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn two_source_imm(&mut self, op: Int2, w: Width, rd: u8, rn: u8, imm: u64) {
        let (a, b) = (self.0.x(rn), self.0.imm(imm));
        let result = self.0.int2(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn one_source(&mut self, op: Int1, w: Width, rd: u8, rn: u8) {
        let a = self.0.x(rn);
        let result = self.0.int1(op, w, a);
        self.0.set_x(rd, result);
    }

    /// `op` on `rn` and an already computed operand. ZR with ORR, ORN and SUB makes
    /// the aliases MOV, MVN and NEG, which need one operation less.
    fn two_operands(&mut self, op: Int2, w: Width, rd: u8, rn: u8, b: O::Value) {
        let result = match (op, rn, w) {
            (Int2::Or, ZR, Width::X) => b,
            (Int2::Or, ZR, Width::W) => self.0.extend(Width::X, false, 32, b),
            (Int2::Orn, ZR, _) => self.0.int1(Int1::Not, w, b),
            (Int2::Sub, ZR, _) => self.0.int1(Int1::Neg, w, b),
            (_, _, _) => {
                let a = self.0.x(rn);
                self.0.int2(op, w, a, b)
            }
        };
        self.0.set_x(rd, result);
    }

    fn two_operands_flags(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, b: O::Value) {
        let a = self.0.x(rn);
        let result = self.0.flag_op(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn int_shifted(&mut self, op: Int2, w: Width, rd: u8, rn: u8, operand: Shifted) {
        let b = self.shifted_reg(w, operand);
        self.two_operands(op, w, rd, rn, b);
    }

    pub(crate) fn flags_shifted(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, operand: Shifted) {
        let b = self.shifted_reg(w, operand);
        self.two_operands_flags(op, w, rd, rn, b);
    }

    pub(crate) fn int_extended(&mut self, op: Int2, w: Width, rd: u8, rn: u8, operand: Extended) {
        let b = self.extended_reg(w, operand);
        let a = self.0.x_or_sp(rn);
        let result = self.0.int2(op, w, a, b);
        self.0.set_x_or_sp(rd, result);
    }

    pub(crate) fn flags_extended(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, operand: Extended) {
        let b = self.extended_reg(w, operand);
        let a = self.0.x_or_sp(rn);
        let result = self.0.flag_op(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn cond_compare_reg(&mut self, op: FlagOp, w: Width, cond: Cond, rn: u8, rm: u8, nzcv: u8) {
        let (a, b) = (self.0.x(rn), self.0.x(rm));
        self.0.cond_compare(op, w, cond, a, b, nzcv);
    }

    pub(crate) fn cond_compare_imm(&mut self, op: FlagOp, w: Width, cond: Cond, rn: u8, imm: u8, nzcv: u8) {
        let (a, b) = (self.0.x(rn), self.0.imm(u64::from(imm)));
        self.0.cond_compare(op, w, cond, a, b, nzcv);
    }

    pub(crate) fn add_sub_carry(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let result = self.0.carry_op(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn add_sub_carry_flags(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, rm: u8) {
        let b = self.0.x(rm);
        self.two_operands_flags(op, w, rd, rn, b);
    }

    /// CSEL and its kin; `other` is what the second operand becomes, already cut to `w`
    /// if `rn` is ZR.
    fn conditional_select(&mut self, w: Width, rd: u8, rn: u8, cond: Cond, other: O::Value) {
        let a = self.0.x(rn);
        let result = self.0.select(cond, a, other);
        let result = if rn == ZR { result } else { self.cut(w, result) };
        self.0.set_x(rd, result);
    }

    /// CSINV and CSNEG.
    pub(crate) fn select_int1(&mut self, op: Int1, w: Width, rd: u8, rn: u8, rm: u8, cond: Cond) {
        let value = self.0.x(rm);
        let other = self.0.int1(op, w, value);
        self.conditional_select(w, rd, rn, cond, other);
    }

    /// The value with only the bits of `w`.
    pub(crate) fn cut(&mut self, w: Width, value: O::Value) -> O::Value {
        match w {
            Width::W => self.0.extend(Width::X, false, 32, value),
            Width::X => value,
        }
    }

    pub(crate) fn crc(&mut self, poly: Crc, log2_bytes: u8, rd: u8, rn: u8, rm: u8) {
        let acc = self.0.x(rn);
        let data = self.0.x(rm);
        let result = self.0.crc32(poly, 1 << log2_bytes, acc, data);
        self.0.set_x(rd, result);
    }

    /// `ra + rn * rm` or `ra - rn * rm` with operands already widened.
    fn multiply_add(&mut self, op: Int2, w: Width, rd: u8, ra: u8, a: O::Value, b: O::Value) {
        let product = self.0.int2(Int2::Mul, w, a, b);
        let result = match (op, ra) {
            (Int2::Add, ZR) => product,
            (Int2::Sub, ZR) => self.0.int1(Int1::Neg, w, product),
            (_, _) => {
                let addend = self.0.x(ra);
                self.0.int2(op, w, addend, product)
            }
        };
        self.0.set_x(rd, result);
    }

    pub(crate) fn multiply_add_reg(&mut self, op: Int2, w: Width, rd: u8, ra: u8, rn: u8, rm: u8) {
        let (a, b) = (self.0.x(rn), self.0.x(rm));
        self.multiply_add(op, w, rd, ra, a, b);
    }

    pub(crate) fn multiply_add_long(&mut self, op: Int2, signed: bool, rd: u8, ra: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let a = self.0.extend(Width::X, signed, 32, a);
        let b = self.0.extend(Width::X, signed, 32, b);
        self.multiply_add(op, Width::X, rd, ra, a, b);
    }
}

impl<O: Ops> DpReg for Translate<'_, O> {
    fn bics_shifted(&mut self, i: BicsShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, Shifted::new(i.rm, i.shift, i.imm6));
        let b = self.0.int1(Int1::Not, w, b);
        self.two_operands_flags(FlagOp::And, w, i.rd, i.rn, b);
    }

    fn csel(&mut self, i: Csel) {
        let w = Width::from_sf(i.sf);
        let other = self.0.x(i.rm);
        let other = if i.rn == ZR { self.cut(w, other) } else { other };
        self.conditional_select(w, i.rd, i.rn, Cond::from_bits(i.cond), other);
    }

    fn csinc(&mut self, i: Csinc) {
        let w = Width::from_sf(i.sf);
        let value = self.0.x(i.rm);
        let one = self.0.imm(1);
        let other = if i.rm == ZR {
            one
        } else {
            self.0.int2(Int2::Add, w, value, one)
        };
        self.conditional_select(w, i.rd, i.rn, Cond::from_bits(i.cond), other);
    }
}
