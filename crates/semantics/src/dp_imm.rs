//! Data processing with immediates (Arm ARM C4.1.93): `dp_imm.isa`.

use crate::Ops;
use crate::ops::{FlagOp, Int2, Width, ZR};
use crate::translate::Translate;
use a64_isa::dp_imm::*;
use a64_isa::{DpImm, imm};

/// The operand of ADD and SUB: 12 bits, maybe shifted left by 12.
pub(crate) fn shifted_imm12(imm12: u16, sh: bool) -> u64 {
    u64::from(imm12) << if sh { 12 } else { 0 }
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn add_sub_imm(&mut self, op: Int2, w: Width, rd: u8, rn: u8, operand: u64) {
        let a = self.0.x_or_sp(rn);
        // ADD #0 with SP is the move from or to SP.
        let result = if operand == 0 && w == Width::X {
            a
        } else {
            let b = self.0.imm(operand);
            self.0.int2(op, w, a, b)
        };
        self.0.set_x_or_sp(rd, result);
    }

    pub(crate) fn add_sub_imm_flags(&mut self, op: FlagOp, w: Width, rd: u8, rn: u8, operand: u64) {
        let a = self.0.x_or_sp(rn);
        let b = self.0.imm(operand);
        let result = self.0.flag_op(op, w, a, b);
        self.0.set_x(rd, result);
    }

    pub(crate) fn logical_imm(&mut self, op: Int2, w: Width, rd: u8, rn: u8, mask: Option<u64>) {
        // The table's condition admits valid masks only.
        let mask = mask.unwrap_or(0);
        let result = if op == Int2::Or && rn == ZR {
            self.0.imm(mask)
        } else {
            let a = self.0.x(rn);
            let b = self.0.imm(mask);
            self.0.int2(op, w, a, b)
        };
        self.0.set_x_or_sp(rd, result);
    }

    /// SBFM and UBFM. The common aliases become the simplest operation that does it.
    pub(crate) fn bitfield(&mut self, signed: bool, w: Width, rd: u8, rn: u8, immr: u8, imms: u8) {
        let bits = w.bits() as u8;
        let a = self.0.x(rn);
        let result = if imms == bits - 1 {
            let amount = self.0.imm(u64::from(immr));
            let op = if signed { Int2::Asr } else { Int2::Lsr };
            self.0.int2(op, w, a, amount)
        } else if imms < immr {
            let (lsb, len) = (bits - immr, imms + 1);
            // LSL: all bits that are not shifted out are kept.
            let field = if !signed && lsb + len == bits {
                a
            } else {
                self.low_bits(signed, w, a, len)
            };
            let amount = self.0.imm(u64::from(lsb));
            self.0.int2(Int2::Lsl, w, field, amount)
        } else if immr == 0 {
            self.low_bits(signed, w, a, imms + 1)
        } else {
            self.0.extract(w, signed, a, immr, imms - immr + 1)
        };
        self.0.set_x(rd, result);
    }

    /// The low `len` bits of `a`, extended.
    fn low_bits(&mut self, signed: bool, w: Width, a: O::Value, len: u8) -> O::Value {
        match len {
            8 | 16 | 32 => self.0.extend(w, signed, len, a),
            _ => self.0.extract(w, signed, a, 0, len),
        }
    }
}

impl<O: Ops> DpImm for Translate<'_, O> {
    fn adr(&mut self, i: Adr) {
        let target = self.0.pc().wrapping_add_signed(imm::adr_offset(i.immhi, i.immlo));
        let value = self.0.address(target);
        self.0.set_x(i.rd, value);
    }

    fn adrp(&mut self, i: Adrp) {
        let page = self.0.pc() & !0xfff;
        let target = page.wrapping_add_signed(imm::adr_offset(i.immhi, i.immlo) << 12);
        let value = self.0.address(target);
        self.0.set_x(i.rd, value);
    }

    fn ands_imm(&mut self, i: AndsImm) {
        let mask = imm::bitmask(i.sf, i.n, i.immr, i.imms).unwrap_or(0);
        let a = self.0.x(i.rn);
        let b = self.0.imm(mask);
        let result = self.0.flag_op(FlagOp::And, Width::from_sf(i.sf), a, b);
        self.0.set_x(i.rd, result);
    }

    fn movn(&mut self, i: Movn) {
        let value = !(u64::from(i.imm16) << (16 * u32::from(i.hw)));
        let value = self.0.imm(if i.sf { value } else { value & 0xffff_ffff });
        self.0.set_x(i.rd, value);
    }

    fn movz(&mut self, i: Movz) {
        let value = self.0.imm(u64::from(i.imm16) << (16 * u32::from(i.hw)));
        self.0.set_x(i.rd, value);
    }

    fn movk(&mut self, i: Movk) {
        let old = self.0.x(i.rd);
        let part = self.0.imm(u64::from(i.imm16));
        let result = self.0.insert(Width::from_sf(i.sf), old, part, i.hw * 16, 16);
        self.0.set_x(i.rd, result);
    }

    fn bfm(&mut self, i: Bfm) {
        let w = Width::from_sf(i.sf);
        let old = self.0.x(i.rd);
        let source = self.0.x(i.rn);
        let result = if i.imms < i.immr {
            // BFI and BFC.
            self.0.insert(w, old, source, w.bits() as u8 - i.immr, i.imms + 1)
        } else {
            // BFXIL.
            let len = i.imms - i.immr + 1;
            let field = if i.immr == 0 {
                source
            } else {
                self.0.extract(w, false, source, i.immr, len)
            };
            self.0.insert(w, old, field, 0, len)
        };
        self.0.set_x(i.rd, result);
    }

    fn extr(&mut self, i: Extr) {
        let w = Width::from_sf(i.sf);
        let hi = self.0.x(i.rn);
        let result = if i.rn == i.rm {
            let amount = self.0.imm(u64::from(i.imms));
            self.0.int2(Int2::Ror, w, hi, amount)
        } else {
            let lo = self.0.x(i.rm);
            self.0.extract_pair(w, hi, lo, i.imms)
        };
        self.0.set_x(i.rd, result);
    }
}
