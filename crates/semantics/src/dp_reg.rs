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

impl<O: Ops> Translate<'_, O> {
    /// A register shifted by an immediate.
    fn shifted_reg(&mut self, w: Width, rm: u8, shift: u8, amount: u8) -> O::Value {
        let value = self.0.x(rm);
        if amount == 0 {
            return value;
        }
        let amount = self.0.imm(u64::from(amount));
        self.0.int2(shift_op(shift), w, value, amount)
    }

    /// A register extended (`option`) and shifted left (ExtendReg, Arm ARM J1).
    pub(crate) fn extended_reg(&mut self, w: Width, rm: u8, option: u8, amount: u8) -> O::Value {
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
    fn two_source(&mut self, op: Int2, w: Width, rd: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let result = self.0.int2(op, w, a, b);
        self.0.set_x(rd, result);
    }

    fn one_source(&mut self, op: Int1, w: Width, rd: u8, rn: u8) {
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

    fn add_sub_extended(&mut self, op: Int2, w: Width, rd: u8, rn: u8, operand: O::Value) {
        let a = self.0.x_or_sp(rn);
        let result = self.0.int2(op, w, a, operand);
        self.0.set_x_or_sp(rd, result);
    }

    fn add_sub_extended_flags(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, operand: O::Value) {
        let a = self.0.x_or_sp(rn);
        let result = self.0.flag_op(op, w, a, operand);
        self.0.set_x(rd, result);
    }

    fn add_sub_carry(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let result = self.0.carry_op(op, w, a, b);
        self.0.set_x(rd, result);
    }

    fn add_sub_carry_flags(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, rm: u8) {
        let b = self.0.x(rm);
        self.two_operands_flags(op, w, rd, rn, b);
    }

    /// CSEL and its kin; `other` is what the second operand becomes, already cut to `w`
    /// if `rn` is ZR.
    fn conditional_select(&mut self, w: Width, rd: u8, rn: u8, cond: u8, other: O::Value) {
        let a = self.0.x(rn);
        let result = self.0.select(Cond::from_bits(cond), a, other);
        let result = if rn == ZR { result } else { self.cut(w, result) };
        self.0.set_x(rd, result);
    }

    /// The value with only the bits of `w`.
    pub(crate) fn cut(&mut self, w: Width, value: O::Value) -> O::Value {
        match w {
            Width::W => self.0.extend(Width::X, false, 32, value),
            Width::X => value,
        }
    }

    fn crc(&mut self, poly: Crc, log2_bytes: u8, rd: u8, rn: u8, rm: u8) {
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

    fn multiply_add_long(&mut self, op: Int2, signed: bool, rd: u8, ra: u8, rn: u8, rm: u8) {
        let a = self.0.x(rn);
        let b = self.0.x(rm);
        let a = self.0.extend(Width::X, signed, 32, a);
        let b = self.0.extend(Width::X, signed, 32, b);
        self.multiply_add(op, Width::X, rd, ra, a, b);
    }
}

impl<O: Ops> DpReg for Translate<'_, O> {
    fn and_shifted(&mut self, i: AndShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::And, w, i.rd, i.rn, b);
    }

    fn bic_shifted(&mut self, i: BicShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Bic, w, i.rd, i.rn, b);
    }

    fn orr_shifted(&mut self, i: OrrShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Or, w, i.rd, i.rn, b);
    }

    fn orn_shifted(&mut self, i: OrnShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Orn, w, i.rd, i.rn, b);
    }

    fn eor_shifted(&mut self, i: EorShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Xor, w, i.rd, i.rn, b);
    }

    fn eon_shifted(&mut self, i: EonShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Eon, w, i.rd, i.rn, b);
    }

    fn ands_shifted(&mut self, i: AndsShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands_flags(FlagOp::And, w, i.rd, i.rn, b);
    }

    fn bics_shifted(&mut self, i: BicsShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        let b = self.0.int1(Int1::Not, w, b);
        self.two_operands_flags(FlagOp::And, w, i.rd, i.rn, b);
    }

    fn add_shifted(&mut self, i: AddShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Add, w, i.rd, i.rn, b);
    }

    fn adds_shifted(&mut self, i: AddsShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands_flags(FlagOp::Add, w, i.rd, i.rn, b);
    }

    fn sub_shifted(&mut self, i: SubShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands(Int2::Sub, w, i.rd, i.rn, b);
    }

    fn subs_shifted(&mut self, i: SubsShifted) {
        let w = Width::from_sf(i.sf);
        let b = self.shifted_reg(w, i.rm, i.shift, i.imm6);
        self.two_operands_flags(FlagOp::Sub, w, i.rd, i.rn, b);
    }

    fn add_extended(&mut self, i: AddExtended) {
        let w = Width::from_sf(i.sf);
        let b = self.extended_reg(w, i.rm, i.option, i.imm3);
        self.add_sub_extended(Int2::Add, w, i.rd, i.rn, b);
    }

    fn adds_extended(&mut self, i: AddsExtended) {
        let w = Width::from_sf(i.sf);
        let b = self.extended_reg(w, i.rm, i.option, i.imm3);
        self.add_sub_extended_flags(FlagOp::Add, w, i.rd, i.rn, b);
    }

    fn sub_extended(&mut self, i: SubExtended) {
        let w = Width::from_sf(i.sf);
        let b = self.extended_reg(w, i.rm, i.option, i.imm3);
        self.add_sub_extended(Int2::Sub, w, i.rd, i.rn, b);
    }

    fn subs_extended(&mut self, i: SubsExtended) {
        let w = Width::from_sf(i.sf);
        let b = self.extended_reg(w, i.rm, i.option, i.imm3);
        self.add_sub_extended_flags(FlagOp::Sub, w, i.rd, i.rn, b);
    }

    fn adc(&mut self, i: Adc) {
        self.add_sub_carry(FlagOp::Adc, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn adcs(&mut self, i: Adcs) {
        self.add_sub_carry_flags(FlagOp::Adc, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn sbc(&mut self, i: Sbc) {
        self.add_sub_carry(FlagOp::Sbc, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn sbcs(&mut self, i: Sbcs) {
        self.add_sub_carry_flags(FlagOp::Sbc, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn ccmn_reg(&mut self, i: CcmnReg) {
        let (a, b) = (self.0.x(i.rn), self.0.x(i.rm));
        let cond = Cond::from_bits(i.cond);
        self.0
            .cond_compare(FlagOp::Add, Width::from_sf(i.sf), cond, a, b, i.nzcv);
    }

    fn ccmp_reg(&mut self, i: CcmpReg) {
        let (a, b) = (self.0.x(i.rn), self.0.x(i.rm));
        let cond = Cond::from_bits(i.cond);
        self.0
            .cond_compare(FlagOp::Sub, Width::from_sf(i.sf), cond, a, b, i.nzcv);
    }

    fn ccmn_imm(&mut self, i: CcmnImm) {
        let (a, b) = (self.0.x(i.rn), self.0.imm(u64::from(i.imm5)));
        let cond = Cond::from_bits(i.cond);
        self.0
            .cond_compare(FlagOp::Add, Width::from_sf(i.sf), cond, a, b, i.nzcv);
    }

    fn ccmp_imm(&mut self, i: CcmpImm) {
        let (a, b) = (self.0.x(i.rn), self.0.imm(u64::from(i.imm5)));
        let cond = Cond::from_bits(i.cond);
        self.0
            .cond_compare(FlagOp::Sub, Width::from_sf(i.sf), cond, a, b, i.nzcv);
    }

    fn csel(&mut self, i: Csel) {
        let w = Width::from_sf(i.sf);
        let other = self.0.x(i.rm);
        let other = if i.rn == ZR { self.cut(w, other) } else { other };
        self.conditional_select(w, i.rd, i.rn, i.cond, other);
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
        self.conditional_select(w, i.rd, i.rn, i.cond, other);
    }

    fn csinv(&mut self, i: Csinv) {
        let w = Width::from_sf(i.sf);
        let value = self.0.x(i.rm);
        let other = self.0.int1(Int1::Not, w, value);
        self.conditional_select(w, i.rd, i.rn, i.cond, other);
    }

    fn csneg(&mut self, i: Csneg) {
        let w = Width::from_sf(i.sf);
        let value = self.0.x(i.rm);
        let other = self.0.int1(Int1::Neg, w, value);
        self.conditional_select(w, i.rd, i.rn, i.cond, other);
    }

    fn rbit(&mut self, i: Rbit) {
        self.one_source(Int1::Rbit, Width::from_sf(i.sf), i.rd, i.rn);
    }

    fn rev16(&mut self, i: Rev16) {
        self.one_source(Int1::Rev16, Width::from_sf(i.sf), i.rd, i.rn);
    }

    fn rev_w(&mut self, i: RevW) {
        self.one_source(Int1::Rev, Width::W, i.rd, i.rn);
    }

    fn rev32(&mut self, i: Rev32) {
        self.one_source(Int1::Rev32, Width::X, i.rd, i.rn);
    }

    fn rev_x(&mut self, i: RevX) {
        self.one_source(Int1::Rev, Width::X, i.rd, i.rn);
    }

    fn clz(&mut self, i: Clz) {
        self.one_source(Int1::Clz, Width::from_sf(i.sf), i.rd, i.rn);
    }

    fn cls(&mut self, i: Cls) {
        self.one_source(Int1::Cls, Width::from_sf(i.sf), i.rd, i.rn);
    }

    fn udiv(&mut self, i: Udiv) {
        self.two_source(Int2::Udiv, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn sdiv(&mut self, i: Sdiv) {
        self.two_source(Int2::Sdiv, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn lslv(&mut self, i: Lslv) {
        self.two_source(Int2::Lsl, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn lsrv(&mut self, i: Lsrv) {
        self.two_source(Int2::Lsr, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn asrv(&mut self, i: Asrv) {
        self.two_source(Int2::Asr, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn rorv(&mut self, i: Rorv) {
        self.two_source(Int2::Ror, Width::from_sf(i.sf), i.rd, i.rn, i.rm);
    }

    fn crc32(&mut self, i: Crc32) {
        self.crc(Crc::Ieee, i.sz, i.rd, i.rn, i.rm);
    }

    fn crc32x(&mut self, i: Crc32x) {
        self.crc(Crc::Ieee, 3, i.rd, i.rn, i.rm);
    }

    fn crc32c(&mut self, i: Crc32c) {
        self.crc(Crc::Castagnoli, i.sz, i.rd, i.rn, i.rm);
    }

    fn crc32cx(&mut self, i: Crc32cx) {
        self.crc(Crc::Castagnoli, 3, i.rd, i.rn, i.rm);
    }

    fn madd(&mut self, i: Madd) {
        let (a, b) = (self.0.x(i.rn), self.0.x(i.rm));
        self.multiply_add(Int2::Add, Width::from_sf(i.sf), i.rd, i.ra, a, b);
    }

    fn msub(&mut self, i: Msub) {
        let (a, b) = (self.0.x(i.rn), self.0.x(i.rm));
        self.multiply_add(Int2::Sub, Width::from_sf(i.sf), i.rd, i.ra, a, b);
    }

    fn smaddl(&mut self, i: Smaddl) {
        self.multiply_add_long(Int2::Add, true, i.rd, i.ra, i.rn, i.rm);
    }

    fn smsubl(&mut self, i: Smsubl) {
        self.multiply_add_long(Int2::Sub, true, i.rd, i.ra, i.rn, i.rm);
    }

    fn umaddl(&mut self, i: Umaddl) {
        self.multiply_add_long(Int2::Add, false, i.rd, i.ra, i.rn, i.rm);
    }

    fn umsubl(&mut self, i: Umsubl) {
        self.multiply_add_long(Int2::Sub, false, i.rd, i.ra, i.rn, i.rm);
    }

    fn smulh(&mut self, i: Smulh) {
        self.two_source(Int2::Smulh, Width::X, i.rd, i.rn, i.rm);
    }

    fn umulh(&mut self, i: Umulh) {
        self.two_source(Int2::Umulh, Width::X, i.rd, i.rn, i.rm);
    }
}
