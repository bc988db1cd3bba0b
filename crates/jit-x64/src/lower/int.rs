//! Integer arithmetic.

use super::Lower;
use crate::asm::int::{Alu, Shift};
use crate::asm::mem::{LEA_32, LEA_64, Mem};
use crate::asm::sse::VPCLMULQDQ;
use crate::asm::{Cc, Gpr};
use crate::build::low_mask;
use crate::const_offset;
use crate::ir::{Op, Ref};
use semantics::ops::{Int1, Int2, Width};

impl Lower<'_> {
    /// `d = a op b` for a two-address instruction; the result is in the register returned.
    pub(super) fn two_operand(&mut self, op: Alu, w: Width, a: Ref, b: Ref) -> Gpr {
        if let Some(imm) = self.imm32(w, b) {
            let d = self.copy_for_def(a, &[]);
            self.asm.alu_imm(op, w, d, imm);
            return d;
        }
        if let Some(offset) = self.in_state(b)
            && self.dies(b)
        {
            let d = self.copy_for_def(a, &[]);
            self.asm.alu_state(op, w, d, offset);
            return d;
        }
        let rb = self.reg(b);
        if matches!(op, Alu::Add | Alu::And | Alu::Or | Alu::Xor) && self.starts_in_hint(b) {
            // Commute, so that the result is computed in place.
            let ra = self.reg(a);
            let d = self.copy_for_def(b, &[ra]);
            self.asm.alu(op, w, d, if d == ra { rb } else { ra });
            return d;
        }
        let d = self.copy_for_def(a, &[rb]);
        self.asm.alu(op, w, d, rb);
        d
    }

    pub(super) fn int2(&mut self, op: Int2, w: Width, a: Ref, b: Ref) {
        match op {
            Int2::Add => self.add(w, a, b),
            Int2::Sub => {
                self.clobber_flags();
                let d = self.two_operand(Alu::Sub, w, a, b);
                self.bind(d);
            }
            Int2::And => self.and(w, a, b),
            Int2::Or => self.logical(Alu::Or, w, a, b),
            Int2::Xor => self.logical(Alu::Xor, w, a, b),
            Int2::Bic => {
                self.clobber_flags();
                let (ra, rb) = (self.reg(a), self.reg(b));
                let d = self.def(Some(a), &[]);
                self.asm.andn(w, d, rb, ra);
                self.bind(d);
            }
            Int2::Orn | Int2::Eon => {
                self.clobber_flags();
                let ra = self.reg(a);
                let d = self.copy_for_def(b, &[ra]);
                self.asm.not(w, d);
                self.asm
                    .alu(if op == Int2::Orn { Alu::Or } else { Alu::Xor }, w, d, ra);
                self.bind(d);
            }
            Int2::Lsl => self.shift(Shift::Shl, w, a, b),
            Int2::Lsr => self.shift(Shift::Shr, w, a, b),
            Int2::Asr => self.shift(Shift::Sar, w, a, b),
            Int2::Ror => self.rotate(w, a, b),
            Int2::Mul => self.multiply(w, a, b),
            Int2::Umulh | Int2::Smulh => self.multiply_high(op, a, b),
            Int2::Udiv => self.divide(w, a, b),
            Int2::Sdiv => self.divide_signed(w, a, b),
            Int2::Smax => self.pick_by_compare(Cc::L, w, a, b),
            Int2::Smin => self.pick_by_compare(Cc::G, w, a, b),
            Int2::Umax => self.pick_by_compare(Cc::B, w, a, b),
            Int2::Umin => self.pick_by_compare(Cc::A, w, a, b),
        }
    }

    fn logical(&mut self, op: Alu, w: Width, a: Ref, b: Ref) {
        self.clobber_flags();
        let d = self.two_operand(op, w, a, b);
        self.bind(d);
    }

    fn add(&mut self, w: Width, a: Ref, b: Ref) {
        let lea = if w == Width::X { LEA_64 } else { LEA_32 };
        if let Some(imm) = self.imm32(w, b) {
            let keep = self.flags_busy();
            if !keep && (self.starts_in_hint(a) || self.in_state(a).is_some()) {
                self.clobber_flags();
                let d = self.copy_for_def(a, &[]);
                self.asm.alu_imm(Alu::Add, w, d, imm);
                return self.bind(d);
            }
            let ra = self.reg(a);
            let d = self.def(Some(a), &[]);
            if d == ra && !keep {
                self.clobber_flags();
                self.asm.alu_imm(Alu::Add, w, d, imm);
            } else {
                self.asm.op_mem(lea, d, Mem::base(ra, imm));
            }
            return self.bind(d);
        }
        if !self.flags_busy()
            && let Some(offset) = self.in_state(b)
            && self.dies(b)
        {
            self.clobber_flags();
            let d = self.copy_for_def(a, &[]);
            self.asm.alu_state(Alu::Add, w, d, offset);
            return self.bind(d);
        }
        let (ra, rb) = (self.reg(a), self.reg(b));
        let d = self.def(Some(a), &[]);
        if (d == ra || d == rb) && !self.flags_busy() {
            self.clobber_flags();
            self.asm.alu(Alu::Add, w, d, if d == ra { rb } else { ra });
        } else {
            self.asm.op_mem(
                lea,
                d,
                Mem {
                    base: ra,
                    index: Some((rb, 0)),
                    disp: 0,
                },
            );
        }
        self.bind(d);
    }

    fn and(&mut self, w: Width, a: Ref, b: Ref) {
        match self.constant(b) {
            Some(0xff) => return self.zero_extend(8, a),
            Some(0xffff) => return self.zero_extend(16, a),
            Some(0xffff_ffff) => return self.zero_extend(32, a),
            // A mask of up to 31 ones needs no 64-bit constant: the 32-bit form will do.
            Some(mask) if w == Width::X && mask <= 0x7fff_ffff => {
                return self.logical(Alu::And, Width::W, a, b);
            }
            _ => {}
        }
        self.logical(Alu::And, w, a, b);
    }

    fn zero_extend(&mut self, bits: u8, a: Ref) {
        if let Some(offset) = self.in_state(a)
            && self.dies(a)
        {
            use crate::asm::mem::{MOV_R32, MOVZX_8, MOVZX_16};
            let d = self.def(None, &[]);
            let form = match bits {
                8 => MOVZX_8,
                16 => MOVZX_16,
                _ => MOV_R32,
            };
            self.asm.op_mem(form, d, Mem::state(offset));
            return self.bind(d);
        }
        let ra = self.reg(a);
        let d = self.def(Some(a), &[]);
        match bits {
            8 => self.asm.movzx8(d, ra),
            16 => self.asm.movzx16(d, ra),
            _ => self.asm.mov(Width::W, d, ra),
        }
        self.bind(d);
    }

    fn shift(&mut self, op: Shift, w: Width, a: Ref, b: Ref) {
        if let Some(n) = self.constant(b) {
            let n = (n % u64::from(w.bits())) as u8;
            self.clobber_flags();
            let d = self.copy_for_def(a, &[]);
            self.asm.shift_imm(op, w, d, n);
            return self.bind(d);
        }
        let (ra, rb) = (self.reg(a), self.reg(b));
        let d = self.def(Some(a), &[]);
        self.asm.shiftx(op, w, d, ra, rb);
        self.bind(d);
    }

    fn rotate(&mut self, w: Width, a: Ref, b: Ref) {
        if let Some(n) = self.constant(b) {
            let ra = self.reg(a);
            let d = self.def(Some(a), &[]);
            self.asm.rorx(w, d, ra, (n % u64::from(w.bits())) as u8);
            return self.bind(d);
        }
        self.clobber_flags();
        self.take(Gpr::RCX);
        self.load_into(Gpr::RCX, b);
        let d = self.copy_for_def(a, &[Gpr::RCX]);
        self.asm.ror_cl(w, d);
        self.bind(d);
    }

    /// `b` if `a cc b`, else `a`.
    fn pick_by_compare(&mut self, cc: Cc, w: Width, a: Ref, b: Ref) {
        self.clobber_flags();
        let rb = self.reg(b);
        let d = self.copy_for_def(a, &[rb]);
        self.asm.alu(Alu::Cmp, w, d, rb);
        // The 32-bit form clears the upper half also when nothing is moved.
        self.asm.cmov(cc, w, d, rb);
        self.bind(d);
    }

    fn multiply(&mut self, w: Width, a: Ref, b: Ref) {
        self.clobber_flags();
        if let Some(imm) = self.imm32(w, b) {
            let ra = self.reg(a);
            let d = self.def(Some(a), &[]);
            self.asm.imul_imm(w, d, ra, imm);
            return self.bind(d);
        }
        let rb = self.reg(b);
        let d = self.copy_for_def(a, &[rb]);
        self.asm.imul(w, d, rb);
        self.bind(d);
    }

    /// Upper half of a product, in RDX.
    fn multiply_high(&mut self, op: Int2, a: Ref, b: Ref) {
        self.clobber_flags();
        let rb = self.operand_outside(b);
        self.take_pair();
        self.load_into(Gpr::RAX, a);
        if op == Int2::Umulh {
            self.asm.mov(Width::X, Gpr::RDX, Gpr::RAX);
            self.asm.mulx(Gpr::RDX, Gpr::RAX, rb);
        } else {
            self.asm.imul_wide(rb);
        }
        self.bind_rdx();
    }

    /// The value in a register other than RAX and RDX.
    fn operand_outside(&mut self, r: Ref) -> Gpr {
        let reg = self.reg(r);
        if reg != Gpr::RAX && reg != Gpr::RDX {
            return reg;
        }
        // Hold both so that the copy goes elsewhere.
        let held = self.x.locked;
        self.x.locked |= 1 << Gpr::RAX.0 | 1 << Gpr::RDX.0;
        let t = self.temp();
        self.asm.mov(Width::X, t, reg);
        self.x.locked = held | 1 << t.0;
        t
    }

    /// Empties RAX and RDX for a multiplication or division. Values that live there are
    /// kept in spill slots, so operands can still be loaded.
    fn take_pair(&mut self) {
        for reg in [Gpr::RAX, Gpr::RDX] {
            self.take(reg);
        }
    }

    fn bind_rdx(&mut self) {
        self.bind_fixed(Gpr::RDX);
    }

    /// The result is in a fixed temporary.
    fn bind_fixed(&mut self, d: Gpr) {
        self.bind_temp(self.at as Ref, d);
    }

    /// What of a constant divisor counts.
    fn divisor(&self, w: Width, b: Ref) -> Option<u64> {
        Some(self.constant(b)? & low_mask(w.bits() as u8))
    }

    /// UDIV: 0 when dividing by zero.
    fn divide(&mut self, w: Width, a: Ref, b: Ref) {
        self.clobber_flags();
        let rb = self.operand_outside(b);
        self.take_pair();
        self.load_into(Gpr::RAX, a);
        let nonzero = self.divisor(w, b).is_some_and(|c| c != 0);
        self.asm.zero(Gpr::RDX);
        if nonzero {
            self.asm.div(w, rb);
        } else {
            self.asm.alu(Alu::Test, w, rb, rb);
            let divide = self.asm.jcc(Cc::Ne);
            self.asm.zero(Gpr::RAX);
            let done = self.asm.jmp();
            self.asm.fix_here(divide);
            self.asm.div(w, rb);
            self.asm.fix_here(done);
        }
        self.bind_fixed(Gpr::RAX);
    }

    /// SDIV: dividing by zero gives 0, by -1 negates (so the most negative stays itself,
    /// where IDIV would trap).
    fn divide_signed(&mut self, w: Width, a: Ref, b: Ref) {
        self.clobber_flags();
        let rb = self.operand_outside(b);
        self.take_pair();
        self.load_into(Gpr::RAX, a);
        let minus_one = low_mask(w.bits() as u8);
        if self.divisor(w, b).is_some_and(|c| c != 0 && c != minus_one) {
            self.asm.cqo(w);
            self.asm.idiv(w, rb);
        } else {
            // b + 1 <= 1 unsigned: b is 0 or -1.
            let lea = if w == Width::X { LEA_64 } else { LEA_32 };
            self.asm.op_mem(lea, Gpr::RDX, Mem::base(rb, 1));
            self.asm.alu_imm(Alu::Cmp, w, Gpr::RDX, 1);
            let divide = self.asm.jcc(Cc::A);
            // -1: rax * -1; 0: rax * 0.
            self.asm.imul(w, Gpr::RAX, rb);
            let done = self.asm.jmp();
            self.asm.fix_here(divide);
            self.asm.cqo(w);
            self.asm.idiv(w, rb);
            self.asm.fix_here(done);
        }
        self.bind_fixed(Gpr::RAX);
    }

    pub(super) fn int1(&mut self, op: Int1, w: Width, a: Ref) {
        match op {
            Int1::Not => {
                let d = self.copy_for_def(a, &[]);
                self.asm.not(w, d);
                self.bind(d);
            }
            Int1::Neg if self.flags_busy() => {
                let d = self.copy_for_def(a, &[]);
                self.asm.not(w, d);
                let lea = if w == Width::X { LEA_64 } else { LEA_32 };
                self.asm.op_mem(lea, d, Mem::base(d, 1));
                self.bind(d);
            }
            Int1::Neg => {
                self.clobber_flags();
                let d = self.copy_for_def(a, &[]);
                self.asm.neg(w, d);
                self.bind(d);
            }
            Int1::Clz => {
                self.clobber_flags();
                let ra = self.reg(a);
                let d = self.def(Some(a), &[]);
                self.asm.lzcnt(w, d, ra);
                self.bind(d);
            }
            Int1::Cls => {
                self.clobber_flags();
                // clz((a ^ (a >> 1)) << 1 | 1) counts the copies of the sign bit behind it.
                let ra = self.reg(a);
                let d = self.def(None, &[ra]);
                self.asm.mov(w, d, ra);
                self.asm.shift_imm(Shift::Sar, w, d, 1);
                self.asm.alu(Alu::Xor, w, d, ra);
                self.asm.alu(Alu::Add, w, d, d);
                self.asm.alu_imm(Alu::Or, w, d, 1);
                self.asm.lzcnt(w, d, d);
                self.bind(d);
            }
            Int1::Rev => {
                let d = self.copy_for_def(a, &[]);
                self.asm.bswap(w, d);
                self.bind(d);
            }
            Int1::Rev32 => {
                // All bytes reversed, then the two words exchanged again.
                let d = self.copy_for_def(a, &[]);
                self.asm.bswap(w, d);
                if w == Width::X {
                    self.asm.rorx(Width::X, d, d, 32);
                }
                self.bind(d);
            }
            Int1::Ctz => {
                self.clobber_flags();
                let ra = self.reg(a);
                let d = self.def(Some(a), &[]);
                self.asm.tzcnt(w, d, ra);
                self.bind(d);
            }
            Int1::Cnt => {
                self.clobber_flags();
                let ra = self.reg(a);
                let d = self.def(Some(a), &[]);
                self.asm.popcnt(w, d, ra);
                self.bind(d);
            }
            Int1::Abs => {
                self.clobber_flags();
                let ra = self.reg(a);
                let d = self.def(None, &[ra]);
                self.asm.mov(w, d, ra);
                self.asm.neg(w, d);
                self.asm.cmov(Cc::S, w, d, ra);
                self.bind(d);
            }
            Int1::Rev16 => self.swap_groups(w, a, false),
            Int1::Rbit => self.swap_groups(w, a, true),
        }
    }

    /// REV16 (bytes exchanged in pairs), or RBIT: bits, pairs and nibbles exchanged and
    /// the bytes reversed.
    fn swap_groups(&mut self, w: Width, a: Ref, bits: bool) {
        self.clobber_flags();
        let ra = self.reg(a);
        let d = self.def(None, &[ra]);
        let (t, mask) = (self.temp(), self.temp());
        self.asm.mov(w, d, ra);
        let steps: &[(u64, u8)] = if bits {
            self.asm.bswap(w, d);
            &[
                (0x0f0f_0f0f_0f0f_0f0f, 4),
                (0x3333_3333_3333_3333, 2),
                (0x5555_5555_5555_5555, 1),
            ]
        } else {
            &[(0x00ff_00ff_00ff_00ff, 8)]
        };
        for &(pattern, n) in steps {
            self.asm.mov_imm(
                mask,
                if w == Width::W {
                    u64::from(pattern as u32)
                } else {
                    pattern
                },
            );
            self.asm.mov(w, t, d);
            self.asm.shift_imm(Shift::Shr, w, t, n);
            self.asm.alu(Alu::And, w, t, mask);
            self.asm.alu(Alu::And, w, d, mask);
            self.asm.shift_imm(Shift::Shl, w, d, n);
            self.asm.alu(Alu::Or, w, d, t);
        }
        self.bind(d);
    }

    pub(super) fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Ref) {
        if !signed {
            return self.zero_extend(bits, a);
        }
        let ra = self.reg(a);
        let d = self.def(Some(a), &[]);
        match bits {
            8 => self.asm.movsx8(w, d, ra),
            16 => self.asm.movsx16(w, d, ra),
            _ => self.asm.movsxd(d, ra),
        }
        self.bind(d);
    }

    pub(super) fn extract(&mut self, w: Width, signed: bool, a: Ref, lsb: u8, len: u8) {
        self.clobber_flags();
        let bits = w.bits() as u8;
        let d = self.copy_for_def(a, &[]);
        if signed {
            if lsb + len < bits {
                self.asm.shift_imm(Shift::Shl, w, d, bits - lsb - len);
            }
            self.asm.shift_imm(Shift::Sar, w, d, bits - len);
        } else {
            if lsb > 0 || lsb + len == bits {
                self.asm.shift_imm(Shift::Shr, w, d, lsb);
            }
            if lsb + len < bits {
                self.mask(w, d, len);
            }
        }
        self.bind(d);
    }

    /// Keeps the low `len` bits of `d`.
    fn mask(&mut self, w: Width, d: Gpr, len: u8) {
        match len {
            8 => self.asm.movzx8(d, d),
            16 => self.asm.movzx16(d, d),
            32 => self.asm.mov(Width::W, d, d),
            1..32 => self.asm.alu_imm(Alu::And, Width::W, d, low_mask(len) as i32),
            _ => {
                let keep = w.bits() as u8 - len;
                self.asm.shift_imm(Shift::Shl, w, d, keep);
                self.asm.shift_imm(Shift::Shr, w, d, keep);
            }
        }
    }

    pub(super) fn insert(&mut self, w: Width, dst: Ref, src: Ref, lsb: u8, len: u8) {
        self.clobber_flags();
        let field = low_mask(len) << lsb;
        let t = self.temp();
        if let Some(value) = self.constant(src) {
            let d = self.copy_for_def(dst, &[]);
            self.and_constant(w, d, t, !field);
            let value = (value & low_mask(len)) << lsb;
            if value != 0 {
                match self.small_imm(w, value) {
                    Some(imm) => self.asm.alu_imm(Alu::Or, w, d, imm),
                    None => {
                        self.asm.mov_imm(t, value);
                        self.asm.alu(Alu::Or, w, d, t);
                    }
                }
            }
            return self.bind(d);
        }
        let rs = self.reg(src);
        let part = self.temp();
        self.asm.mov(Width::X, part, rs);
        if lsb + len < w.bits() as u8 {
            self.mask(w, part, len);
        }
        if lsb > 0 {
            self.asm.shift_imm(Shift::Shl, w, part, lsb);
        }
        let d = self.copy_for_def(dst, &[]);
        self.and_constant(w, d, t, !field);
        self.asm.alu(Alu::Or, w, d, part);
        self.bind(d);
    }

    fn small_imm(&self, w: Width, value: u64) -> Option<i32> {
        match w {
            Width::W => Some(value as u32 as i32),
            Width::X => i32::try_from(value as i64).ok(),
        }
    }

    /// `d &= mask`, through `t` if the mask is no 32-bit immediate.
    fn and_constant(&mut self, w: Width, d: Gpr, t: Gpr, mask: u64) {
        match self.small_imm(w, mask) {
            Some(imm) => self.asm.alu_imm(Alu::And, w, d, imm),
            None => {
                self.asm.mov_imm(t, mask);
                self.asm.alu(Alu::And, w, d, t);
            }
        }
    }

    pub(super) fn extract_pair(&mut self, w: Width, hi: Ref, lo: Ref, lsb: u8) {
        if hi == lo || lsb == 0 {
            let ra = self.reg(lo);
            let d = self.def(Some(lo), &[]);
            self.asm.rorx(w, d, ra, lsb);
            return self.bind(d);
        }
        self.clobber_flags();
        let rh = self.reg(hi);
        let d = self.copy_for_def(lo, &[rh]);
        self.asm.shrd(w, d, rh, lsb);
        self.bind(d);
    }

    /// Two carry-less products: the quotient by the polynomial, then what it leaves.
    pub(super) fn crc32(&mut self, a: Ref) {
        let ra = self.reg(a);
        let t = self.vtemp();
        self.asm.vmovq_from(t, ra);
        for factor in [const_offset!(crc_quotient), const_offset!(crc_polynomial)] {
            self.asm.v3_state(VPCLMULQDQ, t, t, factor);
            self.asm.bytes(&[0]);
        }
        let d = self.def(Some(a), &[]);
        self.asm.vextract(2, d, t, 2);
        self.bind(d);
    }

    pub(super) fn crc32c(&mut self, bytes: u8, acc: Ref, data: Ref) {
        let rd = self.reg(data);
        let d = self.copy_for_def(acc, &[rd]);
        self.asm.crc32c(bytes, d, rd);
        self.bind(d);
    }

    /// `folded` additions are part of an address; see [`crate::opt`].
    pub(super) fn is_folded_add(&self, r: Ref) -> Option<(Ref, Ref)> {
        match self.op(r) {
            Op::Int2 {
                op: Int2::Add,
                w: Width::X,
                a,
                b,
            } if self.analysis.folded[r as usize] => Some((a, b)),
            _ => None,
        }
    }
}
