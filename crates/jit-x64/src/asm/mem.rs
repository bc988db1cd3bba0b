//! Instructions with a memory operand, encoded by hand for the shortest form.

use super::evex::Evex;
use super::{Asm, Gpr, Xmm};

/// `[base + index * 2^scale + disp]`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mem {
    pub base: Gpr,
    pub index: Option<(Gpr, u8)>,
    pub disp: i32,
}

impl Mem {
    #[must_use]
    pub const fn base(base: Gpr, disp: i32) -> Mem {
        Mem {
            base,
            index: None,
            disp,
        }
    }
    /// A field of the CPU state, by its offset from the start of `CpuState`.
    #[must_use]
    pub const fn state(offset: i32) -> Mem {
        Mem {
            base: Gpr::R15,
            index: None,
            disp: offset - guest::STATE_BIAS,
        }
    }
}

/// An opcode with its mandatory prefix and map, for the legacy encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Legacy {
    /// 0, 0x66, 0xf2, 0xf3 or 0xf0.
    pub prefix: u8,
    pub w: bool,
    /// 0: one byte; 1: 0F; 2: 0F 38.
    pub map: u8,
    pub op: u8,
    /// The register operand is a byte register (SPL..DIL need a REX prefix).
    pub byte_reg: bool,
}

const fn legacy(prefix: u8, w: bool, map: u8, op: u8) -> Legacy {
    Legacy {
        prefix,
        w,
        map,
        op,
        byte_reg: false,
    }
}

/// `mov r64, m` and so on; loads zero- or sign-extend into the whole register.
pub const MOV_R64: Legacy = legacy(0, true, 0, 0x8b);
pub const MOV_R32: Legacy = legacy(0, false, 0, 0x8b);
pub const MOVZX_16: Legacy = legacy(0, false, 1, 0xb7);
pub const MOVZX_8: Legacy = legacy(0, false, 1, 0xb6);
pub const MOVSX_8_32: Legacy = legacy(0, false, 1, 0xbe);
pub const MOVSX_8_64: Legacy = legacy(0, true, 1, 0xbe);
pub const MOVSX_16_32: Legacy = legacy(0, false, 1, 0xbf);
pub const MOVSX_16_64: Legacy = legacy(0, true, 1, 0xbf);
pub const MOVSXD: Legacy = legacy(0, true, 0, 0x63);
pub const STORE_64: Legacy = legacy(0, true, 0, 0x89);
pub const STORE_32: Legacy = legacy(0, false, 0, 0x89);
pub const STORE_16: Legacy = legacy(0x66, false, 0, 0x89);
pub const STORE_8: Legacy = Legacy {
    prefix: 0,
    w: false,
    map: 0,
    op: 0x88,
    byte_reg: true,
};
pub const XCHG_64: Legacy = legacy(0, true, 0, 0x87);
pub const XCHG_32: Legacy = legacy(0, false, 0, 0x87);
pub const XCHG_16: Legacy = legacy(0x66, false, 0, 0x87);
pub const XCHG_8: Legacy = Legacy {
    prefix: 0,
    w: false,
    map: 0,
    op: 0x86,
    byte_reg: true,
};
pub const LEA_64: Legacy = legacy(0, true, 0, 0x8d);
pub const LEA_32: Legacy = legacy(0, false, 0, 0x8d);
pub const CMP_64: Legacy = legacy(0, true, 0, 0x3b);

/// A VEX-encoded opcode: `pp` 0 none, 1 66, 2 F3, 3 F2; `map` 1 0F, 2 0F38, 3 0F3A.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vex {
    pub pp: u8,
    pub map: u8,
    pub w: bool,
    pub op: u8,
    pub evex: Evex,
}

const fn vex(pp: u8, map: u8, op: u8, w: bool, disp_scale: u8) -> Vex {
    Vex {
        pp,
        map,
        w: false,
        op,
        evex: Evex::Form { w, disp_scale },
    }
}

pub const VMOVUPS_LOAD: Vex = vex(0, 1, 0x10, false, 4);
pub const VMOVUPS_STORE: Vex = vex(0, 1, 0x11, false, 4);
pub const VMOVSS_LOAD: Vex = vex(2, 1, 0x10, false, 2);
pub const VMOVSS_STORE: Vex = vex(2, 1, 0x11, false, 2);
pub const VMOVQ_LOAD: Vex = vex(2, 1, 0x7e, true, 3);
pub const VMOVQ_STORE: Vex = vex(1, 1, 0xd6, true, 3);

impl Asm {
    /// ModRM, SIB and displacement for `reg` and `m`.
    fn modrm(&mut self, reg: u8, m: Mem) {
        self.modrm_scaled(reg, m, 0);
    }

    /// As [`Asm::modrm`], where a displacement of one byte counts units of `1 << scale` bytes.
    pub(super) fn modrm_scaled(&mut self, reg: u8, m: Mem, scale: u8) {
        let base = m.base.0 & 7;
        let short = m.disp >> scale;
        // RBP and R13 as a base always take a displacement.
        let (mode, disp_len, disp) = if m.disp == 0 && base != 5 {
            (0, 0, 0)
        } else if short << scale == m.disp && i8::try_from(short).is_ok() {
            (1, 1, short)
        } else {
            (2, 4, m.disp)
        };
        let reg = (reg & 7) << 3;
        match m.index {
            Some((index, scale)) => {
                self.bytes(&[mode << 6 | reg | 4, scale << 6 | (index.0 & 7) << 3 | base]);
            }
            None if base == 4 => self.bytes(&[mode << 6 | reg | 4, 0x24]),
            None => self.bytes(&[mode << 6 | reg | base]),
        }
        self.bytes(&disp.to_le_bytes()[..disp_len]);
    }

    /// `call [state + offset]`
    pub fn call_state(&mut self, offset: i32) {
        self.op_mem(legacy(0, false, 0, 0xff), Gpr(2), Mem::state(offset));
    }

    /// An instruction with a general register (or opcode extension) and a memory operand.
    pub fn op_mem(&mut self, op: Legacy, reg: Gpr, m: Mem) {
        if op.prefix != 0 {
            self.bytes(&[op.prefix]);
        }
        let index = m.index.map_or(0, |(index, _)| index.0);
        let rex = 0x40 | u8::from(op.w) << 3 | (reg.0 >> 3) << 2 | (index >> 3) << 1 | m.base.0 >> 3;
        if rex != 0x40 || (op.byte_reg && reg.0 >= 4) {
            self.bytes(&[rex]);
        }
        match op.map {
            0 => {}
            1 => self.bytes(&[0x0f]),
            _ => self.bytes(&[0x0f, 0x38]),
        }
        self.bytes(&[op.op]);
        self.modrm(reg.0, m);
    }

    /// As [`Asm::op_mem`] behind a LOCK prefix.
    pub fn lock_op_mem(&mut self, op: Legacy, reg: Gpr, m: Mem) {
        self.bytes(&[0xf0]);
        self.op_mem(op, reg, m);
    }

    /// A vector instruction with a memory operand; `src` is the second source, if any.
    pub fn vex_mem(&mut self, op: Vex, reg: Xmm, src: Option<Xmm>, m: Mem) {
        if reg.is_high() || src.is_some_and(Xmm::is_high) {
            return self.evex_mem(op, reg, src, m);
        }
        let index = m.index.map_or(0, |(index, _)| index.0);
        let vvvv = !src.map_or(0, |x| x.0) & 15;
        let not = |bit: u8| (bit >> 3 & 1) ^ 1;
        if op.map == 1 && !op.w && index < 8 && m.base.0 < 8 {
            self.bytes(&[0xc5, not(reg.0) << 7 | vvvv << 3 | op.pp]);
        } else {
            self.bytes(&[
                0xc4,
                not(reg.0) << 7 | not(index) << 6 | not(m.base.0) << 5 | op.map,
                u8::from(op.w) << 7 | vvvv << 3 | op.pp,
            ]);
        }
        self.bytes(&[op.op]);
        self.modrm(reg.0, m);
    }

    /// Loads 64 bits of the CPU state.
    pub fn load_state(&mut self, d: Gpr, offset: i32) {
        self.op_mem(MOV_R64, d, Mem::state(offset));
    }

    /// Stores 64 bits to the CPU state.
    pub fn store_state(&mut self, offset: i32, s: Gpr) {
        self.op_mem(STORE_64, s, Mem::state(offset));
    }

    /// `mov qword [state + offset], imm32` (sign-extended).
    pub fn store_state_imm(&mut self, offset: i32, imm: i32) {
        self.op_mem(
            Legacy {
                prefix: 0,
                w: true,
                map: 0,
                op: 0xc7,
                byte_reg: false,
            },
            Gpr(0),
            Mem::state(offset),
        );
        self.bytes(&imm.to_le_bytes());
    }

    /// `mov dword [state + offset], imm32`.
    pub fn store_state_imm32(&mut self, offset: i32, imm: u32) {
        self.op_mem(
            Legacy {
                prefix: 0,
                w: false,
                map: 0,
                op: 0xc7,
                byte_reg: false,
            },
            Gpr(0),
            Mem::state(offset),
        );
        self.bytes(&imm.to_le_bytes());
    }
}
