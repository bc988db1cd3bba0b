//! Loads, stores and atomics.

use super::Lower;
use crate::asm::int::{Alu, Shift};
use crate::asm::mem::{
    CMP_64, Legacy, MOV_R32, MOV_R64, MOVSX_8_32, MOVSX_8_64, MOVSX_16_32, MOVSX_16_64, MOVSXD, MOVZX_8,
    MOVZX_16, Mem, STORE_8, STORE_16, STORE_32, STORE_64, VMOVQ_LOAD, VMOVQ_STORE, VMOVSS_LOAD, VMOVSS_STORE,
    VMOVUPS_LOAD, VMOVUPS_STORE, XCHG_8, XCHG_16, XCHG_32, XCHG_64,
};
use crate::asm::{Cc, Gpr};
use crate::ir::{Op, Ref};
use guest::CpuState;
use semantics::ops::{Int2, LoadExt, MemSize, Rmw, Width};
use std::mem::offset_of;

const MONITOR_ADDR: i32 = offset_of!(CpuState, exclusive_addr) as i32;
const MONITOR_VALUE: i32 = offset_of!(CpuState, exclusive_value) as i32;
const MONITOR_SIZE: i32 = offset_of!(CpuState, exclusive_size) as i32;

const fn load_form(size: MemSize, ext: LoadExt) -> Legacy {
    match (size, ext) {
        (MemSize::B, LoadExt::Zero) => MOVZX_8,
        (MemSize::B, LoadExt::SignW) => MOVSX_8_32,
        (MemSize::B, LoadExt::SignX) => MOVSX_8_64,
        (MemSize::H, LoadExt::Zero) => MOVZX_16,
        (MemSize::H, LoadExt::SignW) => MOVSX_16_32,
        (MemSize::H, LoadExt::SignX) => MOVSX_16_64,
        (MemSize::W, LoadExt::Zero | LoadExt::SignW) => MOV_R32,
        (MemSize::W, LoadExt::SignX) => MOVSXD,
        (MemSize::X | MemSize::Q, _) => MOV_R64,
    }
}

const fn store_form(size: MemSize) -> Legacy {
    match size {
        MemSize::B => STORE_8,
        MemSize::H => STORE_16,
        MemSize::W => STORE_32,
        MemSize::X | MemSize::Q => STORE_64,
    }
}

const fn exchange_form(size: MemSize) -> Legacy {
    match size {
        MemSize::B => XCHG_8,
        MemSize::H => XCHG_16,
        MemSize::W => XCHG_32,
        MemSize::X | MemSize::Q => XCHG_64,
    }
}

/// `lock cmpxchg [m], reg`
const fn cmpxchg_form(size: MemSize) -> Legacy {
    match size {
        MemSize::B => Legacy {
            prefix: 0,
            w: false,
            map: 1,
            op: 0xb0,
            byte_reg: true,
        },
        MemSize::H => Legacy {
            prefix: 0x66,
            w: false,
            map: 1,
            op: 0xb1,
            byte_reg: false,
        },
        MemSize::W => Legacy {
            prefix: 0,
            w: false,
            map: 1,
            op: 0xb1,
            byte_reg: false,
        },
        MemSize::X | MemSize::Q => Legacy {
            prefix: 0,
            w: true,
            map: 1,
            op: 0xb1,
            byte_reg: false,
        },
    }
}

/// `lock xadd [m], reg`
const fn xadd_form(size: MemSize) -> Legacy {
    let form = cmpxchg_form(size);
    Legacy {
        op: form.op + 0x10,
        ..form
    }
}

impl Lower<'_> {
    /// The memory operand for `base + offset`, with a folded addition taken apart.
    fn address(&mut self, base: Ref, offset: i32) -> Mem {
        if let Some((a, b)) = self.is_folded_add(base) {
            let ra = self.reg(a);
            let (index, scale) = match self.op(b) {
                Op::Int2 {
                    op: Int2::Lsl,
                    w: Width::X,
                    a: x,
                    b: k,
                } if self.analysis.folded[b as usize] => (x, self.constant(k).unwrap_or(0) as u8),
                _ => (b, 0),
            };
            let rb = self.reg(index);
            return Mem {
                base: ra,
                index: Some((rb, scale)),
                disp: offset,
            };
        }
        Mem::base(self.reg(base), offset)
    }

    pub(super) fn load(&mut self, size: MemSize, ext: LoadExt, base: Ref, offset: i32) {
        let m = self.address(base, offset);
        let d = self.def(Some(base), &[]);
        self.asm.op_mem(load_form(size, ext), d, m);
        self.bind(d);
    }

    pub(super) fn store(&mut self, size: MemSize, base: Ref, offset: i32, value: Ref) {
        let m = self.address(base, offset);
        if let Some(imm) = self.imm32(if size == MemSize::X { Width::X } else { Width::W }, value) {
            return self.store_imm(size, m, imm);
        }
        let s = self.reg(value);
        self.asm.op_mem(store_form(size), s, m);
    }

    /// `mov [m], imm`
    fn store_imm(&mut self, size: MemSize, m: Mem, imm: i32) {
        let form = |prefix, w, op| Legacy {
            prefix,
            w,
            map: 0,
            op,
            byte_reg: false,
        };
        let (form, len) = match size {
            MemSize::B => (form(0, false, 0xc6), 1),
            MemSize::H => (form(0x66, false, 0xc7), 2),
            MemSize::W => (form(0, false, 0xc7), 4),
            MemSize::X | MemSize::Q => (form(0, true, 0xc7), 4),
        };
        self.asm.op_mem(form, Gpr(0), m);
        self.asm.bytes(&imm.to_le_bytes()[..len]);
    }

    pub(super) fn load_v(&mut self, size: MemSize, base: Ref, offset: i32) {
        let m = self.address(base, offset);
        let d = self.vdef_for(VMOVUPS_LOAD, None, &[]);
        match size {
            MemSize::Q => self.asm.vex_mem(VMOVUPS_LOAD, d, None, m),
            MemSize::X => self.asm.vex_mem(VMOVQ_LOAD, d, None, m),
            MemSize::W => self.asm.vex_mem(VMOVSS_LOAD, d, None, m),
            MemSize::B | MemSize::H => {
                let t = self.temp();
                self.asm.op_mem(load_form(size, LoadExt::Zero), t, m);
                self.asm.vmovd_from(d, t);
            }
        }
        self.vbind(d);
    }

    pub(super) fn store_v(&mut self, size: MemSize, base: Ref, offset: i32, value: Ref) {
        let m = self.address(base, offset);
        let s = self.vreg_for(VMOVUPS_STORE, value);
        match size {
            MemSize::Q => self.asm.vex_mem(VMOVUPS_STORE, s, None, m),
            MemSize::X => self.asm.vex_mem(VMOVQ_STORE, s, None, m),
            MemSize::W => self.asm.vex_mem(VMOVSS_STORE, s, None, m),
            MemSize::B | MemSize::H => {
                let t = self.temp();
                self.asm.vmovd_to(t, s);
                self.asm.op_mem(store_form(size), t, m);
            }
        }
    }

    pub(super) fn align_guard(&mut self, addr: Ref, mask: u8) {
        self.clobber_flags();
        let r = self.reg(addr);
        self.asm.alu_imm(Alu::Test, Width::W, r, i32::from(mask));
        self.guard(Cc::Ne);
    }

    pub(super) fn signature_guard(&mut self, pointer: Ref, bits: Ref) {
        self.clobber_flags();
        let (pointer, bits) = (self.reg(pointer), self.reg(bits));
        let t = self.temp();
        self.asm.mov(Width::X, t, pointer);
        self.asm.shift_imm(Shift::Shl, Width::X, t, 8);
        self.asm.shift_imm(Shift::Sar, Width::X, t, 63);
        self.asm.alu(Alu::Xor, Width::X, t, pointer);
        self.asm.alu(Alu::Test, Width::X, t, bits);
        self.guard(Cc::Ne);
    }

    pub(super) fn store_release(&mut self, size: MemSize, addr: Ref, value: Ref) {
        let base = self.reg(addr);
        let t = self.temp();
        self.load_into(t, value);
        self.asm.op_mem(exchange_form(size), t, Mem::base(base, 0));
    }

    pub(super) fn fence(&mut self) {
        self.clobber_flags();
        // lock or dword [rsp], 0: an eighth of the time of MFENCE.
        self.asm.bytes(&[0xf0, 0x83, 0x0c, 0x24, 0x00]);
    }

    /// Zero-extends a value of `size` in place.
    fn clean(&mut self, size: MemSize, d: Gpr) {
        match size {
            MemSize::B => self.asm.movzx8(d, d),
            MemSize::H => self.asm.movzx16(d, d),
            MemSize::W => self.asm.mov(Width::W, d, d),
            MemSize::X | MemSize::Q => {}
        }
    }

    pub(super) fn rmw(&mut self, op: Rmw, size: MemSize, addr: Ref, value: Ref) {
        self.clobber_flags();
        let base = self.reg(addr);
        let m = Mem::base(base, 0);
        match op {
            Rmw::Swp | Rmw::Add => {
                let t = self.temp();
                self.load_into(t, value);
                match op {
                    Rmw::Swp => self.asm.op_mem(exchange_form(size), t, m),
                    _ => self.asm.lock_op_mem(xadd_form(size), t, m),
                }
                self.clean(size, t);
                self.bind_temp(self.at as Ref, t);
            }
            Rmw::Clr | Rmw::Eor | Rmw::Set | Rmw::Smax | Rmw::Smin | Rmw::Umax | Rmw::Umin => {
                self.rmw_loop(op, size, addr, value);
            }
        }
    }

    /// Read, compute, compare-exchange, until nobody came between.
    fn rmw_loop(&mut self, op: Rmw, size: MemSize, addr: Ref, value: Ref) {
        self.take(Gpr::RAX);
        // Taking RAX may have moved the address away.
        let base = self.reg(addr);
        let value = self.reg(value);
        let t = self.temp();
        let m = Mem::base(base, 0);
        let signed = matches!(op, Rmw::Smax | Rmw::Smin);
        self.asm.op_mem(load_form(size, LoadExt::Zero), Gpr::RAX, m);
        let again = self.asm.pos();
        let w = if size == MemSize::X { Width::X } else { Width::W };
        self.asm.mov(Width::X, t, value);
        match op {
            Rmw::Clr => {
                self.asm.not(w, t);
                self.asm.alu(Alu::And, w, t, Gpr::RAX);
            }
            Rmw::Eor => self.asm.alu(Alu::Xor, w, t, Gpr::RAX),
            Rmw::Set => self.asm.alu(Alu::Or, w, t, Gpr::RAX),
            Rmw::Smax | Rmw::Smin | Rmw::Umax | Rmw::Umin | Rmw::Add | Rmw::Swp => {
                self.minmax_compare(size, w, t, signed);
                let keep_old = match op {
                    Rmw::Smax => Cc::L,
                    Rmw::Smin => Cc::G,
                    Rmw::Umax => Cc::B,
                    _ => Cc::A,
                };
                self.asm.cmov(keep_old, w, t, Gpr::RAX);
            }
        }
        self.asm.lock_op_mem(cmpxchg_form(size), t, m);
        let retry = self.asm.jcc(Cc::Ne);
        self.asm.fix_to(retry, again);
        self.clean(size, Gpr::RAX);
        self.bind_temp(self.at as Ref, Gpr::RAX);
    }

    /// Compares `t` with RAX as values of `size`; narrow ones are extended first.
    fn minmax_compare(&mut self, size: MemSize, w: Width, t: Gpr, signed: bool) {
        match (size, signed) {
            (MemSize::B, true) => {
                self.asm.movsx8(w, t, t);
                self.asm.movsx8(w, Gpr::RAX, Gpr::RAX);
            }
            (MemSize::H, true) => {
                self.asm.movsx16(w, t, t);
                self.asm.movsx16(w, Gpr::RAX, Gpr::RAX);
            }
            (MemSize::B, false) => {
                self.asm.movzx8(t, t);
                self.asm.movzx8(Gpr::RAX, Gpr::RAX);
            }
            (MemSize::H, false) => {
                self.asm.movzx16(t, t);
                self.asm.movzx16(Gpr::RAX, Gpr::RAX);
            }
            (MemSize::W | MemSize::X | MemSize::Q, _) => {}
        }
        self.asm.alu(Alu::Cmp, w, t, Gpr::RAX);
    }

    pub(super) fn cas(&mut self, size: MemSize, addr: Ref, expected: Ref, new: Ref) {
        self.clobber_flags();
        self.take(Gpr::RAX);
        let (base, new) = (self.reg(addr), self.reg(new));
        self.load_into(Gpr::RAX, expected);
        self.asm.lock_op_mem(cmpxchg_form(size), new, Mem::base(base, 0));
        self.clean(size, Gpr::RAX);
        self.bind_temp(self.at as Ref, Gpr::RAX);
    }

    pub(super) fn load_exclusive(&mut self, size: MemSize, addr: Ref) {
        let base = self.reg(addr);
        let t = self.temp();
        self.asm
            .op_mem(load_form(size, LoadExt::Zero), t, Mem::base(base, 0));
        self.asm.store_state(MONITOR_ADDR, base);
        self.asm.store_state(MONITOR_VALUE, t);
        self.asm.store_state_imm(MONITOR_SIZE, size.bytes() as i32);
        self.bind_temp(self.at as Ref, t);
    }

    /// Succeeds if memory still holds what the exclusive load saw. A monitor that does not
    /// cover this access (or names it by another tag) is the interpreter's business. The
    /// status is 0 on success; the monitor is open afterwards.
    pub(super) fn store_exclusive(&mut self, size: MemSize, addr: Ref, value: Ref) {
        self.clobber_flags();
        self.take(Gpr::RAX);
        let (base, value) = (self.reg(addr), self.reg(value));
        let status = self.temp();
        self.asm.op_mem(CMP_64, base, Mem::state(MONITOR_ADDR));
        self.guard(Cc::Ne);
        self.asm
            .cmp_state_imm(Width::X, MONITOR_SIZE, size.bytes() as i32);
        self.guard(Cc::Ne);
        self.asm.load_state(Gpr::RAX, MONITOR_VALUE);
        self.asm.mov_imm(status, 0);
        self.asm
            .lock_op_mem(cmpxchg_form(size), value, Mem::base(base, 0));
        self.asm.setcc(Cc::Ne, status);
        self.asm.store_state_imm(MONITOR_ADDR, -1);
        self.bind_temp(self.at as Ref, status);
    }
}
